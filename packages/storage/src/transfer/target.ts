import { randomBytes } from 'node:crypto'
import { type FileHandle, open, rename, rm, statfs } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { StoreError } from '../store-error.ts'

/** Where the parts of a download go, in any order. */
export interface Target {
  /** For messages. */
  readonly name: string
  write(chunks: readonly Uint8Array[], at: number): Promise<unknown>
  /** What has been written, from the start, for digests that cannot be computed in parts. */
  chunks(): AsyncIterable<Uint8Array>
  /** Makes the result visible, whole. */
  finish(): Promise<void>
  /** Leaves nothing behind. */
  discard(): Promise<void>
}

/** A file beside `path` that takes its name when it is whole. */
export async function fileTarget(path: string, size: number): Promise<Target> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.part`
  // Clients are told why there is no model, and not where it would be.
  const name = basename(path)
  const doing = `write ${name}`
  let file: FileHandle | undefined
  const discard = async () => {
    await file?.close().catch(() => {})
    file = undefined
    await rm(temporary, { force: true }).catch(() => {})
  }
  try {
    await checkRoom(dirname(path), size, doing)
    file = await open(temporary, 'wx+')
    await file.truncate(size)
  } catch (error) {
    await discard()
    throw StoreError.from(error, doing)
  }
  const open_ = file
  return {
    name,
    discard,
    write: (chunks, at) => writeAll(open_, chunks, at),
    chunks: () => contentOf(open_),
    async finish() {
      try {
        await open_.close()
        file = undefined
        await rename(temporary, path)
      } catch (error) {
        throw StoreError.from(error, doing)
      }
    },
  }
}

/** Before anything is fetched; what the disk really has room for is seen when it is written. */
async function checkRoom(folder: string, size: number, doing: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < size) {
    throw new StoreError('full', `Cannot ${doing}: it needs ${size} bytes, and ${bavail * bsize} are free`)
  }
}

/** `writev` may write less than it was given. */
async function writeAll(file: FileHandle, chunks: readonly Uint8Array[], at: number): Promise<void> {
  let left = chunks
  for (let position = at; left.length > 0; ) {
    const { bytesWritten } = await file.writev(left, position)
    position += bytesWritten
    left = without(left, bytesWritten)
  }
}

/** What is left of chunks when their first bytes are gone. */
function without(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let gone = bytes
  let index = 0
  for (; index < chunks.length; index++) {
    const length = chunks[index]?.length ?? 0
    if (length > gone) break
    gone -= length
  }
  const [first, ...rest] = chunks.slice(index)
  return first ? [first.subarray(gone), ...rest] : []
}

async function* contentOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(1024 * 1024)
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

/** One buffer of memory. */
export function memoryTarget(size: number, name: string): Target & { readonly bytes: Uint8Array } {
  const bytes = Buffer.allocUnsafeSlow(size)
  return {
    name,
    bytes,
    async write(chunks, at) {
      let position = at
      for (const chunk of chunks) {
        bytes.set(chunk, position)
        position += chunk.length
      }
    },
    async *chunks() {
      for (let at = 0; at < size; at += 1024 * 1024) yield bytes.subarray(at, at + 1024 * 1024)
    },
    async finish() {},
    async discard() {},
  }
}
