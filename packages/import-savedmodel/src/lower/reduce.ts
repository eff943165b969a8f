import { bytesOf, type Dim, dims, emit, isFloat, refuse, scalar, type Value } from '@eas/onnx'
import type { Lowering, Op, OpTable } from '../op.ts'
import { binary, compare, divide, num, unary } from './elementwise.ts'
import { firstAxis, fromChannelsFirst } from './layout.ts'
import { topK as topRows } from './no-rows.ts'

/** Reductions, order and selection. TF: core/ops/math_ops.cc, nn_ops.cc, array_ops.cc (2.16). ONNX: opset 20. */

/** Axes of input 1, counted from the front; each once. */
const axesOf = (op: Op, rank: number): number[] =>
  [...new Set(op.ints(1).map((a) => op.axis(a, rank)))].sort((a, b) => a - b)

const keeps = (op: Op): boolean => op.attr.bool('keep_dims', op.attr.bool('keepdims'))

const reduce =
  (compute: (op: Op, x: Value, axes: number[], keep: boolean) => Value): Lowering =>
  (op) => {
    const item = op.tensor(0)
    const rank = item.shape.length
    const axes = axesOf(op, rank)
    const keep = keeps(op)
    if (item.channelsFirst) {
      const turned = axes.map((a) => firstAxis(a, rank))
      if (keep) return fromChannelsFirst(op, compute(op, item.channelsFirst, turned, true))
      // What is left stands in the same order when space goes, or channels do.
      const isSpace = axes.length === rank - 2 && axes.every((a) => a > 0 && a < rank - 1)
      if (isSpace || (axes.length === 1 && axes[0] === rank - 1))
        return compute(
          op,
          item.channelsFirst,
          turned.sort((a, b) => a - b),
          false,
        )
    }
    return compute(op, item.value, axes, keep)
  }

const extreme = (onnx: 'ReduceMax' | 'ReduceMin'): Lowering =>
  reduce((op, x, axes, keep) => emit.reduce(op.g, onnx, x, axes, keep))

/** What is known of a sum or product of sizes; numbers that wrapped around are left to the graph. */
function known(x: Value, axes: readonly number[], keep: boolean, of: (d: readonly Dim[]) => Dim): Value | undefined {
  if (!x.elements || x.shape.length !== 1 || axes.length !== 1 || isFloat(x.dtype)) return undefined
  const result = of(x.elements)
  const most = 2 ** Math.min(31, 8 * bytesOf(x.dtype) - 1)
  if (typeof result === 'number' && !(x.dtype === 'int64' ? Number.isSafeInteger(result) : Math.abs(result) < most))
    return undefined
  return { dtype: x.dtype, shape: keep ? [1] : [], elements: [result] }
}

/** Casts from types whose numbers, summed up, are far from wrapping around: masks and lengths. */
const narrow: ReadonlySet<string> = new Set(['bool', 'int8', 'uint8', 'int16', 'uint16'])

/** Whether the operand's numbers are known to be short. */
function isNarrow(op: Op): boolean {
  const from = op.e.nodeOf(op.frame, op.node.inputs[0] ?? '')
  return from?.op === 'Cast' && narrow.has(from.attrs.dtype('SrcT') ?? '')
}

const sum: Lowering = reduce((op, x, axes, keep) => {
  if (isFloat(x.dtype)) return emit.reduce(op.g, 'ReduceSum', x, axes, keep)
  return known(x, axes, keep, dims.sum) ?? emit.sumWhole(op.g, x, axes, keep, isNarrow(op))
})

/** Floats of half the width are multiplied as wider ones by the runtime itself. */
const product: Lowering = reduce((op, x, axes, keep) => {
  if (isFloat(x.dtype) && x.dtype !== 'float64') return emit.reduce(op.g, 'ReduceProd', x, axes, keep)
  return known(x, axes, keep, dims.product) ?? emit.productOf(op.g, x, axes, keep)
})

