import { readFile } from 'node:fs/promises'
import {
  createLogger,
  createProcessor,
  type Logger,
  loadServices,
  machineOf,
  type Processor,
  type ServiceSpec,
  type Settings,
  settingsFromEnv,
} from '@eas/processor'
import type { StoreSettings } from '@eas/storage'

/** The core of a function, built and not yet loaded. */
export interface Core {
  readonly processor: Processor
  readonly service: ServiceSpec
  readonly settings: Settings
  /** Where buckets are and how to get in. */
  readonly stores: StoreSettings
  readonly log: Logger
}

export interface StartOptions {
  /** Whether the process runs on after it has answered, so that log lines may wait for each other. */
  readonly runsOn: boolean
  /** What the platform knows better than the settings, such as credentials that change between invocations. */
  readonly stores?: StoreSettings
  /** What the service is like here, where it is not clients that ask. */
  readonly adapt?: (service: ServiceSpec) => ServiceSpec
}

/**
 * Builds the core for the service that `SERVICE_JSON` names, `service.json` by default. Reads that file; no model, no native
 * code, no network.
 * @throws {EasError} saying what in the environment or the file cannot be served.
 */
export async function startCore(
  env: Readonly<Record<string, string | undefined>>,
  options: StartOptions,
): Promise<Core> {
  const path = env.SERVICE_JSON || 'service.json'
  const settings = settingsFromEnv(env)
  const log = createLogger(settings.logLevel, options.runsOn)
  const { stores } = machineOf(settings, options.stores)
  const { services, warnings } = await loadServices([{ path, text: await readFile(path, 'utf8') }], settings, stores)
  for (const { file, message } of warnings) log.warn({ file }, message)
  const [read] = services as [ServiceSpec] // one per file
  const service = options.adapt?.(read) ?? read
  if (service.token === '') log.warn({ file: path }, 'no token: whoever knows the URL is answered; set EAS_TOKEN')
  return { processor: createProcessor({ services: [service], settings, log }), service, settings, stores, log }
}

/** Resolves when the model has loaded or failed, or after `timeoutMs`: what is asked for is answered 503 then. */
export async function loadedWithin(processor: Pick<Processor, 'load'>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  await Promise.race([processor.load(), timeout])
  clearTimeout(timer)
}
