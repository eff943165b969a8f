import { type Dim, mul, product } from '../dim.ts'
import type { GraphBuilder } from '../graph-builder.ts'
import { scalar, type Value, vector } from '../value.ts'
import { binary, cast, compare, where } from './elementwise.ts'
import { fromOrdered, halves, limit, toOrdered, word } from './halves.ts'
import { kernelType } from './kernels.ts'
import { squeeze } from './shape.ts'

/** Sizes after the axes are reduced. */
export const reducedShape = (shape: readonly Dim[], axes: readonly number[], keepdims: boolean): Dim[] =>
  keepdims ? shape.map((d, i) => (axes.includes(i) ? 1 : d)) : shape.filter((_, i) => !axes.includes(i))

export const allAxes = (x: Value): number[] => x.shape.map((_, i) => i)

/** A reduction (`ReduceSum`, `ReduceMax`, …) over axes counted from the front; the result has the operand's type. */
export function reduce(g: GraphBuilder, op: string, x: Value, axes: readonly number[], keepdims = false): Value {
  if (axes.length === 0) return x
  if (x.elements && x.shape.length === 1 && x.dtype === 'int64') {
    const shape = keepdims ? [1] : []
    const size = product(x.elements)
    // Beyond 2^53 doubles round, where integers wrap around.
    if (op === 'ReduceProd' && (typeof size !== 'number' || Number.isSafeInteger(size)))
      return { dtype: x.dtype, shape, elements: [size] }
  }
  if ((op === 'ReduceMax' || op === 'ReduceMin') && isWide(x)) return extremeOfWide(g, op, x, axes, keepdims)
  const kernel = kernelType(op, x.dtype)
  const shape = reducedShape(x.shape, axes, keepdims)
  const result = g.one(op, [cast(g, x, kernel), vector(axes)], kernel, shape, { keepdims: Number(keepdims) })
  return cast(g, result, x.dtype)
}

/** Position of the greatest (`ArgMax`) or least (`ArgMin`) along an axis, int64; the first of equals. */
export function argReduce(g: GraphBuilder, op: 'ArgMax' | 'ArgMin', x: Value, axis: number, keepdims: boolean): Value {
  const kernel = kernelType(op, x.dtype)
  const shape = reducedShape(x.shape, [axis], keepdims)
  return g.one(op, [cast(g, x, kernel)], 'int64', shape, { axis, keepdims: Number(keepdims) })
}

/** How many elements the axes hold together. */
export const countOf = (x: Value, axes: readonly number[]): Dim =>
  axes.reduce<Dim>((n, a) => mul(n, x.shape[a] ?? 1), 1)

/** Whether there may be numbers of more than 32 bits with a sign; sizes are shorter. */
const isWide = ({ dtype, elements }: Value): boolean =>
  dtype === 'uint32' ||
  dtype === 'uint64' ||
  (dtype === 'int64' && !elements?.every((e) => typeof e !== 'number' || Math.abs(e) < word / 2))

/**
 * The greatest or least by the high and then the low halves, since the runtime's vectorised extremes of int64 look at 32 of 64
 * bits. Of nothing, an end of the type.
 */
function extremeOfWide(
  g: GraphBuilder,
  op: 'ReduceMax' | 'ReduceMin',
  x: Value,
  axes: readonly number[],
  keep: boolean,
): Value {
  if (x.dtype === 'uint64') return fromOrdered(g, extremeOfWide(g, op, toOrdered(g, x), axes, keep))
  if (x.dtype === 'uint32') return cast(g, extremeOfWide(g, op, cast(g, x, 'int64'), axes, keep), x.dtype)
  const half = scalar('int64', word / 2)
  const [low, high] = halves(g, x)
  const [lows, highs] = [cast(g, binary(g, 'Sub', low, half), 'int32'), cast(g, high, 'int32')]
  const best = reduce(g, op, highs, axes, true)
  const none = limit(g, 'int32', op === 'ReduceMax' ? 'least' : 'greatest')
  const rest = reduce(g, op, where(g, compare(g, 'Equal', highs, best), lows, none), axes, true)
  const top = binary(g, 'Mul', cast(g, best, 'int64'), scalar('int64', word))
  const result = binary(g, 'Add', top, binary(g, 'Add', cast(g, rest, 'int64'), half))
  return keep ? result : squeeze(g, result, axes)
}
