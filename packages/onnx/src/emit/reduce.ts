import { type Dim, mul, product } from '../dim.ts'
import type { GraphBuilder } from '../graph-builder.ts'
import { type Value, vector } from '../value.ts'
import { cast } from './elementwise.ts'
import { kernelType } from './kernels.ts'

/** Sizes after the axes are reduced. */
export const reducedShape = (shape: readonly Dim[], axes: readonly number[], keepdims: boolean): Dim[] =>
  keepdims ? shape.map((d, i) => (axes.includes(i) ? 1 : d)) : shape.filter((_, i) => !axes.includes(i))

export const allAxes = (x: Value): number[] => x.shape.map((_, i) => i)

/** A reduction (`ReduceSum`, `ReduceMax`, …) over axes counted from the front; the result has the operand's type. */
export function reduce(g: GraphBuilder, op: string, x: Value, axes: readonly number[], keepdims = false): Value {
  if (axes.length === 0) return x
  if (x.elements && x.shape.length === 1 && x.dtype === 'int64') {
    const shape = keepdims ? [1] : []
    if (op === 'ReduceProd') return { dtype: x.dtype, shape, elements: [product(x.elements)] }
  }
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
