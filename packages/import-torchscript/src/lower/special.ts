import { bytesOf, dims, emit, type GraphBuilder, isFloat, refuse, scalar, type Value } from '@eas/onnx'
import { type Call, type Lower, type OpTable, tuple } from '../call.ts'
import { floatType } from '../promote.ts'
import { RunScalar } from '../values.ts'
import { isClose } from './elementwise.ts'
import { asFloat, extreme, isWhole, like, promoted, promotedFloats, sign } from './helpers.ts'
import { norm, sumOf } from './reduce.ts'

/** Special functions and small linear algebra. Torch: aten/src/ATen/native/{UnaryOps,BinaryOps,LinearAlgebra}.cpp (2.4). */

const { binary, compare, unary, where } = emit

/** A polynomial by Horner's rule, highest power first. */
const polynomial = (g: GraphBuilder, x: Value, coefficients: readonly number[]): Value =>
  coefficients
    .slice(1)
    .reduce<Value>((sum, k) => binary(g, 'Add', binary(g, 'Mul', sum, x), like(x, k)), like(x, coefficients[0] ?? 0))

/**
 * Giles's approximation, then two steps of Newton's, as torch does.
 * @see M. Giles, Approximating the erfinv function (2012)
 */
const erfinv: Lower = (c) => {
  const x = asFloat(c)
  const { g } = c
  const one = like(x, 1)
  const w = unary(g, 'Neg', unary(g, 'Log', binary(g, 'Mul', binary(g, 'Sub', one, x), binary(g, 'Add', one, x))))
  const central = polynomial(
    g,
    binary(g, 'Sub', w, like(x, 2.5)),
    [
      2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
      0.246640727, 1.50140941,
    ],
  )
  const tail = polynomial(
    g,
    binary(g, 'Sub', unary(g, 'Sqrt', w), like(x, 3)),
    [
      -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
      1.00167406, 2.83297682,
    ],
  )
  let y = binary(g, 'Mul', where(g, compare(g, 'Less', w, like(x, 5)), central, tail), x)
  for (let step = 0; step < 2; step++) {
    const slope = binary(
      g,
      'Mul',
      unary(g, 'Exp', unary(g, 'Neg', binary(g, 'Mul', y, y))),
      like(x, 2 / Math.sqrt(Math.PI)),
    )
    y = binary(g, 'Sub', y, binary(g, 'Div', binary(g, 'Sub', unary(g, 'Erf', y), x), slope))
  }
  // At both ends it is infinite, where the approximation is not a number.
  const isEnd = compare(g, 'Equal', unary(g, 'Abs', x), one)
  return where(g, isEnd, binary(g, 'Mul', x, like(x, Number.POSITIVE_INFINITY)), y)
}

const sinc: Lower = (c) => {
  const x = asFloat(c)
  const isZero = compare(c.g, 'Equal', x, like(x, 0))
  const angle = binary(c.g, 'Mul', where(c.g, isZero, like(x, 1), x), like(x, Math.PI))
  return where(c.g, isZero, like(x, 1), binary(c.g, 'Div', unary(c.g, 'Sin', angle), angle))
}

/** Sign bit, which a zero has too. */
function isNegative(g: GraphBuilder, x: Value): Value {
  if (!isFloat(x.dtype)) return compare(g, 'Less', x, like(x, 0))
  const isZero = compare(g, 'Equal', x, like(x, 0))
  // 1 / -0 is minus infinity.
  return where(g, isZero, compare(g, 'Less', unary(g, 'Reciprocal', x), like(x, 0)), compare(g, 'Less', x, like(x, 0)))
}

/** The first axis of length 3, which a product takes when it is told of none. */
const firstOfThree = (c: Call, x: Value): number => x.shape.findIndex((d) => c.g.guards.decide(d, '==', 3) === true)

const cross: Lower = (c) => {
  const [a, b] = promoted(c, 'self', 'other') as [Value, Value]
  const dim = c.py('dim') === null ? firstOfThree(c, a) : c.axis('dim', a.shape.length)
  const turned = (x: Value, by: number): Value => {
    const parts = [0, 1, 2].map((i) => emit.slice(c.g, x, dim, (i + by) % 3, ((i + by) % 3) + 1))
    return emit.concat(c.g, parts, dim)
  }
  const product = (x: Value, y: Value) => binary(c.g, 'Mul', x, y)
  return binary(c.g, 'Sub', product(turned(a, 1), turned(b, 2)), product(turned(a, 2), turned(b, 1)))
}

