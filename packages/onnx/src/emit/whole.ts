import type { Dim } from '../dim.ts'
import { bytesOf } from '../element-type.ts'
import type { GraphBuilder } from '../graph-builder.ts'
import { scalar, type Value } from '../value.ts'
import { binary, cast } from './elementwise.ts'
import { halves, word } from './halves.ts'
import { reduce, reducedShape } from './reduce.ts'
import { concat, full, reshape, select, slice, transpose } from './shape.ts'

/**
 * Sums and products of whole numbers to the digit, wrapping around as their types do: ONNX Runtime (1.30) adds and
 * multiplies integers in doubles.
 */

/** A sum, exact up to 2^21 numbers. @param isNarrow Whether all are known to be short, so that none are lost. */
export function sumWhole(g: GraphBuilder, x: Value, axes: readonly number[], keep = false, isNarrow = false): Value {
  if (axes.length === 0) return x
  if (isNarrow) return reduce(g, 'ReduceSum', x, axes, keep)
  const wide = cast(g, x, 'int64')
  if (bytesOf(x.dtype) < 8) return cast(g, reduce(g, 'ReduceSum', wide, axes, keep), x.dtype)
  const [low, high] = halves(g, wide).map((half) => reduce(g, 'ReduceSum', half, axes, keep)) as [Value, Value] // two halves
  return cast(g, binary(g, 'Add', binary(g, 'Mul', high, scalar('int64', word)), low), x.dtype)
}

/** Products along axes of a known size are made by halves, others one by one. */
const maxHalved = 64

/** A product, of whole numbers or of doubles, which ONNX Runtime multiplies in shorter ones. */
export function productOf(g: GraphBuilder, x: Value, axes: readonly number[], keep = false): Value {
  // The last axis first: those before it stay where they are.
  const y = [...axes].sort((p, q) => q - p).reduce((at, axis) => productAlong(g, at, axis), x)
  return keep ? reshape(g, y, reducedShape(x.shape, axes, true)) : y
}

function productAlong(g: GraphBuilder, x: Value, axis: number): Value {
  const size = x.shape[axis]
  const others = x.shape.filter((_, i) => i !== axis)
  if (size === 0) return full(g, others, scalar(x.dtype, 1))
  if (typeof size !== 'number' || size > maxHalved) return scanned(g, x, axis)[0]
  let [product, count] = [x, size]
  for (; count > 1; count = Math.ceil(count / 2)) {
    const half = Math.floor(count / 2)
    const multiplied = binary(g, 'Mul', slice(g, product, axis, 0, half), slice(g, product, axis, half, 2 * half))
    product = count % 2 === 0 ? multiplied : concat(g, [multiplied, slice(g, product, axis, count - 1, count)], axis)
  }
  return select(g, product, axis, 0)
}

/** The product along an axis of any size, and the products up to each element. */
export function scanned(g: GraphBuilder, x: Value, axis: number, reverse = false): [product: Value, upTo: Value] {
  const others = x.shape.map((_, i) => i).filter((i) => i !== axis)
  const shape: readonly Dim[] = others.map((i) => x.shape[i] ?? 1)
  const slices = transpose(g, x, [axis, ...others])
  const { scope, result } = g.nested(() => {
    const [product, one] = [g.input(g.fresh('s'), x.dtype, shape), g.input(g.fresh('s'), x.dtype, shape)]
    const next = binary(g, 'Mul', product, one)
    return [next, g.one('Identity', [next], x.dtype, shape)]
  })
  const types = [
    { dtype: x.dtype, shape },
    { dtype: x.dtype, shape: slices.shape },
  ]
  const direction = Number(reverse)
  const [product, upTo] = g.node('Scan', [full(g, shape, scalar(x.dtype, 1)), slices], types, {
    body: g.subgraph(scope, result),
    num_scan_inputs: 1,
    scan_input_directions: [direction],
    scan_output_directions: [direction],
  }) as [Value, Value] // two types were given
  return [product, transpose(g, upTo, inverseOf(axis, x.shape.length))]
}

/** The order that puts the first axis at `axis` again. */
const inverseOf = (axis: number, rank: number): number[] =>
  Array.from({ length: rank }, (_, i) => (i < axis ? i + 1 : i === axis ? 0 : i))
