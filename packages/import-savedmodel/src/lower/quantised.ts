import { emit, refuse, scalar, type Value } from '@eas/onnx'
import type { Lowering, Op, OpTable } from '../op.ts'
import { binary, compare, num, unary, where } from './elementwise.ts'

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

/**
 * Floats as whole numbers of a range, and the range that came of it.
 * @see core/kernels/quantize_op.cc Compute; of MIN_FIRST quantization_utils.h FloatTensorToQuantizedInPlace
 */
const quantize: Lowering = (op) => {
  const type = op.dtype('T')
  const range = limits[type]
  if (!range || type === 'int32') throw refuse(`whole numbers of ${type}`, op.node.name)
  const [x, float] = [op.x(0), (v: number): Value => scalar('float32', v)]
  const bin = (name: string, a: Value, b: Value): Value => binary(op, name, a, b)
  const [low, high] = [bound(op, 1), bound(op, 2)]
  const mode = op.attr.string('mode', 'MIN_COMBINED')
  const [least, greatest] = [range[0] + (mode === 'SCALED' && op.attr.bool('narrow_range') ? 1 : 0), range[1]]
  // Zero is in the range, and the range is not nothing.
  const bottom = bin('Min', low, float(0))
  const size = bin('Max', bin('Max', unary(op, 'Abs', low), unary(op, 'Abs', high)), float(1))
  const room = bin('Mul', size, float(op.attr.float('ensure_minimum_range', 0.01)))
  const top = bin('Max', bin('Max', high, bin('Add', bottom, room)), float(0))
  const [steps, ends] = ((): [Value, readonly [Value, Value]] => {
    if (mode === 'SCALED') {
      const scale = bin('Min', stepsPerUnit(op, bottom, least), stepsPerUnit(op, top, greatest))
      const from = least === 0 ? float(0) : bin('Div', float(least), scale)
      const to = bin('Div', float(greatest), scale)
      const scaled = bin('Mul', bin('Max', bin('Min', x, to), from), scale)
      const isEven = op.attr.string('round_mode', 'HALF_AWAY_FROM_ZERO') === 'HALF_TO_EVEN'
      return [isEven ? unary(op, 'Round', scaled) : awayFromZero(op, scaled), [from, to]]
    }
    const scale = bin('Div', float(greatest - least), bin('Sub', top, bottom))
    if (mode === 'MIN_FIRST') {
      const start = bin('Sub', awayFromZero(op, bin('Mul', bottom, scale)), float(least))
      const moved = bin('Sub', awayFromZero(op, bin('Mul', x, scale)), start)
      return [bin('Min', bin('Max', moved, float(least)), float(greatest)), [bottom, top]]
    }
    const held = bin('Max', bin('Min', x, top), bottom)
    const half = least === 0 ? 0 : (greatest - least + 1) / 2
    const placed = bin('Sub', bin('Mul', bin('Sub', held, bottom), scale), float(half))
    return [awayFromZero(op, placed), [bottom, top]]
  })()
  return [emit.cast(op.g, emit.cast(op.g, steps, 'int32'), type), ...ends]
}

/** Of an end on zero's other side there are as many as you like. */
function stepsPerUnit(op: Op, end: Value, whole: number): Value {
  const isSame = compare(op, 'Greater', binary(op, 'Mul', end, num(end, whole)), num(end, 0))
  return where(op, isSame, binary(op, 'Div', num(end, whole), end), num(end, 3.4028234663852886e38))
}

/** Rounded, halves away from zero. */
function awayFromZero(op: Op, x: Value): Value {
  const size = unary(op, 'Floor', binary(op, 'Add', unary(op, 'Abs', x), num(x, 0.5)))
  return where(op, compare(op, 'Less', x, num(x, 0)), unary(op, 'Neg', size), size)
}

export const quantisedOps: OpTable = { Dequantize: dequantize, QuantizeV2: quantize }
