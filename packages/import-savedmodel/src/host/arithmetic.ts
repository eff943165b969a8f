import type { DType, Tensor } from '@eas/base'
import { counted, elements, first, joined, op, type Scalar, transpose } from './arrays.ts'
import type { HostOp, HostTable } from './program.ts'
import {
  boolAttr,
  broadcast,
  dtypeAttr,
  invalid,
  isFractional,
  listAttr,
  numbers,
  numericTensor,
  placesIn,
  scalars,
  sizeOfShape,
} from './values.ts'

/**
 * Arithmetic that strings depend on: what is written as text, hashed or looked up. Whole numbers wrap around as their types
 * do; floats are rounded to theirs. TF: core/kernels/cwise_ops.h (2.16).
 */

type Whole = (a: bigint, b: bigint) => bigint
type Real = (a: number, b: number) => number

/** Two operands, broadcast. */
const binary = (f: (a: Scalar, b: Scalar, dtype: DType) => Scalar | boolean, to?: DType): HostOp =>
  op((inputs) => {
    const [x, y] = [first(inputs), first(inputs, 1)]
    const shape = broadcast(x.shape, y.shape)
    const [i, j] = [placesIn(x.shape, shape), placesIn(y.shape, shape)]
    const [a, b] = [elements(x), elements(y)]
    const values = i.map((at, k) => f(a[at] ?? 0, b[j[k] ?? 0] ?? 0, x.dtype))
    return [
      numericTensor(
        to ?? x.dtype,
        values.map((v) => (typeof v === 'bigint' ? v : Number(v))),
        shape,
      ),
    ]
  })

/** Floats as numbers, all else as wide whole numbers. */
const arithmetic = (real: Real, whole: Whole): HostOp =>
  binary((a, b, dtype) => (isFractional(dtype) ? real(Number(a), Number(b)) : wrapped(whole(BigInt(a), BigInt(b)))))

/** What the 64 bits hold that a type has at most. */
const wrapped = (v: bigint): bigint => BigInt.asIntN(64, v)

/** Each number for itself. */
const each = (real: (v: number) => number, whole?: (v: bigint) => bigint): HostOp =>
  op((inputs) => {
    const x = first(inputs)
    const values = scalars(x)
    const isReal = isFractional(x.dtype) || !whole
    return [
      numericTensor(
        x.dtype,
        isReal ? values.map((v) => real(Number(v))) : values.map((v) => whole(BigInt(v))),
        x.shape,
      ),
    ]
  })

const ofReals = (f: (v: number) => number | boolean): HostOp =>
  op((inputs) => [
    numericTensor(
      'bool',
      numbers(first(inputs)).map((v) => Number(f(v))),
      first(inputs).shape,
    ),
  ])

const whole =
  (f: Whole): Whole =>
  (a, b) => {
    if (b === 0n) throw invalid('Integer division by zero')
    return f(a, b)
  }
const floorDivided: Whole = whole((a, b) => {
  const q = a / b
  return q * b !== a && a < 0n !== b < 0n ? q - 1n : q
})
const cutOff: Whole = whole((a, b) => a / b)
const floorMod: Real = (a, b) => a - b * Math.floor(a / b)

/** By squaring, so that any power takes a few steps. */
const power: Whole = (base, exponent) => {
  if (exponent < 0n) throw invalid(`the power ${exponent} of a whole number`)
  let [result, square] = [1n, base]
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = wrapped(result * square)
    square = wrapped(square * square)
  }
  return result
}

/** Halves go to the even neighbour. */
function roundToEven(v: number): number {
  const up = Math.round(v)
  return up - v === 0.5 && up % 2 !== 0 ? up - 1 : up
}

const plus: Real = (a, b) => a + b
const times: Real = (a, b) => a * b

const sum = arithmetic(plus, (a, b) => a + b)

/** The sum of numbers; strings are joined. */
const add: HostOp = {
  run: (inputs, attrs) => (first(inputs).dtype === 'string' ? joined : sum).run(inputs, attrs),
  infer: joined.infer,
}

