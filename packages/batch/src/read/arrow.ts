import type { FileHandle } from 'node:fs/promises'
import { decompress } from '@eas/protocol'
import { StoreError } from '@eas/storage'
import type { DataType, MapRow, StructRow, Vector } from 'apache-arrow'
import { BatchError, RowError, reasonOf } from '../batch-error.ts'
import { batchLimits } from '../limits.ts'
import { decimalOf, timeOf, timeOfMs } from './exact-values.ts'
import { behind } from './inflate.ts'
import type { ReadableSource, RowFormat } from './row-block.ts'
import { type ColumnType, checkColumns, isUsed, type TableColumn, tableBlock, typesOf } from './table.ts'

type Library = typeof import('apache-arrow')

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
    const { RecordBatchReader } = library
    registerCodecs(library)
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
    const stream = content()
    async function opened() {
      if (await isFile(source))
        return await RecordBatchReader.from(randomAccess(source)).then((reader) => reader.open())
      try {
        return await RecordBatchReader.from(stream).then((reader) => reader.open())
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
      const types = typesOf(reader.schema.fields.map(({ name, type }) => [name, columnTypeOf(type, library)]))
      for await (const batch of reader) {
        const first = seen
        seen += batch.numRows
        if (seen <= offset || batch.numRows === 0) continue
        const bytesPerRow = Math.max(1, Math.ceil(batch.data.byteLength / batch.numRows))
        const values = columns.map((name) => columnOf(batch.getChild(name), library))
        yield tableBlock(columns, values, first, Math.max(offset, first), seen, bytesPerRow, types)
      }
    } catch (thrown) {
      if (failure !== undefined) throw failure
      if (thrown instanceof StoreError || thrown instanceof BatchError) throw thrown
      throw malformed(reasonOf(thrown), thrown)
    } finally {
      // The reader leaves what stands behind the last batch, and with it an open file or connection.
      await stream.return()
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
  try {
    while (head.length < fileMagic.length) {
      const { value, done } = await iterator.next()
      if (done) break
      head = Buffer.concat([head, value])
    }
    yield* head.subarray(0, 6).equals(fileMagic.subarray(0, 6)) ? behind(rest(), fileMagic.length) : rest()
  } finally {
    await iterator.return?.()
  }
  async function* rest() {
    yield head
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
  }
}

/** What the values of a column are, as far as its type says. */
function columnTypeOf(type: DataType, library: Library): ColumnType | undefined {
  const { DataType, TimeUnit } = library
  if (DataType.isDictionary(type)) return columnTypeOf(type.dictionary, library)
  if (DataType.isInt(type)) return type.bitWidth === 64 && !type.isSigned ? 'uint64' : 'int64'
  if (DataType.isDecimal(type)) return type.precision <= decimalDigitsMax ? 'float64' : 'string'
  if (DataType.isTimestamp(type)) return type.unit <= TimeUnit.MILLISECOND ? 'time' : 'fineTime'
  if (DataType.isFloat(type)) return 'float64'
  if (DataType.isBool(type)) return 'bool'
  if (DataType.isDate(type)) return 'time'
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isBinary(type)) return 'string'
  return (type.children?.length ?? 0) > 0 ? 'json' : undefined
}

/** Decimals of more digits come as texts. */
const decimalDigitsMax = 15

type Convert = (value: unknown) => unknown

/**
 * What becomes of the values of a type: numbers and texts stay as they are, lists become arrays, and what the library gives in
 * a shape of its own becomes what other formats give.
 */
function converterOf(type: DataType, library: Library, depth = 0): Convert {
  const { DataType } = library
  if (depth > batchLimits.depth) {
    return () => {
      throw new RowError(`It is more than ${batchLimits.depth} lists deep`)
    }
  }
  const inner = (child: DataType) => converterOf(child, library, depth + 1)
  if (DataType.isDictionary(type)) return inner(type.dictionary)
  if (DataType.isDate(type)) return given((ms) => timeOfMs(Number(ms)))
  if (DataType.isTimestamp(type)) return given((ms) => timeOfFraction(Number(ms)))
  if (DataType.isDecimal(type)) return given((words) => decimalOf(unscaledOf(words as Uint32Array), type.scale)) // its
  const item = type.children?.[0]?.type
  if (DataType.isMap(type) && item) {
    const [, member] = item.children
    const convert = member ? inner(member.type) : (value: unknown) => value
    return given((map) => mapped((map as MapRow).toJSON(), () => convert))
  }
  if (DataType.isStruct(type)) {
    const members = new Map(type.children.map((child) => [child.name, inner(child.type)]))
    return given((row) => mapped((row as StructRow).toJSON(), (name) => members.get(name)))
  }
  const isList = DataType.isList(type) || DataType.isFixedSizeList(type) || DataType.isLargeList(type)
  if (!isList || !item) return (value) => value
  const convert = inner(item)
  return given((list) => {
    const vector = list as Vector // of a list
    // Halves are bits in their array; other numbers are themselves.
    const isPlain = vector.nullCount === 0 && plainArrays.has(vector.ArrayType) && isNumber(item, library)
    return isPlain ? vector.toArray() : Array.from(vector, convert)
  })
}

/** Nothing stays nothing. */
const given =
  (convert: Convert): Convert =>
  (value) =>
    value === null || value === undefined ? value : convert(value)

const isNumber = (type: DataType, { DataType }: Library) => DataType.isInt(type) || DataType.isFloat(type)

const mapped = (row: object, converterOf: (name: string) => Convert | undefined) =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, converterOf(name)?.(value)]))

/** Little-endian two's complement. */
function unscaledOf(words: Uint32Array): bigint {
  let value = 0n
  for (let i = words.length - 1; i >= 0; i--) value = (value << 32n) | BigInt(words[i] ?? 0)
  return BigInt.asIntN(words.length * 32, value)
}

/** A column of a record batch. */
function columnOf(vector: Vector | null, library: Library): TableColumn {
  if (!vector) return { at: () => undefined }
  const convert = converterOf(vector.type, library)
  const { type, data } = vector
  const timeOfCount = library.DataType.isTimestamp(type) ? timeUnits[library.TimeUnit[type.unit] ?? ''] : undefined
  if (!timeOfCount) return { at: (i) => convert(vector.get(i)) }
  // As they are counted: as the library gives them they have lost digits.
  const values = data[0]?.values as BigInt64Array // of timestamps; a batch is one piece
  return { at: (i) => (vector.isValid(i) ? timeOfCount(values[i] ?? 0n) : null) }
}

/** Times by what a timestamp counts. */
const timeUnits: { readonly [unit: string]: ((count: bigint) => unknown) | undefined } = {
  SECOND: (count) => timeOf(count * 1000n, 1n),
  MILLISECOND: (count) => timeOf(count, 1n),
  MICROSECOND: (count) => timeOf(count, 1000n),
  NANOSECOND: (count) => timeOf(count, 1_000_000n),
}

/** A time within lists and structs, which the library gives in milliseconds: to the microsecond. */
const timeOfFraction = (ms: number) =>
  Number.isInteger(ms) ? timeOfMs(ms) : timeOf(BigInt(Math.round(ms * 1000)), 1000n)

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
function registerCodecs({ compressionRegistry, CompressionType }: Library): void {
  const codecOf = (name: 'lz4_frame' | 'zstd') => ({
    decode: (bytes: Uint8Array) => decompress(name, bytes, batchLimits.groupBytes),
  })
  compressionRegistry.set(CompressionType.LZ4_FRAME, codecOf('lz4_frame'))
  compressionRegistry.set(CompressionType.ZSTD, codecOf('zstd'))
}
