import { emit, knownScalar, type Quant, scalar, type Value } from '@eas/onnx'
import type { Call } from '../call.ts'

/** What an 8-bit number stands for. */
interface Affine {
  readonly scale: number
  readonly zero: number
}

/**
 * The sum of two quantised tensors, by ONNX Runtime's kernel of bytes. Where torch's floats and the kernel's own land on
 * different sides of a half, for one pair of bytes in some hundred thousands, the scales that the kernel is given are moved by
 * some units in the last place until all pairs come out as torch's.
 *
 * @param isRelu Whether what is below zero becomes zero.
 * @returns undefined where the kernel does not apply: only a run knows the scales, or zero is not the least number.
 * @see aten/src/ATen/native/quantized/cpu/kernels/QuantizedOpKernels.cpp `qadd_kernel` (2.4), onnxruntime/core/mlas/lib/qladd.cpp (1.30)
 */
export function quantisedSum(c: Call, a: Value, b: Value, quant: Quant, isRelu: boolean): Value | undefined {
  const [x, y, z] = [affineOf(a.quant), affineOf(b.quant), affineOf(quant)]
  if (!x || !y || !z || a.dtype !== 'uint8' || b.dtype !== 'uint8' || (isRelu && z.zero !== 0)) return undefined
  const scales = fittingScales(x, y, z)
  const byte = (value: number) => scalar('uint8', value)
  const number = (value: number) => scalar('float32', value)
  const inputs = [a, number(scales.x), byte(x.zero), b, number(scales.y), byte(y.zero), number(z.scale), byte(z.zero)]
  const shape = emit.broadcastShapes(c.g, a.shape, b.shape)
  const [sum] = c.g.node('QLinearAdd', inputs, [{ dtype: 'uint8', shape, quant }], {}, 'com.microsoft')
  return sum
}

function affineOf(quant: Quant | undefined): Affine | undefined {
  if (!quant || quant.axis !== undefined) return undefined
  const [scale, zero] = [knownScalar(quant.scale), knownScalar(quant.zeroPoint)]
  return typeof scale === 'number' && typeof zero === 'number' && scale > 0 ? { scale: f32(scale), zero } : undefined
}

const f32 = Math.fround

/** How far scales are moved at most, in units in the last place. */
const farthest = 6

/** Nothing further from a half than this crosses it when scales are moved that far. */
const margin = 1e-3

/** Scales for the kernel, near those of `x` and `y`, with which as many pairs as can be add up to what torch makes of them. */
function fittingScales(x: Affine, y: Affine, z: Affine): { x: number; y: number } {
  const pairs = closePairs(x, y, z)
  const wanted = pairs.map(([p, q]) => byTorch(p, q, x, y, z))
  let best = { x: x.scale, y: y.scale, misses: Number.POSITIVE_INFINITY }
  for (const [i, j] of moves) {
    const [xScale, yScale] = [moved(x.scale, i), moved(y.scale, j)]
    const kernel = kernelOf({ ...x, scale: xScale }, { ...y, scale: yScale }, z)
    const misses = pairs.filter(([p, q], k) => kernel(p, q) !== wanted[k]).length
    if (misses < best.misses) best = { x: xScale, y: yScale, misses }
    if (misses === 0) break
  }
  return best
}

/** Pairs of steps of both scales, the smallest first. */
const moves = Array.from({ length: (2 * farthest + 1) ** 2 }, (_, k) => [
  (k % (2 * farthest + 1)) - farthest,
  Math.floor(k / (2 * farthest + 1)) - farthest,
]).sort(([a = 0, b = 0], [p = 0, q = 0]) => a * a + b * b - p * p - q * q) as [number, number][] // two of each were made

const bits = new Int32Array(1)
const float = new Float32Array(bits.buffer)

function moved(scale: number, ulps: number): number {
  float[0] = scale
  bits[0] = (bits[0] ?? 0) + ulps
  return float[0] ?? scale
}

/** Pairs whose sum is close to the middle between two bytes. */
function closePairs(x: Affine, y: Affine, z: Affine): [number, number][] {
  const pairs: [number, number][] = []
  for (let p = 0; p < 256; p++) {
    const first = ((p - x.zero) * x.scale) / z.scale + z.zero
    for (let q = 0; q < 256; q++) {
      const sum = first + ((q - y.zero) * y.scale) / z.scale
      if (sum > -1 && sum < 256 && Math.abs(sum - Math.floor(sum) - 0.5) < margin) pairs.push([p, q])
    }
  }
  return pairs
}

/** Numbers are one multiplication and addition from their bytes, and one multiplication from those of the sum. */
function byTorch(p: number, q: number, x: Affine, y: Affine, z: Affine): number {
  const number = (byte: number, { scale, zero }: Affine) => f32(scale * byte + f32(-zero * scale))
  const sum = f32(number(p, x) + number(q, y))
  return clamped(roundHalfEven(f32(sum * f32(1 / z.scale))) + z.zero)
}

/** The zero points are put together once, and each byte is multiplied and added in one. */
function kernelOf(x: Affine, y: Affine, z: Affine): (p: number, q: number) => number {
  const [ofX, ofY] = [f32(x.scale / z.scale), f32(y.scale / z.scale)]
  const rest = f32(z.zero - f32(ofX * x.zero + f32(ofY * y.zero)))
  return (p, q) => clamped(roundHalfEven(f32(ofX * p + f32(ofY * q + rest))))
}

const clamped = (value: number): number => Math.min(255, Math.max(0, value))

/** As processors round by default. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x)
  const rest = x - below
  return rest === 0.5 ? (below % 2 === 0 ? below : below + 1) : Math.round(x)
}