/** A float as a whole number, as the processor makes it: what does not fit is the least of the type it is made in. */
function cutToWhole(v: number, dtype: DType): bigint {
  const bits = dtype === 'int64' || dtype === 'uint64' || dtype === 'uint32' ? 64 : 32
  const least = -(2 ** (bits - 1))
  return BigInt(v >= least && v < -least ? Math.trunc(v) : least)
}

function cast(x: Tensor, to: DType): Tensor {
  if (x.dtype === to) return x
  const values = scalars(x) // strings are not cast
  if (to === 'bool')
    return numericTensor(
      to,
      values.map((v) => Number(v !== 0 && v !== 0n)),
      x.shape,
    )
  if (!isFractional(x.dtype) || isFractional(to)) return numericTensor(to, values.map(rounded(x.dtype, to)), x.shape)
  return numericTensor(
    to,
    values.map((v) => cutToWhole(Number(v), to)),
    x.shape,
  )
}

/** Halves are made of floats, and those of doubles: rounded twice. */
const rounded = (from: DType, to: DType): ((v: number | bigint) => number | bigint) =>
  isFractional(from) && (to === 'float16' || to === 'bfloat16') ? (v) => Math.fround(Number(v)) : (v) => v

/** Folds the axes of input 1: floats as numbers, all else as wide whole numbers. */
function reduce(real: (v: readonly number[]) => number, whole: (v: readonly bigint[], dtype: DType) => bigint): HostOp {
  return op((inputs, attrs) => {
    const x = first(inputs)
    const axes = numbers(inputs[1]).map((a) => counted(a, x.shape.length))
    const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i))
    const turned = scalars(transpose(x, [...kept, ...axes]))
    const inner = axes.reduce((n, a) => n * (x.shape[a] ?? 1), 1)
    const shape = boolAttr(attrs, 'keep_dims')
      ? x.shape.map((d, i) => (axes.includes(i) ? 1 : d))
      : kept.map((i) => x.shape[i] ?? 1)
    const folded = Array.from({ length: sizeOfShape(shape) }, (_, i) => {
      const row = turned.slice(i * inner, (i + 1) * inner)
      return isFractional(x.dtype) ? real(row.map(Number)) : wrapped(whole(row.map(BigInt), x.dtype))
    })
    return [numericTensor(x.dtype, folded, shape)]
  })
}

const total = (v: readonly number[]): number => v.reduce(plus, 0)
const totalWhole = (v: readonly bigint[]): bigint => v.reduce((a, b) => a + b, 0n)

/** The greatest or least; of nothing, the end of the type. */
const extreme = (isGreatest: boolean): HostOp => {
  const better = <T extends number | bigint>(a: T, b: T): T => (isGreatest ? (b > a ? b : a) : b < a ? b : a)
  return reduce(
    (v) =>
      v.some(Number.isNaN)
        ? Number.NaN
        : v.reduce((a, b) => better(a, b), isGreatest ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY),
    ([start, ...rest], dtype) =>
      start === undefined ? endOf(dtype, isGreatest) : rest.reduce((a, b) => better(a, b), start),
  )
}

function endOf(dtype: DType, isLeast: boolean): bigint {
  const bits = BigInt(/\d+/.exec(dtype)?.[0] ?? 8)
  if (dtype.startsWith('u')) return isLeast ? 0n : 2n ** bits - 1n
  return isLeast ? -(2n ** (bits - 1n)) : 2n ** (bits - 1n) - 1n
}

/** The truth of all or any. */
const truth = (f: (v: readonly bigint[]) => boolean): HostOp =>
  reduce(
    () => 0, // of bools only
    (v) => BigInt(f(v)),
  )

/** Running totals of a vector. */
const cumulative = op((inputs, attrs) => {
  const x = first(inputs)
  if (x.shape.length !== 1) throw invalid('running totals in front of the model are of vectors only')
  const run = <T extends number | bigint>(given: readonly T[], zero: T, next: (a: T, b: T) => T): readonly T[] => {
    const values = boolAttr(attrs, 'reverse') ? given.toReversed() : given
    let total = zero
    const sums = values.map((v) => {
      const before = total
      total = next(total, v)
      return boolAttr(attrs, 'exclusive') ? before : total
    })
    return boolAttr(attrs, 'reverse') ? sums.reverse() : sums
  }
  const sums = isFractional(x.dtype)
    ? run(numbers(x), 0, plus)
    : run(scalars(x).map(BigInt), 0n, (a, b) => wrapped(a + b))
  return [numericTensor(x.dtype, sums, x.shape)]
})

