import { EasError } from '@eas/base'
import { downloadBytes, type ObjectInfo, openStore, StoreError, type StoreSettings } from '@eas/storage'
import type { WarmUpRequest } from './replay.ts'

export interface KeptRequestsOptions {
  readonly stores: StoreSettings
  /** Of one request. */
  readonly bytesMax: number
  /** Files of a folder; those after it are left out. */
  readonly filesMax: number
}

/**
 * The requests kept at each of the paths: a file, or the files of a folder in order of name. A `.txt` file has one request a
 * line, any other is one request. What cannot be read comes as its error.
 * @see eas-service 3, "Warm-up"
 */
export async function* keptRequests(
  paths: readonly string[],
  { stores, bytesMax, filesMax }: KeptRequestsOptions,
): AsyncGenerator<WarmUpRequest | EasError> {
  for (const path of paths) {
    let count = 0
    try {
      const { store } = openStore(path, stores)
      for await (const info of filesAt(path, stores)) {
        if (count++ === filesMax) break
        const name = info.key.slice(info.key.lastIndexOf('/') + 1)
        try {
          const { bytes } = await downloadBytes(store, info.key, { info, maxBytes: bytesMax })
          yield* requestsOf(name, bytes)
        } catch (thrown) {
          yield unreadable(name, thrown)
        }
      }
    } catch (thrown) {
      yield unreadable(path, thrown)
    }
  }
}

/** The object of that name, or those of the folder. */
async function* filesAt(path: string, stores: StoreSettings): AsyncGenerator<ObjectInfo> {
  const { store, key } = openStore(path, stores)
  const file = path.endsWith('/') || key === '' ? undefined : await store.head(key)
  if (file) yield file
  else {
    for await (const info of store.list(key === '' ? '' : `${key}/`)) if (info.size > 0) yield info
  }
}

function* requestsOf(name: string, bytes: Uint8Array): Generator<WarmUpRequest> {
  if (!name.toLowerCase().endsWith('.txt')) return yield { name, body: bytes }
  const lines = new TextDecoder('latin1').decode(bytes).split(/\r?\n/)
  for (const [i, line] of lines.entries()) {
    // Latin 1 is every byte as it is.
    if (line !== '') yield { name: `${name} line ${i + 1}`, body: Buffer.from(line, 'latin1') }
  }
}

function unreadable(name: string, thrown: unknown): EasError {
  if (!(thrown instanceof StoreError)) throw thrown
  return new EasError('not_ready', `Cannot read ${name}: ${thrown.message}`, { cause: thrown })
}
