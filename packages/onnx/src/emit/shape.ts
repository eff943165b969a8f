import {
  add,
  bounds,
  type Dim,
  equal,
  floorDiv,
  isStatic,
  max,
  min,
  mul,
  neg,
  product,
  same,
  sameShape,
  sub,
} from '../dim.ts'
import type { GraphBuilder } from '../graph-builder.ts'
import { refuse } from '../importer.ts'
import { maxElements, scalar, type Value, vector } from '../value.ts'
import { cast } from './elementwise.ts'
import { kernelType } from './kernels.ts'

/** `axis` counted from the front. @throws {ImportRefusal} When there is no such axis. */
export function axisOf(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis
  if (positive < 0 || positive >= Math.max(rank, 1)) throw refuse(`axis ${axis} of a tensor of ${rank} dimensions`)
  return positive
}

/** Sizes of a value as an int64 vector; emits nothing by itself. */
export const shapeOf = (x: Value): Value => vector(x.shape)

/**
 * The same elements in another shape. Where one size at most would have to be computed, it is left for the runtime to infer
 * and sizes that stay in place are copied, so that no node computes a shape.
 */
export function reshape(g: GraphBuilder, x: Value, shape: readonly Dim[]): Value {
  if (sameShape(x.shape, shape)) return x
  if (x.elements) return { ...x, shape }
  if (x.content && isStatic(shape) && isStatic(x.shape)) return { ...x, shape }
  // A chain of two Reshapes is fine: the runtime fuses it.
  return g.one('Reshape', [x, reshapeTarget(x.shape, shape)], x.dtype, shape, shape.includes(0) ? { allowzero: 1 } : {})
}

function reshapeTarget(from: readonly Dim[], to: readonly Dim[]): Value {
  if (to.includes(0)) return vector(to)
  const target: Dim[] = to.map((d, i) => (typeof d !== 'number' && from[i] !== undefined && same(d, from[i]) ? 0 : d))
  const open = target.map((d, i) => (typeof d === 'number' ? -1 : i)).filter((i) => i >= 0)
  const [first] = open
  // With -1 the runtime divides by the other sizes: those must not be zero when the data decide.
  const others = to.filter((_, i) => i !== first)
  if (open.length === 1 && first !== undefined && others.every((d) => bounds(d)[0] > 0)) target[first] = -1
  return vector(target)
}

export function transpose(g: GraphBuilder, x: Value, perm: readonly number[]): Value {
  if (perm.every((p, i) => p === i)) return x
  return g.one(
    'Transpose',
    [x],
    x.dtype,
    perm.map((p) => x.shape[p] ?? 1),
    { perm },
  )
}

/** The permutation that exchanges two axes. */
export function swapped(rank: number, a: number, b: number): number[] {
  const perm = Array.from({ length: rank }, (_, i) => i)
  perm[a] = b
  perm[b] = a
  return perm
}

/** The permutation that undoes another. */
export function inverse(perm: readonly number[]): number[] {
  const result = new Array<number>(perm.length)
  for (const [i, p] of perm.entries()) result[p] = i
  return result
}

/** New dimensions of 1 at `axes`, positions in the result, ascending. */
export function unsqueeze(g: GraphBuilder, x: Value, axes: readonly number[]): Value {
  if (axes.length === 0) return x
  const rest = [...x.shape]
  const shape: Dim[] = []
  for (let i = 0; i < x.shape.length + axes.length; i++) shape.push(axes.includes(i) ? 1 : (rest.shift() ?? 1))
  if (x.elements || x.content) return { ...x, shape }
  return g.one('Unsqueeze', [x, vector(axes)], x.dtype, shape)
}

/** Takes out dimensions of 1. */
export function squeeze(g: GraphBuilder, x: Value, axes: readonly number[]): Value {
  if (axes.length === 0) return x
  const shape = x.shape.filter((_, i) => !axes.includes(i))
  if (x.elements || x.content) return { ...x, shape }
  return g.one('Squeeze', [x, vector(axes)], x.dtype, shape)
}

/** Repeats dimensions of 1 until the shape is `shape`, which has at least as many dimensions. */
export function expand(g: GraphBuilder, x: Value, shape: readonly Dim[]): Value {
  if (sameShape(x.shape, shape)) return x
  const size = product(shape)
  if (x.elements?.length === 1 && typeof size === 'number' && size > 0 && size <= maxElements) {
    return { ...x, shape, elements: new Array<Dim>(size).fill(x.elements[0] ?? 0) }
  }
  const offset = shape.length - x.shape.length
  // ONNX Runtime's optimizer takes an Expand to no elements for one that changes nothing.
  const empty = shape.findIndex((d, i) => d === 0 && x.shape[i - offset] !== 0)
  if (empty >= 0) return slice(g, expand(g, x, shape.with(empty, 1)), empty, 0, 0)
  // A 1 keeps the size that is there, so only what really grows need be computed.
  const target = shape.map((d, i) => (i >= offset && same(x.shape[i - offset] ?? 1, d) ? 1 : d))
  return g.one('Expand', [x, vector(target)], x.dtype, shape)
}

/** A tensor of `shape` that holds one number throughout. */
export function full(g: GraphBuilder, shape: readonly Dim[], value: Value): Value {
  return expand(
    g,
    reshape(
      g,
      value,
      shape.map(() => 1),
    ),
    shape,
  )
}

