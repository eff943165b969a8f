import { type Dim, emit, scalar, type Value } from '@eas/onnx'
import type { Call, Lower, OpTable } from '../call.ts'
import { asFloat, like, promotedFloats } from './helpers.ts'
import { norm } from './reduce.ts'

/** Losses, which some models give beside their predictions. Torch: aten/src/ATen/native/{Loss,LossNLL}.cpp (2.4). */

const { binary, cast, compare, reduce, unary, where } = emit

/** By torch's numbers: 0 keeps each element's loss, 1 is their mean, 2 their sum. */
function reduced(c: Call, loss: Value): Value {
  const reduction = c.int('reduction')
  if (reduction === 0) return loss
  return reduce(c.g, reduction === 1 ? 'ReduceMean' : 'ReduceSum', loss, emit.allAxes(loss))
}

/** A loss of the distance between prediction and target. */
const ofDistance =
  (loss: (c: Call, size: Value) => Value): Lower =>
  (c) => {
    const [x, y] = promotedFloats(c, 'self', 'target') as [Value, Value] // two names were given
    return reduced(c, loss(c, unary(c.g, 'Abs', binary(c.g, 'Sub', x, y))))
  }

const square = ({ g }: Call, x: Value): Value => binary(g, 'Mul', x, x)

/** Squared near zero, straight from `edge` on. */
const rounded = (c: Call, size: Value, edge: number, scale: number): Value => {
  const near = binary(c.g, 'Mul', square(c, size), like(size, (0.5 * scale) / edge))
  const far = binary(c.g, 'Mul', binary(c.g, 'Sub', size, like(size, edge / 2)), like(size, scale))
  return where(c.g, compare(c.g, 'Less', size, like(size, edge)), near, far)
}

const positivePart = ({ g }: Call, x: Value): Value => binary(g, 'Max', x, like(x, 0))

/** `log(x)` no less than -100, as torch bounds it. */
const boundedLog = ({ g }: Call, x: Value): Value => binary(g, 'Max', unary(g, 'Log', x), like(x, -100))

const weighted = (c: Call, loss: Value): Value => {
  const weight = c.optionalTensor('weight')
  return weight ? binary(c.g, 'Mul', loss, cast(c.g, weight, loss.dtype)) : loss
}

const binaryCrossEntropy: Lower = (c) => {
  const { g } = c
  const [x, y] = [c.tensor('self'), c.tensor('target')]
  const one = like(x, 1)
  const hit = binary(g, 'Mul', y, boundedLog(c, x))
  const miss = binary(g, 'Mul', binary(g, 'Sub', one, y), boundedLog(c, binary(g, 'Sub', one, x)))
  return reduced(c, weighted(c, unary(g, 'Neg', binary(g, 'Add', hit, miss))))
}

/** `(1 - y)·x + (1 + (p - 1)·y)·log(1 + exp(-x))`. */
const withLogits: Lower = (c) => {
  const { g } = c
  const [x, y] = promotedFloats(c, 'self', 'target') as [Value, Value] // two names were given
  const one = like(x, 1)
  const soft = unary(g, 'Softplus', unary(g, 'Neg', x))
  const positive = c.optionalTensor('pos_weight')
  const factor = positive && binary(g, 'Add', binary(g, 'Mul', binary(g, 'Sub', positive, one), y), one)
  const rest = binary(g, 'Mul', binary(g, 'Sub', one, y), x)
  return reduced(c, weighted(c, binary(g, 'Add', rest, factor ? binary(g, 'Mul', factor, soft) : soft)))
}

/** A target of 0 costs nothing. */
const divergence: Lower = (c) => {
  const { g } = c
  const [x, y] = [c.tensor('self'), c.tensor('target')]
  if (c.bool('log_target')) return reduced(c, binary(g, 'Mul', unary(g, 'Exp', y), binary(g, 'Sub', y, x)))
  const product = binary(g, 'Mul', y, unary(g, 'Log', y))
  const entropy = where(g, compare(g, 'Greater', y, like(y, 0)), product, like(y, 0))
  return reduced(c, binary(g, 'Sub', entropy, binary(g, 'Mul', y, x)))
}

