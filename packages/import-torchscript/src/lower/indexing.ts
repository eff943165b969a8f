import { type Dim, dims, emit, scalar, type Value } from '@eas/onnx'
import type { Call, Lower, OpTable } from '../call.ts'
import { TensorRef } from '../tensor-ref.ts'
import type { Py } from '../values.ts'
import { like, sumType } from './helpers.ts'

/** Reading and writing at indices that tensors hold. Torch: aten/src/ATen/native/TensorAdvancedIndexing.cpp (2.4). */

/** Negative indices count from the back; ONNX takes them in Gather, not everywhere. */
export function fromFront(c: Call, index: Value, length: Dim): Value {
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
export const row = ({ g }: Call, x: Value): Value => (x.shape.length === 0 ? emit.reshape(g, x, [1]) : x)

const gather: Lower = (c) => {
  const x = row(c, c.tensor('self'))
  const indices = emit.strictIndex(c.g, c.tensor('index'))
  const y = emit.gatherElements(c.g, x, row(c, indices), c.axis('dim', x.shape.length))
  return emit.reshape(c.g, y, indices.shape)
}

const indexSelect: Lower = (c) => {
  const x = c.tensor('self')
  if (x.shape.length === 0) return x
  return emit.gather(c.g, x, emit.strictIndex(c.g, emit.flat(c.g, c.tensor('index'))), c.axis('dim', x.shape.length))
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

export const indexOps: OpTable = {
  index,
  _unsafe_index: index,
  index_put: indexPut,
  _index_put_impl: indexPut,
  _unsafe_index_put: indexPut,
  gather,
  index_select: indexSelect,
  masked_select: maskedSelect,
  masked_scatter: maskedScatter,
  take,
  take_along_dim: takeAlong,
  nonzero,
  nonzero_numpy: nonzero,
  argwhere: nonzero,
}
