import { dirname, resolve } from 'node:path'
import { EasError, oneLine } from '@eas/base'
import { parseServiceJson, unknownKeys } from '@eas/service-json'
import type { StoreSettings } from '@eas/storage'
import { discardEarly } from './engine/early.ts'
import { machineOf, reasonsAgainst, serviceSpec } from './service-spec.ts'
import type { ServiceSpec } from './service-types.ts'
import type { Settings } from './settings.ts'

/** A `service.json` that has been read. */
export interface ServiceFile {
  /** Stands in messages; a relative `model_path` is relative to its folder. */
  readonly path: string
  readonly text: string
}

export interface LoadedServices {
  readonly services: readonly ServiceSpec[]
  /** What the files ask for and do not get, or say in a way that PAI-EAS would not, a line each. */
  readonly warnings: readonly { readonly file: string; readonly message: string }[]
}

/**
 * The services of a process, one per file. No model is loaded, but one that should be on this machine is looked for.
 * @param stores What a platform knows better than the settings, such as credentials that change between invocations.
 * @throws {EasError} for the first file that cannot be served, in its own words.
 */
export async function loadServices(
  files: readonly ServiceFile[],
  settings: Settings,
  stores?: StoreSettings,
): Promise<LoadedServices> {
  await checkCompressor(settings)
  const machine = machineOf(settings, stores)
  const parsed = files.map(({ path, text }) => ({ path, ...parseServiceJson(text, { path }) }))
  checkNames(parsed.map(({ path, config: { name, metadata } }) => ({ path, names: [name, metadata.group ?? name] })))
  const services = await Promise.all(
    parsed.map(async ({ path, config, warnings }) => {
      const reasons = reasonsAgainst(config)
      // What is missing may stand there under a name of its own.
      const all = [...new Set([...reasons, ...unknownKeys(warnings)])]
      if (reasons.length > 0) throw new EasError('not_implemented', `Cannot serve ${path}: ${all.join('; ')}`)
      const spec = serviceSpec(config, { ...machine, baseDir: dirname(resolve(path)), serviceCount: parsed.length })
      // A model that should be on this machine and is not is better told now than by the first request.
      if (spec.origin.isLocal) await spec.origin.newest()
      return spec
    }),
  )
  const ofFiles = parsed.flatMap(({ path, warnings }, i) =>
    [...warnings.map(({ message }) => message), ...(services[i]?.warnings ?? [])].map((message) => ({
      file: path,
      message,
    })),
  )
  const warnings = [...settings.warnings.map((message) => ({ file: 'the environment', message })), ...ofFiles]
  // A worker that was started ahead is for a model that wants a thread.
  if (!services.some(({ isolation }) => isolation === 'thread')) void discardEarly()
  return { services, warnings }
}

/** @throws {EasError} `not_implemented` for one that this Node lacks, which no answer could be compressed with. */
async function checkCompressor({ responseCompressor }: Settings): Promise<void> {
  if (responseCompressor === 'none') return
  const { compress } = await import('@eas/protocol')
  compress(responseCompressor, new Uint8Array())
}

/** @throws {EasError} `invalid_request` for a name by which requests would reach two services. */
function checkNames(files: readonly { readonly path: string; readonly names: readonly string[] }[]): void {
  const paths = new Map<string, string>()
  for (const { path, names } of files) {
    for (const name of new Set(names)) {
      const other = paths.get(name)
      if (other !== undefined) {
        const facts = `${oneLine(name)} is a name, or the group, of both`
        throw new EasError('invalid_request', `Cannot serve ${other} and ${path} together: ${facts}`)
      }
      paths.set(name, path)
    }
  }
}
