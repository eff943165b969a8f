import { type Dim, dims, emit, type Message, refuse, scalar, type Value } from '@eas/onnx'
import { dtypeOf } from '../dtype.ts'
import { type ComplexItem, type Item, TensorItem } from '../item.ts'
import { type Lowering, Op, type OpTable } from '../op.ts'
import { toValue } from '../tensor-proto.ts'
import { atan2, binary, compare, num, unary, where } from './elementwise.ts'

/**
 * Complex numbers and Fourier transforms: spectrograms and what is made of them. TF: core/ops/math_ops.cc, spectral_ops.cc
 * (2.16). ONNX: DFT, opset 20.
 */

const complex = (real: Value, imag: Value): ComplexItem => ({ kind: 'complex', real, imag })

/** Input `i`, which has to be complex. */
function z(op: Op, i: number): ComplexItem {
  const item = op.inputs[i]
  if (item?.kind === 'complex') return item
  throw refuse(`input ${i} is no complex tensor`, op.node.name)
}

/** The last axis cut off or filled up with zeros. */
function fitted(op: Op, x: Value, axis: number, length: Dim): Value {
  const given = x.shape[axis] ?? 1
  if (dims.same(given, length)) return x
  const missing = dims.max(dims.sub(length, given), 0)
  const after = x.shape.map((_, i) => (i === axis ? missing : 0))
  const long =
    missing === 0
      ? x
      : emit.pad(
          op.g,
          x,
          x.shape.map(() => 0),
          after,
          'constant',
          num(x, 0),
        )
  return emit.slice(op.g, long, axis, 0, length)
}

/** A transform along an axis of numbers that may have no imaginary part. */
function transform(op: Op, x: Value, y: Value | undefined, axis: number, inverse = false): ComplexItem {
  const { g } = op
  const last = x.shape.length
  const parts = (y ? [x, y] : [x]).map((v) => emit.unsqueeze(g, v, [last]))
  const shape = [...x.shape, 2]
  const inputs = [emit.concat(g, parts, last), undefined, scalar('int64', axis)]
  const out = op.one('DFT', inputs, x.dtype, shape, inverse ? { inverse: 1 } : {})
  return complex(emit.select(g, out, last, 0), emit.select(g, out, last, 1))
}

/** Axes that are transformed: the last `rank`. */
const axesOf = (x: Value, rank: number): number[] => Array.from({ length: rank }, (_, i) => x.shape.length - rank + i)

const fft =
  (rank: number, inverse: boolean): Lowering =>
  (op) => {
    const x = z(op, 0)
    return axesOf(x.real, rank).reduce((at, axis) => transform(op, at.real, at.imag, axis, inverse), x)
  }

/** Of real numbers, of whose spectrum half says all. */
const rfft =
  (rank: number): Lowering =>
  (op) => {
    const lengths = op.sizes(1)
    const axes = axesOf(op.x(0), rank)
    const x = axes.reduce((v, axis, i) => fitted(op, v, axis, lengths[i] ?? 1), op.x(0))
    const last = axes.at(-1) ?? 0
    const full = transform(op, x, undefined, last)
    const bins = dims.add(dims.floorDiv(lengths[rank - 1] ?? 1, 2), 1)
    const half = [full.real, full.imag].map((v) => emit.slice(op.g, v, last, 0, bins)) as [Value, Value] // of two
    return axes
      .slice(0, -1)
      .reduceRight<ComplexItem>((at, axis) => transform(op, at.real, at.imag, axis), complex(...half))
  }

/** Back to real numbers: the half that is missing is the other's mirror, with the opposite imaginary part. */
const irfft =
  (rank: number): Lowering =>
  (op) => {
    const { g } = op
    const lengths = op.sizes(1)
    const axes = axesOf(z(op, 0).real, rank)
    const last = axes.at(-1) ?? 0
    const length = lengths[rank - 1] ?? 1
    const bins = dims.add(dims.floorDiv(length, 2), 1)
    const fit = (v: Value): Value =>
      axes.reduce((at, axis, i) => fitted(op, at, axis, axis === last ? bins : (lengths[i] ?? 1)), v)
    const outer = axes
      .slice(0, -1)
      .reduce(
        (at, axis) => transform(op, at.real, at.imag, axis, true),
        complex(fit(z(op, 0).real), fit(z(op, 0).imag)),
      )
    const mirrored = dims.sub(length, bins)
    const whole = (v: Value, sign: 1 | -1): Value => {
      // Bins 1 … mirrored, backwards.
      const order = binary(op, 'Sub', scalar('int64', mirrored), emit.iota(g, mirrored, 0, 1))
      const mirror = emit.gather(g, v, order, last)
      return emit.concat(g, [v, sign < 0 ? unary(op, 'Neg', mirror) : mirror], last)
    }
    // What the first bin, and of an even length the middle one, have of imaginary parts falls away with the result's.
    return transform(op, whole(outer.real, 1), whole(outer.imag, -1), last, true).real
  }

