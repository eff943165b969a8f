import { bytesOf, type ElementType } from '../element-type.ts'
import type { GraphBuilder } from '../graph-builder.ts'
import { scalar, type Value } from '../value.ts'
import { binary, cast } from './elementwise.ts'

/** Numbers of 64 bits, of which ONNX Runtime (1.30) has few kernels, and doubles hold no more than 53 bits. */

/** The greatest finite numbers. */
const greatestFloat: Readonly<Partial<Record<ElementType, number>>> = {
  float16: 65504,
  bfloat16: 3.3895313892515355e38,
  float32: 3.4028234663852886e38,
  float64: Number.MAX_VALUE,
}

/** The ends of a type, of floats the finite ones. */
function limits(dtype: ElementType): readonly [least: bigint | number, greatest: bigint | number] {
  const float = greatestFloat[dtype]
  if (float !== undefined) return [-float, float]
  const bits = BigInt(bytesOf(dtype) * 8)
  return dtype.startsWith('u') ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]
}

/** An end of a type as a scalar. */
export function limit(g: GraphBuilder, dtype: ElementType, end: 'least' | 'greatest'): Value {
  const value = limits(dtype)[end === 'least' ? 0 : 1]
  if (bytesOf(dtype) < 8 || typeof value === 'number') return scalar(dtype, Number(value))
  return g.constant(dtype, [], { bytes: new Uint8Array(BigInt64Array.of(BigInt.asIntN(64, value)).buffer) })
}

/** uint64 as int64 of the same order, of which there are operators; the other way round with `fromOrdered`. */
export const toOrdered = (g: GraphBuilder, x: Value): Value =>
  binary(g, 'Sub', cast(g, x, 'int64'), limit(g, 'int64', 'least'))
export const fromOrdered = (g: GraphBuilder, x: Value): Value =>
  cast(g, binary(g, 'Add', x, limit(g, 'int64', 'least')), 'uint64')

/** Values of 32 bits. */
export const word = 2 ** 32

/** The low and the high 32 bits of int64: `high * 2^32 + low`. */
export function halves(g: GraphBuilder, x: Value): [low: Value, high: Value] {
  const low = binary(g, 'BitwiseAnd', x, scalar('int64', word - 1))
  return [low, binary(g, 'Div', binary(g, 'Sub', x, low), scalar('int64', word))]
}
