import { assert } from '@eas/base'
import { highBit, need } from './zstd-bits.ts'

/** A finite state entropy decoder, RFC 8878 4.1: a row per state. */
export interface FseTable {
  /** Bits of a state. */
  readonly accuracy: number
  readonly symbols: Uint8Array
  /** Bits to read for the next state, and what to add to them. */
  readonly bits: Uint8Array
  readonly bases: Uint16Array
}

/** One state, no bits: always the same symbol. */
export const rleTable = (symbol: number): FseTable => ({
  accuracy: 0,
  symbols: Uint8Array.of(symbol),
  bits: new Uint8Array(1),
  bases: new Uint16Array(1),
})

/** @param probabilities By symbol, in parts of `2 ** accuracy`; -1 is "less than one part", and takes one state. */
export function buildFseTable(probabilities: readonly number[], accuracy: number): FseTable {
  const size = 1 << accuracy
  const symbols = new Uint8Array(size)
  const next = Uint16Array.from(probabilities, Math.abs)
  let high = size
  for (const [symbol, probability] of probabilities.entries()) if (probability === -1) symbols[--high] = symbol
  const step = (size >>> 1) + (size >>> 3) + 3
  let at = 0
  for (const [symbol, probability] of probabilities.entries()) {
    for (let i = 0; i < probability; i++) {
      symbols[at] = symbol
      do at = (at + step) & (size - 1)
      while (at >= high)
    }
  }
  assert(at === 0, 'the probabilities of an FSE table add up to its size')
  const bits = new Uint8Array(size)
  const bases = new Uint16Array(size)
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] ?? 0
    const count = next[symbol] ?? 0
    next[symbol] = count + 1
    const width = accuracy - highBit(count)
    bits[state] = width
    bases[state] = (count << width) - size
  }
  return { accuracy, symbols, bits, bases }
}

/** Reads the probabilities of RFC 8878 4.1.1, told upwards from `start`, and gives where they end. */
export function readFseTable(
  bytes: Uint8Array,
  start: number,
  end: number,
  maxAccuracy: number,
  maxSymbol: number,
): { table: FseTable; end: number } {
  let bit = start * 8
  const read = (count: number) => {
    const at = bit >>> 3
    const word = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16)
    const value = (word >>> (bit & 7)) & ((1 << count) - 1)
    bit += count
    need(bit <= end * 8, 'a block ends within a table')
    return value
  }
  need(start < end, 'a block ends within a table')
  const accuracy = read(4) + 5
  need(accuracy <= maxAccuracy, `a table of accuracy ${accuracy} is over the limit of ${maxAccuracy}`)
  const probabilities: number[] = []
  let rest = 1 << accuracy
  while (rest > 0) {
    // Of the values 0 to rest + 1 the lowest take one bit less.
    const width = highBit(rest + 1) + 1
    const short = (1 << width) - 1 - (rest + 1)
    let value = read(width - 1)
    if (value >= short) {
      value |= read(1) << (width - 1)
      if (value >= 1 << (width - 1)) value -= short
    }
    const probability = value - 1
    probabilities.push(probability)
    rest -= Math.abs(probability)
    need(rest >= 0, 'the probabilities of a table add up to more than its size')
    if (probability === 0) {
      for (let repeat = 3; repeat === 3; ) {
        repeat = read(2)
        for (let i = 0; i < repeat; i++) probabilities.push(0)
        need(probabilities.length <= maxSymbol + 1, 'a table holds a symbol there is not')
      }
    }
    need(probabilities.length <= maxSymbol + 1, 'a table holds a symbol there is not')
  }
  return { table: buildFseTable(probabilities, accuracy), end: (bit + 7) >>> 3 }
}
