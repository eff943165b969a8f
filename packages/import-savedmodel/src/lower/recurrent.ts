import { type Dim, dims, emit, scalar, type Value } from '@eas/onnx'
import type { FunctionDef } from '../graph-def.ts'
import { type Item, TensorItem } from '../item.ts'
import type { Op } from '../op.ts'
import { toValue } from '../tensor-proto.ts'
import { type Cell, findCell, type Gate, LoopBody } from './cell.ts'
import { binary } from './elementwise.ts'
import { stacked } from './lists.ts'
import { filled, type LoopKind } from './loop.ts'
import { withoutRows, withRows } from './no-rows.ts'

/** What an LSTM or GRU gives: the state after each turn `[T, B, H]`, and after the last `[B, H]`. */
interface Layer {
  readonly all: Value
  readonly h: Value
  readonly c: Value | undefined
}

/**
 * The results of a While whose body is the cell of an LSTM or GRU layer, by ONNX's operator: some ten times as fast as the
 * loop, which the runtime interprets turn by turn.
 * @returns Undefined when the body does anything else, or something about it is not known.
 */
export function recurrent(
  op: Op,
  f: FunctionDef,
  initial: readonly Item[],
  turns: Dim,
  kinds: readonly LoopKind[],
): Item[] | undefined {
  const body = new LoopBody(f)
  const cell = findCell(body)
  if (!cell || !body.isCounter(cell.time) || knownOf(initial[cell.time]) !== 0) return undefined
  const isState = (text: string): boolean => body.same(text, body.result(cell.h))
  const roles = kinds.map((kind, i) => {
    if (kind === 'fixed') return 'fixed'
    if (kind === 'tensor' && i === cell.h) return 'h'
    if (kind === 'tensor' && i === cell.c) return 'c'
    if (kind === 'tensor') return body.isCounter(i) && knownOf(initial[i]) !== undefined ? 'counter' : undefined
    const written = body.written(i)
    if (!written || !isState(written.element)) return undefined
    if (kind === 'scanned') return body.isArg(written.index, cell.time) ? 'all' : undefined
    // A list of one, written in every turn: the last of what was written.
    return body.number(written.index) === 0 && isOfOne(initial[i]) ? 'last' : undefined
  })
  if (roles.includes(undefined)) return undefined
  const layer = layerOf(op, body, cell, initial, turns)
  if (!layer) return undefined
  return initial.map((item, i): Item => {
    const role = roles[i]
    if (role === 'h') return op.e.tensor(layer.h)
    if (role === 'c' && layer.c) return op.e.tensor(layer.c)
    if (role === 'counter' && item instanceof TensorItem)
      return op.e.tensor(scalar(item.dtype, dims.add(turns, knownOf(item) ?? 0)))
    if (role === 'all' && item.kind === 'list') return { ...stacked(item.dtype, filled(op, item, layer.all)) }
    if (role === 'last' && item.kind === 'list') return stacked(item.dtype, emit.unsqueeze(op.g, layer.h, [0]))
    return item
  })
}

/** The number that a scalar is known to be. */
function knownOf(item: Item | undefined): number | undefined {
  const known = item instanceof TensorItem && item.value.shape.length === 0 ? item.value.elements?.[0] : undefined
  return typeof known === 'number' ? known : undefined
}

function isOfOne(item: Item | undefined): boolean {
  if (item?.kind !== 'list') return false
  return item.state.is === 'reserved' && knownOf(item.state.length) === 1
}

