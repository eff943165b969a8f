import {
  type Comparison,
  type Dim,
  dims,
  type ElementType,
  emit,
  isFloat,
  refuse,
  Sym,
  scalar,
  type Value,
} from '@eas/onnx'
import { TensorRef } from './tensor-ref.ts'
import { isInt, type Py, PyDict, PyList, PyTuple, RunScalar, SymFloat, Unknown } from './values.ts'
import { dataAdvice, type Vm } from './vm.ts'

/** Python numbers: known ones, ones that sizes decide, and ones that only a run computes. */

/** A size as an int. */
export const fromDim = (d: Dim): bigint | Sym => (typeof d === 'number' ? BigInt(d) : d)

/** A size of a tensor as an int: never under zero, though numbers that could be may have made it. */
export function fromSize(vm: Vm, d: Dim): bigint | Sym {
  if (d instanceof Sym) vm.sizes.add(d)
  return fromDim(d)
}

/** An int as a size. What is beyond every size (`9223372036854775807` ends slices) stays beyond. */
export function toDim(vm: Vm, v: Py | undefined): Dim {
  if (typeof v === 'bigint')
    return v > maxSize ? Number.MAX_SAFE_INTEGER : v < -maxSize ? -Number.MAX_SAFE_INTEGER : Number(v)
  if (v instanceof Sym) return v
  if (typeof v === 'boolean') return Number(v)
  if (typeof v === 'number' && Number.isInteger(v)) return v
  if (v instanceof TensorRef) return toDim(vm, intOf(vm, v))
  throw refuse('an int is expected', vm.where)
}
const maxSize = BigInt(Number.MAX_SAFE_INTEGER)

/** A size that has to be one number: pinned by a guard where requests decide it. */
export function toNumber(vm: Vm, v: Py | undefined): number {
  return pinned(vm, toDim(vm, v))
}

export function pinned(vm: Vm, d: Dim): number {
  const value = vm.g.guards.pin(d)
  if (value === undefined)
    throw refuse('a number that has to be known depends on the values of tensors', vm.where, dataAdvice)
  return value
}

export const toIndex = toNumber

/** Contents of a tensor, when they are known while lowering. */
export function elementsOf(vm: Vm, x: Value): readonly Dim[] | undefined {
  return x.elements ?? vm.archive.numbers(x)
}

/** The int a tensor of one element holds. */
export function intOf(vm: Vm, t: TensorRef): bigint | Sym {
  const x = vm.read(t)
  const [known] = elementsOf(vm, x) ?? []
  if (known !== undefined) return fromDim(typeof known === 'number' ? Math.trunc(known) : known)
  const whole = emit.cast(vm.g, x, 'int64')
  return fromDim(vm.g.scalarDim(emit.reshape(vm.g, whole, [])))
}

/** The Python number a tensor of one element holds, of the kind its element type says. */
export function numberOf(vm: Vm, t: TensorRef): Py {
  const x = vm.read(t)
  if (x.dtype === 'bool') return boolOf(vm, t)
  return isFloat(x.dtype) ? floatOf(vm, t) : intOf(vm, t)
}

export function floatOf(vm: Vm, t: TensorRef): Py {
  const x = vm.read(t)
  const [known] = elementsOf(vm, x) ?? []
  if (typeof known === 'number') return known
  if (known !== undefined) return new SymFloat(known)
  return new RunScalar('float', emit.reshape(vm.g, emit.cast(vm.g, x, 'float64'), []))
}

function boolOf(vm: Vm, t: TensorRef): boolean | RunScalar {
  const x = vm.read(t)
  const [known] = elementsOf(vm, x) ?? []
  if (typeof known === 'number') return known !== 0
  return new RunScalar('bool', emit.reshape(vm.g, emit.cast(vm.g, x, 'bool'), []))
}

