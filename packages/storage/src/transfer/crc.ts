import { crc32 as zlibCrc32 } from 'node:zlib'

/** A CRC of 32 bits: its reflected polynomial, and how it goes on over more bytes. */
export interface Crc {
  readonly polynomial: number
  /** The CRC of bytes whose CRC so far is `crc` (0), followed by `bytes`. */
  readonly update: (bytes: Uint8Array, crc?: number) => number
}

/** CRC-32 of ISO 3309, as in zip, gzip and `x-amz-checksum-crc32`. zlib's, which uses the processor's own instructions. */
export const crc32: Crc = { polynomial: 0xedb88320, update: (bytes, crc = 0) => zlibCrc32(bytes, crc) }

/** CRC-32C, Castagnoli's, of RFC 3720, B.4: what Google Cloud Storage keeps of every object. */
export const crc32c: Crc = { polynomial: 0x82f63b78, update: (bytes, crc = 0) => sliced(bytes, crc) }

/**
 * Eight tables of 256: `tables[k * 256 + b]` is the CRC of byte `b` followed by `k` zeros.
 * Kounavis and Berry, "A Systematic Approach to Building High Performance Software-based CRC Generators", 2005.
 */
let tables: Uint32Array | undefined

function makeTables(polynomial: number): Uint32Array {
  const made = new Uint32Array(8 * 256)
  for (let b = 0; b < 256; b++) {
    let crc = b
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    made[b] = crc
  }
  for (let at = 256; at < made.length; at++) {
    const before = made[at - 256] ?? 0
    made[at] = (before >>> 8) ^ (made[before & 255] ?? 0)
  }
  return made
}

function sliced(bytes: Uint8Array, before: number): number {
  tables ??= makeTables(crc32c.polynomial)
  const t = tables
  // Every index below is inside its array by the loops' bounds and the masks.
  const byteAt = (at: number) => bytes[at] as number
  let crc = ~before
  let at = 0
  for (const end = bytes.length - 7; at < end; at += 8) {
    const low = crc ^ (byteAt(at) | (byteAt(at + 1) << 8) | (byteAt(at + 2) << 16) | (byteAt(at + 3) << 24))
    crc =
      (t[1792 + (low & 255)] as number) ^
      (t[1536 + ((low >>> 8) & 255)] as number) ^
      (t[1280 + ((low >>> 16) & 255)] as number) ^
      (t[1024 + (low >>> 24)] as number) ^
      (t[768 + byteAt(at + 4)] as number) ^
      (t[512 + byteAt(at + 5)] as number) ^
      (t[256 + byteAt(at + 6)] as number) ^
      (t[byteAt(at + 7)] as number)
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ (t[(crc ^ byteAt(at)) & 255] as number)
  return ~crc >>> 0
}

/**
 * The CRC of two runs of bytes, one behind the other, from the CRC of each and the second's length. So parts that arrive in
 * any order are checked as they come. After Adler's `crc32_combine` in zlib: polynomials over GF(2), reflected.
 */
export function combineCrc({ polynomial }: Crc, first: number, second: number, secondBytes: number): number {
  // x to the power of 8 × secondBytes, modulo the polynomial, by repeated squaring.
  let power = 0x80000000 // 1
  let square = 0x00800000 // x^8, the shift by one byte
  for (let bytes = secondBytes; bytes > 0; bytes = Math.floor(bytes / 2)) {
    if (bytes % 2 === 1) power = multiply(polynomial, power, square)
    square = multiply(polynomial, square, square)
  }
  return (multiply(polynomial, power, first) ^ second) >>> 0
}

function multiply(polynomial: number, a: number, b: number): number {
  let product = 0
  let shifted = b
  for (let mask = 0x80000000; mask !== 0; mask >>>= 1) {
    if (a & mask) product ^= shifted
    shifted = shifted & 1 ? (shifted >>> 1) ^ polynomial : shifted >>> 1
  }
  return product >>> 0
}

/** Eight hex digits. */
export const crcHex = (crc: number): string => (crc >>> 0).toString(16).padStart(8, '0')
