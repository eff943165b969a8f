import {
  type Attributes,
  bytesOf,
  type Dim,
  dims,
  type ElementType,
  emit,
  isFloat,
  isInteger,
  maxElements,
  refuse,
  scalar,
  type Value,
} from '@eas/onnx'
import { TensorItem } from '../item.ts'
import type { Lowering, Op, OpTable } from '../op.ts'
import { elementType } from '../tensor-proto.ts'
import { type Aligned, alignLayouts, inLayout } from './layout.ts'

/** Element-wise operators. TF: core/ops/math_ops.cc, nn_ops.cc, array_ops.cc (2.16). ONNX: opset 20. */

type Pure = (op: Op, ...x: Value[]) => Value

/** Computes on values of one layout, and gives the result in it. */
const elementwise =
  (compute: Pure, from = 0, to?: number): Lowering =>
  (op) => {
    const items = op.inputs.slice(from, to).map((_, i) => op.tensor(from + i))
    const { values, isChannelsFirst }: Aligned = alignLayouts(op, items)
    return inLayout(op, compute(op, ...values), isChannelsFirst)
  }

/** An ONNX operator of two operands, broadcast; of the operands' type. */
export function binary(op: Op, onnx: string, a: Value, b: Value, attributes: Attributes = {}): Value {
  if (a.elements && b.elements) {
    const folded = emit.binary(op.g, onnx, a, b, attributes)
    if (folded.elements) return folded
  }
  // The runtime's kernels of these compare 32 of 64 bits where they are vectorised.
  if (a.dtype === 'int64' && onnx === 'Max') return where(op, compare(op, 'Less', a, b), b, a)
  if (a.dtype === 'int64' && onnx === 'Min') return where(op, compare(op, 'Less', b, a), b, a)
  const shape = op.e.broadcast(a.shape, b.shape)
  const kernel = emit.kernelType(onnx, a.dtype)
  const result = op.one(onnx, [emit.cast(op.g, a, kernel), emit.cast(op.g, b, kernel)], kernel, shape, attributes)
  return emit.cast(op.g, result, a.dtype)
}

/** A comparison or logical operator, broadcast; gives bools. */
export function compare(op: Op, onnx: string, a: Value, b: Value): Value {
  if (a.elements && b.elements) {
    const folded = emit.compare(op.g, onnx, a, b)
    if (folded.elements) return folded
  }
  if (a.dtype === 'uint64' && onnx !== 'Equal')
    return compare(op, onnx, emit.toOrdered(op.g, a), emit.toOrdered(op.g, b))
  const kernel = emit.kernelType(onnx, a.dtype)
  return op.one(
    onnx,
    [emit.cast(op.g, a, kernel), emit.cast(op.g, b, kernel)],
    'bool',
    op.e.broadcast(a.shape, b.shape),
  )
}

export function where(op: Op, condition: Value, a: Value, b: Value): Value {
  const shape = op.e.broadcast(condition.shape, a.shape, b.shape)
  const folded = foldWhere(condition, a, b, shape)
  if (folded) return folded
  const kernel = emit.kernelType('Where', a.dtype)
  const result = op.one('Where', [condition, emit.cast(op.g, a, kernel), emit.cast(op.g, b, kernel)], kernel, shape)
  return emit.cast(op.g, result, a.dtype)
}

/** The choice where it is known; sizes of inputs can be chosen too. */
function foldWhere(condition: Value, a: Value, b: Value, shape: readonly Dim[]): Value | undefined {
  const [c, x, y] = [condition.elements, a.elements, b.elements]
  const [only] = c ?? []
  if (c?.length === 1 && typeof only === 'number') {
    const chosen = only ? a : b
    if (dims.sameShape(chosen.shape, shape)) return chosen
  }
  // Along one axis at most, so that an operand is either as long as the result or repeated.
  const [length = 1] = shape
  if (!c || !x || !y || shape.length > 1 || typeof length !== 'number' || length > maxElements) return undefined
  if (!c.every((e) => typeof e === 'number')) return undefined
  const at = (list: readonly Dim[], i: number): Dim => list[list.length === 1 ? 0 : i] ?? 0
  return { dtype: a.dtype, shape, elements: Array.from({ length }, (_, i) => at(at(c, i) === 0 ? y : x, i)) }
}

