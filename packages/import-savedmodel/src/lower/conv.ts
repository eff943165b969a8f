import { type Dim, dims, emit, refuse, scalar, type Value, vector } from '@eas/onnx'
import { TensorItem } from '../item.ts'
import type { Lowering, Op, OpTable } from '../op.ts'
import { binary, unary } from './elementwise.ts'
import { channelsFirst, fromChannelsFirst } from './layout.ts'
import { fused } from './linalg.ts'

/** Convolutions, pools and normalisation. TF: core/ops/nn_ops.cc (2.16). ONNX: opset 20, channels first. */

/** Attributes of TensorFlow are per axis, batch and channels included: those of space, in order. */
interface Windows {
  readonly isFirst: boolean
  readonly spatial: (values: readonly number[], otherwise?: number) => number[]
}

function windows(op: Op, rank: number, fallback = 'NHWC'): Windows {
  const isFirst = op.attr.string('data_format', fallback).startsWith('NC')
  return {
    isFirst,
    spatial: (values, otherwise = 1) =>
      Array.from({ length: rank - 2 }, (_, i) => values[isFirst ? i + 2 : i + 1] ?? otherwise),
  }
}

/** The operand with channels first, whichever way it came. */
const first = (op: Op, i: number, w: Windows): Value => (w.isFirst ? op.x(i) : channelsFirst(op, op.tensor(i)))
const result = (op: Op, x: Value, w: Windows): Value | TensorItem => (w.isFirst ? x : fromChannelsFirst(op, x))

interface Placement {
  readonly attributes: { readonly pads?: readonly number[]; readonly auto_pad?: string }
  readonly sizes: readonly Dim[]
}

/**
 * SAME pads so that each stride begins a window, more at the end; VALID does not pad.
 * @see https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2
 */
function place(
  op: Op,
  x: Value,
  kernel: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
  w: Windows,
): Placement {
  const padding = op.attr.string('padding', 'VALID')
  const space = x.shape.slice(2)
  const extents = kernel.map((k, i) => (k - 1) * (dilations[i] ?? 1) + 1)
  if (padding === 'SAME') {
    const sizes = space.map((d, i) => dims.ceilDiv(d, strides[i] ?? 1))
    const before: number[] = []
    const after: number[] = []
    for (const [i, d] of space.entries()) {
      const [stride, extent] = [strides[i] ?? 1, extents[i] ?? 1]
      // With a stride of 1 the padding does not depend on the size.
      const total =
        typeof d === 'number'
          ? Math.max((Math.ceil(d / stride) - 1) * stride + extent - d, 0)
          : stride === 1
            ? extent - 1
            : undefined
      if (total === undefined) return { attributes: { auto_pad: 'SAME_UPPER' }, sizes }
      before.push(Math.floor(total / 2))
      after.push(total - Math.floor(total / 2))
    }
    return { attributes: { pads: [...before, ...after] }, sizes }
  }
  const explicit = op.attr.ints('explicit_paddings')
  const at = (i: number, side: number): number => explicit[2 * (w.isFirst ? i + 2 : i + 1) + side] ?? 0
  const sides = space.map((_, i) => [at(i, 0), at(i, 1)] as const)
  const sizes = space.map((d, i) => {
    const [a, b] = sides[i] ?? [0, 0]
    return dims.add(dims.floorDiv(dims.sub(dims.add(d, a + b), extents[i] ?? 1), strides[i] ?? 1), 1)
  })
  return { attributes: { pads: [...sides.map(([a]) => a), ...sides.map(([, b]) => b)] }, sizes }
}

const known = (shape: readonly Dim[], op: Op): number[] =>
  shape.map((d) => {
    if (typeof d === 'number') return d
    throw refuse('the shape of the filter is not known', op.node.name)
  })

/** Filter `[…space, in / groups, out]` → `[out, in / groups, …space]`. */
const outFirst = (op: Op, filter: Value): Value => {
  const rank = filter.shape.length
  return emit.transpose(op.g, filter, [rank - 1, rank - 2, ...Array.from({ length: rank - 2 }, (_, i) => i)])
}

