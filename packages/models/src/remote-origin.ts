import { createHash } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { EasError } from '@eas/base'
import {
  archiveKind,
  type DiskCache,
  download,
  downloadBytes,
  downloadTree,
  fetchBytes,
  type Identity,
  inParallel,
  type ObjectInfo,
  type ObjectStore,
  openStore,
  type Progress,
  type RetryRule,
  retrying,
  StoreError,
  type StoreSettings,
  unpack,
  withoutSecrets,
} from '@eas/storage'
import type { ModelFiles, ModelOrigin, PreparedForm } from './model-files.ts'
import {
  manifestName,
  type PreparedManifest,
  parseManifest,
  preparedBytes,
  preparedFolder,
  preparedForm,
} from './prepared.ts'
import { isModelFile, isPlain, newestVersion, recogniseModel } from './recognise.ts'

export interface RemoteOptions {
  readonly stores: StoreSettings
  /** Opened when the first model is fetched. */
  readonly cache: () => Promise<DiskCache>
  /** Kind of machine that a prepared form would have to be for; `undefined` to use models as they are. */
  readonly platform: string | undefined
  /** Milliseconds that a download may take. */
  readonly deadlineMs: number
  readonly onProgress?: ((name: string, progress: Progress) => void) | undefined
}

/** Largest object that names a version. */
const pointerBytesMax = 4096

type PreparedFiles = ModelFiles & { readonly prepared: PreparedForm }

/** For what is asked before a download; a look that fails for good is taken again by the next request. */
const lookRule: RetryRule = { attempts: 4, delayMs: 100, maxDelayMs: 1000 }

/** Times that a model is looked for again because another had taken its place before it was here. */
const changesMax = 3

/** What is at a place in a store now. */
interface Current {
  /** Where, as it was written; of a model with versions, the version's. */
  readonly place: string
  readonly store: ObjectStore
  /** Of the object, or of the folder without a slash at its end. */
  readonly key: string
  /** `undefined` for a folder. */
  readonly object: ObjectInfo | undefined
  /** Of a folder. */
  readonly objects: readonly ObjectInfo[] | undefined
  readonly version: string
  readonly bytes: number
}

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
            return await openCurrent(current, isPinned, guessed, model_entry, name, options, signal)
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
        return (await look(url, model_entry, stores, deadlineMs, signal)).version
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
  guessed: Asked | undefined,
  model_entry: string | undefined,
  name: string,
  options: RemoteOptions,
  signal: AbortSignal | undefined,
): Promise<ModelFiles> {
  const { platform } = options
  const prepared = platform ? await openPreparedBeside(current, platform, guessed, options, signal) : undefined
  if (prepared?.prepared.isWhole) return prepared
  const opening = openModel(current, isPinned, model_entry, name, options, signal)
  return prepared ? withPrepared(opening, prepared) : opening
}

/** What is there now. Of a store that fails, it is asked a few times. */
function look(
  url: string,
  model_entry: string | undefined,
  stores: StoreSettings,
  deadlineMs: number,
  outer: AbortSignal | undefined,
): Promise<Current> {
  const late = AbortSignal.timeout(deadlineMs)
  const signal = outer ? AbortSignal.any([outer, late]) : late
  return retrying('find the model', lookRule, signal, () => lookOnce(url, model_entry, stores, signal))
}

async function lookOnce(
  url: string,
  model_entry: string | undefined,
  stores: StoreSettings,
  signal: AbortSignal,
  isPointed = false,
): Promise<Current> {
  const { store, key } = openStore(url, stores)
  const object = key === '' || url.endsWith('/') ? undefined : await store.head(key, { signal })
  if (object && key.endsWith('.version') && !isPointed) {
    const { bytes } = await downloadBytes(store, key, { signal, info: object, maxBytes: pointerBytesMax })
    return lookOnce(pointedAt(url, new TextDecoder().decode(bytes).trim()), model_entry, stores, signal, true)
  }
  if (!object) return lookInFolder(url.replace(/\/+$/, ''), store, key, model_entry, signal)
  return { place: url, store, key, object, objects: undefined, version: object.version, bytes: object.size }
}

