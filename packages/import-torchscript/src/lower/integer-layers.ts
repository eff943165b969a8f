import { dims, type ElementType, emit, knownScalar, type Quant, scalar, type Value, vector } from '@eas/onnx'
import type { Call } from '../call.ts'
import type { Vm } from '../vm.ts'
import { type PackedConv, type PackedLinear, plain } from './packed-params.ts'
import { centred, scaleOf, zeroPointOf } from './quantized-tensors.ts'

/**
 * Quantised layers as fbgemm computes them, torch's engine on x86: integers are multiplied and added up exactly, the bias is
 * added as a float, and only then is the sum multiplied and rounded. ONNX Runtime's own integer layers take whole biases: one
 * value in some thousands comes out a step off, and every layer behind it carries that on. The operations are those of fbgemm
 * in its order, so that the results are its to the last bit. (oneDNN, which torch 2 prefers to fbgemm for convolutions where
 * the processor has VNNI, rounds in another order: one value in millions is then a step off.)
 * @see fbgemm/src/QuantUtilsAvx2.cc `requantizeOutputProcessingAvx2`, aten/src/ATen/native/quantized/cpu/{qconv,qlinear}.cpp (2.4)
 */

/** Whole numbers, or a bias beside them, that mean `step` times as much. */
export interface Sums {
  readonly sums: Value
  /** `[C]`, a factor per output. */
  readonly step: Value
}

/** Models with a layer that has one scale for all outputs. */
const ofQnnpack = new WeakSet<Vm>()

/**
 * Whether a layer is computed as fbgemm does: its weights have a scale per output. An archive does not say for which engine it
 * was made, but qnnpack's models have one scale per layer, and biases that are whole. What is found is kept for the operators
 * that follow, which have no weights to tell by.
 */
export function isForFbgemm(c: Call, { quant }: Value): boolean {
  if (quant && quant.axis === undefined) ofQnnpack.add(c.vm)
  return quant?.axis !== undefined
}

/** Whether a layer so far was of qnnpack. */
export const isOfQnnpack = (vm: Vm): boolean => ofQnnpack.has(vm)

/** `[…, K]` times `[N, K]` transposed: `[…, N]`. */
export const integerLinear = (c: Call, x: Value, layer: PackedLinear): Sums =>
  product(c, x, x, emit.transpose(c.g, plain(layer.weight), [1, 0]), layer)

/**
 * @param rows Integers `[…, K]` that mean what those of `x` do.
 * @param columns Integers `[K, N]` that mean what those of the layer's weight do, whose first axis is N.
 */
function product(c: Call, x: Value, rows: Value, columns: Value, layer: PackedLinear): Sums {
  const { step, bias } = stepsOf(c, x, layer)
  const one = scalar('float32', 1)
  const inputs = [plain(rows), columns, one, one, zeroPointOf(c, x), zeroPointOf(c, layer.weight), bias]
  const shape = [...rows.shape.slice(0, -1), columns.shape[1] ?? 1]
  return { step, sums: c.g.one('MatMulIntegerToFloat', inputs, 'float32', shape, {}, 'com.microsoft') }
}

/** What a sum of 1 means, and the bias in such steps. */
function stepsOf(c: Call, x: Value, { weight, bias }: PackedLinear) {
  const step = emit.binary(c.g, 'Mul', scaleOf(c, x), scaleOf(c, weight))
  return { step, bias: bias && emit.binary(c.g, 'Div', emit.cast(c.g, bias, 'float32'), step) }
}

/** The numbers that sums stand for; channels last. */
export const numbersOf = (c: Call, { sums, step }: Sums): Value => emit.binary(c.g, 'Mul', sums, step)

