/**
 * A varint of protobuf that is a tag, a length or a small number, and where it ends; beyond 2^53 the nearest number. Undefined where
 * the bytes end within it, or it has more than ten of them.
 */
export function readVarint(
  bytes: Uint8Array,
  start: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0
  for (let i = 0; i < 10; i++) {
    const byte = bytes[start + i]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return { value, end: start + i + 1 }
  }
  return undefined
}
