import { ByteBuffer } from 'flatbuffers'
import { badData } from '../feature-store-error.ts'

/**
 * The values of a `batch_get_kv2` answer, one per key in their order: blocks of `[u32 length][FlatBuffer RecordBlock]`.
 * `RecordBlock` has `index: uint` at slot 4 and `values: [UInt8ValueColumn { value: [ubyte] }]` at slot 6.
 *
 * @see aliyun-pai-featurestore-go-sdk, datasource/featuredb/fdbserverpb
 */
export function* recordBlocks(bytes: Uint8Array): Generator<Uint8Array, void, void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 4) throw badData('FeatureDB answers with a cut block')
    const size = view.getUint32(at, true)
    if (size > bytes.length - at - 4) throw badData(`FeatureDB answers with a block of ${size} bytes that is cut`)
    yield* blockValues(bytes.subarray(at + 4, at + 4 + size))
    at += 4 + size
  }
}

const [valuesSlot, valueSlot] = [6, 4]

function* blockValues(block: Uint8Array): Generator<Uint8Array, void, void> {
  const buffer = new ByteBuffer(block)
  /** Every position is checked before flatbuffers reads there: it believes what it reads. */
  const inside = (offset: number, size: number) => {
    if (offset < 0 || size < 0 || offset + size > block.length) throw badData('FeatureDB answers with a damaged block')
    return offset
  }
  const uint = (offset: number) => buffer.readUint32(inside(offset, 4))
  const field = (table: number, slot: number): number => {
    const vtable = inside(table - buffer.readInt32(inside(table, 4)), 4)
    const size = buffer.readUint16(vtable)
    inside(vtable, size)
    const offset = slot + 2 <= size ? buffer.readUint16(vtable + slot) : 0
    return offset === 0 ? 0 : inside(table + offset, 4)
  }
  /** Start and length of the vector that a field leads to. */
  const vector = (table: number, slot: number, itemBytes: number): readonly [number, number] => {
    const at = field(table, slot)
    if (at === 0) return [0, 0]
    const start = inside(at + uint(at), 4)
    const count = uint(start)
    inside(start + 4, count * itemBytes)
    return [start + 4, count]
  }

  const [values, count] = vector(uint(0), valuesSlot, 4)
  for (let i = 0; i < count; i++) {
    const at = values + 4 * i
    const [start, size] = vector(at + uint(at), valueSlot, 1)
    yield block.subarray(start, start + size)
  }
}
