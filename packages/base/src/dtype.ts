/**
 * The element types a tensor can have, with the array that holds them. One row each; everything else that depends on the
 * type (EAS numbers, ONNX names) is a table keyed by these names in the package that knows the document.
 *
 * `float16` and `bfloat16` are kept as their bits, since Node 20 has no array for them. `complex64` and `complex128` hold
 * real and imaginary parts in turn, two numbers per element. `string` holds each element's bytes: EAS and TensorFlow
 * strings need not be text.
 */
export const dtypes = {
  float32: { array: Float32Array, perElement: 1 },
  float64: { array: Float64Array, perElement: 1 },
  float16: { array: Uint16Array, perElement: 1 },
  bfloat16: { array: Uint16Array, perElement: 1 },
  int8: { array: Int8Array, perElement: 1 },
  int16: { array: Int16Array, perElement: 1 },
  int32: { array: Int32Array, perElement: 1 },
  int64: { array: BigInt64Array, perElement: 1 },
  uint8: { array: Uint8Array, perElement: 1 },
  uint16: { array: Uint16Array, perElement: 1 },
  uint32: { array: Uint32Array, perElement: 1 },
  uint64: { array: BigUint64Array, perElement: 1 },
  /** One byte per element, 0 or 1. */
  bool: { array: Uint8Array, perElement: 1 },
  qint8: { array: Int8Array, perElement: 1 },
  quint8: { array: Uint8Array, perElement: 1 },
  qint16: { array: Int16Array, perElement: 1 },
  quint16: { array: Uint16Array, perElement: 1 },
  qint32: { array: Int32Array, perElement: 1 },
  complex64: { array: Float32Array, perElement: 2 },
  complex128: { array: Float64Array, perElement: 2 },
} as const

export type NumericDType = keyof typeof dtypes
export type DType = NumericDType | 'string'

/** The array that holds the elements of a dtype. */
export type DataOf<D extends DType> = D extends NumericDType
  ? (typeof dtypes)[D]['array']['prototype']
  : D extends 'string'
    ? readonly Uint8Array[]
    : never
