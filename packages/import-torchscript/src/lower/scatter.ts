import { type Dim, dims, emit, refuse, scalar, type Value } from '@eas/onnx'
import type { Call, Lower, OpTable, Result } from '../call.ts'
import { floorDivide } from './elementwise.ts'
import { isWhole, like, type Reduction, sumType } from './helpers.ts'
import { fromFront, row } from './indexing.ts'
import { spliced } from './views.ts'

/** Writing along an axis at indices that tensors hold. Torch: aten/src/ATen/native/TensorAdvancedIndexing.cpp (2.4). */

function scatterElements(
  { g }: Call,
  x: Value,
  indices: Value,
  updates: Value,
  axis: number,
  reduction: Reduction,
): Value {
  const dtype = sumType(x.dtype, reduction)
  const [wide, by] = [emit.cast(g, x, dtype), emit.cast(g, updates, dtype)]
  return emit.cast(g, emit.scatterElements(g, wide, indices, by, axis, reduction), x.dtype)
}

const reductions: Readonly<Record<string, 'add' | 'mul' | 'max' | 'min'>> = {
  add: 'add',
  sum: 'add',
  multiply: 'mul',
  prod: 'mul',
  amax: 'max',
  amin: 'min',
}

/** `scatter`, with a number or a tensor, and its reductions. */
const scatter =
  (fixed?: 'add'): Lower =>
  (c) => {
    const given = c.tensor('self')
    const x = row(c, given)
    const axis = c.axis('dim', x.shape.length)
    const indices = row(c, emit.strictIndex(c.g, c.tensor('index')))
    const source = c.has('src') ? c.tensor('src') : c.operand('value').value
    const name = c.has('reduce') ? c.optionalString('reduce') : undefined
    const updates = updatesFor(c, emit.cast(c.g, source, x.dtype), indices)
    const reduction = fixed ?? (name === undefined ? 'none' : reductionOf(name))
    return emit.reshape(c.g, scatterElements(c, x, indices, updates, axis, reduction), given.shape)
  }

function reductionOf(name: string): 'add' | 'mul' | 'max' | 'min' {
  const reduction = reductions[name]
  if (!reduction) throw refuse(`a scatter that reduces by ${name}`)
  return reduction
}

/** As much of the source as there are indices: torch takes a larger one. */
function updatesFor(c: Call, source: Value, indices: Value): Value {
  if (source.shape.length === 0) return emit.expand(c.g, source, indices.shape)
  let updates = source
  for (const [axis, size] of indices.shape.entries()) {
    if (!dims.same(updates.shape[axis] ?? 1, size)) updates = emit.slice(c.g, updates, axis, 0, size)
  }
  return updates
}

const scatterReduce: Lower = (c) => {
  const given = c.tensor('self')
  const x = row(c, given)
  const axis = c.axis('dim', x.shape.length)
  const indices = row(c, emit.strictIndex(c.g, c.tensor('index')))
  const updates = updatesFor(c, emit.cast(c.g, c.tensor('src'), x.dtype), indices)
  return emit.reshape(c.g, reducedInto(c, x, indices, updates, axis), given.shape)
}

/** What `updates` come to at each index, with what `self` holds there unless `include_self` says otherwise. */
function reducedInto(c: Call, x: Value, indices: Value, updates: Value, axis: number): Value {
  const { g } = c
  const name = c.string('reduce')
  const include = !c.has('include_self') || c.bool('include_self')
  const reduction = name === 'mean' ? 'add' : reductionOf(name)
  let start = x
  const zeros = emit.full(g, x.shape, scalar('int32', 0))
  const hits = emit.expand(g, scalar('int32', 1), indices.shape)
  const count = (): Value => emit.scatterElements(g, zeros, indices, hits, axis, 'add')
  if (!include) {
    // One of the updates in the place of what `self` holds is no further element of a maximum or minimum.
    const isExtreme = reduction === 'max' || reduction === 'min'
    const touched = emit.compare(g, 'Greater', count(), scalar('int32', 0))
    start = isExtreme
      ? emit.scatterElements(g, x, indices, updates, axis)
      : emit.where(g, touched, like(x, reduction === 'mul' ? 1 : 0), x)
  }
  const total = scatterElements(c, start, indices, updates, axis, reduction)
  if (name !== 'mean') return total
  const by = emit.binary(g, include ? 'Add' : 'Max', count(), scalar('int32', 1))
  const divisor = emit.cast(g, by, x.dtype)
  return isWhole(x) ? floorDivide(c, total, divisor) : emit.binary(g, 'Div', total, divisor)
}

