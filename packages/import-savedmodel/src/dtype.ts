import type { DType } from '@eas/base'

/**
 * `DataType`: number and name of each element type, as signatures and requests spell it.
 * @see https://github.com/tensorflow/tensorflow/blob/v2.16.1/tensorflow/core/framework/types.proto
 */
export const dataTypes = {
  1: { name: 'DT_FLOAT', dtype: 'float32' },
  2: { name: 'DT_DOUBLE', dtype: 'float64' },
  3: { name: 'DT_INT32', dtype: 'int32' },
  4: { name: 'DT_UINT8', dtype: 'uint8' },
  5: { name: 'DT_INT16', dtype: 'int16' },
  6: { name: 'DT_INT8', dtype: 'int8' },
  7: { name: 'DT_STRING', dtype: 'string' },
  8: { name: 'DT_COMPLEX64', dtype: 'complex64' },
  9: { name: 'DT_INT64', dtype: 'int64' },
  10: { name: 'DT_BOOL', dtype: 'bool' },
  11: { name: 'DT_QINT8', dtype: 'qint8' },
  12: { name: 'DT_QUINT8', dtype: 'quint8' },
  13: { name: 'DT_QINT32', dtype: 'qint32' },
  14: { name: 'DT_BFLOAT16', dtype: 'bfloat16' },
  15: { name: 'DT_QINT16', dtype: 'qint16' },
  16: { name: 'DT_QUINT16', dtype: 'quint16' },
  17: { name: 'DT_UINT16', dtype: 'uint16' },
  18: { name: 'DT_COMPLEX128', dtype: 'complex128' },
  19: { name: 'DT_HALF', dtype: 'float16' },
  20: { name: 'DT_RESOURCE', dtype: undefined },
  21: { name: 'DT_VARIANT', dtype: undefined },
  22: { name: 'DT_UINT32', dtype: 'uint32' },
  23: { name: 'DT_UINT64', dtype: 'uint64' },
} as const satisfies Record<number, { name: string; dtype: DType | undefined }>

/** What added to a type's number makes it a reference to a variable of that type. */
const referenceOffset = 100

const row = (code: number): { name: string; dtype: DType | undefined } | undefined =>
  dataTypes[(code > referenceOffset ? code - referenceOffset : code) as keyof typeof dataTypes] // undefined without a row

export const dtypeOf = (code: number): DType | undefined => row(code)?.dtype
export const dataTypeName = (code: number): string => row(code)?.name ?? `DT_${code}`

/** Name of an element type, as signatures spell it. */
export const dataTypeOf = (dtype: DType): string =>
  Object.values(dataTypes).find((row) => row.dtype === dtype)?.name ?? `DT_${dtype.toUpperCase()}`

/** Numbers by name: the text format spells types out. */
export const dataTypeCodes: ReadonlyMap<string, number> = new Map(
  Object.entries(dataTypes).flatMap(([code, { name }]) => [
    [name, Number(code)] as const,
    [`${name}_REF`, Number(code) + referenceOffset] as const,
  ]),
)
