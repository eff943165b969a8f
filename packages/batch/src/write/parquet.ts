import type { DType } from '@eas/base'
import type { ColumnChunk, SchemaElement } from 'hyparquet'
import type { ColumnSource, Writer } from 'hyparquet-writer'
import type { ColumnType } from '../read/table.ts'
import { isPlain, plainPages } from './plain-column.ts'
import { mapRows, type OutputFormat } from './row-writer.ts'
import { type ColumnOut, groupRows, microsOf, tableWriter } from './table-writer.ts'
import { type Element, nestedRow } from './values.ts'

/** Apache Parquet, a file per part; outputs of several elements are lists. @see https://parquet.apache.org/docs/file-format/ */
export const parquetOutput: OutputFormat = {
  name: 'parquet',
  extension: 'parquet',
  contentType: 'application/vnd.apache.parquet',
  writer: (outputs) =>
    tableWriter(outputs, {
      groupRows,
      async open(first) {
        const [{ ByteWriter, ParquetWriter }, { writePageHeader }] = await Promise.all([
          import('hyparquet-writer'),
          import('hyparquet-writer/src/datapage.js'),
        ])
        const schema: SchemaElement[] = [{ name: 'root', num_children: first.length }, ...first.flatMap(elementsOf)]
        const writer = new ByteWriter()
        const file = new ParquetWriter({ writer, schema, statistics: false })
        return {
          add(columns, count) {
            const start = writer.offset
            const plain = columns.filter(isPlainColumn)
            const others = columns.slice(0, columns.length - plain.length)
            // The library's columns come first in the schema, or all are its own.
            const isMixed = plain.every((column, i) => column === columns[others.length + i])
            const columnData = (isMixed ? others : columns).map(
              (column): ColumnSource => ({
                name: column.name,
                data: dataOf(column),
                codec: column.kind === 'kept' ? 'SNAPPY' : outputCodec,
              }),
            )
            file.write({ columnData, rowGroupSize: count })
            if (!isMixed || plain.length === 0) return
            const chunks = plain.map((column) => writePlainColumn(writer, column, writePageHeader))
            const written = columnData.length > 0 ? file.row_groups.pop() : undefined
            if (!written) file.num_rows += BigInt(count)
            const all = [...(written?.columns ?? []), ...chunks]
            file.row_groups.push({
              columns: all,
              num_rows: BigInt(count),
              total_byte_size: all.reduce((sum, { meta_data }) => sum + (meta_data?.total_uncompressed_size ?? 0n), 0n),
              total_compressed_size: BigInt(writer.offset - start),
            })
          },
          end() {
            file.finish()
            return writer.getBytes()
          },
        }
      },
    }),
}

/** What a model puts out has no two values alike, and is not worth the time that compressing it takes. */
const outputCodec = 'UNCOMPRESSED'

type Leaf = Pick<SchemaElement, 'type' | 'converted_type'>

const keptLeaves: { readonly [T in ColumnType]: Leaf } = {
  bool: { type: 'BOOLEAN' },
  int64: { type: 'INT64' },
  uint64: { type: 'INT64', converted_type: 'UINT_64' },
  float64: { type: 'DOUBLE' },
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  time: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
  fineTime: { type: 'INT64', converted_type: 'TIMESTAMP_MICROS' },
  // As texts: the writer would make JSON of them once more.
  json: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
}

const double: Leaf = { type: 'DOUBLE' }
const float: Leaf = { type: 'FLOAT' }
const int32: Leaf = { type: 'INT32' }
const int64: Leaf = { type: 'INT64' }
/** What holds the elements of each dtype that outputs have. */
const outputLeaves: { readonly [D in DType]?: Leaf } = {
  float32: float,
  float16: float,
  bfloat16: float,
  float64: double,
  int8: int32,
  int16: int32,
  int32,
  uint8: int32,
  uint16: int32,
  uint32: int64,
  int64,
  uint64: { type: 'INT64', converted_type: 'UINT_64' },
  bool: { type: 'BOOLEAN' },
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
}

function elementsOf(column: ColumnOut): SchemaElement[] {
  const { name } = column
  if (column.kind === 'kept') return [{ name, ...keptLeaves[column.type], repetition_type: 'OPTIONAL' }]
  const leaf = outputLeaves[column.dtype] ?? double
  if (column.rank === 0) return [{ name, ...leaf, repetition_type: 'REQUIRED' }]
  const lists = Array.from({ length: column.rank }, (_, depth): SchemaElement[] => [
    { name: depth === 0 ? name : 'element', converted_type: 'LIST', repetition_type: 'REQUIRED', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  ])
  return [...lists.flat(), { name: 'element', ...leaf, repetition_type: 'REQUIRED' }]
}

function dataOf(column: ColumnOut): unknown[] {
  if (column.kind === 'kept') return column.type === 'fineTime' ? column.values.map(microsOf) : [...column.values]
  const isWide = (outputLeaves[column.dtype] ?? double).type === 'INT64'
  const convert = isWide ? (element: Element) => BigInt(element as number | bigint) : undefined // integers
  return mapRows(column.rows, (tensor, index) => nestedRow(tensor, index, convert))
}

/** An output whose rows need not be taken apart for the library, which is most of what writing it takes. */
type PlainColumn = Extract<ColumnOut, { kind: 'output' }> & { readonly rowShape: readonly number[] }

const isPlainColumn = (column: ColumnOut): column is PlainColumn =>
  column.kind === 'output' && isPlain(column.dtype, column.rowShape)

function writePlainColumn(
  writer: Writer,
  { name, dtype, rowShape, rank, rows }: PlainColumn,
  writePageHeader: typeof import('hyparquet-writer/src/datapage.js')['writePageHeader'],
): ColumnChunk {
  const start = writer.offset
  const pages = plainPages(dtype, rowShape, rows)
  for (const page of pages) {
    const { repetitions, definitions, values } = page
    const bytes = repetitions.length + definitions.length + values.length
    writePageHeader(writer, {
      type: 'DATA_PAGE_V2',
      uncompressed_page_size: bytes,
      compressed_page_size: bytes,
      data_page_header_v2: {
        num_values: page.entries,
        num_nulls: 0,
        num_rows: page.rows,
        encoding: 'PLAIN',
        definition_levels_byte_length: definitions.length,
        repetition_levels_byte_length: repetitions.length,
        is_compressed: false,
      },
    })
    writer.appendBytes(repetitions)
    writer.appendBytes(definitions)
    writer.appendBytes(values)
  }
  const size = BigInt(writer.offset - start)
  return {
    file_offset: BigInt(start),
    meta_data: {
      type: (outputLeaves[dtype] ?? double).type ?? 'DOUBLE',
      encodings: ['PLAIN'],
      path_in_schema: [name, ...Array.from({ length: rank }, () => ['list', 'element']).flat()],
      codec: outputCodec,
      num_values: BigInt(pages.reduce((sum, { entries }) => sum + entries, 0)),
      total_compressed_size: size,
      total_uncompressed_size: size,
      data_page_offset: BigInt(start),
    },
  }
}
