import { refuse } from '@eas/onnx'
import { decompress } from '@eas/protocol'
import { crc32c, masked } from './crc32c.ts'

/**
 * LevelDB's sorted table, the format of `variables.index`: blocks of prefix-compressed entries, found through an index
 * block that the footer names.
 * @see https://github.com/google/leveldb/blob/1.23/doc/table_format.md
 */

const footerBytes = 48
const magic = 0xdb4775248b80fb57n
/** Entries of one table. A checkpoint has one per variable and slice, some ten thousand. */
const maxEntries = 1_048_576
/** Bytes of one block after decompression; TensorFlow begins another at 256 kB, the largest entry aside. */
const maxBlockBytes = 64 * 1024 * 1024

/**
 * Entries in order of key; keys are latin1 strings, since those of slices are not text.
 * @throws {ImportRefusal} When the bytes are not such a table, or a checksum is wrong.
 */
export function readSortedTable(bytes: Uint8Array, file: string): Map<string, Uint8Array> {
  const fail = (what: string) => refuse(`${file} is damaged: ${what}`, '', 'Copy the SavedModel again')
  if (bytes.length < footerBytes) throw fail(`it has ${bytes.length} bytes`)
  const footer = bytes.subarray(bytes.length - footerBytes)
  if (Buffer.from(footer.buffer, footer.byteOffset + 40, 8).readBigUInt64LE() !== magic)
    throw fail('it does not end as a table does')
  const reader = new VarintReader(footer, fail)
  reader.next()
  reader.next()
  const index = readBlock(bytes, reader.next(), reader.next(), fail)
  const entries = new Map<string, Uint8Array>()
  for (const [, handle] of blockEntries(index, fail)) {
    const at = new VarintReader(handle, fail)
    for (const [key, value] of blockEntries(readBlock(bytes, at.next(), at.next(), fail), fail)) {
      if (entries.size >= maxEntries) throw fail(`it has over ${maxEntries} entries`)
      entries.set(key, value)
    }
  }
  return entries
}

type Fail = (what: string) => Error

/** A type byte and a checksum of contents and type follow each block. */
function readBlock(bytes: Uint8Array, offset: number, size: number, fail: Fail): Uint8Array {
  if (offset + size + 5 > bytes.length - footerBytes) throw fail(`a block of ${size} bytes at ${offset} is cut off`)
  const block = bytes.subarray(offset, offset + size)
  const type = bytes[offset + size] ?? 0
  const stored = Buffer.from(bytes.buffer, bytes.byteOffset + offset + size + 1, 4).readUInt32LE()
  if (masked(crc32c(block, Uint8Array.of(type))) !== stored)
    throw fail(`the checksum of the block at ${offset} is wrong`)
  if (type === 0) return block
  if (type !== 1) throw fail(`the block at ${offset} has the compression type ${type}`)
  return decompress('snappy', block, maxBlockBytes)
}

function* blockEntries(block: Uint8Array, fail: Fail): Generator<[key: string, value: Uint8Array]> {
  if (block.length < 4) throw fail('a block has no restart points')
  const restarts = Buffer.from(block.buffer, block.byteOffset + block.length - 4, 4).readUInt32LE()
  const end = block.length - 4 - 4 * restarts
  if (end < 0) throw fail(`a block has ${restarts} restart points`)
  const reader = new VarintReader(block.subarray(0, end), fail)
  let key = ''
  while (reader.pos < end) {
    const shared = reader.next()
    const unshared = reader.next()
    const length = reader.next()
    if (shared > key.length) throw fail('an entry shares more of its key than there is')
    key = key.slice(0, shared) + Buffer.from(reader.take(unshared)).toString('latin1')
    yield [key, reader.take(length)]
  }
}

class VarintReader {
  private readonly bytes: Uint8Array
  private readonly fail: Fail
  pos = 0

  constructor(bytes: Uint8Array, fail: Fail) {
    this.bytes = bytes
    this.fail = fail
  }

  /** A varint below 2^53. */
  next(): number {
    let value = 0
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.bytes[this.pos++]
      if (byte === undefined) throw this.fail('a number is cut off')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw this.fail('a number is too long')
  }

  take(size: number): Uint8Array {
    if (size > this.bytes.length - this.pos) throw this.fail('an entry is cut off')
    this.pos += size
    return this.bytes.subarray(this.pos - size, this.pos)
  }
}
