import { emit, isComplex, refuse, type Value } from '@eas/onnx'
import type { Call, Lower, OpTable, Result } from '../call.ts'
import { isNumber } from '../scalars.ts'
import { TensorRef } from '../tensor-ref.ts'
import { type Py, PyList, PyTuple } from '../values.ts'
import { advice, complexOf, joined, pairOf, partsOf } from './complex-pair.ts'
import { convOps } from './conv.ts'
import { elementwiseOps } from './elementwise.ts'
import { indexOps } from './indexing.ts'
import { linearOps } from './linear.ts'
import { reduceOps } from './reduce.ts'
import { resizeOps } from './resize.ts'
import { scatterOps } from './scatter.ts'
import { shapeOps } from './shape.ts'
import { statisticsOps } from './statistics.ts'
import { viewOps } from './views.ts'

/**
 * Operators that do to a complex tensor what they do to its real part and to its imaginary part: they move elements about, or
 * are linear. Each is lowered as for real tensors, twice.
 */

/** Both parts of what each argument holds: indices and masks are the same for both, real numbers have no imaginary part. */
function halves(c: Call, values: ReadonlySet<string>): readonly [Call, Call] {
  const half = (which: 0 | 1) =>
    c.mapped((v, name) => {
      if (v instanceof TensorRef && isComplex(v.dtype)) return new TensorRef(partOf(c, c.vm.read(v), which))
      if (which === 0 || !values.has(name)) return v
      if (v instanceof TensorRef) return new TensorRef(emit.full(c.g, v.shape, zeroOf(v.dtype)))
      return isNumber(v) ? 0 : v
    })
  return [half(0), half(1)]
}

const partOf = (c: Call, x: Value, which: 0 | 1): Value => partsOf(c.g, pairOf(x))[which]
const zeroOf = (dtype: Value['dtype']): Value => ({ dtype, shape: [], elements: [0] })

/** @param values Arguments besides complex tensors that are numbers of the result, not places in it. */
const byParts = (lower: Lower | undefined, ...values: readonly string[]): Lower => {
  const numbers = new Set(values)
  return (c) => {
    if (!lower) throw refuse(`complex numbers in aten::${c.name}`, '', advice)
    const [real, imaginary] = halves(c, numbers)
    return together(c, lower(real), lower(imaginary))
  }
}

function together(c: Call, a: Result, b: Result): Result {
  const [x, y] = [itemsOf(a), itemsOf(b)]
  if (x && y) {
    const items = x.map((item, i) => together(c, item, y[i] ?? null))
    return a instanceof PyTuple ? new PyTuple(items as Py[], a.names) : items // of a tuple, tensors
  }
  if (a instanceof TensorRef && b instanceof TensorRef) return joinedView(c, a, b)
  if (isValue(a) && isValue(b)) return joined(c.g, a, b)
  return a
}

const itemsOf = (r: Result): readonly Result[] | undefined =>
  r instanceof PyList || r instanceof PyTuple ? r.items : Array.isArray(r) ? r : undefined
const isValue = (r: Result): r is Value => typeof r === 'object' && r !== null && 'dtype' in r && 'shape' in r

/** A view of both parts as a view of the complex tensor. */
function joinedView(c: Call, a: TensorRef, b: TensorRef): Result {
  const value = joined(c.g, c.vm.read(a), c.vm.read(b))
  const [first, second] = [a.state.link, b.state.link]
  if (!first || !second) return value
  const apart = (x: Value): [Value, Value] => partsOf(c.g, pairOf(x))
  const { scatter } = first
  return c.view(
    value,
    (base, own) => {
      const [[p, q], [r, s]] = [apart(base), apart(own)]
      return joined(c.g, first.replay(p, r), second.replay(q, s))
    },
    scatter &&
      ((base, written) => {
        const [[p, q], [r, s]] = [apart(base), apart(written)]
        return joined(c.g, scatter(p, r), second.scatter?.(q, s) ?? s)
      }),
    a.dense,
  )
}

/** A product that is linear in both of two arguments, by the products of their parts; other tensors are added to it. */
const byProducts =
  (lower: Lower | undefined, first: string, second: string, added?: string): Lower =>
  (c) => {
    if (!lower) throw refuse(`complex numbers in aten::${c.name}`, '', advice)
    const product = (i: 0 | 1, j: 0 | 1, addend: 0 | 1 | undefined): Value => {
      const result = lower(
        c.mapped((v, name) => {
          const which = name === first ? i : name === second ? j : addend
          if (name === added && which === undefined) return null
          if (!(v instanceof TensorRef)) return v
          const x = c.vm.read(v)
          if (isComplex(x.dtype)) return new TensorRef(partOf(c, x, which ?? 0))
          return which === 1 ? new TensorRef(emit.full(c.g, x.shape, zeroOf(x.dtype))) : v
        }),
      )
      if (!isValue(result)) throw refuse(`complex numbers in aten::${c.name}`, '', advice)
      return result
    }
    const sum = (op: 'Add' | 'Sub', a: Value, b: Value): Value => emit.binary(c.g, op, a, b)
    return joined(
      c.g,
      sum('Sub', product(0, 0, 0), product(1, 1, undefined)),
      sum('Add', product(0, 1, 1), product(1, 0, undefined)),
    )
  }