/** Euclid's algorithm runs as long as the data say: at most 1.44 steps for each bit. */
const gcd: Lower = (c) => {
  let [a, b] = promoted(c, 'self', 'other').map((x) => unary(c.g, 'Abs', x)) as [Value, Value]
  const zero = like(a, 0)
  const steps = Math.ceil(1.45 * 8 * bytesOf(a.dtype))
  for (let step = 0; step < steps; step++) {
    const done = compare(c.g, 'Equal', b, zero)
    const rest = binary(c.g, 'Mod', a, where(c.g, done, like(b, 1), b))
    ;[a, b] = [where(c.g, done, a, b), where(c.g, done, zero, rest)]
  }
  return a
}

const matrixPower: Lower = (c) => {
  const x = c.tensor('self')
  const n = c.int('n')
  const [size = 1] = x.shape.slice(-1)
  if (n === 0) {
    const same = compare(c.g, 'Equal', emit.iota(c.g, size, 0, 2), emit.iota(c.g, size, 1, 2))
    return emit.expand(c.g, emit.cast(c.g, same, x.dtype), x.shape)
  }
  let result: Value | undefined
  let square = n < 0 ? inverseOf(c, x) : x
  for (let rest = Math.abs(n); rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result ? emit.matmul(c.g, result, square) : square
    if (rest > 1) square = emit.matmul(c.g, square, square)
  }
  return result ?? x
}

const inverseOf = ({ g }: Call, x: Value): Value => g.one('Inverse', [x], x.dtype, x.shape, {}, 'com.microsoft')

const inverse: Lower = (c) => inverseOf(c, c.tensor(c.has('self') ? 'self' : 'A'))

/** ONNX Runtime has a kernel of float32 only. */
const determinant: Lower = (c) => {
  const x = c.tensor(c.has('self') ? 'self' : 'A')
  return emit.cast(c.g, c.g.one('Det', [emit.cast(c.g, x, 'float32')], 'float32', x.shape.slice(0, -2)), x.dtype)
}

/** What tells by numbers which matrices could not be factored: ONNX Runtime refuses those. */
const noFailure = ({ g }: Call, x: Value): Value => emit.full(g, x.shape.slice(0, -2), scalar('int32', 0))

/** `A⁻¹·B`; a `B` of one dimension less than `A` is one column of each. */
const solve: Lower = (c) => {
  const [a, b] = [c.tensor('A'), c.tensor('B')]
  const inverted = inverseOf(c, a)
  if (!c.bool('left')) return emit.matmul(c.g, b, inverted)
  const isColumn =
    b.shape.length === 1 ||
    (b.shape.length === a.shape.length - 1 && b.shape.every((d, i) => dims.same(d, a.shape[i] ?? 1)))
  if (!isColumn) return emit.matmul(c.g, inverted, b)
  const column = emit.unsqueeze(c.g, b, [b.shape.length])
  const y = emit.matmul(c.g, inverted, column)
  return emit.squeeze(c.g, y, [y.shape.length - 1])
}

const signedLogDeterminant: Lower = (c) => {
  const value = determinant(c) as Value // a tensor's determinant is one
  return tuple(c.vm, unary(c.g, 'Sign', value), unary(c.g, 'Log', unary(c.g, 'Abs', value)))
}

/** Norms of matrices that are sums or extremes; the rest would need singular values. */
function matrixNorm(c: Call, x: Value, order: string | number, axes: readonly number[], keep: boolean): Value {
  const [rows = 0, columns = 1] = axes
  if (order === 'fro') return norm(c, x, 2, axes, keep)
  if (typeof order === 'string' || ![1, Number.POSITIVE_INFINITY].includes(Math.abs(order)))
    throw refuse(`aten::${c.name} of order ${order}`, '', 'Use a norm of order 1, inf or fro')
  const [first, second] = Math.abs(order) === 1 ? [rows, columns] : [columns, rows]
  const sums = emit.reduce(c.g, 'ReduceSum', unary(c.g, 'Abs', x), [first], true)
  const top = emit.reduce(c.g, order > 0 ? 'ReduceMax' : 'ReduceMin', sums, [second], true)
  return keep ? top : emit.reshape(c.g, top, emit.reducedShape(x.shape, axes, false))
}

/** A norm of the matrices that two axes span, or of vectors: of all elements where neither order nor axes are given. */
const linalgNorm: Lower = (c) => {
  const given = c.tensor('self')
  const x = emit.cast(c.g, given, c.dtype('dtype') ?? floatType(given.dtype))
  const order = c.py('ord')
  const rank = x.shape.length
  const axes = c.py('dim') === null ? emit.allAxes(x) : rank === 0 ? [] : c.ints('dim').map((a) => emit.axisOf(a, rank))
  if (order === null) return norm(c, x, 2, axes, c.bool('keepdim'))
  const known = typeof order === 'string' ? order : c.float('ord')
  if (axes.length === 2) return matrixNorm(c, x, known, axes, c.bool('keepdim'))
  if (typeof known === 'string') throw refuse(`aten::linalg_norm of order ${known} of vectors`, '', 'Use a number')
  return norm(c, x, known, axes, c.bool('keepdim'))
}

