import type { NumberColumn, TextColumn } from '../columns/column.ts'
import { hashRow, wordsOf } from './hash.ts'

/**
 * A flat hash table from item ids to row numbers: open addressing, one int32 per slot. Ids are compared in the column that
 * holds them anyway; what bits a row number leaves hold some of its id's hash, so that others' ids are hardly ever looked
 * at. A million ids take 8 MB beside their bytes.
 */
export interface KeyTable {
  /** A row number in the low `rowBits`, the hash's own bits above; -1 is free. The length is a power of two. */
  readonly slots: Int32Array
  readonly mask: number
  readonly rowBits: number
}

/** Slots for `ids`, at most two thirds of them taken, by rows below `rows`. */
export function keyTable(ids: number, rows: number): KeyTable {
  let count = 1024
  while (count * 2 < ids * 3) count *= 2
  let rowBits = 16
  while (2 ** rowBits <= rows && rowBits < 31) rowBits++
  const slots = new Int32Array(new SharedArrayBuffer(count * 4)).fill(-1)
  return { slots, mask: count - 1, rowBits }
}

/** Whether there is room for so many ids, in rows below `rows`. The last number is none, lest an entry be -1. */
export const keysFit = ({ slots, rowBits }: KeyTable, ids: number, rows: number): boolean =>
  ids * 3 <= slots.length * 2 && rows < 2 ** rowBits

/** Whether an entry is of an id with this hash, as far as an entry tells. */
export const hasHash = (entry: number, hash: number, rowBits: number): boolean => (entry ^ hash) >>> rowBits === 0

/** The row of an entry, -1 of a free one. */
export const rowOf = (entry: number, rowBits: number): number => (entry === -1 ? -1 : entry & (2 ** rowBits - 1))

/** Where an id is, or is to be. */
export interface Place {
  readonly slot: number
  /** The row that is there: an earlier one of the same id, or -1. */
  readonly row: number
  /** The entry that puts the new row there. */
  readonly entry: number
}

/** The place of the id that `column` has in `row`. */
export function placeOf({ slots, mask, rowBits }: KeyTable, column: NumberColumn | TextColumn, row: number): Place {
  const hash = hashRow(column, row)
  const entry = ((hash >>> rowBits) << rowBits) | row
  for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
    const other = slots[slot] as number // `mask` keeps it within
    if (other === -1) return { slot, row: -1, entry }
    if (!hasHash(other, hash, rowBits)) continue
    const earlier = rowOf(other, rowBits)
    if (isSame(column, row, earlier)) return { slot, row: earlier, entry }
  }
}

/** Puts the new row in its place. Who finds it there, on any thread, finds all that was written before. */
export const putRow = ({ slots }: KeyTable, { slot, entry }: Place): void => {
  Atomics.store(slots, slot, entry)
}

function isSame(column: NumberColumn | TextColumn, a: number, b: number): boolean {
  if (column.form === 'texts') {
    const [start = 0, end = 0, other = 0] = [column.starts[a], column.starts[a + 1], column.starts[b]]
    if (end - start !== (column.starts[b + 1] ?? 0) - other) return false
    for (let i = start; i < end; i++) if (column.bytes[i] !== column.bytes[other + i - start]) return false
    return true
  }
  const words = wordsOf(column)
  return words[2 * a] === words[2 * b] && words[2 * a + 1] === words[2 * b + 1]
}