function conv(op: Op, x: Value, weights: Value, group: number, kernel: readonly number[], w: Windows): Value {
  const strides = w.spatial(op.attr.ints('strides'))
  const dilations = w.spatial(op.attr.ints('dilations'))
  const { attributes, sizes } = place(op, x, kernel, strides, dilations, w)
  const shape = [x.shape[0] ?? 1, weights.shape[0] ?? 1, ...sizes]
  const type = emit.kernelType('Conv', x.dtype)
  const y = op.one('Conv', [emit.cast(op.g, x, type), emit.cast(op.g, weights, type)], type, shape, {
    kernel_shape: kernel,
    strides,
    dilations,
    group,
    ...attributes,
  })
  return emit.cast(op.g, y, x.dtype)
}

function conv2d(op: Op): [y: Value, w: Windows] {
  const filter = op.x(1)
  const w = windows(op, filter.shape.length)
  const x = first(op, 0, w)
  const kernel = known(filter.shape.slice(0, -2), op)
  const channels = x.shape[1] ?? 1
  const perGroup = filter.shape.at(-2) ?? 1
  const group = typeof channels === 'number' && typeof perGroup === 'number' ? channels / perGroup : 1
  return [conv(op, x, outFirst(op, filter), group, kernel, w), w]
}

const convolution: Lowering = (op) => {
  const [y, w] = conv2d(op)
  return result(op, y, w)
}

/** Filter `[h, w, in, multiplier]` → `[in · multiplier, 1, h, w]`, a group per channel. */
function depthwise(op: Op): [y: Value, w: Windows] {
  const filter = op.x(1)
  const w = windows(op, 4)
  const [height = 1, width = 1, channels = 1, multiplier = 1] = known(filter.shape, op)
  const weights = emit.reshape(op.g, emit.transpose(op.g, filter, [2, 3, 0, 1]), [
    channels * multiplier,
    1,
    height,
    width,
  ])
  return [conv(op, first(op, 0, w), weights, channels, [height, width], w), w]
}

/** A convolution grappler fused with what follows it. */
const fusedConvolution =
  (make: (op: Op) => [y: Value, w: Windows]): Lowering =>
  (op) => {
    const [y, w] = make(op)
    if (w.isFirst) throw refuse('a fused convolution with channels first is not supported', op.node.name)
    return fused(op, fromChannelsFirst(op, y).value)
  }

/**
 * The gradient of a convolution, which decoders use to enlarge: input 0 names the sizes of the result. ONNX computes those
 * of its own; where they are larger by a rest of the stride, the rest is padded at the end.
 */
const convTranspose: Lowering = (op) => {
  const filter = op.x(1)
  const rank = filter.shape.length
  const w = windows(op, rank)
  const x = first(op, 2, w)
  const kernel = known(filter.shape.slice(0, -2), op)
  const strides = w.spatial(op.attr.ints('strides'))
  const dilations = w.spatial(op.attr.ints('dilations'))
  const wanted = op.sizes(0)
  const space = x.shape.slice(2)
  const target = space.map((_, i) => wanted[w.isFirst ? i + 2 : i + 1] ?? 1)
  const isSame = op.attr.string('padding') === 'SAME'
  const before: number[] = []
  const after: number[] = []
  const extra: number[] = []
  for (const [i, d] of space.entries()) {
    const [stride, extent] = [strides[i] ?? 1, ((kernel[i] ?? 1) - 1) * (dilations[i] ?? 1) + 1]
    const out = target[i] ?? 1
    // How much of the full result, stride * (d - 1) + extent, is cut off.
    const full = dims.add(dims.mul(dims.sub(d, 1), stride), extent)
    const surplus = dims.sub(full, out)
    const cut = typeof surplus === 'number' ? surplus : isSame ? Math.max(extent - stride, 0) : 0
    const total = Math.max(cut, 0)
    before.push(isSame ? Math.floor(total / 2) : 0)
    after.push(total - (isSame ? Math.floor(total / 2) : 0))
    extra.push(Math.max(-cut, isSame && typeof surplus !== 'number' ? Math.max(stride - extent, 0) : 0))
  }
  const channels = x.shape[1]
  // A filter is [… space, out, in]; ONNX wants [in, out, … space].
  const weights = emit.transpose(op.g, filter, [rank - 1, rank - 2, ...kernel.map((_, i) => i)])
  if (channels !== filter.shape.at(-1))
    throw refuse('a transposed convolution of groups is not supported', op.node.name)
  const shape = [x.shape[0] ?? 1, filter.shape.at(-2) ?? 1, ...target]
  const y = op.one('ConvTranspose', [x, weights], x.dtype, shape, {
    kernel_shape: kernel,
    strides,
    dilations,
    pads: [...before, ...after],
    output_padding: extra,
  })
  return result(op, y, w)
}

