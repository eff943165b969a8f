const digit0 = 0x30
const point = 0x2e
const minus = 0x2d
const powersOf10 = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))
/** By the exponent bits of a float32: half the distance to the next double, and the power of ten that gives it seven digits. */
const halfSteps = Array.from({ length: 256 }, (_, exponent) => 2 ** (exponent - 127 - 53))
const scales = Array.from({ length: 256 }, (_, exponent) => 6 - Math.floor(Math.log10(2 ** (exponent - 127))))
/** Both digits of a number below 100, the first in the low byte. */
const pairs = Uint16Array.from({ length: 100 }, (_, i) => digit0 + Math.floor(i / 10) + ((digit0 + (i % 10)) << 8))
const float = new Float32Array(1)
const floatBits = new Int32Array(float.buffer)

/** Bytes that `writeFloat32` takes at most: a sign, and 17 digits with `0.00000` before them. */
export const float32TextBytes = 25
/** Above it a float32 is an integer, or has more than seven digits before the point. */
const largest = 2 ** 23
/** Below it `String` writes an exponent, and products are no longer exact. */
const smallest = 1e-6

/**
 * Writes a float32 as `String` writes it, the shortest decimal that is read as the same double, where that is exact in
 * doubles; several times as fast.
 *
 * A float32 is m × 2^e with m below 2^24, so that its first seven digits, the eight behind them and the two behind those
 * each are one product of doubles that is not rounded. 15 digits are enough for a double where they are within half
 * the distance to the next one, which there is one decimal for at most; else 16 are, else 17: the nearest such decimal,
 * of two as near the even one. @see ECMA-262, Number::toString
 *
 * @param at Where there is room for `float32TextBytes`.
 * @returns where the text ends; -1 for a number that is left to `String`.
 */
export function writeFloat32(bytes: Uint8Array, at: number, value: number): number {
  const size = value < 0 ? -value : value
  if (value === (value | 0)) return writeInteger(bytes, at, value | 0)
  if (!(size >= smallest && size < largest)) return -1
  float[0] = size
  const bits = floatBits[0] as number // there is one
  // What is below a power of two is twice as near as what is above.
  if ((bits & 0x7fffff) === 0) return -1
  const exponent = bits >> 23

  let scale = scales[exponent] as number // 256 of them
  let scaled = size * (powersOf10[scale] as number) // from 0 to 12
  if (scaled >= 1e7) scaled = size * (powersOf10[--scale] as number) // from 0 to 11
  const first7 = scaled | 0
  const behind7 = (scaled - first7) * 1e8
  let next8 = behind7 | 0
  const behind15 = (behind7 - next8) * 100
  // In units of the 17th digit, as what is behind the 15th; the interval is closed, for the double is even.
  const half = (halfSteps[exponent] as number) * (powersOf10[scale + 10] as number) // 256, and up to 22

  let end = at
  if (value < 0) bytes[end++] = minus
  let zeros = scale - 7
  if (zeros >= 0) {
    bytes[end++] = digit0
    bytes[end++] = point
    for (; zeros > 0; zeros--) bytes[end++] = digit0
    end = writeDigits(bytes, end, first7, 7)
  } else {
    const fraction = powersOf10[scale] as number // from 0 to 6
    const whole = (first7 / fraction) | 0
    end = writeDigits(bytes, end, whole, 7 - scale)
    bytes[end++] = point
    end = writeDigits(bytes, end, first7 - whole * fraction, scale)
  }
  if (behind15 <= half || 100 - behind15 <= half) {
    if (behind15 > half && ++next8 === 1e8) return -1 // it carries into the digits before
    end = writeDigits(bytes, end, next8, 8)
    while (bytes[end - 1] === digit0) end--
    return end
  }
  end = writeDigits(bytes, end, next8, 8)
  const digit = (behind15 / 10) | 0
  const behind16 = behind15 - 10 * digit
  if (behind16 <= half || 10 - behind16 <= half) {
    bytes[end++] = digit0 + digit + (behind16 > 5 || (behind16 === 5 && (digit & 1) === 1) ? 1 : 0)
    return end
  }
  const last = behind16 | 0
  const rest = behind16 - last
  bytes[end++] = digit0 + digit
  bytes[end++] = digit0 + last + (rest > 0.5 || (rest === 0.5 && (last & 1) === 1) ? 1 : 0)
  return end
}

/** An integer of 32 bits. @param at Where there is room for eleven bytes. */
export function writeInteger(bytes: Uint8Array, at: number, value: number): number {
  if (value < 0) {
    if (value === -2147483648) return writeDigits(bytes, writeInteger(bytes, at, -214748364), 8, 1)
    bytes[at] = minus
    return writeInteger(bytes, at + 1, -value)
  }
  let count = 1
  for (let rest = value; rest > 9; rest = (rest / 10) | 0) count++
  return writeDigits(bytes, at, value, count)
}

/** Two at a time, which halves the divisions. */
function writeDigits(bytes: Uint8Array, at: number, value: number, count: number): number {
  let rest = value
  let i = at + count
  while (i - at > 1) {
    const hundredth = (rest / 100) | 0
    const pair = pairs[rest - 100 * hundredth] as number // 100 of them
    bytes[--i] = pair >> 8
    bytes[--i] = pair
    rest = hundredth
  }
  if (i > at) bytes[at] = digit0 + rest
  return at + count
}
