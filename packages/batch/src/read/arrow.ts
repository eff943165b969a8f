import type { FileHandle } from 'node:fs/promises'
import { decompress } from '@eas/protocol'
import { StoreError } from '@eas/storage'
import type { Vector } from 'apache-arrow'
import { BatchError, RowError, reasonOf } from '../batch-error.ts'
import { batchLimits } from '../limits.ts'
import { behind } from './inflate.ts'
import type { ReadableSource, RowFormat } from './row-block.ts'
import { checkColumns, isUsed, type TableColumn, tableBlock } from './table.ts'

/** An IPC file begins with this and its padding, and goes on as a stream does. @see Arrow Columnar Format, "IPC File Format" */
const fileMagic = Buffer.from('ARROW1\0\0')

/**
 * Arrow IPC, file or stream (Feather V2 too), a record batch at a time. A file that is compressed as a whole is read as the
 * stream it contains. Offsets are rows.
 */
export const arrow: RowFormat = {
  name: 'arrow',
  async *blocks(source, offset, plan) {
    const library = await import('apache-arrow')
    const { RecordBatchReader, Vector } = library
    registerCodecs(library)
    const isVector = (value: unknown): value is Vector => value instanceof Vector
    let seen = 0
    let failure: unknown
    // What the store throws would come out of the reader as something else.
    async function* content() {
      try {
        yield* streamOf(source.content(0))
      } catch (thrown) {
        failure = thrown
        throw thrown
      }
    }
    async function opened() {
      if (await isFile(source))
        return await RecordBatchReader.from(randomAccess(source)).then((reader) => reader.open())
      try {
        return await RecordBatchReader.from(content()).then((reader) => reader.open())
      } catch (thrown) {
        // Some writers have the schema of a file in its footer only, so that compressed it must be taken as a whole.
        const whole = source.isPlain || failure !== undefined ? undefined : await wholeFile(source)
        if (!whole) throw thrown
        return await RecordBatchReader.from(randomAccess(whole)).then((reader) => reader.open())
      }
    }
    try {
      const reader = await opened()
      const names = reader.schema.fields.map(({ name }) => name)
      checkColumns(names, plan, 'the file has')
      const columns = names.filter((name) => isUsed(name, plan))
      for await (const batch of reader) {
        const first = seen
        seen += batch.numRows
        if (seen <= offset || batch.numRows === 0) continue
        const bytesPerRow = Math.max(1, Math.ceil(batch.data.byteLength / batch.numRows))
        const values = columns.map((name): TableColumn => {
          const vector = batch.getChild(name)
          return { at: (i) => plain(vector?.get(i), isVector) }
        })
        yield tableBlock(columns, values, first, Math.max(offset, first), seen, bytesPerRow)
      }
    } catch (thrown) {
      if (failure !== undefined) throw failure
      if (thrown instanceof StoreError || thrown instanceof BatchError) throw thrown
      throw malformed(reasonOf(thrown), thrown)
    }
  },
}

/** Bytes that are fetched at once, where less is asked for: the reader looks at every message's head first. */
const windowBytes = 1024 * 1024

interface FileBytes {
  readonly info: { readonly size: number }
  read(start: number, end: number): Promise<Uint8Array>
}

/** A plain file, as what the reader takes for a file on disk: its footer is looked at, and each batch where it lies. */
function randomAccess({ info: { size }, read }: FileBytes): FileHandle {
  let from = 0
  let held: Uint8Array = new Uint8Array()
  const handle = {
    fd: -1,
    stat: async () => ({ size }),
    async read(buffer: Uint8Array, offset: number, length: number, position: number) {
      const end = Math.min(size, position + length)
      if (position < from || end > from + held.length) {
        held = await read(position, Math.min(size, Math.max(end, position + windowBytes)))
        from = position
      }
      buffer.set(held.subarray(position - from, end - from), offset)
      return { bytesRead: end - position, buffer }
    },
    close: async () => {},
  }
  return handle as unknown as FileHandle // all of one that apache-arrow calls
}

/** A file, decompressed; `undefined` for what is none. */
async function wholeFile({ content }: ReadableSource): Promise<FileBytes | undefined> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of content(0)) {
    pieces.push(piece)
    size += piece.length
    if (size > batchLimits.groupBytes)
      throw malformed(`decompressed it takes more than ${batchLimits.groupBytes} bytes`)
  }
  const bytes = Buffer.concat(pieces)
  const magic = fileMagic.subarray(0, 6)
  const isWhole = bytes.length > 12 && magic.equals(bytes.subarray(0, 6)) && magic.equals(bytes.subarray(-6))
  return isWhole ? { info: { size }, read: async (start, end) => bytes.subarray(start, end) } : undefined
}

/** Whether it is a file. One that is cut short has no magic at its end. */
async function isFile({ isPlain, info: { size }, read }: ReadableSource): Promise<boolean> {
  const magic = fileMagic.subarray(0, 6)
  if (!isPlain || size < fileMagic.length || !magic.equals(await read(0, magic.length))) return false
  if (!magic.equals(await read(size - magic.length, size))) throw malformed('it is cut short')
  return true
}

const malformed = (reason: string, cause?: unknown) =>
  new BatchError('bad_object', `Cannot read the object: it is no sound Arrow IPC: ${reason}`, { cause })

/** The stream inside a file, or the stream itself. */
async function* streamOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  while (head.length < fileMagic.length) {
    const { value, done } = await iterator.next()
    if (done) break
    head = Buffer.concat([head, value])
  }
  const rest = {
    async *[Symbol.asyncIterator]() {
      yield head
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
    },
  }
  yield* head.subarray(0, 6).equals(fileMagic.subarray(0, 6)) ? behind(rest, fileMagic.length) : rest
}

/** Numbers and texts as they are, lists as arrays. */
function plain(value: unknown, isVector: (value: unknown) => value is Vector, depth = 0): unknown {
  if (depth > batchLimits.depth) throw new RowError(`It is more than ${batchLimits.depth} lists deep`)
  if (isVector(value)) {
    // Halves are bits in their array; other numbers are themselves.
    const isPlain = value.nullCount === 0 && plainArrays.has(value.ArrayType)
    return isPlain ? value.toArray() : Array.from(value, (item) => plain(item, isVector, depth + 1))
  }
  if (value !== null && typeof value === 'object' && 'toJSON' in value && typeof value.toJSON === 'function') {
    return value instanceof Date ? value : value.toJSON()
  }
  return value
}

const plainArrays: ReadonlySet<unknown> = new Set([
  Float32Array,
  Float64Array,
  Int8Array,
  Int16Array,
  Int32Array,
  Uint8Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
])

/** Feather's compressions, which apache-arrow leaves to others. */
function registerCodecs({ compressionRegistry, CompressionType }: typeof import('apache-arrow')): void {
  const codecOf = (name: 'lz4_frame' | 'zstd') => ({
    decode: (bytes: Uint8Array) => decompress(name, bytes, batchLimits.groupBytes),
  })
  compressionRegistry.set(CompressionType.LZ4_FRAME, codecOf('lz4_frame'))
  compressionRegistry.set(CompressionType.ZSTD, codecOf('zstd'))
}