const pool =
  (
    onnx: 'MaxPool' | 'AveragePool',
    from: (op: Op) => { ksize: readonly number[]; strides: readonly number[] },
  ): Lowering =>
  (op) => {
    const rank = op.tensor(0).shape.length
    const w = windows(op, rank)
    const { ksize, strides: perAxis } = from(op)
    const x = first(op, 0, w)
    const kernel = w.spatial(ksize)
    const strides = w.spatial(perAxis)
    const { attributes, sizes } = place(
      op,
      x,
      kernel,
      strides,
      kernel.map(() => 1),
      w,
    )
    const type = emit.kernelType(onnx, x.dtype)
    const counted = onnx === 'AveragePool' ? { count_include_pad: 0 } : {}
    const y = op.one(onnx, [emit.cast(op.g, x, type)], type, [...x.shape.slice(0, 2), ...sizes], {
      kernel_shape: kernel,
      strides,
      ...attributes,
      ...counted,
    })
    return result(op, emit.cast(op.g, y, x.dtype), w)
  }

const fromAttributes = (op: Op) => ({ ksize: op.attr.ints('ksize'), strides: op.attr.ints('strides') })

/** The greatest of each window, and where it is in its image, channels last; within the batch where that is asked for. */
const maxPoolWithArgmax: Lowering = (op) => {
  const { g } = op
  const { scope } = g
  const x = channelsFirst(op, op.tensor(0))
  const where = (): Value => {
    const w = windows(op, 4)
    const { ksize, strides: perAxis } = fromAttributes(op)
    const [kernel, strides] = [w.spatial(ksize), w.spatial(perAxis)]
    const { attributes, sizes } = place(op, x, kernel, strides, [1, 1], w)
    const type = emit.kernelType('MaxPool', x.dtype)
    const shape = [...x.shape.slice(0, 2), ...sizes]
    const outputs = [{ dtype: type, shape } as const, { dtype: 'int64', shape } as const]
    const given = { kernel_shape: kernel, strides, ...attributes }
    const [, at] = g.node('MaxPool', [emit.cast(g, x, type)], outputs, given) as [Value, Value] // two outputs
    // ONNX counts through the batch with channels first; what is left of a channel's pixels says which pixel it is.
    const [batch = 1, channels = 1, height = 1, width = 1] = x.shape
    const pixel = binary(op, 'Mod', at, scalar('int64', dims.mul(height, width)))
    const inImage = binary(op, 'Add', binary(op, 'Mul', pixel, scalar('int64', channels)), emit.iota(g, channels, 1, 4))
    const before = binary(
      op,
      'Mul',
      emit.iota(g, batch, 0, 4),
      scalar('int64', dims.product([channels, height, width])),
    )
    const index = op.attr.bool('include_batch_in_index') ? binary(op, 'Add', inImage, before) : inImage
    return emit.cast(g, emit.transpose(g, index, [0, 2, 3, 1]), op.dtype('Targmax', 'int64'))
  }
  return [pool('MaxPool', fromAttributes)(op) as TensorItem, new TensorItem(() => g.within(scope, where))] // a pool gives one
}

const fromInputs = (op: Op) => ({ ksize: op.ints(1), strides: op.ints(2) })

const batchNorm: Lowering = (op) => {
  if (op.attr.bool('is_training', true)) return trainingNorm(op)
  const w = windows(op, op.tensor(0).shape.length)
  const x = first(op, 0, w)
  const [scale, offset, mean, variance] = op.xs(1, 5) as [Value, Value, Value, Value] // the operator has five inputs
  const epsilon = { float: op.attr.float('epsilon', 1e-4) }
  const y = op.one(
    'BatchNormalization',
    [x, scale, offset, mean, variance].map((v) => emit.cast(op.g, v, x.dtype)),
    x.dtype,
    x.shape,
    { epsilon },
  )
  return [result(op, y, w), mean, variance, mean, variance, scalar('float32', 0)]
}

