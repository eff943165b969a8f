import type { JsonScanner } from './json-scanner.ts'

const digit0 = 0x30
const minus = 0x2d
const plus = 0x2b
const point = 0x2e
const comma = 0x2c
const space = 0x20
const letterE = 0x65
/** The digit 0, four times. */
const zeros = 0x30303030
/** Digits before a point that are summed. */
const wholeMax = 20
/** Digits of a fraction that are summed: a double below 0.001 has some twenty. */
const fractionMax = 24
/** Bytes that may be looked at for a number: digits, a point, the fraction, an exponent, and four at once. */
const longestNumber = 64
/** Powers beyond 10^22 are rounded themselves, which `isClear` allows for. */
const powersOf10 = Array.from({ length: 61 }, (_, i) => Number(`1e${i}`))
const exactPower = 22
const largestPower = powersOf10.length - 1
/** Sums below have not been rounded: those before them were smaller integers. */
const exactSum = 2 ** 53
/** What a sum of 44 digits, its power of ten and their product may have been rounded by, relative, twice over. */
const doubt = 6e-15

/**
 * Numbers of a list, from where the scanner is on, with nothing but commas and spaces between: each the nearest float32 of the
 * nearest double, as of `JSON.parse`; as far as that can be told from a sum of its digits, and as far as there is room. What
 * comes then is left to `JsonScanner.float32`, with the comma before it.
 *
 * Digits are summed in a double. A sum that is exact and one power of ten up to 22 give the nearest double. Others are wrong by
 * some units in the last place, which matters to a float32 only next to the middle between two of them.
 * @returns how many there were.
 * @see William D. Clinger, "How to read floating point numbers accurately", 1990
 */
export function readFloats(scanner: JsonScanner, into: Float32Array, from: number): number {
  const { bytes, end, words } = scanner
  // Numbers that begin before it are read without looking for the end at each byte; none is taken that goes beyond the end.
  const last = bytes.length - longestNumber
  let at = scanner.at
  let count = 0
  for (let room = into.length - from; count < room; ) {
    let c = at < end ? (bytes[at] as number) : 0 // before the end
    if (count > 0) {
      if (c !== comma) break
      c = ++at < end ? (bytes[at] as number) : 0 // before the end
      while (c === space) c = ++at < end ? (bytes[at] as number) : 0 // before the end
    }
    const negative = c === minus
    const first = negative ? at + 1 : at
    if (first > last) break
    at = first
    let digit = (bytes[at] as number) - digit0 // all that a number may take is before the array's end
    let whole = 0
    while (digit >= 0 && digit <= 9 && at - first < 9) {
      whole = (whole * 10 + digit) | 0
      digit = (bytes[++at] as number) - digit0 // as above
    }
    let value = whole
    while (digit >= 0 && digit <= 9 && at - first < wholeMax) {
      value = value * 10 + digit
      digit = (bytes[++at] as number) - digit0 // as above
    }
    if (at === first || (at - first > 1 && bytes[first] === digit0)) break
    let power = 0
    if (digit === point - digit0) {
      const start = ++at
      while (at - start < fractionMax) {
        const four = words.getInt32(at, true) ^ zeros
        const others = notDigits(four)
        if (others !== 0) {
          // Of the bytes before the first that is no digit, the others shifted out: zeros before them.
          const some = (31 - Math.clz32(others & -others)) >> 3
          if (some > 0) value = value * (powersOf10[some] as number) + sumOf(four << (32 - 8 * some)) // 1 to 3
          at += some
          break
        }
        value = value * 10000 + sumOf(four)
        at += 4
      }
      power = start - at
      if (power === 0) break
      digit = (bytes[at] as number) - digit0 // as above
    }
    if (((digit + digit0) | 0x20) === letterE) {
      const sign = bytes[++at]
      if (sign === minus || sign === plus) at++
      const start = at
      let exponent = 0
      digit = (bytes[at] as number) - digit0 // as above
      while (digit >= 0 && digit <= 9 && at - start < 2) {
        exponent = exponent * 10 + digit
        digit = (bytes[++at] as number) - digit0 // as above
      }
      if (at === start) break
      power += sign === minus ? -exponent : exponent
    }
    // More digits, or the end before them.
    if ((digit >= 0 && digit <= 9) || at > end) break
    if (power !== 0 || value >= exactSum) {
      const distance = power < 0 ? -power : power
      if (distance > largestPower) break
      const ten = powersOf10[distance] as number // looked at
      const isExact = value < exactSum && distance <= exactPower
      value = power < 0 ? value / ten : value * ten
      if (!isExact && !isClear(value)) break
    }
    into[from + count++] = negative ? -value : value
    scanner.at = at
  }
  return count
}