/** A number as a scalar of `like`'s type. */
export const num = (like: Value, value: number): Value => scalar(like.dtype, value)

/** An operator of one operand that ONNX has for every type it can be asked for, others being computed as a wider one. */
export function unary(op: Op, onnx: string, x: Value, attributes: Attributes = {}): Value {
  return emit.unary(op.g, onnx, x, attributes)
}

const rename = (onnx: string, attributes?: Attributes): Lowering =>
  elementwise((op, x) => unary(op, onnx, x as Value, attributes))
const renameBinary = (onnx: string): Lowering => elementwise((op, a, b) => binary(op, onnx, a as Value, b as Value))
const renameCompare = (onnx: string): Lowering => elementwise((op, a, b) => compare(op, onnx, a as Value, b as Value))
const two = (f: (op: Op, a: Value, b: Value) => Value): Lowering =>
  elementwise((op, a, b) => f(op, a as Value, b as Value)) // operators of two operands have two
const one = (f: (op: Op, x: Value) => Value): Lowering => elementwise((op, x) => f(op, x as Value)) // and those of one have one

/** `a - b * floor(a / b)`: the remainder has the sign of the divisor. */
function floorMod(op: Op, a: Value, b: Value): Value {
  if (!isFloat(a.dtype)) return binary(op, 'Mod', a, withoutMinusOne(op, b) ?? b)
  return binary(op, 'Sub', a, binary(op, 'Mul', b, unary(op, 'Floor', binary(op, 'Div', a, b))))
}

/**
 * The divisor with 1 for every -1, by which the processor cannot divide the least number: the runtime would end. Undefined
 * where there is none.
 */
function withoutMinusOne(op: Op, b: Value): Value | undefined {
  const isSafe = b.elements?.every((e) => e !== -1) ?? b.dtype.startsWith('u')
  return isSafe ? undefined : where(op, compare(op, 'Equal', b, num(b, -1)), num(b, 1), b)
}

/** `a / b`, cut off when they are whole. */
export function divide(op: Op, a: Value, b: Value): Value {
  if (isFloat(a.dtype)) return binary(op, 'Div', a, b)
  if (a.dtype === 'uint64') return divideUnsigned(op, a, b)
  const safe = withoutMinusOne(op, b)
  if (!safe) return binary(op, 'Div', a, b)
  return where(op, compare(op, 'Equal', b, num(b, -1)), unary(op, 'Neg', a), binary(op, 'Div', a, safe))
}

/** Of uint64, which is divided as int64: half of `a`, then what is left of it. Half of the range is greater than any int64. */
function divideUnsigned(op: Op, a: Value, b: Value): Value {
  const isGreat = compare(op, 'Less', emit.cast(op.g, b, 'int64'), scalar('int64', 0))
  const divisor = where(op, isGreat, num(b, 1), b)
  const half = op.one('BitShift', [a, num(a, 1)], a.dtype, a.shape, { direction: 'RIGHT' })
  const near = binary(op, 'Mul', binary(op, 'Div', half, divisor), num(a, 2))
  const rest = binary(op, 'Sub', a, binary(op, 'Mul', near, divisor))
  const more = (v: Value): Value => emit.cast(op.g, compare(op, 'GreaterOrEqual', v, b), a.dtype)
  return where(op, isGreat, more(a), binary(op, 'Add', near, more(rest)))
}

