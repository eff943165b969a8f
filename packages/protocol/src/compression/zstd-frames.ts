import { EasError } from '@eas/base'
import { malformed } from './failure.ts'
import { afterSkippableFrames, skippableMagic } from './skippable-frames.ts'

/** One Zstandard frame: where it lies in the input and what its headers alone say. */
export interface ZstdFrame {
  readonly start: number
  readonly end: number
  readonly firstBlock: number
  /** Bytes it declares to hold. */
  readonly contentBytes: number | undefined
  /** Bytes its blocks can hold at most. */
  readonly maxContentBytes: number
  /** `Block_Maximum_Size`: the window, at most 128 KB. */
  readonly blockBytes: number
  readonly checksum: number | undefined
}

export interface ZstdBlock {
  readonly type: 'raw' | 'rle' | 'compressed'
  readonly isLast: boolean
  readonly start: number
  readonly end: number
  /** Decoded bytes: exactly, or at most for a compressed block. */
  readonly size: number
}

const blockTypes = ['raw', 'rle', 'compressed'] as const
const frameMagic = 0xfd2fb528
export const largestBlockBytes = 128 * 1024

/** RFC 8878 3.1.1.1.2 asks decoders for 8 MB at least; a larger window than may be decoded at all is of no use. */
const smallestMaxWindow = 8 * 1024 * 1024

/** Clients write one frame; `pzstd` one for some megabytes. An empty one is 9 bytes and would cost many more to note. */
const maxFrames = 1024

export function isZstd(bytes: Uint8Array): boolean {
  const at = afterSkippableFrames(bytes)
  return bytes[at] === 0x28 && bytes[at + 1] === 0xb5 && bytes[at + 2] === 0x2f && bytes[at + 3] === 0xfd
}

/**
 * Follows the headers of every frame and block to the end of the bytes, which it costs a few nanoseconds per 128 KB to
 * do. Node 22 answers a body that is cut short with its first bytes, or none, instead of an error, and no version reads
 * a frame behind a skippable one or refuses what follows the last; a frame found whole here has none of these traps.
 *
 * @throws {EasError} `invalid_request` when the frames do not end where the bytes do, or declare what cannot be;
 * `too_large` for a window that content of `maxBytes` has no use for.
 * @see https://www.rfc-editor.org/rfc/rfc8878
 */
export function readZstdFrames(bytes: Uint8Array, maxBytes: number): readonly ZstdFrame[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const frames: ZstdFrame[] = []
  let at = 0
  while (at < bytes.length) {
    const magic = readUint(view, at, 4)
    if (magic >>> 4 === skippableMagic) {
      at += 8 + readUint(view, at + 4, 4)
      if (at > bytes.length) throw malformed('zstd', 'it ends within a skippable frame')
    } else if (magic === frameMagic) {
      const frame = readFrame(view, at, maxBytes)
      frames.push(frame)
      if (frames.length > maxFrames) throw malformed('zstd', `it holds more than ${maxFrames} frames`)
      at = frame.end
    } else {
      throw malformed('zstd', `byte ${at} begins no frame`)
    }
  }
  if (frames.length === 0) throw malformed('zstd', 'it holds no frame')
  return frames
}

function readFrame(view: DataView, start: number, maxBytes: number): ZstdFrame {
  const header = readHeader(view, start)
  const { contentBytes } = header
  const maxWindow = Math.max(smallestMaxWindow, 2 * maxBytes)
  if (!header.singleSegment && header.windowBytes > maxWindow) {
    const fact = `its window of ${header.windowBytes} bytes is over ${maxWindow}`
    throw new EasError('too_large', `Cannot decompress the body as zstd: ${fact}`)
  }
  const blockBytes = Math.min(header.windowBytes, largestBlockBytes)
  let maxContentBytes = 0
  let at = header.end
  for (let isLast = false; !isLast; ) {
    const block = readZstdBlock(view, at, blockBytes)
    maxContentBytes += block.size
    at = block.end
    isLast = block.isLast
  }
  if (contentBytes !== undefined && contentBytes > maxContentBytes) {
    throw malformed('zstd', `it declares ${contentBytes} bytes, more than its blocks can hold`)
  }
  const checksum = header.hasChecksum ? readUint(view, at, 4) : undefined
  const end = at + (header.hasChecksum ? 4 : 0)
  return { start, end, firstBlock: header.end, contentBytes, maxContentBytes, blockBytes, checksum }
}

export function readZstdBlock(view: DataView, at: number, blockBytes: number): ZstdBlock {
  const word = readUint(view, at, 3)
  const length = word >>> 3
  const type = blockTypes[(word >>> 1) & 3]
  if (type === undefined) throw malformed('zstd', 'a block is of the reserved type')
  if (length > blockBytes) throw malformed('zstd', `a block of ${length} bytes is over the limit of ${blockBytes}`)
  const start = at + 3
  const end = start + (type === 'rle' ? 1 : length)
  if (end > view.byteLength) throw malformed('zstd', 'it ends within a block')
  return { type, isLast: (word & 1) === 1, start, end, size: type === 'compressed' ? blockBytes : length }
}

function readHeader(view: DataView, start: number) {
  const descriptor = readUint(view, start + 4, 1)
  if (descriptor & 8) throw malformed('zstd', 'a reserved bit is set')
  const singleSegment = (descriptor & 0x20) !== 0
  let at = start + 5
  let windowBytes = 0
  if (!singleSegment) {
    const byte = readUint(view, at++, 1)
    const base = 2 ** (10 + (byte >>> 3))
    windowBytes = base + (base / 8) * (byte & 7)
  }
  const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  if (readUint(view, at, dictionaryIdBytes) !== 0)
    throw malformed('zstd', 'it needs a dictionary, which is not supported')
  at += dictionaryIdBytes
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] ?? 0
  // The 2-byte form counts from 256 on.
  const contentBytes = sizeBytes === 0 ? undefined : readUint(view, at, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
  return {
    end: at + sizeBytes,
    singleSegment,
    /** Of a single segment it is the content itself. */
    windowBytes: singleSegment ? (contentBytes ?? 0) : windowBytes,
    contentBytes,
    hasChecksum: (descriptor & 4) !== 0,
  }
}

/** Little-endian; of 8 bytes only the size matters where it is over 2^53. */
function readUint(view: DataView, at: number, bytes: number): number {
  if (at + bytes > view.byteLength) throw malformed('zstd', 'it ends within a header')
  let value = 0
  for (let i = bytes - 1; i >= 0; i--) value = value * 256 + view.getUint8(at + i)
  return value
}
