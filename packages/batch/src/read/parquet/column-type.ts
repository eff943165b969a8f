import type { SchemaTree } from 'hyparquet'
import type { ColumnType } from '../table.ts'

/** By converted type. @see Apache Parquet "Logical Types" */
const converted: { readonly [type: string]: ColumnType | undefined } = {
  UTF8: 'string',
  ENUM: 'string',
  JSON: 'json',
  DATE: 'time',
  TIMESTAMP_MILLIS: 'time',
  TIMESTAMP_MICROS: 'fineTime',
  UINT_64: 'uint64',
}

/** By logical type, where the converted one does not say as much. */
const logical: { readonly [type: string]: ColumnType | undefined } = {
  STRING: 'string',
  ENUM: 'string',
  UUID: 'string',
  JSON: 'json',
  DATE: 'time',
  FLOAT16: 'float64',
}

const physical: { readonly [type: string]: ColumnType | undefined } = {
  BOOLEAN: 'bool',
  INT32: 'int64',
  INT64: 'int64',
  INT96: 'fineTime',
  FLOAT: 'float64',
  DOUBLE: 'float64',
  BYTE_ARRAY: 'string',
  FIXED_LEN_BYTE_ARRAY: 'string',
}

/** Decimals of more digits come as texts. */
const decimalDigitsMax = 15

/** What the values of a column are, as far as its schema says. */
export function columnTypeOf({ element, children }: SchemaTree): ColumnType | undefined {
  if (children.length > 0 || element.repetition_type === 'REPEATED') return 'json'
  const { converted_type, logical_type, precision } = element
  if (converted_type === 'DECIMAL' || logical_type?.type === 'DECIMAL') {
    const digits = precision ?? (logical_type?.type === 'DECIMAL' ? logical_type.precision : 0)
    return digits <= decimalDigitsMax ? 'float64' : 'string'
  }
  if (logical_type?.type === 'TIMESTAMP') return logical_type.unit === 'MILLIS' ? 'time' : 'fineTime'
  return converted[converted_type ?? ''] ?? logical[logical_type?.type ?? ''] ?? physical[element.type ?? '']
}
