import { emit, refuse, scalar, type Value } from '@eas/onnx'
import { TensorItem } from '../item.ts'
import type { Lowering, Op, OpTable } from '../op.ts'
import { binary, unary } from './elementwise.ts'
import { product } from './linalg.ts'
import { stackOf } from './lists.ts'
import { loop } from './loop.ts'

/** Recurrent cells and the fused layers made of them. TF: core/ops/rnn_ops.cc (2.16). */

interface Step {
  readonly i: Value
  readonly cs: Value
  readonly f: Value
  readonly o: Value
  readonly ci: Value
  readonly co: Value
  readonly h: Value
}

/** Gates stand as i, c, f, o (`ICFO`), from version 2 of BlockLSTM as i, f, c, o. */
function lstmStep(
  op: Op,
  x: Value,
  cs: Value,
  h: Value,
  w: Value,
  b: Value,
  peep: readonly [Value, Value, Value] | undefined,
  order: 'ICFO' | 'IFCO',
): Step {
  const bin = (o: string, a: Value, c: Value): Value => binary(op, o, a, c)
  const all = bin('Add', product(op, emit.concat(op.g, [x, h], 1), w), b)
  const width = b.shape[0]
  if (typeof width !== 'number') throw refuse('the size of the cell is not known', op.node.name)
  const size = width / 4
  const gate = (name: string): Value => {
    const k = order.indexOf(name)
    return emit.slice(op.g, all, 1, k * size, (k + 1) * size)
  }
  const clip = op.attr.float('cell_clip', order === 'ICFO' && op.node.op === 'BlockLSTM' ? 3 : -1)
  const peeped = (v: Value, k: 0 | 1 | 2, state: Value): Value => (peep ? bin('Add', v, bin('Mul', peep[k], state)) : v)
  const i = unary(op, 'Sigmoid', peeped(gate('I'), 0, cs))
  const forget = op.attr.float('forget_bias', order === 'ICFO' ? 1 : 0)
  const f = unary(op, 'Sigmoid', peeped(bin('Add', gate('F'), scalar(x.dtype, forget)), 1, cs))
  const ci = unary(op, 'Tanh', gate('C'))
  const sum = bin('Add', bin('Mul', ci, i), bin('Mul', cs, f))
  const next = clip > 0 ? emit.clip(op.g, sum, scalar(x.dtype, -clip), scalar(x.dtype, clip)) : sum
  const o = unary(op, 'Sigmoid', peeped(gate('O'), 2, next))
  const co = unary(op, 'Tanh', next)
  return { i, cs: next, f, o, ci, co, h: bin('Mul', co, o) }
}

const peepholes = (op: Op, at: number): readonly [Value, Value, Value] | undefined =>
  op.attr.bool('use_peephole') ? [op.x(at), op.x(at + 1), op.x(at + 2)] : undefined

const lstmCell: Lowering = (op) => {
  const s = lstmStep(op, op.x(0), op.x(1), op.x(2), op.x(3), op.x(7), peepholes(op, 4), 'ICFO')
  return [s.i, s.cs, s.f, s.o, s.ci, s.co, s.h]
}

const names = ['i', 'cs', 'f', 'o', 'ci', 'co', 'h'] as const

/** A cell over time `[T, B, X]`, as a loop. */
const blockLstm =
  (order: 'ICFO' | 'IFCO'): Lowering =>
  (op) => {
    const x = op.x(1)
    const [w, b, peep] = [op.x(4), op.x(8), peepholes(op, 5)]
    const time = op.e.tensor(scalar('int32', x.shape[0] ?? 1))
    const list = () => ({
      kind: 'list' as const,
      dtype: x.dtype,
      elementShape: undefined,
      state: { is: 'reserved' as const, length: time },
    })
    const initial = [op.e.tensor(scalar('int32', 0)), op.tensor(2), op.tensor(3), ...names.map(list)]
    const results = loop(op, {
      initial,
      condition: ([counter]) => {
        const item = op.e.tensor(op.one('Less', [tensorOf(counter).value, time.value], 'bool', []))
        item.facts = { less: [[tensorOf(counter), time]] }
        return item
      },
      body: ([counter, cs, h, ...lists]) => {
        const at = tensorOf(counter)
        const s = lstmStep(
          op,
          emit.gather(op.g, x, at.value, 0),
          tensorOf(cs).value,
          tensorOf(h).value,
          w,
          b,
          peep,
          order,
        )
        const next = op.e.tensor(binary(op, 'Add', at.value, scalar('int32', 1)))
        next.facts = { successorOf: at }
        const written = names.map((name, k) => {
          const base = lists[k]
          if (base?.kind !== 'list') throw refuse('a loop lost its lists', op.node.name)
          return {
            ...base,
            state: { is: 'set' as const, base, index: at, element: op.e.tensor(s[name]), grows: false },
          }
        })
        return [next, op.e.tensor(s.cs), op.e.tensor(s.h), ...written]
      },
    })
    return results.slice(3).map((item) => (item.kind === 'list' ? stackOf(op, item) : item))
  }

function tensorOf(item: unknown): TensorItem {
  if (item instanceof TensorItem) return item
  throw refuse('a loop lost a tensor')
}

/** r and u from one product, the candidate from another. */
const gruCell: Lowering = (op) => {
  const [x, h, wru, wc, bru, bc] = op.xs() as [Value, Value, Value, Value, Value, Value] // the operator has six inputs
  const bin = (o: string, a: Value, c: Value): Value => binary(op, o, a, c)
  const width = bru.shape[0]
  if (typeof width !== 'number') throw refuse('the size of the cell is not known', op.node.name)
  const gates = unary(op, 'Sigmoid', bin('Add', product(op, emit.concat(op.g, [x, h], 1), wru), bru))
  const r = emit.slice(op.g, gates, 1, 0, width / 2)
  const u = emit.slice(op.g, gates, 1, width / 2, width)
  const c = unary(op, 'Tanh', bin('Add', product(op, emit.concat(op.g, [x, bin('Mul', r, h)], 1), wc), bc))
  const next = bin('Add', bin('Mul', u, h), bin('Mul', bin('Sub', scalar(x.dtype, 1), u), c))
  return [r, u, c, next]
}

export const rnnOps: OpTable = {
  LSTMBlockCell: lstmCell,
  GRUBlockCell: gruCell,
  BlockLSTM: blockLstm('ICFO'),
  BlockLSTMV2: blockLstm('IFCO'),
}
