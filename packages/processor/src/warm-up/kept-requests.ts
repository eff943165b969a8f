import { EasError } from '@eas/base'
import {
  downloadBytes,
  type ObjectInfo,
  openStore,
  type RetryRule,
  retrying,
  StoreError,
  type StoreSettings,
  withoutSecrets,
} from '@eas/storage'
import type { WarmUpRequest } from './replay.ts'

export interface KeptRequestsOptions {
  readonly stores: StoreSettings
  /** Of one request. */
  readonly bytesMax: number
  /** Files of a folder; those after it are left out. */
  readonly filesMax: number
  /** Whether it is in order that there is nothing at a path. */
  readonly mayBeEmpty: boolean
  /** Ends it: what has not been read by then is left out. */
  readonly signal: AbortSignal
}

/** For finding out what there is; downloads have their own. */
const lookRule: RetryRule = { attempts: 4, delayMs: 100, maxDelayMs: 1000 }

/**
 * The requests kept at each of the paths: a file, or the files of a folder in order of name. A `.txt` file has one request a
 * line, any other is one request. What cannot be read comes as its error.
 * @see eas-service 3, "Warm-up"
 */
export async function* keptRequests(
  paths: readonly string[],
  options: KeptRequestsOptions,
): AsyncGenerator<WarmUpRequest | EasError> {
  const { stores, bytesMax, signal } = options
  for (const path of paths) {
    const where = withoutSecrets(path)
    try {
      const { store } = openStore(path, stores)
      const files = await retrying(`look for ${where}`, lookRule, signal, () => filesAt(path, options))
      if (files.length === 0 && !options.mayBeEmpty) {
        yield new EasError('not_found', `Cannot read ${where}: there is nothing there`)
      }
      for (const info of files) {
        const name = info.key.slice(info.key.lastIndexOf('/') + 1)
        try {
          const { bytes } = await downloadBytes(store, info.key, { info, maxBytes: bytesMax, signal })
          yield* requestsOf(name, bytes)
        } catch (thrown) {
          if (signal.aborted) return
          yield unreadable(name, thrown)
        }
      }
    } catch (thrown) {
      if (signal.aborted) return
      yield unreadable(where, thrown)
    }
  }
}

/** The object of that name, or those of the folder. */
async function filesAt(
  path: string,
  { stores, filesMax, signal }: KeptRequestsOptions,
): Promise<readonly ObjectInfo[]> {
  const { store, key } = openStore(path, stores)
  const file = path.endsWith('/') || key === '' ? undefined : await store.head(key, { signal })
  if (file) return [file]
  const files: ObjectInfo[] = []
  const prefix = key === '' ? '' : `${key}/`
  for await (const info of store.list(prefix, { signal })) {
    if (files.length === filesMax) break
    // Such as the .DS_Store that a Mac leaves in each folder it shows.
    const isHidden = /(?:^|\/)\./.test(info.key.slice(prefix.length))
    if (info.size > 0 && !isHidden) files.push(info)
  }
  return files
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