/** A Python number as a tensor without dimensions: int64, float64 or bool. */
export function scalarValue(vm: Vm, v: Py): Value {
  if (typeof v === 'number') return scalar('float64', v)
  if (typeof v === 'boolean') return scalar('bool', Number(v))
  if (typeof v === 'bigint' && (v > maxSize || v < -maxSize)) return wideScalar(vm, v)
  if (isInt(v)) return scalar('int64', toDim(vm, v))
  if (v instanceof RunScalar) return v.value
  if (v instanceof SymFloat) {
    const scaled = emit.binary(
      vm.g,
      'Mul',
      emit.cast(vm.g, scalar('int64', v.size), 'float64'),
      scalar('float64', v.scale),
    )
    return v.divisor === 1 ? scaled : emit.binary(vm.g, 'Div', scaled, scalar('float64', v.divisor))
  }
  if (v instanceof TensorRef) return vm.read(v)
  throw refuse('a number is expected', vm.where)
}

/** An int beyond those that doubles hold one by one, such as a hash. */
const wideScalar = (vm: Vm, v: bigint): Value =>
  vm.g.constant('int64', [], { bytes: new Uint8Array(BigInt64Array.of(v).buffer) })

export const isNumber = (v: Py | undefined): v is bigint | number | boolean | Sym | SymFloat | RunScalar =>
  typeof v === 'bigint' ||
  typeof v === 'number' ||
  typeof v === 'boolean' ||
  v instanceof Sym ||
  v instanceof SymFloat ||
  v instanceof RunScalar

const isFloating = (v: Py): boolean =>
  typeof v === 'number' || v instanceof SymFloat || (v instanceof RunScalar && v.kind === 'float')

/** Whether a condition holds; a `RunScalar` when only a run can tell. */
export function truth(vm: Vm, v: Py): boolean | RunScalar {
  if (typeof v === 'boolean') return v
  if (v === null) return false
  if (typeof v === 'bigint' || typeof v === 'number') return Boolean(v)
  if (typeof v === 'string') return v !== ''
  if (v instanceof Sym) return compareInts(vm, v, '!=', 0)
  if (v instanceof TensorRef) return boolOf(vm, v)
  if (v instanceof RunScalar) return v.kind === 'bool' ? v : new RunScalar('bool', emit.cast(vm.g, v.value, 'bool'))
  if (v instanceof PyList || v instanceof PyTuple) return v.items.length > 0
  if (v instanceof PyDict) return v.entries.size > 0
  return true // an unknown: one side is as good as the other for finding more reasons
}

const comparisons: Readonly<Record<Comparison, string>> = {
  '==': 'Equal',
  '!=': 'Equal',
  '<': 'Less',
  '<=': 'LessOrEqual',
}

/** Settled by a guard where the sizes of the inputs decide, by a node where the data do. */
export function compareInts(vm: Vm, a: Dim, op: Comparison, b: Dim): boolean | RunScalar {
  const decided = vm.g.guards.decide(a, op, b)
  if (decided !== undefined) return decided
  const value = emit.compare(vm.g, comparisons[op], scalar('int64', a), scalar('int64', b))
  return new RunScalar('bool', op === '!=' ? emit.not(vm.g, value) : value, ifAny(vm, a, op, b))
}

/** A comparison with zero, or of zero with a size, for sizes over zero. */
function ifAny(vm: Vm, a: Dim, op: Comparison, b: Dim): boolean | undefined {
  const isSize = (d: Dim): boolean => dims.bounds(d)[0] >= 0 || (d instanceof Sym && vm.sizes.has(d))
  if (b === 0 && isSize(a)) return op === '!='
  return a === 0 && isSize(b) ? op !== '==' : undefined
}