/**
 * The URL that a pointer names: beside it, or below. Names such as `dt=20260101/export` are; URLs and other queries are not. Of a
 * web address the query stays, which may be what lets it be read.
 */
function pointedAt(url: string, written: string): string {
  const target = written.replace(/^(?:\.\/)+/, '')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a pointer of two lines names nothing
  const isPath = /^[^/:?#%\\\u0000-\u001f\u007f][^:?#%\\\u0000-\u001f\u007f]*$/.test(target)
  if (!isPath || target.split('/').some((name) => name === '..' || name === '.')) {
    throw new EasError(
      'not_ready',
      `Cannot find the model: ${withoutSecrets(url)} names ${JSON.stringify(target.slice(0, 80))}, which is no path below it`,
    )
  }
  const end = /^https?:/i.test(url) ? url.search(/[?#]|$/) : url.length
  return url.slice(0, url.lastIndexOf('/', end - 1) + 1) + target + url.slice(end)
}

async function lookInFolder(
  place: string,
  store: ObjectStore,
  folder: string,
  model_entry: string | undefined,
  signal: AbortSignal,
): Promise<Current> {
  const base = folder === '' ? '' : `${folder}/`
  const all: ObjectInfo[] = []
  for await (const info of store.list(base, { signal })) {
    const path = info.key.slice(base.length)
    // Prepared forms of what is in the folder, requests that a service keeps there, and what consoles mark folders with.
    const isOther = /\.eas\/|^torch_req\//.test(path) || (info.size === 0 && info.key.endsWith('/'))
    if (!isOther) all.push(info)
  }
  if (all.length === 0) throw new StoreError('not-found', `Cannot find ${store.url}/${folder}: there is nothing there`)
  const paths = all.map(({ key }) => key.slice(base.length))
  const newest = versionOf(paths, model_entry)
  const key = newest === undefined ? folder : `${base}${newest}`
  const objects = all.filter((info) => newest === undefined || info.key.startsWith(`${key}/`))
  const digest = createHash('sha256')
  for (const info of objects) digest.update(`${info.key}\0${info.version}\0${info.size}\n`)
  return {
    place: newest === undefined ? place : `${place}/${newest}`,
    store,
    key,
    object: undefined,
    objects,
    version: digest.digest('hex').slice(0, 32),
    bytes: objects.reduce((sum, { size }) => sum + size, 0),
  }
}

/** The version that counts of what has versions: what `recogniseModel` would choose if all of them were here. */
function versionOf(paths: readonly string[], model_entry: string | undefined): string | undefined {
  const entry = model_entry?.replace(/^(?:\.\/)+|\/+$/g, '')
  if (entry !== undefined && paths.some((path) => path === entry || path.startsWith(`${entry}/`))) return undefined
  const folders = new Set<string>()
  for (const path of paths) {
    const [name = '', ...below] = path.split('/')
    if (below.length > 0) folders.add(name)
    else if (isPlain(name) && isModelFile(name)) return undefined
  }
  const isMatch = folders.has('user') && folders.has('item') // see there
  return isMatch ? undefined : newestVersion([...folders])
}

/** A manifest that has been asked for. */
interface Asked {
  readonly folder: string
  readonly text: Promise<string>
}

function askForManifest(store: ObjectStore, key: string, platform: string, signal: AbortSignal | undefined): Asked {
  const folder = preparedFolder(key, platform)
  const fetched = fetchBytes(store, `${folder}/${manifestName}`, { ...(signal && { signal }), ...manifestRules })
  const text = fetched.then(({ bytes }) => new TextDecoder().decode(bytes))
  text.catch(() => {}) // seen when it is needed, if it ever is
  return { folder, text }
}

const manifestRules = { maxBytes: 1 << 20, deadlineMs: 20_000 }

/** The manifest that lies beside what a URL names, should that be the model: asked for while the model is looked for. */
function guessManifest(url: string, platform: string, stores: StoreSettings, signal: AbortSignal): Asked | undefined {
  const { store, key } = openStore(url, stores)
  return key === '' || url.endsWith('/') || key.endsWith('.version')
    ? undefined
    : askForManifest(store, key, platform, signal)
}

/** The prepared form of a model, if there is one, it is of this very version, and it is what was written. */
async function openPreparedBeside(
  current: Current,
  platform: string,
  guessed: Asked | undefined,
  options: RemoteOptions,
  signal: AbortSignal | undefined,
): Promise<PreparedFiles | undefined> {
  const { store, key } = current
  const folder = preparedFolder(key, platform)
  try {
    const { text } = guessed?.folder === folder ? guessed : askForManifest(store, key, platform, signal)
    const manifest = parseManifest(await text, `${store.url}/${folder}`)
    if (!isOf(manifest, current) || manifest.platform !== platform) return undefined
    return await openPrepared(current, platform, manifest, options, signal)
  } catch (thrown) {
    // Without one, or with one that cannot be used, the model itself is loaded.
    if (thrown instanceof EasError || (thrown instanceof StoreError && thrown.code !== 'timeout')) return undefined
    throw thrown
  }
}

/** Whether a prepared form was made of this very model: here, or of the same file elsewhere, before both were put here. */
function isOf({ of }: PreparedManifest, { version, bytes, object }: Current): boolean {
  if (of.version === version) return true
  return of.md5 !== undefined && of.md5 === object?.digests?.md5 && of.bytes === bytes
}

async function openPrepared(
  current: Current,
  platform: string,
  manifest: PreparedManifest,
  options: RemoteOptions,
  signal: AbortSignal | undefined,
): Promise<PreparedFiles> {
  const { place, store, version } = current
  const folder = preparedFolder(current.key, platform)
  const sums = manifest.files.map(({ crc32 }) => crc32).join('-')
  const identity: Identity = { url: store.url, key: folder, version: `${version}-${sums}` }
  const bytes = preparedBytes(manifest)
  const cache = await options.cache()
  const entry = await cache.fetch(
    identity,
    async (dir, _scratch, stop) => {
      await inParallel(manifest.files, manifest.files.length, stop, async (file, signal) => {
        const { info } = await download(store, `${folder}/${file.name}`, join(dir, file.name), {
          ...transfer(folder, options, signal),
          maxBytes: file.bytes,
          crc32: file.crc32,
          restarts: 1,
        })
        if (info.size !== file.bytes) {
          throw new StoreError('corrupt', `Cannot use ${store.url}/${folder}: ${file.name} is not what was prepared`)
        }
      })
      return new Map(manifest.files.map(({ name, crc32 }) => [name, crc32]))
    },
    { ...(signal && { signal }), bytes, verify: true },
  )
  const prepared = preparedForm(entry.path, manifest)
  return {
    format: 'onnx',
    path: prepared.path,
    prepared,
    bytes,
    place,
    version,
    release: () => void entry.release(),
  }
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
  model_entry: string | undefined,
  name: string,
  options: RemoteOptions,
  signal: AbortSignal | undefined,
): Promise<ModelFiles> {
  const { place, store, key, object, objects, version, bytes } = current
  const cache = await options.cache()
  const entry = await cache.fetch(
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
  const release = () => void entry.release()
  const isFolder = !object || archiveKind(basename(key)) !== undefined
  try {
    const path = join(entry.path, isFolder ? 'model' : basename(key))
    return {
      ...(await recogniseModel(path, model_entry, name)),
      place,
      version,
      bytes: entry.bytes,
      release,
    }
  } catch (thrown) {
    release()
    throw thrown
  }
}

function transfer(name: string, { deadlineMs, onProgress }: RemoteOptions, signal: AbortSignal | undefined) {
  return {
    deadlineMs,
    ...(signal && { signal }),
    ...(onProgress && { onProgress: (progress: Progress) => onProgress(name, progress) }),
  }
}

/** A failure of a store as a service tells it: not there is its configuration's fault, everything else may pass. */
function explained(thrown: unknown, name: string): unknown {
  if (!(thrown instanceof StoreError)) return thrown
  const code = thrown.code === 'not-found' ? 'not_found' : 'not_ready'
  return new EasError(code, `Cannot load ${name}: ${thrown.message}`, { cause: thrown })
}
