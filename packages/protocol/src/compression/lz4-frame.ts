import { type Span, span } from './copy.ts'
import { malformed, tooLarge } from './failure.ts'
import { decodeLz4Block, encodeLz4Block, maxLz4BlockBytes, measureLz4Block } from './lz4-block.ts'
import { afterSkippableFrames, skippableMagic } from './skippable-frames.ts'
import { xxh32 } from './xxh32.ts'

/**
 * LZ4 frames, both ways: linked or independent blocks, every checksum verified, frames end to end, skippable frames
 * passed over. Dictionaries and the legacy frame are refused.
 *
 * @see https://github.com/lz4/lz4/blob/v1.10.0/doc/lz4_Frame_format.md (1.6.4)
 */

const frameMagic = 0x184d2204
const legacyMagic = 0x184c2102
const storedBit = 0x8000_0000

/** Clients write one frame. An empty one is 11 bytes and would cost many more to note. */
const maxFrames = 1024

/** A frame as it was found whole. */
interface Frame {
  readonly firstBlock: number
  readonly end: number
  readonly blockChecksums: boolean
  /** Bytes it decodes to. */
  readonly size: number
  /** XXH32 of them. */
  readonly checksum: number | undefined
}

interface Block {
  readonly start: number
  readonly end: number
  readonly stored: boolean
}

export function isLz4Frame(bytes: Uint8Array): boolean {
  const at = afterSkippableFrames(bytes)
  return bytes[at] === 0x04 && bytes[at + 1] === 0x22 && bytes[at + 2] === 0x4d && bytes[at + 3] === 0x18
}

/** @throws {EasError} `invalid_request` for a malformed frame, `too_large` for more than `maxBytes` in all. */
export function decompressLz4Frame(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const input = span(bytes)
  const { frames, size } = readFrames(input, maxBytes)
  const output = span(new Uint8Array(size))
  let at = 0
  for (const frame of frames) {
    const start = at
    let next = frame.firstBlock
    for (let block = readBlock(input.view, next); block; block = readBlock(input.view, next)) {
      if (block.stored) {
        output.bytes.set(bytes.subarray(block.start, block.end), at)
        at += block.end - block.start
      } else {
        at = decodeLz4Block(input, block.start, block.end, output, at)
      }
      next = block.end + (frame.blockChecksums ? 4 : 0)
    }
    if (frame.checksum !== undefined && frame.checksum !== xxh32(output.view, start, at)) {
      throw malformed('lz4_frame', 'its bytes do not have its content checksum')
    }
  }
  return output.bytes
}

/** Every frame's blocks and the bytes they decode to, known before any is decoded. */
function readFrames(input: Span, maxBytes: number): { frames: readonly Frame[]; size: number } {
  const { view } = input
  const frames: Frame[] = []
  let size = 0
  let at = 0
  while (at < view.byteLength) {
    const magic = readUint32(view, at)
    if (magic >>> 4 === skippableMagic) {
      at += 8 + readUint32(view, at + 4)
      if (at > view.byteLength) throw malformed('lz4_frame', 'it ends within a skippable frame')
      continue
    }
    if (magic === legacyMagic) throw malformed('lz4_frame', 'the legacy frame is not supported')
    if (magic !== frameMagic) throw malformed('lz4_frame', `byte ${at} begins no frame`)
    const frame = readFrame(input, at, maxBytes - size)
    if (frame === 'too_large') throw tooLarge('lz4_frame', maxBytes)
    frames.push(frame)
    if (frames.length > maxFrames) throw malformed('lz4_frame', `it holds more than ${maxFrames} frames`)
    size += frame.size
    at = frame.end
  }
  if (frames.length === 0) throw malformed('lz4_frame', 'it holds no frame')
  return { frames, size }
}

function readFrame(input: Span, start: number, maxBytes: number): Frame | 'too_large' {
  const { view } = input
  const header = readHeader(view, start)
  let size = 0
  let at = header.end
  for (let block = readBlock(view, at); block; block = readBlock(view, at)) {
    const length = block.end - block.start
    if (length > header.blockBytes) {
      throw malformed('lz4_frame', `a block of ${length} bytes is over the ${header.blockBytes} it declares`)
    }
    if (block.end > view.byteLength) throw malformed('lz4_frame', 'it ends within a block')
    at = block.end
    if (header.blockChecksums) {
      if (readUint32(view, at) !== xxh32(view, block.start, block.end)) {
        throw malformed('lz4_frame', 'a block does not have its checksum')
      }
      at += 4
    }
    size += sizeOfBlock(input, block, header.linked ? size : 0, header.blockBytes)
    if (size > maxBytes) return 'too_large'
  }
  at += 4 // the end mark
  if (header.contentBytes !== undefined && header.contentBytes !== BigInt(size)) {
    throw malformed('lz4_frame', `it holds ${size} of the ${header.contentBytes} bytes it declares`)
  }
  const checksum = header.contentChecksum ? readUint32(view, at) : undefined
  const end = header.contentChecksum ? at + 4 : at
  return { firstBlock: header.end, end, blockChecksums: header.blockChecksums, size, checksum }
}

