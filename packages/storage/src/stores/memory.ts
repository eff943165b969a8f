import { createHash } from 'node:crypto'
import { checkKey, compareKeys } from '../key.ts'
import { exactBody } from '../net/body.ts'
import type { Body, ObjectInfo, ObjectStore, PutOptions, ReadOptions } from '../object-store.ts'
import { checkStopped, StoreError } from '../store-error.ts'
import { checkRange } from './ranged.ts'

interface Held {
  readonly info: ObjectInfo
  readonly bytes: Uint8Array
}

/** Objects of this process, for tests and small models. Versions are SHA-256 digests. */
export function memoryStore(url = 'memory://'): ObjectStore {
  const objects = new Map<string, Held>()

  function find(key: string, options: ReadOptions): Held {
    checkKey(key, url)
    checkStopped(options.signal, `read ${url}/${key}`)
    const held = objects.get(key)
    if (!held) throw new StoreError('not-found', `Cannot read ${url}/${key}: it does not exist`)
    if (options.version !== undefined && held.info.version !== options.version) {
      throw new StoreError('changed', `Cannot read ${url}/${key}: it is not version ${options.version} any more`)
    }
    return held
  }

  async function take(key: string, body: Body, options: PutOptions): Promise<Held> {
    checkKey(key, url)
    const bytes = await wholeBody(body, `write ${url}/${key}`)
    checkStopped(options.signal, `write ${url}/${key}`)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return { info: { key, size: bytes.length, version: sha256, modified: new Date(), digests: { sha256 } }, bytes }
  }

  return {
    url,
    async head(key, options = {}) {
      checkKey(key, url)
      checkStopped(options.signal, `read ${url}/${key}`)
      return objects.get(key)?.info
    },
    async read(key, range, options = {}) {
      const { bytes } = find(key, options)
      checkRange(range, `read ${url}/${key}`)
      if (range.end > bytes.length)
        throw new StoreError('invalid', `Cannot read ${url}/${key}: it ends before ${range.end}`)
      return bytes.slice(range.start, range.end)
    },
    async stream(key, options = {}) {
      const { info, bytes } = find(key, options)
      const { start = 0, end = bytes.length } = options
      checkRange({ start, end }, `read ${url}/${key}`)
      if (start > bytes.length)
        throw new StoreError('invalid', `Cannot read ${url}/${key}: ${start} is behind its ${bytes.length} bytes`)
      return { info, body: inChunks(bytes.slice(start, end)) }
    },
    async *list(prefix, options = {}) {
      checkStopped(options.signal, `list ${url}/${prefix}`)
      const { after } = options
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix))
      for (const key of keys.sort(compareKeys)) {
        const held = objects.get(key)
        if (held && (after === undefined || compareKeys(key, after) > 0)) yield held.info
      }
    },
    async put(key, body, options = {}) {
      const held = await take(key, body, options)
      objects.set(key, held)
      return held.info
    },
    async create(key, body, options = {}) {
      const held = await take(key, body, options)
      if (objects.has(key)) return false
      objects.set(key, held)
      return true
    },
    async delete(key, options = {}) {
      checkKey(key, url)
      checkStopped(options.signal, `delete ${url}/${key}`)
      objects.delete(key)
    },
  }
}

async function* inChunks(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function wholeBody(body: Body, doing: string): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body.slice()
  const chunks: Uint8Array[] = []
  for await (const chunk of exactBody(body, doing)) chunks.push(chunk)
  return Buffer.concat(chunks)
}
