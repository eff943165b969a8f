import { copyLiterals, copyMatch, matchLength, type Span, span } from './copy.ts'
import { malformed, tooLarge } from './failure.ts'

/**
 * Raw Snappy blocks, both ways. Written here because it is all that the Python client compresses with, so the time is
 * spent on every such request: snappyjs 0.7 decodes tensors at a tenth of this speed, and the native package, a binary
 * for each platform, takes no limit.
 *
 * @see https://github.com/google/snappy/blob/1.2.2/format_description.txt
 */

/** The densest element is a copy of 64 bytes told in 3, so no block declares more than 64/3 of its own bytes. */
const maxRatio = 64 / 3

/** Bytes the encoder looks back over: the reference's fragment, which a 2-byte offset covers. */
const fragmentBytes = 65_536
const tableBits = 14
const table = new Uint16Array(1 << tableBits)

/** From this many times the bytes present on, a declared size is proven before it is allocated. */
const trustedRatio = 8

/** @throws {EasError} `invalid_request` for a malformed block, `too_large` when it declares more than `maxBytes`. */
export function decompressSnappy(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const input = span(bytes)
  const header = readHeader(input)
  if (typeof header === 'string') throw malformed('snappy', header)
  if (header.size > maxBytes) throw tooLarge('snappy', maxBytes)
  const content = decode(input, header)
  if (typeof content === 'string') throw malformed('snappy', content)
  return content
}

/**
 * The content of a Snappy block, `'too_large'` for a block of more than `maxBytes`, or undefined for anything else.
 * Another format costs a look at a few elements: a protobuf message's first byte declares fewer than 128 bytes.
 */
export function trySnappy(bytes: Uint8Array, maxBytes: number): Uint8Array | 'too_large' | undefined {
  const input = span(bytes)
  const header = readHeader(input)
  if (typeof header === 'string') return undefined
  if (header.size > maxBytes) return walk(input, header) === undefined ? 'too_large' : undefined
  const content = decode(input, header)
  return typeof content === 'string' ? undefined : content
}

/** The content, or what is wrong with the block. */
function decode(input: Span, header: Header): Uint8Array | string {
  const isSuspect = header.size > trustedRatio * input.bytes.length
  const fault = isSuspect ? walk(input, header) : undefined
  if (fault) return fault
  const output = span(new Uint8Array(header.size))
  return walk(input, header, output) ?? output.bytes
}

interface Header {
  /** Declared bytes of content. */
  readonly size: number
  /** Where the elements start. */
  readonly start: number
}

/** The header, or what is wrong with it. */
function readHeader({ view }: Span): Header | string {
  let size = 0
  for (let start = 0; start < 5; ) {
    if (start === view.byteLength) return 'it ends within its declared length'
    const byte = view.getUint8(start)
    size += (byte & 0x7f) * 2 ** (7 * start++)
    if (byte >= 0x80) continue
    if (size > 0xffff_ffff) break
    if (size <= (view.byteLength - start) * maxRatio) return { size, start }
    return `it declares ${size} bytes, more than ${view.byteLength - start} bytes can hold`
  }
  return 'its declared length is over 32 bits'
}

/** Follows every element, copying when there is an `output`. Gives what is wrong, or undefined. */
function walk(input: Span, { start, size }: Header, output?: Span): string | undefined {
  const { view } = input
  const end = view.byteLength
  let at = 0
  let i = start
  while (i < end) {
    const tag = view.getUint8(i++)
    if ((tag & 3) === 0) {
      let length = (tag >>> 2) + 1
      if (length > 60) {
        const lengthBytes = length - 60
        if (lengthBytes > end - i) return 'it ends within the length of a literal'
        length = readLength(view, i, lengthBytes) + 1
        i += lengthBytes
      }
      if (length > end - i) return 'it ends within a literal'
      if (length > size - at) return `it decodes to more than the ${size} bytes it declares`
      if (output) copyLiterals(input, i, output, at, length)
      i += length
      at += length
    } else {
      let length: number
      let distance: number
      if ((tag & 3) === 1) {
        if (i >= end) return 'it ends within a copy'
        length = ((tag >>> 2) & 7) + 4
        distance = ((tag & 0xe0) << 3) | view.getUint8(i)
        i++
      } else {
        const distanceBytes = (tag & 3) === 2 ? 2 : 4
        if (distanceBytes > end - i) return 'it ends within a copy'
        length = (tag >>> 2) + 1
        distance = distanceBytes === 2 ? view.getUint16(i, true) : view.getUint32(i, true)
        i += distanceBytes
      }
      if (distance === 0 || distance > at) return `a copy reaches ${distance} bytes back from byte ${at}`
      if (length > size - at) return `it decodes to more than the ${size} bytes it declares`
      if (output) copyMatch(output, at, distance, length)
      at += length
    }
  }
  return at === size ? undefined : `it decodes to ${at} of the ${size} bytes it declares`
}