/** @see https://onnx.ai/onnx/operators/onnx__LSTM.html and onnx__GRU.html, `layout` 0 */
function layerOf(op: Op, body: LoopBody, cell: Cell, initial: readonly Item[], turns: Dim): Layer | undefined {
  const { g } = op
  const list = initial[cell.list]
  const x = list?.kind === 'list' && list.state.is === 'stacked' ? list.state.value.value : undefined
  const references = [cell.kernel, cell.recurrent, ...cell.biases, ...cell.stateBiases]
  const items = op.e.within(body.f, initial, op.frame, references)
  const state = initial[cell.h]
  const memory = cell.c === undefined ? undefined : initial[cell.c]
  if (x?.shape.length !== 3 || x.dtype !== 'float32' || !dims.same(x.shape[0] ?? -1, turns)) return undefined
  if (!(state instanceof TensorItem) || (cell.c !== undefined && !(memory instanceof TensorItem))) return undefined
  const values = items.flatMap((item) => (item instanceof TensorItem ? [item.value] : []))
  const [kernel, inner, ...biases] = values
  const size = inner?.shape[0]
  if (!kernel || !inner || values.length !== items.length || typeof size !== 'number') return undefined
  const count = cell.kind === 'LSTM' ? 4 : 3
  const width = count * size
  const order = cell.gates.map((gate) => placeOf(op, body, gate, size, count))
  const innerOrder = cell.kind === 'LSTM' ? order : cell.stateGates.map((gate) => placeOf(op, body, gate, size, count))
  const isOrder = (places: readonly number[]): boolean => [...places].sort().every((place, i) => place === i)
  if (!isOrder(order) || !isOrder(innerOrder) || order.length !== count || innerOrder.length !== count) return undefined
  if (kernel.shape[1] !== width || inner.shape[1] !== width) return undefined
  const states = [state, ...(memory instanceof TensorItem ? [memory] : [])].map((item) => item.value.shape)
  if (states.some((shape) => shape.length !== 2 || shape[1] !== size)) return undefined
  // Rows of the state are added to those of the input: one of them may stand for all.
  const batch = states.reduce<Dim>((rows, shape) => broadcastRows(rows, shape[0] ?? 1), x.shape[1] ?? 1)
  const rowsOf = (v: Value, axis: number): Value => emit.expand(g, v, v.shape.with(axis, batch))
  if (biases.some(({ shape }) => dims.product(shape) !== width)) return undefined

  const ordered = (v: Value, places: readonly number[], axis: number): Value =>
    emit.concat(
      g,
      places.map((place) => emit.slice(g, v, axis, place * size, (place + 1) * size)),
      axis,
    )
  const weights = (v: Value, places: readonly number[]): Value =>
    emit.unsqueeze(g, emit.transpose(g, ordered(v, places, 1), [1, 0]), [0])
  const bias = (of: readonly Value[], places: readonly number[]): Value => {
    const flat = of.map((v) => emit.reshape(g, v, [width]))
    const [first, ...rest] = flat
    const sum = first && rest.reduce((a, b) => binary(op, 'Add', a, b), first)
    return sum ? ordered(sum, places, 0) : emit.full(g, [width], scalar('float32', 0))
  }
  // A layer that is given no first state starts with zeros.
  const initialOf = (item: TensorItem): Value | undefined =>
    item.facts?.isZero ? undefined : withRows(g, emit.unsqueeze(g, rowsOf(item.value, 0), [0]), [1])
  const split = cell.biases.length
  const both = [bias(biases.slice(0, split), order), bias(biases.slice(split), innerOrder)]
  const inputs = [
    withRows(g, rowsOf(x, 1), [1]),
    weights(kernel, order),
    weights(inner, innerOrder),
    emit.unsqueeze(g, emit.concat(g, both, 0), [0]),
    undefined,
    initialOf(state),
    ...(memory instanceof TensorItem ? [initialOf(memory)] : []),
  ]
  const rows = inputs[0]?.shape[1] ?? batch
  const one = { dtype: x.dtype, shape: [1, rows, size] }
  const types = [{ dtype: x.dtype, shape: [turns, 1, rows, size] }, one, ...(memory ? [one] : [])]
  const attributes = { hidden_size: size, ...(cell.kind === 'GRU' ? { linear_before_reset: 1 } : {}) }
  const [all, h, c] = g.node(cell.kind, inputs, types, attributes)
  if (!all || !h) return undefined
  const last = (v: Value): Value => withoutRows(g, emit.squeeze(g, v, [0]), [batch, size])
  return { all: withoutRows(g, emit.squeeze(g, all, [1]), [turns, batch, size]), h: last(h), c: c && last(c) }
}

/** As many rows as two operands have that are broadcast against each other: one row, which may be against none, adapts. */
const broadcastRows = (a: Dim, b: Dim): Dim =>
  dims.same(a, b) ? a : dims.mul(dims.max(a, b), dims.min(dims.min(a, b), 1))

/** Which of the gates along the columns one is; -1 when it is none of them. */
function placeOf(op: Op, body: LoopBody, { node, part }: Gate, size: number, count: number): number {
  if (node.op === 'Split') {
    const axis = body.number(node.inputs[0] ?? '')
    return (axis === 1 || axis === -1) && node.attrs.int('num_split', 0) === count ? part : -1
  }
  const mask = (name: string): number => node.attrs.int(name, 0)
  if (['ellipsis_mask', 'new_axis_mask', 'shrink_axis_mask'].some((name) => mask(name) !== 0)) return -1
  const [begin, end, step] = node.inputs.slice(1, 4).map((text) => {
    const tensor = body.nodeOf(text, 'Const')?.attrs.get('value')?.tensor
    return tensor ? toValue(op.g, tensor, node.name).elements : undefined
  })
  const isWhole = (mask('begin_mask') & mask('end_mask') & 1) === 1
  if (!isWhole || begin?.length !== 2 || end?.length !== 2 || step?.some((s) => s !== 1)) return -1
  const from = mask('begin_mask') & 2 ? 0 : begin[1]
  const to = mask('end_mask') & 2 ? count * size : end[1]
  return typeof from === 'number' && typeof to === 'number' && to - from === size ? from / size : -1
}
