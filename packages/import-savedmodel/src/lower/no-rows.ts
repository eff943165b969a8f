import { type Dim, dims, emit, type GraphBuilder, type Value } from '@eas/onnx'

/**
 * ONNX Runtime (1.30) ends the process when TopK, Einsum, LSTM or GRU is given no rows at all, as an empty batch has none: the
 * first two divide by their number, the others wait for threads that never were. They are given one row of zeros instead, and
 * what comes of it is cut off.
 */

const mayBeEmpty = (d: Dim): boolean => dims.bounds(d)[0] < 1

/** `x` with a row of zeros along each of the axes that has none. */
export function withRows(g: GraphBuilder, x: Value, axes: readonly number[]): Value {
  const missing = x.shape.map((d, i) => (axes.includes(i) && mayBeEmpty(d) ? dims.max(dims.sub(1, d), 0) : 0))
  return emit.pad(
    g,
    x,
    x.shape.map(() => 0),
    missing,
  )
}

/** As many along each axis as there were. */
export const withoutRows = (g: GraphBuilder, x: Value, shape: readonly Dim[]): Value =>
  shape.reduce<Value>((y, d, axis) => emit.slice(g, y, axis, 0, d), x)

/** The `k` greatest or least along an axis, of any number of rows. */
export function topK(
  g: GraphBuilder,
  x: Value,
  k: Dim,
  axis: number,
  options: { largest?: boolean; sorted?: boolean } = {},
): [values: Value, indices: Value] {
  const others = x.shape.map((_, i) => i).filter((i) => i !== axis)
  const [values, indices] = emit.topK(g, withRows(g, x, others), k, axis, options)
  const shape = x.shape.with(axis, k)
  return [withoutRows(g, values, shape), withoutRows(g, indices, shape)]
}
