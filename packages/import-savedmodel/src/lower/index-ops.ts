import { type Dim, dims, type ElementType, emit, refuse, scalar, type Value, vector } from '@eas/onnx'
import type { Lowering, Op, OpTable } from '../op.ts'
import { binary, compare, divide, num, unary, where } from './elementwise.ts'

/** Looking up and putting in by index; segments and sparse tensors. TF: core/ops/array_ops.cc, math_ops.cc, sparse_ops.cc (2.16). */

export function gather(op: Op, params: Value, indices: Value, axis: number, batch: number): Value {
  const index = emit.strictIndex(op.g, indices)
  if (batch === 0) return emit.gather(op.g, params, index, axis)
  // Shared axes go before: [b…, axis, …], looked up with coordinates of one number each.
  const front = emit.transpose(op.g, params, moved(params.shape.length, axis, batch))
  const flatBatch = index.shape.slice(0, batch)
  const count = dims.product(index.shape.slice(batch))
  const flat = emit.reshape(op.g, emit.cast(op.g, index, 'int64'), [...flatBatch, count, 1])
  const looked = emit.gatherND(op.g, front, flat, batch)
  const between = params.shape.slice(batch, axis)
  const after = params.shape.slice(axis + 1)
  const shaped = emit.reshape(op.g, looked, [...flatBatch, ...index.shape.slice(batch), ...between, ...after])
  const n = index.shape.length - batch
  const perm = [
    ...flatBatch.map((_, i) => i),
    ...between.map((_, i) => batch + n + i),
    ...Array.from({ length: n }, (_, i) => batch + i),
    ...after.map((_, i) => batch + n + between.length + i),
  ]
  return emit.transpose(op.g, shaped, perm)
}

/** The order of axes that brings `axis` to the place `to`. */
function moved(rank: number, axis: number, to: number): number[] {
  const order = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis)
  order.splice(to, 0, axis)
  return order
}

const gatherV2: Lowering = (op) => {
  const params = op.x(0)
  const indices = op.x(1)
  const batchDims = op.attr.int('batch_dims', 0)
  const batch = batchDims < 0 ? batchDims + indices.shape.length : batchDims
  return gather(op, params, indices, op.count > 2 ? op.axis(op.int(2), params.shape.length) : 0, batch)
}

/** Rows of `params` at the coordinates of input 1. */
export function gatherNd(op: Op, params: Value): Value {
  const indices = emit.strictIndex(op.g, emit.cast(op.g, op.x(1), 'int64'))
  const depth = indices.shape.at(-1)
  if (depth === 0) return emit.expand(op.g, params, [...indices.shape.slice(0, -1), ...params.shape])
  if (typeof depth !== 'number') throw refuse('the number of coordinates is not known', op.node.name)
  return emit.gatherND(op.g, params, indices, op.attr.int('batch_dims', 0))
}

/** `x` with updates at the coordinates in the last axis of `indices`. */
export const scatter = (
  op: Op,
  x: Value,
  indices: Value,
  updates: Value,
  reduction: 'none' | 'add' | 'mul' | 'max' | 'min',
): Value => {
  const index = emit.cast(op.g, indices, 'int64')
  // Halves are put in, but neither added nor compared.
  const kernel = reduction === 'none' ? x.dtype : scattered(x.dtype)
  const [into, put] = [emit.cast(op.g, x, kernel), emit.cast(op.g, updates, kernel)]
  return emit.cast(op.g, emit.scatterND(op.g, into, index, put, reduction), x.dtype)
}

const scattered = (dtype: ElementType): ElementType => (dtype === 'float16' || dtype === 'bfloat16' ? 'float32' : dtype)

/** How often each row is named: int64 `[rows]` of int64 ids `[k]`. */
export const countsOf = (op: Op, ids: Value, rows: Dim): Value =>
  scatter(
    op,
    emit.full(op.g, [rows], scalar('int64', 0)),
    emit.unsqueeze(op.g, ids, [1]),
    emit.full(op.g, [ids.shape[0] ?? 1], scalar('int64', 1)),
    'add',
  )

export const zeros = (op: Op, shape: readonly Dim[], like: Value, value = 0): Value =>
  emit.full(op.g, shape, num(like, value))

const scatterNd: Lowering = (op) => {
  const updates = op.x(1)
  return scatter(op, zeros(op, op.sizes(2), updates), op.x(0), updates, 'add')
}

const tensorScatter =
  (reduction: 'none' | 'add' | 'mul' | 'max' | 'min', negate = false): Lowering =>
  (op) =>
    scatter(op, op.x(0), op.x(1), negate ? unary(op, 'Neg', op.x(2)) : op.x(2), reduction)

