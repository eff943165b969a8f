import { type Dim, dims, emit, type GraphBuilder, isComplex, refuse, type Value } from '@eas/onnx'
import type { Call, Lower, OpTable } from '../call.ts'
import { asFloat, like } from './helpers.ts'
import { inferred } from './views.ts'

/**
 * Complex tensors, of which ONNX Runtime has none: a value of a complex type stands for a pair, a tensor of floats with a
 * last axis of two, the real part and the imaginary. Torch: aten/src/ATen/native/ComplexHelper.h (2.4).
 */

const { binary, select, unary } = emit

/** No node gives a complex value: this is what it stands for. */
const pairs = new WeakMap<Value, Value>()

/** The complex tensor that a pair, `[…, 2]`, stands for. */
export function complexOf(pair: Value): Value {
  const value: Value = {
    dtype: pair.dtype === 'float64' ? 'complex128' : 'complex64',
    shape: pair.shape.slice(0, -1),
  }
  pairs.set(value, pair)
  return value
}

/** The pair, `[…, 2]`, that a complex tensor stands for; a constant lies in memory as one. */
export function pairOf(x: Value): Value {
  const known = pairs.get(x)
  if (known) return known
  if (!x.content || !isComplex(x.dtype)) throw refuse('a complex tensor from outside', '', advice)
  const pair: Value = {
    dtype: x.dtype === 'complex128' ? 'float64' : 'float32',
    shape: [...x.shape, 2],
    content: x.content,
  }
  pairs.set(x, pair)
  return pair
}

const advice = 'Give and take real and imaginary parts: view_as_real, view_as_complex'

/** Real and imaginary part. */
function partsOf({ g }: Call, pair: Value): [Value, Value] {
  const last = pair.shape.length - 1
  return [select(g, pair, last, 0), select(g, pair, last, 1)]
}

/** Two parts as a complex tensor, broadcast against each other. */
export function joined({ g }: Call, real: Value, imaginary: Value): Value {
  const shape = emit.broadcastShapes(g, real.shape, imaginary.shape)
  const columns = [real, imaginary].map((x) => emit.unsqueeze(g, emit.expand(g, x, shape), [shape.length]))
  return complexOf(emit.concat(g, columns, shape.length))
}

/** Real and imaginary part; what is real has no other. */
type Parts = readonly [Value, Value | undefined]

/** Both operands as floats of one type. */
function operands(c: Call): readonly [Parts, Parts] {
  const both = [c.operand('self'), c.operand('other')]
  const isWide = both.some(({ value, isNumber }) => !isNumber && ['complex128', 'float64'].includes(value.dtype))
  const cast = (x: Value): Value => emit.cast(c.g, x, isWide ? 'float64' : 'float32')
  const [a, b] = both.map(({ value }): Parts => {
    if (!isComplex(value.dtype)) return [cast(value), undefined]
    const [real, imaginary] = partsOf(c, pairOf(value))
    return [cast(real), cast(imaginary)]
  }) as [Parts, Parts] // two in, two out
  return [a, b]
}

const sum =
  (op: 'Add' | 'Sub'): Lower =>
  (c) => {
    const alpha = c.has('alpha') ? (c.optionalFloat('alpha') ?? 1) : 1
    const [[a, b], [p, q]] = operands(c)
    const scaled = (x: Value): Value => (alpha === 1 ? x : binary(c.g, 'Mul', x, like(x, alpha)))
    const zero = like(a, 0)
    return joined(
      c,
      binary(c.g, op, a, scaled(p)),
      q ? binary(c.g, op, b ?? zero, scaled(q)) : binary(c.g, 'Add', b ?? zero, zero),
    )
  }

const product: Lower = (c) => {
  const { g } = c
  const [[a, b], [p, q]] = operands(c)
  const times = (x: Value, y: Value): Value => binary(g, 'Mul', x, y)
  if (!b) return joined(c, times(a, p), times(a, q ?? like(a, 0)))
  if (!q) return joined(c, times(a, p), times(b, p))
  return joined(c, binary(g, 'Sub', times(a, p), times(b, q)), binary(g, 'Add', times(a, q), times(b, p)))
}

const quotient: Lower = (c) => {
  const { g } = c
  const [[a, b], [p, q]] = operands(c)
  const [times, by] = [(x: Value, y: Value) => binary(g, 'Mul', x, y), (x: Value, y: Value) => binary(g, 'Div', x, y)]
  const imaginary = b ?? like(a, 0)
  if (!q) return joined(c, by(a, p), by(imaginary, p))
  const size = binary(g, 'Add', times(p, p), times(q, q))
  return joined(
    c,
    by(binary(g, 'Add', times(a, p), times(imaginary, q)), size),
    by(binary(g, 'Sub', times(imaginary, p), times(a, q)), size),
  )
}

/** A change of the pair that leaves its last axis alone. */
const onPair =
  (change: (g: GraphBuilder, pair: Value, c: Call, rank: number) => Value): Lower =>
  (c) => {
    const pair = pairOf(c.tensor('self'))
    return complexOf(change(c.g, pair, c, pair.shape.length - 1))
  }

const reshaped = (sizes: (c: Call, x: Value) => readonly Dim[]): Lower =>
  onPair((g, pair, c) => emit.reshape(g, pair, [...sizes(c, c.tensor('self')), 2]))

const permuted = (order: (c: Call, rank: number) => readonly number[]): Lower =>
  onPair((g, pair, c, rank) => emit.transpose(g, pair, [...order(c, rank), rank]))

