import { type Dim, dims, emit, refuse, scalar, type Value, vector } from '@eas/onnx'
import type { Lowering, Op, OpTable } from '../op.ts'
import { binary, compare, unary } from './elementwise.ts'
import { countsOf, greatestSize, scatter } from './index-ops.ts'

/**
 * Ragged tensors that the graph computes: values and row splits, which are prefix sums of lengths.
 * TF: core/ops/ragged_array_ops.cc, ragged_conversion_ops.cc, ragged_math_ops.cc (2.16).
 */

/** Rows of a ragged dimension, `n` of them with `count` elements together. */
interface Rows {
  readonly n: Dim
  readonly count: Dim
  /** Where each begins, `[n]`. */
  readonly starts: Value
  /** Row of each element, `[count]`. */
  readonly ids: Value
  /** Place of each element within its row, `[count]`. */
  readonly places: Value
  readonly lengths: Value
}

/** Prefix sums `[n + 1]` of lengths `[n]`. */
const splitsOf = (op: Op, lengths: Value): Value =>
  emit.concat(
    op.g,
    [
      { dtype: 'int64', shape: [1], elements: [0] },
      emit.cumSum(op.g, lengths, 0, { exclusive: false, reverse: false }),
    ],
    0,
  )

const lengthsOf = (op: Op, splits: Value): Value => {
  const n = splits.shape[0] ?? 1
  return binary(op, 'Sub', emit.slice(op.g, splits, 0, 1, n), emit.slice(op.g, splits, 0, 0, dims.sub(n, 1)))
}

/** Which row each of `count` elements is in: how many rows end before it. */
function rowIds(op: Op, splits: Value, count: Dim): Value {
  const n = splits.shape[0] ?? 1
  const ends = emit.unsqueeze(op.g, emit.slice(op.g, splits, 0, 1, n), [1])
  const marks = scatter(
    op,
    emit.full(op.g, [dims.add(count, 1)], scalar('int64', 0)),
    ends,
    emit.full(op.g, [dims.sub(n, 1)], scalar('int64', 1)),
    'add',
  )
  return emit.slice(op.g, emit.cumSum(op.g, marks, 0, { exclusive: false, reverse: false }), 0, 0, count)
}

function rowsOfSplits(op: Op, given: Value, count: Dim): Rows {
  const splits = emit.cast(op.g, given, 'int64')
  const n = dims.sub(splits.shape[0] ?? 1, 1)
  const ids = rowIds(op, splits, count)
  const starts = emit.slice(op.g, splits, 0, 0, n)
  const places = binary(op, 'Sub', emit.iota(op.g, count, 0, 1), emit.gather(op.g, starts, ids, 0))
  return { n, count, starts, ids, places, lengths: lengthsOf(op, splits) }
}

/** @param given Row of each element, ascending. */
function rowsOfIds(op: Op, given: Value, n: Dim): Rows {
  const ids = emit.cast(op.g, given, 'int64')
  const count = ids.shape[0] ?? 1
  return rowsOfSplits(op, splitsOf(op, countsOf(op, ids, n)), count)
}

/** The last of a vector that is not empty, as a size. */
const lastOf = (op: Op, splits: Value): Dim =>
  op.g.scalarDim(emit.select(op.g, emit.cast(op.g, splits, 'int64'), 0, dims.sub(splits.shape[0] ?? 1, 1)), 0)

const raggedRange: Lowering = (op) => {
  const { g } = op
  const [starts, limits, deltas] = [op.x(0), op.x(1), op.x(2)]
  const [n = 1] = op.e.broadcast(starts.shape, limits.shape, deltas.shape, [1])
  const span = binary(op, 'Sub', limits, starts)
  // The number of steps is rounded up, of whole numbers by what is left over.
  const steps = starts.dtype.startsWith('float')
    ? unary(op, 'Ceil', binary(op, 'Div', span, deltas))
    : unary(op, 'Neg', floorDivided(op, unary(op, 'Neg', span), deltas))
  const size = binary(op, 'Max', emit.cast(g, steps, 'int64'), scalar('int64', 0))
  const lengths = emit.expand(g, size, [n])
  const splits = splitsOf(op, lengths)
  const rows = rowsOfSplits(op, splits, lastOf(op, splits))
  const of = (x: Value): Value => emit.gather(g, emit.expand(g, x, [n]), rows.ids, 0)
  const values = binary(op, 'Add', of(starts), binary(op, 'Mul', emit.cast(g, rows.places, starts.dtype), of(deltas)))
  return [emit.cast(g, splits, op.dtype('Tsplits', 'int64')), values]
}

const floorDivided = (op: Op, a: Value, b: Value): Value =>
  binary(op, 'Div', binary(op, 'Sub', a, binary(op, 'Mod', a, b)), b)

/** The greatest of lengths, of none 0. */
const longest = (op: Op, lengths: Value): Dim => {
  const guarded = emit.concat(op.g, [lengths, { dtype: 'int64', shape: [1], elements: [0] }], 0)
  return op.g.scalarDim(greatestSize(op, guarded), 0)
}

