import { type Dim, dims, type ElementType, emit, refuse, scalar, type Value, vector } from '@eas/onnx'
import { type Call, type Lower, type OpTable, type Result, tuple } from '../call.ts'
import { TensorRef } from '../tensor-ref.ts'
import type { Py } from '../values.ts'
import { floorDivide } from './elementwise.ts'
import { isWhole, like } from './helpers.ts'
import { spliced } from './views.ts'

/** Reading and writing at indices that tensors hold. Torch: aten/src/ATen/native/TensorAdvancedIndexing.cpp (2.4). */

/** Negative indices count from the back; ONNX takes them in Gather, not everywhere. */
function fromFront(c: Call, index: Value, length: Dim): Value {
  const i = emit.toIndex(c.g, index)
  if (i.elements?.every((e) => typeof e === 'number' && e >= 0)) return i
  const negative = emit.compare(c.g, 'Less', i, like(i, 0))
  return emit.where(c.g, negative, emit.binary(c.g, 'Add', i, emit.cast(c.g, scalar('int64', length), i.dtype)), i)
}

interface Indexing {
  /** Axes that are indexed, in order, with indices of one broadcast shape. */
  readonly axes: readonly number[]
  readonly indices: readonly Value[]
}

/** `x[a, :, mask]`: a mask stands for the coordinates of its true elements, one index per axis it covers. */
function indexing(c: Call, x: Value, items: readonly Py[]): Indexing {
  const axes: number[] = []
  const indices: Value[] = []
  let axis = 0
  for (const item of items) {
    if (!(item instanceof TensorRef)) {
      axis++
      continue
    }
    const value = c.vm.read(item)
    if (value.dtype === 'bool' || value.dtype === 'uint8') {
      const places = emit.nonZero(c.g, value)
      for (let i = 0; i < value.shape.length; i++) {
        axes.push(axis++)
        indices.push(emit.select(c.g, places, 1, i))
      }
    } else {
      axes.push(axis)
      indices.push(fromFront(c, value, x.shape[axis] ?? 1))
      axis++
    }
  }
  return { axes, indices: indices.map((i) => emit.cast(c.g, i, 'int64')) }
}

const index: Lower = (c) => {
  const x = c.tensor('self')
  const items = c.items('indices')
  const { axes, indices } = indexing(c, x, items)
  const [axis] = axes
  if (axis === undefined) return x
  if (indices.length === 1) return emit.gather(c.g, x, indices[0] as Value, axis) // one index is there
  const { moved, coordinates, contiguous } = toFront(c, x, axes, indices)
  const result = emit.gatherND(c.g, moved, coordinates)
  if (!contiguous || axis === 0) return result
  // Indices side by side: what they give stands where they stood.
  const count = coordinates.shape.length - 1
  const rank = result.shape.length
  const perm = [...range(count, count + axis), ...range(0, count), ...range(count + axis, rank)]
  return emit.transpose(c.g, result, perm)
}

const range = (from: number, to: number): number[] => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i)

/** The indexed axes first, and the coordinates in them: `[…, number of axes]`. */
function toFront(c: Call, x: Value, axes: readonly number[], indices: readonly Value[]) {
  const shape = emit.broadcastShapes(c.g, ...indices.map((i) => i.shape))
  const columns = indices.map((i) => emit.unsqueeze(c.g, emit.expand(c.g, i, shape), [shape.length]))
  const coordinates = emit.concat(c.g, columns, shape.length)
  const rest = range(0, x.shape.length).filter((a) => !axes.includes(a))
  const perm = [...axes, ...rest]
  const contiguous = axes.every((a, i) => a === (axes[0] ?? 0) + i)
  return { moved: emit.transpose(c.g, x, perm), coordinates, perm, contiguous }
}

