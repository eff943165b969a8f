import type { NumberColumn, TextColumn } from '../columns/column.ts'

/** FNV-1a's offset basis and prime: http://www.isthe.com/chongo/tech/comp/fnv/ */
const [fnvBasis, fnvPrime] = [0x811c9dc5, 0x01000193]

/** The hash of the text from `start` to `end`. */
export function hashText(bytes: Uint8Array, start: number, end: number): number {
  let hash = fnvBasis
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), fnvPrime)
  return finish(hash)
}

/** The hash of an int64 in two words. */
export const hashWords = (low: number, high: number): number =>
  finish(Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca77))

/** The hash of the id in a row. */
export function hashRow(column: NumberColumn | TextColumn, row: number): number {
  if (column.form === 'texts') return hashText(column.bytes, column.starts[row] ?? 0, column.starts[row + 1] ?? 0)
  const words = wordsOf(column)
  return hashWords(words[2 * row] ?? 0, words[2 * row + 1] ?? 0)
}

/** An int64 column as pairs of 32-bit words, the lower first: Node's hosts are little-endian. */
export const wordsOf = ({ data }: NumberColumn): Uint32Array =>
  new Uint32Array(data.buffer, data.byteOffset, data.length * 2)

/** MurmurHash3's finalizer: every bit of the hash moves the low ones, which choose the slot. */
function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