/** The mean of integers is cut off as their division is; short ones are added up as wide ones. */
const mean: Lowering = reduce((op, x, axes, keep) => {
  if (axes.length === 0) return x
  if (isFloat(x.dtype)) return emit.reduce(op.g, 'ReduceMean', x, axes, keep)
  const wide = bytesOf(x.dtype) === 8 ? x : emit.cast(op.g, x, 'int64')
  const total = emit.sumWhole(op.g, wide, axes, keep)
  const count = emit.cast(op.g, scalar('int64', emit.countOf(x, axes)), wide.dtype)
  return emit.cast(op.g, divide(op, total, count), x.dtype)
})

const logical = (onnx: 'ReduceMin' | 'ReduceMax'): Lowering =>
  reduce((op, x, axes, keep) =>
    emit.cast(op.g, emit.reduce(op.g, onnx, emit.cast(op.g, x, 'int32'), axes, keep), 'bool'),
  )

const argReduce =
  (onnx: 'ArgMax' | 'ArgMin'): Lowering =>
  (op) => {
    const x = op.x(0)
    const axis = op.axis(op.count > 1 ? op.int(1) : 0, x.shape.length)
    return emit.cast(op.g, place(op, onnx, x, axis), op.dtype('output_type', 'int64'))
  }

/** Numbers of 64 bits are compared by the runtime as doubles: the first that is the extreme is looked for instead. */
function place(op: Op, onnx: 'ArgMax' | 'ArgMin', x: Value, axis: number): Value {
  if (isFloat(x.dtype) || bytesOf(x.dtype) < 8) return emit.argReduce(op.g, onnx, x, axis, false)
  const best = emit.reduce(op.g, onnx === 'ArgMax' ? 'ReduceMax' : 'ReduceMin', x, [axis], true)
  return emit.argReduce(op.g, 'ArgMax', emit.cast(op.g, compare(op, 'Equal', x, best), 'int32'), axis, false)
}

const cumulative =
  (f: (op: Op, x: Value, axis: number, exclusive: boolean, reverse: boolean) => Value): Lowering =>
  (op) => {
    const x = op.x(0)
    return f(op, x, op.axis(op.int(1), x.shape.length), op.attr.bool('exclusive'), op.attr.bool('reverse'))
  }

/** Products along an axis, since only sums have an operator. */
function cumProd(op: Op, x: Value, axis: number, exclusive: boolean, reverse: boolean): Value {
  const length = x.shape[axis]
  if (typeof length === 'number' && length <= maxDoubled)
    return doubled(op, x, axis, exclusive, reverse, num(x, 1), (a, b) => binary(op, 'Mul', a, b))
  const [, upTo] = emit.scanned(op.g, x, axis, reverse)
  return exclusive ? shifted(op, upTo, axis, reverse, 1, num(x, 1)) : upTo
}

/** Axes up to this size get a step for each doubling, others a loop. */
const maxDoubled = 64

/** Moved along an axis, away from where counting begins, `by` places filled. */
function shifted(op: Op, v: Value, axis: number, reverse: boolean, by: number, filler: Value): Value {
  const [a, b] = [v.shape.map(() => 0), v.shape.map(() => 0)]
  ;(reverse ? b : a)[axis] = by
  ;(reverse ? a : b)[axis] = -by
  return emit.pad(op.g, v, a, b, 'constant', filler)
}

/** What comes of elements up to each one along an axis of known length, by doubling strides. */
function doubled(
  op: Op,
  x: Value,
  axis: number,
  exclusive: boolean,
  reverse: boolean,
  nothing: Value,
  combine: (a: Value, b: Value) => Value,
): Value {
  const length = x.shape[axis]
  if (typeof length !== 'number')
    throw refuse('running results along an axis of unknown length', op.node.name, 'Give the axis a fixed size')
  const moved = (v: Value, by: number): Value => shifted(op, v, axis, reverse, by, nothing)
  let result = exclusive ? moved(x, 1) : x
  for (let step = 1; step < length; step *= 2) result = combine(result, moved(result, step))
  return result
}