/** Sums, channels last, as integers of another scale. */
export function rescaled(c: Call, given: Sums, quant: Quant, dtype: ElementType, after?: 'Relu'): Value {
  const { step } = given
  // What is below the least integer becomes the least: often that is what stands for zero.
  const isRelu = after && knownScalar(quant.zeroPoint) !== leastOf[dtype]
  const sums = isRelu ? emit.unary(c.g, 'Relu', given.sums) : given.sums
  const steps = emit.binary(c.g, 'Mul', sums, emit.binary(c.g, 'Div', step, quant.scale))
  const inputs = [steps, scalar('float32', 1), quant.zeroPoint]
  const [value] = c.g.node('QuantizeLinear', inputs, [{ dtype, shape: sums.shape, quant }])
  return value as Value // one type was given
}

const leastOf: { readonly [dtype: string]: number } = { uint8: 0, int8: -128 }

/** Rows of fewer channels than this are laid out more slowly than floats are convolved. */
const leastChannels = 16

/** Windows of more places than this take too many nodes to lay out. */
const mostPlaces = 64

/** Whether a layer is computed sooner as a product than by a convolution of floats. */
export const isDense = ({ weight: { shape }, groups, isTransposed }: PackedConv): boolean =>
  groups === 1 &&
  !isTransposed &&
  Number(shape[1]) >= leastChannels &&
  Number(dims.product(shape.slice(2))) <= mostPlaces

/** A convolution of `[N, C, …]` as one product: what lies under each window is laid in a row. Gives `[N, …, C]`. */
export function productConv(c: Call, x: Value, layer: PackedConv): Sums {
  const { weight, stride, padding, dilation } = layer
  const kernel = weight.shape.slice(2).map((d) => c.fixed(d))
  const axes = kernel.map((_, i) => i + 1)
  const around = [0, ...padding, 0]
  const padded = emit.pad(
    c.g,
    emit.transpose(c.g, x, channelsLast(kernel.length)),
    around,
    around,
    'constant',
    zeroPointOf(c, x),
  )
  const reach = kernel.map((k, i) => (k - 1) * (dilation[i] ?? 1))
  const shape = padded.shape.map((d, axis) => {
    const far = reach[axis - 1]
    return far === undefined ? d : dims.add(dims.floorDiv(dims.sub(d, far + 1), stride[axis - 1] ?? 1), 1)
  })
  const isWhole = reach.every((r, i) => r === 0 && stride[i] === 1)
  const windows = placesOf(kernel).map((place) => {
    const start = place.map((at, i) => at * (dilation[i] ?? 1))
    const end = start.map((from, i) => from - (reach[i] ?? 0) || emit.sliceToEnd)
    const inputs = [padded, vector(start), vector(end), vector(axes), vector(stride)]
    return isWhole ? padded : c.g.one('Slice', inputs, x.dtype, shape)
  })
  const [outputs = 1, ...rest] = weight.shape
  // In the order of the rows: channels are the quickest to change.
  const byWindow = emit.transpose(c.g, plain(weight), [...kernel.map((_, i) => i + 2), 1, 0])
  const columns = emit.reshape(c.g, byWindow, [dims.product(rest), outputs])
  return product(c, x, emit.concat(c.g, windows, kernel.length + 1), columns, layer)
}

/** Every place of a window, the last axis quickest. */
const placesOf = (kernel: readonly number[]): number[][] =>
  kernel.reduce<number[][]>((all, k) => all.flatMap((at) => Array.from({ length: k }, (_, i) => [...at, i])), [[]])

/** The axes of `[N, C, …]` with channels last, and those of `[N, …, C]` with channels second. */
export const channelsLast = (rank: number): number[] => [0, ...Array.from({ length: rank }, (_, i) => i + 2), 1]
export const channelsSecond = (rank: number): number[] => [
  0,
  rank + 1,
  ...Array.from({ length: rank }, (_, i) => i + 1),
]

/**
 * Operands of a convolution of floats that are whole numbers, and so add up without error below 2^24: all sums of fewer than
 * 500 products, and of real data nearly all others.
 */
export const wholeFloats = (c: Call, x: Value, layer: PackedConv) => ({
  ...stepsOf(c, x, layer),
  /** Channels last. */
  x: centred(c, x, emit.transpose(c.g, x, channelsLast(x.shape.length - 2))),
  weight: centred(c, layer.weight),
})