function floorDiv(op: Op, a: Value, b: Value): Value {
  if (isFloat(a.dtype)) return unary(op, 'Floor', binary(op, 'Div', a, b))
  if (a.elements && b.elements) {
    // As wide numbers, since the least number of a type has nothing below it.
    const [wideA, wideB] = [emit.cast(op.g, a, 'int64'), emit.cast(op.g, b, 'int64')]
    const rest = emit.binary(op.g, 'Mod', wideA, wideB)
    const folded = rest.elements && emit.binary(op.g, 'Div', emit.binary(op.g, 'Sub', wideA, rest), wideB)
    if (folded?.elements) return emit.cast(op.g, folded, a.dtype)
  }
  const quotient = divide(op, a, b)
  if (a.dtype.startsWith('u')) return quotient
  // ONNX divides towards zero: what does not go and has not the sign of the divisor is one too much.
  const rest = binary(op, 'Sub', a, binary(op, 'Mul', quotient, b))
  const isOff = emit.not(op.g, compare(op, 'Equal', rest, num(a, 0)))
  const isNegative = (v: Value): Value => compare(op, 'Less', v, num(v, 0))
  const isOther = compare(op, 'Xor', isNegative(rest), isNegative(b))
  return binary(op, 'Sub', quotient, emit.cast(op.g, compare(op, 'And', isOff, isOther), a.dtype))
}

function truncateMod(op: Op, a: Value, b: Value): Value {
  if (isFloat(a.dtype)) return op.one('Mod', [a, b], a.dtype, op.e.broadcast(a.shape, b.shape), { fmod: 1 })
  return binary(op, 'Sub', a, binary(op, 'Mul', divide(op, a, b), b))
}

/** `f` where `b` is not zero, else zero: also where `f` is infinite or not a number. */
function zeroWhere(op: Op, isZero: Value, result: Value): Value {
  return where(op, isZero, num(result, 0), result)
}

const isZero = (op: Op, x: Value): Value => compare(op, 'Equal', x, num(x, 0))

/** float64 `Erf` and its like have float32 kernels only. */
const erf = (op: Op, x: Value): Value => unary(op, 'Erf', x)

/** Abramowitz and Stegun have none good enough: Giles, "Approximating the erfinv function" (2010), single precision. */
function erfinv(op: Op, x: Value): Value {
  const c = (v: number): Value => num(x, v)
  const mul = (a: Value, b: Value): Value => binary(op, 'Mul', a, b)
  const add = (a: Value, b: Value): Value => binary(op, 'Add', a, b)
  const w = unary(op, 'Neg', unary(op, 'Log', mul(binary(op, 'Sub', c(1), x), add(c(1), x))))
  const horner = (at: Value, coefficients: readonly number[]): Value =>
    coefficients.slice(1).reduce((sum, k) => add(mul(sum, at), c(k)), c(coefficients[0] ?? 0))
  const near = horner(
    binary(op, 'Sub', w, c(2.5)),
    [
      2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
      0.246640727, 1.50140941,
    ],
  )
  const far = horner(
    binary(op, 'Sub', unary(op, 'Sqrt', w), c(3)),
    [
      -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
      1.00167406, 2.83297682,
    ],
  )
  return mul(where(op, compare(op, 'Less', w, c(5)), near, far), x)
}

/** Lanczos' approximation, g = 7, n = 9, for positive numbers; reflected below one half. */
function lgamma(op: Op, x: Value): Value {
  const c = (v: number): Value => num(x, v)
  const bin = (o: string, a: Value, b: Value): Value => binary(op, o, a, b)
  const small = compare(op, 'Less', x, c(0.5))
  const z = bin('Sub', where(op, small, bin('Sub', c(1), x), x), c(1))
  const coefficients = [
    676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
    -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
  ]
  const series = coefficients.reduce(
    (sum, k, i) => bin('Add', sum, bin('Div', c(k), bin('Add', z, c(i + 1)))),
    c(0.9999999999998099),
  )
  const t = bin('Add', z, c(7.5))
  const log = bin(
    'Add',
    bin('Add', bin('Sub', bin('Mul', bin('Add', z, c(0.5)), unary(op, 'Log', t)), t), unary(op, 'Log', series)),
    c(0.5 * Math.log(2 * Math.PI)),
  )
  const sine = unary(op, 'Abs', unary(op, 'Sin', bin('Mul', c(Math.PI), x)))
  return where(op, small, bin('Sub', bin('Sub', c(Math.log(Math.PI)), unary(op, 'Log', sine)), log), log)
}