/** Of log-probabilities `[N, C, …]` those of the target classes `[N, …]`; without a batch, of `[C]`. */
function negativeLogLikelihood(c: Call, given: Value, target: Value, smoothing: number): Value {
  const { g } = c
  const single = given.shape.length === 1
  const x = single ? emit.unsqueeze(g, given, [0]) : given
  const y = cast(g, single ? emit.unsqueeze(g, target, [0]) : target, 'int64')
  const kept = emit.not(g, compare(g, 'Equal', y, scalar('int64', c.int('ignore_index'))))
  const index = where(g, kept, y, scalar('int64', 0))
  const weight = c.optionalTensor('weight')
  const share = cast(g, kept, x.dtype)
  const own = weight ? binary(g, 'Mul', emit.gather(g, weight, index, 0), share) : share
  const picked = emit.squeeze(g, emit.gatherElements(g, x, emit.unsqueeze(g, index, [1]), 1), [1])
  let loss = binary(g, 'Mul', unary(g, 'Neg', picked), own)
  if (smoothing > 0) {
    const along: Dim[] = x.shape.map((d, i) => (i === 1 ? d : 1))
    const all = weight ? binary(g, 'Mul', x, emit.reshape(g, weight, along)) : x
    const mean = binary(g, 'Mul', unary(g, 'Neg', reduce(g, 'ReduceSum', all, [1])), share)
    const classes = cast(g, scalar('int64', x.shape[1] ?? 1), x.dtype)
    const even = binary(g, 'Div', binary(g, 'Mul', mean, like(x, smoothing)), classes)
    loss = binary(g, 'Add', binary(g, 'Mul', loss, like(x, 1 - smoothing)), even)
  }
  const reduction = c.int('reduction')
  if (reduction === 0) return single ? emit.squeeze(g, loss, [0]) : loss
  const sum = reduce(g, 'ReduceSum', loss, emit.allAxes(loss))
  return reduction === 2 ? sum : binary(g, 'Div', sum, reduce(g, 'ReduceSum', own, emit.allAxes(own)))
}

const likelihood: Lower = (c) => negativeLogLikelihood(c, c.tensor('self'), c.tensor('target'), 0)

const crossEntropy: Lower = (c) => {
  const { g } = c
  const [x, target] = [c.tensor('self'), c.tensor('target')]
  const axis = x.shape.length === 1 ? 0 : 1
  const logs = unary(g, 'LogSoftmax', x, { axis })
  const smoothing = c.float('label_smoothing')
  if (target.shape.length !== x.shape.length) return negativeLogLikelihood(c, logs, target, smoothing)
  // Probabilities in the place of classes.
  const classes = x.shape[axis] ?? 1
  const even = binary(g, 'Div', like(x, smoothing), cast(g, scalar('int64', classes), x.dtype))
  const y = smoothing > 0 ? binary(g, 'Add', binary(g, 'Mul', target, like(x, 1 - smoothing)), even) : target
  const weight = c.optionalTensor('weight')
  const along: Dim[] = x.shape.map((d, i) => (i === axis ? d : 1))
  const product = binary(g, 'Mul', logs, weight ? binary(g, 'Mul', y, emit.reshape(g, weight, along)) : y)
  const loss = unary(g, 'Neg', reduce(g, 'ReduceSum', product, [axis]))
  if (c.int('reduction') !== 1) return reduced(c, loss)
  // The mean is over the batch and its places, without the classes.
  return reduce(g, 'ReduceMean', loss, emit.allAxes(loss))
}

const cosineEmbedding: Lower = (c) => {
  const { g } = c
  const [a, b] = [asFloat(c, 'input1'), asFloat(c, 'input2')]
  const target = c.tensor('target')
  const last = a.shape.length - 1
  const total = (x: Value, y: Value): Value => reduce(g, 'ReduceSum', binary(g, 'Mul', x, y), [last])
  const size = (x: Value): Value => binary(g, 'Add', total(x, x), like(x, 1e-12)) // EPSILON of Loss.cpp
  const cosine = binary(g, 'Div', total(a, b), unary(g, 'Sqrt', binary(g, 'Mul', size(a), size(b))))
  const apart = positivePart(c, binary(g, 'Sub', cosine, like(a, c.float('margin'))))
  const near = binary(g, 'Sub', like(a, 1), cosine)
  const is = (value: number): Value => compare(g, 'Equal', target, like(target, value))
  return reduced(c, where(g, is(1), near, where(g, is(-1), apart, like(a, 0))))
}

