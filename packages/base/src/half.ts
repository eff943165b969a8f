/** Conversions between float32 and the two 16-bit floats, rounding to nearest, ties to even, as IEEE 754 asks. */

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** Bits of the `float16` nearest to `value`; too large becomes infinity, NaN stays NaN. */
export function toHalf(value: number): number {
  float[0] = value
  const x = bits[0] ?? 0
  const sign = (x >>> 16) & 0x8000
  const magnitude = x & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x47800000) return sign | 0x7c00
  if (magnitude < 0x33000000) return sign
  if (magnitude < 0x38800000) {
    // Subnormal: shift the mantissa, with its hidden bit, to the exponent of the smallest normal.
    const shift = 126 - (magnitude >>> 23)
    const mantissa = (magnitude & 0x7fffff) | 0x800000
    const half = mantissa >>> shift
    const rest = mantissa & ((1 << shift) - 1)
    const middle = 1 << (shift - 1)
    return sign | (half + (rest > middle || (rest === middle && (half & 1) === 1) ? 1 : 0))
  }
  // Adding just under half a unit in the last place, plus the parity bit, rounds ties to even and carries by itself.
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
}

/** The float32 value of `float16` bits, exact. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >>> 10) & 0x1f
  const mantissa = half & 0x3ff
  if (exponent === 0) return sign * mantissa * 2 ** -24
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15)
}

/** Bits of the `bfloat16` nearest to `value`. */
export function toBfloat16(value: number): number {
  float[0] = value
  const x = bits[0] ?? 0
  if ((x & 0x7fffffff) > 0x7f800000) return ((x >>> 16) & 0xffff) | 0x40
  return ((x + 0x7fff + ((x >>> 16) & 1)) >>> 16) & 0xffff
}

/** The float32 value of `bfloat16` bits, exact. */
export function fromBfloat16(bfloat16: number): number {
  bits[0] = bfloat16 << 16
  return float[0] ?? 0
}
