import type { NumberColumn, TextColumn } from '../columns/column.ts'
import { blockIds } from './asked-keys.ts'
import { hasHash, type KeyTable, rowOf } from './key-table.ts'
import { numberKeys } from './number-keys.ts'
import { textKeys } from './text-keys.ts'

/** The row of each id as requests have them, -1 where it is not known, into `found`. */
export type FindKeys = (ids: readonly string[], found: Int32Array) => void

/** Of the row that a slot holds, the one that a view sees: an earlier row of the same id, or -1 when there was none. */
export type SeenRow = (row: number) => number

// A search ends before another begins: all of a thread's share these.
const hashes = new Int32Array(blockIds)
const places = new Int32Array(blockIds)
const rows = new Int32Array(blockIds)

/**
 * Finds rows by id, for tables whose ids are in `column`.
 *
 * A random place in a large catalogue is in no cache, and an id costs several: its slot, where its text starts, the text. So
 * a block of ids goes through each step together, and the processor waits for many places at once.
 */
export function keyFinder(
  { slots, mask, rowBits }: KeyTable,
  column: NumberColumn | TextColumn,
  seen: SeenRow,
): FindKeys {
  const asked = column.form === 'texts' ? textKeys(column) : numberKeys(column)

  /** The first slot from `start` on that may be of an id with this hash, or is free. */
  function slotWith(hash: number, start: number): number {
    for (let slot = start; ; slot = (slot + 1) & mask) {
      const entry = Atomics.load(slots, slot)
      if (entry === -1 || hasHash(entry, hash, rowBits)) return slot
    }
  }

  function find(i: number): number {
    const hash = hashes[i] as number // i < blockIds, below too
    for (let slot = places[i] as number; ; slot = slotWith(hash, (slot + 1) & mask)) {
      const entry = Atomics.load(slots, slot)
      if (entry === -1) return -1
      const row = seen(rowOf(entry, rowBits))
      if (row !== -1 && asked.isIn(row, i)) return row
    }
  }

  return (ids, found) => {
    for (let first = 0; first < ids.length; first += blockIds) {
      const count = Math.min(blockIds, ids.length - first)
      asked.read(ids, first, count, hashes)
      for (let i = 0; i < count; i++) rows[i] = slots[(hashes[i] as number) & mask] as number // fetched, no more
      for (let i = 0; i < count; i++) {
        const hash = hashes[i] as number
        const slot = slotWith(hash, hash & mask)
        places[i] = slot
        rows[i] = rowOf(slots[slot] as number, rowBits) // within the table
      }
      asked.touch(rows, count)
      for (let i = 0; i < count; i++) found[first + i] = find(i)
    }
  }
}
