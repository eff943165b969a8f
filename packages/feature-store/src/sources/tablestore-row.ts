import { badData } from '../feature-store-error.ts'
import type { Row } from '../rows.ts'

/**
 * PlainBuffer, in which Tablestore's messages carry rows: little-endian, a tag before everything, a checksum after every
 * cell and row.
 *
 * @see https://github.com/aliyun/aliyun-tablestore-nodejs-sdk/tree/5.6.5/lib/protocol `plain_buffer_*.js`
 */

const header = 0x75

const tags = {
  rowKey: 1,
  rowData: 2,
  cell: 3,
  cellName: 4,
  cellValue: 5,
  cellType: 6,
  cellTimestamp: 7,
  deletedRow: 8,
  rowChecksum: 9,
  cellChecksum: 10,
} as const

const types = { integer: 0, double: 1, boolean: 2, string: 3, null: 6, blob: 7, min: 9, max: 10 } as const

/** CRC-8 with the polynomial x^8 + x^2 + x + 1. */
const crcTable = Uint8Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x80 ? 0x107 : 0)
  return crc
})
const crc8 = (bytes: Uint8Array, start = 0): number => bytes.reduce((crc, byte) => crcTable[crc ^ byte] ?? 0, start)

/** Before and behind all rows of a table. */
export type KeyBound = 'min' | 'max'

/** A primary key of one column, as requests carry it. */
export function encodeKey(name: string, value: { readonly id: string | bigint } | KeyBound): Buffer {
  const nameBytes = Buffer.from(name)
  const variant = variantOf(value)
  const cellCrc = crc8(variant, crc8(nameBytes))
  return Buffer.concat([
    u32(header),
    Uint8Array.of(tags.rowKey, tags.cell, tags.cellName),
    u32(nameBytes.length),
    nameBytes,
    Uint8Array.of(tags.cellValue),
    u32(variant.length),
    variant,
    Uint8Array.of(tags.cellChecksum, cellCrc, tags.rowChecksum, crc8(Uint8Array.of(cellCrc, 0))),
  ])
}

/** A type and a value: what is also summed. */
function variantOf(value: { readonly id: string | bigint } | KeyBound): Buffer {
  if (typeof value === 'string') return Buffer.from([types[value]])
  const { id } = value
  if (typeof id === 'bigint') {
    const bytes = Buffer.alloc(9)
    bytes.writeUInt8(types.integer)
    bytes.writeBigInt64LE(id, 1)
    return bytes
  }
  const text = Buffer.from(id)
  return Buffer.concat([Uint8Array.of(types.string), u32(text.length), text])
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** Rows as answers carry them: key and attribute columns by name. @throws {FeatureStoreError} `bad_data`. */
export function decodeRows(bytes: Buffer): readonly Row[] {
  if (bytes.length === 0) return []
  const reader = new RowReader(bytes)
  const rows: Row[] = []
  while (reader.hasMore) rows.push(reader.row())
  return rows
}

class RowReader {
  private readonly bytes: Buffer
  private at = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
    if (bytes.readUInt32LE(this.take(4)) !== header) throw badData('rows of Tablestore do not start as they should')
  }

  get hasMore(): boolean {
    return this.at < this.bytes.length
  }

  row(): Row {
    const cells: (readonly [string, unknown])[] = []
    let crc = 0
    const readCells = () => {
      while (this.is(tags.cell)) {
        const cell = this.cell()
        cells.push([cell.name, cell.value])
        crc = crc8(Uint8Array.of(cell.crc), crc)
      }
    }
    if (this.is(tags.rowKey)) readCells()
    if (this.is(tags.rowData)) readCells()
    const isDeleted = this.is(tags.deletedRow)
    this.check(tags.rowChecksum, crc8(Uint8Array.of(isDeleted ? 1 : 0), crc))
    return Object.fromEntries(cells)
  }

  private cell() {
    this.expect(tags.cellName)
    const name = this.text()
    let crc = crc8(Buffer.from(name))
    let value: unknown
    if (this.is(tags.cellValue)) {
      const size = this.u32()
      const variant = this.bytes.subarray(this.take(size), this.at)
      value = readVariant(variant)
      crc = crc8(variant, crc)
    }
    if (this.is(tags.cellType)) crc = crc8(this.bytes.subarray(this.take(1), this.at), crc)
    if (this.is(tags.cellTimestamp)) crc = crc8(this.bytes.subarray(this.take(8), this.at), crc)
    this.check(tags.cellChecksum, crc)
    return { name, value, crc }
  }

  /** Whether the next byte is `tag`, which is then behind us. */
  private is(tag: number): boolean {
    if (this.bytes[this.at] !== tag) return false
    this.at++
    return true
  }

  private expect(tag: number): void {
    if (!this.is(tag)) throw badData(`rows of Tablestore have ${this.bytes[this.at]} where tag ${tag} belongs`)
  }

  private check(tag: number, crc: number): void {
    this.expect(tag)
    if (this.bytes[this.take(1)] !== crc) throw badData('rows of Tablestore have another checksum than they should')
  }

  private u32(): number {
    return this.bytes.readUInt32LE(this.take(4))
  }

  private text(): string {
    const size = this.u32()
    return this.bytes.toString('utf8', this.take(size), this.at)
  }

  /** Where the next `size` bytes start, which are then behind us. */
  private take(size: number): number {
    if (size > this.bytes.length - this.at) throw badData('rows of Tablestore are cut')
    this.at += size
    return this.at - size
  }
}

/** Bytes of the values behind their type, for types whose size is known. */
const sizes: { readonly [type: number]: number } = { [types.integer]: 8, [types.double]: 8, [types.boolean]: 1 }

function readVariant(variant: Buffer): unknown {
  const [type = -1] = variant
  const isText = type === types.string || type === types.blob
  const size = isText ? (variant.length >= 5 ? 4 + variant.readUInt32LE(1) : -1) : (sizes[type] ?? 0)
  if (variant.length !== 1 + size) throw badData(`a value of Tablestore of type ${type} has ${variant.length} bytes`)
  switch (type) {
    case types.integer:
      return variant.readBigInt64LE(1)
    case types.double:
      return variant.readDoubleLE(1)
    case types.boolean:
      return variant[1] === 1
    case types.string:
      return variant.toString('utf8', 5)
    case types.blob:
      return variant.subarray(5)
    default:
      return undefined
  }
}
