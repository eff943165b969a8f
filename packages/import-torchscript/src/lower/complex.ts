import { type Dim, dims, emit, type GraphBuilder, isComplex, refuse, scalar, type Value } from '@eas/onnx'
import type { Call, Lower, OpTable } from '../call.ts'
import { TensorRef } from '../tensor-ref.ts'
import { advice, complexFull, complexOf, joined, pairOf, partsOf } from './complex-pair.ts'
import { complexPartOps } from './complex-parts.ts'
import { elementwiseOps } from './elementwise.ts'
import { like } from './helpers.ts'
import { einsumOf } from './linear.ts'
import { reduceOps } from './reduce.ts'
import { specialOps } from './special.ts'
import { inferred, spliced } from './views.ts'

/** Arithmetic, views and reductions of complex tensors, as pairs of floats. */

const { binary, select, unary } = emit

/** Real and imaginary part; what is real has no other. */
type Parts = readonly [Value, Value | undefined]

/** Both operands as floats of one type. */
function operands(c: Call): readonly [Parts, Parts] {
  const both = [c.operand('self'), c.operand('other')]
  // One without dimensions widens none that has some.
  const counting = both.some(({ value }) => value.shape.length > 0)
    ? both.filter((o) => o.value.shape.length > 0)
    : both
  const isWide = counting.some(({ value, isNumber }) => !isNumber && ['complex128', 'float64'].includes(value.dtype))
  const cast = (x: Value): Value => emit.cast(c.g, x, isWide ? 'float64' : 'float32')
  const [a, b] = both.map(({ value }): Parts => {
    if (!isComplex(value.dtype)) return [cast(value), undefined]
    const [real, imaginary] = partsOf(c.g, pairOf(value))
    return [cast(real), cast(imaginary)]
  }) as [Parts, Parts] // two in, two out
  return [a, b]
}

const sum =
  (op: 'Add' | 'Sub', isReversed = false): Lower =>
  (c) => {
    const alpha = c.has('alpha') ? (c.optionalFloat('alpha') ?? 1) : 1
    const [first, second] = operands(c)
    const [[a, b], [p, q]] = isReversed ? [second, first] : [first, second]
    const scaled = (x: Value): Value => (alpha === 1 ? x : binary(c.g, 'Mul', x, like(x, alpha)))
    const zero = like(a, 0)
    return joined(
      c.g,
      binary(c.g, op, a, scaled(p)),
      q ? binary(c.g, op, b ?? zero, scaled(q)) : binary(c.g, 'Add', b ?? zero, zero),
    )
  }

const product: Lower = (c) => {
  const { g } = c
  const [[a, b], [p, q]] = operands(c)
  const times = (x: Value, y: Value): Value => binary(g, 'Mul', x, y)
  if (!b) return joined(c.g, times(a, p), times(a, q ?? like(a, 0)))
  if (!q) return joined(c.g, times(a, p), times(b, p))
  return joined(c.g, binary(g, 'Sub', times(a, p), times(b, q)), binary(g, 'Add', times(a, q), times(b, p)))
}

const quotient: Lower = (c) => {
  const { g } = c
  const [[a, b], [p, q]] = operands(c)
  const [times, by] = [(x: Value, y: Value) => binary(g, 'Mul', x, y), (x: Value, y: Value) => binary(g, 'Div', x, y)]
  const imaginary = b ?? like(a, 0)
  if (!q) return joined(c.g, by(a, p), by(imaginary, p))
  const size = binary(g, 'Add', times(p, p), times(q, q))
  return joined(
    c.g,
    by(binary(g, 'Add', times(a, p), times(imaginary, q)), size),
    by(binary(g, 'Sub', times(imaginary, p), times(a, q)), size),
  )
}

/** What torch makes a view, or does with `back` what is written to one: it follows its base. */
function viewed(c: Call, forward: (base: Value) => Value, back?: (base: Value, written: Value) => Value): TensorRef {
  return c.view(forward(c.tensor('self')), forward, back)
}

