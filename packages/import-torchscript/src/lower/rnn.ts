import { type Dim, emit, refuse, type Value } from '@eas/onnx'
import { type Call, type Lower, type OpTable, type Result, tuple } from '../call.ts'
import {
  batchSizesOf,
  type Cell,
  firstOf,
  gruCell,
  type LayerWeights,
  lengthsOf,
  lstmCell,
  packedMask,
  packRows,
  padRows,
  recurrent,
  rnnCell,
  zero,
} from './recurrent.ts'

/** Recurrent layers and cells, over padded batches and packed sequences. Torch: aten/src/ATen/native/RNN.cpp (2.4). */
export const rnnOps: OpTable = {
  lstm: layers('lstm'),
  gru: layers('gru'),
  rnn_tanh: layers('rnn_tanh'),
  rnn_relu: layers('rnn_relu'),

  lstm_cell: (c) => {
    const [h, cell] = c.tensors('hx')
    if (!h || !cell) throw refuse('aten::lstm_cell without its two states')
    const state = lstmCell(c.g, c.tensor('input'), { h, c: cell }, cellWeights(c))
    return tuple(c.vm, state.h, state.c)
  },
  gru_cell: (c) => gruCell(c.g, c.tensor('input'), c.tensor('hx'), cellWeights(c)),
  rnn_tanh_cell: (c) => rnnCell(c.g, c.tensor('input'), c.tensor('hx'), cellWeights(c), 'Tanh'),
  rnn_relu_cell: (c) => rnnCell(c.g, c.tensor('input'), c.tensor('hx'), cellWeights(c), 'Relu'),

  /** Lengths fall: `pack_padded_sequence` has sorted the batch, or refuses one that is not. */
  _pack_padded_sequence: (c) => {
    const padded = c.tensor('input')
    const lengths = emit.cast(c.g, c.tensor('lengths'), 'int64')
    const x = c.bool('batch_first') ? timeFirst(c, padded) : padded
    const [longest = 1, B = 1] = x.shape
    const T = firstOf(c.g, lengths, 1)
    if (T !== longest) c.g.assumptions.add('no packed sequence is longer than its padded batch')
    const batchSizes = batchSizesOf(c.g, lengths, T)
    const mask = packedMask(c.g, batchSizes, B)
    return tuple(c.vm, packRows(c.g, emit.slice(c.g, x, 0, 0, T), mask), batchSizes)
  },

  _pad_packed_sequence: (c) => {
    const batchSizes = c.tensor('batch_sizes')
    const B = firstOf(c.g, batchSizes, 1)
    const mask = packedMask(c.g, batchSizes, B)
    const data = c.tensor('data')
    const fill = emit.cast(c.g, c.operand('padding_value').value, data.dtype)
    let y = padRows(c.g, data, mask, fill)
    const total = c.dim('total_length')
    const [T = 1] = y.shape
    if (typeof total !== 'number' || total > 0) {
      const after: Dim[] = y.shape.map(() => 0)
      const grown = emit.pad(c.g, y, after, [total, ...after.slice(1)], 'constant', fill)
      y = emit.slice(c.g, grown, 0, 0, total)
      c.g.assumptions.add(`a packed batch of ${T} steps fits into ${total}`)
    }
    return tuple(c.vm, c.bool('batch_first') ? timeFirst(c, y) : y, lengthsOf(c.g, mask))
  },
}

/** Exchanges the first two axes. */
const timeFirst = (c: Call, x: Value): Value => emit.transpose(c.g, x, emit.swapped(x.shape.length, 0, 1))

function layers(cell: Cell): Lower {
  return (c) => {
    if (c.bool('train') && c.float('dropout') > 0)
      throw refuse(`aten::${cell} in training mode`, '', 'Export the model in eval mode')
    const weights = layerWeights(
      c.tensors('params'),
      c.bool('has_biases'),
      c.int('num_layers') * (c.bool('bidirectional') ? 2 : 1),
    )
    return runLayers(c, cell, weights)
  }
}

/** Runs layers over the arguments that all overloads name alike. */
export function runLayers(c: Call, cell: Cell, weights: readonly LayerWeights[]): Result {
  const directions = c.bool('bidirectional') ? 2 : 1
  const [h, cellState] = cell === 'lstm' ? c.tensors('hx') : [c.tensor('hx')]
  if (!h) throw refuse(`aten::${cell} without its first state`)
  const first = { cell, weights, directions, h, c: cellState } as const
  if (c.has('batch_sizes')) {
    const batchSizes = c.tensor('batch_sizes')
    const data = c.tensor('data')
    const mask = packedMask(c.g, batchSizes, h.shape[1] ?? 1)
    const lengths = emit.cast(c.g, lengthsOf(c.g, mask), 'int32')
    const { y, ...last } = recurrent(c.g, padRows(c.g, data, mask, zero(data)), { ...first, lengths })
    return states(c, packRows(c.g, y, mask), last)
  }
  const isBatchFirst = c.bool('batch_first')
  const x = c.tensor('input')
  const { y, ...last } = recurrent(c.g, isBatchFirst ? timeFirst(c, x) : x, first)
  return states(c, isBatchFirst ? timeFirst(c, y) : y, last)
}

const states = (c: Call, y: Value, last: { h: Value; c: Value | undefined }): Result =>
  last.c ? tuple(c.vm, y, last.h, last.c) : tuple(c.vm, y, last.h)

/** Torch's flat list of parameters, cut into layers: weights, then biases, then what a projection adds. */
function layerWeights(params: readonly Value[], hasBiases: boolean, count: number): LayerWeights[] {
  const each = params.length / count
  const isProjected = each === (hasBiases ? 5 : 3)
  if (!isProjected && each !== (hasBiases ? 4 : 2)) throw refuse(`a recurrent layer with ${params.length} weights`)
  return Array.from({ length: count }, (_, i) => {
    const own = params.slice(i * each, (i + 1) * each)
    const [input, hidden] = own as [Value, Value] // `each` is 2 at least
    const biases = hasBiases ? { inputBias: own[2], hiddenBias: own[3] } : {}
    return { input, hidden, ...biases, projection: isProjected ? own.at(-1) : undefined }
  })
}

const cellWeights = (c: Call): LayerWeights => ({
  input: c.tensor('w_ih'),
  hidden: c.tensor('w_hh'),
  inputBias: c.optionalTensor('b_ih'),
  hiddenBias: c.optionalTensor('b_hh'),
})
