import {
  type Dim,
  dims,
  type ElementType,
  emit,
  type GraphBuilder,
  isComplex,
  refuse,
  scalar,
  type Value,
} from '@eas/onnx'
import type { Call, Lower, OpTable, Result } from '../call.ts'
import { elementsOf } from '../scalars.ts'
import type { TensorRef } from '../tensor-ref.ts'
import { PyList } from '../values.ts'
import { dataAdvice } from '../vm.ts'
import { complexFrom } from './complex-pair.ts'

/**
 * Views: each knows how to follow its base and how to write through to it. Torch: aten/src/ATen/native/TensorShape.cpp (2.4).
 */

/** A view that is a function of its base, with the function that undoes it. */
function invertible(
  c: Call,
  forward: (x: Value) => Value,
  backward: (base: Value, y: Value) => Value,
  dense = false,
): TensorRef {
  return c.view(forward(c.tensor('self')), forward, backward, dense)
}

function reshaped(c: Call, shape: readonly Dim[]): TensorRef {
  return invertible(
    c,
    (x) => emit.reshape(c.g, x, shape),
    (base, y) => emit.reshape(c.g, y, base.shape),
    true,
  )
}

/** Sizes with -1 filled in. */
export function inferred(x: Value, sizes: readonly Dim[]): Dim[] {
  const open = sizes.indexOf(-1)
  const total = dims.product(x.shape)
  if (open < 0) return [...sizes]
  const rest = dims.product(sizes.filter((_, i) => i !== open))
  const shape = [...sizes]
  shape[open] = rest === 0 ? 0 : dims.floorDiv(total, rest)
  return shape
}

/** A copy where torch would make one: the elements of a view that is not dense. */
function reshapeOrCopy(c: Call, shape: readonly Dim[]): Result {
  return c.ref('self').dense ? reshaped(c, shape) : c.vm.facts.noteScattered(emit.reshape(c.g, c.tensor('self'), shape))
}

const view: Lower = (c) => {
  if (c.has('dtype') && !c.has('size')) {
    const x = c.tensor('self')
    if (c.dtype('dtype') === x.dtype) return c.ref('self')
    throw refuse('a view of another element type')
  }
  return reshaped(c, inferred(c.tensor('self'), c.dims('size')))
}

const flatten: Lower = (c) => {
  const x = c.tensor('self')
  const rank = x.shape.length
  if (rank === 0) return reshaped(c, [1])
  const [start, end] = [emit.axisOf(c.int('start_dim'), rank), emit.axisOf(c.int('end_dim'), rank)]
  return reshapeOrCopy(c, [
    ...x.shape.slice(0, start),
    dims.product(x.shape.slice(start, end + 1)),
    ...x.shape.slice(end + 1),
  ])
}

const unflatten: Lower = (c) => {
  const x = c.tensor('self')
  const axis = c.axis('dim', x.shape.length)
  const sizes = c.dims('sizes')
  const open = sizes.indexOf(-1)
  if (open >= 0) sizes[open] = dims.floorDiv(x.shape[axis] ?? 1, dims.product(sizes.filter((_, i) => i !== open)))
  return reshaped(c, [...x.shape.slice(0, axis), ...sizes, ...x.shape.slice(axis + 1)])
}

function permuted(c: Call, perm: readonly number[]): TensorRef {
  const turned = invertible(
    c,
    (x) => emit.transpose(c.g, x, perm),
    (_, y) => emit.transpose(c.g, y, emit.inverse(perm)),
  )
  const order = c.vm.facts.orderOf(c.ref('self'))
  return c.vm.facts.notePermuted(turned, order ? perm.map((axis) => order[axis] ?? axis) : perm)
}

const transpose: Lower = (c) => {
  const rank = c.ref('self').shape.length
  if (rank === 0) return c.ref('self')
  const [a, b] = c.has('dim0')
    ? [c.axis('dim0', rank), c.axis('dim1', rank)]
    : [c.axis('axis0', rank), c.axis('axis1', rank)]
  return permuted(c, emit.swapped(rank, a, b))
}

