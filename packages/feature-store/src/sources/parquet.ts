import {
  type FileMetaData,
  type ParquetParsers,
  parquetMetadataAsync,
  parquetScan,
  parquetSchema,
  type SchemaElement,
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
  timestampFromMicroseconds: (micros: bigint) => floorDivide(micros, 1000n),
  timestampFromNanoseconds: (nanos: bigint) => floorDivide(nanos, 1_000_000n),
  dateFromDays: (days: number) => BigInt(days) * 86_400_000n,
  // A text to whoever reads the column; DuckDB marks such texts.
  jsonFromBytes: (bytes) => bytes && text.decode(bytes),
}
const text = new TextDecoder()
/** The millisecond that a time is in, before 1970 too; `/` rounds towards zero. */
const floorDivide = (time: bigint, unit: bigint): bigint => (time < 0n ? (time - unit + 1n) / unit : time / unit)

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

/**
 * DuckDB packs unsigned integers of 32 bits as differences of 64-bit ones, and hyparquet reads those as 32-bit ones: what is
 * 2^31 or more would come out wrong. Statistics tell.
 */
function checkPackedUnsigned({ schema, row_groups }: FileMetaData, columns: readonly string[], name: string): void {
  const largest = 2 ** 31
  const unsigned = new Set(
    schema.filter((element) => logicalName(element) === 'UINT_32').map((element) => element.name),
  )
  for (const { meta_data } of row_groups.flatMap((group) => group.columns)) {
    const { path_in_schema = [], encodings = [], statistics } = meta_data ?? {}
    const isPacked = encodings.includes('DELTA_BINARY_PACKED') && unsigned.has(path_in_schema.at(-1) ?? '')
    if (!isPacked || !columns.includes(path_in_schema[0] ?? '') || Number(statistics?.max_value ?? largest) < largest)
      continue
    const column = path_in_schema.join('.')
    throw badData(`${name} packs unsigned integers from 2^31 on as differences: write ${column} as a 64-bit integer`)
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
  const { children } = parquetSchema(metadata)
  const columns = children.flatMap((child): ColumnSpec[] => {
    const type = typeOf(child)
    return type ? [{ name: child.element.name, type }] : []
  })
  const decimals = new Map(
    children.flatMap(({ element }) =>
      logicalName(element) === 'DECIMAL' ? [[element.name, element.scale ?? 0] as const] : [],
    ),
  )
  return {
    rows: Number(metadata.num_rows),
    columns,
    async *batches(names) {
      checkRanges(metadata, file.size, name)
      checkPackedUnsigned(metadata, names, name)
      const options = { file: buffer, metadata, columns: [...names], compressors, parsers, geoparquet: false }
      const scan = await readOr(name, () => parquetScan(options))
      for (const range of scan.ranges) {
        const batch: ArrayLike<unknown>[] = []
        // One after the other: a row group's columns side by side would be its size several times over.
        for (const column of names) {
          const values = await readOr(name, () => scan.readColumn({ column, ...range }))
          const scale = decimals.get(column)
          batch.push(scale === undefined ? values : exactDecimals(values, 10 ** scale))
        }
        yield batch
      }
    },
  }
}

/** Decimals as the doubles nearest to them: hyparquet multiplies by 0.1, which makes 0.30000000000000004 of 0.3. */
const exactDecimals = (values: ArrayLike<unknown>, unit: number): ArrayLike<unknown> =>
  Array.from(values, (value) => (typeof value === 'number' ? Math.round(value * unit) / unit : value))

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
  FIXED_LEN_BYTE_ARRAY: 'string',
  INT96: 'int64', // a time, which Spark writes by default
}

/** What a logical type makes of a number. Of 64 bits without a sign not all fit into int64; as text they are exact. */
const logicalTypes: { readonly [logical: string]: Scalar } = {
  DECIMAL: 'double',
  FLOAT16: 'float',
  UINT_32: 'int64',
  UINT_64: 'string',
}

/** A column's type; `undefined` for what no feature reads: structs and intervals. */
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
  const logical = logicalName(element)
  if (logical === 'INTERVAL') return undefined
  if (/^(?:DATE|TIMESTAMP)/.test(logical)) return 'int64'
  return logicalTypes[logical] ?? physicalTypes[element.type ?? '']
}

/** In the words of the older `converted_type`, which knows every integer by one name. */
function logicalName({ logical_type: logical, converted_type: converted }: SchemaElement): string {
  if (logical?.type !== 'INTEGER') return logical?.type ?? converted ?? ''
  return `${logical.isSigned ? 'INT' : 'UINT'}_${logical.bitWidth}`
}

const isMapKey = (type: Scalar | undefined): type is MapKey => type === 'int32' || type === 'int64' || type === 'string'
