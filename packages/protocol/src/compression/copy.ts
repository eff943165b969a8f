/**
 * The two copies that every LZ77 decoder is made of. Most literals and matches are a few dozen bytes, where a call of
 * `set` or `copyWithin` costs more than the copy, so short ones go by pairs of 32-bit words and long ones in bulk. A
 * pair may reach up to 7 bytes past the end of a copy: bytes the decoder has yet to write, and never outside `bytes`.
 */

/** Bytes from which `set` and `copyWithin` win over words. Measured on Node 20 to 24, flat between 48 and 128. */
const bulkBytes = 64

/** Bytes with the view that reads and writes their words. */
export interface Span {
  readonly bytes: Uint8Array
  readonly view: DataView
}

export function span(bytes: Uint8Array): Span {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) }
}

/** Copies `length` bytes of `from` to `to`. The caller has checked that they lie within both. */
export function copyLiterals(from: Span, start: number, to: Span, at: number, length: number): void {
  if (length <= bulkBytes && start + length + 7 <= from.bytes.length && at + length + 7 <= to.bytes.length) {
    const source = from.view
    const target = to.view
    for (let i = 0; i < length; i += 8) {
      target.setInt32(at + i, source.getInt32(start + i, true), true)
      target.setInt32(at + i + 4, source.getInt32(start + i + 4, true), true)
    }
  } else {
    to.bytes.set(from.bytes.subarray(start, start + length), at)
  }
}

/**
 * Repeats at `at` the `length` bytes that begin `distance` before it, as if byte by byte: a distance shorter than the
 * length repeats a pattern. The caller has checked `1 <= distance <= at` and that the copy ends within `to`.
 */
export function copyMatch(to: Span, at: number, distance: number, length: number): void {
  const { bytes, view } = to
  const from = at - distance
  if (length <= bulkBytes && distance >= 4 && at + length + 7 <= bytes.length) {
    for (let i = 0; i < length; i += 8) {
      view.setInt32(at + i, view.getInt32(from + i, true), true)
      view.setInt32(at + i + 4, view.getInt32(from + i + 4, true), true)
    }
  } else if (length <= 16) {
    for (let i = 0; i < length; i++) view.setUint8(at + i, view.getUint8(from + i))
  } else if (distance === 1) {
    bytes.fill(view.getUint8(from), at, at + length)
  } else {
    // What is copied so far is itself a source, a whole number of patterns long, so each round doubles it.
    let copied = 0
    while (copied < length) {
      const count = Math.min(distance + copied, length - copied)
      bytes.copyWithin(at + copied, from, from + count)
      copied += count
    }
  }
}

/** Bytes that agree from `a` and from `b` on, where `a < b`, up to `end`. */
export function matchLength(view: DataView, a: number, b: number, end: number): number {
  const start = b
  while (b + 4 <= end) {
    const difference = view.getInt32(a, true) ^ view.getInt32(b, true)
    if (difference !== 0) return b - start + ((31 - Math.clz32(difference & -difference)) >>> 3)
    a += 4
    b += 4
  }
  while (b < end && view.getUint8(a) === view.getUint8(b)) {
    a++
    b++
  }
  return b - start
}
