import { emit, isFloat, refuse, scalar, type Value } from '@eas/onnx'
import { type Call, type Lower, type OpTable, type Result, tuple } from '../call.ts'
import { floatType } from '../promote.ts'
import { asFloat, extreme as elementwiseExtreme, isWhole, like, promoted } from './helpers.ts'

/** Sums, extremes and their kin over axes. Torch: aten/src/ATen/native/ReduceOps.cpp (2.4). */

const { binary, cast, reduce, unary } = emit

const keepdim = (c: Call): boolean => c.has('keepdim') && c.bool('keepdim')
const axesOf = (c: Call, x: Value): number[] => (c.has('dim') ? c.axes('dim', x.shape.length) : emit.allAxes(x))

/** Sums of integers and bools are int64. */
const total =
  (of: typeof sumOf): Lower =>
  (c) => {
    const x = c.tensor('self')
    const dtype = c.dtype('dtype') ?? (isWhole(x) ? 'int64' : x.dtype)
    return of(c, cast(c.g, x, dtype), axesOf(c, x), keepdim(c), x.dtype)
  }

/**
 * A sum. ONNX Runtime (1.30) adds integers in doubles, which loses digits of wide ones, such as hashes: those are added by halves
 * of 32 bits, exact up to 2^21 of them.
 * @param from What `x` was before it was made as wide as the sum.
 */
export function sumOf({ g }: Call, x: Value, axes: readonly number[], keep: boolean, from = x.dtype): Value {
  const isWide = x.dtype === 'int64' && from === 'int64' && !x.elements
  if (!isWide || axes.length === 0) return reduce(g, 'ReduceSum', x, axes, keep)
  const [mask, factor] = [scalar('int64', 2 ** 32 - 1), scalar('int64', 2 ** 32)]
  const low = binary(g, 'BitwiseAnd', x, mask)
  const high = binary(g, 'Div', binary(g, 'Sub', x, low), factor)
  const [lows, highs] = [low, high].map((half) => reduce(g, 'ReduceSum', half, axes, keep)) as [Value, Value] // two halves
  return binary(g, 'Add', binary(g, 'Mul', highs, factor), lows)
}

/** A product. ONNX Runtime (1.30) multiplies int64 and float64 in narrower floats, so that those are multiplied one by one. */
function productOf(c: Call, x: Value, axes: readonly number[], keep: boolean): Value {
  const isWide = (x.dtype === 'int64' && !x.elements) || x.dtype === 'float64'
  if (!isWide) return reduce(c.g, 'ReduceProd', x, axes, keep)
  // The last axis first: those before it stay where they are.
  const y = [...axes].sort((p, q) => q - p).reduce((product, axis) => productAlong(c, product, axis), x)
  return keep ? emit.reshape(c.g, y, emit.reducedShape(x.shape, axes, true)) : y
}

function productAlong({ g }: Call, x: Value, axis: number): Value {
  const others = emit.allAxes(x).filter((a) => a !== axis)
  const slices = emit.transpose(g, x, [axis, ...others])
  const shape = slices.shape.slice(1)
  const { scope, result } = g.nested(() => {
    const [product, slice] = [g.input(g.fresh('s'), x.dtype, shape), g.input(g.fresh('s'), x.dtype, shape)]
    return [binary(g, 'Mul', product, slice)]
  })
  const [product] = g.node('Scan', [emit.full(g, shape, like(x, 1)), slices], [{ dtype: x.dtype, shape }], {
    body: g.subgraph(scope, result),
    num_scan_inputs: 1,
  })
  return product as Value // one type was given
}

/** The mean of nothing is NaN; ONNX Runtime gives 0. */
function average({ g }: Call, x: Value, axes: readonly number[], keep: boolean): Value {
  if (axes.some((a) => x.shape[a] === 0))
    return emit.full(g, emit.reducedShape(x.shape, axes, keep), like(x, Number.NaN))
  return reduce(g, 'ReduceMean', x, axes, keep)
}

const mean: Lower = (c) => {
  const x = c.tensor('self')
  const y = cast(c.g, x, c.dtype('dtype') ?? x.dtype)
  if (!isFloat(y.dtype)) throw refuse('aten::mean of integers')
  return average(c, y, axesOf(c, x), keepdim(c))
}

