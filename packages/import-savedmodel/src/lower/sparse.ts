import { type Dim, dims, emit, isFloat, refuse, scalar, type Value, vector } from '@eas/onnx'
import type { Lowering, Op, OpTable } from '../op.ts'
import { binary, compare, num, unary, where } from './elementwise.ts'
import { scatter, segments, startOf, zeros } from './index-ops.ts'

/** Arithmetic of sparse tensors. TF: core/ops/sparse_ops.cc (2.16). */

/** Coordinates, values and sizes of a sparse tensor, from input `i` on. */
interface Sparse {
  readonly indices: Value
  readonly values: Value
  readonly shape: readonly Dim[]
}
const sparseAt = (op: Op, i: number, step = 1): Sparse => ({
  indices: emit.cast(op.g, op.x(i), 'int64'),
  values: op.x(i + step),
  shape: op.sizes(i + 2 * step),
})

/** Places of coordinates `[n, r]` when all elements lie in one row: `[n]`. */
export function flatPlaces(op: Op, indices: Value, shape: readonly Dim[]): Value {
  const weights = shape.map((_, i) => dims.product(shape.slice(i + 1)))
  // Added one by one: the runtime would add them in doubles, and sizes of hashed columns are great.
  return weights
    .map((w, k) => binary(op, 'Mul', emit.select(op.g, indices, 1, k), scalar('int64', w)))
    .reduce((a, b) => binary(op, 'Add', a, b), scalar('int64', 0))
}

/** The other way round: coordinates `[n, r]` of places `[n]`. */
function coordinatesOf(op: Op, places: Value, shape: readonly Dim[]): Value {
  const weights = shape.map((_, i) => dims.max(dims.product(shape.slice(i + 1)), 1))
  const divided = binary(op, 'Div', emit.unsqueeze(op.g, places, [1]), vector(weights))
  return binary(op, 'Mod', divided, vector(shape.map((d) => dims.max(d, 1))))
}

const dense = (
  op: Op,
  { indices, values, shape }: Sparse,
  start = num(values, 0),
  reduction: 'add' | 'max' | 'min' = 'add',
): Value => scatter(op, emit.full(op.g, shape, start), indices, values, reduction)

/** Sums of what is there; of nothing, zero. */
const reduceSum: Lowering = (op) => {
  const x = dense(op, sparseAt(op, 0))
  const [axes, keeps] = [reducedAxes(op, x), op.attr.bool('keep_dims')]
  return isFloat(x.dtype) ? emit.reduce(op.g, 'ReduceSum', x, axes, keeps) : emit.sumWhole(op.g, x, axes, keeps)
}

/** The greatest of what is there; of nothing, zero. */
const reduceMax: Lowering = (op) => {
  const x = sparseAt(op, 0)
  const filled = dense(op, x, startOf(op, x.values, 'max'), 'max')
  const axes = reducedAxes(op, filled)
  const keeps = op.attr.bool('keep_dims')
  const greatest = emit.reduce(op.g, 'ReduceMax', filled, axes, keeps)
  const there = dense(
    op,
    { ...x, values: emit.full(op.g, x.values.shape, scalar('int32', 1)) },
    scalar('int32', 0),
    'max',
  )
  const isThere = compare(op, 'Greater', emit.reduce(op.g, 'ReduceMax', there, axes, keeps), num(there, 0))
  return where(op, isThere, greatest, num(greatest, 0))
}

function reducedAxes(op: Op, x: Value): number[] {
  const given = [...new Set(op.ints(3).map((a) => op.axis(a, x.shape.length)))].sort((a, b) => a - b)
  return given.length > 0 ? given : x.shape.map((_, i) => i)
}

/** Values of a sparse tensor with the elements at their places of a dense one that is broadcast. */
const withDense =
  (onnx: 'Mul' | 'Div' | 'Add'): Lowering =>
  (op) => {
    const { indices, values, shape } = sparseAt(op, 0)
    const other = emit.gatherND(op.g, emit.expand(op.g, op.x(3), shape), indices)
    return binary(op, onnx, values, other)
  }

/** Places that are in `a`, in `b` or in both, in order; and the values of each there, zero where it has none. */
function union(op: Op, a: Sparse, b: Sparse): { indices: Value; left: Value; right: Value } {
  const { g } = op
  const places = [a, b].map((s) => flatPlaces(op, s.indices, a.shape))
  const n = g.freshDim('union')
  const both = emit.concat(g, places, 0)
  const [all, , at] = g.node(
    'Unique',
    [both],
    [
      { dtype: 'int64', shape: [n] },
      { dtype: 'int64', shape: both.shape },
      { dtype: 'int64', shape: both.shape },
    ],
    { sorted: 1, axis: 0 },
  ) as [Value, Value, Value] // three types were given
  const count = a.indices.shape[0] ?? 1
  const spread = (s: Sparse, index: Value): Value =>
    scatter(op, zeros(op, [n], s.values), emit.unsqueeze(g, index, [1]), s.values, 'add')
  return {
    indices: coordinatesOf(op, all, a.shape),
    left: spread(a, emit.slice(g, at, 0, 0, count)),
    right: spread(b, emit.slice(g, at, 0, count, dims.add(count, b.indices.shape[0] ?? 1))),
  }
}

const sparseAdd: Lowering = (op) => {
  const [a, b] = [sparseAt(op, 0), sparseAt(op, 3)]
  if (op.x(6).elements?.[0] !== 0)
    throw refuse('a threshold that drops small sums is not supported', op.node.name, 'Add with the threshold 0')
  const { indices, left, right } = union(op, a, b)
  return [indices, binary(op, 'Add', left, right), vector(a.shape)]
}

