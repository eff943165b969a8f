import { EasError } from '@eas/base'
import { compressGzip, compressZlib, decompressGzip, decompressZlib, hasZlibHeader } from './deflate.ts'
import { tooLarge } from './failure.ts'
import { compressLz4Block, decompressLz4Block } from './lz4-block.ts'
import { compressLz4Frame, decompressLz4Frame, isLz4Frame } from './lz4-frame.ts'
import type { Compressor } from './names.ts'
import { compressSnappy, decompressSnappy, trySnappy } from './snappy.ts'
import { compressZstd, decompressZstd } from './zstd.ts'
import { isZstd } from './zstd-frames.ts'

interface Codec {
  /**
   * @throws {EasError} `invalid_request` for malformed bytes, `too_large` when they hold more than `maxBytes`; both
   * before more than `maxBytes` and a chunk were allocated.
   */
  readonly decompress: (bytes: Uint8Array, maxBytes: number) => Uint8Array
  readonly compress: (bytes: Uint8Array) => Uint8Array
  /** Whether the first bytes are this format's. Cheap; absent where the format has no mark. */
  readonly recognises?: (bytes: Uint8Array) => boolean
  /** `Content-Encoding` by which the Java client's `setDecompressor(Auto)` knows a response. */
  readonly contentEncoding?: string
}

/** The clients' compressors. No client names the one it used: it is configured, or recognised by the bytes. */
export const compressors = {
  gzip: {
    decompress: decompressGzip,
    compress: compressGzip,
    recognises: (bytes) => bytes[0] === 0x1f && bytes[1] === 0x8b,
    contentEncoding: 'gzip',
  },
  /** RFC 1950, which HTTP calls deflate. */
  zlib: {
    decompress: decompressZlib,
    compress: compressZlib,
    recognises: hasZlibHeader,
    contentEncoding: 'deflate',
  },
  /** A raw block: what every client means by Snappy. */
  snappy: { decompress: decompressSnappy, compress: compressSnappy, contentEncoding: 'snappy' },
  /**
   * A block, or a frame by its magic: EAS does not say which of the two its `lz4` is. No block begins like a frame, as
   * its first token would be a match with nothing before it. The reader of a compressed response needs its original
   * size, in `X-LZ4-Original-Length`, and cannot learn of it from `Content-Encoding`.
   */
  lz4: {
    decompress: (bytes, maxBytes) =>
      isLz4Frame(bytes) ? decompressLz4Frame(bytes, maxBytes) : decompressLz4Block(bytes, maxBytes),
    compress: compressLz4Block,
  },
  lz4_frame: {
    decompress: decompressLz4Frame,
    compress: compressLz4Frame,
    recognises: isLz4Frame,
    contentEncoding: 'lz4',
  },
  zstd: { decompress: decompressZstd, compress: compressZstd, recognises: isZstd, contentEncoding: 'zstd' },
} as const satisfies Record<Compressor, Codec>

/**
 * The content of a compressed body, in an `ArrayBuffer` of its own from offset 0 on.
 *
 * @throws {EasError} `invalid_request` for malformed bytes, `too_large` when they hold more than `maxBytes`.
 */
export function decompress(name: Compressor, bytes: Uint8Array, maxBytes: number): Uint8Array {
  return compressors[name].decompress(bytes, maxBytes)
}

/** @throws {EasError} `not_implemented` for `zstd` before Node 22.15. */
export function compress(name: Compressor, bytes: Uint8Array): Uint8Array {
  return compressors[name].compress(bytes)
}

/** Formats that a magic tells from every message a client sends: two bytes, or four behind any skippable frames. */
const byMagic = ['gzip', 'zstd', 'lz4_frame'] as const

/**
 * How a body was compressed, and its content; undefined for a plain one. By magic where there is one; then zlib, if it
 * inflates exactly to the end; then Snappy, if it decodes to exactly its declared length and that content is a message.
 * Asking first whether the body itself is a message would be wrong: 2 in 100 Snappy blocks of small requests are.
 *
 * A body with a magic that does not decompress is plain only if it is a message. gzip's first byte would be a tag of
 * wire type 7 and LZ4's one of field 0, which no message has. Zstandard's would be field 5, a varint of 6069, and then
 * a fixed32: legal, though no message of EAS has such a field.
 *
 * @param isMessage Whether the bytes strictly parse as the message that is expected. Meant for protobuf only: text may
 * be anything, so a body that is not a message should not be guessed at.
 * @throws {EasError} `too_large` when the content would be over `maxBytes`; `invalid_request` as `decompress`, for a
 * body that has a magic.
 */
export function recogniseCompression(
  bytes: Uint8Array,
  maxBytes: number,
  isMessage: (bytes: Uint8Array) => boolean,
): { compressor: Compressor; bytes: Uint8Array } | undefined {
  const magic = byMagic.find((name) => compressors[name].recognises(bytes))
  if (magic) {
    try {
      return { compressor: magic, bytes: decompress(magic, bytes, maxBytes) }
    } catch (error) {
      if (isMalformed(error) && isMessage(bytes)) return undefined
      throw error
    }
  }
  if (hasZlibHeader(bytes)) {
    try {
      return { compressor: 'zlib', bytes: decompressZlib(bytes, maxBytes) }
    } catch (error) {
      if (!isMalformed(error)) throw error
    }
  }
  const content = trySnappy(bytes, maxBytes)
  if (content === 'too_large') throw tooLarge('snappy', maxBytes)
  return content && isMessage(content) ? { compressor: 'snappy', bytes: content } : undefined
}

const isMalformed = (error: unknown) => error instanceof EasError && error.code === 'invalid_request'
