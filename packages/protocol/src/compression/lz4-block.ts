import { copyLiterals, copyMatch, matchLength, type Span, span } from './copy.ts'
import { malformed, tooLarge } from './failure.ts'

/**
 * LZ4 blocks, both ways. Written here because a block carries neither magic nor length, and no kept package decodes one
 * of unknown length under a bound. Reading is two passes: the first follows the tokens alone and gives the exact size,
 * or the fault, before a byte is allocated; the second copies.
 *
 * @see https://github.com/lz4/lz4/blob/v1.10.0/doc/lz4_Block_format.md
 */

const minMatch = 4
/** "The last 5 bytes are always literals", and "the last match must start at least 12 bytes before the end". */
const lastLiterals = 5
const matchLimit = 12
const maxDistance = 65_535

const tableBits = 14
const table = new Int32Array(1 << tableBits)

/**
 * A block, or one with its size before it, which Python's `lz4.block.compress` writes unless told not to.
 * @throws {EasError} `invalid_request` for a malformed block, `too_large` for one of more than `maxBytes`.
 */
export function decompressLz4Block(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const input = span(bytes)
  const size = measureLz4Block(input, 0, bytes.length, 0, maxBytes)
  if (size === 'too_large') throw tooLarge('lz4', maxBytes)
  if (typeof size === 'number') return decode(0, size)
  const declared = bytes.length < 4 ? 0 : input.view.getUint32(0, true)
  if (declared > 0 && measureLz4Block(input, 4, bytes.length, 0, maxBytes) === declared) return decode(4, declared)
  throw malformed('lz4', size)

  function decode(start: number, outputBytes: number) {
    const output = span(new Uint8Array(outputBytes))
    decodeLz4Block(input, start, bytes.length, output, 0)
    return output.bytes
  }
}

/**
 * Bytes that the block from `start` to `end` decodes to, or what is wrong with it.
 * @param history Bytes decoded before it that its matches may reach.
 */
export function measureLz4Block(
  { view }: Span,
  start: number,
  end: number,
  history: number,
  maxBytes: number,
): number | string {
  let size = 0
  let i = start
  while (i < end) {
    const token = view.getUint8(i++)
    let literals = token >>> 4
    if (literals === 15) {
      for (let byte = 255; byte === 255; literals += byte) {
        if (i >= end) return 'it ends within the length of a literal'
        byte = view.getUint8(i++)
      }
    }
    if (literals > end - i) return 'it ends within a literal'
    i += literals
    size += literals
    if (size > maxBytes) return 'too_large'
    if (i === end) {
      return (token & 15) === 0 ? size : 'it ends before the match that its last token announces'
    }
    if (end - i < 2) return 'it ends within a match'
    const distance = view.getUint16(i, true)
    i += 2
    if (distance === 0 || distance > history + size) return `a match reaches ${distance} bytes back from byte ${size}`
    let length = (token & 15) + minMatch
    if (length === 15 + minMatch) {
      for (let byte = 255; byte === 255; length += byte) {
        if (i >= end) return 'it ends within the length of a match'
        byte = view.getUint8(i++)
      }
    }
    size += length
    if (size > maxBytes) return 'too_large'
  }
  return 'it ends without a last literal'
}

/** Decodes a block that was measured to `output` from `at` on, and gives where it ended. */
export function decodeLz4Block(input: Span, start: number, end: number, output: Span, at: number): number {
  const { view } = input
  let i = start
  for (;;) {
    const token = view.getUint8(i++)
    let literals = token >>> 4
    if (literals === 15) {
      for (let byte = 255; byte === 255; literals += byte) byte = view.getUint8(i++)
    }
    copyLiterals(input, i, output, at, literals)
    i += literals
    at += literals
    if (i >= end) return at
    const distance = view.getUint16(i, true)
    i += 2
    let length = (token & 15) + minMatch
    if (length === 15 + minMatch) {
      for (let byte = 255; byte === 255; length += byte) byte = view.getUint8(i++)
    }
    copyMatch(output, at, distance, length)
    at += length
  }
}

/** Bytes that a block of `size` bytes takes at most. */
export const maxLz4BlockBytes = (size: number) => size + Math.ceil(size / 255) + 16

/** One block, without the length its reader has to be told. */
export function compressLz4Block(bytes: Uint8Array): Uint8Array {
  const output = span(new Uint8Array(maxLz4BlockBytes(bytes.length)))
  return output.bytes.subarray(0, encodeLz4Block(span(bytes), 0, bytes.length, output, 0))
}

const hash = (word: number) => Math.imul(word, 0x9e3779b1) >>> (32 - tableBits)

/** Encodes the bytes from `start` to `end` to `output` from `at` on, and gives where it ended. */
export function encodeLz4Block(input: Span, start: number, end: number, output: Span, at: number): number {
  const { view } = input
  const limit = end - matchLimit
  let written = start
  let i = start + 1
  table.fill(start)
  while (i <= limit) {
    let misses = 64 // as in Snappy's encoder: looks grow further apart where nothing matches
    let candidate = start
    let found = false
    while (i <= limit) {
      const word = view.getInt32(i, true)
      const slot = hash(word)
      candidate = table[slot] ?? start
      table[slot] = i
      if (i - candidate <= maxDistance && view.getInt32(candidate, true) === word) {
        found = true
        break
      }
      i += misses++ >>> 6
    }
    if (!found) break
    // The bytes before may agree too: a leap passes over where a match begins.
    while (i > written && candidate > start && view.getUint8(i - 1) === view.getUint8(candidate - 1)) {
      i--
      candidate--
    }
    const length = minMatch + matchLength(view, candidate + minMatch, i + minMatch, end - lastLiterals)
    at = writeLiterals(input, written, i, output, at, Math.min(length - minMatch, 15))
    output.view.setUint16(at, i - candidate, true)
    at += 2
    if (length - minMatch >= 15) at = writeLength(output.view, at, length - minMatch - 15)
    i += length
    written = i
    if (i <= limit) table[hash(view.getInt32(i - 2, true))] = i - 2
  }
  return writeLiterals(input, written, end, output, at, 0)
}

function writeLiterals(input: Span, start: number, end: number, output: Span, at: number, matchBits: number): number {
  const length = end - start
  output.view.setUint8(at++, (Math.min(length, 15) << 4) | matchBits)
  if (length >= 15) at = writeLength(output.view, at, length - 15)
  copyLiterals(input, start, output, at, length)
  return at + length
}

function writeLength(view: DataView, at: number, rest: number): number {
  for (; rest >= 255; rest -= 255) view.setUint8(at++, 255)
  view.setUint8(at++, rest)
  return at
}