/** Compares Python numbers. */
export function compareNumbers(vm: Vm, a: Py, op: Comparison, b: Py): boolean | RunScalar {
  const [x, y] = [a, b].map((v) => (typeof v === 'boolean' ? BigInt(v) : v)) as [Py, Py] // two in, two out
  if (isInt(x) && isInt(y)) return compareInts(vm, toDim(vm, x), op, toDim(vm, y))
  if ((typeof x === 'number' || typeof x === 'bigint') && (typeof y === 'number' || typeof y === 'bigint')) {
    // biome-ignore lint/suspicious/noDoubleEquals: an int and a float compare by value
    return op === '<' ? x < y : op === '<=' ? x <= y : (op === '==') === (x == y)
  }
  if (x instanceof SymFloat && typeof y === 'number' && x.scale / x.divisor > 0) return compareSymFloat(vm, x, op, y)
  const [p, q] = [scalarValue(vm, x), scalarValue(vm, y)]
  const dtype: ElementType =
    isFloat(p.dtype) || isFloat(q.dtype) ? 'float64' : p.dtype === 'bool' && q.dtype === 'bool' ? 'int32' : 'int64'
  const value = emit.compare(vm.g, comparisons[op], emit.cast(vm.g, p, dtype), emit.cast(vm.g, q, dtype))
  return new RunScalar('bool', op === '!=' ? emit.not(vm.g, value) : value)
}

/** `size · scale < y` is a comparison of the size with a whole number. */
function compareSymFloat(vm: Vm, x: SymFloat, op: Comparison, y: number): boolean | RunScalar {
  const limit = (y * x.divisor) / x.scale
  if (op === '<') return compareInts(vm, x.size, '<', Math.ceil(limit))
  if (op === '<=') return compareInts(vm, x.size, '<=', Math.floor(limit))
  if (!Number.isInteger(limit)) return op === '!='
  return compareInts(vm, x.size, op, limit)
}

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b]
  while (y > 0n) [x, y] = [y, x % y]
  return x
}

type IntFold = (a: bigint, b: bigint) => bigint
const onBigints: Readonly<Record<string, IntFold>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  floordiv: (a, b) => (a - (((a % b) + b) % b)) / b,
  remainder: (a, b) => ((a % b) + b) % b,
  gcd,
}
const onSizes: Readonly<Record<string, (a: Dim, b: Dim) => Dim>> = {
  add: dims.add,
  sub: dims.sub,
  mul: dims.mul,
  floordiv: dims.floorDiv,
  remainder: dims.mod,
  max: dims.max,
  min: dims.min,
}
const onFloats: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  floordiv: (a, b) => Math.floor(a / b),
  remainder: (a, b) => a - b * Math.floor(a / b),
  pow: (a, b) => a ** b,
  max: Math.max,
  min: Math.min,
  atan2: Math.atan2,
  fmod: (a, b) => a % b,
  copysign: (a, b) => (b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a)),
}
const onRuns: Readonly<Record<string, string>> = {
  add: 'Add',
  sub: 'Sub',
  mul: 'Mul',
  div: 'Div',
  pow: 'Pow',
  max: 'Max',
  min: 'Min',
}

const maxInt = 2n ** 63n

/** `a op b` of Python numbers; undefined when they have no such operator. */
export function arithmetic(vm: Vm, op: string, a: Py, b: Py): Py | undefined {
  const [x, y] = [a, b].map((v) => (typeof v === 'boolean' ? BigInt(v) : v)) as [Py, Py] // two in, two out
  if (!isNumber(x) || !isNumber(y)) return undefined
  if (typeof x === 'bigint' && typeof y === 'bigint') return onInts(op, x, y)
  if (isInt(x) && isInt(y)) {
    const fold = onSizes[op]
    if (fold) return fromDim(fold(toDim(vm, x), toDim(vm, y)))
    if (op === 'pow' && typeof y === 'bigint' && y >= 0n && y <= 8n)
      return fromDim(dims.product(new Array<Dim>(Number(y)).fill(toDim(vm, x))))
    if (op === 'div' && x instanceof Sym && typeof y === 'bigint') return new SymFloat(x, 1, Number(y))
  }
  const fold = onFloats[op]
  const [p, q] = [x, y].map((v) => (typeof v === 'bigint' ? Number(v) : v))
  if (fold && typeof p === 'number' && typeof q === 'number') return fold(p, q)
  const linear = scaled(op, x, y)
  if (linear) return linear
  return onRun(vm, op, x, y)
}