/** What torch makes a view or a copy, by how the elements lie: neither it nor what it is of may change any more. */
function viewOrCopy(c: Call, value: Value): TensorRef {
  const changed = (): Value => {
    throw refuse(`an in-place update of complex numbers around aten::${c.name}`)
  }
  return c.view(value, changed)
}

/** A view of the pair that leaves its last axis alone. */
const pairView =
  (
    forward: (c: Call, rank: number) => (pair: Value) => Value,
    back?: (c: Call, rank: number) => (base: Value, written: Value) => Value,
  ): Lower =>
  (c) => {
    const rank = c.ref('self').shape.length
    const [follow, put] = [forward(c, rank), back?.(c, rank)]
    return viewed(
      c,
      (base) => complexOf(follow(pairOf(base))),
      put && ((base, written) => complexOf(put(pairOf(base), pairOf(written)))),
    )
  }

/** A change of the pair that leaves its last axis alone. */
const onPair =
  (change: (g: GraphBuilder, pair: Value, c: Call, rank: number) => Value): Lower =>
  (c) => {
    const pair = pairOf(c.tensor('self'))
    return complexOf(change(c.g, pair, c, pair.shape.length - 1))
  }

const reshaped =
  (sizes: (c: Call, x: Value) => readonly Dim[]): Lower =>
  (c) => {
    const x = c.tensor('self')
    const shape = sizes(c, x)
    const reshape = (base: Value): Value => complexOf(emit.reshape(c.g, pairOf(base), [...shape, 2]))
    if (dims.sameShape(shape, x.shape)) return viewed(c, reshape, (_, written) => written)
    return viewOrCopy(c, reshape(x))
  }

const permuted = (order: (c: Call, rank: number) => readonly number[]): Lower =>
  pairView(
    (c, rank) => {
      const perm = [...order(c, rank), rank]
      return (pair) => emit.transpose(c.g, pair, perm)
    },
    (c, rank) => {
      const perm = emit.inverse([...order(c, rank), rank])
      return (_, y) => emit.transpose(c.g, y, perm)
    },
  )

/** What is written to a view of the same elements in the same order is reshaped as its base is. */
const reshapedBack =
  (c: Call) =>
  (base: Value, y: Value): Value =>
    emit.reshape(c.g, y, base.shape)

const conjugated = (g: GraphBuilder, pair: Value): Value => binary(g, 'Mul', pair, g.numbers(pair.dtype, [2], [1, -1]))
/** Torch notes only that the numbers are to be read so. */
const conjugate = pairView(
  (c) => (pair) => conjugated(c.g, pair),
  (c) => (_, y) => conjugated(c.g, y),
)
const itself: Lower = (c) => c.ref('self')

const flattened = (c: Call, x: Value): Dim[] => {
  const rank = x.shape.length
  const [start, end] = [emit.axisOf(c.int('start_dim'), rank), emit.axisOf(c.int('end_dim'), rank)]
  return [...x.shape.slice(0, start), dims.product(x.shape.slice(start, end + 1)), ...x.shape.slice(end + 1)]
}

interface Range {
  readonly axis: number
  readonly start: Dim
  readonly end: Dim
  readonly step: number
}

function rangeOf(c: Call, rank: number): Range {
  const axis = c.axis('dim', rank)
  const size = c.ref('self').shape[axis] ?? 1
  const [from, to] = [c.optionalDim('start') ?? 0, c.optionalDim('end') ?? emit.sliceToEnd]
  const [start, end] = emit.clampSlice(c.g, size, from, to)
  return { axis, start, end, step: c.int('step') }
}

function indexOf(c: Call, rank: number): Range {
  const axis = c.axis('dim', rank)
  const at = c.dim('index')
  const start = typeof at === 'number' && at < 0 ? dims.add(c.ref('self').shape[axis] ?? 1, at) : at
  return { axis, start, end: dims.add(start, 1), step: 1 }
}

