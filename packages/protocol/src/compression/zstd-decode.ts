import { once } from '@eas/base'
import { copyLiterals, copyMatch, type Span, span } from './copy.ts'
import { malformed } from './failure.ts'
import { xxh64 } from './xxh64.ts'
import { bits, endOfBits, need } from './zstd-bits.ts'
import { largestBlockBytes, readZstdBlock, type ZstdBlock, type ZstdFrame } from './zstd-frames.ts'
import { buildFseTable, type FseTable, readFseTable, rleTable } from './zstd-fse.ts'
import { decodeHuffman, type HuffmanTable, readHuffmanTable } from './zstd-huffman.ts'

/**
 * Zstandard for versions of Node that have none. Written here because the JavaScript decoder there is, fzstd 0.1.1,
 * does not hold a sequence to the size of its block: 19 bytes kept it busy for 8 seconds.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8878 section 3.1
 */

/** Extra bits by code, RFC 8878 3.1.1.3.2.1.1; a code's base is the sum of what those before it span. */
const lengthBits = [1, 1, 1, 1, 2, 2, 3, 3]
const literalBits = Uint8Array.of(...new Array(16).fill(0), ...lengthBits, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
const matchBits = Uint8Array.of(...new Array(32).fill(0), ...lengthBits, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
const literalBases = bases(literalBits, 0)
const matchBases = bases(matchBits, 3)

function bases(bits: Uint8Array, first: number): Int32Array {
  let base = first
  return Int32Array.from(bits, (count) => {
    base += 2 ** count
    return base - 2 ** count
  })
}

/** The three kinds of code in the order their tables come, with the default distributions of 3.1.1.3.2.2, made when asked for. */
const codeKinds = [
  {
    maxSymbol: 35,
    maxAccuracy: 9,
    predefined: once(() =>
      buildFseTable(
        [
          4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1,
          -1,
        ],
        6,
      ),
    ),
  },
  {
    maxSymbol: 31,
    maxAccuracy: 8,
    predefined: once(() =>
      buildFseTable([1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1], 5),
    ),
  },
  {
    maxSymbol: 52,
    maxAccuracy: 9,
    predefined: once(() =>
      buildFseTable(
        [
          1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
          1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
        ],
        6,
      ),
    ),
  },
] as const

/** Zeros before and after a block, so that a word at its edges can be read whole. */
const margin = 8

/** Room for a block and for its literals, the same for every frame: what one leaves in it the next does not see. */
const room = once(() => ({
  input: span(new Uint8Array(margin + largestBlockBytes + margin)),
  literals: span(new Uint8Array(largestBlockBytes + margin)),
}))

/** What one block leaves for the next, and room to work in. */
interface State {
  huffman: HuffmanTable | undefined
  /** Literal lengths, offsets, match lengths. */
  readonly tables: (FseTable | undefined)[]
  /** The three last distances, the newest first. */
  readonly distances: Int32Array
  readonly input: Span
  readonly literals: Span
}

/**
 * The content of one frame.
 * @returns `'too_large'` when it is more than `maxBytes`, found out before as much is allocated.
 */
export function decodeZstdFrame(bytes: Uint8Array, frame: ZstdFrame, maxBytes: number): Uint8Array | 'too_large' {
  const state: State = {
    huffman: undefined,
    tables: [undefined, undefined, undefined],
    distances: Int32Array.of(1, 4, 8),
    ...room(),
  }
  const most = Math.min(frame.contentBytes ?? frame.maxContentBytes, maxBytes)
  // Of undeclared size: begin with what such a body usually holds, and go on with the most that its blocks can.
  const usual = Math.min(most, 8 * (frame.end - frame.start) + frame.blockBytes)
  let output = span(new Uint8Array(frame.contentBytes === undefined ? usual : most))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  let next = frame.firstBlock
  for (let isLast = false; !isLast; ) {
    const block = readZstdBlock(view, next, frame.blockBytes)
    if (at + block.size > output.bytes.length && output.bytes.length < most) {
      const used = output.bytes.subarray(0, at)
      output = span(new Uint8Array(most))
      output.bytes.set(used)
    }
    const end = decodeBlock(bytes, block, state, output, at)
    if (end === undefined) {
      if (most === maxBytes) return 'too_large'
      throw malformed('zstd', `it holds more than the ${most} bytes it declares`)
    }
    at = end
    next = block.end
    isLast = block.isLast
  }
  if (frame.checksum !== undefined && Number(xxh64(output.view, 0, at) & 0xffff_ffffn) !== frame.checksum) {
    throw malformed('zstd', 'its bytes do not have its checksum')
  }
  return at === output.bytes.length ? output.bytes : output.bytes.slice(0, at)
}

/** Where its content ends in `output`, or undefined when it does not fit there. */
function decodeBlock(bytes: Uint8Array, block: ZstdBlock, state: State, output: Span, at: number): number | undefined {
  const { type, start, end, size } = block
  if (type === 'compressed') return decodeCompressed(bytes.subarray(start, end), size, state, output, at)
  if (size > output.bytes.length - at) return undefined
  if (type === 'raw') output.bytes.set(bytes.subarray(start, end), at)
  else output.bytes.fill(bytes[start] ?? 0, at, at + size)
  return at + size
}

function decodeCompressed(
  block: Uint8Array,
  maxBytes: number,
  state: State,
  output: Span,
  at: number,
): number | undefined {
  const { input } = state
  const end = margin + block.length
  input.bytes.set(block, margin)
  input.bytes.fill(0, end, end + margin)
  const literals = decodeLiterals(state, margin, end)
  const { count, end: tables } = readSequenceCount(input.view, literals.end, end)
  const limit = Math.min(at + maxBytes, output.bytes.length)
  if (count === 0) need(tables === end, 'a block without sequences goes on')
  const done =
    count === 0
      ? { at, used: 0 }
      : runSequences(state, readTables(state, tables, end), end, count, literals.size, output, at, limit)
  const rest = done ? literals.size - done.used : 0
  if (!done || rest > limit - done.at) {
    need(limit === output.bytes.length, `a block decodes to more than ${maxBytes} bytes`)
    return undefined
  }
  copyLiterals(state.literals, done.used, output, done.at, rest) // those behind the last sequence
  return done.at + rest
}

function readSequenceCount(view: DataView, start: number, end: number): { count: number; end: number } {
  need(start < end, 'a block ends before its sequences')
  const head = view.getUint8(start)
  if (head < 128) return { count: head, end: start + 1 }
  const stop = start + (head === 255 ? 3 : 2)
  need(stop <= end, 'a block ends within its sequence count')
  if (head < 255) return { count: ((head - 128) << 8) | view.getUint8(start + 1), end: stop }
  return { count: view.getUint16(start + 1, true) + 0x7f00, end: stop }
}

/** Copies literals and matches in turns, and gives where both ended; undefined when `limit` stopped them. */
function runSequences(
  state: State,
  start: number,
  end: number,
  count: number,
  literalCount: number,
  output: Span,
  at: number,
  limit: number,
): { at: number; used: number } | undefined {
  const { distances, literals } = state
  const { view } = state.input
  const [literalTable, offsetTable, matchTable] = state.tables
  need(literalTable && offsetTable && matchTable, 'a block repeats a table that no block has told')
  const first = start * 8
  let bit = endOfBits(view, start, end)
  bit -= literalTable.accuracy
  let literalState = bits(view, bit, literalTable.accuracy)
  bit -= offsetTable.accuracy
  let offsetState = bits(view, bit, offsetTable.accuracy)
  bit -= matchTable.accuracy
  let matchState = bits(view, bit, matchTable.accuracy)
  let used = 0
  for (let left = count; ; ) {
    const offsetWidth = offsetTable.symbols[offsetState] ?? 0
    const matchCode = matchTable.symbols[matchState] ?? 0
    const matchWidth = matchBits[matchCode] ?? 0
    const literalCode = literalTable.symbols[literalState] ?? 0
    const literalWidth = literalBits[literalCode] ?? 0
    need(bit - offsetWidth - matchWidth - literalWidth >= first, 'a block ends within its sequences')
    bit -= offsetWidth
    const offset =
      offsetWidth <= 16 ? (1 << offsetWidth) + bits(view, bit, offsetWidth) : longOffset(view, bit, offsetWidth)
    bit -= matchWidth
    const length = (matchBases[matchCode] ?? 0) + bits(view, bit, matchWidth)
    bit -= literalWidth
    const literalLength = (literalBases[literalCode] ?? 0) + bits(view, bit, literalWidth)
    const distance = resolveDistance(distances, offset, literalLength)

    need(literalLength <= literalCount - used, 'a sequence takes more literals than there are')
    if (literalLength + length > limit - at) return undefined
    copyLiterals(literals, used, output, at, literalLength)
    used += literalLength
    at += literalLength
    need(distance > 0 && distance <= at, 'a match reaches back before the first byte')
    copyMatch(output, at, distance, length)
    at += length
    if (--left === 0) break

    const literalNext = literalTable.bits[literalState] ?? 0
    const matchNext = matchTable.bits[matchState] ?? 0
    const offsetNext = offsetTable.bits[offsetState] ?? 0
    need(bit - literalNext - matchNext - offsetNext >= first, 'a block ends within its sequences')
    bit -= literalNext
    literalState = (literalTable.bases[literalState] ?? 0) + bits(view, bit, literalNext)
    bit -= matchNext
    matchState = (matchTable.bases[matchState] ?? 0) + bits(view, bit, matchNext)
    bit -= offsetNext
    offsetState = (offsetTable.bases[offsetState] ?? 0) + bits(view, bit, offsetNext)
  }
  need(bit === first, 'a block has bits left behind its sequences')
  return { at, used }
}

/** An offset of more bits than one read gives. */
const longOffset = (view: DataView, bit: number, width: number) =>
  2 ** width + bits(view, bit + 16, width - 16) * 65_536 + bits(view, bit, 16)

/** RFC 8878 3.1.1.5: values 1 to 3 name one of the three last distances, shifted by one where no literal precedes. */
function resolveDistance(last: Int32Array, offset: number, literalLength: number): number {
  const [first = 0, second = 0, third = 0] = last
  if (offset > 3) {
    last[2] = second
    last[1] = first
    last[0] = offset - 3
    return offset - 3
  }
  const index = offset - 1 + (literalLength === 0 ? 1 : 0)
  if (index === 0) return first
  const distance = index === 1 ? second : index === 2 ? third : first - 1
  if (index > 1) last[2] = second
  last[1] = first
  last[0] = distance
  return distance
}

function readTables(state: State, start: number, end: number): number {
  const { view, bytes } = state.input
  need(start < end, 'a block ends within its tables')
  const modes = view.getUint8(start)
  need((modes & 3) === 0, 'a reserved bit is set in a block')
  let i = start + 1
  for (const [index, kind] of codeKinds.entries()) {
    const mode = (modes >>> (6 - 2 * index)) & 3
    if (mode === 0) {
      state.tables[index] = kind.predefined()
    } else if (mode === 1) {
      need(i < end && view.getUint8(i) <= kind.maxSymbol, 'a block repeats a code there is not')
      state.tables[index] = rleTable(view.getUint8(i++))
    } else if (mode === 2) {
      const read = readFseTable(bytes, i, end, kind.maxAccuracy, kind.maxSymbol)
      state.tables[index] = read.table
      i = read.end
    }
  }
  return i
}

/** Fills `state.literals`, and gives how many they are and where their section ends. */
function decodeLiterals(state: State, start: number, end: number): { size: number; end: number } {
  const { view, bytes } = state.input
  const target = state.literals.bytes
  const maxBytes = target.length - margin
  need(start < end, 'a block is empty')
  const type = view.getUint8(start) & 3
  const format = (view.getUint8(start) >>> 2) & 3
  const head = view.getUint32(start, true)
  if (type < 2) {
    const headBytes = (format & 1) === 0 ? 1 : format === 1 ? 2 : 3
    const size = headBytes === 1 ? (head >>> 3) & 0x1f : headBytes === 2 ? (head >>> 4) & 0xfff : (head >>> 4) & 0xfffff
    const i = start + headBytes
    const stop = i + (type === 1 ? 1 : size)
    need(stop <= end && size <= maxBytes, 'a block ends within its literals')
    if (type === 0) target.set(bytes.subarray(i, stop))
    else target.fill(view.getUint8(i), 0, size)
    return { size, end: stop }
  }
  const headBytes = format < 2 ? 3 : format + 2
  const sizeBits = format < 2 ? 10 : format === 2 ? 14 : 18
  const mask = 2 ** sizeBits - 1
  // 36 bits at most: the upper size begins within the first word and may reach into the next byte.
  const size = (head >>> 4) & mask
  const packed = sizeBits === 18 ? (head >>> 22) + view.getUint8(start + 4) * 1024 : (head >>> (4 + sizeBits)) & mask
  let i = start + headBytes
  const stop = i + packed
  need(stop <= end && size <= maxBytes, 'a block ends within its literals')
  if (type === 2) {
    const read = readHuffmanTable(bytes, view, i, stop)
    state.huffman = read.table
    i = read.end
  }
  const { huffman } = state
  need(huffman, 'a block repeats a Huffman table that no block has told')
  if (format === 0) {
    decodeHuffman(view, i, stop, huffman, target, 0, size)
    return { size, end: stop }
  }
  need(stop - i >= 10 && size >= 6, 'a block ends within its literals')
  const quarter = (size + 3) >>> 2
  let from = i + 6
  for (let stream = 0; stream < 4; stream++) {
    const to = stream === 3 ? stop : from + view.getUint16(i + 2 * stream, true)
    need(to <= stop, 'a block ends within its literals')
    decodeHuffman(view, from, to, huffman, target, stream * quarter, stream === 3 ? size : (stream + 1) * quarter)
    from = to
  }
  return { size, end: stop }
}