const everyOrAny =
  (op: 'ReduceMin' | 'ReduceMax'): Lower =>
  (c) => {
    const x = c.tensor('self')
    if (c.vm.facts.isTrue(x) && !c.has('dim')) return scalar('bool', 1)
    const y = cast(c.g, cast(c.g, x, 'bool'), 'uint8')
    // Of bytes the answer is a byte, which once stood for a bool.
    return cast(c.g, reduce(c.g, op, y, axesOf(c, x), keepdim(c)), x.dtype === 'uint8' ? 'uint8' : 'bool')
  }

const extreme =
  (op: 'ReduceMax' | 'ReduceMin'): Lower =>
  (c) => {
    const x = c.tensor('self')
    return reduce(c.g, op, x, axesOf(c, x), keepdim(c))
  }

/** `max(x)`, `max(x, other)` and `max(x, dim)` are three operators of one name. */
const extremeOrBinary =
  (max: boolean): Lower =>
  (c) => {
    const x = c.tensor('self')
    if (c.has('other')) {
      const [a, b] = promoted(c, 'self', 'other') as [Value, Value]
      return elementwiseExtreme(c, max ? 'Max' : 'Min', a, b)
    }
    const op = max ? 'ReduceMax' : 'ReduceMin'
    if (!c.has('dim')) return reduce(c.g, op, x, emit.allAxes(x))
    if (x.shape.length === 0) return tuple(c.vm, x, scalar('int64', 0))
    const axis = c.axis('dim', x.shape.length)
    return tuple(
      c.vm,
      reduce(c.g, op, x, [axis], keepdim(c)),
      emit.argReduce(c.g, max ? 'ArgMax' : 'ArgMin', x, axis, keepdim(c)),
    )
  }

const argExtreme =
  (op: 'ArgMax' | 'ArgMin'): Lower =>
  (c) => {
    const x = c.tensor('self')
    if (x.shape.length === 0) return scalar('int64', 0)
    const dim = c.optionalInt('dim')
    if (dim !== undefined) return emit.argReduce(c.g, op, x, emit.axisOf(dim, x.shape.length), keepdim(c))
    const place = emit.argReduce(c.g, op, emit.flat(c.g, x), 0, false)
    return keepdim(c)
      ? emit.reshape(
          c.g,
          place,
          x.shape.map(() => 1),
        )
      : place
  }

/** Sum of squared distances from the mean, over `n - correction`. */
function variance(c: Call): { variance: Value; mean: Value } {
  const x = asFloat(c)
  const axes = axesOf(c, x)
  const keep = keepdim(c)
  const correction = c.has('correction')
    ? (c.optionalFloat('correction') ?? 1)
    : Number(!c.has('unbiased') || c.bool('unbiased'))
  const centre = average(c, x, axes, true)
  const distance = binary(c.g, 'Sub', x, centre)
  const squares = reduce(c.g, 'ReduceSum', binary(c.g, 'Mul', distance, distance), axes, keep)
  // A correction need not be whole, and may be greater than the count.
  const size = cast(c.g, scalar('int64', emit.countOf(x, axes)), x.dtype)
  const count = binary(c.g, 'Max', binary(c.g, 'Sub', size, like(x, correction)), like(x, 0))
  const result = axes.some((a) => x.shape[a] === 0)
    ? emit.full(c.g, squares.shape, like(x, Number.NaN))
    : binary(c.g, 'Div', squares, count)
  const mean = keep ? centre : emit.reshape(c.g, centre, emit.reducedShape(x.shape, axes, false))
  return { variance: result, mean }
}

/** The p-norm, with infinities and zero. */
export function norm(c: Call, x: Value, p: number, axes: readonly number[], keep: boolean): Value {
  const { g } = c
  if (p === 2 && axes.length > 0) return reduce(g, 'ReduceL2', x, axes, keep)
  const size = unary(g, 'Abs', x)
  if (axes.length === 0) return p === 0 ? cast(g, cast(g, x, 'bool'), x.dtype) : size
  if (p === 1) return reduce(g, 'ReduceSum', size, axes, keep)
  if (p === Number.POSITIVE_INFINITY) return reduce(g, 'ReduceMax', size, axes, keep)
  if (p === Number.NEGATIVE_INFINITY) return reduce(g, 'ReduceMin', size, axes, keep)
  if (p === 0) return reduce(g, 'ReduceSum', cast(g, cast(g, x, 'bool'), x.dtype), axes, keep)
  return binary(g, 'Pow', reduce(g, 'ReduceSum', binary(g, 'Pow', size, like(x, p)), axes, keep), like(x, 1 / p))
}