const sliced = pairView(
  (c, rank) => {
    const { axis, start, end, step } = rangeOf(c, rank)
    return (pair) => emit.slice(c.g, pair, axis, start, end, step)
  },
  (c, rank) => {
    const { axis, start, end, step } = rangeOf(c, rank)
    return (base, y) => spliced(c.g, base, y, axis, start, end, step)
  },
)

const selected = pairView(
  (c, rank) => {
    const { axis, start } = indexOf(c, rank)
    return (pair) => select(c.g, pair, axis, start)
  },
  (c, rank) => {
    const { axis, start, end } = indexOf(c, rank)
    return (base, y) => spliced(c.g, base, emit.unsqueeze(c.g, y, [axis]), axis, start, end, 1)
  },
)

const expanded = pairView((c, rank) => {
  const sizes = c.dims('size')
  const own = c.ref('self').shape
  const shape = sizes.map((d, i) => (d === -1 ? (own[i - sizes.length + rank] ?? 1) : d))
  return (pair) =>
    emit.expand(c.g, emit.reshape(c.g, pair, [...shape.slice(rank).map(() => 1), ...pair.shape]), [...shape, 2])
})

const squeezed = pairView((c, rank) => {
  const { shape } = c.ref('self')
  const wanted = c.has('dim') ? c.ints('dim').map((a) => emit.axisOf(a, rank)) : shape.map((_, i) => i)
  const axes = wanted.filter((a) => c.g.guards.decide(shape[a] ?? 0, '==', 1) === true)
  return (pair) => emit.squeeze(c.g, pair, axes)
}, reshapedBack)

/** A part of a complex tensor as the view that torch makes of it. */
const part =
  (which: 0 | 1): Lower =>
  (c) =>
    viewed(
      c,
      (base) => partsOf(c.g, pairOf(base))[which],
      (base, written) => {
        const [real, imaginary] = partsOf(c.g, pairOf(base))
        return which === 0 ? joined(c.g, written, imaginary) : joined(c.g, real, written)
      },
    )

const filledLike =
  (number: number): Lower =>
  (c) => {
    const { dtype, shape } = c.tensor('self')
    const wanted = c.dtype('dtype') ?? dtype
    const sizes = c.has('size') ? c.dims('size') : shape
    return isComplex(wanted) ? complexFull(c.g, sizes, number, wanted) : emit.full(c.g, sizes, scalar(wanted, number))
  }

const copyInto: Lower = (c) => {
  const self = c.ref('self')
  const source = c.tensor('src')
  if (!isComplex(self.dtype)) throw refuse('aten::copy_ of complex numbers into real ones', '', advice)
  const isWide = self.dtype === 'complex128'
  const [real, imaginary] = isComplex(source.dtype) ? partsOf(c.g, pairOf(source)) : [source, undefined]
  const cast = (x: Value): Value => emit.expand(c.g, emit.cast(c.g, x, isWide ? 'float64' : 'float32'), self.shape)
  const first = cast(real)
  c.vm.write(self, joined(c.g, first, imaginary ? cast(imaginary) : emit.full(c.g, self.shape, like(first, 0))))
  return self
}

const exponential: Lower = (c) => {
  const [real, imaginary] = partsOf(c.g, pairOf(c.tensor('self')))
  const size = unary(c.g, 'Exp', real)
  const along = (op: 'Cos' | 'Sin'): Value => binary(c.g, 'Mul', size, unary(c.g, op, imaginary))
  return joined(c.g, along('Cos'), along('Sin'))
}

/** A power by its size and angle; the square exactly. */
const power: Lower = (c) => {
  if (c.py('exponent') instanceof TensorRef || !isComplex(c.operand('self').value.dtype))
    throw refuse('a power of complex numbers by a tensor', '', 'Raise them to numbers')
  const exponent = c.float('exponent')
  return exponent === 2 ? squared(c) : polarPower(c, exponent)
}

function polarPower(c: Call, exponent: number): Value {
  const { g } = c
  const [size, angle] = polarOf(c)
  const [scaled, turned] = [
    binary(g, 'Pow', size, like(size, exponent)),
    binary(g, 'Mul', angle, like(angle, exponent)),
  ]
  return joined(g, binary(g, 'Mul', scaled, unary(g, 'Cos', turned)), binary(g, 'Mul', scaled, unary(g, 'Sin', turned)))
}