function onInts(op: string, x: bigint, y: bigint): Py | undefined {
  if (y === 0n && (op === 'floordiv' || op === 'remainder' || op === 'div')) throw refuse('a division by zero')
  if (op === 'div') return Number(x) / Number(y)
  if (op === 'max' || op === 'min') return (op === 'max') === x > y ? x : y
  if (op === 'pow') return y >= 0n ? powerOf(x, y) : Number(x) ** Number(y)
  const fold = onBigints[op]
  const result = fold?.(x, y)
  if (result === undefined || (result < maxInt && result >= -maxInt)) return result
  return BigInt.asIntN(64, result)
}

/** `x ** y` in 64 bits, as torch computes it. */
function powerOf(x: bigint, y: bigint): bigint {
  let [result, square, rest] = [1n, x, y]
  for (; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = BigInt.asIntN(64, result * square)
    square = BigInt.asIntN(64, square * square)
  }
  return result
}

/** A size times a float stays a size times a float. */
function scaled(op: string, x: Py, y: Py): SymFloat | undefined {
  const size = (v: Py): SymFloat | undefined =>
    v instanceof Sym ? new SymFloat(v) : v instanceof SymFloat ? v : undefined
  const factor = (v: Py): number | undefined =>
    typeof v === 'number' ? v : typeof v === 'bigint' ? Number(v) : undefined
  const [s, k] = [size(x), factor(y)]
  if (s && k !== undefined && op === 'mul') return new SymFloat(s.size, s.scale * k, s.divisor)
  if (s && k !== undefined && k !== 0 && op === 'div') return new SymFloat(s.size, s.scale, s.divisor * k)
  const [t, j] = [size(y), factor(x)]
  return op === 'mul' && t && j !== undefined ? new SymFloat(t.size, t.scale * j, t.divisor) : undefined
}

function onRun(vm: Vm, op: string, x: Py, y: Py): Py | undefined {
  const { g } = vm
  const floats = isFloating(x) || isFloating(y) || op === 'div'
  const dtype: ElementType = floats ? 'float64' : 'int64'
  const [a, b] = [emit.cast(g, scalarValue(vm, x), dtype), emit.cast(g, scalarValue(vm, y), dtype)]
  const direct = onRuns[op]
  let value: Value
  if (direct) value = emit.binary(g, direct, a, b)
  else if (op === 'floordiv' && floats) value = emit.unary(g, 'Floor', emit.binary(g, 'Div', a, b))
  else if (op === 'remainder' && floats)
    value = emit.binary(g, 'Sub', a, emit.binary(g, 'Mul', b, emit.unary(g, 'Floor', emit.binary(g, 'Div', a, b))))
  else return undefined
  return floats ? new RunScalar('float', value) : fromDim(g.scalarDim(value))
}

const floatFunctions: Readonly<Record<string, (x: number) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  tanh: Math.tanh,
  atan: Math.atan,
  asin: Math.asin,
  acos: Math.acos,
  sinh: Math.sinh,
  cosh: Math.cosh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  expm1: Math.expm1,
  fabs: Math.abs,
  degrees: (x) => (x * 180) / Math.PI,
  radians: (x) => (x * Math.PI) / 180,
}
const runFunctions: Readonly<Record<string, string>> = {
  neg: 'Neg',
  abs: 'Abs',
  fabs: 'Abs',
  sqrt: 'Sqrt',
  exp: 'Exp',
  log: 'Log',
  sin: 'Sin',
  cos: 'Cos',
  tanh: 'Tanh',
}

