import type { DType } from '@eas/base'
import type { SchemaElement } from 'hyparquet'
import type { ColumnSource } from 'hyparquet-writer'
import type { OutputFormat } from './row-writer.ts'
import { type ColumnOut, groupRows, type KeptType, tableWriter } from './table-writer.ts'
import { nestedRow } from './values.ts'

/** Apache Parquet, a file per part; outputs of several elements are lists. @see https://parquet.apache.org/docs/file-format/ */
export const parquetOutput: OutputFormat = {
  name: 'parquet',
  extension: 'parquet',
  contentType: 'application/vnd.apache.parquet',
  writer: (outputs) =>
    tableWriter(outputs, {
      groupRows,
      async open(first) {
        const { ByteWriter, ParquetWriter } = await import('hyparquet-writer')
        const schema: SchemaElement[] = [{ name: 'root', num_children: first.length }, ...first.flatMap(elementsOf)]
        const writer = new ByteWriter()
        const file = new ParquetWriter({ writer, schema, statistics: false })
        return {
          add(columns, count) {
            const columnData = columns.map(
              (column): ColumnSource => ({
                name: column.name,
                data: dataOf(column),
                codec: column.kind === 'kept' ? 'SNAPPY' : outputCodec,
              }),
            )
            file.write({ columnData, rowGroupSize: count })
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

const keptLeaves: { readonly [T in KeptType]: Leaf } = {
  bool: { type: 'BOOLEAN' },
  int64: { type: 'INT64' },
  float64: { type: 'DOUBLE' },
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  time: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
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
  if (column.kind === 'kept') return [...column.values]
  const isWide = (outputLeaves[column.dtype] ?? double).type === 'INT64'
  return column.cells.map((cell) =>
    nestedRow(cell, isWide ? (element) => BigInt(element as number | bigint) : undefined),
  ) // integers
}
