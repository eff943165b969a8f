import { Fault } from './decode-error.ts'
import { Reader, Sizes, Writer } from './wire.ts'

/** @param name Of the message, for an error about no field in particular. */
export function decodeMessage<M>(name: string, bytes: Uint8Array, read: (reader: Reader) => M): M {
  try {
    return read(new Reader(bytes))
  } catch (thrown) {
    throw thrown instanceof Fault ? thrown.toDecodeError(name) : thrown
  }
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
