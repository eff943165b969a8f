import { dims, emit, scalar, type Value, vector } from '@eas/onnx'
import { type Call, type Lower, type OpTable, tuple } from '../call.ts'
import { like } from './helpers.ts'

/** Sorting, and what is distinct. Torch: aten/src/ATen/native/{Sorting,Unique}.cpp (2.4). */

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
  const inverseIfAsked = ifAsked(c, 'inverse', places)
  if (c.name === '_unique') return tuple(c.vm, distinct, inverseIfAsked)
  return tuple(c.vm, distinct, inverseIfAsked, ifAsked(c, 'counts', counts))
}

/** What was not asked for is a tensor of nothing. */
const ifAsked = (c: Call, what: 'inverse' | 'counts', value: Value): Value =>
  !c.has(`return_${what}`) || c.bool(`return_${what}`) ? value : vector([])

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
  const inverse = whole ? emit.reshape(c.g, run, given.shape) : run
  const counts = emit.binary(c.g, 'Sub', ends, places)
  return tuple(c.vm, emit.gather(c.g, x, places, axis), ifAsked(c, 'inverse', inverse), ifAsked(c, 'counts', counts))
}

const bincount: Lower = (c) => {
  const x = emit.cast(c.g, c.tensor('self'), 'int64')
  const least = c.dim('minlength')
  // Of nothing there is no greatest.
  const greatest = emit.reduce(c.g, 'ReduceMax', emit.concat(c.g, [x, vector([-1])], 0), [0])
  const top = emit.binary(c.g, 'Add', greatest, scalar('int64', 1))
  const size = c.g.scalarDim(
    emit.binary(c.g, 'Max', top, scalar('int64', least)),
    typeof least === 'number' ? least : 0,
  )
  const weights = c.optionalTensor('weights') ?? emit.expand(c.g, scalar('int64', 1), x.shape)
  const zeros = emit.full(c.g, [size], like(weights, 0))
  return emit.scatterElements(c.g, zeros, x, weights, 0, 'add')
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

export const orderingOps: OpTable = {
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
  cummax: cumulativeExtreme(true),
  cummin: cumulativeExtreme(false),
}