/** Running log of a sum of exponentials, by doubling strides; what comes from outside the axis is log 0. */
function cumLogSumExp(op: Op, x: Value, axis: number, exclusive: boolean, reverse: boolean): Value {
  const least = num(x, -3.4028234663852886e38)
  return doubled(op, x, axis, exclusive, reverse, least, (a, b) => {
    const [high, low] = [binary(op, 'Max', a, b), binary(op, 'Min', a, b)]
    const rest = unary(op, 'Exp', binary(op, 'Sub', low, high))
    return binary(op, 'Add', high, unary(op, 'Log', binary(op, 'Add', rest, num(x, 1))))
  })
}

const topK =
  (k: (op: Op) => Dim): Lowering =>
  (op) => {
    const x = op.x(0)
    const [values, indices] = bestOf(op, x, k(op), false)
    return [values, emit.cast(op.g, indices, op.dtype('index_type', 'int32'))]
  }

/** The `k` greatest or least along the last axis. */
function bestOf(op: Op, x: Value, k: Dim, least: boolean): [values: Value, indices: Value] {
  const last = x.shape.length - 1
  if (x.dtype !== 'uint64') return topRows(op.g, x, k, last, { largest: !least })
  const [values, indices] = topRows(op.g, emit.toOrdered(op.g, x), k, last, { largest: !least })
  return [emit.fromOrdered(op.g, values), indices]
}

/** The best along an axis; here exactly, which is what others approximate. */
const approxTopK: Lowering = (op) => {
  const x = op.x(0)
  const axis = op.axis(op.attr.int('reduction_dimension', -1), x.shape.length)
  const largest = op.attr.bool('is_max_k', true)
  const [values, indices] = topRows(op.g, x, op.attr.int('k', 1), axis, { largest })
  return [values, emit.cast(op.g, indices, 'int32')]
}

/** The n-th smallest along the last axis, or the n-th largest. */
const nthElement: Lowering = (op) => {
  const x = op.x(0)
  const last = x.shape.length - 1
  const n = op.sizes(1)[0] ?? 0
  const [values] = bestOf(op, x, dims.add(n, 1), !op.attr.bool('reverse'))
  return emit.select(op.g, values, last, n)
}

/** How many of the values are in each of equal parts of a range; those outside go to its ends. */
const histogram: Lowering = (op) => {
  const [x, range] = [emit.flat(op.g, op.x(0)), op.x(1)]
  const bins = op.sizes(2)[0] ?? 1
  const [low, high] = [emit.select(op.g, range, 0, 0), emit.select(op.g, range, 0, 1)]
  const count = emit.cast(op.g, scalar('int64', bins), x.dtype)
  const part = binary(op, 'Div', binary(op, 'Sub', x, low), binary(op, 'Sub', high, low))
  const at = emit.cast(op.g, unary(op, 'Floor', binary(op, 'Mul', part, count)), 'int64')
  const held = binary(op, 'Min', binary(op, 'Max', at, scalar('int64', 0)), scalar('int64', dims.sub(bins, 1)))
  const hit = compare(op, 'Equal', emit.unsqueeze(op.g, held, [1]), emit.iota(op.g, bins, 1, 2))
  return emit.reduce(op.g, 'ReduceSum', emit.cast(op.g, hit, op.dtype('dtype', 'int32')), [0])
}

const oneHot = (op: Op, labels: Value, logits: Value): Value => {
  const wide = emit.unsqueeze(op.g, emit.cast(op.g, labels, 'int64'), [1])
  return emit.cast(op.g, compare(op, 'Equal', wide, emit.iota(op.g, logits.shape[1] ?? 1, 1, 2)), logits.dtype)
}