const normOp =
  (order: string): Lower =>
  (c) => {
    const given = c.tensor('self')
    const dtype = (c.has('dtype') ? c.dtype('dtype') : undefined) ?? floatType(given.dtype)
    const x = cast(c.g, given, dtype)
    const p = c.py(order)
    if (typeof p === 'string' && p !== 'fro') throw refuse(`a norm of order ${p}`)
    return norm(c, x, typeof p === 'string' || p === null ? 2 : c.float(order), axesOf(c, x), keepdim(c))
  }

const cumulative: Lower = (c) => {
  const x = c.tensor('self')
  const dtype = c.dtype('dtype') ?? (isWhole(x) ? 'int64' : x.dtype)
  if (x.shape.length === 0) return cast(c.g, x, dtype)
  return emit.cumSum(c.g, cast(c.g, x, dtype), c.axis('dim', x.shape.length))
}

const softmaxOp =
  (op: 'Softmax' | 'LogSoftmax'): Lower =>
  (c) => {
    const x = c.tensor('self')
    const dtype = (c.has('dtype') ? c.dtype('dtype') : undefined) ?? floatType(x.dtype)
    return softmax(c, cast(c.g, x, dtype), c.int('dim'), op)
  }

export function softmax({ g }: Call, x: Value, axis: number, op: 'Softmax' | 'LogSoftmax' = 'Softmax'): Value {
  if (x.shape.length === 0) return op === 'Softmax' ? like(x, 1) : like(x, 0)
  return unary(g, op, x, { axis: emit.axisOf(axis, x.shape.length) })
}

function safeSoftmax(c: Call, x: Value, dim: number): Value {
  const y = softmax(c, x, dim)
  if (x.shape.length === 0) return y
  const top = reduce(c.g, 'ReduceMax', x, [emit.axisOf(dim, x.shape.length)], true)
  return emit.where(c.g, emit.compare(c.g, 'Equal', top, like(x, Number.NEGATIVE_INFINITY)), like(x, 0), y)
}

/** Infinities as 0: what is subtracted from all to keep `exp` in range must not make a NaN of them. */
const finite = ({ g }: Call, x: Value): Value => {
  const size = unary(g, 'Abs', x)
  return emit.where(g, emit.compare(g, 'Equal', size, like(x, Number.POSITIVE_INFINITY)), like(x, 0), x)
}

const logSumExp: Lower = (c) => {
  const x = asFloat(c)
  const axes = axesOf(c, x)
  if (axes.length === 0) return x
  const top = finite(c, reduce(c.g, 'ReduceMax', x, axes, true))
  const rest = reduce(c.g, 'ReduceSum', unary(c.g, 'Exp', binary(c.g, 'Sub', x, top)), axes, true)
  const y = binary(c.g, 'Add', unary(c.g, 'Log', rest), top)
  return keepdim(c) ? y : emit.reshape(c.g, y, emit.reducedShape(x.shape, axes, false))
}

const countNonzero: Lower = (c) => {
  const x = c.tensor('self')
  return reduce(c.g, 'ReduceSum', cast(c.g, cast(c.g, x, 'bool'), 'int64'), axesOf(c, x))
}

/** The lower of the two middle elements. */
const median: Lower = (c) => {
  const given = c.tensor('self')
  const whole = !c.has('dim')
  if (given.shape.length === 0) return whole ? given : tuple(c.vm, given, scalar('int64', 0))
  const x = whole ? emit.flat(c.g, given) : given
  const axis = whole ? 0 : c.axis('dim', x.shape.length)
  const n = c.fixed(x.shape[axis] ?? 1)
  const place = Math.floor((n - 1) / 2)
  const [values, indices] = emit.topK(c.g, x, place + 1, axis, { largest: false })
  const pick = (v: Value): Value => emit.select(c.g, v, axis, place)
  if (whole) return pick(values)
  const keep = (v: Value): Value => (keepdim(c) ? emit.unsqueeze(c.g, v, [axis]) : v)
  return tuple(c.vm, keep(pick(values)), keep(pick(indices)))
}

