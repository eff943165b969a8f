import { dims, emit, scalar, type Value, vector } from '@eas/onnx'
import type { Lowering, OpTable } from '../op.ts'
import { binary, compare, num, unary, where } from './elementwise.ts'
import { greatestSize } from './index-ops.ts'
import { withoutRows, withRows } from './no-rows.ts'

/** Sequences of labels. TF: core/ops/ctc_ops.cc (2.16). */

/**
 * The most likely label of each step `[T, B, C]`, without repetitions and blanks, as a sparse tensor `[B, …]`, and the
 * negative sum of what was chosen.
 */
const greedyDecoder: Lowering = (op) => {
  const { g } = op
  const x = op.x(0)
  const [steps = 1, batch = 1, classes = 1] = x.shape
  const blank = op.attr.int('blank_index', -1)
  const none = blank < 0 ? vector([dims.add(classes, blank)]) : vector([blank])
  const wide = withRows(g, x, [0, 1])
  const [n = 1, b = 1] = wide.shape
  const chosen = g.one('ArgMax', [wide], 'int64', [n, b], { axis: 2, keepdims: 0 })
  const labels = withoutRows(g, chosen, [steps, batch])
  const scores = withoutRows(g, emit.reduce(g, 'ReduceMax', wide, [2]), [steps, batch])
  const time = emit.unsqueeze(g, emit.range(g, 0, steps), [1])
  const isGiven = compare(op, 'Less', time, emit.unsqueeze(g, emit.cast(g, op.x(1), 'int64'), [0]))
  const and = (p: Value, q: Value): Value => g.one('And', [p, q], 'bool', op.e.broadcast(p.shape, q.shape))
  let isKept = and(isGiven, emit.not(g, compare(op, 'Equal', labels, none)))
  if (op.attr.bool('merge_repeated')) {
    // The step in front of the first has a label that none has.
    const before = emit.pad(g, labels, [1, 0], [-1, 0], 'constant', scalar('int64', -1))
    isKept = and(isKept, emit.not(g, compare(op, 'Equal', labels, before)))
  }
  const turned = emit.transpose(g, isKept, [1, 0])
  const places = emit.nonZero(g, turned) // [N, 2]: row and step
  const counts = emit.cumSum(g, emit.cast(g, turned, 'int64'), 1)
  const row = emit.slice(g, places, 1, 0, 1)
  const at = emit.unsqueeze(g, emit.gatherND(g, counts, places), [1])
  const indices = emit.concat(g, [row, binary(op, 'Sub', at, num(at, 1))], 1)
  const values = emit.gatherND(g, emit.transpose(g, labels, [1, 0]), places)
  const longest = emit.unsqueeze(g, greatestSize(op, emit.concat(g, [emit.flat(g, counts), vector([0])], 0)), [0])
  const total = emit.reduce(g, 'ReduceSum', where(op, isGiven, scores, num(scores, 0)), [0])
  return [
    indices,
    values,
    emit.concat(g, [vector([batch]), longest], 0),
    emit.unsqueeze(g, unary(op, 'Neg', total), [1]),
  ]
}

export const speechOps: OpTable = { CTCGreedyDecoder: greedyDecoder }