export function atan2(op: Op, y: Value, x: Value): Value {
  const base = unary(op, 'Atan', binary(op, 'Div', y, x))
  const turn = where(op, compare(op, 'Less', y, num(y, 0)), num(y, -Math.PI), num(y, Math.PI))
  const turned = where(op, compare(op, 'Less', x, num(x, 0)), binary(op, 'Add', base, turn), base)
  const both = compare(op, 'And', isZero(op, x), isZero(op, y))
  return where(op, both, num(y, 0), turned)
}

/** `Round` of integers is themselves. */
const rounding = (onnx: string): Lowering => one((op, x) => (isFloat(x.dtype) ? unary(op, onnx, x) : x))

function fakeQuant(op: Op, x: Value, low: Value, high: Value): Value {
  const bits = op.attr.int('num_bits', 8)
  const least = op.attr.bool('narrow_range') ? 1 : 0
  const most = 2 ** bits - 1
  const bin = (o: string, a: Value, b: Value): Value => binary(op, o, a, b)
  const scale = bin('Div', bin('Sub', high, low), num(x, most - least))
  // The range is moved so that zero is one of the steps. @see core/kernels/fake_quant_ops_functor.h Nudge
  const from = bin('Sub', num(x, least), bin('Div', low, scale))
  const floorHalf = (v: Value): Value => unary(op, 'Floor', bin('Add', v, num(x, 0.5)))
  const zero = where(
    op,
    compare(op, 'Less', from, num(x, least)),
    num(x, least),
    where(op, compare(op, 'Greater', from, num(x, most)), num(x, most), floorHalf(from)),
  )
  const bottom = bin('Mul', bin('Sub', num(x, least), zero), scale)
  const top = bin('Mul', bin('Sub', num(x, most), zero), scale)
  const held = bin('Min', bin('Max', x, bottom), top)
  const step = floorHalf(bin('Div', bin('Sub', held, bottom), scale))
  // A range of nothing, as channels have that training left at zero, holds zero alone.
  const isNothing = compare(op, 'And', isZero(op, low), isZero(op, high))
  return zeroWhere(op, isNothing, bin('Add', bin('Mul', step, scale), bottom))
}

/**
 * Rounded to the steps of a signed or unsigned range and back again. A range that is not given is that of the values.
 * @see core/kernels/quantize_and_dequantize_op.h ComputeQuantizationRange
 */
const quantizeAndDequantize: Lowering = (op) => {
  const x = op.x(0)
  const bin = (o: string, a: Value, b: Value): Value => binary(op, o, a, b)
  if (op.attr.int('axis', -1) >= 0) throw refuse('ranges by channel are not supported', op.node.name)
  const bits = op.node.op === 'QuantizeAndDequantizeV3' ? op.int(3) : op.attr.int('num_bits', 8)
  const isSigned = op.attr.bool('signed_input', true)
  const isGiven = op.attr.bool('range_given')
  const end = (i: number, onnx: 'ReduceMin' | 'ReduceMax'): Value =>
    isGiven ? op.x(i) : emit.reduce(op.g, onnx, x, emit.allAxes(x))
  const [low, high] = [end(1, 'ReduceMin'), end(2, 'ReduceMax')]
  const least = isSigned ? -(2 ** (bits - 1)) + (op.attr.bool('narrow_range') ? 1 : 0) : 0
  const most = isSigned ? 2 ** (bits - 1) - 1 : 2 ** bits - 1
  // Steps per unit, so that both ends fit; an end on zero's other side does not matter.
  const scaleOf = (bound: number, range: Value): Value => {
    const fits = compare(op, 'Greater', bin('Mul', range, num(x, bound)), num(x, 0))
    return where(op, fits, bin('Div', num(x, bound), range), num(x, 3.4028234663852886e38))
  }
  const scale = bin('Min', scaleOf(least, low), scaleOf(most, high))
  const held = isGiven
    ? bin('Min', bin('Max', x, bin('Div', num(x, least), scale)), bin('Div', num(x, most), scale))
    : x
  const steps = bin('Mul', held, scale)
  const isUp = op.attr.string('round_mode', 'HALF_TO_EVEN') === 'HALF_UP'
  const whole = isUp ? unary(op, 'Floor', bin('Add', steps, num(x, 0.5))) : unary(op, 'Round', steps)
  return bin('Div', whole, scale)
}