/** Coordinates of each element of nested rows, outermost first. */
function nested(op: Op, levels: readonly Rows[]): { coordinates: Value[]; sizes: Dim[] } {
  const [first] = levels
  let coordinates = [emit.iota(op.g, first?.n ?? 0, 0, 1)]
  for (const { ids, places } of levels) coordinates = [...coordinates.map((c) => emit.gather(op.g, c, ids, 0)), places]
  return { coordinates, sizes: [first?.n ?? 0, ...levels.map(({ lengths }) => longest(op, lengths))] }
}

const tableOf = (op: Op, coordinates: readonly Value[]): Value =>
  emit.concat(
    op.g,
    coordinates.map((c) => emit.unsqueeze(op.g, c, [1])),
    1,
  )

/** A dense tensor of ragged rows, padded with a default; what a given size leaves no room for is cut off. */
const raggedToTensor: Lowering = (op) => {
  const { g } = op
  const values = op.x(1)
  const kinds = op.attr.strings('row_partition_types')
  const hasCount = kinds[0] === 'FIRST_DIM_SIZE'
  const levels: Rows[] = []
  // From the innermost, since how many rows there are is the outer level's number of elements.
  for (let k = kinds.length - 1; k >= (hasCount ? 1 : 0); k--) {
    const partition = op.x(3 + k)
    const inner = levels[0]?.n ?? values.shape[0] ?? 1
    if (kinds[k] === 'ROW_SPLITS') levels.unshift(rowsOfSplits(op, partition, inner))
    else if (kinds[k] === 'VALUE_ROWIDS' && hasCount)
      levels.unshift(rowsOfIds(op, partition, k === 1 ? (op.sizes(3)[0] ?? 1) : rowCount(op, op.x(3 + k - 1))))
    else throw refuse(`row partitions of the type ${kinds[k]} are not supported`, op.node.name)
  }
  const { coordinates, sizes } = nested(op, levels)
  const wanted = op.x(0).shape.length === 0 ? [] : op.ints(0)
  const shape = [...sizes, ...values.shape.slice(1)].map((d, k) => ((wanted[k] ?? -1) >= 0 ? (wanted[k] ?? d) : d))
  let [indices, kept] = [tableOf(op, coordinates), values]
  const cuts = sizes.flatMap((d, k) => (shape[k] === d ? [] : [k]))
  if (cuts.length > 0) {
    const isIn = cuts
      .map((k) => compare(op, 'Less', coordinates[k] ?? indices, scalar('int64', shape[k] ?? 0)))
      .reduce((a, b) => compare(op, 'And', a, b))
    const at = emit.nonZero(g, isIn)
    const index = emit.reshape(g, at, [at.shape[0] ?? 1])
    indices = emit.gather(g, indices, index, 0)
    kept = emit.gather(g, values, index, 0)
  }
  const padding = emit.expand(g, op.x(2), shape)
  return scatter(op, padding, indices, kept, 'none')
}

/** Rows that ids of an outer level have: as many as there are ids. */
const rowCount = (_op: Op, outer: Value): Dim => outer.shape[0] ?? 1

const raggedToSparse: Lowering = (op) => {
  const count = op.count - 1
  const values = op.x(count)
  if (values.shape.length !== 1)
    throw refuse('ragged rows of vectors cannot be made sparse', op.node.name, 'Make them dense with to_tensor')
  const levels: Rows[] = []
  for (let k = count - 1; k >= 0; k--) levels.unshift(rowsOfSplits(op, op.x(k), levels[0]?.n ?? values.shape[0] ?? 1))
  const { coordinates, sizes } = nested(op, levels)
  return [tableOf(op, coordinates), values, vector(sizes)]
}

/** Rows of a ragged tensor by index, level by level. */
const raggedGather: Lowering = (op) => {
  const { g } = op
  const depth = op.attr.int('PARAMS_RAGGED_RANK', op.count - 2)
  const indices = emit.cast(g, op.x(op.count - 1), 'int64')
  const type = op.dtype('Tsplits', 'int64')
  const out: Value[] = []
  // Further axes of the indices are ragged ones with rows of one length.
  for (let k = 0; k + 1 < indices.shape.length; k++) {
    const outer = dims.product(indices.shape.slice(0, k + 1))
    const ends = binary(op, 'Mul', emit.iota(g, dims.add(outer, 1), 0, 1), scalar('int64', indices.shape[k + 1] ?? 1))
    out.push(emit.cast(g, ends, type))
  }
  let rows = emit.flat(g, indices)
  for (let k = 0; k < depth; k++) {
    const splits = emit.cast(g, op.x(k), 'int64')
    const starts = emit.slice(g, splits, 0, 0, dims.sub(splits.shape[0] ?? 1, 1))
    const taken = splitsOf(op, emit.gather(g, lengthsOf(op, splits), rows, 0))
    const { ids, places } = rowsOfSplits(op, taken, lastOf(op, taken))
    out.push(emit.cast(g, taken, type))
    rows = binary(op, 'Add', places, emit.gather(g, emit.gather(g, starts, rows, 0), ids, 0))
  }
  return [...out, emit.gather(g, op.x(depth), rows, 0)]
}

export const raggedOps: OpTable = {
  RaggedRange: raggedRange,
  RaggedTensorToTensor: raggedToTensor,
  RaggedTensorToSparse: raggedToSparse,
  RaggedGather: raggedGather,
}
