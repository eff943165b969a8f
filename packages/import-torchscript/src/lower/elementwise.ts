import { type ElementType, emit, isFloat, refuse, scalar, type Value } from '@eas/onnx'
import type { Call, Lower, OpTable } from '../call.ts'
import { floatType, resultType } from '../promote.ts'
import { TensorRef } from '../tensor-ref.ts'
import {
  asFloat,
  castAll,
  extreme,
  float,
  isWhole,
  like,
  promoted,
  promotedFloats,
  sign,
  wholeIsItself,
} from './helpers.ts'
import { norm } from './reduce.ts'

/** Element by element, and by twos. Torch: aten/src/ATen/native/{Unary,Binary,Pointwise}Ops.cpp (2.4). */

const { binary, cast, compare, not, unary, where } = emit

/** `self + alpha · other`. Bools are added as `or`. */
function sum(sign: 1 | -1, self = 'self', other = 'other'): Lower {
  return (c) => {
    const [a, b] = promoted(c, self, other) as [Value, Value] // two names were given
    if (a.dtype === 'bool') return sign === 1 ? compare(c.g, 'Or', a, b) : refuseBool(c)
    const alpha = c.has('alpha') ? c.optionalFloat('alpha') : 1
    const scaled = alpha === undefined || alpha === 1 ? b : binary(c.g, 'Mul', b, like(b, alpha))
    return binary(c.g, sign === 1 ? 'Add' : 'Sub', a, scaled)
  }
}
const refuseBool = (c: Call): never => {
  throw refuse(`aten::${c.name} of bools`)
}

const two =
  (op: string): Lower =>
  (c) => {
    const [a, b] = promoted(c, 'self', 'other') as [Value, Value] // two names were given
    if (a.dtype === 'bool') return cast(c.g, binary(c.g, op, cast(c.g, a, 'int32'), cast(c.g, b, 'int32')), 'bool')
    return binary(c.g, op, a, b)
  }

const comparison =
  (op: string, negate = false): Lower =>
  (c) => {
    const [a, b] = promoted(c, 'self', 'other') as [Value, Value] // two names were given
    const result = compare(c.g, op, a, b)
    if (negate) return not(c.g, result)
    return op === 'Equal' && a === b && c.vm.facts.isNumbers(a) ? c.vm.facts.noteTrue(result) : result
  }

const logical =
  (op: string): Lower =>
  (c) =>
    compare(c.g, op, cast(c.g, c.tensor('self'), 'bool'), cast(c.g, c.tensor('other'), 'bool'))

/** `and`, `or`, `xor` of bools or of the bits of integers. */
const bitwise =
  (logicalOp: string, bitOp: string): Lower =>
  (c) => {
    const [a, b] = promoted(c, 'self', 'other') as [Value, Value] // two names were given
    return a.dtype === 'bool' ? compare(c.g, logicalOp, a, b) : binary(c.g, bitOp, a, b)
  }

/** In 64 bits: what a narrow type is shifted by may be a factor that the type cannot hold. */
const shift =
  (direction: 'LEFT' | 'RIGHT'): Lower =>
  (c) => {
    const [a, b] = promoted(c, 'self', 'other') as [Value, Value] // two names were given
    const by = (x: Value, bits: Value): Value => {
      const factor = cast(c.g, binary(c.g, 'Pow', scalar('float64', 2), cast(c.g, bits, 'float64')), 'int64')
      return direction === 'LEFT' ? binary(c.g, 'Mul', x, factor) : floorDivide(c, x, factor)
    }
    const wide = cast(c.g, a, 'int64')
    if (b.elements?.every((bits) => typeof bits === 'number' && bits < 63)) return cast(c.g, by(wide, b), a.dtype)
    // No factor of 64 bits shifts by 63 or more; two of them do.
    const bits = extreme(c, 'Min', cast(c.g, b, 'int64'), scalar('int64', 64))
    const half = binary(c.g, 'Div', bits, scalar('int64', 2))
    return cast(c.g, by(by(wide, half), binary(c.g, 'Sub', bits, half)), a.dtype)
  }

/** `a &= b`, whose name does not end as those of other in-place operators do. */
const intoSelf =
  (lower: Lower): Lower =>
  (c) => {
    const self = c.ref('self')
    const value = lower(c) as Value // an operator of two tensors gives one
    c.vm.write(self, emit.expand(c.g, cast(c.g, value, self.dtype), self.shape))
    return self
  }