const extreme =
  (onnx: 'Max' | 'Min'): Lowering =>
  (op) => {
    const { indices, left, right } = union(op, sparseAt(op, 0), sparseAt(op, 3))
    return [indices, binary(op, onnx, left, right)]
  }

/** Over the last axis of what is there. */
const sparseSoftmax: Lowering = (op) => {
  const { indices, values, shape } = sparseAt(op, 0)
  const outer = shape.slice(0, -1)
  const row = flatPlaces(op, emit.slice(op.g, indices, 1, 0, outer.length), outer)
  const rows = dims.product(outer)
  const of = (v: Value, combine: 'max' | 'sum'): Value =>
    emit.gather(op.g, segments(op, v, row, rows, combine, num(v, 0)), row, 0)
  const e = unary(op, 'Exp', binary(op, 'Sub', values, of(values, 'max')))
  return binary(op, 'Div', e, of(e, 'sum'))
}

/** Those of the rows `[n, …]` for which the condition `[n]` holds. */
const picked = (op: Op, condition: Value, ...rows: readonly Value[]): Value[] => {
  const at = emit.nonZero(op.g, condition)
  const index = emit.reshape(op.g, at, [at.shape[0] ?? 1])
  return rows.map((r) => emit.gather(op.g, r, index, 0))
}

const within = (op: Op, column: Value, from: Value, to: Value): Value =>
  compare(op, 'And', compare(op, 'GreaterOrEqual', column, from), compare(op, 'Less', column, to))

/** Parts along an axis, the first of which are longer by one where the size does not divide. */
const sparseSplit: Lowering = (op) => {
  const [indices, values, shape] = [emit.cast(op.g, op.x(1), 'int64'), op.x(2), op.sizes(3)]
  const axis = op.axis(op.int(0), shape.length)
  const count = op.attr.int('num_split', 1)
  const size = shape[axis]
  if (typeof size !== 'number') throw refuse('the axis that is split has to have a known size', op.node.name)
  const column = emit.select(op.g, indices, 1, axis)
  const parts = Array.from({ length: count }, (_, i) => {
    const length = Math.floor(size / count) + (i < size % count ? 1 : 0)
    const start = Math.floor(size / count) * i + Math.min(i, size % count)
    const isIn = within(op, column, scalar('int64', start), scalar('int64', start + length))
    const [rows, kept] = picked(op, isIn, indices, values) as [Value, Value] // two were given
    const shift = vector(shape.map((_, k) => (k === axis ? start : 0)))
    return [binary(op, 'Sub', rows, shift), kept, vector(shape.map((d, k) => (k === axis ? length : d)))] as const
  })
  return [0, 1, 2].flatMap((k) => parts.map((p) => p[k] as Value)) // three each
}

const sparseSlice: Lowering = (op) => {
  const { indices, values, shape } = sparseAt(op, 0)
  const [start, size] = [op.sizes(3), op.sizes(4)]
  const isIn = shape
    .map((_, k) => {
      const from = start[k] ?? 0
      return within(
        op,
        emit.select(op.g, indices, 1, k),
        scalar('int64', from),
        scalar('int64', dims.add(from, size[k] ?? 0)),
      )
    })
    .reduce((a, b) => compare(op, 'And', a, b))
  const [rows, kept] = picked(op, isIn, indices, values) as [Value, Value] // two were given
  const sizes = shape.map((d, k) => dims.max(dims.min(size[k] ?? 0, dims.sub(d, start[k] ?? 0)), 0))
  return [binary(op, 'Sub', rows, vector(start)), kept, vector(sizes)]
}

/** Rows and values in the order of their places. */
function ordered(op: Op, { indices, values, shape }: Sparse): [Value, Value] {
  const places = flatPlaces(op, indices, shape)
  const [, order] = emit.topK(op.g, places, places.shape[0] ?? 1, 0, { largest: false })
  return [emit.gather(op.g, indices, order, 0), emit.gather(op.g, values, order, 0)]
}

const sparseConcat: Lowering = (op) => {
  const n = op.attr.int('N', op.count / 3)
  const parts = Array.from({ length: n }, (_, i) => sparseAt(op, i, n))
  const [first] = parts
  if (!first) throw refuse('there is nothing to concatenate', op.node.name)
  const axis = op.axis(op.attr.int('concat_dim', 0), first.shape.length)
  let offset: Dim = 0
  const moved = parts.map((p) => {
    const shift = vector(p.shape.map((_, k) => (k === axis ? offset : 0)))
    offset = dims.add(offset, p.shape[axis] ?? 0)
    return binary(op, 'Add', p.indices, shift)
  })
  const shape = first.shape.map((d, k) =>
    k === axis ? offset : parts.reduce((size, p) => dims.max(size, p.shape[k] ?? 0), d),
  )
  const all = {
    indices: emit.concat(op.g, moved, 0),
    values: emit.concat(
      op.g,
      parts.map((p) => p.values),
      0,
    ),
    shape,
  }
  return [...ordered(op, all), vector(shape)]
}

export const sparseOps: OpTable = {
  SparseReduceSum: reduceSum,
  SparseReduceMax: reduceMax,
  SparseDenseCwiseMul: withDense('Mul'),
  SparseDenseCwiseDiv: withDense('Div'),
  SparseDenseCwiseAdd: withDense('Add'),
  SparseTensorDenseAdd: (op) => {
    const { indices, values } = sparseAt(op, 0)
    return scatter(op, op.x(3), indices, values, 'add')
  },
  SparseAdd: sparseAdd,
  SparseSparseMaximum: extreme('Max'),
  SparseSparseMinimum: extreme('Min'),
  SparseSoftmax: sparseSoftmax,
  SparseSplit: sparseSplit,
  SparseSlice: sparseSlice,
  SparseReorder: (op) => ordered(op, sparseAt(op, 0)),
  SparseConcat: sparseConcat,
}
