import type { NumberColumn, TextColumn } from './columns/column.ts'

/**
 * A flat hash table from item ids to row numbers: open addressing, one int32 per slot, ids compared in the column that
 * holds them anyway. A million ids take 8 MB beside their bytes.
 */
export interface KeyTable {
  /** Row numbers; -1 is free. The length is a power of two. */
  readonly slots: Int32Array
  readonly mask: number
}

/** Slots for `count` ids, at most two thirds of them taken. */
export function keyTable(count: number): KeyTable {
  let slots = 1024
  while (slots * 2 < count * 3) slots *= 2
  const table = new Int32Array(new SharedArrayBuffer(slots * 4)).fill(-1)
  return { slots: table, mask: slots - 1 }
}

export const keysFit = ({ slots }: KeyTable, count: number): boolean => count * 3 <= slots.length * 2

/** The slot of the id that `column` has in `row`: taken by an earlier row of the same id, or free. */
export function slotOf({ slots, mask }: KeyTable, column: NumberColumn | TextColumn, row: number): number {
  for (let slot = hashOf(column, row) & mask; ; slot = (slot + 1) & mask) {
    const other = slots[slot] as number // `mask` keeps it within
    if (other === -1 || isSame(column, row, other)) return slot
  }
}

function hashOf(column: NumberColumn | TextColumn, row: number): number {
  if (column.form === 'texts') return finish(fnv(column.bytes, column.starts[row] ?? 0, column.starts[row + 1] ?? 0))
  const words = wordsOf(column)
  return hashWords(words[2 * row] ?? 0, words[2 * row + 1] ?? 0)
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

/** The row of each id as requests have them, -1 where it is not known, into `found`. */
export type FindKeys = (ids: readonly string[], found: Int32Array) => void

/** Of the row that a slot holds, the one that a view sees: an earlier row of the same id, or -1 when there was none. */
export type SeenRow = (row: number) => number

/** Finds rows by id, for tables whose ids are in `column`. An int64 id is found by its usual decimal text only. */
export function keyFinder({ slots, mask }: KeyTable, column: NumberColumn | TextColumn, seen: SeenRow): FindKeys {
  if (column.form === 'texts') return textFinder(slots, mask, column, seen)
  const find = numberFinder(slots, mask, wordsOf(column), seen)
  return (ids, found) => {
    for (let i = 0; i < ids.length; i++) found[i] = find(ids[i] as string) // i < length
  }
}

function numberFinder(slots: Int32Array, mask: number, words: Uint32Array, seen: SeenRow): (id: string) => number {
  return (id) => {
    if (!canonical.test(id)) return -1
    let [low, high] = [0, 0]
    if (id.length <= 15) {
      const number = Number(id)
      low = number >>> 0
      high = Math.floor(number / 2 ** 32) >>> 0
    } else {
      const exact = BigInt(id)
      if (BigInt.asIntN(64, exact) !== exact) return -1
      low = Number(BigInt.asUintN(32, exact))
      high = Number(BigInt.asUintN(32, exact >> 32n))
    }
    for (let slot = hashWords(low, high) & mask; ; slot = (slot + 1) & mask) {
      const taken = Atomics.load(slots, slot)
      if (taken === -1) return -1
      const row = seen(taken)
      if (row !== -1 && words[2 * row] === low && words[2 * row + 1] === high) return row
    }
  }
}

const canonical = /^(?:0|-?[1-9]\d{0,18})$/

/** The longest id that is looked for. A longer one in the catalogue would never be asked for. */
const maxIdBytes = 4096
/** Ids that are looked for together, and bytes for as many of the longest. */
const blockIds = 256
const blockBytes = blockIds * maxIdBytes

// A search ends before another begins: all of a thread's share these.
const texts = new Uint8Array(blockBytes)
const ends = new Int32Array(blockIds)
const hashes = new Int32Array(blockIds)
const firsts = new Uint32Array(blockIds)

/**
 * A random place in a large catalogue is in no cache: an id costs three such places, of its slot, where its text starts, and
 * the text. So a block of ids goes through each step together, and the processor waits for many places at once.
 */
function textFinder(slots: Int32Array, mask: number, { bytes, starts }: TextColumn, seen: SeenRow): FindKeys {
  /** Whether the text of a row is that of the block from `from` to `to`. */
  function isText(row: number, from: number, to: number): boolean {
    const start = starts[row] ?? 0
    if ((starts[row + 1] ?? 0) - start !== to - from) return false
    for (let at = from; at < to; at++) if (bytes[start + at - from] !== texts[at]) return false
    return true
  }

  function findFrom(slotOfFirst: number, from: number, to: number): number {
    for (let slot = slotOfFirst; ; slot = (slot + 1) & mask) {
      const taken = Atomics.load(slots, slot)
      if (taken === -1) return -1
      const row = seen(taken)
      if (row !== -1 && isText(row, from, to)) return row
    }
  }

  return (ids, found) => {
    for (let first = 0; first < ids.length; first += blockIds) {
      const count = Math.min(blockIds, ids.length - first)
      let end = 0
      for (let i = 0; i < count; i++) {
        const start = end
        end = writeId(ids[first + i] as string, texts, start) // first + i < length
        ends[i] = end
        hashes[i] = finish(fnv(texts, start, end))
      }
      for (let i = 0; i < count; i++) firsts[i] = Atomics.load(slots, (hashes[i] as number) & mask) // i < count, below too
      for (let i = 0; i < count; i++) firsts[i] = starts[firsts[i] as number] ?? 0
      // What is read here is used by nobody but the cache of the processor.
      let touched = 0
      for (let i = 0; i < count; i++) touched += bytes[firsts[i] as number] ?? 0
      for (let i = 0, start = 0; i < count; i++) {
        const [slot, to] = [(hashes[i] as number) & mask, ends[i] as number]
        found[first + i] = to === start ? -1 : findFrom(slot, start, to)
        start = to
      }
      if (touched < 0) return // it never is, but unless it is looked at nothing is read
    }
  }
}

const encoder = new TextEncoder()

/** Writes an id as UTF-8; gives where it ends. One that is too long or no text at all is none, of no bytes. */
function writeId(id: string, into: Uint8Array, start: number): number {
  if (id.length > maxIdBytes) return start
  for (let i = 0; i < id.length; i++) {
    const code = id.charCodeAt(i)
    if (code >= 0x80) {
      const { read, written } = encoder.encodeInto(id, into.subarray(start, start + maxIdBytes))
      return read < id.length ? start : start + written
    }
    into[start + i] = code
  }
  return start + id.length
}

/** An int64 column as pairs of 32-bit words, the lower first: Node's hosts are little-endian. */
const wordsOf = ({ data }: NumberColumn): Uint32Array => new Uint32Array(data.buffer, data.byteOffset, data.length * 2)

/** FNV-1a's offset basis and prime: http://www.isthe.com/chongo/tech/comp/fnv/ */
const [fnvBasis, fnvPrime] = [0x811c9dc5, 0x01000193]

function fnv(bytes: Uint8Array, start: number, end: number): number {
  let hash = fnvBasis
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), fnvPrime)
  return hash
}

const hashWords = (low: number, high: number): number =>
  finish(Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca77))

/** MurmurHash3's finalizer: every bit of the hash moves the low ones, which choose the slot. */
function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
