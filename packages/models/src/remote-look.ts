import { createHash } from 'node:crypto'
import { basename, dirname, posix } from 'node:path'
import { EasError } from '@eas/base'
import {
  downloadBytes,
  inParallel,
  type ObjectInfo,
  type ObjectStore,
  openStore,
  type RetryRule,
  retrying,
  StoreError,
  type StoreSettings,
  withoutSecrets,
} from '@eas/storage'
import { isModelFile, isPlain, newestVersion } from './recognise.ts'

/** Largest object that names a version. */
const pointerBytesMax = 4096

/** For what is asked before a download; a look that fails for good is taken again by the next request. */
const lookRule: RetryRule = { attempts: 4, delayMs: 100, maxDelayMs: 1000 }

/** Requests at once for the files of a model's weights. */
const headsMax = 16

/** What is at a place in a store now. */
export interface Current {
  /** Where, as it was written; of a model with versions, the version's. */
  readonly place: string
  readonly store: ObjectStore
  /** Of the object, or of the folder without a slash at its end. */
  readonly key: string
  /** `undefined` for a folder. */
  readonly object: ObjectInfo | undefined
  /** Of a folder; of an ONNX model those that its weights are in, once they are known. */
  readonly objects: readonly ObjectInfo[] | undefined
  readonly version: string
  readonly bytes: number
}

/** What is there now. Of a store that fails, it is asked a few times. */
export function look(
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
  if (!object && isWeb.test(store.url)) throw noWebFile(url)
  const name = basename(key)
  // Beside that file are a SavedModel's variables. Of a web server, which has no listings, it is all that can be had.
  if (!object || (/^saved_model\.pb(?:txt)?$/.test(name) && !isWeb.test(store.url))) {
    const [place, folder] = object ? [dirname(url), dirname(`/${key}`).slice(1)] : [url.replace(/\/+$/, ''), key]
    return lookInFolder(place, store, folder, model_entry, signal)
  }
  return { place: url, store, key, object, objects: undefined, version: object.version, bytes: object.size }
}

const isWeb = /^https?:/i

const noWebFile = (url: string) =>
  new StoreError(
    'not-found',
    `Cannot find the model: ${withoutSecrets(url)} is no file there, and a web server does not say what is in its folders; name the model's file, or an archive`,
  )

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
  const end = isWeb.test(url) ? url.search(/[?#]|$/) : url.length
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
  return {
    place: newest === undefined ? place : `${place}/${newest}`,
    store,
    key,
    object: undefined,
    objects,
    version: versionOfAll(objects),
    bytes: bytesOf(objects),
  }
}

/** The files of an ONNX object's weights, which only its content tells, by its own version: of what was opened last. */
export type KnownWeights = Map<string, readonly string[]>

/**
 * An ONNX model with the objects that its weights are in, of which its version is then too.
 * @param names As `weightFiles` has them.
 */
export async function withWeights(
  current: Current,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Current> {
  const { store, key, object } = current
  if (!object || names.length === 0) return current
  const objects: ObjectInfo[] = []
  await inParallel(names, headsMax, signal, async (name, signal, index) => {
    const weights = posix.join(posix.dirname(key), name)
    const info = await retrying('find its weights', lookRule, signal, () => store.head(weights, { signal }))
    if (!info) {
      throw new StoreError('not-found', `Cannot find ${store.url}/${weights}, where weights of ${basename(key)} are`)
    }
    objects[index] = info
  })
  return { ...current, objects, version: versionOfAll([object, ...objects]), bytes: bytesOf([object, ...objects]) }
}

function versionOfAll(objects: readonly ObjectInfo[]): string {
  const digest = createHash('sha256')
  for (const { key, version, size } of objects) digest.update(`${key}\0${version}\0${size}\n`)
  return digest.digest('hex').slice(0, 32)
}

const bytesOf = (objects: readonly ObjectInfo[]) => objects.reduce((sum, { size }) => sum + size, 0)

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