const turned: Lower = (c) => {
  const rank = c.ref('self').shape.length
  return permuted(
    c,
    Array.from({ length: rank }, (_, i) => rank - 1 - i),
  )
}

const matrixTransposed: Lower = (c) => {
  const rank = c.ref('self').shape.length
  return permuted(c, emit.swapped(rank, rank - 2, rank - 1))
}

const moveAxes: Lower = (c) => {
  const rank = c.ref('self').shape.length
  const source = c.ints('source').map((a) => emit.axisOf(a, rank))
  const destination = c.ints('destination').map((a) => emit.axisOf(a, rank))
  const rest = Array.from({ length: rank }, (_, i) => i).filter((i) => !source.includes(i))
  const perm = Array.from({ length: rank }, (_, i) => {
    const at = destination.indexOf(i)
    return at >= 0 ? (source[at] ?? 0) : (rest.shift() ?? 0)
  })
  return permuted(c, perm)
}

const unsqueeze: Lower = (c) => {
  const rank = c.ref('self').shape.length
  const axis = emit.axisOf(c.int('dim'), rank + 1)
  return invertible(
    c,
    (x) => emit.unsqueeze(c.g, x, [axis]),
    (_, y) => emit.squeeze(c.g, y, [axis]),
    true,
  )
}

const squeeze: Lower = (c) => {
  const { shape } = c.ref('self')
  const wanted =
    c.has('dim') && c.py('dim') !== null
      ? c.ints('dim').map((a) => (shape.length === 0 ? 0 : emit.axisOf(a, shape.length)))
      : shape.map((_, i) => i)
  // A labelled size counts as 1 only where the example says so, with a guard.
  const axes = wanted.filter((a) => shape.length > 0 && c.g.guards.decide(shape[a] ?? 0, '==', 1) === true)
  return invertible(
    c,
    (x) => emit.squeeze(c.g, x, axes),
    (_, y) => emit.unsqueeze(c.g, y, axes),
    true,
  )
}

const expand: Lower = (c) => {
  const x = c.tensor('self')
  return expanded(
    c,
    c.dims('size').map((d, i, all) => (d === -1 ? (x.shape[i - all.length + x.shape.length] ?? 1) : d)),
  )
}

function expanded(c: Call, shape: readonly Dim[]): TensorRef {
  const x = c.tensor('self')
  const forward = (base: Value): Value => emit.expand(c.g, base, shape)
  const missing = shape.length - x.shape.length
  const repeatsNothing = shape.slice(0, missing).every((d) => d === 1) && dims.sameShape(shape.slice(missing), x.shape)
  // What is there several times cannot be written to.
  return repeatsNothing ? reshaped(c, shape) : c.view(forward(x), forward)
}

const slice: Lower = (c) => {
  const x = c.tensor('self')
  const axis = c.axis('dim', x.shape.length)
  return sliceOf(
    c,
    axis,
    c.optionalDim('start') ?? 0,
    c.optionalDim('end') ?? emit.sliceToEnd,
    c.has('step') ? c.int('step') : 1,
  )
}

function sliceOf(c: Call, axis: number, from: Dim, to: Dim, step: number): TensorRef {
  const length = c.ref('self').shape[axis] ?? 1
  const [start, end] = emit.clampSlice(c.g, length, from, to)
  return invertible(
    c,
    (x) => emit.slice(c.g, x, axis, start, end, step),
    (base, y) => spliced(c.g, base, y, axis, start, end, step),
    axis === 0 && step === 1,
  )
}

/** `base` with `y` in the place of a slice. */
export function spliced(
  g: GraphBuilder,
  base: Value,
  y: Value,
  axis: number,
  start: Dim,
  end: Dim,
  step: number,
): Value {
  const length = base.shape[axis] ?? 1
  if (step !== 1) {
    const places = emit.iota(g, y.shape[axis] ?? 1, axis, base.shape.length)
    const scaled = emit.binary(g, 'Add', emit.binary(g, 'Mul', places, scalar('int64', step)), scalar('int64', start))
    return emit.scatterElements(g, base, emit.expand(g, scaled, y.shape), y, axis)
  }
  const parts = [y]
  if (start !== 0) parts.unshift(emit.slice(g, base, axis, 0, start))
  if (!dims.same(end, length)) parts.push(emit.slice(g, base, axis, end, length))
  const whole = emit.concat(g, parts, axis)
  return emit.reshape(g, whole, base.shape)
}

