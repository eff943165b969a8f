import type { ExternalRange } from './model.ts'

/**
 * Checks where a tensor says its bytes are. A location is a relative path that stays below the model's folder; the range
 * holds exactly the tensor and, where the size of the file is known, lies inside it.
 * @throws {RangeError} Saying what is wrong.
 * @see https://github.com/onnx/onnx/blob/v1.16.0/docs/ExternalData.md
 */
export function checkExternalRange(range: ExternalRange, tensorBytes: number, fileBytes?: number): void {
  const { location, offset, length } = range
  if (!isInside(location))
    throw new RangeError(`external data at ${JSON.stringify(location)} leaves the model's folder`)
  if (!Number.isSafeInteger(offset) || offset < 0) throw new RangeError(`external data begins at ${offset}`)
  if (length !== tensorBytes)
    throw new RangeError(`external data of ${length} bytes, where the tensor takes ${tensorBytes}`)
  if (fileBytes !== undefined && offset + length > fileBytes) {
    throw new RangeError(`external data ends at ${offset + length}, where ${location} ends at ${fileBytes}`)
  }
}

/** A relative path without a way out: no root, drive, `..`, backslash or control character. */
function isInside(location: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (location === '' || location.length > 1024 || /[\u0000-\u001f\\]|^\/|^[A-Za-z]:/.test(location)) return false
  return !location.split('/').includes('..')
}
