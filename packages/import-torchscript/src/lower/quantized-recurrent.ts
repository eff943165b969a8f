import { emit, type Value } from '@eas/onnx'
import { type Call, type Result, tuple } from '../call.ts'
import { type PackedCell, packedCells, plain } from './packed-params.ts'
import { type Affine, gruCell, lstmCell } from './recurrent.ts'

/** Layers of a dynamically quantised network over padded batches, step by step: their state is quantised anew at each. */

/** The states of one layer in one direction, `[B, H]`: `h`, and `c` of an LSTM. */
type States = readonly Value[]

/**
 * Runs all layers of `quantized_lstm` or `quantized_gru` over its input.
 * @param by Multiplies floats by quantised weights.
 * @see aten/src/ATen/native/RNN.cpp `FullLayer`, `QuantizedCellParamsDynamic` (2.4)
 */
export function runQuantisedLayers(c: Call, cell: 'lstm' | 'gru', by: Affine): Result {
  const { g } = c
  const isBatchFirst = c.bool('batch_first')
  const timeFirst = (x: Value) => (isBatchFirst ? emit.transpose(g, x, [1, 0, 2]) : x)
  const initial = cell === 'lstm' ? c.tensors('hx') : [c.tensor('hx')]
  const directions = c.bool('bidirectional') ? 2 : 1
  const cells = packedCells(c)
  const lasts: States[] = []
  let y = timeFirst(c.tensor('input'))
  for (let first = 0; first < cells.length; first += directions) {
    const outputs = cells.slice(first, first + directions).map((weights, direction) => {
      const states = initial.map((state) => emit.select(g, state, 0, first + direction))
      const end = oneDirection(c, by, y, states, weights, direction === 1)
      lasts.push(end.states)
      return end.y
    })
    y = emit.concat(g, outputs, 2)
  }
  const stacked = initial.map((_, i) => {
    const each = lasts.map((states) => emit.unsqueeze(g, states[i] as Value, [0])) // as many states as there were
    return emit.concat(g, each, 0)
  })
  return tuple(c.vm, timeFirst(y), ...stacked)
}

/** @param x `[T, B, I]` */
function oneDirection(
  { g }: Call,
  by: Affine,
  x: Value,
  states: States,
  { input, hidden }: PackedCell,
  isBackward: boolean,
): { y: Value; states: States } {
  // The range of the input is that of all its steps.
  const gates = by(g, x, input.weight, input.bias)
  const w = { input: input.weight, hidden: hidden.weight, inputBias: input.bias, hiddenBias: hidden.bias }
  // Once, and not at each step: the body finds what is there already.
  emit.transpose(g, plain(hidden.weight), [1, 0])
  const ofGates: Affine = (_, v, weight, bias) => (weight === w.input ? v : by(g, v, weight, bias))
  const given = ({ dtype, shape }: Value) => g.input(g.fresh('s'), dtype, shape)
  const { scope, result } = g.nested(() => {
    const [h, c] = states.map(given) as [Value, Value | undefined] // the first is always there
    const step = given({ dtype: gates.dtype, shape: gates.shape.slice(1) })
    if (!c) return [gruCell(g, step, h, w, ofGates)]
    const next = lstmCell(g, step, { h, c }, w, ofGates)
    return [next.h, next.c]
  })
  const [next] = result as [Value] // a cell has a state
  const directions = [Number(isBackward)]
  const values = g.node(
    'Scan',
    [...states, gates],
    [...states, { dtype: next.dtype, shape: [x.shape[0] ?? 1, ...next.shape] }].map(({ dtype, shape }) => ({
      dtype,
      shape,
    })),
    {
      body: g.subgraph(scope, [...result, next]),
      num_scan_inputs: 1,
      scan_input_directions: directions,
      scan_output_directions: directions,
    },
  )
  return { y: values.at(-1) as Value, states: values.slice(0, -1) } // as many as types were given
}