/** The quotient rounded down; ONNX rounds integers towards zero. */
export function floorDivide({ g }: Call, a: Value, b: Value): Value {
  if (!isWhole(a)) return unary(g, 'Floor', binary(g, 'Div', a, b))
  return binary(g, 'Div', binary(g, 'Sub', a, binary(g, 'Mod', a, b)), b)
}

/** Files older than version 4 mean integer division of integers. @see torch/csrc/jit/operator_upgraders */
const divide: Lower = (c) => quotient(c, c.vm.archive.version < 4)

function quotient(c: Call, isIntegral: boolean): Value {
  const rounding = c.has('rounding_mode') ? c.optionalString('rounding_mode') : undefined
  if (rounding === 'floor') return floorDivide(c, ...roundedOperands(c))
  if (rounding === 'trunc') {
    const [p, q] = roundedOperands(c)
    return isWhole(p) ? binary(c.g, 'Div', p, q) : truncate(c, binary(c.g, 'Div', p, q))
  }
  const [p, q] = promoted(c, 'self', 'other') as [Value, Value]
  if (isWhole(p) && isIntegral) return binary(c.g, 'Div', p, q)
  const [a, b] = promotedFloats(c, 'self', 'other') as [Value, Value]
  return binary(c.g, 'Div', a, b)
}

/** Operands of a rounded division: the one operator for which the constants of an archive are tensors, as wide as they are. */
function roundedOperands(c: Call): [Value, Value] {
  const operands = ['self', 'other'].map((name) => ({
    ...c.operand(name),
    isNumber: !(c.py(name) instanceof TensorRef),
  }))
  return castAll(c, operands, resultType(operands)) as [Value, Value] // two names were given
}

const truncate = ({ g }: Call, x: Value): Value =>
  binary(g, 'Mul', unary(g, 'Sign', x), unary(g, 'Floor', unary(g, 'Abs', x)))

/** The remainder with the divisor's sign. */
const remainder: Lower = (c) => {
  const [a, b] = promoted(c, 'self', 'other') as [Value, Value]
  if (isWhole(a)) return binary(c.g, 'Mod', a, b)
  const rest = binary(c.g, 'Mod', a, b, { fmod: 1 })
  const apart = compare(c.g, 'Less', binary(c.g, 'Mul', unary(c.g, 'Sign', rest), unary(c.g, 'Sign', b)), like(rest, 0))
  return where(c.g, apart, binary(c.g, 'Add', rest, b), rest)
}

/** The remainder with the dividend's sign. Of integers ONNX Runtime would compute it in doubles. */
const dividendsRemainder: Lower = (c) => {
  const [a, b] = promoted(c, 'self', 'other') as [Value, Value]
  if (!isWhole(a)) return binary(c.g, 'Mod', a, b, { fmod: 1 })
  const rest = binary(c.g, 'Mod', a, b)
  const apart = compare(c.g, 'Xor', compare(c.g, 'Less', rest, like(rest, 0)), compare(c.g, 'Less', a, like(a, 0)))
  const isSome = not(c.g, compare(c.g, 'Equal', rest, like(rest, 0)))
  return where(c.g, compare(c.g, 'And', apart, isSome), binary(c.g, 'Sub', rest, b), rest)
}

/** By squaring: ONNX Runtime's Pow of integers goes through doubles. */
function wholePower({ g }: Call, x: Value, k: number): Value {
  let result: Value | undefined
  let square = x
  for (let rest = k; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result ? binary(g, 'Mul', result, square) : square
    if (rest > 1) square = binary(g, 'Mul', square, square)
  }
  return result ?? x
}

const power: Lower = (c) => {
  const exponent = c.py('exponent')
  const [a, b] = promoted(c, 'self', 'exponent') as [Value, Value]
  const k = typeof exponent === 'bigint' || typeof exponent === 'number' ? Number(exponent) : undefined
  if (k === 1) return a
  if (k === 2) return binary(c.g, 'Mul', a, a)
  if (k !== undefined && k > 2 && a.dtype === 'int64') return wholePower(c, a, k)
  if (k === 0.5 && isFloat(a.dtype)) return unary(c.g, 'Sqrt', a)
  if (k === -0.5 && isFloat(a.dtype)) return unary(c.g, 'Reciprocal', unary(c.g, 'Sqrt', a))
  if (k === -1 && isFloat(a.dtype)) return unary(c.g, 'Reciprocal', a)
  return binary(c.g, 'Pow', a, b)
}

