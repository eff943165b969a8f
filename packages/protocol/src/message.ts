import { DecodeError, Fault } from './decode-error.ts'
import { Reader, Sizes, Writer } from './wire.ts'

/** @param name Of the message, for an error about no field in particular. */
export function decodeMessage<M>(name: string, bytes: Uint8Array, read: (reader: Reader) => M): M {
  try {
    return read(new Reader(bytes))
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown
    const other = otherFormat(bytes)
    throw other === undefined
      ? thrown.toDecodeError(name)
      : new DecodeError(`Cannot decode ${name}: it looks like ${other}, and must be a protobuf message`, '', 0)
  }
}

/** What people send by mistake. None of these beginnings is that of a message that can be read. */
const otherFormats: readonly (readonly [RegExp, string])[] = [
  [/^[{[]\s*["{[\d\]}tfn-]/, 'JSON'],
  [/^<[!?a-z]/i, 'HTML or XML'],
  [/^--[^\r\n]{1,70}\r?\ncontent-/i, 'a multipart form'],
]

function otherFormat(bytes: Uint8Array): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, 120))
  return otherFormats.find(([pattern]) => pattern.test(head))?.[1]
}

export function encodeMessage<M>(
  message: M,
  measure: (message: M, sizes: Sizes) => number,
  write: (writer: Writer, message: M) => void,
): Uint8Array {
  const sizes = new Sizes()
  const writer = new Writer(measure(message, sizes), sizes)
  write(writer, message)
  return writer.finish()
}