/** The loss of each row, and its gradient. */
const crossEntropy =
  (labelsOf: (op: Op, logits: Value) => Value): Lowering =>
  (op) => {
    const logits = op.x(0)
    const labels = labelsOf(op, logits)
    const logs = unary(op, 'LogSoftmax', logits, { axis: -1 })
    const loss = unary(op, 'Neg', emit.reduce(op.g, 'ReduceSum', binary(op, 'Mul', labels, logs), [1]))
    return [loss, binary(op, 'Sub', unary(op, 'Softmax', logits, { axis: -1 }), labels)]
  }

/** Coordinates of what is not zero, in row-major order. */
const coordinates: Lowering = (op) => {
  const x = op.x(0)
  return emit.nonZero(op.g, x.dtype === 'float64' ? compareNotZero(op, x) : x)
}
const compareNotZero = (op: Op, x: Value): Value => emit.not(op.g, compare(op, 'Equal', x, num(x, 0)))

/** Different values in order of first appearance, where each went, and how often. */
function unique(op: Op): [Value, Value, Value] {
  const x = op.x(0)
  const kernel = emit.kernelType('Unique', x.dtype)
  const n = op.g.freshDim('unique')
  // Version 2 names an axis, or none where there is one only.
  const axis = op.count > 1 && op.x(1).shape[0] !== 0 ? op.axis(op.int(1), x.shape.length) : 0
  if (axis === 0 && x.shape.length > 1 && op.count < 2) throw refuse('only vectors can be made unique', op.node.name)
  const types = [
    { dtype: kernel, shape: x.shape.with(axis, n) },
    { dtype: 'int64' as const, shape: [n] },
    { dtype: 'int64' as const, shape: [x.shape[axis] ?? 1] },
    { dtype: 'int64' as const, shape: [n] },
  ]
  const [y, , index, count] = op.g.node('Unique', [emit.cast(op.g, x, kernel)], types, { sorted: 0, axis }) as [
    Value,
    Value,
    Value,
    Value,
  ] // four types were given
  const to = op.dtype('out_idx', 'int32')
  return [emit.cast(op.g, y, x.dtype), emit.cast(op.g, index, to), emit.cast(op.g, count, to)]
}

/** How many of `sorted`, along a new last axis, come before each value. */
function countBelow(op: Op, x: Value, sorted: Value, inclusive: boolean): Value {
  const wide = emit.unsqueeze(op.g, x, [x.shape.length])
  const below = compare(op, inclusive ? 'LessOrEqual' : 'Less', sorted, wide)
  return emit.reduce(op.g, 'ReduceSum', emit.cast(op.g, below, 'int32'), [below.shape.length - 1])
}

const bucketize: Lowering = (op) => {
  const boundaries = op.attr.floats('boundaries')
  const x = op.x(0)
  const at = isFloat(x.dtype) ? x : emit.cast(op.g, x, 'float32')
  if (boundaries.length === 0) return emit.full(op.g, x.shape, scalar('int32', 0))
  return countBelow(op, at, op.g.numbers(at.dtype, [boundaries.length], boundaries), true)
}

/** Sorted rows `[b, n]` and values `[b, m]`: where each would be put in. */
const searchSorted =
  (inclusive: boolean): Lowering =>
  (op) => {
    const count = countBelow(op, op.x(1), emit.unsqueeze(op.g, op.x(0), [1]), inclusive)
    return emit.cast(op.g, count, op.dtype('out_type', 'int32'))
  }

const inTopK: Lowering = (op) => {
  const predictions = op.x(0)
  const targets = emit.unsqueeze(op.g, emit.toIndex(op.g, op.x(1)), [1])
  const score = op.one('GatherElements', [predictions, targets], predictions.dtype, targets.shape, { axis: 1 })
  const above = emit.reduce(
    op.g,
    'ReduceSum',
    emit.cast(op.g, compare(op, 'Greater', predictions, score), 'int64'),
    [1],
  )
  const k = op.count > 2 ? emit.cast(op.g, op.x(2), 'int64') : scalar('int64', op.attr.int('k', 1))
  return compare(op, 'Less', above, k)
}