/** The block whose size stands at `at`, undefined at the end mark. */
function readBlock(view: DataView, at: number): Block | undefined {
  const word = readUint32(view, at)
  return word === 0 ? undefined : { start: at + 4, end: at + 4 + (word % storedBit), stored: word >= storedBit }
}

function sizeOfBlock(input: Span, block: Block, history: number, maxBytes: number): number {
  if (block.stored) return block.end - block.start
  const size = measureLz4Block(input, block.start, block.end, history, maxBytes)
  if (size === 'too_large') throw malformed('lz4_frame', `a block decodes to more than the ${maxBytes} it declares`)
  if (typeof size === 'string') throw malformed('lz4_frame', `a block is malformed: ${size}`)
  return size
}

function readHeader(view: DataView, start: number) {
  const descriptor = start + 4
  const flags = readUint8(view, descriptor)
  const blockSizeCode = (readUint8(view, descriptor + 1) >>> 4) & 7
  if (flags >>> 6 !== 1) throw malformed('lz4_frame', `version ${flags >>> 6} is not supported`)
  if (flags & 2 || readUint8(view, descriptor + 1) & 0x8f) throw malformed('lz4_frame', 'a reserved bit is set')
  if (flags & 1) throw malformed('lz4_frame', 'it needs a dictionary, which is not supported')
  if (blockSizeCode < 4) throw malformed('lz4_frame', `its block size code ${blockSizeCode} is reserved`)
  const end = descriptor + (flags & 8 ? 11 : 3)
  if (end > view.byteLength) throw malformed('lz4_frame', 'it ends within its header')
  if (readUint8(view, end - 1) !== ((xxh32(view, descriptor, end - 1) >>> 8) & 0xff)) {
    throw malformed('lz4_frame', 'its header does not have its checksum')
  }
  return {
    end,
    linked: (flags & 0x20) === 0,
    blockChecksums: (flags & 0x10) !== 0,
    contentChecksum: (flags & 4) !== 0,
    contentBytes: flags & 8 ? view.getBigUint64(descriptor + 2, true) : undefined,
    /** 64 KB, 256 KB, 1 MB or 4 MB. */
    blockBytes: 1 << (8 + 2 * blockSizeCode),
  }
}

function readUint8(view: DataView, at: number): number {
  if (at + 1 > view.byteLength) throw malformed('lz4_frame', 'it ends within a header')
  return view.getUint8(at)
}

function readUint32(view: DataView, at: number): number {
  if (at + 4 > view.byteLength) throw malformed('lz4_frame', 'it ends where a block or a checksum should follow')
  return view.getUint32(at, true)
}

/** Version 1, independent blocks, block and content checksums: what the Java client writes. */
const flags = 0x74
/** 64 KB blocks, code 4. */
const blockBytes = 65_536
const blockDescriptor = 0x40

/** One frame of independent 64 KB blocks with block and content checksums, as the Java client's. */
export function compressLz4Frame(bytes: Uint8Array): Uint8Array {
  const input = span(bytes)
  const blockCount = Math.ceil(bytes.length / blockBytes)
  const output = span(new Uint8Array(15 + blockCount * 8 + maxLz4BlockBytes(bytes.length) + blockCount * 16))
  const { view } = output
  view.setUint32(0, frameMagic, true)
  view.setUint8(4, flags)
  view.setUint8(5, blockDescriptor)
  view.setUint8(6, (xxh32(view, 4, 6) >>> 8) & 0xff)
  let at = 7
  for (let start = 0; start < bytes.length; start += blockBytes) {
    const end = Math.min(start + blockBytes, bytes.length)
    const body = at + 4
    let bodyEnd = encodeLz4Block(input, start, end, output, body)
    const stored = bodyEnd - body >= end - start
    if (stored) {
      output.bytes.set(bytes.subarray(start, end), body)
      bodyEnd = body + end - start
    }
    view.setUint32(at, stored ? (bodyEnd - body) | storedBit : bodyEnd - body, true)
    view.setUint32(bodyEnd, xxh32(view, body, bodyEnd), true)
    at = bodyEnd + 4
  }
  view.setUint32(at, 0, true)
  view.setUint32(at + 4, xxh32(input.view, 0, bytes.length), true)
  return output.bytes.subarray(0, at + 8)
}