/** `1-D condition` picks rows, a scalar picks all, otherwise shapes agree. */
const select: Lowering = (op) => {
  const [condition, a, b] = [op.x(0), op.x(1), op.x(2)]
  const rows = condition.shape.length === 1 && a.shape.length > 1
  const c = rows
    ? emit.unsqueeze(
        op.g,
        condition,
        a.shape.slice(1).map((_, i) => i + 1),
      )
    : condition
  return where(op, c, a, b)
}

/** Bits of `a`, both ways. */
const bitwise = (onnx: string): Lowering =>
  two((op, a, b) => op.one(onnx, [a, b], a.dtype, op.e.broadcast(a.shape, b.shape)))

/**
 * ONNX shifts unsigned integers. To the left bits are bits; to the right a negative number keeps its sign, as the inverse of
 * its inverse shifted does.
 */
const shift = (direction: 'LEFT' | 'RIGHT'): Lowering =>
  two((op, a, b) => {
    const wide: ElementType = bytesOf(a.dtype) === 8 ? 'uint64' : 'uint32'
    const cast = (v: Value): Value => emit.cast(op.g, v, wide)
    const shifted = (v: Value): Value =>
      emit.cast(
        op.g,
        op.one('BitShift', [cast(v), cast(b)], wide, op.e.broadcast(a.shape, b.shape), { direction }),
        a.dtype,
      )
    if (direction === 'LEFT' || a.dtype.startsWith('u')) return shifted(a)
    const isNegative = compare(op, 'Less', a, num(a, 0))
    const inverse = (v: Value): Value => binary(op, 'Sub', num(v, -1), v)
    const result = shifted(where(op, isNegative, inverse(a), a))
    return where(op, isNegative, inverse(result), result)
  })

/** Adds a vector per channel; channels are last unless said otherwise. */
const biasAdd: Lowering = (op) => {
  if (op.attr.string('data_format', 'NHWC').startsWith('NC')) {
    const x = op.x(0)
    const rest = x.shape.slice(2).map((_, i) => i + 1)
    return binary(op, 'Add', x, emit.unsqueeze(op.g, op.x(1), rest))
  }
  return renameBinary('Add')(op)
}

/** Remembers that a counter went up by one, by which loops know their lists. */
const addition: Lowering = (op) => {
  const sum = renameBinary('Add')(op)
  const [a, b] = [op.tensor(0), op.tensor(1)]
  const base = isOne(b) ? a : isOne(a) ? b : undefined
  if (!base || base.value.shape.length > 0) return sum
  const item = sum instanceof TensorItem ? sum : op.e.tensor(sum as Value) // an addition gives one of the two
  item.facts = { successorOf: base }
  return item
}

const isOne = ({ value }: TensorItem): boolean =>
  value.elements?.length === 1 && value.elements[0] === 1 && value.shape.length === 0

/** Remembers what is less than what, by which loops know how often they run. */
const lessThan =
  (onnx: string, swap: boolean): Lowering =>
  (op) => {
    const item = op.e.tensor(compare(op, onnx, op.x(0), op.x(1)))
    const pair = swap ? ([op.tensor(1), op.tensor(0)] as const) : ([op.tensor(0), op.tensor(1)] as const)
    item.facts = { less: [pair] }
    return item
  }

const and: Lowering = (op) => {
  const item = op.e.tensor(compare(op, 'And', op.x(0), op.x(1)))
  const [a, b] = [op.tensor(0).facts?.less, op.tensor(1).facts?.less]
  if (a && b) item.facts = { less: [...a, ...b] }
  return item
}

export const castTo = (op: Op, x: Value, dtype: ElementType): Value => {
  // A float that does not fit has no defined result; integers wrap, for which the wide type is a stop on the way.
  if (isFloat(x.dtype) && isInteger(dtype) && bytesOf(dtype) < 4)
    return emit.cast(op.g, emit.cast(op.g, x, 'int32'), dtype)
  return emit.cast(op.g, x, dtype)
}

