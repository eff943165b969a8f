import { type Dim, dims, emit, refuse, scalar, type Value, vector } from '@eas/onnx'
import { type Call, type Lower, type OpTable, tuple } from '../call.ts'
import { elementsOf } from '../scalars.ts'
import { quantisedRows } from './fbgemm-rows.ts'
import { like, segmentOf } from './helpers.ts'

/**
 * Jagged tensors and pooled embeddings, as TorchRec's `KeyedJaggedTensor` and quantised `EmbeddingBagCollection` call them in
 * what TorchEasyRec exports. FBGEMM: fbgemm_gpu/src/{jagged_tensor_ops,sparse_ops,embedding_inplace_ops} (1.8).
 */

const { binary, cast, compare, reduce, where } = emit

const along = (x: Value, axis: number): Dim => x.shape[axis] ?? 1
const firstOnes = (c: Call, x: Value): Value => emit.slice(c.g, x, 0, 0, dims.sub(along(x, 0), 1))
const lastOnes = (c: Call, x: Value): Value => emit.slice(c.g, x, 0, 1, along(x, 0))
/** Of offsets, those where one ends and the next begins. */
const innerOf = (c: Call, x: Value): Value => emit.slice(c.g, x, 0, 1, dims.sub(along(x, 0), 1))
/** A size as a number of the graph. */
const sized = (c: Call, size: Dim): Value => emit.reshape(c.g, vector([size]), [])
const column = (c: Call, x: Value): Value => emit.unsqueeze(c.g, x, [1])
const row = (c: Call, x: Value): Value => emit.unsqueeze(c.g, x, [0])

/** Of lengths, where each begins and where the last ends: one more than there are. */
function offsetsOf(c: Call, lengths: Value): Value {
  if (lengths.shape.length !== 1) throw refuse(`${c.name} of ${lengths.shape.length} dimensions`)
  return emit.concat(c.g, [emit.full(c.g, [1], like(lengths, 0)), emit.cumSum(c.g, lengths, 0)], 0)
}

/** Rows of each sample, side by side up to the longest: `[B, max_length, …]`; longer samples are cut. */
const toPaddedDense: Lower = (c) => {
  const { g } = c
  const values = c.tensor('values')
  const [offsets, ...more] = c.tensors('offsets')
  const [longest] = c.dims('max_lengths')
  if (!offsets || longest === undefined || more.length > 0) throw refuse(`${c.name} of several jagged dimensions`)
  const ends = cast(g, offsets, 'int64')
  const place = binary(g, 'Add', column(c, firstOnes(c, ends)), row(c, emit.iota(g, longest, 0, 1)))
  const isThere = compare(g, 'Less', place, column(c, lastOnes(c, ends)))
  // One more row, of padding, is what is taken where a sample has ended.
  const padding = emit.full(g, [1, ...values.shape.slice(1)], like(values, c.float('padding_value')))
  const index = where(g, isThere, place, sized(c, along(values, 0)))
  return emit.gather(g, emit.concat(g, [values, padding], 0), index, 0)
}

/** Sums of segments: `batch_size` times `csr_seg` is where each begins. */
const segmentSum: Lower = (c) => {
  const { g } = c
  const values = c.tensor('values')
  const ends = binary(g, 'Mul', cast(g, c.tensor('csr_seg'), 'int64'), sized(c, c.dim('batch_size')))
  const segment = segmentOf(c, innerOf(c, ends), along(values, 0))
  const zeros = emit.full(g, [dims.sub(along(ends, 0), 1), ...values.shape.slice(1)], like(values, 0))
  return emit.scatterND(g, zeros, column(c, segment), values, 'add')
}

/** Segments of values, as long as `sums` says, in another order. */
function permuted(c: Call, lengths: Value, sums: Value, order: Value) {
  const { g } = c
  const values = c.tensor('values')
  const weights = c.optionalTensor('weights')
  const taken = emit.gather(g, sums, order, 0)
  const ends = emit.cumSum(g, taken, 0)
  const total = c.optionalDim('permuted_lengths_sum') ?? g.scalarDim(reduce(g, 'ReduceSum', taken, [0]))
  const segment = segmentOf(c, firstOnes(c, ends), total)
  const starts = emit.gather(g, firstOnes(c, offsetsOf(c, sums)), order, 0)
  const shift = binary(g, 'Sub', starts, binary(g, 'Sub', ends, taken))
  const index = binary(g, 'Add', emit.iota(g, total, 0, 1), emit.gather(g, shift, segment, 0))
  return tuple(
    c.vm,
    emit.gather(g, lengths, order, 0),
    emit.gather(g, values, index, 0),
    weights ? emit.gather(g, weights, index, 0) : null,
  )
}

const permuteSegments: Lower = (c) => {
  const lengths = c.tensor('lengths')
  return permuted(c, lengths, cast(c.g, lengths, 'int64'), cast(c.g, c.tensor('permute'), 'int64'))
}

