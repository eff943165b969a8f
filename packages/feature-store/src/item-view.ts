import type { Schema } from './column-type.ts'
import { type Column, type NumberColumn, type TextColumn, type Value, valueAt } from './columns/column.ts'
import { keyFinder } from './keys/key-finder.ts'
import type { KeyTable } from './keys/key-table.ts'

/**
 * What a view is made of: plain data over shared memory, so that it can be posted to another thread and attached there.
 */
export interface ItemData {
  readonly schema: Schema
  /** Rows that this view sees, superseded ones included. Later ones may be in the same memory. */
  readonly rows: number
  /** Items, each counted once. */
  readonly items: number
  readonly keys: NumberColumn | TextColumn
  readonly table: KeyTable
  /** By column name. */
  readonly columns: ReadonlyMap<string, Column>
  /** Rows below this one were there from the start, one per item. */
  readonly baseRows: number
  /** For rows from `baseRows` on: the row that the item had before, or -1. Has room for all that may still come. */
  readonly previous: Int32Array
  /** For rows from `baseRows` on: 1 where the item was deleted. */
  readonly deleted: Uint8Array
}

/**
 * The items as they were at one moment. Rows never change: an update adds a row and an id's entry moves to it, which a
 * view taken before does not see. A request takes one view and keeps it to its end.
 */
export interface ItemView {
  readonly schema: Schema
  readonly items: number
  /** The row of each id, -1 where it is not known; an int32 per id. */
  entriesOf(ids: readonly string[]): Int32Array
  /** A column of all rows, or the ids by `keyName` of the schema; `undefined` when there is none of that name. */
  column(name: string): Column | undefined
  /** A value of a row that `entriesOf` gave; `undefined` when it is missing, or the row is -1. */
  value(name: string, row: number): Value
  /** To be posted to another thread, where `attachItems` makes the same view of the same memory. */
  readonly data: ItemData
}

/** A view of items whose data came from another thread, or from an `ItemStore`. */
export function attachItems(data: ItemData): ItemView {
  const { rows, baseRows, previous, deleted, columns } = data
  const find = keyFinder(data.table, data.keys, (newest) => {
    let row = newest
    while (row >= rows) row = previous[row - baseRows] ?? -1
    return row
  })

  const columnOf = (name: string): Column | undefined =>
    columns.get(name) ?? (name === data.schema.keyName ? data.keys : undefined)

  return {
    data,
    schema: data.schema,
    items: data.items,
    entriesOf(ids) {
      const entries = new Int32Array(ids.length)
      find(ids, entries)
      if (rows > baseRows) {
        entries.forEach((row, i) => {
          if (row >= baseRows && deleted[row - baseRows] === 1) entries[i] = -1
        })
      }
      return entries
    },
    column: columnOf,
    value(name, row) {
      const column = columnOf(name)
      return column && row >= 0 ? valueAt(column, row) : undefined
    },
  }
}
