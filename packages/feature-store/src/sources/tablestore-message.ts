import { badData } from '../feature-store-error.ts'

/** One field of a protobuf message: a number, or bytes. */
type Field = readonly [number: number, value: number | Uint8Array | string]

const [varintType, fixed64Type, bytesType, fixed32Type] = [0, 1, 2, 5]

/** The messages of Tablestore have few fields, of numbers and bytes. @see https://protobuf.dev/programming-guides/encoding/ */
export function encodeMessage(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return [varint(number * 8 + varintType), varint(value)]
      const bytes = typeof value === 'string' ? Buffer.from(value) : value
      return [varint(number * 8 + bytesType), varint(bytes.length), bytes]
    }),
  )
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return Uint8Array.of(...bytes, rest)
}

/** Fields of a message by number, in the order in which they came. */
export interface Message {
  bytes(number: number): readonly Buffer[]
  /** The last value of a field; 0 when it is missing. */
  number(number: number): number
}

export function decodeMessage(message: Buffer): Message {
  const bytes = new Map<number, Buffer[]>()
  const numbers = new Map<number, number>()
  let at = 0
  const skip = (size: number) => {
    if (size > message.length - at) throw badData('Tablestore answers with a cut message')
    at += size
    return at - size
  }
  const readVarint = () => {
    let [value, scale] = [0, 1]
    for (let i = 0; i < 10; i++) {
      const byte = message[skip(1)] ?? 0
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 0x80
    }
    throw badData('Tablestore answers with a number of more than ten bytes')
  }
  while (at < message.length) {
    const tag = readVarint()
    const [number, type] = [Math.floor(tag / 8), tag % 8]
    if (type === varintType) numbers.set(number, readVarint())
    else if (type === fixed64Type) skip(8)
    else if (type === fixed32Type) skip(4)
    else if (type === bytesType) {
      const size = readVarint()
      const start = skip(size)
      const known = bytes.get(number) ?? []
      known.push(message.subarray(start, start + size))
      bytes.set(number, known)
    } else throw badData(`Tablestore answers with a field of type ${type}`)
  }
  return { bytes: (number) => bytes.get(number) ?? [], number: (number) => numbers.get(number) ?? 0 }
}