/** Of each element of the last axis and all before it, each from the greatest of its own, so that none underflows. */
function prefixLogSumExp(c: Call, x: Value): Value {
  const { g } = c
  const rank = x.shape.length
  const n = x.shape[rank - 1] ?? 1
  const later = emit.compare(g, 'Greater', emit.iota(g, n, 1, 2), emit.iota(g, n, 0, 2))
  const seen = emit.where(g, later, like(x, Number.NEGATIVE_INFINITY), emit.unsqueeze(g, x, [rank - 1]))
  const top = finite(c, reduce(g, 'ReduceMax', seen, [rank], true))
  const sum = reduce(g, 'ReduceSum', unary(g, 'Exp', binary(g, 'Sub', seen, top)), [rank])
  return binary(g, 'Add', unary(g, 'Log', sum), emit.squeeze(g, top, [rank]))
}

export const reduceOps: OpTable = {
  sum: total(sumOf),
  prod: total(productOf),
  nansum: (c) => {
    const x = c.tensor('self')
    const plain = isWhole(x) ? x : emit.where(c.g, emit.compare(c.g, 'Equal', x, x), x, like(x, 0))
    const dtype = c.dtype('dtype') ?? (isWhole(x) ? 'int64' : x.dtype)
    return sumOf(c, cast(c.g, plain, dtype), axesOf(c, x), keepdim(c), x.dtype)
  },
  mean,
  all: everyOrAny('ReduceMin'),
  any: everyOrAny('ReduceMax'),
  amax: extreme('ReduceMax'),
  amin: extreme('ReduceMin'),
  aminmax: (c) => {
    const x = c.tensor('self')
    const dim = c.optionalInt('dim')
    const axes = dim === undefined || x.shape.length === 0 ? emit.allAxes(x) : [emit.axisOf(dim, x.shape.length)]
    return tuple(c.vm, reduce(c.g, 'ReduceMin', x, axes, keepdim(c)), reduce(c.g, 'ReduceMax', x, axes, keepdim(c)))
  },
  max: extremeOrBinary(true),
  min: extremeOrBinary(false),
  argmax: argExtreme('ArgMax'),
  argmin: argExtreme('ArgMin'),
  var: (c) => variance(c).variance,
  std: (c) => unary(c.g, 'Sqrt', variance(c).variance),
  var_mean: (c): Result => {
    const v = variance(c)
    return tuple(c.vm, v.variance, v.mean)
  },
  std_mean: (c): Result => {
    const v = variance(c)
    return tuple(c.vm, unary(c.g, 'Sqrt', v.variance), v.mean)
  },
  norm: normOp('p'),
  linalg_vector_norm: normOp('ord'),
  frobenius_norm: (c) => norm(c, asFloat(c), 2, axesOf(c, c.tensor('self')), keepdim(c)),
  cumsum: cumulative,
  softmax: softmaxOp('Softmax'),
  _softmax: softmaxOp('Softmax'),
  log_softmax: softmaxOp('LogSoftmax'),
  _log_softmax: softmaxOp('LogSoftmax'),
  special_softmax: softmaxOp('Softmax'),
  special_log_softmax: softmaxOp('LogSoftmax'),
  /** Where every score is minus infinity, zeros instead of NaN. */
  _safe_softmax: (c) => {
    const x = cast(c.g, c.tensor('self'), c.dtype('dtype') ?? c.tensor('self').dtype)
    return safeSoftmax(c, x, c.int('dim'))
  },
  logsumexp: logSumExp,
  special_logsumexp: logSumExp,
  count_nonzero: countNonzero,
  median,
  logcumsumexp: (c) => {
    const x = asFloat(c)
    const rank = x.shape.length
    if (rank === 0) return x
    const axis = c.axis('dim', rank)
    const perm = emit.swapped(rank, axis, rank - 1)
    const y = prefixLogSumExp(c, emit.transpose(c.g, x, perm))
    return emit.transpose(c.g, y, perm)
  },
}