const times = (op: Op, a: ComplexItem, b: ComplexItem): ComplexItem => {
  const mul = (x: Value, y: Value): Value => binary(op, 'Mul', x, y)
  return complex(
    binary(op, 'Sub', mul(a.real, b.real), mul(a.imag, b.imag)),
    binary(op, 'Add', mul(a.real, b.imag), mul(a.imag, b.real)),
  )
}

const sizeSquared = (op: Op, { real, imag }: ComplexItem): Value =>
  binary(op, 'Add', binary(op, 'Mul', real, real), binary(op, 'Mul', imag, imag))

const conjugate = (op: Op, { real, imag }: ComplexItem): ComplexItem => complex(real, unary(op, 'Neg', imag))

const over = (op: Op, a: ComplexItem, b: ComplexItem): ComplexItem => {
  const { real, imag } = times(op, a, conjugate(op, b))
  const size = sizeSquared(op, b)
  return complex(binary(op, 'Div', real, size), binary(op, 'Div', imag, size))
}

/** Operators that treat complex numbers as numbers, not as pairs. */
const arithmetic: Readonly<Record<string, (op: Op) => Item>> = {
  Mul: (op) => times(op, z(op, 0), z(op, 1)),
  RealDiv: (op) => over(op, z(op, 0), z(op, 1)),
  Square: (op) => times(op, z(op, 0), z(op, 0)),
  Conj: (op) => conjugate(op, z(op, 0)),
  ConjugateTranspose: (op) => {
    const perm = op.ints(1)
    const { real, imag } = conjugate(op, z(op, 0))
    return complex(emit.transpose(op.g, real, perm), emit.transpose(op.g, imag, perm))
  },
  Exp: (op) => {
    const { real, imag } = z(op, 0)
    const size = unary(op, 'Exp', real)
    return complex(binary(op, 'Mul', size, unary(op, 'Cos', imag)), binary(op, 'Mul', size, unary(op, 'Sin', imag)))
  },
  /** A cast to real numbers keeps the real part. */
  Cast: (op) => {
    const to = op.attr.dtype('DstT')
    const { real, imag } = z(op, 0)
    return isComplexType(to) ? complex(real, imag) : new TensorItem(emit.cast(op.g, real, op.dtype('DstT')))
  },
}

/** Operators that do to a pair what they do to each of its numbers. */
const linear = new Set(
  `AddN AddV2 Add Sub Neg Sum Mean Cumsum Identity IdentityN StopGradient Reshape Squeeze ExpandDims Transpose Slice StridedSlice Concat ConcatV2
   Pack Unpack Split SplitV Gather GatherV2 GatherNd Tile Reverse ReverseV2 Roll Pad BroadcastTo Select SelectV2 EnsureShape Fill ZerosLike
   ScatterNd UnsortedSegmentSum DepthToSpace SpaceToBatchND BatchToSpaceND Snapshot`.split(/\s+/),
)
/** Operators that ask for no more than sizes. */
const ofSizes = new Set(['Shape', 'ShapeN', 'Size', 'Rank'])

const isComplexType = (dtype: string | undefined): boolean => dtype === 'complex64' || dtype === 'complex128'

/** Operators that make complex numbers of others, by the attribute that says so. */
const makers: Readonly<Record<string, { readonly type: string; readonly make: (op: Op) => ComplexItem }>> = {
  Const: { type: 'dtype', make: constant },
  Cast: {
    type: 'DstT',
    make(op) {
      const real = emit.cast(op.g, op.x(0), op.attr.dtype('DstT') === 'complex128' ? 'float64' : 'float32')
      return complex(real, emit.full(op.g, real.shape, num(real, 0)))
    },
  },
}

