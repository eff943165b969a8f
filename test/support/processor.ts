import { dirname, join } from 'node:path'
import { createHttpServer } from '@eas/http-server'
import {
  createLogger,
  createProcessor,
  type Isolation,
  machineOf,
  type Processor,
  type ServiceSpec,
  serviceSpec,
  settingsFromEnv,
} from '@eas/processor'
import { parseServiceJson } from '@eas/service-json'
import type { StoreSettings } from '@eas/storage'

export interface TestService {
  readonly name: string
  readonly model: string
  readonly kind?: 'torch' | 'tf'
  /** Further top-level keys of service.json. */
  readonly json?: Readonly<Record<string, unknown>>
  /** `metadata.rpc`. */
  readonly rpc?: Readonly<Record<string, unknown>>
}

/** The core on its own, with its models loaded, configured as a service.json and the environment would. */
export async function processorOf(
  services: readonly TestService[],
  { isolation = 'inline', env = {} }: { isolation?: Isolation; env?: Readonly<Record<string, string>> } = {},
): Promise<Processor> {
  const processor = createProcessor({
    services: specsOf(services, { ...env, EAS_ISOLATION: isolation }),
    settings: settingsFromEnv({ ...env, EAS_ISOLATION: isolation }),
    log: createLogger('silent', false),
  })
  await processor.load()
  return processor
}

export function specsOf(
  services: readonly TestService[],
  env: Readonly<Record<string, string>>,
  stores?: StoreSettings,
): ServiceSpec[] {
  const machine = machineOf(settingsFromEnv(env), stores)
  return services.map((service) => {
    const { config } = parseServiceJson(serviceJson(service), { path: join(dirname(service.model), 'service.json') })
    return serviceSpec(config, { ...machine, baseDir: '/', serviceCount: services.length })
  })
}

/** A service.json for a model. */
export const serviceJson = ({ name, model, kind = 'torch', json = {}, rpc = {} }: TestService): string =>
  JSON.stringify({
    name,
    model_path: model,
    processor: kind === 'torch' ? 'pytorch_cpu_1.10' : 'tensorflow_cpu_2.7',
    ...json,
    metadata: { instance: 1, rpc, ...(json.metadata as object | undefined) }, // a test's own metadata, of any shape
  })

/** For tests that are not about time: a busy machine may take longer than the 5 s that EAS gives a request. */
export const patient = { keepalive: 120_000 } as const

/** A processor behind a real port. */
export async function listening(processor: Processor, bodyBytesMax = 64 * 1024 * 1024) {
  const http = createHttpServer({ processor, bodyBytesMax })
  const port = await http.listen(0, '127.0.0.1')
  return {
    port,
    http,
    async close() {
      http.server.closeAllConnections()
      await http.drain(0)
      processor.close()
    },
  }
}