function readLength(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at)
  if (bytes === 2) return view.getUint16(at, true)
  if (bytes === 4) return view.getUint32(at, true)
  return view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
}

/** A block that any Snappy decoder reads. */
export function compressSnappy(bytes: Uint8Array): Uint8Array {
  const input = span(bytes)
  const output = span(new Uint8Array(32 + bytes.length + Math.ceil(bytes.length / 6))) // the reference's bound
  let at = 0
  let rest = bytes.length
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) output.view.setUint8(at++, (rest & 0x7f) | 0x80)
  output.view.setUint8(at++, rest)
  for (let start = 0; start < bytes.length; start += fragmentBytes) {
    at = compressFragment(input, start, Math.min(start + fragmentBytes, bytes.length), output, at)
  }
  return output.bytes.subarray(0, at)
}

const hash = (word: number) => Math.imul(word, 0x1e35a7bd) >>> (32 - tableBits)

/** Gives the end of what it wrote. The order of looks and leaps is the reference's. */
function compressFragment(input: Span, start: number, end: number, output: Span, at: number): number {
  const { view } = input
  const limit = end - 15 // every look may then read a whole word, and its neighbour
  let written = start
  let i = start + 1
  table.fill(0)
  while (i <= limit) {
    // Where nothing matches, looks grow further apart: one every 2 bytes after 32 misses, every 3 after 16 more…
    let misses = 32
    let candidate = start
    let found = false
    while (i <= limit) {
      const word = view.getInt32(i, true)
      const slot = hash(word)
      candidate = start + (table[slot] ?? 0)
      table[slot] = i - start
      if (view.getInt32(candidate, true) === word) {
        found = true
        break
      }
      i += misses++ >>> 5
    }
    if (!found) break
    if (written < i) at = writeLiteral(input, written, i, output, at)
    for (;;) {
      const length = 4 + matchLength(view, candidate + 4, i + 4, end)
      at = writeCopy(output.view, at, i - candidate, length)
      i += length
      written = i
      if (i > limit) break
      table[hash(view.getInt32(i - 1, true))] = i - 1 - start
      const word = view.getInt32(i, true)
      const slot = hash(word)
      candidate = start + (table[slot] ?? 0)
      table[slot] = i - start
      if (view.getInt32(candidate, true) !== word) break
    }
    i++
  }
  return written < end ? writeLiteral(input, written, end, output, at) : at
}

function writeLiteral(input: Span, start: number, end: number, output: Span, at: number): number {
  const length = end - start
  const { view } = output
  if (length <= 60) {
    view.setUint8(at++, (length - 1) << 2)
  } else if (length <= 256) {
    view.setUint8(at++, 60 << 2)
    view.setUint8(at++, length - 1)
  } else {
    view.setUint8(at++, 61 << 2)
    view.setUint16(at, length - 1, true)
    at += 2
  }
  copyLiterals(input, start, output, at, length)
  return at + length
}

function writeCopy(view: DataView, at: number, distance: number, length: number): number {
  while (length > 0) {
    if (length >= 4 && length < 12 && distance < 2048) {
      view.setUint8(at, 1 | ((length - 4) << 2) | ((distance >>> 8) << 5))
      view.setUint8(at + 1, distance & 0xff)
      return at + 2
    }
    // A last copy of fewer than 4 bytes would cost as much as a longer one, so the one before leaves it 8.
    const count = length >= 68 ? 64 : length > 64 ? 60 : length
    view.setUint8(at, 2 | ((count - 1) << 2))
    view.setUint16(at + 1, distance, true)
    at += 3
    length -= count
  }
  return at
}