/** The diagonal from `offset` on is true: `[n, m]`. */
export function diagonalMask(g: GraphBuilder, x: Value, offset = 0): Value {
  const [n = 1, m = 1] = x.shape.slice(-2)
  const rows = binary(g, 'Add', emit.iota(g, n, 0, 2), scalar('int64', offset))
  return compare(g, 'Equal', rows, emit.iota(g, m, 1, 2))
}

const fakeQuantize = (c: Call, scale: Value, zeroPoint: Value): Value => {
  const x = c.tensor('self')
  const steps = binary(
    c.g,
    'Add',
    unary(c.g, 'Round', binary(c.g, 'Div', x, scale)),
    emit.cast(c.g, zeroPoint, x.dtype),
  )
  const kept = emit.clip(c.g, steps, like(x, c.int('quant_min')), like(x, c.int('quant_max')))
  return binary(c.g, 'Mul', binary(c.g, 'Sub', kept, emit.cast(c.g, zeroPoint, x.dtype)), scale)
}

/** Powers `n - 1 … 0` of a vector, a column each; the other way round when `increasing`. */
const vander: Lower = (c) => {
  const x = c.tensor('x')
  const rank = x.shape.length
  const n = c.py('N') === null ? c.fixed(x.shape.at(-1) ?? 1) : c.int('N')
  const rises = c.name === 'linalg_vander' || c.bool('increasing')
  const powers = Array.from({ length: n }, (_, i) => (rises ? i : n - 1 - i))
  const dtype = isFloat(x.dtype) ? x.dtype : 'int64'
  return binary(c.g, 'Pow', emit.cast(c.g, emit.unsqueeze(c.g, x, [rank]), dtype), c.g.numbers(dtype, [n], powers))
}

/** Tensors of equal shape, each of at least three dimensions, one behind the other along the third. */
const dstack: Lower = (c) => {
  const deep = c.tensors('tensors').map((x) => {
    const row = x.shape.length === 0 ? emit.reshape(c.g, x, [1]) : x
    const plane = row.shape.length === 1 ? emit.unsqueeze(c.g, row, [0]) : row
    return plane.shape.length === 2 ? emit.unsqueeze(c.g, plane, [2]) : plane
  })
  return emit.concat(c.g, deep, 2)
}

/** Whether all of a tensor of bools are true, as one bool. */
function everyTrue(g: GraphBuilder, x: Value): Value {
  return emit.cast(g, emit.reduce(g, 'ReduceMin', emit.cast(g, x, 'uint8'), emit.allAxes(x)), 'bool')
}

