import { type Dim, dims, type ElementType, emit, refuse, scalar, type Value } from '@eas/onnx'
import { type Call, type Lower, type OpTable, tuple } from '../call.ts'
import { like } from './helpers.ts'
import { norm } from './reduce.ts'

/** Tables of vectors. Torch: aten/src/ATen/native/{Embedding,EmbeddingBag}.cpp (2.4). */

const embedding: Lower = (c) => emit.gather(c.g, c.tensor('weight'), emit.strictIndex(c.g, c.tensor('indices')), 0)

const modes = ['sum', 'mean', 'max'] as const

/**
 * Bag of each index: marks at where bags begin, added up. A bag that is empty leaves two marks in one place.
 * @param offsets `[B]`, where each bag begins.
 */
function bagOf(c: Call, offsets: Value, count: Dim): Value {
  const { g } = c
  // One place more than there are indices, for bags that begin at the end.
  const zeros = emit.full(g, [dims.add(count, 1)], scalar('int64', 0))
  const ones = emit.expand(g, scalar('int64', 1), offsets.shape)
  const marks = emit.scatterElements(g, zeros, offsets, ones, 0, 'add')
  const running = emit.cumSum(g, emit.slice(g, marks, 0, 0, count), 0)
  return emit.binary(g, 'Sub', running, scalar('int64', 1))
}

/** What bags take their rows from. */
interface Table {
  readonly rows: Dim
  readonly dtype: ElementType
  readonly look: (indices: Value) => Value
}

const embeddingBag: Lower = (c) => {
  const weight = c.tensor('weight')
  const mode = modes[c.int('mode')]
  if (!mode) throw refuse('aten::embedding_bag with an unknown mode')
  const [rows = 1] = weight.shape
  // ONNX Runtime adds up no half floats.
  const dtype = weight.dtype === 'float16' ? 'float32' : weight.dtype
  const look = (indices: Value): Value => emit.cast(c.g, emit.gather(c.g, weight, indices, 0), dtype)
  const y = emit.cast(c.g, bagged(c, { rows, dtype, look }, mode), weight.dtype)
  // Torch gives three more tensors, which only training uses.
  return tuple(c.vm, y, scalar('int64', 0), scalar('int64', 0), scalar('int64', 0))
}

/** `[B, D]`: the rows of each bag reduced to one. Indices, offsets and the rest are those of the call. */
export function bagged(c: Call, table: Table, mode: (typeof modes)[number]): Value {
  const { g } = c
  const { dtype } = table
  const given = emit.cast(g, c.tensor('indices'), 'int64')
  const indices = emit.flat(g, given)
  const padding = c.has('padding_idx') ? c.optionalInt('padding_idx') : undefined
  const perSample = c.has('per_sample_weights') ? c.optionalTensor('per_sample_weights') : undefined
  let rows = table.look(emit.strictIndex(g, indices))
  const kept = keptOf(c, indices, padding, table.rows)
  if (perSample)
    rows = emit.binary(g, 'Mul', rows, emit.unsqueeze(g, emit.cast(g, emit.flat(g, perSample), dtype), [1]))
  const reduced = reducer(c, given, table.dtype)
  const none = scalar(dtype, 0)
  const count = (): Value => {
    const each = kept ? emit.cast(g, kept, dtype) : emit.expand(g, scalar(dtype, 1), indices.shape)
    return reduced(emit.unsqueeze(g, each, [1]), 'add')
  }
  if (mode === 'max') {
    const least = scalar(dtype, Number.NEGATIVE_INFINITY)
    const shown = kept ? emit.where(g, emit.unsqueeze(g, kept, [1]), rows, least) : rows
    return emit.where(g, emit.compare(g, 'Greater', count(), none), reduced(shown, 'max'), none)
  }
  const shown = kept ? emit.binary(g, 'Mul', rows, emit.unsqueeze(g, emit.cast(g, kept, dtype), [1])) : rows
  const total = reduced(shown, 'add')
  return mode === 'sum' ? total : emit.binary(g, 'Div', total, emit.binary(g, 'Max', count(), scalar(dtype, 1)))
}

/** Reduces rows, one for each index, to one for each bag: `[N, D]` to `[B, D]`. */
type Reduced = (rows: Value, how: 'add' | 'max') => Value

function reducer(c: Call, indices: Value, dtype: ElementType): Reduced {
  const { g } = c
  const offsets = offsetsOf(c)
  const [count = 0, bagCount = 1] = [dims.product(indices.shape), offsets.shape[0]]
  // As many indices in each bag: what nn.EmbeddingBag makes of a matrix. The first bag begins at 0.
  const length = bagCount === 1 ? count : c.vm.facts.stepOf(offsets)
  if (length !== undefined && dims.bounds(length)[0] > 0 && dims.same(dims.mul(bagCount, length), count)) {
    return (rows, how) => {
      const each = emit.reshape(g, rows, [bagCount, length, rows.shape[1] ?? 1])
      return length === 1 ? rows : emit.reduce(g, how === 'add' ? 'ReduceSum' : 'ReduceMax', each, [1])
    }
  }
  const bag = emit.unsqueeze(g, bagOf(c, offsets, count), [1])
  return (rows, how) => {
    const none = scalar(dtype, how === 'add' ? 0 : Number.NEGATIVE_INFINITY)
    return emit.scatterND(g, emit.full(g, [bagCount, rows.shape[1] ?? 1], none), bag, rows, how)
  }
}

/** Where each bag begins; of a matrix, each row is a bag. */
function offsetsOf(c: Call): Value {
  const { g } = c
  const { shape } = c.tensor('indices')
  if (shape.length === 2)
    return emit.binary(g, 'Mul', emit.iota(g, shape[0] ?? 1, 0, 1), scalar('int64', shape[1] ?? 1))
  const offsets = emit.cast(g, c.tensor('offsets'), 'int64')
  const last = c.has('include_last_offset') && c.bool('include_last_offset')
  return last ? emit.slice(g, offsets, 0, 0, dims.sub(offsets.shape[0] ?? 1, 1)) : offsets
}

/** Which indices count; undefined when all do. */
function keptOf(c: Call, indices: Value, padding: number | undefined, rows: Dim): Value | undefined {
  if (padding === undefined) return undefined
  const index = padding < 0 ? dims.add(rows, padding) : padding
  // Before 1.13 "no padding" is -1, which there is no row for in newer calls either.
  if (padding === -1 && c.overload === '') return undefined
  return emit.not(c.g, emit.compare(c.g, 'Equal', indices, scalar('int64', index)))
}

/**
 * Rows no longer than `max_norm`. Torch shortens those that are looked up, for good; here all are, since no lookup can tell.
 */
const renormed: Lower = (c) => {
  const { g } = c
  const weight = c.tensor('self')
  const limit = like(weight, c.float('max_norm'))
  const size = norm(c, weight, c.float('norm_type'), [1], true)
  const factor = emit.binary(g, 'Div', limit, emit.binary(g, 'Add', size, like(weight, 1e-7)))
  const isLong = emit.compare(g, 'Greater', size, limit)
  c.vm.settle(c.ref('self'), emit.where(g, isLong, emit.binary(g, 'Mul', weight, factor), weight))
  return c.py('self')
}

export const embeddingOps: OpTable = {
  embedding_renorm_: renormed,
  embedding,
  embedding_bag: embeddingBag,
  _embedding_bag: embeddingBag,
  _embedding_bag_forward_only: embeddingBag,
}
