import { isUtf8 } from 'node:buffer'
import { Fault } from './decode-error.ts'
import { Reader, wireType } from './wire.ts'

/** What a field holds, as far as its form goes: its wire type, but for text, whose bytes must be UTF-8. */
export const form = { ...wireType, text: 6 } as const
export type FieldForm = (typeof form)[keyof typeof form] | Schema

/** The fields of a message by number. A repeated number is given by its element: packed and unpacked are both taken. */
export type Schema = Readonly<{ [field: number]: FieldForm }>

/**
 * Whether `bytes` are that message and nothing but: every length holds, every number ends, text is UTF-8 and no field is
 * unknown. Nothing is made of them. Any bytes may happen to be a message, but few that are not meant to be are.
 */
export function isWellFormed(bytes: Uint8Array, schema: Schema): boolean {
  try {
    return walk(new Reader(bytes), schema)
  } catch (thrown) {
    if (thrown instanceof Fault) return false
    throw thrown
  }
}

/** Recurses as deep as the schema, whatever the bytes say. */
function walk(reader: Reader, schema: Schema): boolean {
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    const wire = tag & 7
    const field = schema[tag >>> 3]
    if (field === undefined) return false
    if (wire === field && wire !== wireType.bytes) reader.skip(tag)
    else if (wire !== wireType.bytes || !walkBytes(reader, field)) return false
  }
  return true
}

/** What has a length before it: an embedded message, text, bytes or packed numbers. */
function walkBytes(reader: Reader, field: FieldForm): boolean {
  const outer = reader.enter()
  const { bytes, pos, end } = reader
  if (typeof field === 'object') {
    if (!walk(reader, field)) return false
  } else if (field === form.text) {
    if (!isText(bytes, pos, end)) return false
  } else if (field === form.varint) {
    while (reader.pos < end) reader.int32()
  } else if (field !== form.bytes && (end - pos) % (field === form.fixed32 ? 4 : 8) !== 0) return false
  reader.pos = end
  reader.end = outer
  return true
}

function isText(bytes: Uint8Array, start: number, end: number): boolean {
  let pos = start
  while (pos < end && (bytes[pos] ?? 0) < 0x80) pos++
  return pos === end || isUtf8(bytes.subarray(pos, end))
}
