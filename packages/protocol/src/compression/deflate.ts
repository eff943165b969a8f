import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib'
import { malformed, tooLarge } from './failure.ts'

/**
 * gzip (RFC 1952) and zlib (RFC 1950) by `node:zlib`. A body ends where its data ends: gzip members may follow each
 * other, as RFC 1952 2.2 says, and anything else behind the data, zeros too, is refused.
 */

/** Deflate's densest: 258 bytes for 2 bits. */
const maxRatio = 1032
const smallestChunk = 16 * 1024
const largestChunk = 1024 * 1024
/** Level 1 takes a third of level 6's time; a PBRequest comes out at 0.43 of its size instead of 0.42. */
const level = 1

export function decompressGzip(bytes: Uint8Array, maxBytes: number): Uint8Array {
  // The last four bytes are the member's size. It is only a hint of how much to allocate at once.
  const hint = bytes.length >= 18 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4, true) : 0
  return inflate('gzip', gunzipSync, bytes, maxBytes, hint)
}

export function decompressZlib(bytes: Uint8Array, maxBytes: number): Uint8Array {
  return inflate('zlib', inflateSync, bytes, maxBytes, Math.min(bytes.length * 4, largestChunk))
}

export const compressGzip = (bytes: Uint8Array): Uint8Array => owned(gzipSync(bytes, { level }))
export const compressZlib = (bytes: Uint8Array): Uint8Array => owned(deflateSync(bytes, { level }))

/** Deflate with a window of at most 32 KB, a header check that holds and no preset dictionary. */
export function hasZlibHeader(bytes: Uint8Array): boolean {
  const [cmf = 0, flg = 0] = bytes
  return (cmf & 0x0f) === 8 && cmf >>> 4 <= 7 && ((cmf << 8) | flg) % 31 === 0 && (flg & 0x20) === 0
}

function inflate(
  format: string,
  inflateAll: typeof inflateSync,
  bytes: Uint8Array,
  maxBytes: number,
  hint: number,
): Uint8Array {
  // One byte more than expected, since a chunk that was filled to the brim makes zlib allocate another.
  const chunkSize = Math.max(smallestChunk, Math.min(hint, maxBytes, bytes.length * maxRatio) + 1)
  let result: { buffer: Buffer; engine: { bytesWritten: number } }
  try {
    const options = { info: true, chunkSize, maxOutputLength: Math.max(1, maxBytes) }
    // With `info` the result holds the engine as well, which the type of inflateSync leaves out.
    result = inflateAll(bytes, options) as unknown as typeof result
  } catch (cause) {
    throw isTooLarge(cause) ? tooLarge(format, maxBytes) : malformed(format, reason(cause), { cause })
  }
  if (result.buffer.length > maxBytes) throw tooLarge(format, maxBytes)
  const rest = bytes.length - result.engine.bytesWritten
  if (rest > 0) throw malformed(format, `${rest} bytes follow its end`)
  return owned(result.buffer)
}

export const isTooLarge = (thrown: unknown): boolean =>
  thrown instanceof RangeError && 'code' in thrown && thrown.code === 'ERR_BUFFER_TOO_LARGE'

/** Texts of zlib itself, such as `incorrect header check` and `unexpected end of file`. */
export const reason = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))

/** The bytes alone in their ArrayBuffer from offset 0, so that it may be transferred; nearly all of it is theirs. */
export function owned(buffer: Buffer): Uint8Array {
  const alone = buffer.byteOffset === 0 && buffer.buffer.byteLength - buffer.length <= buffer.length / 8
  return alone ? new Uint8Array(buffer.buffer, 0, buffer.length) : new Uint8Array(buffer)
}