function extremes(op: 'Max' | 'Min'): Lower {
  return (c) => {
    const [a, b] = promoted(c, 'self', 'other') as [Value, Value]
    if (a.dtype === 'bool') return compare(c.g, op === 'Max' ? 'Or' : 'And', a, b)
    return extreme(c, op, a, b)
  }
}

/** The greater or the lesser of two, or the one that is a number. */
function ofNumbers(op: 'Max' | 'Min'): Lower {
  return (c) => {
    const [a, b] = promoted(c, 'self', 'other') as [Value, Value]
    const most = a.dtype === 'bool' ? compare(c.g, op === 'Max' ? 'Or' : 'And', a, b) : extreme(c, op, a, b)
    if (isWhole(a)) return most
    const isNumber = (x: Value) => compare(c.g, 'Equal', x, x) // what is none equals nothing
    return where(c.g, isNumber(a), where(c.g, isNumber(b), most, a), b)
  }
}

/** Bounds are numbers or tensors; torch lets them raise the type. */
const clamp: Lower = (c) => {
  const names = ['self', 'min', 'max'].filter((name) => c.py(name) !== null)
  const operands = names.map((name) => c.operand(name))
  const values = castAll(c, operands, resultType(operands))
  const [x] = values as [Value]
  const low = names.includes('min') ? values[names.indexOf('min')] : undefined
  const high = names.includes('max') ? values[names.indexOf('max')] : undefined
  return bounded(c, x, low, high)
}

export function bounded(c: Call, x: Value, low: Value | undefined, high: Value | undefined): Value {
  // Where the bounds cross, the upper one counts: Min last.
  let y = x
  const isClip = (low?.shape.length ?? 0) === 0 && (high?.shape.length ?? 0) === 0
  if (isClip && !x.elements && x.dtype !== 'int64') return emit.clip(c.g, x, low, high)
  if (low) y = extreme(c, 'Max', y, low)
  return high ? extreme(c, 'Min', y, high) : y
}

const whereOp: Lower = (c) => {
  const condition = cast(c.g, c.tensor('condition'), 'bool')
  if (!c.has('self')) {
    const places = emit.nonZero(c.g, condition)
    return condition.shape.map((_, axis) => emit.select(c.g, places, 1, axis))
  }
  const [a, b] = promoted(c, 'self', 'other') as [Value, Value]
  return where(c.g, condition, a, b)
}

const maskedFill: Lower = (c) => {
  const x = c.tensor('self')
  return where(c.g, cast(c.g, c.tensor('mask'), 'bool'), cast(c.g, c.operand('value').value, x.dtype), x)
}

/** `self + value · tensor1 ∘ tensor2`. */
const combined =
  (op: 'Mul' | 'Div'): Lower =>
  (c) => {
    const operands = ['self', 'tensor1', 'tensor2'].map((name) => c.operand(name))
    const dtype = op === 'Div' ? floatType(resultType(operands)) : resultType(operands)
    const [x, a, b] = castAll(c, operands, dtype) as [Value, Value, Value]
    const value = c.optionalFloat('value') ?? 1
    const part = binary(c.g, op, a, b)
    return binary(c.g, 'Add', x, value === 1 ? part : binary(c.g, 'Mul', part, like(part, value)))
  }

const lerp: Lower = (c) => {
  const [a, b] = promoted(c, 'self', 'end') as [Value, Value]
  const weight = cast(c.g, c.operand('weight').value, a.dtype)
  return binary(c.g, 'Add', a, binary(c.g, 'Mul', weight, binary(c.g, 'Sub', b, a)))
}

/** `log(x) / log(base)`. */
const logarithm =
  (base: number): Lower =>
  (c) => {
    const x = asFloat(c)
    return binary(c.g, 'Mul', unary(c.g, 'Log', x), like(x, 1 / Math.log(base)))
  }

const round: Lower = (c) => {
  const x = c.tensor('self')
  if (isWhole(x)) return x
  const decimals = c.has('decimals') ? c.int('decimals') : 0
  if (decimals === 0) return unary(c.g, 'Round', x)
  const factor = like(x, 10 ** decimals)
  return binary(c.g, 'Div', unary(c.g, 'Round', binary(c.g, 'Mul', x, factor)), factor)
}