/** Whole rows, put or added at indices `[n]`. */
const inPlace =
  (reduction: 'none' | 'add', negate = false): Lowering =>
  (op) =>
    scatter(op, op.x(0), emit.unsqueeze(op.g, op.x(1), [1]), negate ? unary(op, 'Neg', op.x(2)) : op.x(2), reduction)

/** Coordinates `[rank, …]` of places in a row-major tensor of given sizes. */
const unravelIndex: Lowering = (op) => {
  const [index, sizes] = [op.x(0), op.sizes(1)]
  const like = (d: Dim): Value => emit.cast(op.g, scalar('int64', d), index.dtype)
  const rows = sizes.map((d, k) => {
    const rest = binary(op, 'Div', index, like(dims.product(sizes.slice(k + 1))))
    return emit.unsqueeze(op.g, binary(op, 'Mod', rest, like(d)), [0])
  })
  return emit.concat(op.g, rows, 0)
}

type Combine = 'sum' | 'mean' | 'sqrtn' | 'max' | 'min' | 'prod'
const combineReduction = { sum: 'add', mean: 'add', sqrtn: 'add', max: 'max', min: 'min', prod: 'mul' } as const

/** What a segment without elements gives, and what all segments start with. */
export function startOf(op: Op, x: Value, combine: Combine): Value {
  if (combine === 'max') return emit.limit(op.g, x.dtype, 'least')
  if (combine === 'min') return emit.limit(op.g, x.dtype, 'greatest')
  return num(x, combine === 'prod' ? 1 : 0)
}

/**
 * Rows of `x` combined by segment. Ids of -1 are left out: they go to one more segment, which is cut off.
 * @param ids Segment of each row, `[n]`.
 */
export function segments(op: Op, x: Value, ids: Value, count: Dim, combine: Combine, empty: Value): Value {
  const rest = x.shape.slice(1)
  const rows = dims.add(count, 1)
  const id = emit.cast(op.g, ids, 'int64')
  const safe = where(op, compare(op, 'Less', id, scalar('int64', 0)), scalar('int64', count), id)
  const index = emit.unsqueeze(op.g, safe, [1])
  const cut = (v: Value): Value => emit.slice(op.g, v, 0, 0, count)
  const total = cut(
    scatter(op, emit.full(op.g, [rows, ...rest], startOf(op, x, combine)), index, x, combineReduction[combine]),
  )
  if (combine === 'sum' || combine === 'prod') return total
  const ones = zeros(op, [x.shape[0] ?? 1], x, 1)
  const counts = emit.unsqueeze(
    op.g,
    cut(scatter(op, zeros(op, [rows], x), index, ones, 'add')),
    rest.map((_, i) => i + 1),
  )
  if (combine === 'mean' || combine === 'sqrtn') {
    const divisor = binary(op, 'Max', counts, num(x, 1))
    return divide(op, total, combine === 'mean' ? divisor : unary(op, 'Sqrt', divisor))
  }
  return where(op, compare(op, 'Equal', counts, num(x, 0)), empty, total)
}

/** The greatest of numbers `[n]` that are sizes or rows, as a scalar. */
export const greatestSize = (op: Op, x: Value): Value =>
  emit.cast(op.g, emit.reduce(op.g, 'ReduceMax', emit.cast(op.g, x, 'int32'), [0]), 'int64')

/** One more than the last id: ids are sorted. None give none. */
function segmentCount(op: Op, ids: Value): Dim {
  if (ids.elements) return dims.add(ids.elements.at(-1) ?? -1, 1)
  const [n = 1] = ids.shape
  const none: Value = { dtype: ids.dtype, shape: [1], elements: [-1] }
  const guarded = dims.bounds(n)[0] > 0 ? ids : emit.concat(op.g, [none, ids], 0)
  return op.g.scalarDim(binary(op, 'Add', greatestSize(op, guarded), scalar('int64', 1)), 0)
}

const sorted =
  (combine: Combine): Lowering =>
  (op) =>
    segments(op, op.x(0), op.x(1), segmentCount(op, op.x(1)), combine, num(op.x(0), combine === 'prod' ? 1 : 0))

const unsorted =
  (combine: Combine): Lowering =>
  (op) => {
    const x = op.x(0)
    const ids = op.x(1)
    const rest = x.shape.slice(ids.shape.length)
    // Both say how many rows there are; what is known of it may be known of one of them only.
    const [given, said] = [dims.product(x.shape.slice(0, ids.shape.length)), dims.product(ids.shape)]
    const n = typeof given === 'number' ? given : said
    const rows = emit.reshape(op.g, x, [n, ...rest])
    return segments(op, rows, emit.reshape(op.g, ids, [n]), op.sizes(2)[0] ?? 0, combine, startOf(op, x, combine))
  }

