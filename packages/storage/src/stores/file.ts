import { randomBytes } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { type FileHandle, link, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkKey, compareKeys } from '../key.ts'
import { makeFolder } from '../make-folder.ts'
import { exactBody } from '../net/body.ts'
import type { Body, ObjectInfo, ObjectStore, PutOptions, ReadOptions } from '../object-store.ts'
import { checkStopped, StoreError } from '../store-error.ts'
import { checkRange } from './ranged.ts'

/** What is being written. Listings leave such names out; a killed writer may leave one behind. */
const temporary = /^\.eas-[0-9a-f]{16}\.tmp$/
const maxDepth = 64

/** A store of files, and where they are, for those who can use a file as it is. */
export interface FileStore extends ObjectStore {
  pathOf(key: string): string
}

/**
 * The files below a folder. Links are followed: the folder is the operator's, and mounted volumes are made of links.
 *
 * A version is the file's size, inode, and times of last write and change in nanoseconds. Writers that replace files, as
 * this one does, change the inode; those that write in place change both times, of which the second cannot be set back.
 */
export function fileStore(root: string): FileStore {
  const url = pathToFileURL(root).href.replace(/\/$/, '')
  const pathOf = (key: string) => join(root, key)
  const doing = (key: string) => `read ${url}/${key}`

  async function head(key: string, options: ReadOptions = {}): Promise<ObjectInfo | undefined> {
    checkKey(key, url)
    checkStopped(options.signal, doing(key))
    try {
      const stats = await stat(pathOf(key), { bigint: true })
      return stats.isFile() ? infoOf(key, stats) : undefined
    } catch (error) {
      const translated = StoreError.from(error, doing(key))
      if (translated.code === 'not-found') return undefined
      throw translated
    }
  }

  async function opened(key: string, options: ReadOptions) {
    checkKey(key, url)
    checkStopped(options.signal, doing(key))
    const file = await open(pathOf(key), 'r').catch((error) => {
      throw StoreError.from(error, doing(key))
    })
    try {
      const stats = await file.stat({ bigint: true })
      if (!stats.isFile()) throw new StoreError('not-found', `Cannot ${doing(key)}: it is not a file`)
      const info = infoOf(key, stats)
      checkVersion(info, options.version, doing(key))
      return { file, info }
    } catch (error) {
      await file.close()
      throw StoreError.from(error, doing(key))
    }
  }

  /** Writes `body` to a temporary file beside `key`'s place, and has `place` bring it there. */
  async function write<T>(
    key: string,
    body: Body,
    options: PutOptions,
    place: (from: string, to: string) => Promise<T>,
  ) {
    checkKey(key, url)
    const attempt = `write ${url}/${key}`
    checkStopped(options.signal, attempt)
    const to = pathOf(key)
    const from = join(dirname(to), `.eas-${randomBytes(8).toString('hex')}.tmp`)
    try {
      await makeFolder(dirname(to))
      const file = await open(from, 'wx')
      try {
        await fill(file, body, attempt, options.signal)
        await file.sync()
      } finally {
        await file.close()
      }
      const result = await place(from, to)
      await syncFolder(dirname(to))
      return result
    } catch (error) {
      // A parent of the key is itself a file, or its own place is a folder: one key cannot be both on a file system.
      const code = (error as NodeJS.ErrnoException).code
      if (code === 'ENOTDIR' || code === 'EEXIST' || code === 'EISDIR') {
        throw new StoreError('invalid', `Cannot ${attempt}: a file stands where a folder is needed`, { cause: error })
      }
      throw StoreError.from(error, attempt)
    } finally {
      await rm(from, { force: true }).catch(() => {})
    }
  }

  return {
    url,
    pathOf,
    head,

    async read(key, range, options = {}) {
      const wanted = checkRange(range, doing(key))
      const { file, info } = await opened(key, options)
      try {
        if (range.end > info.size) throw new StoreError('invalid', `Cannot ${doing(key)}: it ends before ${range.end}`)
        const bytes = Buffer.allocUnsafeSlow(wanted)
        let at = 0
        while (at < wanted) {
          const { bytesRead } = await file.read(bytes, at, wanted - at, range.start + at)
          if (bytesRead === 0) break
          at += bytesRead
        }
        // Someone may have written to the file while it was read.
        checkVersion(infoOf(key, await file.stat({ bigint: true })), info.version, doing(key))
        return bytes
      } catch (error) {
        throw StoreError.from(error, doing(key))
      } finally {
        await file.close()
      }
    },

    async stream(key, options = {}) {
      const { file, info } = await opened(key, options)
      await file.close()
      const { start = 0, end = info.size } = options
      checkRange({ start, end }, doing(key))
      if (start > info.size) {
        throw new StoreError('invalid', `Cannot ${doing(key)}: ${start} is behind its ${info.size} bytes`)
      }
      // Opened again when it is read, for a body that nobody reads would keep its file open.
      const again = async () => (await opened(key, { ...options, version: info.version })).file
      return { info, body: chunksOf(again, info, start, Math.min(end, info.size), options.signal, doing(key)) }
    },

    async *list(prefix, options = {}) {
      const attempt = `list ${url}/${prefix}`
      for await (const key of walk(root, '', prefix, options.after, 0, attempt)) {
        checkStopped(options.signal, attempt)
        const info = await head(key, options) // gone meanwhile, or no file: left out
        if (info) yield info
      }
    },

    put: (key, body, options = {}) =>
      write(key, body, options, async (from, to) => {
        await rename(from, to)
        return infoOf(key, await stat(to, { bigint: true }))
      }),

    create: (key, body, options = {}) =>
      write(key, body, options, async (from, to) => {
        try {
          await link(from, to) // fails if something is there, at any number of callers
          return true
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
          throw error
        }
      }),

    async delete(key, options = {}) {
      checkKey(key, url)
      checkStopped(options.signal, `delete ${url}/${key}`)
      await rm(pathOf(key)).catch((error) => {
        const translated = StoreError.from(error, `delete ${url}/${key}`)
        if (translated.code !== 'not-found') throw translated
      })
    },
  }
}