const finite = (c: Call, x: Value): Value => {
  if (isWhole(x)) return compare(c.g, 'Equal', x, x)
  const difference = binary(c.g, 'Sub', x, x) // NaN where x is infinite or NaN
  return compare(c.g, 'Equal', difference, like(x, 0))
}

const predicate =
  (op: string, attributes = {}): Lower =>
  (c) => {
    const x = c.tensor('self')
    if (isWhole(x)) return not(c.g, compare(c.g, 'Equal', x, x))
    const y = cast(c.g, x, emit.kernelType(op, x.dtype))
    return c.g.one(op, [y], 'bool', x.shape, attributes)
  }

const nanToNum: Lower = (c) => {
  const x = c.tensor('self')
  if (isWhole(x)) return x
  const [low, high] = rangeOf(x.dtype)
  const isNan = not(c.g, compare(c.g, 'Equal', x, x))
  const y = where(c.g, isNan, like(x, c.optionalFloat('nan') ?? 0), x)
  const up = compare(c.g, 'Equal', y, like(x, Number.POSITIVE_INFINITY))
  const z = where(c.g, up, like(x, c.optionalFloat('posinf') ?? high), y)
  const down = compare(c.g, 'Equal', z, like(x, Number.NEGATIVE_INFINITY))
  return where(c.g, down, like(x, c.optionalFloat('neginf') ?? low), z)
}

function rangeOf(dtype: ElementType): [number, number] {
  const high = dtype === 'float16' ? 65504 : dtype === 'float64' ? Number.MAX_VALUE : 3.4028234663852886e38
  return [-high, high]
}

const atan2: Lower = (c) => {
  const [y, x] = promotedFloats(c, 'self', 'other') as [Value, Value]
  const { g } = c
  const base = unary(g, 'Atan', binary(g, 'Div', y, x))
  const pi = like(x, Math.PI)
  const zero = like(x, 0)
  const below = compare(g, 'Less', y, zero)
  const left = where(g, below, binary(g, 'Sub', base, pi), binary(g, 'Add', base, pi))
  const vertical = where(
    g,
    below,
    like(x, -Math.PI / 2),
    where(g, compare(g, 'Equal', y, zero), zero, like(x, Math.PI / 2)),
  )
  const inner = where(g, compare(g, 'Less', x, zero), left, base)
  return where(g, compare(g, 'Equal', x, zero), vertical, inner)
}

export const isClose: Lower = (c) => {
  const [a, b] = promotedFloats(c, 'self', 'other') as [Value, Value]
  const distance = unary(c.g, 'Abs', binary(c.g, 'Sub', a, b))
  const allowed = binary(
    c.g,
    'Add',
    binary(c.g, 'Mul', unary(c.g, 'Abs', b), like(b, c.float('rtol'))),
    like(a, c.float('atol')),
  )
  // An infinity is close to itself only, whatever it allows.
  const near = compare(
    c.g,
    'And',
    compare(c.g, 'LessOrEqual', distance, allowed),
    compare(c.g, 'Less', distance, like(a, Number.POSITIVE_INFINITY)),
  )
  const close = compare(c.g, 'Or', near, compare(c.g, 'Equal', a, b))
  if (!c.bool('equal_nan')) return close
  const isNan = (x: Value): Value => not(c.g, compare(c.g, 'Equal', x, x))
  return compare(c.g, 'Or', close, compare(c.g, 'And', isNan(a), isNan(b)))
}

const negate: Lower = (c) => unary(c.g, 'Neg', c.tensor('self'))

const xlogy: Lower = (c) => {
  const [x, y] = promotedFloats(c, 'self', 'other') as [Value, Value]
  return where(c.g, compare(c.g, 'Equal', x, like(x, 0)), like(x, 0), binary(c.g, 'Mul', x, unary(c.g, 'Log', y)))
}

const logit: Lower = (c) => {
  const x = asFloat(c)
  const eps = c.optionalFloat('eps')
  const p = eps === undefined ? x : bounded(c, x, like(x, eps), like(x, 1 - eps))
  return unary(c.g, 'Log', binary(c.g, 'Div', p, binary(c.g, 'Sub', like(p, 1), p)))
}

/** `log(exp(a) + exp(b))`, from the greater of both, so that nothing overflows. */
const logAddExp: Lower = (c) => {
  const [a, b] = promotedFloats(c, 'self', 'other') as [Value, Value]
  const { g } = c
  const distance = unary(g, 'Neg', unary(g, 'Abs', binary(g, 'Sub', a, b)))
  return binary(
    g,
    'Add',
    binary(g, 'Max', a, b),
    unary(g, 'Log', binary(g, 'Add', unary(g, 'Exp', distance), like(a, 1))),
  )
}

