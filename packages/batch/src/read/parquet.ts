import { oneLine } from '@eas/base'
import { StoreError } from '@eas/storage'
import type { AsyncBuffer, ColumnMetaData, FileMetaData, RowGroup, SchemaTree } from 'hyparquet'
import { BatchError, reasonOf } from '../batch-error.ts'
import { batchLimits } from '../limits.ts'
import type { RowFormat } from './row-block.ts'
import { checkColumns, isUsed, type TableColumn, tableBlock, typesOf } from './table.ts'

/** Bytes of columns, decoded, that make a block of rows. */
const blockBytes = 2 * 1024 * 1024
/** The same where a column is read by the library, which may read a whole row group for each block. */
const sliceBytes = 32 * 1024 * 1024
/** Bytes of a row group that are read at once, shared by its columns. */
const windowsBytes = 32 * 1024 * 1024
const windowBytesMin = 64 * 1024
const windowBytesMax = 4 * 1024 * 1024

/**
 * Apache Parquet, by column ranges: only what the model and the output need is fetched, and of values and lists of values a
 * page at a time. Offsets are rows. @see https://parquet.apache.org/docs/file-format/
 */
export const parquet: RowFormat = {
  name: 'parquet',
  async *blocks(source, offset, plan) {
    if (!source.isPlain) throw malformed('it is compressed as a whole')
    const [
      { parquetMetadataAsync, parquetScan, parquetSchema },
      portable,
      { ColumnReader, chunkPages, columnTypeOf, leafOf, pageCompressors, parsers },
    ] = await Promise.all([import('hyparquet'), import('hyparquet-compressors'), import('./parquet/index.ts')])
    const compressors = pageCompressors(portable.compressors)
    const file: AsyncBuffer = {
      byteLength: source.info.size,
      slice(start, end = source.info.size) {
        const reading = readSlice(source, start, end)
        // hyparquet asks for several ranges before it waits for the first; one that fails is nobody's until then.
        reading.catch(() => {})
        return reading
      },
    }
    const metadata = await orMalformed(() => parquetMetadataAsync(file))
    checkMetadata(metadata, source.info.size)
    const root = await orMalformed(async () => parquetSchema(metadata))
    const names = root.children.map(({ element }) => element.name)
    checkColumns(names, plan, 'the file has')
    const columns = root.children.filter(({ element }) => isUsed(element.name, plan))
    const used = columns.map(({ element }) => element.name)
    const types = typesOf(columns.map((column) => [column.element.name, columnTypeOf(column)]))
    const scan = await orMalformed(() =>
      parquetScan({ file, metadata, columns: used, compressors, parsers, geoparquet: false }),
    )
    const windowBytes = Math.floor(windowsBytes / Math.max(1, columns.length))
    const window = Math.min(windowBytesMax, Math.max(windowBytesMin, windowBytes))

    /** A column as its pages have it; by the library, which takes everything apart and puts it together again, if it must. */
    function cellsOf(column: SchemaTree, group: RowGroup, groupStart: number): Cells {
      const { name } = column.element
      const chunks = group.columns.filter(({ meta_data }) => meta_data?.path_in_schema[0] === name)
      const [chunk, ...others] = chunks
      const leaf = chunk?.meta_data && others.length === 0 && leafOf(root, column, chunk.meta_data, compressors)
      if (!leaf || !chunk?.meta_data) {
        const bytes = chunks.reduce((sum, { meta_data }) => sum + Number(meta_data?.total_uncompressed_size), 0)
        if (!(bytes <= batchLimits.groupBytes)) {
          throw malformed(`column ${oneLine(name)} of a row group takes ${bytes} bytes; write smaller row groups`)
        }
        return {
          isPaged: false,
          skip: async () => {},
          async take(from, to) {
            const rows = { column: name, rowStart: groupStart + from, rowEnd: groupStart + to }
            const cells = await scan.readColumn(rows)
            return { at: (i) => cells[i] }
          },
        }
      }
      const { meta_data } = chunk
      const start = chunkStart(meta_data)
      const end = Math.min(source.info.size, start + Number(meta_data.total_compressed_size) + chunkBytesMissing)
      const range = { start, end, entries: Number(meta_data.num_values) }
      const reader = new ColumnReader(chunkPages(source.read, range, window), leaf)
      return { isPaged: true, skip: (count) => reader.skip(count), take: (from, to) => reader.take(to - from) }
    }

    let groupStart = 0
    for (const group of metadata.row_groups) {
      const count = Number(group.num_rows)
      const bytesPerRow = Math.max(1, Math.ceil(Number(group.total_byte_size) / Math.max(1, count)))
      const first = Math.max(0, offset - groupStart)
      if (first < count) {
        const cells = columns.map((column) => cellsOf(column, group, groupStart))
        if (first > 0) for (const { skip } of cells) await orMalformed(() => skip(first))
        const bytes = cells.every(({ isPaged }) => isPaged) ? blockBytes : sliceBytes
        const step = Math.max(1, Math.floor(bytes / bytesPerRow))
        for (let from = first; from < count; from += step) {
          const to = Math.min(count, from + step)
          const values: TableColumn[] = []
          // One after the other: all at once would be their size several times over.
          for (const { take } of cells) values.push(await orMalformed(() => take(from, to)))
          yield tableBlock(used, values, groupStart + from, groupStart + from, groupStart + to, bytesPerRow, types)
        }
      }
      groupStart += count
    }
  },
}