const select: Lower = (c) => {
  const { shape } = c.ref('self')
  const axis = c.axis('dim', shape.length)
  return selected(c, axis, c.dim('index'))
}

function selected(c: Call, axis: number, at: Dim): TensorRef {
  const length = c.ref('self').shape[axis] ?? 1
  const index = typeof at === 'number' ? (at < 0 && typeof length === 'number' ? at + length : at) : at
  const start = typeof index === 'number' && index < 0 ? dims.add(length, index) : index
  return invertible(
    c,
    (x) => emit.select(c.g, x, axis, index),
    (base, y) => spliced(c.g, base, emit.unsqueeze(c.g, y, [axis]), axis, start, dims.add(start, 1), 1),
    axis === 0,
  )
}

const narrow: Lower = (c) => {
  const rank = c.ref('self').shape.length
  const start = c.dim('start')
  return sliceOf(c, c.axis('dim', rank), start, dims.add(start, c.dim('length')), 1)
}

/** Slices of the given sizes, each a view. */
function pieces(c: Call, axis: number, sizes: readonly Dim[]): Result {
  let start: Dim = 0
  return sizes.map((size) => {
    const from = start
    start = dims.add(start, size)
    return sliceExactly(c, axis, from, start)
  })
}

function sliceExactly(c: Call, axis: number, start: Dim, end: Dim): TensorRef {
  return invertible(
    c,
    (x) => emit.slice(c.g, x, axis, start, end),
    (base, y) => spliced(c.g, base, y, axis, start, end, 1),
    axis === 0,
  )
}

const split: Lower = (c) => {
  const { shape } = c.ref('self')
  const axis = c.axis('dim', shape.length)
  const name = c.has('split_sizes') ? 'split_sizes' : 'split_size'
  return c.py(name) instanceof PyList ? pieces(c, axis, c.dims(name)) : inSteps(c, axis, c.dim(name))
}

/** Pieces of one size, the last one smaller. */
function inSteps(c: Call, axis: number, size: Dim): Result {
  const length = c.ref('self').shape[axis] ?? 1
  const count = c.fixed(dims.ceilDiv(length, size))
  const sizes = Array.from(
    { length: Math.max(count, 1) },
    (_, i): Dim => (i < count - 1 ? size : dims.sub(length, dims.mul(size, count - 1))),
  )
  return pieces(c, axis, sizes)
}

const chunk: Lower = (c) => {
  const { shape } = c.ref('self')
  const axis = c.axis('dim', shape.length)
  const length = shape[axis] ?? 1
  const chunks = c.int('chunks')
  const size = dims.ceilDiv(length, chunks)
  return inSteps(c, axis, typeof size === 'number' ? Math.max(size, 1) : size)
}

/** `hsplit` takes the first axis of a tensor that has no second. */
const splitAlong =
  (axis: number): Lower =>
  (c) =>
    splitAt(c, Math.min(axis, c.ref('self').shape.length - 1))

const tensorSplit: Lower = (c) => splitAt(c, c.axis('dim', c.ref('self').shape.length))

/** Between places, or in so many pieces, of which the first take what does not divide. */
function splitAt(c: Call, axis: number): Result {
  const length = c.ref('self').shape[axis] ?? 1
  const given = c.has('tensor_indices_or_sections') ? c.tensor('tensor_indices_or_sections') : undefined
  const known = given && elementsOf(c.vm, given)
  if (given && !known) throw refuse('aten::tensor_split at places that depend on the values of tensors', '', dataAdvice)
  if (c.has('indices') || given?.shape.length === 1) {
    const ends = [...(known ?? c.dims('indices')), length]
    let start: Dim = 0
    return ends.map((end) => {
      const from = start
      start = end
      return sliceOf(c, axis, from, end, 1)
    })
  }
  const sections = known ? c.fixed(known[0] ?? 1) : c.int('sections')
  const n = c.fixed(length)
  return pieces(
    c,
    axis,
    Array.from({ length: sections }, (_, i) => Math.floor(n / sections) + Number(i < n % sections)),
  )
}