const exp2: Lower = (c) => {
  const x = asFloat(c)
  return binary(c.g, 'Pow', like(x, 2), x)
}

/** `2 · sinh(x/2) · exp(x/2)`: near zero the difference would have no digits left. */
const expm1: Lower = (c) => {
  const x = asFloat(c)
  // Below -100 it is -1 to any precision, and the factors would overflow.
  const half = binary(c.g, 'Mul', binary(c.g, 'Max', x, like(x, -100)), like(x, 0.5))
  const product = binary(c.g, 'Mul', unary(c.g, 'Sinh', half), unary(c.g, 'Exp', half))
  return binary(c.g, 'Mul', product, like(x, 2))
}

/** `log(u) · x / (u - 1)` with `u = 1 + x` keeps the digits near zero. */
const log1p: Lower = (c) => {
  const x = asFloat(c)
  const one = like(x, 1)
  const u = binary(c.g, 'Add', x, one)
  const rounded = compare(c.g, 'Equal', u, one)
  const divisor = where(c.g, rounded, one, binary(c.g, 'Sub', u, one))
  const large = compare(c.g, 'Greater', unary(c.g, 'Abs', x), like(x, 1e6))
  const ratio = where(c.g, large, one, binary(c.g, 'Div', x, divisor))
  return where(c.g, rounded, x, binary(c.g, 'Mul', unary(c.g, 'Log', u), ratio))
}