const tripletMargin: Lower = (c) => {
  const { g } = c
  const [anchor, positive, negative] = ['anchor', 'positive', 'negative'].map((name) => asFloat(c, name)) as [
    Value,
    Value,
    Value,
  ] // three names
  const distance = (x: Value, y: Value): Value => {
    const difference = binary(g, 'Add', binary(g, 'Sub', x, y), like(x, c.float('eps')))
    return norm(c, difference, c.float('p'), [difference.shape.length - 1], false)
  }
  const far = distance(anchor, negative)
  const other = c.bool('swap') ? binary(g, 'Min', far, distance(positive, negative)) : far
  const gap = binary(g, 'Sub', distance(anchor, positive), other)
  return reduced(c, positivePart(c, binary(g, 'Add', gap, like(gap, c.float('margin')))))
}

/** Stirling's `y·log(y) - y + log(2πy)/2` for targets over 1. */
const poisson: Lower = (c) => {
  const { g } = c
  const [x, y] = promotedFloats(c, 'input', 'target') as [Value, Value] // two names were given
  const raw = c.bool('log_input')
    ? binary(g, 'Sub', unary(g, 'Exp', x), binary(g, 'Mul', y, x))
    : binary(g, 'Sub', x, binary(g, 'Mul', y, unary(g, 'Log', binary(g, 'Add', x, like(x, c.float('eps'))))))
  if (!c.bool('full')) return reduced(c, raw)
  const half = binary(g, 'Mul', unary(g, 'Log', binary(g, 'Mul', y, like(y, 2 * Math.PI))), like(y, 0.5))
  const stirling = binary(g, 'Add', binary(g, 'Sub', binary(g, 'Mul', y, unary(g, 'Log', y)), y), half)
  const isOver = compare(g, 'Greater', y, like(y, 1))
  return reduced(c, binary(g, 'Add', raw, where(g, isOver, stirling, like(y, 0))))
}

export const lossOps: OpTable = {
  mse_loss: ofDistance(square),
  l1_loss: ofDistance((_, size) => size),
  smooth_l1_loss: ofDistance((c, size) => (c.float('beta') === 0 ? size : rounded(c, size, c.float('beta'), 1))),
  huber_loss: ofDistance((c, size) => rounded(c, size, c.float('delta'), c.float('delta'))),
  soft_margin_loss: (c) => {
    const [x, y] = promotedFloats(c, 'self', 'target') as [Value, Value] // two names were given
    return reduced(c, unary(c.g, 'Softplus', unary(c.g, 'Neg', binary(c.g, 'Mul', x, y))))
  },
  margin_ranking_loss: (c) => {
    const [a, b, y] = promotedFloats(c, 'input1', 'input2', 'target') as [Value, Value, Value] // three names
    const gap = unary(c.g, 'Neg', binary(c.g, 'Mul', y, binary(c.g, 'Sub', a, b)))
    return reduced(c, positivePart(c, binary(c.g, 'Add', gap, like(gap, c.float('margin')))))
  },
  hinge_embedding_loss: (c) => {
    const [x, y] = promotedFloats(c, 'self', 'target') as [Value, Value] // two names were given
    const is = (value: number): Value => compare(c.g, 'Equal', y, like(y, value))
    const apart = positivePart(c, binary(c.g, 'Sub', like(x, c.float('margin')), x))
    const near = where(c.g, is(-1), like(x, 0), x)
    return reduced(c, binary(c.g, 'Add', near, where(c.g, is(1), like(x, 0), apart)))
  },
  cosine_embedding_loss: cosineEmbedding,
  triplet_margin_loss: tripletMargin,
  poisson_nll_loss: poisson,
  binary_cross_entropy: binaryCrossEntropy,
  binary_cross_entropy_with_logits: withLogits,
  kl_div: divergence,
  nll_loss: likelihood,
  nll_loss2d: likelihood,
  nll_loss_nd: likelihood,
  cross_entropy_loss: crossEntropy,
}
