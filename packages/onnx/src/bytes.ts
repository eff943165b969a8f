import { type DType, dtypes, fromBfloat16, fromHalf, type NumericDType, toBfloat16, toHalf } from '@eas/base'
import { bytesOf, type ElementType } from './element-type.ts'

/** Numbers as the little-endian bytes of a tensor. */
export function toBytes(dtype: ElementType, values: readonly number[]): Uint8Array {
  const { array } = dtypes[numeric(dtype)]
  const data = new array(values.length)
  for (const [i, value] of values.entries()) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(Math.trunc(value))
    else data[i] = dtype === 'float16' ? toHalf(value) : dtype === 'bfloat16' ? toBfloat16(value) : value
  }
  return new Uint8Array(data.buffer)
}

/** Elements of a tensor as numbers; integers beyond 2^53 give `undefined`, since a number would not hold them. */
export function fromBytes(dtype: ElementType, bytes: Uint8Array): number[] | undefined {
  const { array } = dtypes[numeric(dtype)]
  const data = new array(new Uint8Array(bytes).buffer)
  const values: number[] = []
  for (const raw of data) {
    const value =
      dtype === 'float16' ? fromHalf(raw as number) : dtype === 'bfloat16' ? fromBfloat16(raw as number) : Number(raw) // those arrays hold numbers
    if (typeof raw === 'bigint' && !Number.isSafeInteger(value)) return undefined
    values.push(value)
  }
  return values
}

function numeric(dtype: ElementType): NumericDType {
  if (dtype === 'string') throw new TypeError('strings are not numbers')
  return dtype satisfies DType
}

/** A number as the dtype would keep it. */
export function roundTo(dtype: ElementType, value: number): number {
  switch (dtype) {
    case 'float32':
      return Math.fround(value)
    case 'float16':
      return fromHalf(toHalf(value))
    case 'bfloat16':
      return fromBfloat16(toBfloat16(value))
    case 'bool':
      return value ? 1 : 0
    case 'int8':
    case 'int16':
    case 'int32':
      return Number(BigInt.asIntN(bytesOf(dtype) * 8, BigInt(Math.trunc(value))))
    case 'uint8':
    case 'uint16':
    case 'uint32':
      return Number(BigInt.asUintN(bytesOf(dtype) * 8, BigInt(Math.trunc(value))))
    default:
      return value
  }
}
