import { type Dim, dims, emit, type GraphBuilder, refuse, scalar, type Value, vector } from '@eas/onnx'

/** Layers of a recurrent network, as ONNX's LSTM, GRU and RNN compute them. */

export type Cell = 'lstm' | 'gru' | 'rnn_tanh' | 'rnn_relu'

/** Weights of one layer in one direction, as torch has them: gates lie end to end in rows. */
export interface LayerWeights {
  /** `[gates * H, I]` */
  readonly input: Value
  /** `[gates * H, H]`, or `[gates * H, P]` with a projection. */
  readonly hidden: Value
  /** `[gates * H]` each. */
  readonly inputBias?: Value | undefined
  readonly hiddenBias?: Value | undefined
  /** `[P, H]`: what `proj_size` of an LSTM adds. */
  readonly projection?: Value | undefined
}

export interface Recurrence {
  readonly cell: Cell
  /** Layer by layer, in each forward, then backward. */
  readonly weights: readonly LayerWeights[]
  readonly directions: 1 | 2
  /** `[L * D, B, H]` at the start; `c` for an LSTM only. */
  readonly h: Value
  readonly c?: Value | undefined
  /** Steps that count of each sequence, int32 `[B]`; all when absent. */
  readonly lengths?: Value | undefined
}

/**
 * ONNX's order of gates by torch's: i, f, g, o become i, o, f, c, and r, z, n become z, r, h.
 * @see torch.nn.LSTM, torch.nn.GRU; https://onnx.ai/onnx/operators/onnx__LSTM.html, onnx__GRU.html
 */
const gateOrder: { readonly [cell in Cell]: readonly number[] } = {
  lstm: [0, 3, 1, 2],
  gru: [1, 0, 2],
  rnn_tanh: [0],
  rnn_relu: [0],
}

/**
 * Runs all layers over `x`, `[T, B, I]`.
 * @returns `y` `[T, B, D * H]` and the last states, `[L * D, B, H]`.
 */
export function recurrent(g: GraphBuilder, x: Value, r: Recurrence): { y: Value; h: Value; c: Value | undefined } {
  const layers = r.weights.length / r.directions
  const [hs, cs]: [Value[], Value[]] = [[], []]
  let y = x
  for (let layer = 0; layer < layers; layer++) {
    const first = layer * r.directions
    const weights = r.weights.slice(first, first + r.directions)
    const h = emit.slice(g, r.h, 0, first, first + r.directions)
    const c = r.c && emit.slice(g, r.c, 0, first, first + r.directions)
    const result = weights.some((w) => w.projection) ? projected(g, y, weights, h, c) : oneLayer(g, y, r, weights, h, c)
    y = result.y
    hs.push(result.h)
    if (result.c) cs.push(result.c)
  }
  return { y, h: emit.concat(g, hs, 0), c: cs.length > 0 ? emit.concat(g, cs, 0) : undefined }
}

function oneLayer(
  g: GraphBuilder,
  x: Value,
  { cell, directions, lengths }: Recurrence,
  weights: readonly LayerWeights[],
  h: Value,
  c: Value | undefined,
): { y: Value; h: Value; c: Value | undefined } {
  const dtype = 'float32' // the only type that ONNX Runtime has recurrent kernels for
  const order = gateOrder[cell]
  // The weights have fixed sizes even where those of the states are labelled.
  const hidden = dims.floorDiv(weights[0]?.hidden.shape[0] ?? 1, order.length)
  const rows = (w: Value) => emit.unsqueeze(g, reorder(g, emit.cast(g, w, dtype), order), [0])
  const bias = (w: LayerWeights) =>
    w.inputBias && w.hiddenBias ? emit.concat(g, [rows(w.inputBias), rows(w.hiddenBias)], 1) : undefined
  const both = (pick: (w: LayerWeights) => Value) => emit.concat(g, weights.map(pick), 0)
  const biases = weights.map(bias).filter((b) => b !== undefined)
  const [T = 1, B = 1] = x.shape
  const state = [directions, B, hidden]
  const outputs = [
    { dtype, shape: [T, directions, B, hidden] },
    { dtype, shape: state },
  ] as const
  const [y, lastH, lastC] = g.node(
    cell === 'lstm' ? 'LSTM' : cell === 'gru' ? 'GRU' : 'RNN',
    [
      emit.cast(g, x, dtype),
      both((w) => rows(w.input)),
      both((w) => rows(w.hidden)),
      biases.length > 0 ? emit.concat(g, biases, 0) : undefined,
      lengths,
      emit.cast(g, h, dtype),
      c && emit.cast(g, c, dtype),
    ],
    cell === 'lstm' ? [...outputs, { dtype, shape: state }] : outputs,
    {
      hidden_size: dims.isStatic([hidden]) ? Number(hidden) : undefined,
      direction: directions === 2 ? 'bidirectional' : 'forward',
      linear_before_reset: cell === 'gru' ? 1 : undefined,
      activations: cell === 'rnn_relu' ? weights.map(() => 'Relu') : undefined,
    },
  ) as [Value, Value, Value | undefined] // as many as types were given
  const joined = emit.reshape(g, emit.transpose(g, y, [0, 2, 1, 3]), [T, B, dims.mul(directions, hidden)])
  const back = (v: Value) => emit.cast(g, v, x.dtype)
  return { y: back(joined), h: back(lastH), c: lastC && back(lastC) }
}

