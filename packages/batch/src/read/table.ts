import { oneLine } from '@eas/base'
import { BatchError } from '../batch-error.ts'
import type { RowPlan } from '../rows/mapping.ts'
import type { RowBlock } from './row-block.ts'

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

/** @throws {BatchError} `bad_object` naming the columns that the model needs and the table lacks. */
export function checkColumns(names: readonly string[], { targets }: RowPlan, has: string): void {
  const missing = [...targets.keys()].filter((column) => !names.includes(column))
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

/** Rows `from` up to `to` of columns whose first value is of row `first`. */
export function tableBlock(
  names: readonly string[],
  columns: readonly TableColumn[],
  first: number,
  from: number,
  to: number,
  bytesPerRow: number,
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
  }
}