export const specialOps: OpTable = {
  /** A Python bool. Of other sizes, tensors are not equal. */
  equal: (c) => {
    const [a, b] = [c.tensor('self'), c.tensor('other')]
    if (
      a.shape.length !== b.shape.length ||
      a.shape.some((d, i) => c.g.guards.decide(d, '==', b.shape[i] ?? 1) === false)
    )
      return false
    return new RunScalar('bool', everyTrue(c.g, compare(c.g, 'Equal', a, b)))
  },
  /** A Python bool, as `equal` gives one. */
  allclose: (c) => new RunScalar('bool', everyTrue(c.g, isClose(c) as Value)), // which gives a tensor
  _is_all_true: (c) => everyTrue(c.g, c.tensor('self')),
  _is_any_true: (c) => {
    const x = emit.cast(c.g, c.tensor('self'), 'uint8')
    return emit.cast(c.g, emit.reduce(c.g, 'ReduceMax', x, emit.allAxes(x)), 'bool')
  },
  sgn: (c) => sign(c, c.tensor('self')),
  vander,
  linalg_vander: vander,
  dstack,
  erfinv,
  special_erfinv: erfinv,
  sinc,
  special_sinc: sinc,
  signbit: (c) => isNegative(c.g, c.tensor('self')),
  copysign: (c) => {
    const [a, b] = promotedFloats(c, 'self', 'other') as [Value, Value]
    const size = unary(c.g, 'Abs', a)
    return where(c.g, isNegative(c.g, b), unary(c.g, 'Neg', size), size)
  },
  gcd,
  lcm: (c) => {
    const [a, b] = promoted(c, 'self', 'other') as [Value, Value] // two names were given
    const divisor = extreme(c, 'Max', gcd(c) as Value, like(a, 1)) // a tensor; of zeros it is 0
    return unary(c.g, 'Abs', binary(c.g, 'Mul', binary(c.g, 'Div', a, divisor), b))
  },
  angle: (c) => {
    const x = asFloat(c)
    const isNan = emit.not(c.g, compare(c.g, 'Equal', x, x))
    return where(c.g, compare(c.g, 'Less', x, like(x, 0)), like(x, Math.PI), where(c.g, isNan, x, like(x, 0)))
  },
  isreal: (c) => emit.full(c.g, c.tensor('self').shape, scalar('bool', 1)),
  logaddexp2: (c) => {
    const [a, b] = promotedFloats(c, 'self', 'other') as [Value, Value]
    const distance = unary(c.g, 'Neg', unary(c.g, 'Abs', binary(c.g, 'Sub', a, b)))
    const rest = unary(c.g, 'Log', binary(c.g, 'Add', binary(c.g, 'Pow', like(a, 2), distance), like(a, 1)))
    return binary(c.g, 'Add', binary(c.g, 'Max', a, b), binary(c.g, 'Mul', rest, like(a, 1 / Math.LN2)))
  },
  ldexp: (c) => {
    const [a, b] = promotedFloats(c, 'self', 'other') as [Value, Value]
    return binary(c.g, 'Mul', a, binary(c.g, 'Pow', like(a, 2), b))
  },

  cross,
  linalg_cross: cross,
  linalg_norm: linalgNorm,
  linalg_matrix_norm: (c) => {
    const given = c.tensor('self')
    const x = emit.cast(c.g, given, c.dtype('dtype') ?? floatType(given.dtype))
    const order = c.py('ord')
    const axes = c.ints('dim').map((a) => emit.axisOf(a, x.shape.length))
    return matrixNorm(c, x, typeof order === 'string' ? order : c.float('ord'), axes, c.bool('keepdim'))
  },
  matrix_power: matrixPower,
  linalg_matrix_power: matrixPower,
  linalg_inv: inverse,
  linalg_inv_ex: (c) => tuple(c.vm, inverse(c), noFailure(c, c.tensor('A'))),
  linalg_solve: solve,
  linalg_solve_ex: (c) => tuple(c.vm, solve(c), noFailure(c, c.tensor('A'))),
  slogdet: signedLogDeterminant,
  linalg_slogdet: signedLogDeterminant,
  logdet: (c) => unary(c.g, 'Log', determinant(c) as Value), // a tensor's determinant is one
  inverse,
  linalg_det: determinant,
  det: determinant,
  trace: (c) => {
    const given = c.tensor('self')
    const x = isWhole(given) ? emit.cast(c.g, given, 'int64') : given
    return sumOf(c, where(c.g, diagonalMask(c.g, x), x, like(x, 0)), [0, 1], false)
  },
  fill_diagonal_: (c) => {
    const x = c.tensor('self')
    if (x.shape.length !== 2 || c.bool('wrap')) throw refuse('aten::fill_diagonal_ of other than a matrix')
    c.vm.write(
      c.ref('self'),
      where(c.g, diagonalMask(c.g, x), emit.cast(c.g, c.operand('fill_value').value, x.dtype), x),
    )
    return c.py('self')
  },
  diagonal_scatter: (c) => {
    const given = c.tensor('self')
    const rank = given.shape.length
    const offset = c.int('offset')
    const source = emit.cast(c.g, c.tensor('src'), given.dtype)
    const [a, b] = [c.axis('dim1', rank), c.axis('dim2', rank)]
    const perm = [...emit.allAxes(given).filter((i) => i !== a && i !== b), a, b]
    const x = emit.transpose(c.g, given, perm)
    // Row r holds element r - max(0, -offset) of the diagonal: take it from a column as long as the matrix is high.
    const above = Math.max(0, -offset)
    const n = x.shape.at(-2) ?? 1
    const lead = new Array<number>(rank - 2).fill(0)
    const behind = dims.sub(dims.sub(n, above), source.shape.at(-1) ?? 1)
    const column = emit.pad(c.g, source, [...lead, above], [...lead, behind])
    const y = where(c.g, diagonalMask(c.g, x, offset), emit.unsqueeze(c.g, column, [rank - 1]), x)
    return emit.transpose(c.g, y, emit.inverse(perm))
  },

  fake_quantize_per_tensor_affine: (c) => {
    const dtype = c.tensor('self').dtype
    const number = (name: string) => emit.cast(c.g, emit.reshape(c.g, c.operand(name).value, []), dtype)
    return fakeQuantize(c, number('scale'), number('zero_point'))
  },
  fake_quantize_per_channel_affine: (c) => {
    const x = c.tensor('self')
    const axis = c.axis('axis', x.shape.length)
    const along = (name: string) =>
      emit.reshape(
        c.g,
        c.tensor(name),
        x.shape.map((d, i) => (i === axis ? d : 1)),
      )
    return fakeQuantize(c, emit.cast(c.g, along('scale'), x.dtype), along('zero_point'))
  },
}