/** Values one after the other along an axis. Their other sizes agree. */
export function concat(g: GraphBuilder, values: readonly Value[], axis: number): Value {
  const [first] = values
  if (!first) throw refuse('a concatenation of nothing')
  if (values.length === 1) return first
  const size = values.reduce<Dim>((total, v) => add(total, v.shape[axis] ?? 1), 0)
  const shape = first.shape.map((d, i) =>
    i === axis ? size : (values.map((v) => v.shape[i] ?? d).find((s) => typeof s === 'number') ?? d),
  )
  if (shape.length === 1 && values.every((v) => v.elements) && typeof size === 'number' && size <= maxElements) {
    return { dtype: first.dtype, shape, elements: values.flatMap((v) => v.elements ?? []) }
  }
  return g.one('Concat', values, first.dtype, shape, { axis })
}

/**
 * Elements `start`, `start + step`, … below `end` of an axis. Both ends are counted from the front and lie within the
 * axis, as `clampSlice` makes them; `step` is positive.
 */
export function slice(g: GraphBuilder, x: Value, axis: number, start: Dim, end: Dim, step = 1): Value {
  const length = x.shape[axis] ?? 1
  if (step === 1 && start === 0 && same(end, length)) return x
  const count = step === 1 ? sub(end, start) : floorDiv(add(sub(end, start), step - 1), step)
  const shape = x.shape.map((d, i) => (i === axis ? count : d))
  if (x.elements && x.shape.length === 1 && typeof start === 'number' && typeof end === 'number') {
    return { dtype: x.dtype, shape, elements: x.elements.slice(start, end).filter((_, i) => i % step === 0) }
  }
  // The end of the axis need not be computed: more than there is means all of it.
  const last: Dim = same(end, length) ? sliceToEnd : end
  return g.one('Slice', [x, vector([start]), vector([last]), vector([axis]), vector([step])], x.dtype, shape)
}

/** As far as a slice goes; kept below 2^53 so that it is a number of its own. */
export const sliceToEnd = Number.MAX_SAFE_INTEGER

/** Python's reading of the ends of a slice: negative ones count from the back, and none leaves the axis. */
export function clampSlice(g: GraphBuilder, length: Dim, start: Dim, end: Dim): [start: Dim, end: Dim] {
  const place = (d: Dim): Dim => {
    if (typeof d === 'number' && d >= sliceToEnd) return length
    const [low] = bounds(d)
    const negative = low < 0 ? g.guards.decide(d, '<', 0) : false
    // Where only the data tell: the length is added once if the number is negative, and no time if not.
    const from =
      negative === undefined
        ? max(add(d, mul(length, min(max(neg(d), 0), 1))), 0)
        : negative
          ? max(add(d, length), 0)
          : d
    if (equal(from, length) === true) return length
    return within(g, from, length)
  }
  const first = place(start)
  const last = place(end)
  return [first, max(first, last)]
}

/** `min(d, length)`, settled by a guard rather than computed where the shapes of the inputs can settle it. */
function within(g: GraphBuilder, d: Dim, length: Dim): Dim {
  const inside = g.guards.decide(d, '<=', length)
  return inside === undefined ? min(d, length) : inside ? d : length
}

/** One index of an axis, which goes. `index` is counted from the front, or is negative and fixed. */
export function select(g: GraphBuilder, x: Value, axis: number, index: Dim): Value {
  const shape = x.shape.filter((_, i) => i !== axis)
  if (x.elements && x.shape.length === 1 && typeof index === 'number') {
    const element = x.elements.at(index)
    if (element !== undefined) return { dtype: x.dtype, shape, elements: [element] }
  }
  return g.one('Gather', [x, scalar('int64', index)], x.dtype, shape, { axis })
}

/** `count` copies along each axis. */
export function tile(g: GraphBuilder, x: Value, repeats: readonly Dim[]): Value {
  if (repeats.every((r) => r === 1)) return x
  return g.one(
    'Tile',
    [x, vector(repeats)],
    x.dtype,
    x.shape.map((d, i) => mul(d, repeats[i] ?? 1)),
  )
}

/** Consecutive whole numbers from `start` to `end`, exclusive, in steps of `step`. */
export function range(g: GraphBuilder, start: Dim, end: Dim, step = 1): Value {
  const count = max(
    0,
    step > 0 ? floorDiv(add(sub(end, start), step - 1), step) : floorDiv(add(sub(start, end), -step - 1), -step),
  )
  if (typeof count === 'number' && count <= maxElements) {
    return { dtype: 'int64', shape: [count], elements: Array.from({ length: count }, (_, i) => add(start, i * step)) }
  }
  return g.one('Range', [scalar('int64', start), scalar('int64', end), scalar('int64', step)], 'int64', [count])
}

/**
 * Elements added around each axis: `before` and `after` per axis, negative to take some off.
 * @param mode ONNX's: `constant`, `reflect`, `edge`, `wrap`.
 */
export function pad(
  g: GraphBuilder,
  x: Value,
  before: readonly Dim[],
  after: readonly Dim[],
  mode = 'constant',
  value?: Value,
): Value {
  if ([...before, ...after].every((p) => p === 0)) return x
  const shape = x.shape.map((d, i) => add(d, add(before[i] ?? 0, after[i] ?? 0)))
  const kernel = kernelType('Pad', x.dtype)
  const margins = vector([...before, ...after])
  const padded = g.one('Pad', [cast(g, x, kernel), margins, value && cast(g, value, kernel)], kernel, shape, { mode })
  return cast(g, padded, x.dtype)
}