const indexPut: Lower = (c) => {
  const x = c.tensor('self')
  const items = c.items('indices')
  const values = emit.cast(c.g, c.tensor('values'), x.dtype)
  const accumulate = c.bool('accumulate')
  const [only] = items
  // A mask of the leading axes and one number: no coordinates are needed.
  if (
    items.length === 1 &&
    only instanceof TensorRef &&
    only.dtype === 'bool' &&
    dims.product(values.shape) === 1 &&
    !accumulate
  ) {
    const mask = c.vm.read(only)
    const shaped = emit.reshape(c.g, mask, [...mask.shape, ...x.shape.slice(mask.shape.length).map(() => 1)])
    return emit.where(c.g, shaped, emit.reshape(c.g, values, []), x)
  }
  const { axes, indices } = indexing(c, x, items)
  const { moved, coordinates, perm, contiguous } = toFront(c, x, axes, indices)
  const count = coordinates.shape.length - 1
  const rest = moved.shape.slice(axes.length)
  const full = [...coordinates.shape.slice(0, -1), ...rest]
  const [axis = 0] = axes
  let updates: Value
  if (contiguous && axis > 0) {
    // Values have the shape of what indexing reads: the indexed part stands after `axis` others.
    const read = [...rest.slice(0, axis), ...coordinates.shape.slice(0, -1), ...rest.slice(axis)]
    const wide = emit.expand(c.g, values, read)
    updates = emit.transpose(c.g, wide, [
      ...range(axis, axis + count),
      ...range(0, axis),
      ...range(axis + count, read.length),
    ])
  } else updates = emit.expand(c.g, values, full)
  const written = scatterND(c, moved, coordinates, updates, accumulate ? 'add' : 'none')
  return emit.transpose(c.g, written, emit.inverse(perm))
}

function scatterND({ g }: Call, x: Value, coordinates: Value, updates: Value, reduction: 'none' | 'add'): Value {
  const dtype = sumType(x.dtype, reduction)
  const [wide, by] = [emit.cast(g, x, dtype), emit.cast(g, updates, dtype)]
  return emit.cast(g, emit.scatterND(g, wide, coordinates, by, reduction), x.dtype)
}

/** A tensor without dimensions is indexed as one of a single element. */
const row = ({ g }: Call, x: Value): Value => (x.shape.length === 0 ? emit.reshape(g, x, [1]) : x)

const gather: Lower = (c) => {
  const x = row(c, c.tensor('self'))
  const indices = emit.toIndex(c.g, c.tensor('index'))
  const y = emit.gatherElements(c.g, x, row(c, indices), c.axis('dim', x.shape.length))
  return emit.reshape(c.g, y, indices.shape)
}

type Reduction = 'none' | 'add' | 'mul' | 'max' | 'min'

/** ONNX Runtime scatters and reduces no half floats, and no bools, which are added as `or`. */
const sumType = (dtype: ElementType, reduction: Reduction): ElementType =>
  reduction === 'none' ? dtype : dtype === 'float16' ? 'float32' : dtype === 'bool' ? 'int32' : dtype

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
    const indices = row(c, emit.toIndex(c.g, c.tensor('index')))
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
  const indices = row(c, emit.toIndex(c.g, c.tensor('index')))
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

