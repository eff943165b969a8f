import type { DType } from '@eas/base'

/** A row of an `ArrayDataType`: the number on the wire, the name in documents, our dtype and the field of its values. */
export interface DataType {
  readonly number: number
  readonly name: `DT_${string}`
  readonly dtype: DType
  readonly field: ValueField
}

/** The fields of `ArrayProto` that hold values. */
export type ValueField = 'float_val' | 'double_val' | 'int_val' | 'string_val' | 'int64_val' | 'bool_val'

/** The rows of one `.proto` file, found by number, by name and by dtype. */
export interface DataTypes {
  readonly rows: readonly DataType[]
  /** Whether `ArrayProto` has the field `bool_val`. */
  readonly hasBoolVal: boolean
  byNumber(number: number): DataType | undefined
  byName(name: string): DataType | undefined
  byDType(dtype: DType): DataType | undefined
}

/** `DT_INVALID` 0, `DT_RESOURCE` 20 and `DT_VARIANT` 21 have no row: they name no values that could be sent. */
const withBools = (field: 'int_val' | 'bool_val'): readonly DataType[] => [
  { number: 1, name: 'DT_FLOAT', dtype: 'float32', field: 'float_val' },
  { number: 2, name: 'DT_DOUBLE', dtype: 'float64', field: 'double_val' },
  { number: 3, name: 'DT_INT32', dtype: 'int32', field: 'int_val' },
  { number: 4, name: 'DT_UINT8', dtype: 'uint8', field: 'int_val' },
  { number: 5, name: 'DT_INT16', dtype: 'int16', field: 'int_val' },
  { number: 6, name: 'DT_INT8', dtype: 'int8', field: 'int_val' },
  { number: 7, name: 'DT_STRING', dtype: 'string', field: 'string_val' },
  { number: 8, name: 'DT_COMPLEX64', dtype: 'complex64', field: 'float_val' },
  { number: 9, name: 'DT_INT64', dtype: 'int64', field: 'int64_val' },
  { number: 10, name: 'DT_BOOL', dtype: 'bool', field },
  { number: 11, name: 'DT_QINT8', dtype: 'qint8', field: 'int_val' },
  { number: 12, name: 'DT_QUINT8', dtype: 'quint8', field: 'int_val' },
  { number: 13, name: 'DT_QINT32', dtype: 'qint32', field: 'int_val' },
  { number: 14, name: 'DT_BFLOAT16', dtype: 'bfloat16', field: 'float_val' },
  { number: 15, name: 'DT_QINT16', dtype: 'qint16', field: 'int_val' },
  { number: 16, name: 'DT_QUINT16', dtype: 'quint16', field: 'int_val' },
  { number: 17, name: 'DT_UINT16', dtype: 'uint16', field: 'int_val' },
  { number: 18, name: 'DT_COMPLEX128', dtype: 'complex128', field: 'double_val' },
  { number: 19, name: 'DT_HALF', dtype: 'float16', field: 'float_val' },
]

/** `ArrayDataType` of proto/pytorch_predict.proto, whose `ArrayProto` has no `bool_val`: bools travel in `int_val`. */
export const torchDataTypes: DataTypes = indexed(withBools('int_val'), false)

/** `ArrayDataType` of proto/tf_predict.proto. EasyRec's `tf_outputs` use it too. */
export const tfDataTypes: DataTypes = indexed(withBools('bool_val'), true)

function indexed(rows: readonly DataType[], hasBoolVal: boolean): DataTypes {
  const numbers: (DataType | undefined)[] = Array.from({ length: 32 }, () => undefined)
  for (const row of rows) numbers[row.number] = row
  const names = new Map<string, DataType>(rows.map((row) => [row.name, row]))
  const ours = new Map<DType, DataType>(rows.map((row) => [row.dtype, row]))
  return {
    rows,
    hasBoolVal,
    byNumber: (number) => numbers[number],
    byName: (name) => names.get(name),
    byDType: (dtype) => ours.get(dtype),
  }
}
