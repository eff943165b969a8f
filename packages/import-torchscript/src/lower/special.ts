import { dims, emit, type GraphBuilder, isFloat, refuse, scalar, type Value } from '@eas/onnx'
import type { Call, Lower, OpTable } from '../call.ts'
import { RunScalar } from '../values.ts'
import { asFloat, like, promoted, promotedFloats } from './helpers.ts'
import { norm } from './reduce.ts'

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
  return y
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

const cross: Lower = (c) => {
  const [a, b] = promoted(c, 'self', 'other') as [Value, Value]
  const dim = c.py('dim') === null ? a.shape.indexOf(3) : c.axis('dim', a.shape.length)
  const turned = (x: Value, by: number): Value => {
    const parts = [0, 1, 2].map((i) => emit.slice(c.g, x, dim, (i + by) % 3, ((i + by) % 3) + 1))
    return emit.concat(c.g, parts, dim)
  }
  const product = (x: Value, y: Value) => binary(c.g, 'Mul', x, y)
  return binary(c.g, 'Sub', product(turned(a, 1), turned(b, 2)), product(turned(a, 2), turned(b, 1)))
}

/** Euclid's algorithm runs as long as the data say; 40 steps are enough for numbers below 2^27. */
const gcd: Lower = (c) => {
  let [a, b] = promoted(c, 'self', 'other').map((x) => unary(c.g, 'Abs', x)) as [Value, Value]
  const zero = like(a, 0)
  for (let step = 0; step < 40; step++) {
    const done = compare(c.g, 'Equal', b, zero)
    const rest = binary(c.g, 'Mod', a, where(c.g, done, like(b, 1), b))
    ;[a, b] = [where(c.g, done, a, b), where(c.g, done, zero, rest)]
  }
  return a
}

const matrixPower: Lower = (c) => {
  const x = c.tensor('self')
  const n = c.int('n')
  if (n < 1) throw refuse(`aten::matrix_power of exponent ${n}`)
  let result: Value | undefined
  let square = x
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result ? emit.matmul(c.g, result, square) : square
    if (rest > 1) square = emit.matmul(c.g, square, square)
  }
  return result ?? x
}

const inverse: Lower = (c) => {
  const x = c.tensor(c.has('self') ? 'self' : 'A')
  return c.g.one('Inverse', [x], x.dtype, x.shape, {}, 'com.microsoft')
}

const determinant: Lower = (c) => {
  const x = c.tensor(c.has('self') ? 'self' : 'A')
  return c.g.one('Det', [x], x.dtype, x.shape.slice(0, -2))
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
  const n = c.py('N') === null ? c.fixed(x.shape[0] ?? 1) : c.int('N')
  const powers = Array.from({ length: n }, (_, i) => (c.bool('increasing') ? i : n - 1 - i))
  const row: Value = { dtype: x.dtype, shape: [1, n], elements: powers }
  return binary(c.g, 'Pow', emit.unsqueeze(c.g, x, [1]), row)
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

export const specialOps: OpTable = {
  /** A Python bool. Of other sizes, tensors are not equal. */
  equal: (c) => {
    const [a, b] = [c.tensor('self'), c.tensor('other')]
    if (a.shape.length !== b.shape.length || a.shape.some((d, i) => c.g.guards.decide(d, '==', b.shape[i] ?? 1) === false)) return false
    const same = emit.cast(c.g, compare(c.g, 'Equal', a, b), 'uint8')
    return new RunScalar('bool', emit.cast(c.g, emit.reduce(c.g, 'ReduceMin', same, emit.allAxes(a)), 'bool'))
  },
  sgn: (c) => unary(c.g, 'Sign', c.tensor('self')),
  vander,
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
  linalg_norm: (c) => {
    const x = asFloat(c)
    const isMatrix = c.py('dim') === null ? x.shape.length === 2 && c.py('ord') !== null : c.ints('dim').length === 2
    const order = c.py('ord')
    if (isMatrix && order !== null && order !== 'fro') throw refuse('aten::linalg_norm of a matrix by this order')
    return norm(
      c,
      x,
      order === null || order === 'fro' ? 2 : c.float('ord'),
      c.axes('dim', x.shape.length),
      c.bool('keepdim'),
    )
  },
  linalg_matrix_norm: (c) => {
    const x = asFloat(c)
    if (c.overload !== 'str_ord' || c.string('ord') !== 'fro') throw refuse('aten::linalg_matrix_norm by this order')
    return norm(c, x, 2, c.axes('dim', x.shape.length), c.bool('keepdim'))
  },
  matrix_power: matrixPower,
  linalg_matrix_power: matrixPower,
  linalg_inv: inverse,
  inverse,
  linalg_det: determinant,
  det: determinant,
  trace: (c) => {
    const x = c.tensor('self')
    return emit.reduce(c.g, 'ReduceSum', where(c.g, diagonalMask(c.g, x), x, like(x, 0)), [0, 1])
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
    const x = c.tensor('self')
    const offset = c.int('offset')
    const source = emit.cast(c.g, c.tensor('src'), x.dtype)
    const [first, second] = [c.axis('dim1', x.shape.length), c.axis('dim2', x.shape.length)]
    if (x.shape.length !== 2 || first !== 0 || second !== 1)
      throw refuse('aten::diagonal_scatter of other than a matrix')
    // Row r holds element r - max(0, -offset) of the diagonal: take it from a column as long as the matrix is high.
    const above = Math.max(0, -offset)
    const [n = 1] = x.shape
    const column = emit.pad(c.g, source, [above], [dims.sub(dims.sub(n, above), source.shape[0] ?? 1)])
    return where(c.g, diagonalMask(c.g, x, offset), emit.unsqueeze(c.g, column, [1]), x)
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