/** A function of one Python number; `floor`, `ceil` and `round` give ints, as Python's do. */
export function numberFunction(vm: Vm, op: string, x: Py): Py | undefined {
  if (!isNumber(x)) return undefined
  if (op === 'floor' || op === 'ceil' || op === 'trunc') return toWhole(vm, x, op)
  if (op === 'round' && isInt(x)) return x
  if (op === 'round')
    return typeof x === 'number'
      ? roundEven(x)
      : new RunScalar('float', emit.unary(vm.g, 'Round', emit.cast(vm.g, scalarValue(vm, x), 'float64')))
  if (isInt(x)) {
    if (op === 'neg') return typeof x === 'bigint' ? -x : fromDim(dims.neg(x))
    if (op === 'abs') return typeof x === 'bigint' ? (x < 0n ? -x : x) : fromDim(dims.max(x, dims.neg(x)))
  }
  if (x instanceof SymFloat && op === 'neg') return new SymFloat(x.size, -x.scale, x.divisor)
  const fold = floatFunctions[op]
  const known = typeof x === 'bigint' ? Number(x) : x
  if (fold && typeof known === 'number') return fold(known)
  const node = runFunctions[op]
  return node
    ? new RunScalar('float', emit.unary(vm.g, node, emit.cast(vm.g, scalarValue(vm, x), 'float64')))
    : undefined
}

const roundEven = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x))

/** `int`, `floor` and `ceil` of a Python number. */
export function toWhole(vm: Vm, x: Py, op: 'floor' | 'ceil' | 'trunc'): Py {
  if (isInt(x)) return x
  if (typeof x === 'boolean') return BigInt(x)
  if (typeof x === 'number') {
    if (!Number.isFinite(x)) throw refuse(`${x} as an int`, vm.where)
    return BigInt(op === 'floor' ? Math.floor(x) : op === 'ceil' ? Math.ceil(x) : Math.trunc(x))
  }
  if (x instanceof SymFloat) {
    // What is below zero is cut off upwards.
    const isBelow = op === 'trunc' ? vm.g.guards.decide(x.size, '<', 0) : false
    const isUp = op === 'trunc' ? isBelow !== x.scale / x.divisor < 0 : op === 'ceil'
    const [p, q] = (isBelow !== undefined && asRatio(x, isUp ? Math.ceil : Math.floor)) || []
    if (p !== undefined && q !== undefined) {
      const numerator = dims.mul(x.size, p)
      return fromDim(isUp ? dims.ceilDiv(numerator, q) : dims.floorDiv(numerator, q))
    }
  }
  const value = emit.cast(vm.g, scalarValue(vm, x), 'float64')
  const whole = op === 'trunc' ? value : emit.unary(vm.g, op === 'floor' ? 'Floor' : 'Ceil', value)
  return fromDim(vm.g.scalarDim(emit.cast(vm.g, whole, 'int64')))
}

/** Sizes up to which a fraction has to round as the float does. */
const commonSizes = 65_536

/**
 * A float of a size as a fraction of small numbers, if it rounds as one for every common size: `int(n * 0.5)` does, and
 * `int(n * 0.29)` is 28 for 100.
 */
function asRatio(x: SymFloat, whole: (x: number) => number): [number, number] | undefined {
  const value = x.scale / x.divisor
  for (let q = 1; q <= 1024; q++) {
    const p = Math.round(value * q)
    if (p === 0 || Math.abs(p / q - value) > 1e-12 * Math.abs(value)) continue
    // A quotient of whole numbers, or a fraction that floats hold, is on the right side of every whole number.
    if (x.scale === 1 || (p / q === value && Number.isInteger(Math.log2(q)))) return [p, q]
    for (let size = 1; size <= commonSizes; size++) if (whole(x.at(size)) !== whole((size * p) / q)) return undefined
    return [p, q]
  }
  return undefined
}

/** Whether a value is, or holds, what cannot be lowered. Lists may hold each other: each is looked at once. */
export function isUnknown(v: Py | undefined, seen?: Set<Py>): boolean {
  if (v instanceof Unknown) return true
  const items = v instanceof PyList ? v.state.items : v instanceof PyTuple ? v.items : undefined
  if (!v || !items || seen?.has(v)) return false
  const met = seen ?? new Set<Py>()
  met.add(v)
  return items.some((i) => typeof i === 'object' && isUnknown(i, met))
}