/** Rows of gates in another order. */
function reorder(g: GraphBuilder, w: Value, order: readonly number[]): Value {
  if (order.length === 1) return w
  const size = dims.floorDiv(w.shape[0] ?? 1, order.length)
  return emit.concat(
    g,
    order.map((gate) => emit.slice(g, w, 0, dims.mul(size, gate), dims.mul(size, gate + 1))),
    0,
  )
}

/** An LSTM with a projection, which ONNX's has not: step by step. */
function projected(
  g: GraphBuilder,
  x: Value,
  weights: readonly LayerWeights[],
  h: Value,
  c: Value | undefined,
): { y: Value; h: Value; c: Value } {
  const steps = g.guards.pin(x.shape[0] ?? 1)
  if (steps === undefined || !c) throw refuse('an LSTM with a projection over a length that only a run knows')
  const ends: { y: Value; h: Value; c: Value }[] = weights.map((w, direction) => {
    let state = { h: emit.select(g, h, 0, direction), c: emit.select(g, c, 0, direction) }
    const outputs: Value[] = []
    for (let i = 0; i < steps; i++) {
      const t = direction === 0 ? i : steps - 1 - i
      state = lstmCell(g, emit.select(g, x, 0, t), state, w)
      outputs[t] = emit.unsqueeze(g, state.h, [0])
    }
    return { y: emit.concat(g, outputs, 0), h: emit.unsqueeze(g, state.h, [0]), c: emit.unsqueeze(g, state.c, [0]) }
  })
  const join = (pick: (end: { y: Value; h: Value; c: Value }) => Value, axis: number) =>
    emit.concat(g, ends.map(pick), axis)
  return { y: join((e) => e.y, 2), h: join((e) => e.h, 0), c: join((e) => e.c, 0) }
}

/** How a cell multiplies by weights and adds a bias; a quantised one in its own way. */
export type Affine = (g: GraphBuilder, x: Value, weight: Value, bias: Value | undefined) => Value

/** One step of an LSTM: `x` `[B, I]`, states `[B, H]`. */
export function lstmCell(
  g: GraphBuilder,
  x: Value,
  state: { readonly h: Value; readonly c: Value },
  w: LayerWeights,
  by: Affine = affine,
): { h: Value; c: Value } {
  const sum = emit.binary(g, 'Add', by(g, x, w.input, w.inputBias), by(g, state.h, w.hidden, w.hiddenBias))
  const [i, f, n, o] = chunks(g, sum, 4) as [Value, Value, Value, Value] // four were asked for
  const kept = emit.binary(g, 'Mul', emit.unary(g, 'Sigmoid', f), state.c)
  const added = emit.binary(g, 'Mul', emit.unary(g, 'Sigmoid', i), emit.unary(g, 'Tanh', n))
  const c = emit.binary(g, 'Add', kept, added)
  const h = emit.binary(g, 'Mul', emit.unary(g, 'Sigmoid', o), emit.unary(g, 'Tanh', c))
  return { h: w.projection ? affine(g, h, w.projection, undefined) : h, c }
}

