import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PathSet } from '../archive/path-set.ts'
import { compareKeys } from '../key.ts'
import type { ObjectInfo, ObjectStore } from '../object-store.ts'
import { StoreError, stopped } from '../store-error.ts'
import { deadline, download } from './download.ts'
import { type Downloaded, type DownloadOptions, rulesOf } from './options.ts'
import { inParallel } from './parallel.ts'
import { retrying } from './retry.ts'

/** Up to here a second connection to the same file brings nothing. */
const smallBytes = 8 * 2 ** 20

export interface TreeOptions extends DownloadOptions {
  /** Files in the tree. Default 10,000: a TensorFlow SavedModel has tens, a sharded one hundreds. */
  readonly maxFiles?: number
  /** What is below the prefix, if that has just been listed: these versions of these objects, or `changed`. */
  readonly objects?: readonly ObjectInfo[] | undefined
}

export interface DownloadedTree {
  /** By their paths below the tree's root, in order. */
  readonly files: ReadonlyMap<string, Downloaded>
  readonly bytes: number
}

/**
 * Every object whose key starts with `prefix` and a slash, as files below the folder `to`, which must not exist.
 * Names that could leave it, or that some file system would take for each other, are refused as in an archive.
 *
 * @throws {StoreError} as `download` does; `not-found` if nothing is below the prefix; `too-large` beyond the limits.
 */
export async function downloadTree(
  store: ObjectStore,
  prefix: string,
  to: string,
  options: TreeOptions = {},
): Promise<DownloadedTree> {
  const doing = `download ${store.url}/${prefix}/`
  const rules = rulesOf(options)
  const until = deadline(options.signal, options.deadlineMs, doing)
  try {
    const base = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`
    const objects = await retrying(doing, rules.retry, until.signal, () =>
      listed(store, base, options, rules.maxBytes, until.signal),
    )
    const totalBytes = objects.reduce((sum, { size }) => sum + size, 0)
    const { deadlineMs: _deadline, info: _info, version: _version, objects: known, onProgress, ...each } = options
    const files = new Map<string, Downloaded>()
    const startedAt = performance.now()
    let bytes = 0
    let retries = 0
    const fetchOne = async (object: ObjectInfo, connections: number, signal: AbortSignal) => {
      const path = object.key.slice(base.length)
      await mkdir(join(to, dirname(path)), { recursive: true })
      const version = known && object.version
      const file = await download(store, object.key, join(to, path), { ...each, version, connections, signal })
      files.set(path, file)
      bytes += object.size
      retries += file.retries
      onProgress?.({ bytes, totalBytes, elapsedMs: performance.now() - startedAt, retries })
    }
    // Small files take a connection each, large ones all of them, one file after the other.
    const small = objects.filter(({ size }) => size <= smallBytes)
    const large = objects.filter(({ size }) => size > smallBytes)
    await inParallel(small, rules.connections, until.signal, (object, signal) => fetchOne(object, 1, signal))
    await inParallel(large, 1, until.signal, (object, signal) => fetchOne(object, rules.connections, signal))
    if (until.signal.aborted) throw stopped(until.signal, doing)
    return { files: new Map([...files].sort(([a], [b]) => compareKeys(a, b))), bytes }
  } catch (error) {
    await rm(to, { recursive: true, force: true })
    throw StoreError.from(error, doing)
  } finally {
    until.end()
  }
}

async function listed(
  store: ObjectStore,
  base: string,
  { maxFiles = 10_000, objects: known }: TreeOptions,
  maxBytes: number,
  signal: AbortSignal,
): Promise<ObjectInfo[]> {
  const doing = `download ${store.url}/${base}`
  const paths = new PathSet(doing)
  const objects: ObjectInfo[] = []
  let bytes = 0
  for await (const object of known ?? store.list(base, { signal })) {
    // Consoles mark folders with an empty object whose key ends with a slash.
    if (object.key.endsWith('/') && object.size === 0) continue
    paths.addFile(object.key.slice(base.length))
    objects.push(object)
    bytes += object.size
    if (objects.length > maxFiles) throw new StoreError('too-large', `Cannot ${doing}: more than ${maxFiles} files`)
    if (bytes > maxBytes) throw new StoreError('too-large', `Cannot ${doing}: more than ${maxBytes} bytes`)
  }
  if (objects.length === 0) throw new StoreError('not-found', `Cannot ${doing}: nothing is there`)
  return objects
}
