import { type Dim, emit, scalar, type Value } from '@eas/onnx'
import type { Lowering, Op } from '../op.ts'
import { binary, num, unary } from './elementwise.ts'

/**
 * Random numbers of the distribution TensorFlow draws from, never the same as TensorFlow's: for dropout that a request turns off by
 * what it feeds, and for models that sample. TF: core/ops/random_ops.cc (2.16).
 */

function drawn(op: Op, onnx: 'RandomUniformLike' | 'RandomNormalLike', shape: readonly Dim[]): Value {
  op.g.isRandom = true
  op.g.warnings.add(
    'The model draws random numbers: they are distributed as those of TensorFlow, and are others in every call',
  )
  return op.one(onnx, [emit.full(op.g, shape, scalar('float32', 0))], 'float32', shape)
}

/** Floats of [0, 1) have 23 digits, so that 1 added to one of them is never 2. @see core/lib/random/random_distributions.h */
const steps = 2 ** 23

export const uniform: Lowering = (op) => {
  const x = drawn(op, 'RandomUniformLike', op.sizes(0))
  const whole = unary(op, 'Floor', binary(op, 'Mul', x, num(x, steps)))
  const held = binary(op, 'Min', whole, num(x, steps - 1))
  return emit.cast(op.g, binary(op, 'Div', held, num(x, steps)), op.dtype('dtype'))
}

export const normal: Lowering = (op) => emit.cast(op.g, drawn(op, 'RandomNormalLike', op.sizes(0)), op.dtype('dtype'))