/** A column of a row group. Its rows are asked for in order. */
interface Cells {
  readonly isPaged: boolean
  skip(count: number): Promise<void>
  take(from: number, to: number): Promise<TableColumn>
}

/** Of a chunk that old writers leave out of its size. @see PARQUET-816 */
const chunkBytesMissing = 100

/**
 * Some writers say nothing of where the dictionary begins, or something behind the data.
 * @see Arrow C++, `ComputeColumnChunkRange`
 */
function chunkStart({ dictionary_page_offset, data_page_offset }: ColumnMetaData): number {
  const data = Number(data_page_offset)
  const dictionary = Number(dictionary_page_offset ?? 0)
  return dictionary > 0 && dictionary < data ? dictionary : data
}

/** What the footer says lies inside the file. */
function checkMetadata({ row_groups, num_rows }: FileMetaData, fileBytes: number): void {
  let rows = 0
  for (const { columns, num_rows: count, total_byte_size } of row_groups) {
    if (columns.length > batchLimits.columns) throw malformed(`it has ${columns.length} columns`)
    if (!(Number(total_byte_size) >= 0) || !(Number(count) >= 0)) throw malformed('a row group has no size')
    rows += Number(count)
    for (const { meta_data, file_path, crypto_metadata } of columns) {
      if (crypto_metadata) throw new BatchError('unsupported', 'Cannot read the object: it is encrypted Parquet')
      if (file_path) throw malformed('its columns are in other files')
      const start = meta_data ? chunkStart(meta_data) : Number.NaN
      const size = Number(meta_data?.total_compressed_size)
      if (!(start >= 0 && size >= 0 && start + size <= fileBytes)) {
        throw malformed(`it speaks of its bytes ${start} to ${start + size}, and has ${fileBytes}`)
      }
    }
  }
  if (rows !== Number(num_rows)) throw malformed(`its row groups have ${rows} rows, and it says ${num_rows}`)
}

async function readSlice(
  source: { readonly info: { readonly size: number }; read(start: number, end: number): Promise<Uint8Array> },
  start: number,
  end: number,
): Promise<ArrayBuffer> {
  const isInside = start >= 0 && start <= end && end <= source.info.size
  if (!isInside) throw malformed(`it speaks of its bytes ${start} to ${end}, and has ${source.info.size}`)
  const bytes = await source.read(start, end)
  // An own copy of the right length, where the bytes are not that: hyparquet takes an ArrayBuffer from 0 on.
  const isWhole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength
  const { buffer } = bytes
  return (isWhole ? buffer : buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)) as ArrayBuffer // never shared
}

/** What a store throws is passed on; what hyparquet makes of bytes that are not Parquet is the object's fault. */
async function orMalformed<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (thrown) {
    if (thrown instanceof StoreError || thrown instanceof BatchError) throw thrown
    if (thrown instanceof Error && thrown.name === 'AbortError') throw thrown
    throw malformed(reasonOf(thrown), thrown)
  }
}

const malformed = (reason: string, cause?: unknown) =>
  new BatchError('bad_object', `Cannot read the object: it is no sound Parquet file: ${reason}`, { cause })
