import { EasError } from '@eas/base'

/** Bytes that are not what the format asks for. `fact` is the end of a sentence about the body. */
export function malformed(format: string, fact: string, options?: ErrorOptions): EasError {
  return new EasError('invalid_request', `Cannot decompress the body as ${format}: ${fact}`, options)
}

/** A body that would become larger than its limit. */
export function tooLarge(format: string, maxBytes: number): EasError {
  return new EasError('too_large', `Cannot decompress the body as ${format}: it holds more than ${maxBytes} bytes`)
}
