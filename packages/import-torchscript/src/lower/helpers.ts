import { type ElementType, emit, isFloat, isInteger, scalar, type Value } from '@eas/onnx'
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

export const isWhole = (x: Value): boolean => isInteger(x.dtype) || x.dtype === 'bool'