/** Writes into `self` what one number makes of it. */
const filledWith =
  (name: string | undefined): Lower =>
  (c) => {
    const self = c.ref('self')
    if (!isComplex(self.dtype)) throw refuse(`aten::${c.name} of complex numbers into real ones`, '', advice)
    const given = name === undefined ? undefined : c.operand(name).value
    const part = self.dtype === 'complex128' ? 'float64' : 'float32'
    const [real, imaginary] =
      given && isComplex(given.dtype) ? partsOf(c.g, pairOf(given)) : [given ?? zeroOf(part), zeroOf(part)]
    const whole = (x: Value): Value => emit.full(c.g, self.shape, emit.reshape(c.g, emit.cast(c.g, x, part), []))
    c.vm.write(self, joined(c.g, whole(real), whole(imaginary)))
    return self
  }

const transposed = (c: Call): Result => {
  const turned = byParts(viewOps.mT)(c)
  return conjugateOf(c, turned instanceof TensorRef ? c.vm.read(turned) : (turned as Value)) // a view, or a new value
}

function conjugateOf(c: Call, x: Value): Value {
  const pair = pairOf(x)
  return complexOf(emit.binary(c.g, 'Mul', pair, c.g.numbers(pair.dtype, [2], [1, -1])))
}

/** `dot`, of the conjugate of the first. */
const conjugateDot: Lower = (c) =>
  byProducts(
    linearOps.vdot,
    'self',
    'other',
  )(
    c.mapped((v, name) =>
      name === 'self' && v instanceof TensorRef ? new TensorRef(conjugateOf(c, c.vm.read(v))) : v,
    ),
  )

const every = (table: OpTable, names: string, ...values: readonly string[]): OpTable =>
  Object.fromEntries(names.split(' ').map((name) => [name, byParts(table[name], ...values)]))

export const complexPartOps: OpTable = {
  ...every(
    viewOps,
    'chunk split split_with_sizes unsafe_split unsafe_chunk unsafe_split_with_sizes tensor_split hsplit vsplit dsplit narrow diagonal linalg_diagonal swapaxes swapdims t numpy_T mT movedim moveaxis expand_as broadcast_to broadcast_tensors ravel unflatten unfold atleast_1d atleast_2d atleast_3d alias view_as reshape_as _unsafe_view type_as',
  ),
  ...every(
    shapeOps,
    'flip fliplr flipud roll rot90 tile repeat repeat_interleave diag diag_embed diagflat tril triu hstack vstack row_stack column_stack concat concatenate block_diag meshgrid',
  ),
  ...every(elementwiseOps, 'where _s_where masked_fill', 'self', 'other', 'value'),
  ...every(resizeOps, 'pad constant_pad_nd', 'value'),
  ...every(resizeOps, 'reflection_pad1d reflection_pad2d replication_pad1d replication_pad2d _pad_circular'),
  ...every(
    indexOps,
    'index _unsafe_index index_put _index_put_impl _unsafe_index_put gather take take_along_dim masked_select masked_scatter',
    'values',
    'source',
  ),
  ...every(
    scatterOps,
    'scatter scatter_add index_add index_copy index_fill put select_scatter slice_scatter',
    'src',
    'value',
    'source',
  ),
  ...every(reduceOps, 'cumsum'),
  ...every(statisticsOps, 'diff cumulative_trapezoid trapezoid trapz'),
  adjoint: transposed,
  mH: transposed,
  matrix_H: transposed,
  fill_: filledWith('value'),
  zero_: filledWith(undefined),
  linear: byProducts(linearOps.linear, 'input', 'weight', 'bias'),
  mv: byProducts(linearOps.mv, 'self', 'vec'),
  dot: byProducts(linearOps.dot, 'self', 'tensor'),
  vdot: conjugateDot,
  outer: byProducts(linearOps.outer, 'self', 'vec2'),
  inner: byProducts(linearOps.inner, 'self', 'other'),
  tensordot: byProducts(linearOps.tensordot, 'self', 'other'),
  kron: byProducts(linearOps.kron, 'self', 'other'),
  conv1d: byProducts(convOps.conv1d, 'input', 'weight', 'bias'),
  conv2d: byProducts(convOps.conv2d, 'input', 'weight', 'bias'),
  _convolution: byProducts(convOps._convolution, 'input', 'weight', 'bias'),
}