/** One step of a GRU. */
export function gruCell(g: GraphBuilder, x: Value, h: Value, w: LayerWeights, by: Affine = affine): Value {
  const [xr, xz, xn] = chunks(g, by(g, x, w.input, w.inputBias), 3) as [Value, Value, Value] // three were asked for
  const [hr, hz, hn] = chunks(g, by(g, h, w.hidden, w.hiddenBias), 3) as [Value, Value, Value]
  const r = emit.unary(g, 'Sigmoid', emit.binary(g, 'Add', xr, hr))
  const z = emit.unary(g, 'Sigmoid', emit.binary(g, 'Add', xz, hz))
  const n = emit.unary(g, 'Tanh', emit.binary(g, 'Add', xn, emit.binary(g, 'Mul', r, hn)))
  return emit.binary(g, 'Add', n, emit.binary(g, 'Mul', z, emit.binary(g, 'Sub', h, n)))
}

/** One step of a plain recurrent layer. */
export function rnnCell(
  g: GraphBuilder,
  x: Value,
  h: Value,
  w: LayerWeights,
  activation: 'Tanh' | 'Relu',
  by: Affine = affine,
): Value {
  const sum = emit.binary(g, 'Add', by(g, x, w.input, w.inputBias), by(g, h, w.hidden, w.hiddenBias))
  return emit.unary(g, activation, sum)
}

function affine(g: GraphBuilder, x: Value, w: Value, bias: Value | undefined): Value {
  const product = emit.matmul(g, x, emit.transpose(g, w, [1, 0]))
  return bias ? emit.binary(g, 'Add', product, bias) : product
}

function chunks(g: GraphBuilder, x: Value, count: number): Value[] {
  const axis = x.shape.length - 1
  const size = dims.floorDiv(x.shape[axis] ?? 1, count)
  return Array.from({ length: count }, (_, i) => emit.slice(g, x, axis, dims.mul(size, i), dims.mul(size, i + 1)))
}

/**
 * Which steps of a padded batch are there: bool `[T, B]`, from how many sequences reach each step, int64 `[T]`, in a batch
 * sorted by falling length. So `torch.nn.utils.rnn.PackedSequence` says it.
 */
export function packedMask(g: GraphBuilder, batchSizes: Value, B: Dim): Value {
  const column = emit.unsqueeze(g, batchSizes, [1])
  return emit.compare(g, 'Less', emit.iota(g, B, 1, 2), column)
}

/** `batch_sizes` of sequences of these lengths, int64 `[B]` falling: how many reach each of `T` steps. */
export function batchSizesOf(g: GraphBuilder, lengths: Value, T: Dim): Value {
  const reached = emit.compare(g, 'Less', emit.iota(g, T, 0, 2), emit.unsqueeze(g, lengths, [0]))
  return emit.reduce(g, 'ReduceSum', emit.cast(g, reached, 'int64'), [1])
}

/** Rows of `x`, `[T, B, …]`, where the mask is set, step by step. */
export const packRows = (g: GraphBuilder, x: Value, mask: Value): Value => emit.gatherND(g, x, emit.nonZero(g, mask))

/** Puts rows back where the mask is set, into `[T, B, …]` of `fill`. */
export function padRows(g: GraphBuilder, rows: Value, mask: Value, fill: Value): Value {
  const shape = [...mask.shape, ...rows.shape.slice(1)]
  return emit.scatterND(g, emit.full(g, shape, fill), emit.nonZero(g, mask), rows)
}

/** Steps of each sequence: int64 `[B]`. */
export const lengthsOf = (g: GraphBuilder, mask: Value): Value =>
  emit.reduce(g, 'ReduceSum', emit.cast(g, mask, 'int64'), [0])

/** A size that `x`, an int64 vector, holds first. */
export const firstOf = (g: GraphBuilder, x: Value, low = 0): Dim =>
  g.scalarDim(emit.reshape(g, emit.gather(g, x, vector([0]), 0), []), low)

export const zero = (x: Value): Value => scalar(x.dtype, 0)