/** An operator that is given complex numbers, or makes them of others; undefined for what has nothing to do with them. */
export function lowerComplex(op: Op, lowering: Lowering | undefined): readonly Item[] | undefined {
  const { node } = op
  if (!op.inputs.some((i) => i.kind === 'complex')) {
    const maker = Object.hasOwn(makers, node.op) ? makers[node.op] : undefined
    return maker && isComplexType(op.attr.dtype(maker.type)) ? [maker.make(op)] : undefined
  }
  if (Object.hasOwn(complexOps, node.op)) return items(complexOps[node.op]?.(op) ?? [])
  const own = Object.hasOwn(arithmetic, node.op) ? arithmetic[node.op] : undefined
  if (own) return [own(op)]
  if (!lowering || !(linear.has(node.op) || ofSizes.has(node.op)))
    throw refuse(
      `${node.op} of complex numbers is not supported`,
      node.name,
      'Compute with the real and imaginary parts',
    )
  const part = (name: 'real' | 'imag'): readonly Item[] =>
    items(
      lowering(
        new Op(
          op.e,
          op.frame,
          node,
          op.inputs.map((i) => (i.kind === 'complex' ? new TensorItem(i[name]) : i)),
        ),
      ),
    )
  const real = part('real')
  if (ofSizes.has(node.op)) return real
  const imag = part('imag')
  return real.map((r, i) => {
    const other = imag[i]
    return r instanceof TensorItem && other instanceof TensorItem ? complex(r.value, other.value) : r
  })
}

function items(lowered: ReturnType<Lowering>): Item[] {
  const list = Array.isArray(lowered) ? lowered : [lowered]
  return list.map((out: Value | Item) => ('kind' in out ? out : new TensorItem(out)))
}

/** Complex numbers that a constant lists; more are in `tensor_content`. */
const maxListed = 65_536

/** A constant's parts, which lie in turns. Of the listed pairs the last stands for all that are missing. */
function constant(op: Op): ComplexItem {
  const proto: Message = op.attr.get('value')?.tensor ?? {}
  const isWide = dtypeOf(proto.dtype ?? 0) === 'complex128'
  const sizes: readonly Message[] = proto.tensor_shape?.dim ?? []
  const pairs: Message = { ...proto, dtype: isWide ? 2 : 1, tensor_shape: { dim: [...sizes, { size: 2 }] } }
  if (!proto.tensor_content?.length) {
    const listed: readonly number[] = (isWide ? proto.dcomplex_val : proto.scomplex_val) ?? []
    const count = sizes.reduce((n, d) => n * (d.size ?? 0), 1)
    if (!(count <= maxListed)) throw refuse(`a constant lists ${count} complex numbers`, op.node.name)
    const last = Math.max(0, listed.length - 2)
    const all = Array.from({ length: 2 * count }, (_, k) => listed[k < listed.length ? k : last + (k % 2)] ?? 0)
    Object.assign(pairs, isWide ? { double_val: all } : { float_val: all })
  }
  const value = toValue(op.g, pairs, op.node.name)
  const part = (i: number): Value => emit.select(op.g, value, sizes.length, i)
  return complex(part(0), part(1))
}

export const complexOps: OpTable = {
  Complex: (op) => {
    const [a, b] = [op.x(0), op.x(1)]
    if (dims.sameShape(a.shape, b.shape)) return complex(a, b)
    // Adding zeros lets the runtime find the shape that both have.
    const zeros = (x: Value): Value => emit.full(op.g, x.shape, num(x, 0))
    return complex(binary(op, 'Add', a, zeros(b)), binary(op, 'Add', zeros(a), b))
  },
  Real: (op) => z(op, 0).real,
  Imag: (op) => z(op, 0).imag,
  Conj: (op) => conjugate(op, z(op, 0)),
  ComplexAbs: (op) => unary(op, 'Sqrt', sizeSquared(op, z(op, 0))),
  Angle: (op) => {
    const { real, imag } = z(op, 0)
    const isZero = compare(
      op,
      'And',
      compare(op, 'Equal', real, num(real, 0)),
      compare(op, 'Equal', imag, num(imag, 0)),
    )
    return where(op, isZero, num(real, 0), atan2(op, imag, real))
  },
  FFT: fft(1, false),
  FFT2D: fft(2, false),
  FFT3D: fft(3, false),
  IFFT: fft(1, true),
  IFFT2D: fft(2, true),
  IFFT3D: fft(3, true),
  RFFT: rfft(1),
  RFFT2D: rfft(2),
  IRFFT: irfft(1),
  IRFFT2D: irfft(2),
}
