import {
  type FileMetaData,
  type ParquetParsers,
  parquetMetadataAsync,
  parquetScan,
  parquetSchema,
  type SchemaTree,
} from 'hyparquet'
import { compressors as portable } from 'hyparquet-compressors'
import { type ColumnSpec, type ColumnType, type MapKey, type Scalar, scalarType } from '../column-type.ts'
import { badData } from '../feature-store-error.ts'

/** Of nothing there may be any bytes, such as the dictionary of a column without a value has: not every one takes them. */
const compressors = Object.fromEntries(
  Object.entries(portable).map(([codec, inflate]) => [
    codec,
    (input: Uint8Array, size: number) => (size === 0 ? new Uint8Array() : inflate(input, size)),
  ]),
)

/** A file that is read in pieces. */
export interface RandomAccess {
  readonly size: number
  read(start: number, end: number): Promise<Uint8Array>
}

export interface ParquetFile {
  readonly rows: number
  readonly columns: readonly ColumnSpec[]
  /** A batch per row group: the columns named, in that order. */
  batches(names: readonly string[]): AsyncGenerator<readonly ArrayLike<unknown>[], void, void>
}

/** Times become milliseconds. */
const parsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (millis: bigint) => millis,
  timestampFromMicroseconds: (micros: bigint) => micros / 1000n,
  timestampFromNanoseconds: (nanos: bigint) => nanos / 1_000_000n,
  dateFromDays: (days: number) => BigInt(days) * 86_400_000n,
}

async function readSlice(file: RandomAccess, start: number, end: number): Promise<ArrayBuffer> {
  const isInside = start >= 0 && start <= end && end <= file.size
  if (!isInside) throw badData(`a Parquet file of ${file.size} bytes speaks of its bytes ${start} to ${end}`)
  const bytes = await file.read(start, end)
  // An own copy of the right length: hyparquet takes an ArrayBuffer from 0 on.
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
}

/** Every column's bytes are inside the file. */
function checkRanges({ row_groups }: FileMetaData, fileBytes: number, name: string): void {
  for (const column of row_groups.flatMap(({ columns }) => columns)) {
    const { data_page_offset, dictionary_page_offset, total_compressed_size } = column.meta_data ?? {}
    const start = Number(dictionary_page_offset || data_page_offset)
    const size = Number(total_compressed_size)
    if (start >= 0 && size >= 0 && start + size <= fileBytes) continue
    throw badData(`${name} is no sound Parquet file: it speaks of its bytes ${start} to ${start + size}`)
  }
}

/** Opens a Parquet file: its footer is read, its columns a row group at a time. */
export async function openParquet(file: RandomAccess, name: string): Promise<ParquetFile> {
  const buffer = {
    byteLength: file.size,
    slice(start: number, end = file.size): Promise<ArrayBuffer> {
      const reading = readSlice(file, start, end)
      // hyparquet asks for several ranges before it waits for the first; one that fails is nobody's until then.
      reading.catch(() => {})
      return reading
    },
  }
  const metadata = await readOr(name, () => parquetMetadataAsync(buffer))
  const columns = parquetSchema(metadata).children.flatMap((child): ColumnSpec[] => {
    const type = typeOf(child)
    return type ? [{ name: child.element.name, type }] : []
  })
  return {
    rows: Number(metadata.num_rows),
    columns,
    async *batches(names) {
      checkRanges(metadata, file.size, name)
      const options = { file: buffer, metadata, columns: [...names], compressors, parsers, geoparquet: false }
      const scan = await readOr(name, () => parquetScan(options))
      for (const range of scan.ranges) {
        const batch: ArrayLike<unknown>[] = []
        // One after the other: a row group's columns side by side would be its size several times over.
        for (const column of names) batch.push(await readOr(name, () => scan.readColumn({ column, ...range })))
        yield batch
      }
    },
  }
}

async function readOr<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    // What reading the bytes threw has a code; what hyparquet makes of bytes that are not Parquet has none.
    if (cause instanceof Error && 'code' in cause) throw cause
    throw badData(`${name} is no sound Parquet file: ${cause instanceof Error ? cause.message : cause}`)
  }
}

const physicalTypes: { readonly [type: string]: Scalar } = {
  BOOLEAN: 'int32',
  INT32: 'int32',
  INT64: 'int64',
  FLOAT: 'float',
  DOUBLE: 'double',
  BYTE_ARRAY: 'string',
}

/** A column's type; `undefined` for what no feature reads: structs, intervals, 96-bit times. */
function typeOf({ element, children }: SchemaTree): ColumnType | undefined {
  const [child] = children
  const logical = element.logical_type?.type ?? element.converted_type
  if (logical === 'LIST' && child) return listOf(child.children[0] ?? child)
  if ((logical === 'MAP' || logical === 'MAP_KEY_VALUE') && child) {
    const [key, value] = child.children.map(leafType)
    return isMapKey(key) && value ? { form: 'map', key, of: value } : undefined
  }
  const of = leafType({ element, children })
  if (!of) return undefined
  return element.repetition_type === 'REPEATED' ? { form: 'list', of } : scalarType(of)
}

function listOf(element: SchemaTree): ColumnType | undefined {
  const inner = typeOf(element)
  if (inner?.form === 'scalar') return { form: 'list', of: inner.of }
  return inner?.form === 'list' ? { form: 'lists', of: inner.of } : undefined
}

function leafType({ element, children }: Pick<SchemaTree, 'element' | 'children'>): Scalar | undefined {
  if (children.length > 0) return undefined
  const logical = element.logical_type?.type ?? element.converted_type ?? ''
  if (logical === 'DECIMAL') return 'double'
  if (/^(?:DATE|TIMESTAMP)/.test(logical)) return 'int64'
  return physicalTypes[element.type ?? '']
}

const isMapKey = (type: Scalar | undefined): type is MapKey => type === 'int32' || type === 'int64' || type === 'string'