export const elementwiseOps: OpTable = {
  add: sum(1),
  sub: sum(-1),
  subtract: sum(-1),
  rsub: sum(-1, 'other', 'self'),
  mul: two('Mul'),
  multiply: two('Mul'),
  div: divide,
  divide: (c) => quotient(c, false),
  true_divide: (c) => binary(c.g, 'Div', ...(promotedFloats(c, 'self', 'other') as [Value, Value])),
  floor_divide: (c) => floorDivide(c, ...roundedOperands(c)),
  remainder,
  fmod: dividendsRemainder,
  pow: power,
  float_power: (c) =>
    binary(c.g, 'Pow', ...(castAll(c, [c.operand('self'), c.operand('exponent')], 'float64') as [Value, Value])),
  maximum: extremes('Max'),
  minimum: extremes('Min'),
  fmax: ofNumbers('Max'),
  fmin: ofNumbers('Min'),
  atan2,
  arctan2: atan2,
  hypot: (c) => {
    const [a, b] = promotedFloats(c, 'self', 'other') as [Value, Value]
    return unary(c.g, 'Sqrt', binary(c.g, 'Add', binary(c.g, 'Mul', a, a), binary(c.g, 'Mul', b, b)))
  },
  addcmul: combined('Mul'),
  addcdiv: combined('Div'),
  lerp,
  xlogy,
  special_xlogy: xlogy,
  logaddexp: logAddExp,
  logit,
  special_logit: logit,
  isclose: isClose,

  eq: comparison('Equal'),
  ne: comparison('Equal', true),
  not_equal: comparison('Equal', true),
  lt: comparison('Less'),
  less: comparison('Less'),
  le: comparison('LessOrEqual'),
  less_equal: comparison('LessOrEqual'),
  gt: comparison('Greater'),
  greater: comparison('Greater'),
  ge: comparison('GreaterOrEqual'),
  greater_equal: comparison('GreaterOrEqual'),
  logical_and: logical('And'),
  logical_or: logical('Or'),
  logical_xor: logical('Xor'),
  logical_not: (c) => not(c.g, cast(c.g, c.tensor('self'), 'bool')),
  __and__: bitwise('And', 'BitwiseAnd'),
  __or__: bitwise('Or', 'BitwiseOr'),
  __xor__: bitwise('Xor', 'BitwiseXor'),
  __iand__: intoSelf(bitwise('And', 'BitwiseAnd')),
  __ior__: intoSelf(bitwise('Or', 'BitwiseOr')),
  __ixor__: intoSelf(bitwise('Xor', 'BitwiseXor')),
  __ilshift__: intoSelf(shift('LEFT')),
  __irshift__: intoSelf(shift('RIGHT')),
  bitwise_and: bitwise('And', 'BitwiseAnd'),
  bitwise_or: bitwise('Or', 'BitwiseOr'),
  bitwise_xor: bitwise('Xor', 'BitwiseXor'),
  bitwise_not: (c) => {
    const x = c.tensor('self')
    return x.dtype === 'bool' ? not(c.g, x) : unary(c.g, 'BitwiseNot', x)
  },
  __lshift__: shift('LEFT'),
  __rshift__: shift('RIGHT'),
  bitwise_left_shift: shift('LEFT'),
  bitwise_right_shift: shift('RIGHT'),

  neg: negate,
  negative: negate,
  abs: (c) => unary(c.g, 'Abs', c.tensor('self')),
  absolute: (c) => unary(c.g, 'Abs', c.tensor('self')),
  sign: (c) => sign(c, c.tensor('self')),
  positive: (c) => c.tensor('self'),
  floor: wholeIsItself('Floor'),
  ceil: wholeIsItself('Ceil'),
  round,
  special_round: round,
  trunc: (c) => (isWhole(c.tensor('self')) ? c.tensor('self') : truncate(c, c.tensor('self'))),
  fix: (c) => (isWhole(c.tensor('self')) ? c.tensor('self') : truncate(c, c.tensor('self'))),
  frac: (c) => {
    const x = c.tensor('self')
    return binary(c.g, 'Sub', x, truncate(c, x))
  },
  exp: float('Exp'),
  log: float('Log'),
  sqrt: float('Sqrt'),
  sin: float('Sin'),
  cos: float('Cos'),
  /** ONNX Runtime has no Tan of float64. */
  tan: (c) => {
    const x = asFloat(c)
    return x.dtype === 'float64' ? binary(c.g, 'Div', unary(c.g, 'Sin', x), unary(c.g, 'Cos', x)) : unary(c.g, 'Tan', x)
  },
  asin: float('Asin'),
  arcsin: float('Asin'),
  acos: float('Acos'),
  arccos: float('Acos'),
  atan: float('Atan'),
  arctan: float('Atan'),
  sinh: float('Sinh'),
  cosh: float('Cosh'),
  asinh: float('Asinh'),
  arcsinh: float('Asinh'),
  acosh: float('Acosh'),
  arccosh: float('Acosh'),
  atanh: float('Atanh'),
  arctanh: float('Atanh'),
  erf: float('Erf'),
  special_erf: float('Erf'),
  erfc: (c) => {
    const x = asFloat(c)
    return binary(c.g, 'Sub', like(x, 1), unary(c.g, 'Erf', x))
  },
  reciprocal: float('Reciprocal'),
  rsqrt: (c) => unary(c.g, 'Reciprocal', unary(c.g, 'Sqrt', asFloat(c))),
  square: (c) => {
    const x = c.tensor('self')
    const y = x.dtype === 'bool' ? cast(c.g, x, 'int64') : x
    return binary(c.g, 'Mul', y, y)
  },
  exp2,
  expm1,
  special_expm1: expm1,
  log1p,
  special_log1p: log1p,
  special_exp2: exp2,
  log2: logarithm(2),
  log10: logarithm(10),
  deg2rad: (c) => {
    const x = asFloat(c)
    return binary(c.g, 'Mul', x, like(x, Math.PI / 180))
  },
  rad2deg: (c) => {
    const x = asFloat(c)
    return binary(c.g, 'Mul', x, like(x, 180 / Math.PI))
  },
  isnan: predicate('IsNaN'),
  isinf: predicate('IsInf'),
  isposinf: predicate('IsInf', { detect_negative: 0 }),
  isneginf: predicate('IsInf', { detect_positive: 0 }),
  isfinite: (c) => finite(c, c.tensor('self')),
  nan_to_num: nanToNum,
  clamp,
  clip: clamp,
  clamp_min: clamp,
  clamp_max: clamp,
  where: whereOp,
  _s_where: whereOp,
  masked_fill: maskedFill,
  heaviside: (c) => {
    const [x, at] = promoted(c, 'self', 'values') as [Value, Value]
    const positive = cast(c.g, compare(c.g, 'Greater', x, like(x, 0)), x.dtype)
    return where(c.g, compare(c.g, 'Equal', x, like(x, 0)), at, positive)
  },
  dist: (c) => {
    const [a, b] = promotedFloats(c, 'self', 'other') as [Value, Value]
    return norm(c, emit.flat(c.g, binary(c.g, 'Sub', a, b)), c.optionalFloat('p') ?? 2, [0], false)
  },
}