/** Statistics of the batch itself: what a graph exported in training mode computes. */
function trainingNorm(op: Op): (Value | TensorItem)[] {
  const w = windows(op, op.tensor(0).shape.length)
  const x = first(op, 0, w)
  const rest = x.shape.slice(2).map((_, i) => i + 1)
  const axes = [0, ...rest.map((i) => i + 1)]
  const wide = (v: Value): Value => emit.unsqueeze(op.g, v, rest)
  const mean = emit.reduce(op.g, 'ReduceMean', x, axes)
  const centred = binary(op, 'Sub', x, wide(mean))
  const variance = emit.reduce(op.g, 'ReduceMean', binary(op, 'Mul', centred, centred), axes)
  const factor = binary(
    op,
    'Div',
    op.x(1),
    unary(op, 'Sqrt', binary(op, 'Add', variance, scalar(x.dtype, op.attr.float('epsilon', 1e-4)))),
  )
  const y = binary(op, 'Add', binary(op, 'Mul', centred, wide(factor)), wide(op.x(2)))
  // What is given out is the estimate of which moving averages are made; what is divided by is the batch's own.
  const count = vector([dims.product(axes.map((axis) => x.shape[axis] ?? 1))])
  const [all, others] = [count, binary(op, 'Sub', count, vector([1]))].map((n) => emit.cast(op.g, n, variance.dtype))
  const atLeastOne = binary(op, 'Max', others as Value, scalar(variance.dtype, 1)) // two were cast
  const estimate = binary(op, 'Mul', variance, binary(op, 'Div', all as Value, atLeastOne))
  return [result(op, y, w), mean, estimate, mean, variance, scalar('float32', 0)]
}

const lrn: Lowering = (op) => {
  const radius = op.attr.int('depth_radius', 5)
  const size = 2 * radius + 1
  const x = channelsFirst(op, op.tensor(0))
  const attributes = {
    size,
    alpha: { float: op.attr.float('alpha', 1) * size },
    beta: { float: op.attr.float('beta', 0.5) },
    bias: { float: op.attr.float('bias', 1) },
  }
  return fromChannelsFirst(op, op.one('LRN', [x], x.dtype, x.shape, attributes))
}

/** Windows of an image, each as the channels of one place. */
const extractPatches: Lowering = (op) => {
  const x = op.x(0)
  const rank = x.shape.length
  const w = windows(op, rank)
  const [kernel, strides, rates] = [
    w.spatial(op.attr.ints('ksizes')),
    w.spatial(op.attr.ints('strides')),
    w.spatial(op.attr.ints('rates')),
  ]
  const turned = channelsFirst(op, op.tensor(0))
  const { attributes, sizes } = place(op, turned, kernel, strides, rates, w)
  const pads = attributes.pads
  if (!pads) throw refuse('patches of an image of unknown size cannot be padded', op.node.name)
  const space = kernel.length
  const padded = emit.pad(op.g, x, [0, ...pads.slice(0, space), 0], [0, ...pads.slice(space), 0])
  const parts: Value[] = []
  const [height = 1, width = 1] = kernel
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      let part = padded
      for (const [axis, offset] of [i, j].entries()) {
        const start = offset * (rates[axis] ?? 1)
        const stride = strides[axis] ?? 1
        part = emit.slice(
          op.g,
          part,
          axis + 1,
          start,
          dims.add(start, dims.add(dims.mul(dims.sub(sizes[axis] ?? 1, 1), stride), 1)),
          stride,
        )
      }
      parts.push(part)
    }
  }
  return emit.concat(op.g, parts, 3)
}

export const convOps: OpTable = {
  Conv2D: convolution,
  Conv3D: convolution,
  DepthwiseConv2dNative: (op) => {
    const [y, w] = depthwise(op)
    return result(op, y, w)
  },
  _FusedConv2D: fusedConvolution(conv2d),
  _FusedDepthwiseConv2dNative: fusedConvolution(depthwise),
  Conv2DBackpropInput: convTranspose,
  Conv3DBackpropInputV2: convTranspose,
  MaxPool: pool('MaxPool', fromAttributes),
  MaxPoolV2: pool('MaxPool', fromInputs),
  MaxPool3D: pool('MaxPool', fromAttributes),
  AvgPool: pool('AveragePool', fromAttributes),
  AvgPool3D: pool('AveragePool', fromAttributes),
  MaxPoolWithArgmax: maxPoolWithArgmax,
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  LRN: lrn,
  ExtractImagePatches: extractPatches,
}
