import type { DType } from '@eas/base'

/**
 * `TensorProto.DataType`: the number of each element type, and its bits.
 * @see https://github.com/onnx/onnx/blob/v1.16.0/onnx/onnx.proto3
 */
export const elementTypes = {
  float32: { code: 1, bits: 32 },
  uint8: { code: 2, bits: 8 },
  int8: { code: 3, bits: 8 },
  uint16: { code: 4, bits: 16 },
  int16: { code: 5, bits: 16 },
  int32: { code: 6, bits: 32 },
  int64: { code: 7, bits: 64 },
  string: { code: 8, bits: 0 },
  bool: { code: 9, bits: 8 },
  float16: { code: 10, bits: 16 },
  float64: { code: 11, bits: 64 },
  uint32: { code: 12, bits: 32 },
  uint64: { code: 13, bits: 64 },
  complex64: { code: 14, bits: 64 },
  complex128: { code: 15, bits: 128 },
  bfloat16: { code: 16, bits: 16 },
} as const satisfies Partial<Record<DType, { code: number; bits: number }>>

/** An element type that ONNX has. */
export type ElementType = keyof typeof elementTypes

/** Bytes of one element; 0 for strings, which have no fixed size. */
export const bytesOf = (dtype: ElementType): number => elementTypes[dtype].bits / 8

export const isFloat = (dtype: ElementType): boolean =>
  dtype === 'float32' || dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16'
export const isComplex = (dtype: ElementType): boolean => dtype === 'complex64' || dtype === 'complex128'
export const isInteger = (dtype: ElementType): boolean => integers.has(dtype)
const integers = new Set<ElementType>(['uint8', 'int8', 'uint16', 'int16', 'int32', 'int64', 'uint32', 'uint64'])