const permuteKeys: Lower = (c) => {
  const lengths = c.tensor('lengths')
  const sums = reduce(c.g, 'ReduceSum', cast(c.g, lengths, 'int64'), [1])
  return permuted(c, lengths, sums, cast(c.g, c.tensor('permute'), 'int64'))
}

/** Of `tables`, each with as many bags: the one that a bag is of. */
const tableOf = (c: Call, bag: Value, bags: Dim, tables: number): Value =>
  binary(c.g, 'Div', bag, binary(c.g, 'Div', sized(c, bags), scalar('int64', tables)))

/** Indices without a row become 0, in place; -1 stands for a row that was pruned. */
const boundsCheck: Lower = (c) => {
  const { g } = c
  const rows = cast(g, c.tensor('rows_per_table'), 'int64')
  const indices = c.tensor('indices')
  const plain = cast(g, indices, 'int64')
  const offsets = cast(g, c.tensor('offsets'), 'int64')
  const bags = dims.sub(along(offsets, 0), 1)
  const table = tableOf(c, segmentOf(c, innerOf(c, offsets), along(indices, 0)), bags, c.fixed(along(rows, 0)))
  const isRow = compare(
    g,
    'And',
    compare(g, 'GreaterOrEqual', plain, scalar('int64', -1)),
    compare(g, 'Less', plain, emit.gather(g, rows, table, 0)),
  )
  c.vm.write(c.ref('indices'), cast(g, where(g, isRow, plain, scalar('int64', 0)), indices.dtype))
  return null
}

const poolings = ['sum', 'mean', 'none'] as const

/** Rows of quantised tables, decoded and pooled: `[B, total_D]`, or a row per index where nothing is pooled. */
const quantisedLookup: Lower = (c) => {
  const { g, vm } = c
  const numbers = (name: string): number[] => {
    const known = elementsOf(vm, c.tensor(name))
    if (!known) throw refuse(`${name} of ${c.name} depends on the request`)
    return known.map((v) => c.fixed(v))
  }
  if (c.int('output_dtype') !== 0) throw refuse(`${c.name} of another type than float32`)
  const pooling = poolings[c.int('pooling_mode')] ?? 'sum'
  const begins = numbers('D_offsets')
  const widths = begins.slice(1).map((end, t) => end - (begins[t] ?? 0))
  const indices = cast(g, c.tensor('indices'), 'int64')
  const offsets = cast(g, c.tensor('offsets'), 'int64')
  const count = along(indices, 0)
  const bags = dims.sub(along(offsets, 0), 1)
  const bag = segmentOf(c, innerOf(c, offsets), count)
  const table = tableOf(c, bag, bags, widths.length)
  const decoded = quantisedRows(c, { indices, table, widths, numbers })
  if (pooling === 'none') return decoded
  const weights = c.optionalTensor('indice_weights')
  const weighted = weights ? binary(g, 'Mul', decoded, column(c, weights)) : decoded
  const width = widths.reduce((a, b) => Math.max(a, b), 0)
  const zeros = emit.full(g, [bags, width], scalar('float32', 0))
  let pooled = emit.scatterND(g, zeros, column(c, bag), weighted, 'add')
  if (pooling === 'mean') {
    const lengths = binary(g, 'Sub', lastOnes(c, offsets), firstOnes(c, offsets))
    const share = cast(
      g,
      where(g, compare(g, 'Equal', lengths, scalar('int64', 0)), scalar('int64', 1), lengths),
      'float32',
    )
    pooled = binary(g, 'Div', pooled, column(c, share))
  }
  // [T * B, width] to [B, the widths of all].
  const byTable = emit.reshape(g, pooled, [widths.length, dims.floorDiv(bags, widths.length), width])
  const parts = widths.map((own, t) => emit.slice(g, emit.select(g, byTable, 0, t), 1, 0, own))
  return emit.concat(g, parts, 1)
}

export const fbgemmOps: OpTable = {
  'fbgemm::asynchronous_complete_cumsum': (c) => offsetsOf(c, c.tensor('t_in')),
  'fbgemm::asynchronous_inclusive_cumsum': (c) => emit.cumSum(c.g, c.tensor('t_in'), 0),
  'fbgemm::asynchronous_exclusive_cumsum': (c) => firstOnes(c, offsetsOf(c, c.tensor('t_in'))),
  'fbgemm::jagged_to_padded_dense': toPaddedDense,
  'fbgemm::segment_sum_csr': segmentSum,
  'fbgemm::permute_1D_sparse_data': permuteSegments,
  'fbgemm::permute_2D_sparse_data': permuteKeys,
  'fbgemm::bounds_check_indices': boundsCheck,
  'fbgemm::int_nbit_split_embedding_codegen_lookup_function': quantisedLookup,
  'fbgemm::group_index_select_dim0': (c) => {
    const indices = c.tensors('indices_group')
    return c.tensors('input_group').map((x, i) => emit.gather(c.g, x, indices[i] ?? scalar('int64', 0), 0))
  },
}