/** Rows looked up and combined: embeddings of bags of ids. */
const sparseSegment =
  (combine: Combine, counted: boolean): Lowering =>
  (op) => {
    const rows = emit.gather(op.g, op.x(0), emit.strictIndex(op.g, op.x(1)), 0)
    const count = counted ? (op.sizes(3)[0] ?? 0) : segmentCount(op, op.x(2))
    return segments(op, rows, op.x(2), count, combine, num(rows, 0))
  }

/** Rows of partition `i`, for each. */
const dynamicPartition: Lowering = (op) => {
  const x = op.x(0)
  const parts = op.x(1)
  const n = dims.product(parts.shape)
  const rows = emit.reshape(op.g, x, [n, ...x.shape.slice(parts.shape.length)])
  const ids = emit.reshape(op.g, emit.cast(op.g, parts, 'int64'), [n])
  return Array.from({ length: op.attr.int('num_partitions', 1) }, (_, i) => {
    const at = emit.nonZero(op.g, compare(op, 'Equal', ids, scalar('int64', i)))
    return emit.gatherND(op.g, rows, at)
  })
}

/** Rows put where the indices say; of equal ones the last counts. */
const dynamicStitch: Lowering = (op) => {
  const n = op.attr.int('N', op.count / 2)
  const indices = op.xs(0, n)
  const data = op.xs(n, 2 * n)
  const rest = data[0]?.shape.slice(indices[0]?.shape.length ?? 0) ?? []
  const flatIndices = indices.map((x) => emit.flat(op.g, emit.cast(op.g, x, 'int64')))
  const flatData = data.map((x, i) => emit.reshape(op.g, x, [flatIndices[i]?.shape[0] ?? 1, ...rest]))
  const index = emit.concat(op.g, flatIndices, 0)
  const values = emit.concat(op.g, flatData, 0)
  const known = index.elements?.every((e) => typeof e === 'number')
    ? Math.max(-1, ...(index.elements as readonly number[])) + 1
    : undefined // 64 at most
  const rows = known ?? segmentCount(op, index)
  if (values.elements && rest.length === 0 && typeof known === 'number' && index.elements) {
    const out = new Array<Dim>(known).fill(0)
    for (const [k, at] of index.elements.entries()) out[at as number] = values.elements[k] ?? 0 // just asked
    return vector(out, values.dtype)
  }
  const start =
    values.dtype === 'string'
      ? emit.full(op.g, [rows, ...rest], { dtype: 'string', shape: [], content: { strings: [new Uint8Array()] } })
      : zeros(op, [rows, ...rest], values)
  return scatter(op, start, emit.unsqueeze(op.g, index, [1]), values, 'none')
}

/** What of `x` is not in `y`, and where. */
const listDiff: Lowering = (op) => {
  const [x, y] = [op.x(0), op.x(1)]
  const hit = compare(op, 'Equal', emit.unsqueeze(op.g, x, [1]), emit.unsqueeze(op.g, y, [0]))
  const found = emit.reduce(op.g, 'ReduceMax', emit.cast(op.g, hit, 'int32'), [1])
  const at = emit.nonZero(op.g, compare(op, 'Equal', found, scalar('int32', 0)))
  const index = emit.reshape(op.g, at, [at.shape[0] ?? 1])
  return [emit.gather(op.g, x, index, 0), emit.cast(op.g, index, op.dtype('out_idx', 'int32'))]
}

/** A dense tensor of the shape with values put at coordinates. */
const sparseToDense: Lowering = (op) => {
  const shape = op.sizes(1)
  const values = op.x(2)
  const given = emit.cast(op.g, op.x(0), 'int64')
  const indices =
    given.shape.length === 2
      ? given
      : given.shape.length === 1
        ? emit.unsqueeze(op.g, given, [1])
        : emit.reshape(op.g, given, [1, 1])
  const rows = indices.shape[0] ?? 1
  const updates = values.shape.length === 0 ? emit.expand(op.g, emit.reshape(op.g, values, [1]), [rows]) : values
  return scatter(op, emit.full(op.g, shape, op.x(3)), indices, updates, 'none')
}

/** `a · b` of a sparse matrix: rows of b times values, summed by row of a. */
const sparseDenseMatMul: Lowering = (op) => {
  const indices = emit.cast(op.g, op.x(0), 'int64')
  const values = op.x(1)
  const isTurned = op.attr.bool('adjoint_a')
  const column = (k: number): Value => emit.select(op.g, indices, 1, k)
  const b = op.attr.bool('adjoint_b') ? emit.transpose(op.g, op.x(3), [1, 0]) : op.x(3)
  const rows = emit.gather(op.g, b, column(isTurned ? 0 : 1), 0)
  const weighted = binary(op, 'Mul', rows, emit.unsqueeze(op.g, values, [1]))
  return segments(op, weighted, column(isTurned ? 1 : 0), op.sizes(2)[isTurned ? 1 : 0] ?? 1, 'sum', num(b, 0))
}

