import { type Dim, dims, type ElementType, emit, isFloat, isInteger, scalar, type Value } from '@eas/onnx'
import type { Call, Lower } from '../call.ts'
import { floatType, type Operand, resultType } from '../promote.ts'

/** Arguments as tensors of the one type torch would compute in. */
export function promoted(c: Call, ...names: readonly string[]): Value[] {
  const operands = names.map((name) => c.operand(name))
  return castAll(c, operands, resultType(operands))
}

/** The same, with integers and bools made floats. */
export function promotedFloats(c: Call, ...names: readonly string[]): Value[] {
  const operands = names.map((name) => c.operand(name))
  return castAll(c, operands, floatType(resultType(operands)))
}

export const castAll = (c: Call, operands: readonly Operand[], dtype: ElementType): Value[] =>
  operands.map(({ value }) => emit.cast(c.g, value, dtype))

/** `self` as a float: integers become float32. */
export function asFloat(c: Call, name = 'self'): Value {
  const x = c.tensor(name)
  return emit.cast(c.g, x, floatType(x.dtype))
}

/** A number of the type of `x`. */
export const like = (x: Value, value: number): Value => scalar(x.dtype, value)

/** An operator of ONNX on floats; integers are made floats first. */
export const float =
  (op: string): Lower =>
  (c) =>
    emit.unary(c.g, op, asFloat(c))

/** An operator that keeps integers as they are. */
export const wholeIsItself =
  (op: string): Lower =>
  (c) => {
    const x = c.tensor('self')
    return isFloat(x.dtype) ? emit.unary(c.g, op, x) : x
  }

/**
 * The greater or the lesser of two. ONNX Runtime's own (1.30) look at the low half of int64 only on some processors, so wide
 * integers, such as hashes, are compared and chosen.
 */
export function extreme({ g }: Call, op: 'Max' | 'Min', a: Value, b: Value): Value {
  if (a.dtype !== 'int64' || (a.elements && b.elements)) return emit.binary(g, op, a, b)
  return emit.where(g, emit.compare(g, op === 'Max' ? 'Greater' : 'Less', a, b), a, b)
}

/** -1, 0 or 1; of int64 by comparison, for the same reason. */
export function sign({ g }: Call, x: Value): Value {
  if (x.dtype === 'bool') return x
  if (x.dtype !== 'int64' || x.elements) return emit.unary(g, 'Sign', x)
  const negative = emit.where(g, emit.compare(g, 'Less', x, like(x, 0)), like(x, -1), like(x, 0))
  return emit.where(g, emit.compare(g, 'Greater', x, like(x, 0)), like(x, 1), negative)
}

export const isWhole = (x: Value): boolean => isInteger(x.dtype) || x.dtype === 'bool'

/** How scattered elements meet what is there. */
export type Reduction = 'none' | 'add' | 'mul' | 'max' | 'min'

/** ONNX Runtime scatters and reduces no half floats, and no bools, which are added as `or`. */
export const sumType = (dtype: ElementType, reduction: Reduction): ElementType =>
  reduction === 'none' ? dtype : dtype === 'float16' ? 'float32' : dtype === 'bool' ? 'int32' : dtype

/**
 * The segment that each of `count` rows is in, where consecutive rows make segments.
 * @param ends Where each segment but the last ends, which may be where it begins.
 */
export function segmentOf({ g }: Call, ends: Value, count: Dim): Value {
  // A step where one ends, and one more place for those that end with the rows.
  const steps = emit.scatterND(
    g,
    emit.full(g, [dims.add(count, 1)], scalar('int64', 0)),
    emit.unsqueeze(g, emit.cast(g, ends, 'int64'), [1]),
    emit.full(g, [ends.shape[0] ?? 0], scalar('int64', 1)),
    'add',
  )
  return emit.slice(g, emit.cumSum(g, steps, 0), 0, 0, count)
}