/** How often each of `0 … size - 1` comes, or the sum of its weights; others are left out. */
function bincount(op: Op, x: Value, size: Dim, weights: Value | undefined, isBinary: boolean): Value {
  const dtype = op.dtype('T', 'int32')
  const rank = x.shape.length
  const wide = emit.unsqueeze(op.g, emit.cast(op.g, x, 'int64'), [rank])
  const hit = emit.cast(op.g, compare(op, 'Equal', wide, emit.iota(op.g, size, rank, rank + 1)), dtype)
  if (isBinary) return emit.reduce(op.g, 'ReduceMax', hit, [rank - 1])
  if (!weights) return emit.reduce(op.g, 'ReduceSum', hit, [rank - 1])
  const weighted = binary(op, 'Mul', hit, emit.unsqueeze(op.g, weights, [rank]))
  return isFloat(dtype)
    ? emit.reduce(op.g, 'ReduceSum', weighted, [rank - 1])
    : emit.sumWhole(op.g, weighted, [rank - 1])
}

const weightsOf = (op: Op, i: number): Value | undefined => (op.x(i).shape.some((d) => d === 0) ? undefined : op.x(i))

const softmax =
  (onnx: string): Lowering =>
  (op) =>
    unary(op, onnx, op.x(0), { axis: -1 })

export const reduceOps: OpTable = {
  Sum: sum,
  Mean: mean,
  Max: extreme('ReduceMax'),
  Min: extreme('ReduceMin'),
  Prod: product,
  EuclideanNorm: reduce((op, x, axes, keep) =>
    unary(op, 'Sqrt', emit.reduce(op.g, 'ReduceSum', binary(op, 'Mul', x, x), axes, keep)),
  ),
  L2Loss: (op) => {
    const x = op.x(0)
    const axes = x.shape.map((_, i) => i)
    return binary(op, 'Mul', emit.reduce(op.g, 'ReduceSum', binary(op, 'Mul', x, x), axes), num(x, 0.5))
  },
  All: logical('ReduceMin'),
  Any: logical('ReduceMax'),
  ArgMax: argReduce('ArgMax'),
  ArgMin: argReduce('ArgMin'),
  Cumsum: cumulative((op, x, axis, exclusive, reverse) => emit.cumSum(op.g, x, axis, { exclusive, reverse })),
  Cumprod: cumulative(cumProd),
  Softmax: softmax('Softmax'),
  LogSoftmax: softmax('LogSoftmax'),
  TopKV2: topK((op) => op.sizes(1)[0] ?? 1),
  ApproxTopK: approxTopK,
  NthElement: nthElement,
  CumulativeLogsumexp: cumulative(cumLogSumExp),
  HistogramFixedWidth: histogram,
  SparseSoftmaxCrossEntropyWithLogits: crossEntropy((op, logits) => oneHot(op, op.x(1), logits)),
  SoftmaxCrossEntropyWithLogits: crossEntropy((op) => op.x(1)),
  Where: coordinates,
  Unique: (op) => unique(op).slice(0, 2),
  UniqueV2: (op) => unique(op).slice(0, 2),
  UniqueWithCounts: unique,
  UniqueWithCountsV2: unique,
  Bucketize: bucketize,
  LowerBound: searchSorted(false),
  UpperBound: searchSorted(true),
  InTopK: inTopK,
  InTopKV2: inTopK,
  Bincount: (op) => bincount(op, emit.flat(op.g, op.x(0)), op.sizes(1)[0] ?? 0, weightsOf(op, 2), false),
  DenseBincount: (op) => bincount(op, op.x(0), op.sizes(1)[0] ?? 0, weightsOf(op, 2), op.attr.bool('binary_output')),
}
