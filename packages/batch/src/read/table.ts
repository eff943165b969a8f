import { oneLine } from '@eas/base'
import { BatchError } from '../batch-error.ts'
import type { RowPlan } from '../rows/mapping.ts'
import type { RowBlock } from './row-block.ts'

/** The value of a column in the `i`-th of the rows that have been read. */
export type TableColumn = (i: number) => unknown

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
  const read = (column: number) => columns[column]?.(row)
  return {
    count: to - from,
    add(i, builder, position) {
      row = skipped + i
      builder.addValues(names, read, position)
    },
    endOf: (i) => from + i + 1,
    bytesOf: () => bytesPerRow,
  }
}
