import type { DType } from '@eas/base'
import type { DataType, Vector } from 'apache-arrow'
import type { ColumnType } from '../read/table.ts'
import { mapRows, type OutputFormat } from './row-writer.ts'
import { type ColumnOut, microsOf, tableWriter } from './table-writer.ts'
import { nestedRow } from './values.ts'

/** Arrow IPC files, one per part; outputs of several elements are lists. @see Arrow Columnar Format, "IPC File Format" */
export const arrowOutput: OutputFormat = {
  name: 'arrow',
  extension: 'arrow',
  contentType: 'application/vnd.apache.arrow.file',
  writer: (outputs) =>
    tableWriter(outputs, {
      async open() {
        const library = await import('apache-arrow')
        const { Table, tableToIPC, vectorFromArray } = library
        const vectors: Record<string, Vector> = Object.create(null)
        return {
          // Once, with all rows.
          add(columns) {
            for (const column of columns) {
              const isCounted = column.kind === 'kept' && column.type === 'fineTime'
              vectors[column.name] = isCounted
                ? countedTimes(column.values, library)
                : vectorFromArray(dataOf(column), typeOf(column, library))
            }
          },
          end: () => tableToIPC(new Table(vectors), 'file'),
        }
      },
    }),
}

type Library = typeof import('apache-arrow')

const keptTypes: { readonly [T in ColumnType]: (library: Library) => DataType } = {
  bool: ({ Bool }) => new Bool(),
  int64: ({ Int64 }) => new Int64(),
  uint64: ({ Uint64 }) => new Uint64(),
  float64: ({ Float64 }) => new Float64(),
  string: ({ Utf8 }) => new Utf8(),
  time: ({ TimestampMillisecond }) => new TimestampMillisecond(),
  fineTime: ({ TimestampMicrosecond }) => new TimestampMicrosecond(),
  json: ({ Utf8 }) => new Utf8(),
}

/** Of the dtypes that outputs have. */
const outputTypes: { readonly [D in DType]?: (library: Library) => DataType } = {
  float32: ({ Float32 }) => new Float32(),
  float16: ({ Float32 }) => new Float32(),
  bfloat16: ({ Float32 }) => new Float32(),
  float64: ({ Float64 }) => new Float64(),
  int8: ({ Int8 }) => new Int8(),
  int16: ({ Int16 }) => new Int16(),
  int32: ({ Int32 }) => new Int32(),
  uint8: ({ Uint8 }) => new Uint8(),
  uint16: ({ Uint16 }) => new Uint16(),
  uint32: ({ Uint32 }) => new Uint32(),
  int64: ({ Int64 }) => new Int64(),
  uint64: ({ Uint64 }) => new Uint64(),
  bool: ({ Bool }) => new Bool(),
  string: ({ Utf8 }) => new Utf8(),
}

function typeOf(column: ColumnOut, library: Library): DataType {
  const { Field, Float64, List } = library
  if (column.kind === 'kept') return keptTypes[column.type](library)
  let type = outputTypes[column.dtype]?.(library) ?? new Float64()
  // Not of a fixed size, which rows of another part need not have.
  for (let dim = 0; dim < column.rank; dim++) type = new List(new Field('item', type, false))
  return type
}

/** Times by their microseconds, which the library would make of milliseconds. */
function countedTimes(values: readonly unknown[], library: Library): Vector {
  const { Int64, makeData, TimestampMicrosecond, Vector, vectorFromArray } = library
  const pieces = vectorFromArray(values.map(microsOf), new Int64()).data
  const type = new TimestampMicrosecond()
  return new Vector(
    pieces.map(({ length, nullCount, nullBitmap, values: data }) =>
      makeData({ type, length, nullCount, nullBitmap, data }),
    ),
  )
}

function dataOf(column: ColumnOut): unknown[] {
  if (column.kind === 'kept') {
    return column.values.map((value) => (value instanceof Date ? value.getTime() : value))
  }
  return mapRows(column.rows, nestedRow)
}