const unbind: Lower = (c) => {
  const { shape } = c.ref('self')
  const axis = c.axis('dim', shape.length)
  const count = c.fixed(shape[axis] ?? 1)
  return Array.from({ length: count }, (_, i) => selected(c, axis, i))
}

const diagonal: Lower = (c) => {
  const rank = c.ref('self').shape.length
  const [a, b] = [c.axis('dim1', rank), c.axis('dim2', rank)]
  const offset = c.int('offset')
  const rest = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== a && i !== b)
  const perm = [...rest, a, b]
  return invertible(
    c,
    (x) => diagonalOf(c, emit.transpose(c.g, x, perm), offset),
    (x, y) => emit.transpose(c.g, withDiagonal(c, emit.transpose(c.g, x, perm), y, offset), emit.inverse(perm)),
  )
}

/** The diagonals of the matrices in the last two axes, as a last axis. */
function diagonalOf(c: Call, matrices: Value, offset: number): Value {
  const [rows = 1, columns = 1] = matrices.shape.slice(-2)
  const [down, right] = [Math.max(0, -offset), Math.max(0, offset)]
  const count = dims.max(0, dims.min(dims.sub(rows, down), dims.sub(columns, right)))
  const flat = emit.reshape(c.g, matrices, [...matrices.shape.slice(0, -2), dims.mul(rows, columns)])
  const places = emit.binary(
    c.g,
    'Add',
    emit.binary(c.g, 'Mul', emit.iota(c.g, count, 0, 1), scalar('int64', dims.add(columns, 1))),
    scalar('int64', dims.add(dims.mul(down, columns), right)),
  )
  return emit.gather(c.g, flat, places, flat.shape.length - 1)
}

/** Matrices with other diagonals. */
function withDiagonal(c: Call, matrices: Value, y: Value, offset: number): Value {
  const { g } = c
  const rank = matrices.shape.length
  const [rows = 1, columns = 1] = matrices.shape.slice(-2)
  const row = emit.iota(g, rows, 0, 2)
  const isOn = emit.compare(
    g,
    'Equal',
    emit.iota(g, columns, 1, 2),
    emit.binary(g, 'Add', row, scalar('int64', offset)),
  )
  // Where a row has no place on the diagonal, what is gathered for it is not used.
  const last = dims.sub(y.shape.at(-1) ?? 1, 1)
  const place = emit.clip(
    g,
    emit.binary(g, 'Add', emit.iota(g, rows, 0, 1), scalar('int64', Math.min(0, offset))),
    scalar('int64', 0),
    scalar('int64', last),
  )
  const perRow = emit.unsqueeze(g, emit.gather(g, y, place, rank - 2), [rank - 1])
  return emit.where(g, isOn, perRow, matrices)
}

/** The same tensor: nothing to copy, or nothing that can tell a copy. */
const itself: Lower = (c) => c.ref(c.has('self') ? 'self' : 'input')

/** Of a constant that counts as a number, a tensor. */
const detached: Lower = (c) => {
  const self = c.ref(c.has('self') ? 'self' : 'input')
  return c.vm.numbers.has(self) ? reshaped(c, []) : self
}

const contiguous: Lower = (c) => (c.ref('self').dense ? c.ref('self') : c.tensor('self'))

const to: Lower = (c) => {
  const x = c.tensor('self')
  const dtype = c.has('other') ? c.tensor('other').dtype : c.has('dtype') ? (c.dtype('dtype') ?? x.dtype) : x.dtype
  if (dtype === x.dtype) return c.has('copy') && c.bool('copy') ? clone(c) : c.ref('self')
  return isComplex(dtype) ? complexFrom(c.g, x, dtype) : emit.cast(c.g, x, dtype)
}