/** Size and angle of each number. */
function polarOf(c: Call): [Value, Value] {
  const pair = pairOf(c.tensor('self'))
  const [real, imaginary] = partsOf(c.g, pair)
  return [emit.reduce(c.g, 'ReduceL2', pair, [pair.shape.length - 1]), arcTangent(c, imaginary, real)]
}

/** A function by the products of functions of both parts. */
const ofParts =
  (real: readonly [string, string], imaginary: readonly [string, string], sign = 1): Lower =>
  (c) => {
    const { g } = c
    const [a, b] = partsOf(g, pairOf(c.tensor('self')))
    const product = ([f, h]: readonly [string, string]): Value => binary(g, 'Mul', unary(g, f, a), unary(g, h, b))
    const last = product(imaginary)
    return joined(g, product(real), sign < 0 ? unary(g, 'Neg', last) : last)
  }

/** Each number over its size, squared or not; of nothing, nothing. */
const overSize =
  (isReciprocal: boolean): Lower =>
  (c) => {
    const { g } = c
    const pair = pairOf(c.tensor('self'))
    const size = emit.reduce(g, isReciprocal ? 'ReduceSumSquare' : 'ReduceL2', pair, [pair.shape.length - 1], true)
    const by = isReciprocal ? size : emit.where(g, emit.compare(g, 'Equal', size, like(size, 0)), like(size, 1), size)
    return complexOf(binary(g, 'Div', isReciprocal ? conjugated(g, pair) : pair, by))
  }

const equality =
  (isEqual: boolean): Lower =>
  (c) => {
    const { g } = c
    const [[a, b], [p, q]] = operands(c)
    const same = (x: Value, y: Value): Value => emit.compare(g, 'Equal', x, y)
    const both = emit.compare(g, 'And', same(a, p), same(b ?? like(a, 0), q ?? like(p, 0)))
    return isEqual ? both : emit.not(g, both)
  }

/** What real tensors have, of the sizes of complex numbers. */
const ofSizes =
  (lower: Lower | undefined): Lower =>
  (c) => {
    if (!lower) throw refuse(`complex numbers in aten::${c.name}`, '', advice)
    const sized = (x: Value): Value => {
      const pair = pairOf(x)
      return emit.reduce(c.g, 'ReduceL2', pair, [pair.shape.length - 1])
    }
    return lower(
      c.mapped((v) => (v instanceof TensorRef && isComplex(v.dtype) ? new TensorRef(sized(c.vm.read(v))) : v)),
    )
  }

const squared: Lower = (c) => {
  const [a, b] = partsOf(c.g, pairOf(c.tensor('self')))
  const times = (x: Value, y: Value): Value => binary(c.g, 'Mul', x, y)
  const cross = times(a, b)
  return joined(c.g, binary(c.g, 'Sub', times(a, a), times(b, b)), binary(c.g, 'Add', cross, cross))
}

const unbound: Lower = (c) => {
  const x = c.tensor('self')
  const axis = c.axis('dim', x.shape.length)
  return Array.from({ length: c.fixed(x.shape[axis] ?? 1) }, (_, i) =>
    viewed(
      c,
      (base) => complexOf(select(c.g, pairOf(base), axis, i)),
      (base, written) => {
        const row = emit.unsqueeze(c.g, pairOf(written), [axis])
        return complexOf(spliced(c.g, pairOf(base), row, axis, i, i + 1, 1))
      },
    ),
  )
}