const bucketize = (x: Tensor, boundaries: readonly number[]): Tensor =>
  numericTensor(
    'int32',
    numbers(x).map((v) => boundaries.filter((b) => b <= v).length),
    x.shape,
  )

export const arithmeticOps: HostTable = {
  Equal: binary((a, b) => a === b, 'bool'),
  NotEqual: binary((a, b) => a !== b, 'bool'),
  Less: binary((a, b) => a < b, 'bool'),
  LessEqual: binary((a, b) => a <= b, 'bool'),
  Greater: binary((a, b) => a > b, 'bool'),
  GreaterEqual: binary((a, b) => a >= b, 'bool'),
  LogicalAnd: binary((a, b) => Boolean(a) && Boolean(b), 'bool'),
  LogicalOr: binary((a, b) => Boolean(a) || Boolean(b), 'bool'),
  LogicalNot: ofReals((v) => v === 0),
  IsNan: ofReals(Number.isNaN),
  IsFinite: ofReals(Number.isFinite),

  Add: add,
  AddV2: add,
  Sub: arithmetic(
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  Mul: arithmetic(times, (a, b) => a * b),
  RealDiv: arithmetic((a, b) => a / b, cutOff),
  Div: arithmetic((a, b) => a / b, cutOff),
  DivNoNan: arithmetic(
    (a, b) => (b === 0 ? 0 : a / b),
    (a, b) => (b === 0n ? 0n : a / b),
  ),
  TruncateDiv: arithmetic((a, b) => Math.trunc(a / b), cutOff),
  FloorDiv: arithmetic((a, b) => Math.floor(a / b), floorDivided),
  FloorMod: arithmetic(floorMod, (a, b) => a - b * floorDivided(a, b)),
  Maximum: arithmetic(Math.max, (a, b) => (a > b ? a : b)),
  Minimum: arithmetic(Math.min, (a, b) => (a < b ? a : b)),
  Pow: arithmetic((a, b) => a ** b, power),

  Neg: each(
    (v) => -v,
    (v) => -v,
  ),
  Abs: each(Math.abs, (v) => (v < 0n ? -v : v)),
  Sign: each(Math.sign, (v) => BigInt(Math.sign(Number(v)))),
  Square: each(
    (v) => v * v,
    (v) => v * v,
  ),
  OnesLike: each(
    () => 1,
    () => 1n,
  ),
  Floor: each(Math.floor, (v) => v),
  Ceil: each(Math.ceil, (v) => v),
  Round: each(roundToEven, (v) => v),
  Rint: each(roundToEven, (v) => v),
  Sqrt: each(Math.sqrt),
  Exp: each(Math.exp),
  Log: each(Math.log),
  Log1p: each(Math.log1p),
  Tanh: each(Math.tanh),
  Sigmoid: each((v) => 1 / (1 + Math.exp(-v))),
  Relu: each(
    (v) => Math.max(v, 0),
    (v) => (v < 0n ? 0n : v),
  ),
  Cast: op((inputs, attrs) => [cast(first(inputs), dtypeAttr(attrs, 'DstT', 'float32'))]),
  Bucketize: op((inputs, attrs) => [bucketize(first(inputs), listAttr(attrs, 'boundaries').map(Number))]),

  Cumsum: cumulative,
  Sum: reduce(total, totalWhole),
  Mean: reduce(
    (v) => total(v) / v.length,
    (v) => totalWhole(v) / BigInt(v.length || 1),
  ),
  Prod: reduce(
    (v) => v.reduce(times, 1),
    (v) => v.reduce((a, b) => wrapped(a * b), 1n),
  ),
  Max: extreme(true),
  Min: extreme(false),
  All: truth((v) => v.every((b) => b !== 0n)),
  Any: truth((v) => v.some((b) => b !== 0n)),
}
