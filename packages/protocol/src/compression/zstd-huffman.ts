import { bits, endOfBits, highBit, need } from './zstd-bits.ts'
import { readFseTable } from './zstd-fse.ts'

/** A Huffman decoder, RFC 8878 4.2: a row for every value of the next `maxBits` bits, symbol above, code length below. */
export interface HuffmanTable {
  readonly maxBits: number
  readonly rows: Uint16Array
}

const largestCode = 11
const largestWeightAccuracy = 6

/** Decodes the stream from `start` to `end` to `target[from … to)`, which it must fill exactly. */
export function decodeHuffman(
  view: DataView,
  start: number,
  end: number,
  { maxBits, rows }: HuffmanTable,
  target: Uint8Array,
  from: number,
  to: number,
): void {
  const first = start * 8
  const mask = (1 << maxBits) - 1
  let bit = endOfBits(view, start, end)
  let i = from
  // Two codes of 11 bits and the 7 in front of them fit the 32 of one read.
  for (; i + 1 < to && bit - first >= 2 * largestCode; i += 2) {
    const at = bit - 2 * largestCode
    const word = view.getInt32(at >> 3, true) >>> (at & 7)
    const one = rows[(word >>> (2 * largestCode - maxBits)) & mask] ?? 0
    const used = one & 0xff
    const two = rows[(word >>> (2 * largestCode - maxBits - used)) & mask] ?? 0
    target[i] = one >>> 8
    target[i + 1] = two >>> 8
    bit -= used + (two & 0xff)
  }
  for (; i < to; i++) {
    // Below the first bit lie bits of other sections; a code that needs them ends below it and is refused.
    const row = rows[bits(view, bit - maxBits, maxBits)] ?? 0
    target[i] = row >>> 8
    bit -= row & 0xff
    need(bit >= first, 'a block ends within its literals')
  }
  need(bit === first, 'a block has bits left behind its literals')
}

/** Reads the description of RFC 8878 4.2.1 and gives where it ends. */
export function readHuffmanTable(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): { table: HuffmanTable; end: number } {
  need(start < end, 'a block ends within its Huffman table')
  const head = view.getUint8(start)
  const stop = start + 1 + (head < 128 ? head : (head - 126) >>> 1)
  need(stop <= end, 'a block ends within its Huffman table')
  const weights = head < 128 ? readPackedWeights(bytes, view, start + 1, stop) : []
  for (let i = 0; head >= 128 && i < head - 127; i++) {
    const byte = view.getUint8(start + 1 + (i >>> 1))
    weights.push(i % 2 === 0 ? byte >>> 4 : byte & 15)
  }
  return { table: buildHuffmanTable(weights), end: stop }
}

/** Weights told by two FSE states that take turns until the bits run out. */
function readPackedWeights(bytes: Uint8Array, view: DataView, start: number, end: number): number[] {
  const { table, end: first } = readFseTable(bytes, start, end, largestWeightAccuracy, 255)
  const weights: number[] = []
  let bit = endOfBits(view, first, end)
  const states = [0, 0]
  for (const turn of [0, 1]) {
    bit -= table.accuracy
    need(bit >= first * 8, 'a block ends within its Huffman table')
    states[turn] = bits(view, bit, table.accuracy)
  }
  for (let turn = 0; ; turn = 1 - turn) {
    const state = states[turn] ?? 0
    weights.push(table.symbols[state] ?? 0)
    need(weights.length < 255, 'a Huffman table has too many weights')
    const width = table.bits[state] ?? 0
    bit -= width
    if (bit < first * 8) {
      weights.push(table.symbols[states[1 - turn] ?? 0] ?? 0)
      return weights
    }
    states[turn] = (table.bases[state] ?? 0) + bits(view, bit, width)
  }
}

/** The last symbol's weight is not told: it is what fills the table up to a power of two. */
function buildHuffmanTable(weights: number[]): HuffmanTable {
  let sum = 0
  for (const weight of weights) sum += weight === 0 ? 0 : 2 ** (weight - 1)
  need(sum > 0 && sum < 1 << largestCode, 'the weights of a Huffman table do not add up')
  const maxBits = highBit(sum) + 1
  const size = 1 << maxBits
  const rest = size - sum
  need((rest & (rest - 1)) === 0, 'the weights of a Huffman table do not add up')
  const all = [...weights, highBit(rest) + 1]
  const rows = new Uint16Array(size)
  let at = 0
  for (let weight = 1; weight <= maxBits; weight++) {
    for (const [symbol, own] of all.entries()) {
      if (own !== weight) continue
      const next = at + (1 << (weight - 1))
      rows.fill((symbol << 8) | (maxBits + 1 - weight), at, next)
      at = next
    }
  }
  need(at === size, 'the weights of a Huffman table do not add up')
  return { maxBits, rows }
}