/** A product that is linear in both operands, of the products of their parts. */
function bilinear(c: Call, [x, y]: readonly Value[], multiply: (a: Value, b: Value) => Value): Value {
  if (!x || !y) throw refuse(`aten::${c.name} of complex numbers that are not two tensors`)
  const split = (v: Value): Parts => (isComplex(v.dtype) ? partsOf(c.g, pairOf(v)) : [v, undefined])
  const [[a, b], [p, q]] = [split(x), split(y)]
  if (!b) return joined(c.g, multiply(a, p), multiply(a, q ?? like(p, 0)))
  if (!q) return joined(c.g, multiply(a, p), multiply(b, p))
  return joined(
    c.g,
    binary(c.g, 'Sub', multiply(a, p), multiply(b, q)),
    binary(c.g, 'Add', multiply(a, q), multiply(b, p)),
  )
}

const matrixProduct =
  (other: string): Lower =>
  (c) =>
    bilinear(c, [c.tensor('self'), c.tensor(other)], (a, b) => emit.matmul(c.g, a, b))

/** Pairs of a list, side by side. */
const listed =
  (join: (c: Call, values: readonly Value[], rank: number) => Value): Lower =>
  (c) => {
    const values = c.tensors('tensors').map((x) => pairOf(x))
    return complexOf(join(c, values, (values[0]?.shape.length ?? 1) - 1))
  }

/** Operators that take complex tensors, by the names they have for real ones. */
export const complexLowerings: OpTable = {
  view_as_real: (c) => viewed(c, pairOf, (_, written) => complexOf(written)),
  real: part(0),
  imag: part(1),
  abs: (c) => {
    const pair = pairOf(c.tensor('self'))
    return emit.reduce(c.g, 'ReduceL2', pair, [pair.shape.length - 1])
  },
  angle: (c) => polarOf(c)[1],
  log: (c) => {
    const [size, angle] = polarOf(c)
    return joined(c.g, unary(c.g, 'Log', size), angle)
  },
  sqrt: (c) => polarPower(c, 0.5),
  rsqrt: (c) => polarPower(c, -0.5),
  sin: ofParts(['Sin', 'Cosh'], ['Cos', 'Sinh']),
  cos: ofParts(['Cos', 'Cosh'], ['Sin', 'Sinh'], -1),
  sinh: ofParts(['Sinh', 'Cos'], ['Cosh', 'Sin']),
  cosh: ofParts(['Cosh', 'Cos'], ['Sinh', 'Sin']),
  reciprocal: overSize(true),
  sgn: overSize(false),
  eq: equality(true),
  ne: equality(false),
  norm: ofSizes(reduceOps.norm),
  linalg_vector_norm: ofSizes(reduceOps.linalg_vector_norm),
  linalg_norm: ofSizes(specialOps.linalg_norm),
  isnan: ofSizes(elementwiseOps.isnan),
  isinf: ofSizes(elementwiseOps.isinf),
  isfinite: ofSizes(elementwiseOps.isfinite),
  ...complexPartOps,
  conj: conjugate,
  _conj: conjugate,
  conj_physical: onPair((g, pair) => conjugated(g, pair)),
  resolve_conj: itself,
  resolve_neg: itself,
  contiguous: (c) => viewOrCopy(c, c.tensor('self')),
  detach: itself,
  clone: (c) => c.tensor('self'),
  copy_: copyInto,
  to: (c) => {
    const dtype = c.has('other') ? c.tensor('other').dtype : c.has('dtype') ? c.dtype('dtype') : undefined
    const pair = pairOf(c.tensor('self'))
    if (dtype === undefined || dtype === c.tensor('self').dtype) return c.ref('self')
    if (isComplex(dtype)) return complexOf(emit.cast(c.g, pair, dtype === 'complex128' ? 'float64' : 'float32'))
    return emit.cast(c.g, partsOf(c.g, pair)[0], dtype)
  },
  zeros_like: filledLike(0),
  ones_like: filledLike(1),
  empty_like: filledLike(0),
  new_zeros: filledLike(0),
  new_ones: filledLike(1),
  new_empty: filledLike(0),
  add: sum('Add'),
  sub: sum('Sub'),
  subtract: sum('Sub'),
  rsub: sum('Sub', true),
  mul: product,
  multiply: product,
  div: quotient,
  divide: quotient,
  true_divide: quotient,
  exp: exponential,
  pow: power,
  square: squared,
  neg: onPair((g, pair) => unary(g, 'Neg', pair)),
  sum: onPair((g, pair, c, rank) => emit.reduce(g, 'ReduceSum', pair, axesOf(c, rank), keeps(c))),
  mean: onPair((g, pair, c, rank) => emit.reduce(g, 'ReduceMean', pair, axesOf(c, rank), keeps(c))),
  matmul: matrixProduct('other'),
  mm: matrixProduct('mat2'),
  bmm: matrixProduct('mat2'),
  einsum: (c) => bilinear(c, c.tensors('tensors'), (a, b) => einsumOf(c, [a, b])),

  view: pairView((c) => {
    const sizes = inferred(c.tensor('self'), c.dims('size'))
    return (pair) => emit.reshape(c.g, pair, [...sizes, 2])
  }, reshapedBack),
  reshape: reshaped((c, x) => inferred(x, c.dims('shape'))),
  flatten: reshaped(flattened),
  unsqueeze: pairView((c, rank) => {
    const axis = emit.axisOf(c.int('dim'), rank + 1)
    return (pair) => emit.unsqueeze(c.g, pair, [axis])
  }, reshapedBack),
  squeeze: squeezed,
  expand: expanded,
  permute: permuted((c, rank) => c.ints('dims').map((a) => emit.axisOf(a, rank))),
  transpose: permuted((c, rank) => emit.swapped(rank, c.axis('dim0', rank), c.axis('dim1', rank))),
  slice: sliced,
  select: selected,
  unbind: unbound,
  index_select: onPair((g, pair, c, rank) =>
    emit.gather(g, pair, emit.toIndex(g, emit.flat(g, c.tensor('index'))), c.axis('dim', rank)),
  ),
  cat: listed((c, values, rank) => emit.concat(c.g, values, c.axis('dim', rank))),
  stack: listed((c, values, rank) => {
    const axis = emit.axisOf(c.int('dim'), rank + 1)
    return emit.concat(
      c.g,
      values.map((v) => emit.unsqueeze(c.g, v, [axis])),
      axis,
    )
  }),
}