/** Coordinates under another shape of as many elements. */
const sparseReshape: Lowering = (op) => {
  const indices = emit.cast(op.g, op.x(0), 'int64')
  const from = op.sizes(1)
  const given = op.sizes(2)
  const open = given.indexOf(-1)
  const rest = dims.product(given.filter((_, i) => i !== open))
  const to = given.map((d, i) => (i === open ? dims.floorDiv(dims.product(from), dims.max(rest, 1)) : d))
  const weights = (shape: readonly Dim[]): Dim[] => shape.map((_, i) => dims.product(shape.slice(i + 1)))
  const flat = emit.reduce(op.g, 'ReduceSum', binary(op, 'Mul', indices, vector(weights(from))), [1], true)
  const divided = to.length === 0 ? flat : binary(op, 'Div', flat, vector(weights(to).map((w) => dims.max(w, 1))))
  return [binary(op, 'Mod', divided, vector(to.map((d) => dims.max(d, 1)))), vector(to)]
}

/** Rows without an entry get the default at column 0. */
const sparseFillEmptyRows: Lowering = (op) => {
  const [indices, values] = [op.x(0), op.x(1)]
  const [rows = 1] = op.sizes(2)
  const rank = indices.shape[1]
  if (typeof rank !== 'number') throw refuse('the rank of the sparse tensor is not known', op.node.name)
  const n = indices.shape[0] ?? 1
  const row = emit.select(op.g, indices, 1, 0)
  const count = countsOf(op, row, rows)
  const isEmpty = compare(op, 'Equal', count, scalar('int64', 0))
  const missing = emit.nonZero(op.g, isEmpty)
  const added = missing.shape[0] ?? 1
  const allIndices = emit.concat(op.g, [indices, emit.pad(op.g, missing, [0, 0], [0, rank - 1])], 0)
  const allValues = emit.concat(op.g, [values, emit.full(op.g, [added], op.x(3))], 0)
  // Sorted by row, and stable: position breaks ties.
  const total = dims.add(n, added)
  const key = binary(
    op,
    'Add',
    binary(op, 'Mul', emit.select(op.g, allIndices, 1, 0), scalar('int64', dims.add(total, 1))),
    emit.iota(op.g, total, 0, 1),
  )
  const [, order] = emit.topK(op.g, key, total, 0, { largest: false })
  const [, back] = emit.topK(op.g, order, total, 0, { largest: false })
  return [
    emit.gather(op.g, allIndices, order, 0),
    emit.gather(op.g, allValues, order, 0),
    isEmpty,
    emit.slice(op.g, back, 0, 0, n),
  ]
}

export const indexOps: OpTable = {
  Gather: (op) => gather(op, op.x(0), op.x(1), 0, 0),
  GatherV2: gatherV2,
  GatherNd: (op) => gatherNd(op, op.x(0)),
  ScatterNd: scatterNd,
  TensorScatterUpdate: tensorScatter('none'),
  TensorScatterAdd: tensorScatter('add'),
  TensorScatterSub: tensorScatter('add', true),
  TensorScatterMax: tensorScatter('max'),
  TensorScatterMin: tensorScatter('min'),
  ScatterNdNonAliasingAdd: tensorScatter('add'),
  InplaceUpdate: inPlace('none'),
  InplaceAdd: inPlace('add'),
  InplaceSub: inPlace('add', true),
  UnravelIndex: unravelIndex,
  SegmentSum: sorted('sum'),
  SegmentMean: sorted('mean'),
  SegmentMax: sorted('max'),
  SegmentMin: sorted('min'),
  SegmentProd: sorted('prod'),
  UnsortedSegmentSum: unsorted('sum'),
  UnsortedSegmentMax: unsorted('max'),
  UnsortedSegmentMin: unsorted('min'),
  UnsortedSegmentProd: unsorted('prod'),
  SparseSegmentSum: sparseSegment('sum', false),
  SparseSegmentMean: sparseSegment('mean', false),
  SparseSegmentSqrtN: sparseSegment('sqrtn', false),
  SparseSegmentSumWithNumSegments: sparseSegment('sum', true),
  SparseSegmentMeanWithNumSegments: sparseSegment('mean', true),
  SparseSegmentSqrtNWithNumSegments: sparseSegment('sqrtn', true),
  DynamicPartition: dynamicPartition,
  DynamicStitch: dynamicStitch,
  ParallelDynamicStitch: dynamicStitch,
  ListDiff: listDiff,
  SparseToDense: sparseToDense,
  SparseTensorDenseMatMul: sparseDenseMatMul,
  SparseReshape: sparseReshape,
  SparseFillEmptyRows: sparseFillEmptyRows,
}
