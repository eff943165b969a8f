import { oneLine } from '@eas/base'
import { BatchError } from '../batch-error.ts'
import { clashOf, type RowPlan } from '../rows/mapping.ts'
import type { RowBlock } from './row-block.ts'

/**
 * What a column's values are in results that are tables, so that all parts of a result have the same columns. `fineTime`: to the
 * microsecond. `json`: texts of whatever has no other type.
 */
export type ColumnType = (typeof columnTypeNames)[number]
const columnTypeNames = ['bool', 'int64', 'uint64', 'float64', 'string', 'time', 'fineTime', 'json'] as const
export const columnTypes: ReadonlySet<unknown> = new Set(columnTypeNames)

/** A column of the rows that have been read. */
export interface TableColumn {
  /** The value of the `i`-th row. */
  at(i: number): unknown
  /**
   * Rows from the `i`-th on, `most` of them at most, that have `size` numbers each: all their numbers, as they lie in one
   * array. `undefined` when that row is not such a one.
   */
  numbers?(i: number, size: number, most: number): NumberRows | undefined
}

/** The numbers of some rows end to end. */
export interface NumberRows {
  readonly count: number
  readonly numbers: NumberArray
}

export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array

/**
 * @throws {BatchError} `bad_object` naming the columns that the model needs and the table lacks, and those of which the result
 * could have only one.
 */
export function checkColumns(names: readonly string[], plan: RowPlan, has: string): void {
  const { targets, keep, written } = plan
  const clash = names.find((name) => !targets.has(name) && keep === undefined && written.has(name))
  if (clash !== undefined) throw new BatchError('bad_object', `Cannot use the object: ${clashOf(clash)}`)
  // Spreadsheets write columns without a name, in which there is nothing.
  const seen = new Set<string>()
  const twice = names.find((name) => name !== '' && isUsed(name, plan) && (seen.has(name) || !seen.add(name)))
  if (twice !== undefined)
    throw new BatchError('bad_object', `Cannot use the object: ${has} two columns ${oneLine(twice)}`)
  const known = new Set(names)
  const missing = [...targets.keys()].filter((column) => !known.has(column))
  if (missing.length === 0) return
  const shown = (list: readonly string[]) => oneLine(list.join(', '), 200)
  throw new BatchError(
    'bad_object',
    `Cannot read the object: it has no column ${shown(missing)}; ${has} ${shown(names)}`,
  )
}

/** Whether a column feeds an input or goes into the output. */
export const isUsed = (name: string, { targets, keep }: RowPlan): boolean =>
  targets.has(name) || (keep ? keep.has(name) : true)

/** The types of those columns that have one. */
export const typesOf = (
  columns: readonly (readonly [string, ColumnType | undefined])[],
): ReadonlyMap<string, ColumnType> => new Map(columns.flatMap(([name, type]) => (type ? [[name, type] as const] : [])))

/** Rows `from` up to `to` of columns whose first value is of row `first`. */
export function tableBlock(
  names: readonly string[],
  columns: readonly TableColumn[],
  first: number,
  from: number,
  to: number,
  bytesPerRow: number,
  types?: ReadonlyMap<string, ColumnType>,
): RowBlock {
  const skipped = from - first
  // One function for all rows, whose number it is told.
  let row = 0
  const read = (column: number) => columns[column]?.at(row)
  return {
    count: to - from,
    add(i, builder, position) {
      row = skipped + i
      builder.addValues(names, read, position)
    },
    addMany: (i, most, builder, position) => builder.addColumns(names, columns, skipped + i, most, position),
    endOf: (i) => from + i + 1,
    bytesOf: () => bytesPerRow,
    ...(types && { types }),
  }
}
