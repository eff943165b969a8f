import { TokenizerError } from '../tokenizer.ts'

/** A varint, exact up to 2^53; or the bytes of anything else, fixed-width numbers included. */
export type Field = number | Uint8Array

/**
 * The fields of one message in the order of the bytes.
 * @throws {TokenizerError} for bytes that are no message.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export function* readFields(bytes: Uint8Array): Generator<[number: number, value: Field]> {
  let at = 0

  function varint(): number {
    let value = 0
    for (let scale = 1, count = 0; count < 10; count++, scale *= 128) {
      const byte = bytes[at++]
      if (byte === undefined) break
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw new TokenizerError(`Cannot read sentencepiece model: a number is cut off at byte ${at}`)
  }

  function take(length: number): Uint8Array {
    if (length > bytes.length - at) {
      throw new TokenizerError(`Cannot read sentencepiece model: ${length} bytes wanted where ${bytes.length - at} are`)
    }
    at += length
    return bytes.subarray(at - length, at)
  }

  while (at < bytes.length) {
    const tag = varint()
    const wireType = tag % 8
    const number = Math.floor(tag / 8)
    if (wireType === 0) yield [number, varint()]
    else if (wireType === 1) yield [number, take(8)]
    else if (wireType === 2) yield [number, take(varint())]
    else if (wireType === 5) yield [number, take(4)]
    else throw new TokenizerError(`Cannot read sentencepiece model: wire type ${wireType} at byte ${at}`)
  }
}