const sum: Pure = (op, ...x) => x.slice(1).reduce((a, b) => binary(op, 'Add', a, b), x[0] as Value) // at least one input
const half = 0.5

export const elementwiseOps: OpTable = {
  Add: addition,
  AddV2: addition,
  Sub: renameBinary('Sub'),
  Mul: renameBinary('Mul'),
  RealDiv: two(divide),
  Div: two(divide),
  TruncateDiv: two(divide),
  Maximum: renameBinary('Max'),
  Minimum: renameBinary('Min'),
  Pow: renameBinary('Pow'),
  FloorDiv: two(floorDiv),
  FloorMod: two(floorMod),
  Mod: two(truncateMod),
  TruncateMod: two(truncateMod),
  DivNoNan: two((op, a, b) => zeroWhere(op, isZero(op, b), binary(op, 'Div', a, b))),
  MulNoNan: two((op, a, b) => zeroWhere(op, isZero(op, b), binary(op, 'Mul', a, b))),
  Xdivy: two((op, a, b) => zeroWhere(op, isZero(op, a), binary(op, 'Div', a, b))),
  Xlogy: two((op, a, b) => zeroWhere(op, isZero(op, a), binary(op, 'Mul', a, unary(op, 'Log', b)))),
  Xlog1py: two((op, a, b) =>
    zeroWhere(op, isZero(op, a), binary(op, 'Mul', a, unary(op, 'Log', binary(op, 'Add', b, num(b, 1))))),
  ),
  SquaredDifference: two((op, a, b) => {
    const d = binary(op, 'Sub', a, b)
    return binary(op, 'Mul', d, d)
  }),
  Atan2: two(atan2),
  AddN: elementwise(sum),
  AccumulateNV2: elementwise(sum),
  BiasAdd: biasAdd,
  BiasAddV1: renameBinary('Add'),

  Neg: rename('Neg'),
  Abs: rename('Abs'),
  Sign: one((op, x) => {
    if (x.dtype !== 'int64') return unary(op, 'Sign', x)
    // The runtime looks at 32 of 64 bits.
    const negative = where(op, compare(op, 'Less', x, num(x, 0)), num(x, -1), num(x, 0))
    return where(op, compare(op, 'Greater', x, num(x, 0)), num(x, 1), negative)
  }),
  Reciprocal: rename('Reciprocal'),
  Inv: rename('Reciprocal'),
  Square: one((op, x) => binary(op, 'Mul', x, x)),
  Sqrt: rename('Sqrt'),
  /** ONNX has no Rsqrt. */
  Rsqrt: one((op, x) => unary(op, 'Reciprocal', unary(op, 'Sqrt', x))),
  Exp: rename('Exp'),
  Expm1: one((op, x) => {
    // tanh keeps the digits near zero that exp(x) - 1 loses.
    const t = unary(op, 'Tanh', binary(op, 'Mul', x, num(x, half)))
    const near = binary(op, 'Div', binary(op, 'Mul', t, num(x, 2)), binary(op, 'Sub', num(x, 1), t))
    const far = binary(op, 'Sub', unary(op, 'Exp', x), num(x, 1))
    return where(op, compare(op, 'Less', unary(op, 'Abs', x), num(x, 1)), near, far)
  }),
  Log: rename('Log'),
  Log1p: one((op, x) => {
    // Kahan: log(u) * x / (u - 1) with u = 1 + x keeps the digits that log(1 + x) loses.
    const u = binary(op, 'Add', x, num(x, 1))
    const d = binary(op, 'Sub', u, num(x, 1))
    const log = unary(op, 'Log', u)
    const scaled = binary(op, 'Div', binary(op, 'Mul', log, x), d)
    const isExact = compare(op, 'Or', isZero(op, d), compare(op, 'Greater', x, num(x, 1e6)))
    return where(op, isZero(op, d), x, where(op, isExact, log, scaled))
  }),
  Sin: rename('Sin'),
  Cos: rename('Cos'),
  Tan: rename('Tan'),
  Asin: rename('Asin'),
  Acos: rename('Acos'),
  Atan: rename('Atan'),
  Sinh: rename('Sinh'),
  Cosh: rename('Cosh'),
  Tanh: rename('Tanh'),
  Asinh: rename('Asinh'),
  Acosh: rename('Acosh'),
  Atanh: rename('Atanh'),
  Erf: one(erf),
  Erfc: one((op, x) => binary(op, 'Sub', num(x, 1), erf(op, x))),
  Erfinv: one(erfinv),
  Lgamma: one(lgamma),
  Floor: rounding('Floor'),
  Ceil: rounding('Ceil'),
  Round: rounding('Round'),
  Rint: rounding('Round'),

  Relu: one((op, x) =>
    bytesOf(x.dtype) === 8 && isInteger(x.dtype) ? binary(op, 'Max', x, num(x, 0)) : unary(op, 'Relu', x),
  ),
  Relu6: one((op, x) =>
    x.dtype === 'int64'
      ? binary(op, 'Min', binary(op, 'Max', x, num(x, 0)), num(x, 6))
      : emit.clip(op.g, x, num(x, 0), num(x, 6)),
  ),
  Elu: rename('Elu'),
  Selu: rename('Selu'),
  LeakyRelu: elementwise((op, x) =>
    unary(op, 'LeakyRelu', x as Value, { alpha: { float: op.attr.float('alpha', 0.2) } }),
  ),
  Sigmoid: rename('Sigmoid'),
  Softplus: rename('Softplus'),
  Softsign: rename('Softsign'),
  ClipByValue: elementwise((op, x, low, high) =>
    binary(op, 'Min', binary(op, 'Max', x as Value, low as Value), high as Value),
  ),

  Equal: renameCompare('Equal'),
  NotEqual: two((op, a, b) => emit.not(op.g, compare(op, 'Equal', a, b))),
  Less: lessThan('Less', false),
  LessEqual: renameCompare('LessOrEqual'),
  Greater: lessThan('Greater', true),
  GreaterEqual: renameCompare('GreaterOrEqual'),
  ApproximateEqual: two((op, a, b) =>
    compare(op, 'Less', unary(op, 'Abs', binary(op, 'Sub', a, b)), num(a, op.attr.float('tolerance', 1e-5))),
  ),
  LogicalAnd: and,
  LogicalOr: renameCompare('Or'),
  LogicalNot: one((op, x) => emit.not(op.g, x)),
  IsNan: one((op, x) => op.one('IsNaN', [x], 'bool', x.shape)),
  IsInf: one((op, x) => op.one('IsInf', [x], 'bool', x.shape)),
  IsFinite: one((op, x) => {
    const bad = compare(op, 'Or', op.one('IsNaN', [x], 'bool', x.shape), op.one('IsInf', [x], 'bool', x.shape))
    return emit.not(op.g, bad)
  }),
  Select: select,
  SelectV2: elementwise((op, c, a, b) => where(op, c as Value, a as Value, b as Value)),

  BitwiseAnd: bitwise('BitwiseAnd'),
  BitwiseOr: bitwise('BitwiseOr'),
  BitwiseXor: bitwise('BitwiseXor'),
  Invert: one((op, x) => op.one('BitwiseNot', [x], x.dtype, x.shape)),
  LeftShift: shift('LEFT'),
  RightShift: shift('RIGHT'),

  Cast: elementwise((op, x) => castTo(op, x as Value, elementType(op.attr.dtype('DstT'), op.node.name))),
  QuantizeAndDequantizeV2: quantizeAndDequantize,
  QuantizeAndDequantizeV3: quantizeAndDequantize,
  QuantizeAndDequantizeV4: quantizeAndDequantize,
  FakeQuantWithMinMaxArgs: one((op, x) =>
    fakeQuant(op, x, num(x, op.attr.float('min', -6)), num(x, op.attr.float('max', 6))),
  ),
  FakeQuantWithMinMaxVars: elementwise((op, x, low, high) => fakeQuant(op, x as Value, low as Value, high as Value)),
  FakeQuantWithMinMaxVarsPerChannel: elementwise((op, x, low, high) =>
    fakeQuant(op, x as Value, low as Value, high as Value),
  ),
}
