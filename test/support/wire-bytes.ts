/** The protobuf wire format written by hand, for messages that no library would write. */

export type WireBytes = readonly number[]

export function varint(value: number | bigint): WireBytes {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return [...bytes, Number(rest)]
}

const tag = (field: number, wire: number): WireBytes => varint((BigInt(field) << 3n) | BigInt(wire))

/** A field of each wire type. */
export const varintField = (field: number, value: number | bigint): WireBytes => [...tag(field, 0), ...varint(value)]
export const bytesField = (field: number, ...parts: readonly WireBytes[]): WireBytes => {
  const content = parts.flat()
  return [...tag(field, 2), ...varint(content.length), ...content]
}
export const textField = (field: number, text: string): WireBytes => bytesField(field, [...Buffer.from(text)])
export const floatField = (field: number, value: number): WireBytes => [...tag(field, 5), ...floats(value)]
export const doubleField = (field: number, value: number): WireBytes => [...tag(field, 1), ...doubles(value)]

/** What stands in packed fields. */
export const floats = (...values: readonly number[]): WireBytes => [
  ...new Uint8Array(Float32Array.of(...values).buffer),
]
export const doubles = (...values: readonly number[]): WireBytes => [
  ...new Uint8Array(Float64Array.of(...values).buffer),
]
export const varints = (...values: readonly (number | bigint)[]): WireBytes => values.flatMap(varint)

export const message = (...parts: readonly WireBytes[]): Uint8Array => Uint8Array.from(parts.flat())