function infoOf(key: string, { size, ino, mtimeNs, ctimeNs, mtime }: BigIntStats): ObjectInfo {
  const version = [size, ino, mtimeNs, ctimeNs].map((n) => n.toString(36)).join('-')
  return { key, size: Number(size), version, modified: mtime }
}

function checkVersion(info: ObjectInfo, version: string | undefined, doing: string): void {
  if (version !== undefined && info.version !== version) {
    throw new StoreError('changed', `Cannot ${doing}: it is not version ${version} any more`)
  }
}

async function* chunksOf(
  open: () => Promise<FileHandle>,
  info: ObjectInfo,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
  doing: string,
): AsyncGenerator<Uint8Array> {
  const file = await open()
  try {
    for (let at = start; at < end; ) {
      checkStopped(signal, doing)
      const chunk = Buffer.allocUnsafeSlow(Math.min(256 * 1024, end - at))
      const { bytesRead } = await file.read(chunk, 0, chunk.length, at)
      if (bytesRead === 0) break
      at += bytesRead
      yield chunk.subarray(0, bytesRead)
    }
    checkVersion(infoOf(info.key, await file.stat({ bigint: true })), info.version, doing)
  } catch (error) {
    throw StoreError.from(error, doing)
  } finally {
    await file.close()
  }
}

async function fill(file: FileHandle, body: Body, doing: string, signal: AbortSignal | undefined): Promise<void> {
  if (body instanceof Uint8Array) return file.writeFile(body)
  for await (const chunk of exactBody(body, doing)) {
    checkStopped(signal, doing)
    await file.writeFile(chunk)
  }
}

/** Makes the names in a folder last through a power cut. Some file systems refuse, and then have their own ways. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined)
  await folder?.sync().catch(() => {})
  await folder?.close()
}

/** Keys below `folder` in order of their bytes: a folder sorts as its name and a `/`, as it stands in its files' keys. */
async function* walk(
  root: string,
  folder: string,
  prefix: string,
  after: string | undefined,
  depth: number,
  doing: string,
): AsyncGenerator<string> {
  if (depth > maxDepth) throw new StoreError('too-large', `Cannot ${doing}: more than ${maxDepth} folders deep`)
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((error) => {
    const translated = StoreError.from(error, doing)
    if (translated.code === 'not-found') return [] // no objects, like a prefix that nothing starts with
    throw translated
  })
  const keys: string[] = []
  for (const entry of entries) {
    if (temporary.test(entry.name)) continue
    const key = `${folder}${entry.name}`
    const isFolder = entry.isSymbolicLink()
      ? await stat(join(root, key)).then(
          (stats) => stats.isDirectory(),
          () => false,
        )
      : entry.isDirectory()
    keys.push(isFolder ? `${key}/` : key)
  }
  for (const key of keys.sort(compareKeys)) {
    if (!key.startsWith(prefix) && !(key.endsWith('/') && prefix.startsWith(key))) continue
    if (key.endsWith('/')) {
      // Every key of the folder sorts before `after` unless `after` is in it or behind it.
      if (after !== undefined && compareKeys(key, after) < 0 && !after.startsWith(key)) continue
      yield* walk(root, key, prefix, after, depth + 1, doing)
    } else if (after === undefined || compareKeys(key, after) > 0) yield key
  }
}
