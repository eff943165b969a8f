import { emit, refuse, scalar, type Value } from '@eas/onnx'
import type { Lowering, Op, OpTable } from '../op.ts'
import { binary, unary } from './elementwise.ts'

/**
 * Numbers kept as integers of a range, as TensorFlow 1's graph transforms put weights away.
 * TF: core/ops/array_ops.cc and core/kernels/dequantize_op.cc (2.16).
 */

/** Least and greatest of the types that stand for `qint8` and its like. */
const limits: Readonly<Record<string, readonly [least: number, greatest: number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-2147483648, 2147483647],
}

const dequantize: Lowering = (op) => {
  const x = op.x(0)
  const range = limits[x.dtype]
  if (!range) throw refuse(`whole numbers of ${x.dtype}`, op.node.name)
  const [least, greatest] = range
  const float = (v: number): Value => scalar('float32', v)
  const [low, high] = [bound(op, 1), bound(op, 2)]
  const wide = emit.cast(op.g, x, 'float32')
  const bin = (name: string, a: Value, b: Value): Value => binary(op, name, a, b)
  const mode = op.attr.string('mode', 'MIN_COMBINED')
  const result = ((): Value => {
    if (mode === 'SCALED') {
      const narrow = least + (op.attr.bool('narrow_range') ? 1 : 0)
      const ofHigh = bin('Div', high, float(greatest))
      return bin('Mul', wide, least === 0 ? ofHigh : bin('Max', bin('Div', low, float(narrow)), ofHigh))
    }
    const scale = bin('Div', bin('Sub', high, low), float(greatest - least))
    if (mode === 'MIN_FIRST') {
      const start = bin('Mul', unary(op, 'Round', bin('Div', low, scale)), scale)
      return bin('Add', start, bin('Mul', bin('Sub', wide, float(least)), scale))
    }
    // Half of the range of signed types lies below zero.
    const half = least === 0 ? wide : bin('Add', wide, float((greatest - least + 1) / 2))
    return bin('Add', bin('Mul', half, scale), low)
  })()
  return emit.cast(op.g, result, op.dtype('dtype', 'float32'))
}

/** The least or greatest value, along the axis that has one for each element. */
function bound(op: Op, i: number): Value {
  const rank = op.x(0).shape.length
  const axis = op.attr.int('axis', -1)
  const v = op.x(i)
  return axis < 0 || v.shape.length === 0
    ? emit.reshape(op.g, v, [])
    : emit.reshape(op.g, v, [v.shape[0] ?? 1, ...new Array<number>(rank - axis - 1).fill(1)])
}

export const quantisedOps: OpTable = { Dequantize: dequantize }