/** As `readFloats`, integers of 64 bits, as the two halves of each. */
export function readIntegers(scanner: JsonScanner, into: Int32Array, from: number): number {
  const { bytes, end } = scanner
  let at = scanner.at
  let count = 0
  for (let room = (into.length >> 1) - from; count < room; ) {
    let c = at < end ? (bytes[at] as number) : 0 // before the end
    if (count > 0) {
      if (c !== comma) break
      c = ++at < end ? (bytes[at] as number) : 0 // before the end
      while (c === space) c = ++at < end ? (bytes[at] as number) : 0 // before the end
    }
    const negative = c === minus
    if (negative) c = ++at < end ? (bytes[at] as number) : 0 // before the end
    const first = at
    let digit = c - digit0
    let value = 0
    while (digit >= 0 && digit <= 9 && at - first < 9) {
      value = (value * 10 + digit) | 0
      digit = (++at < end ? (bytes[at] as number) : 0) - digit0 // before the end
    }
    while (digit >= 0 && digit <= 9 && at - first < 20) digit = (++at < end ? (bytes[at] as number) : 0) - digit0 // as above
    const digits = at - first
    if (digits === 0 || (digits > 1 && bytes[first] === digit0)) break
    if ((digit >= 0 && digit <= 9) || digit === point - digit0 || ((digit + digit0) | 0x20) === letterE) break
    const place = 2 * (from + count)
    if (digits <= 9) {
      into[place] = negative ? -value : value
      into[place + 1] = negative && value !== 0 ? -1 : 0
    } else if (!putWide(bytes, first, at, negative, into, place)) break
    count++
    scanner.at = at
  }
  return count
}

/** An integer of 10 to 20 digits. @returns whether it is of 64 bits. */
function putWide(
  bytes: Uint8Array,
  first: number,
  end: number,
  negative: boolean,
  into: Int32Array,
  place: number,
): boolean {
  let high = 0
  let low = 0
  let at = first
  for (; at < end - 9; at++) high = high * 10 + (bytes[at] as number) - digit0 // read before
  for (; at < end; at++) low = low * 10 + (bytes[at] as number) - digit0 // read before
  // Times 10^9 in two halves, each of which is exact: `high` is below 2^37, and they meet at 2^16.
  const upper = Math.floor(high / 65536) * 1e9
  const lower = (high % 65536) * 1e9 + low + (upper % 65536) * 65536
  const above = Math.floor(upper / 65536) + Math.floor(lower / 4294967296)
  const below = lower % 4294967296
  if (above > 2147483647 && !(negative && above === 2147483648 && below === 0)) return false
  into[place] = negative ? -below : below
  into[place + 1] = negative ? -above - (below === 0 ? 0 : 1) : above
  return true
}

/** Of four bytes less the digit 0: bits of those that are no digits, right up to the first of them. */
const notDigits = (four: number) => ((four + 0x06060606) | four) & 0xf0f0f0f0

/** Of four digits, the first in the lowest byte: tens, then hundreds. No byte overflows into the next. */
function sumOf(four: number): number {
  const two = four * 10 + (four >>> 8)
  return (two & 0xff) * 100 + ((two >> 16) & 0xff)
}

/** Whether all that a value may have been before it was rounded is one float32. */
const isClear = (value: number) => Math.fround(value * (1 - doubt)) === Math.fround(value * (1 + doubt))
