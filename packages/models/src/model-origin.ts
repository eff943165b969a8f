import { resolve } from 'node:path'
import { archiveKind, localPath, openStore, withoutSecrets } from '@eas/storage'
import { localOrigin } from './local-origin.ts'
import type { ModelOrigin } from './model-files.ts'
import { type Mount, throughMounts } from './mounts.ts'
import type { RemoteOptions } from './remote-options.ts'
import { remoteOrigin } from './remote-origin.ts'

/** What a model is called in `service.json`: `model_path`, and `model_entry` below it. */
export interface ModelLocation {
  readonly model_path: string
  readonly model_entry: string | undefined
}

export interface OriginOptions extends RemoteOptions {
  /** What a relative `model_path` is relative to: the folder of `service.json`. */
  readonly baseDir: string
  readonly mounts: readonly Mount[]
}

/**
 * Where a model comes from: this machine, or object storage.
 * @throws {StoreError} `invalid` for a URL that is none.
 */
export function modelOrigin({ model_path, model_entry }: ModelLocation, options: OriginOptions): ModelOrigin {
  const url = whereIs(model_path, options)
  const name = withoutSecrets(model_path)
  const path = localPath(openStore(url, options.stores))
  // An archive is unpacked into the cache, wherever it is from.
  return path === undefined || archiveKind(path) !== undefined
    ? remoteOrigin(url, model_entry, name, options)
    : localOrigin(path, model_entry, name, options.platform)
}

/** A path of a configuration as a URL, or as an absolute path of this machine. */
export function whereIs(path: string, { baseDir, mounts }: Pick<OriginOptions, 'baseDir' | 'mounts'>): string {
  const url = throughMounts(path, mounts)
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : resolve(baseDir, url) + (url.endsWith('/') ? '/' : '')
}
