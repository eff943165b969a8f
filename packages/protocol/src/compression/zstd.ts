import { EasError, joinBytes } from '@eas/base'
import { isTooLarge, owned, reason } from './deflate.ts'
import { malformed, tooLarge } from './failure.ts'
import { decodeZstdFrame } from './zstd-decode.ts'
import { readZstdFrames, type ZstdFrame } from './zstd-frames.ts'

/** What Node has from 22.15 on and the types of Node 20 do not know. */
interface NativeZstd {
  zstdDecompressSync?(bytes: Uint8Array, options: { maxOutputLength: number; chunkSize: number }): Buffer
  zstdCompressSync?(bytes: Uint8Array): Buffer
}
// Absent functions are undefined, which the interface says. Not imported: a start would wait 2 ms for what few bodies need.
const native = () => process.getBuiltinModule('node:zlib') as NativeZstd

/**
 * Zstandard, by Node itself where it can and by `zstd-decode` where not. Both see only frames whose headers have been
 * read to the end.
 *
 * @throws {EasError} `invalid_request` for malformed frames, `too_large` for more than `maxBytes` in all.
 */
export function decompressZstd(bytes: Uint8Array, maxBytes: number): Uint8Array {
  return decodeAll(bytes, maxBytes, native().zstdDecompressSync ? decodeNatively : decodeZstdFrame)
}

/** As `decompressZstd`, on any version of Node. */
export function decompressZstdPortably(bytes: Uint8Array, maxBytes: number): Uint8Array {
  return decodeAll(bytes, maxBytes, decodeZstdFrame)
}

/** @throws {EasError} `not_implemented` before Node 22.15, which is the first to encode Zstandard. */
export function compressZstd(bytes: Uint8Array): Uint8Array {
  const { zstdCompressSync } = native()
  if (!zstdCompressSync) {
    throw new EasError('not_implemented', `Cannot compress as zstd: it needs Node 22.15, this is ${process.version}`)
  }
  return owned(zstdCompressSync(bytes))
}

function decodeAll(bytes: Uint8Array, maxBytes: number, decode: typeof decodeZstdFrame): Uint8Array {
  const frames = readZstdFrames(bytes, maxBytes)
  const declared = frames.reduce((sum, frame) => sum + (frame.contentBytes ?? 0), 0)
  if (declared > maxBytes) throw tooLarge('zstd', maxBytes)
  const contents: Uint8Array[] = []
  let size = 0
  for (const frame of frames) {
    const content = decode(bytes, frame, maxBytes - size)
    if (content === 'too_large') throw tooLarge('zstd', maxBytes)
    if (frame.contentBytes !== undefined && frame.contentBytes !== content.length) {
      throw malformed('zstd', `it holds ${content.length} of the ${frame.contentBytes} bytes it declares`)
    }
    contents.push(content)
    size += content.length
  }
  const [only] = contents
  if (only && contents.length === 1) return only
  return joinBytes(contents, size)
}

function decodeNatively(bytes: Uint8Array, frame: ZstdFrame, maxBytes: number): Uint8Array | 'too_large' {
  // One byte more than expected, since a chunk that was filled to the brim makes zlib allocate another.
  const usual = Math.min(frame.maxContentBytes, 8 * (frame.end - frame.start), 1024 * 1024, maxBytes)
  const expected = frame.contentBytes ?? usual
  const options = { maxOutputLength: Math.max(1, maxBytes), chunkSize: Math.max(1024, expected + 1) }
  try {
    const content = native().zstdDecompressSync?.(bytes.subarray(frame.start, frame.end), options) ?? Buffer.alloc(0)
    return content.length > maxBytes ? 'too_large' : owned(content)
  } catch (cause) {
    if (isTooLarge(cause)) return 'too_large'
    throw malformed('zstd', reason(cause), { cause })
  }
}