/** The same contents under an identity of their own. */
const clone: Lower = (c) => c.tensor('self')

const castTo =
  (dtype: ElementType): Lower =>
  (c) => {
    const x = c.tensor('self')
    return x.dtype === dtype ? c.ref('self') : emit.cast(c.g, x, dtype)
  }

/** Whether the tensor, or what it is a view of, may lie in memory in another order than that of its indices. */
function isScattered(c: Call, t: TensorRef): boolean {
  const { link } = t.state
  return c.vm.facts.mayBeScattered(c.vm.read(t)) || (link !== undefined && isScattered(c, link.base))
}

const asStrided: Lower = (c) => {
  const x = c.tensor('self')
  const sizes = c.ints('size')
  const strides = c.ints('stride')
  const offset = c.optionalInt('storage_offset') ?? 0
  if (!c.ref('self').dense || isScattered(c, c.ref('self')))
    throw refuse('as_strided of a tensor whose place in memory is not known', '', 'Use unfold or slices')
  let places: number[] = [offset]
  for (const [i, size] of sizes.entries())
    places = places.flatMap((p) => Array.from({ length: size }, (_, k) => p + k * (strides[i] ?? 0)))
  if (places.length > 1_000_000) throw refuse('as_strided of over a million elements')
  const at = c.g.numbers('int64', [places.length], places)
  const forward = (base: Value): Value => emit.reshape(c.g, emit.gather(c.g, emit.flat(c.g, base), at, 0), sizes)
  return c.view(forward(x), forward)
}

/** Sliding windows along an axis, as a last axis. */
const unfold: Lower = (c) => {
  const given = c.tensor('self')
  const x = given.shape.length === 0 ? emit.reshape(c.g, given, [1]) : given
  if (x !== given) return emit.slice(c.g, x, 0, 0, c.int('size'))
  const axis = c.axis('dimension', x.shape.length)
  const [size, step] = [c.int('size'), c.int('step')]
  const length = x.shape[axis] ?? 1
  const count = dims.add(dims.floorDiv(dims.sub(length, size), step), 1)
  const starts = emit.binary(c.g, 'Mul', emit.iota(c.g, count, 0, 2), scalar('int64', step))
  const places = emit.binary(c.g, 'Add', starts, emit.iota(c.g, size, 1, 2))
  const perm = Array.from({ length: x.shape.length + 1 }, (_, i) => i).filter((i) => i !== axis + 1)
  const forward = (base: Value): Value => emit.transpose(c.g, emit.gather(c.g, base, places, axis), [...perm, axis + 1])
  return c.view(forward(x), forward)
}

function atLeastShape(shape: readonly Dim[], rank: number): readonly Dim[] {
  const missing = rank - shape.length
  if (missing <= 0) return shape
  // Of three dimensions, one new one comes last.
  const trailing = rank === 3 && shape.length > 0 ? 1 : 0
  return [...new Array<Dim>(missing - trailing).fill(1), ...shape, ...new Array<Dim>(trailing).fill(1)]
}

/** Makes tensors of at least so many dimensions. */
const atLeast =
  (rank: number): Lower =>
  (c) => {
    if (!c.has('self')) {
      return c.tensors('tensors').map((x) => emit.reshape(c.g, x, atLeastShape(x.shape, rank)))
    }
    const missing = rank - c.ref('self').shape.length
    if (missing <= 0) return c.ref('self')
    return reshaped(c, atLeastShape(c.ref('self').shape, rank))
  }

const viewAs: Lower = (c) => reshaped(c, c.tensor('other').shape)

/** Writes into `self`: the one kind of operator whose point is its effect. */
const copyInto: Lower = (c) => {
  const self = c.ref('self')
  const source = emit.expand(c.g, emit.cast(c.g, c.tensor('src'), self.dtype), self.shape)
  c.vm.write(self, source)
  return self
}

const fillInto: Lower = (c) => {
  const self = c.ref('self')
  const value = c.name === 'zero_' ? scalar(self.dtype, 0) : emit.cast(c.g, c.operand('value').value, self.dtype)
  c.vm.write(self, emit.full(c.g, self.shape, emit.reshape(c.g, value, [])))
  return self
}

