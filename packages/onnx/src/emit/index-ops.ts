import { type Dim, isStatic, product } from '../dim.ts'
import type { ElementType } from '../element-type.ts'
import type { GraphBuilder } from '../graph-builder.ts'
import { maxElements, scalar, type Value, vector } from '../value.ts'
import { cast } from './elementwise.ts'
import { kernelType } from './kernels.ts'
import { reshape, transpose } from './shape.ts'

/** Slices of `x` along `axis` at `indices`, whose shape takes the axis's place. */
export function gather(g: GraphBuilder, x: Value, indices: Value, axis: number): Value {
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)]
  if (
    x.elements &&
    x.shape.length === 1 &&
    indices.elements &&
    isStatic(indices.elements) &&
    indices.elements.length <= maxElements
  ) {
    const source = x.elements
    return { dtype: x.dtype, shape, elements: indices.elements.map((i) => source.at(i) ?? 0) }
  }
  return g.one('Gather', [x, indices], x.dtype, shape, { axis })
}

/** `out[i][j] = x[indices[i][j]][j]`, for axis 0. */
export const gatherElements = (g: GraphBuilder, x: Value, indices: Value, axis: number): Value =>
  g.one('GatherElements', [x, indices], x.dtype, indices.shape, { axis })

/** Entries of `x` at the coordinates in the last axis of `indices`, after `batch` shared axes. */
export function gatherND(g: GraphBuilder, x: Value, indices: Value, batch = 0): Value {
  const depth = indices.shape.at(-1) as number // coordinates are counted when the node is made
  const shape = [...indices.shape.slice(0, -1), ...x.shape.slice(batch + depth)]
  return g.one('GatherND', [x, indices], x.dtype, shape, { batch_dims: batch })
}

type Reduction = 'none' | 'add' | 'mul' | 'max' | 'min'

/** `x` with `updates` put at, or combined with, the coordinates in the last axis of `indices`. */
export const scatterND = (
  g: GraphBuilder,
  x: Value,
  indices: Value,
  updates: Value,
  reduction: Reduction = 'none',
): Value => g.one('ScatterND', [x, indices, updates], x.dtype, x.shape, { reduction })

/** `x` with `x[indices[i][j]][j] = updates[i][j]`, for axis 0, or combined with it. */
export const scatterElements = (
  g: GraphBuilder,
  x: Value,
  indices: Value,
  updates: Value,
  axis: number,
  reduction: Reduction = 'none',
): Value => g.one('ScatterElements', [x, indices, updates], x.dtype, x.shape, { axis, reduction })

/** Coordinates of what is not zero, one row each: int64 `[n, rank]` with `n` known by a run only. */
export function nonZero(g: GraphBuilder, x: Value): Value {
  const n = g.freshDim('nonzero')
  const columns = g.one('NonZero', [cast(g, x, kernelType('NonZero', x.dtype))], 'int64', [x.shape.length, n])
  return transpose(g, columns, [1, 0])
}

/** The `k` greatest or least along an axis, with their int64 positions. */
export function topK(
  g: GraphBuilder,
  x: Value,
  k: Dim,
  axis: number,
  options: { largest?: boolean; sorted?: boolean } = {},
): [values: Value, indices: Value] {
  const { largest = true, sorted = true } = options
  const kernel = kernelType('TopK', x.dtype)
  const shape = x.shape.map((d, i) => (i === axis ? k : d))
  const [values, indices] = g.node(
    'TopK',
    [cast(g, x, kernel), vector([k])],
    [
      { dtype: kernel, shape },
      { dtype: 'int64', shape },
    ],
    { axis, largest: Number(largest), sorted: Number(sorted) },
  ) as [Value, Value] // two types were given
  return [cast(g, values, x.dtype), indices]
}

/** Running totals along an axis. */
export function cumSum(
  g: GraphBuilder,
  x: Value,
  axis: number,
  options: { exclusive?: boolean; reverse?: boolean } = {},
): Value {
  const kernel = kernelType('CumSum', x.dtype)
  const attributes = { exclusive: options.exclusive ? 1 : 0, reverse: options.reverse ? 1 : 0 }
  const total = g.one('CumSum', [cast(g, x, kernel), scalar('int64', axis)], kernel, x.shape, attributes)
  return cast(g, total, x.dtype)
}

/** Indices as ONNX takes them everywhere. */
export const toIndex = (g: GraphBuilder, x: Value): Value =>
  x.dtype === 'int64' || x.dtype === 'int32' ? x : cast(g, x, 'int64')

/** Everything in one row. */
export const flat = (g: GraphBuilder, x: Value): Value => reshape(g, x, [product(x.shape)])

/** `0, 1, … n - 1` shaped so that it broadcasts along one axis. */
export function iota(g: GraphBuilder, n: Dim, axis: number, rank: number, dtype: ElementType = 'int64'): Value {
  const row =
    typeof n === 'number' && n <= maxElements
      ? vector(Array.from({ length: n }, (_, i) => i))
      : g.one('Range', [scalar('int64', 0), scalar('int64', n), scalar('int64', 1)], 'int64', [n])
  return cast(
    g,
    reshape(
      g,
      row,
      Array.from({ length: rank }, (_, i) => (i === axis ? n : 1)),
    ),
    dtype,
  )
}
