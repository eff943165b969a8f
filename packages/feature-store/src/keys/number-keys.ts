import type { NumberColumn } from '../columns/column.ts'
import { type AskedKeys, blockIds } from './asked-keys.ts'
import { hashWords, wordsOf } from './hash.ts'

// A search ends before another begins: all of a thread's share these.
const lows = new Uint32Array(blockIds)
const highs = new Uint32Array(blockIds)
const areNumbers = new Uint8Array(blockIds)
const fetched = new Uint32Array(blockIds)

/** Ids against a column of int64, by their usual decimal text only. */
export function numberKeys(column: NumberColumn): AskedKeys {
  const words = wordsOf(column)
  return {
    read(ids, first, count, hashes) {
      for (let i = 0; i < count; i++) {
        areNumbers[i] = readNumber(ids[first + i] as string, i) ? 1 : 0 // first + i < length
        hashes[i] = hashWords(lows[i] as number, highs[i] as number) // i < count
      }
    },

    touch(rows, count) {
      // Nobody looks at what is kept; without it nothing would be read.
      for (let i = 0; i < count; i++) fetched[i] = words[2 * (rows[i] as number)] ?? 0 // i < count
    },

    isIn: (row, i) => areNumbers[i] === 1 && words[2 * row] === lows[i] && words[2 * row + 1] === highs[i],
  }
}

const [minus, zero] = [45, 48]

/** Digits of an int64. */
const maxDigits = 19

/** Writes a decimal number, as int64 in two words; `false` for a text that is none, or not the usual one of its number. */
function readNumber(id: string, i: number): boolean {
  const first = id.charCodeAt(0) === minus ? 1 : 0
  const digits = id.length - first
  if (digits < 1 || digits > maxDigits || (id.charCodeAt(first) === zero && id !== '0')) return false
  // The last nine digits apart: both parts are exact, and so is each product below.
  const middle = Math.max(first, id.length - 9)
  const [upper, lower] = [digitsOf(id, first, middle), digitsOf(id, middle, id.length)]
  if (Number.isNaN(upper + lower)) return false
  const upperLow = upper % 2 ** 16
  const shifted = ((upper - upperLow) / 2 ** 16) * 1e9
  const rest = upperLow * 1e9 + lower + (shifted % 2 ** 16) * 2 ** 16
  const low = rest % 2 ** 32
  const high = Math.floor(shifted / 2 ** 16) + Math.floor(rest / 2 ** 32)
  if (high > 2 ** 31 || (high === 2 ** 31 && !(first === 1 && low === 0))) return false
  lows[i] = first === 1 ? -low : low
  highs[i] = first === 1 ? (low === 0 ? -high : -high - 1) : high
  return true
}

/** The number that the digits from `start` to `end` are, at most ten of them; NaN when one is none. */
function digitsOf(id: string, start: number, end: number): number {
  let number = 0
  for (let i = start; i < end; i++) {
    const digit = id.charCodeAt(i) - zero
    if (digit < 0 || digit > 9) return Number.NaN
    number = number * 10 + digit
  }
  return number
}
