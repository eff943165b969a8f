import { StoreError } from '@eas/storage'
import type { AsyncBuffer, FileMetaData } from 'hyparquet'
import { BatchError, reasonOf } from '../batch-error.ts'
import { batchLimits } from '../limits.ts'
import type { RowFormat } from './row-block.ts'
import { checkColumns, isUsed, type TableColumn, tableBlock } from './table.ts'

/** Bytes of columns, decoded, that are read at once. */
const sliceBytes = 32 * 1024 * 1024

/**
 * Apache Parquet, by column ranges: only what the model and the output need is fetched, a slice of a row group at a time.
 * Offsets are rows. @see https://parquet.apache.org/docs/file-format/
 */
export const parquet: RowFormat = {
  name: 'parquet',
  async *blocks(source, offset, plan) {
    if (!source.isPlain) throw malformed('it is compressed as a whole')
    const { parquetMetadataAsync, parquetScan, parquetSchema } = await import('hyparquet')
    const { compressors } = await import('hyparquet-compressors')
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
    const names = parquetSchema(metadata).children.map(({ element }) => element.name)
    checkColumns(names, plan, 'the file has')
    const columns = names.filter((name) => isUsed(name, plan))
    const scan = await orMalformed(() => parquetScan({ file, metadata, columns, compressors, geoparquet: false }))
    for (const { rowStart, rowEnd, rows } of slicesOf(metadata)) {
      if (rowEnd <= offset) continue
      const values: TableColumn[] = []
      // One after the other: all at once would be their size several times over.
      for (const column of columns) {
        const cells = await orMalformed(() => scan.readColumn({ column, rowStart, rowEnd }))
        values.push((i) => cells[i])
      }
      yield tableBlock(columns, values, rowStart, Math.max(offset, rowStart), rowEnd, rows.bytesPerRow)
    }
  },
}

/** Row groups, those that are large in parts. */
function* slicesOf({ row_groups }: FileMetaData) {
  let first = 0
  for (const { num_rows, total_byte_size } of row_groups) {
    const count = Number(num_rows)
    const bytesPerRow = Math.max(1, Math.ceil(Number(total_byte_size) / Math.max(1, count)))
    const step = Math.max(1, Math.floor(sliceBytes / bytesPerRow))
    for (let from = 0; from < count; from += step) {
      yield { rowStart: first + from, rowEnd: first + Math.min(count, from + step), rows: { bytesPerRow } }
    }
    first += count
  }
}

/** What the footer says lies inside the file, and is no more than memory holds. */
function checkMetadata({ row_groups, num_rows }: FileMetaData, fileBytes: number): void {
  let rows = 0
  for (const { columns, num_rows: count, total_byte_size } of row_groups) {
    if (columns.length > batchLimits.columns) throw malformed(`it has ${columns.length} columns`)
    if (!(Number(total_byte_size) >= 0) || !(Number(count) >= 0)) throw malformed('a row group has no size')
    rows += Number(count)
    for (const { meta_data } of columns) {
      const start = Number(meta_data?.dictionary_page_offset || meta_data?.data_page_offset)
      const size = Number(meta_data?.total_compressed_size)
      if (!(start >= 0 && size >= 0 && start + size <= fileBytes)) {
        throw malformed(`it speaks of its bytes ${start} to ${start + size}, and has ${fileBytes}`)
      }
      if (Number(meta_data?.total_uncompressed_size) > batchLimits.groupBytes) {
        throw malformed(
          `a column of a row group takes ${meta_data?.total_uncompressed_size} bytes; write smaller row groups`,
        )
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