/** `fill(x, v)` gives a new tensor. */
const filled: Lower = (c) => {
  const x = c.tensor('self')
  return emit.full(c.g, x.shape, emit.reshape(c.g, emit.cast(c.g, c.operand('value').value, x.dtype), []))
}

export const viewOps: OpTable = {
  view,
  view_as: viewAs,
  reshape_as: viewAs,
  reshape: (c) => reshapeOrCopy(c, inferred(c.tensor('self'), c.dims('shape'))),
  _reshape_alias: (c) => reshaped(c, c.dims('size')),
  _unsafe_view: view,
  flatten,
  ravel: (c) => reshapeOrCopy(c, [dims.product(c.ref('self').shape)]),
  unflatten,
  permute: (c) => {
    const rank = c.ref('self').shape.length
    return permuted(
      c,
      c.ints('dims').map((a) => emit.axisOf(a, rank)),
    )
  },
  transpose,
  swapaxes: transpose,
  swapdims: transpose,
  t: (c) => (c.ref('self').shape.length < 2 ? c.ref('self') : permuted(c, [1, 0])),
  numpy_T: turned,
  mT: matrixTransposed,
  mH: matrixTransposed,
  matrix_H: matrixTransposed,
  adjoint: matrixTransposed,
  movedim: moveAxes,
  moveaxis: moveAxes,
  unsqueeze,
  squeeze,
  expand,
  expand_as: (c) => expanded(c, c.tensor('other').shape),
  broadcast_to: expand,
  slice,
  select,
  narrow,
  split,
  split_with_sizes: split,
  unsafe_split: split,
  unsafe_split_with_sizes: split,
  chunk,
  unsafe_chunk: chunk,
  tensor_split: tensorSplit,
  hsplit: splitAlong(1),
  vsplit: splitAlong(0),
  dsplit: splitAlong(2),
  unbind,
  diagonal,
  linalg_diagonal: (c) => {
    const x = c.tensor('A')
    const [a, b] = [c.axis('dim1', x.shape.length), c.axis('dim2', x.shape.length)]
    const rest = emit.allAxes(x).filter((i) => i !== a && i !== b)
    return diagonalOf(c, emit.transpose(c.g, x, [...rest, a, b]), c.int('offset'))
  },
  as_strided: asStrided,
  unfold,
  atleast_1d: atLeast(1),
  atleast_2d: atLeast(2),
  atleast_3d: atLeast(3),
  contiguous,
  detach: detached,
  alias: detached,
  lift_fresh: itself,
  lift: itself,
  lift_fresh_copy: itself,
  resolve_conj: itself,
  resolve_neg: itself,
  conj: itself,
  conj_physical: itself,
  real: itself,
  pin_memory: itself,
  cpu: itself,
  cuda: itself,
  data: detached,
  detach_: itself,
  clone,
  detach_copy: clone,
  to,
  type_as: (c) => emit.cast(c.g, c.tensor('self'), c.tensor('other').dtype),
  _to_copy: to,
  _autocast_to_reduced_precision: itself,
  _autocast_to_full_precision: itself,
  _cast_Float: castTo('float32'),
  _cast_Double: castTo('float64'),
  _cast_Half: castTo('float16'),
  _cast_Long: castTo('int64'),
  _cast_Int: castTo('int32'),
  _cast_Short: castTo('int16'),
  _cast_Char: castTo('int8'),
  _cast_Byte: castTo('uint8'),
  copy_: copyInto,
  fill_: fillInto,
  zero_: fillInto,
  fill: filled,
  copy: (c) => emit.expand(c.g, emit.cast(c.g, c.tensor('src'), c.tensor('self').dtype), c.tensor('self').shape),
  broadcast_tensors: (c) => {
    const all = c.tensors('tensors')
    const shape = emit.broadcastShapes(c.g, ...all.map((t) => t.shape))
    return all.map((t) => emit.expand(c.g, t, shape))
  },
}