const conjugate = onPair((g, pair) => binary(g, 'Mul', pair, g.numbers(pair.dtype, [2], [1, -1])))
const itself: Lower = (c) => c.ref('self')

const flattened = (c: Call, x: Value): Dim[] => {
  const rank = x.shape.length
  const [start, end] = [emit.axisOf(c.int('start_dim'), rank), emit.axisOf(c.int('end_dim'), rank)]
  return [...x.shape.slice(0, start), dims.product(x.shape.slice(start, end + 1)), ...x.shape.slice(end + 1)]
}

const sliced = onPair((g, pair, c, rank) => {
  const axis = c.axis('dim', rank)
  const [start, end] = emit.clampSlice(
    g,
    pair.shape[axis] ?? 1,
    c.optionalDim('start') ?? 0,
    c.optionalDim('end') ?? emit.sliceToEnd,
  )
  return emit.slice(g, pair, axis, start, end, c.int('step'))
})

const expanded = onPair((g, pair, c, rank) => {
  const sizes = c.dims('size')
  const shape = sizes.map((d, i) => (d === -1 ? (pair.shape[i - sizes.length + rank] ?? 1) : d))
  return emit.expand(g, emit.reshape(g, pair, [...shape.slice(rank).map(() => 1), ...pair.shape]), [...shape, 2])
})

/** Pairs of a list, side by side. */
const listed =
  (join: (c: Call, values: readonly Value[], rank: number) => Value): Lower =>
  (c) => {
    const values = c.tensors('tensors').map((x) => pairOf(x))
    return complexOf(join(c, values, (values[0]?.shape.length ?? 1) - 1))
  }

/** Operators that take complex tensors, by the names they have for real ones. */
export const complexLowerings: OpTable = {
  view_as_real: (c) => pairOf(c.tensor('self')),
  real: (c) => partsOf(c, pairOf(c.tensor('self')))[0],
  imag: (c) => partsOf(c, pairOf(c.tensor('self')))[1],
  abs: (c) => {
    const pair = pairOf(c.tensor('self'))
    return emit.reduce(c.g, 'ReduceL2', pair, [pair.shape.length - 1])
  },
  angle: (c) => {
    const [real, imaginary] = partsOf(c, pairOf(c.tensor('self')))
    return arcTangent(c, imaginary, real)
  },
  conj: conjugate,
  _conj: conjugate,
  conj_physical: conjugate,
  resolve_conj: itself,
  resolve_neg: itself,
  contiguous: itself,
  detach: itself,
  clone: itself,
  to: (c) => {
    const dtype = c.has('other') ? c.tensor('other').dtype : c.has('dtype') ? c.dtype('dtype') : undefined
    const pair = pairOf(c.tensor('self'))
    if (dtype === undefined || dtype === c.tensor('self').dtype) return c.ref('self')
    if (isComplex(dtype)) return complexOf(emit.cast(c.g, pair, dtype === 'complex128' ? 'float64' : 'float32'))
    return emit.cast(c.g, partsOf(c, pair)[0], dtype)
  },
  add: sum('Add'),
  sub: sum('Sub'),
  mul: product,
  div: quotient,
  neg: onPair((g, pair) => unary(g, 'Neg', pair)),
  sum: onPair((g, pair, c, rank) => {
    const axes = c.has('dim') ? c.axes('dim', rank) : emit.allAxes(pair).slice(0, -1)
    return emit.reduce(g, 'ReduceSum', pair, axes, c.has('keepdim') && c.bool('keepdim'))
  }),

  view: reshaped((c, x) => inferred(x, c.dims('size'))),
  reshape: reshaped((c, x) => inferred(x, c.dims('shape'))),
  flatten: reshaped(flattened),
  unsqueeze: onPair((g, pair, c, rank) => emit.unsqueeze(g, pair, [emit.axisOf(c.int('dim'), rank + 1)])),
  squeeze: onPair((g, pair, c, rank) => {
    const wanted = c.has('dim') ? c.ints('dim').map((a) => emit.axisOf(a, rank)) : emit.allAxes(pair).slice(0, -1)
    return emit.squeeze(
      g,
      pair,
      wanted.filter((a) => g.guards.decide(pair.shape[a] ?? 0, '==', 1) === true),
    )
  }),
  expand: expanded,
  permute: permuted((c, rank) => c.ints('dims').map((a) => emit.axisOf(a, rank))),
  transpose: permuted((c, rank) => emit.swapped(rank, c.axis('dim0', rank), c.axis('dim1', rank))),
  slice: sliced,
  select: onPair((g, pair, c, rank) => select(g, pair, c.axis('dim', rank), c.dim('index'))),
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

const realOnly: Lower = (c) => {
  throw refuse(`aten::${c.name} of a tensor that is not complex`, '', 'Leave it out')
}

/** Operators that make complex tensors of real ones. */
export const complexOps: OpTable = {
  view_as_complex: (c) => complexOf(asFloat(c)),
  complex: (c) => joined(c, c.tensor('real'), c.tensor('imag')),
  polar: (c) => {
    const [size, angle] = [c.tensor('abs'), c.tensor('angle')]
    const part = (op: 'Cos' | 'Sin'): Value => binary(c.g, 'Mul', size, unary(c.g, op, angle))
    return joined(c, part('Cos'), part('Sin'))
  },
  view_as_real: realOnly,
  imag: realOnly,
}
