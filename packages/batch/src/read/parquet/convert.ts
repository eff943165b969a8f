import { isUtf8 } from 'node:buffer'
import type { DecodedArray, ParquetParsers } from 'hyparquet'
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js'
import type { ColumnDecoder } from 'hyparquet/src/types.js'
import { decimalOf, timeOf, timeOfMs } from '../exact-values.ts'

/** What the library makes of values, where its own would lose something: digits of times, bytes that are no text. */
export const parsers: ParquetParsers = {
  ...DEFAULT_PARSERS,
  timestampFromMilliseconds: (millis: bigint) => timeOf(millis, 1n),
  timestampFromMicroseconds: (micros: bigint) => timeOf(micros, 1000n),
  timestampFromNanoseconds: (nanos: bigint) => timeOf(nanos, 1_000_000n),
  dateFromDays: (days: number) => timeOfMs(days * 86_400_000),
  stringFromBytes(bytes: Uint8Array) {
    const text = DEFAULT_PARSERS.stringFromBytes(bytes)
    // Old writers do not say what is a text; what cannot be one stays as it is.
    return typeof text === 'string' && text.includes('\ufffd') && !isUtf8(bytes) ? bytes.slice() : text
  },
}

/** Values as their column's logical type has them. @see Apache Parquet "Logical Types" */
export function converted(values: DecodedArray, decoder: ColumnDecoder): DecodedArray {
  const { converted_type, logical_type, scale } = decoder.element
  if (converted_type !== 'DECIMAL' && logical_type?.type !== 'DECIMAL') return convert(values, decoder)
  const digits = scale ?? (logical_type?.type === 'DECIMAL' ? logical_type.scale : 0)
  return Array.from(values, (value: unknown) => decimalOf(unscaledOf(value), digits))
}

/** Integers, or bytes in big-endian two's complement. */
function unscaledOf(value: unknown): bigint {
  if (!(value instanceof Uint8Array)) return BigInt(value as number | bigint) // of INT32 or INT64
  if (value.length === 0) return 0n
  const hex = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
  return BigInt.asIntN(value.length * 8, BigInt(`0x${hex}`))
}
