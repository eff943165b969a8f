import { type ElementType, isComplex, isFloat, type Value } from '@eas/onnx'

/**
 * Element types of results. Tensors with dimensions decide; tensors without and Python numbers only raise the kind
 * (bool < integer < float < complex).
 * @see https://github.com/pytorch/pytorch/blob/v2.4.0/aten/src/ATen/native/TypeProperties.cpp
 */

/** An operand: a Python number has no type of its own. */
export interface Operand {
  readonly value: Value
  readonly isNumber: boolean
}

const kindOf = (dtype: ElementType): number => (dtype === 'bool' ? 0 : isComplex(dtype) ? 3 : isFloat(dtype) ? 2 : 1)

/** Type of an operator's result over operands of several types. */
export function resultType(operands: readonly Operand[]): ElementType {
  const classes: (ElementType | undefined)[] = [undefined, undefined, undefined]
  for (const { value, isNumber } of operands) {
    const place = isNumber ? 2 : value.shape.length > 0 ? 0 : 1
    const dtype = isNumber && isFloat(value.dtype) ? 'float32' : value.dtype
    const known = classes[place]
    classes[place] = known ? promoteTypes(known, dtype) : dtype
  }
  const [dimensioned, single, number] = classes
  return raise(raise(dimensioned, single), number) ?? 'float32'
}

const raise = (high: ElementType | undefined, low: ElementType | undefined): ElementType | undefined =>
  !high
    ? low
    : !low || kindOf(low) <= kindOf(high)
      ? high
      : kindOf(high) === 0 || kindOf(low) === 2
        ? low
        : promoteTypes(high, low)

const widths: Partial<Record<ElementType, number>> = {
  bool: 0,
  int8: 1,
  int16: 2,
  int32: 3,
  int64: 4,
  float16: 5,
  bfloat16: 5,
  float32: 6,
  float64: 7,
  complex64: 8,
  complex128: 9,
}

/** The type that holds what both hold. */
export function promoteTypes(a: ElementType, b: ElementType): ElementType {
  if (a === b) return a
  if (a === 'uint8' || b === 'uint8') {
    const other = a === 'uint8' ? b : a
    if (other === 'bool') return 'uint8'
    return other === 'int8' ? 'int16' : other
  }
  if ((a === 'float16' && b === 'bfloat16') || (a === 'bfloat16' && b === 'float16')) return 'float32'
  if (isComplex(a) !== isComplex(b) && (a === 'float64' || b === 'float64')) return 'complex128'
  return (widths[a] ?? 0) >= (widths[b] ?? 0) ? a : b
}

/** Integers and bools become the default float, as in true division and transcendental functions. */
export const floatType = (dtype: ElementType): ElementType => (kindOf(dtype) < 2 ? 'float32' : dtype)