/** The same of slices along an axis. */
const indexReduce: Lower = (c) => {
  const given = c.tensor('self')
  const x = row(c, given)
  const axis = c.axis('dim', x.shape.length)
  const { wide, shape } = alongSlices(c, x, axis)
  const updates = emit.expand(c.g, row(c, emit.cast(c.g, c.tensor('source'), x.dtype)), shape)
  return emit.reshape(c.g, reducedInto(c, x, wide, updates, axis), given.shape)
}

/** `index` as long as the slices it names, and the shape of them all. */
function alongSlices(c: Call, x: Value, axis: number): { wide: Value; shape: readonly Dim[] } {
  const indices = row(c, emit.cast(c.g, c.tensor('index'), 'int64'))
  const shape = x.shape.map((d, i) => (i === axis ? (indices.shape[0] ?? 1) : d))
  const standing = shape.map((d, i) => (i === axis ? d : 1))
  return { wide: emit.expand(c.g, emit.reshape(c.g, indices, standing), shape), shape }
}

/** Slices of `self` at `index` along an axis replaced by, or combined with, those of the source. */
const indexWrite =
  (reduction: 'none' | 'add'): Lower =>
  (c) => {
    const given = c.tensor('self')
    const x = row(c, given)
    const axis = c.axis('dim', x.shape.length)
    const { wide, shape } = alongSlices(c, x, axis)
    const source = c.has('source') ? c.tensor('source') : c.operand('value').value
    const alpha = c.has('alpha') ? (c.optionalFloat('alpha') ?? 1) : 1
    const cast = emit.cast(c.g, source, x.dtype)
    const updates = emit.expand(c.g, alpha === 1 ? cast : emit.binary(c.g, 'Mul', cast, like(x, alpha)), shape)
    return emit.reshape(c.g, scatterElements(c, x, wide, updates, axis, reduction), given.shape)
  }

/** `put_` writes to places counted through all dimensions. */
const put: Lower = (c) => {
  const x = c.tensor('self')
  const indices = fromFront(c, emit.flat(c.g, c.tensor('index')), dims.product(x.shape))
  const updates = emit.flat(c.g, emit.cast(c.g, c.tensor('source'), x.dtype))
  const reduction = c.bool('accumulate') ? 'add' : 'none'
  return emit.reshape(c.g, scatterElements(c, emit.flat(c.g, x), indices, updates, 0, reduction), x.shape)
}

/** A slice of `self` replaced, without changing it. */
const sliceScatter: Lower = (c): Result => {
  const x = c.tensor('self')
  const axis = c.axis('dim', x.shape.length)
  const src = emit.cast(c.g, c.tensor('src'), x.dtype)
  const length = x.shape[axis] ?? 1
  const isSelect = c.name === 'select_scatter'
  const index = isSelect ? c.dim('index') : 0
  const from = isSelect
    ? typeof index === 'number' && index < 0
      ? dims.add(length, index)
      : index
    : (c.optionalDim('start') ?? 0)
  const [start, end] = emit.clampSlice(
    c.g,
    length,
    from,
    isSelect ? dims.add(from, 1) : (c.optionalDim('end') ?? emit.sliceToEnd),
  )
  const step = isSelect ? 1 : c.int('step')
  if (step !== 1) return spliced(c.g, x, src, axis, start, end, step)
  const middle = isSelect ? emit.unsqueeze(c.g, src, [axis]) : src
  return emit.concat(c.g, [emit.slice(c.g, x, axis, 0, start), middle, emit.slice(c.g, x, axis, end, length)], axis)
}

export const scatterOps: OpTable = {
  scatter: scatter(),
  scatter_add: scatter('add'),
  scatter_reduce: scatterReduce,
  index_add: indexWrite('add'),
  index_reduce: indexReduce,
  index_copy: indexWrite('none'),
  index_fill: indexWrite('none'),
  put,
  slice_scatter: sliceScatter,
  select_scatter: sliceScatter,
}
