import { copyFile, mkdir, rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { EasError } from '@eas/base'
import { archiveKind, type CacheEntry, download, downloadTree, inParallel, StoreError, unpack } from '@eas/storage'
import type { ModelFiles, ModelOrigin } from './model-files.ts'
import { weightFiles } from './onnx-weights.ts'
import { recogniseModel } from './recognise.ts'
import { type Current, type KnownWeights, look, withWeights } from './remote-look.ts'
import { type RemoteOptions, transfer } from './remote-options.ts'
import { type Asked, guessManifest, openPreparedBeside, type PreparedFiles } from './remote-prepared.ts'

/** Times that a model is looked for again because another had taken its place before it was here. */
const changesMax = 3

/**
 * A model in object storage: an object, an archive, or a folder. A folder whose own folders are numbers is a model with
 * versions, of which the highest counts; an object that ends in `.version` holds the path of the model, relative to itself.
 */
export function remoteOrigin(
  url: string,
  model_entry: string | undefined,
  name: string,
  options: RemoteOptions,
): ModelOrigin {
  const { stores, platform, deadlineMs } = options
  const known: KnownWeights = new Map()
  return {
    name,
    isLocal: false,
    async open(signal) {
      const over = new AbortController()
      try {
        // What nothing else has to be known for goes on its way at once.
        options.cache().catch(() => {})
        const until = signal ? AbortSignal.any([signal, over.signal]) : over.signal
        const guessed = platform ? guessManifest(url, platform, stores, until) : undefined
        let current = await look(url, model_entry, stores, deadlineMs, signal)
        for (let isPinned = true, changes = 0; ; changes++) {
          try {
            return await openCurrent(current, isPinned, known, guessed, model_entry, name, options, signal)
          } catch (thrown) {
            // Of a version that makes room for another, some may be gone already.
            const isGone = thrown instanceof StoreError && (thrown.code === 'changed' || thrown.code === 'not-found')
            if (!isGone || changes === changesMax) throw thrown
            const now = await look(url, model_entry, stores, deadlineMs, signal)
            // A store that names the version of one object in two ways can be held to neither.
            isPinned &&= now.version !== current.version
            current = now
          }
        }
      } catch (thrown) {
        throw explained(thrown, name)
      } finally {
        over.abort() // a manifest that nobody needed
      }
    },
    async newest(signal) {
      try {
        const current = await look(url, model_entry, stores, deadlineMs, signal)
        return (await withWeights(current, known.get(current.version) ?? [], signal)).version
      } catch (thrown) {
        throw explained(thrown, name)
      }
    },
  }
}

/** @throws {StoreError} `changed` when something else is there by now, and `isPinned`. */
async function openCurrent(
  current: Current,
  isPinned: boolean,
  known: KnownWeights,
  guessed: Asked | undefined,
  model_entry: string | undefined,
  name: string,
  options: RemoteOptions,
  signal: AbortSignal | undefined,
): Promise<ModelFiles> {
  const { platform } = options
  const prepared = platform ? await openPreparedBeside(current, platform, guessed, known, options, signal) : undefined
  if (prepared?.prepared.isWhole) return prepared
  const opening = openModel(current, isPinned, known, model_entry, name, options, signal)
  return prepared ? withPrepared(opening, prepared) : opening
}

/** A model with its prepared form; both stay until it is released. */
async function withPrepared(opening: Promise<ModelFiles>, { prepared, bytes, release }: PreparedFiles) {
  try {
    const model = await opening
    return {
      ...model,
      prepared,
      bytes: Math.max(model.bytes, bytes),
      release() {
        model.release()
        release()
      },
    }
  } catch (thrown) {
    release()
    throw thrown
  }
}

async function openModel(
  current: Current,
  isPinned: boolean,
  known: KnownWeights,
  model_entry: string | undefined,
  name: string,
  options: RemoteOptions,
  signal: AbortSignal | undefined,
): Promise<ModelFiles> {
  const { place, key, object, version } = current
  const entry = await fetchModel(current, isPinned, name, options, signal)
  const release = () => void entry.release()
  const isFolder = !object || archiveKind(basename(key)) !== undefined
  try {
    const path = join(entry.path, isFolder ? 'model' : basename(key))
    const found = await recogniseModel(path, model_entry, name)
    const names = !isFolder && found.format === 'onnx' ? await weightFiles(path) : []
    known.clear()
    known.set(version, names)
    if (names.length === 0) return { ...found, place, version, bytes: entry.bytes, release }
    const whole = await withWeights(current, names, signal)
    const kept = await fetchWeights(whole, path, names, isPinned, name, options, signal)
    release()
    return {
      format: 'onnx',
      path: join(kept.path, basename(key)),
      place,
      version: whole.version,
      bytes: kept.bytes,
      release: () => void kept.release(),
    }
  } catch (thrown) {
    release()
    throw thrown
  }
}

/** An object, an archive's files or a folder, in the cache. */
async function fetchModel(
  current: Current,
  isPinned: boolean,
  name: string,
  options: RemoteOptions,
  signal: AbortSignal | undefined,
): Promise<CacheEntry> {
  const { store, key, object, objects, version, bytes } = current
  const cache = await options.cache()
  return cache.fetch(
    { url: store.url, key, version },
    async (dir, scratch, stop) => {
      const rules = transfer(name, options, stop)
      if (!object) {
        const pin = isPinned ? { objects } : {}
        const { files } = await downloadTree(store, key, join(dir, 'model'), { ...rules, ...pin })
        return new Map([...files].map(([path, { crc32 }]) => [`model/${path}`, crc32]))
      }
      const file = basename(key)
      // What is kept under the name of a version is that version.
      const pinned = { ...rules, info: object, ...(isPinned && { version }) }
      if (archiveKind(file) === undefined) {
        const { crc32 } = await download(store, key, join(dir, file), pinned)
        return new Map([[file, crc32]])
      }
      await download(store, key, join(scratch, file), pinned)
      const { files } = await unpack(join(scratch, file), join(scratch, 'model'), stop ? { signal: stop } : {})
      await rename(join(scratch, 'model'), join(dir, 'model'))
      return new Map([...files].map(([path, { crc32 }]) => [`model/${path}`, crc32]))
    },
    { ...(signal && { signal }), bytes },
  )
}

/** Files at once of a model's weights; each comes in parts of its own, which share the connections. */
const filesMax = 4

/** An ONNX model and the files of its weights as they lie in the store, in the cache. */
async function fetchWeights(
  { store, key, objects = [], version, bytes }: Current,
  model: string,
  names: readonly string[],
  isPinned: boolean,
  name: string,
  options: RemoteOptions,
  signal: AbortSignal | undefined,
): Promise<CacheEntry> {
  const cache = await options.cache()
  return cache.fetch(
    { url: store.url, key, version },
    async (dir, _scratch, stop) => {
      await copyFile(model, join(dir, basename(key)))
      const sums = new Map<string, string>()
      await inParallel(objects, filesMax, stop, async (info, signal, index) => {
        const file = names[index] ?? '' // there is an object for each
        await mkdir(dirname(join(dir, file)), { recursive: true })
        const pinned = { ...transfer(name, options, signal), info, ...(isPinned && { version: info.version }) }
        const { crc32 } = await download(store, info.key, join(dir, file), pinned)
        sums.set(file, crc32)
      })
      return sums
    },
    { ...(signal && { signal }), bytes },
  )
}

/** A failure of a store as a service tells it: not there is its configuration's fault, everything else may pass. */
function explained(thrown: unknown, name: string): unknown {
  if (!(thrown instanceof StoreError)) return thrown
  const code = thrown.code === 'not-found' ? 'not_found' : 'not_ready'
  return new EasError(code, `Cannot load ${name}: ${thrown.message}`, { cause: thrown })
}