const indexSelect: Lower = (c) => {
  const x = c.tensor('self')
  if (x.shape.length === 0) return x
  return emit.gather(c.g, x, emit.toIndex(c.g, emit.flat(c.g, c.tensor('index'))), c.axis('dim', x.shape.length))
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

const maskedSelect: Lower = (c) => {
  const [x, mask] = [row(c, c.tensor('self')), row(c, c.tensor('mask'))]
  const shape = emit.broadcastShapes(c.g, x.shape, mask.shape)
  const places = emit.nonZero(c.g, emit.expand(c.g, mask, shape))
  return emit.gatherND(c.g, emit.expand(c.g, x, shape), places)
}

/** The source's elements, in order, at the true places of the mask. */
const maskedScatter: Lower = (c) => {
  const [x, mask] = [c.tensor('self'), c.tensor('mask')]
  const shape = emit.broadcastShapes(c.g, x.shape, mask.shape)
  const places = emit.nonZero(c.g, emit.expand(c.g, mask, shape))
  const source = emit.flat(c.g, emit.cast(c.g, c.tensor('source'), x.dtype))
  const updates = emit.slice(c.g, source, 0, 0, places.shape[0] ?? 0)
  return emit.scatterND(c.g, emit.expand(c.g, x, shape), places, updates)
}

/** `put_` writes to places counted through all dimensions. */
const put: Lower = (c) => {
  const x = c.tensor('self')
  const indices = fromFront(c, emit.flat(c.g, c.tensor('index')), dims.product(x.shape))
  const updates = emit.flat(c.g, emit.cast(c.g, c.tensor('source'), x.dtype))
  const reduction = c.bool('accumulate') ? 'add' : 'none'
  return emit.reshape(c.g, scatterElements(c, emit.flat(c.g, x), indices, updates, 0, reduction), x.shape)
}

const take: Lower = (c) => emit.gather(c.g, emit.flat(c.g, c.tensor('self')), emit.toIndex(c.g, c.tensor('index')), 0)

const takeAlong: Lower = (c) => {
  if (c.py('dim') === null)
    return emit.gather(c.g, emit.flat(c.g, c.tensor('self')), emit.flat(c.g, c.tensor('indices')), 0)
  const x = c.tensor('self')
  const indices = emit.toIndex(c.g, c.tensor('indices'))
  const axis = c.axis('dim', x.shape.length)
  const shape = emit.broadcastShapes(
    c.g,
    x.shape.map((d, i) => (i === axis ? 1 : d)),
    indices.shape.map((d, i) => (i === axis ? 1 : d)),
  )
  const fit = (v: Value): Value =>
    emit.expand(
      c.g,
      v,
      shape.map((d, i) => (i === axis ? (v.shape[i] ?? 1) : d)),
    )
  return emit.gatherElements(c.g, fit(x), fit(indices), axis)
}

const nonzero: Lower = (c) => {
  const x = c.tensor('self')
  const places = emit.nonZero(c.g, row(c, x))
  if (c.name === 'nonzero_numpy') return row(c, x).shape.map((_, axis) => emit.select(c.g, places, 1, axis))
  // A tensor without dimensions has elements, but no coordinates.
  return x.shape.length === 0 ? emit.slice(c.g, places, 1, 0, 0) : places
}

const topk: Lower = (c) => {
  const x = c.tensor('self')
  if (x.shape.length === 0) return tuple(c.vm, x, scalar('int64', 0))
  const [values, indices] = emit.topK(c.g, x, c.dim('k'), c.axis('dim', x.shape.length), {
    largest: c.bool('largest'),
    sorted: c.bool('sorted'),
  })
  return tuple(c.vm, values, indices)
}

/** A whole axis in order. ONNX's TopK puts the first of equals first in both directions, as a stable sort does. */
function sorted(c: Call, descending: boolean): [Value, Value] {
  const x = c.tensor('self')
  if (x.shape.length === 0) return [x, scalar('int64', 0)]
  const axis = c.has('dim') ? c.axis('dim', x.shape.length) : x.shape.length - 1
  return emit.topK(c.g, x, x.shape[axis] ?? 1, axis, { largest: descending })
}

const sort: Lower = (c) => tuple(c.vm, ...sorted(c, c.bool('descending')))

const kthValue: Lower = (c) => {
  const x = c.tensor('self')
  if (x.shape.length === 0) return tuple(c.vm, x, scalar('int64', 0))
  const axis = c.axis('dim', x.shape.length)
  const k = c.dim('k')
  const both = emit.topK(c.g, x, k, axis, { largest: false })
  const at = dims.sub(k, 1)
  const pick = (v: Value): Value =>
    c.bool('keepdim') ? emit.slice(c.g, v, axis, at, k) : emit.select(c.g, v, axis, at)
  return tuple(c.vm, ...both.map(pick))
}

/** Sorted distinct elements, where each was, and how often. */
const unique: Lower = (c) => {
  const x = c.tensor('self')
  const axis = c.name === 'unique_dim' ? c.axis('dim', x.shape.length) : undefined
  const kernel = emit.kernelType('Unique', x.dtype)
  const n = c.g.freshDim('unique')
  const shape = axis === undefined ? [n] : x.shape.map((d, i) => (i === axis ? n : d))
  const length = axis === undefined ? dims.product(x.shape) : (x.shape[axis] ?? 1)
  const [values, , inverse, counts] = c.g.node(
    'Unique',
    [emit.cast(c.g, x, kernel)],
    [
      { dtype: kernel, shape },
      { dtype: 'int64', shape: [n] },
      { dtype: 'int64', shape: [length] },
      { dtype: 'int64', shape: [n] },
    ],
    { sorted: 1, axis },
  ) as [Value, Value, Value, Value] // four types were given
  const places = axis === undefined ? emit.reshape(c.g, inverse, x.shape) : inverse
  const distinct = emit.cast(c.g, values, x.dtype)
  return c.name === '_unique' ? tuple(c.vm, distinct, places) : tuple(c.vm, distinct, places, counts)
}

/** Runs of equal elements, or of equal slices along an axis. */
const uniqueConsecutive: Lower = (c) => {
  const given = c.tensor('self')
  const whole = c.py('dim') === null
  const x = whole ? emit.flat(c.g, given) : given
  const axis = whole ? 0 : c.axis('dim', x.shape.length)
  const n = x.shape[axis] ?? 1
  const apart = emit.not(
    c.g,
    emit.compare(c.g, 'Equal', emit.slice(c.g, x, axis, 1, n), emit.slice(c.g, x, axis, 0, dims.sub(n, 1))),
  )
  const others = emit.allAxes(x).filter((a) => a !== axis)
  const differs = emit.cast(c.g, emit.reduce(c.g, 'ReduceMax', emit.cast(c.g, apart, 'uint8'), others), 'bool')
  // The first begins a run, if there is a first.
  const first = emit.slice(c.g, emit.full(c.g, [n], scalar('bool', 1)), 0, 0, 1)
  const starts = emit.concat(c.g, [first, differs], 0)
  const run = emit.binary(c.g, 'Sub', emit.cumSum(c.g, emit.cast(c.g, starts, 'int64'), 0), scalar('int64', 1))
  const places = emit.flat(c.g, emit.nonZero(c.g, starts))
  const ends = emit.concat(c.g, [emit.slice(c.g, places, 0, 1, places.shape[0] ?? 1), vector([n])], 0)
  return tuple(
    c.vm,
    emit.gather(c.g, x, places, axis),
    whole ? emit.reshape(c.g, run, given.shape) : run,
    emit.binary(c.g, 'Sub', ends, places),
  )
}

const bincount: Lower = (c) => {
  const x = emit.cast(c.g, c.tensor('self'), 'int64')
  const least = c.int('minlength')
  const top = emit.binary(c.g, 'Add', emit.reduce(c.g, 'ReduceMax', x, [0]), scalar('int64', 1))
  const size = c.g.scalarDim(emit.binary(c.g, 'Max', top, scalar('int64', least)), least)
  const weights = c.optionalTensor('weights') ?? emit.expand(c.g, scalar('int64', 1), x.shape)
  const zeros = emit.full(c.g, [size], like(weights, 0))
  return emit.scatterElements(c.g, zeros, x, weights, 0, 'add')
}

/** Where values belong among sorted boundaries: the number of boundaries below them. */
function search(c: Call, boundaries: Value, values: Value, right: boolean, int32: boolean): Value {
  const { g } = c
  const rank = values.shape.length
  const wide = emit.unsqueeze(g, values, [rank])
  const against =
    boundaries.shape.length === 1 ? boundaries : emit.unsqueeze(g, boundaries, [boundaries.shape.length - 1])
  const dtype = boundaries.dtype === values.dtype ? values.dtype : 'float64'
  const below = emit.compare(g, right ? 'LessOrEqual' : 'Less', emit.cast(g, against, dtype), emit.cast(g, wide, dtype))
  const count = emit.reduce(g, 'ReduceSum', emit.cast(g, below, 'int64'), [rank])
  return int32 ? emit.cast(g, count, 'int32') : count
}

const bucketize: Lower = (c) =>
  search(c, c.tensor('boundaries'), c.operand('self').value, c.bool('right'), c.bool('out_int32'))

const searchSorted: Lower = (c) => {
  const side = c.has('side') ? c.optionalString('side') : undefined
  return search(
    c,
    c.tensor('sorted_sequence'),
    c.operand('self').value,
    side === undefined ? c.bool('right') : side === 'right',
    c.bool('out_int32'),
  )
}

const isIn: Lower = (c) => {
  const [x, tests] = [c.operand('elements').value, emit.flat(c.g, c.operand('test_elements').value)]
  const rank = x.shape.length
  const hit = emit.compare(c.g, 'Equal', emit.unsqueeze(c.g, x, [rank]), emit.cast(c.g, tests, x.dtype))
  const any = emit.cast(c.g, emit.reduce(c.g, 'ReduceMax', emit.cast(c.g, hit, 'uint8'), [rank]), 'bool')
  return c.bool('invert') ? emit.not(c.g, any) : any
}

/** Running extremes by comparing each element with all before it. */
const cumulativeExtreme =
  (max: boolean): Lower =>
  (c) => {
    const x = c.tensor('self')
    const { g } = c
    const rank = x.shape.length
    if (rank === 0) return tuple(c.vm, x, scalar('int64', 0))
    const axis = c.axis('dim', rank)
    const last = emit.transpose(g, x, emit.swapped(rank, axis, rank - 1))
    const n = last.shape[rank - 1] ?? 1
    const [mine, others] = [emit.iota(g, n, 0, 2), emit.iota(g, n, 1, 2)]
    const seen = emit.compare(g, 'LessOrEqual', others, mine)
    const wide = emit.unsqueeze(g, last, [rank - 1])
    // The first is before all: in the place of those to come it changes nothing.
    const before = emit.where(g, seen, wide, emit.slice(g, wide, rank, 0, 1))
    const values = emit.reduce(g, max ? 'ReduceMax' : 'ReduceMin', before, [rank])
    const found = emit.compare(g, 'And', seen, emit.compare(g, 'Equal', wide, emit.unsqueeze(g, values, [rank])))
    // The last of equals counts.
    const places = emit.reduce(g, 'ReduceMax', emit.where(g, found, others, scalar('int64', 0)), [rank])
    const back = (v: Value): Value => emit.transpose(g, v, emit.swapped(rank, axis, rank - 1))
    return tuple(c.vm, back(values), back(places))
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

export const indexOps: OpTable = {
  index,
  _unsafe_index: index,
  index_put: indexPut,
  _index_put_impl: indexPut,
  _unsafe_index_put: indexPut,
  gather,
  scatter: scatter(),
  scatter_add: scatter('add'),
  scatter_reduce: scatterReduce,
  index_select: indexSelect,
  index_add: indexWrite('add'),
  index_reduce: indexReduce,
  index_copy: indexWrite('none'),
  index_fill: indexWrite('none'),
  masked_select: maskedSelect,
  masked_scatter: maskedScatter,
  take,
  put,
  take_along_dim: takeAlong,
  nonzero,
  nonzero_numpy: nonzero,
  argwhere: nonzero,
  topk,
  sort,
  msort: (c) => {
    const x = c.tensor('self')
    return emit.topK(c.g, x, x.shape[0] ?? 1, 0, { largest: false })[0]
  },
  argsort: (c) => sorted(c, c.bool('descending'))[1],
  kthvalue: kthValue,
  _unique2: unique,
  _unique: unique,
  unique_dim: unique,
  unique_consecutive: uniqueConsecutive,
  unique_dim_consecutive: uniqueConsecutive,
  bincount,
  bucketize,
  searchsorted: searchSorted,
  isin: isIn,
  cummax: cumulativeExtreme(true),
  cummin: cumulativeExtreme(false),
  slice_scatter: sliceScatter,
  select_scatter: sliceScatter,
}
