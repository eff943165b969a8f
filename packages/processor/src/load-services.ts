import { dirname, resolve } from 'node:path'
import { EasError } from '@eas/base'
import { parseServiceJson } from '@eas/service-json'
import { findModelFile } from './model-file.ts'
import type { ServiceSpec } from './service.ts'
import { reasonsAgainst, serviceSpec } from './service-spec.ts'
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
 * The services of a process, one per file, with their models found on this machine. No model is loaded.
 * @throws {EasError} for the first file that cannot be served, in its own words.
 */
export async function loadServices(files: readonly ServiceFile[], settings: Settings): Promise<LoadedServices> {
  const parsed = files.map(({ path, text }) => ({ path, ...parseServiceJson(text, { path }) }))
  const services = await Promise.all(
    parsed.map(async ({ path, config }) => {
      const { model_path, model_entry } = config
      const reasons = [...reasonsAgainst(config)]
      if (model_path === undefined) {
        const [mount] = config.storage
        reasons.push(
          `model_path is missing${mount ? `, and what storage mounts at ${mount.mount_path} is not read yet` : ''}`,
        )
      }
      if (model_path === undefined || reasons.length > 0) {
        throw new EasError('not_implemented', `Cannot serve ${path}: ${reasons.join('; ')}`)
      }
      const modelPath = await findModelFile({ model_path, model_entry }, dirname(resolve(path)))
      return serviceSpec(config, { modelPath, settings, serviceCount: parsed.length })
    }),
  )
  const warnings = parsed.flatMap(({ path, warnings }, i) =>
    [...warnings.map(({ message }) => message), ...(services[i]?.warnings ?? [])].map((message) => ({
      file: path,
      message,
    })),
  )
  return { services, warnings }
}