/** The angle of `(x, y)`; of the origin it is 0. */
function arcTangent({ g }: Call, y: Value, x: Value): Value {
  const zero = like(x, 0)
  const isLeft = emit.compare(g, 'Less', x, zero)
  const isBelow = emit.compare(g, 'Less', y, zero)
  const half = emit.where(g, isBelow, like(x, -Math.PI), like(x, Math.PI))
  const isUpright = emit.compare(g, 'Equal', x, zero)
  const slope = unary(g, 'Atan', binary(g, 'Div', y, emit.where(g, isUpright, like(x, 1), x)))
  const turned = emit.where(g, isLeft, binary(g, 'Add', slope, half), slope)
  const quarter = binary(g, 'Mul', unary(g, 'Sign', y), like(x, Math.PI / 2))
  return emit.where(g, isUpright, quarter, turned)
}

const axesOf = (c: Call, rank: number): number[] =>
  c.has('dim') ? c.axes('dim', rank) : Array.from({ length: rank }, (_, i) => i)
const keeps = (c: Call): boolean => c.has('keepdim') && c.bool('keepdim')

const realOnly: Lower = (c) => {
  throw refuse(`aten::${c.name} of a tensor that is not complex`, '', 'Leave it out')
}

/** Operators that make complex tensors of real ones. */
export const complexOps: OpTable = {
  view_as_complex: (c) =>
    viewed(
      c,
      (base) => complexOf(base),
      (_, written) => pairOf(written),
    ),
  complex: (c) => joined(c.g, c.tensor('real'), c.tensor('imag')),
  polar: (c) => {
    const [size, angle] = [c.tensor('abs'), c.tensor('angle')]
    const part = (op: 'Cos' | 'Sin'): Value => binary(c.g, 'Mul', size, unary(c.g, op, angle))
    return joined(c.g, part('Cos'), part('Sin'))
  },
  view_as_real: realOnly,
  _conj: itself,
  imag: realOnly,
}
