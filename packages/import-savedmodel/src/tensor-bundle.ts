import { bytesOf, decodeMessage, type ElementType, type Message, ProtoError, refuse } from '@eas/onnx'
import { dtypeOf } from './dtype.ts'
import { toShape } from './graph-def.ts'
import { bundleEntryType, bundleHeaderType } from './messages.ts'
import { readSortedTable } from './sorted-table.ts'
import { isElementType } from './tensor-proto.ts'

/** Where a tensor of a checkpoint lies. */
export interface BundleEntry {
  readonly dtype: ElementType
  readonly shape: readonly number[]
  readonly shard: number
  readonly offset: number
  readonly size: number
  readonly crc32c: number
  /** Extents of each slice of a partitioned variable, whose bytes are elsewhere. */
  readonly slices: readonly Slice[]
}

/** Start and length per dimension; a length of -1 is the whole. */
export type Slice = readonly { readonly start: number; readonly length: number }[]

export interface TensorBundle {
  readonly shards: number
  readonly entries: ReadonlyMap<string, BundleEntry>
}

/** Shards of one checkpoint; training jobs write one per parameter server. */
const maxShards = 4096

/**
 * @param index The bytes of `variables.index`.
 * @throws {ImportRefusal} When they are not an index, or say what cannot be.
 * @see https://github.com/tensorflow/tensorflow/blob/v2.16.1/tensorflow/core/protobuf/tensor_bundle.proto
 */
export function readTensorBundle(index: Uint8Array, file: string): TensorBundle {
  const table = readSortedTable(index, file)
  const fail = (what: string) => refuse(`${file} is damaged: ${what}`)
  try {
    const header = decodeMessage(bundleHeaderType, table.get('') ?? new Uint8Array())
    const shards: number = header.num_shards ?? 1
    if (header.endianness) throw refuse(`${file} is big-endian`, '', 'Save the model on a little-endian machine')
    if (!(shards >= 1 && shards <= maxShards)) throw fail(`it has ${shards} shards`)
    const entries = new Map<string, BundleEntry>()
    for (const [key, bytes] of table) {
      if (key === '') continue
      const entry = toEntry(decodeMessage(bundleEntryType, bytes))
      if (typeof entry === 'string') throw fail(`${JSON.stringify(key.slice(0, 100))} ${entry}`)
      if (entry && entry.shard >= shards)
        throw fail(`${JSON.stringify(key.slice(0, 100))} is in shard ${entry.shard} of ${shards}`)
      if (entry) entries.set(key, entry)
    }
    return { shards, entries }
  } catch (error) {
    if (error instanceof ProtoError) throw fail(error.message)
    throw error
  }
}

/** Undefined for element types that no graph needs, such as variants; text says what is wrong. */
function toEntry(message: Message): BundleEntry | string | undefined {
  const dtype = dtypeOf(message.dtype ?? 0)
  if (!isElementType(dtype)) return undefined
  const shape = toShape(message.shape ?? { dim: [] }) ?? []
  const { shard_id: shard = 0, offset = 0, size = 0, crc32c = 0 } = message
  const slices: Slice[] = message.slices.map((s: Message) =>
    s.extent.map((e: Message) => ({ start: e.start ?? 0, length: e.length ?? -1 })),
  )
  if (shape.some((d) => d < 0) || ![shard, offset, size].every((n) => Number.isSafeInteger(n) && n >= 0))
    return 'has a negative size'
  const elements = shape.reduce((a, b) => a * b, 1)
  if (slices.length === 0 && dtype !== 'string' && elements * bytesOf(dtype) !== size)
    return `of shape [${shape}] has ${size} bytes`
  return { dtype, shape, shard, offset, size, crc32c, slices }
}

/** `variables.data-00000-of-00001`. */
export const shardName = (shard: number, shards: number): string =>
  `variables.data-${String(shard).padStart(5, '0')}-of-${String(shards).padStart(5, '0')}`

/**
 * Key of a slice's bytes: 0, the name, and per dimension start and length, in an encoding that keeps their order.
 * @see https://github.com/tensorflow/tensorflow/blob/v2.16.1/tensorflow/core/util/saved_tensor_slice_util.cc EncodeTensorNameSlice
 */
export function sliceKey(name: string, slice: Slice): string {
  const escaped = Buffer.from(name, 'utf8')
    .toString('latin1')
    .replace(/[\0\xff]/g, (c) => (c === '\0' ? '\0\xff' : '\xff\0'))
  const parts = [orderedNumber(0), `${escaped}\0\x01`, orderedNumber(slice.length)]
  for (const { start, length } of slice) parts.push(orderedSigned(start), orderedSigned(length))
  return parts.join('')
}

/** OrderedCode::WriteNumIncreasing: a count of bytes, then those bytes, largest first. */
function orderedNumber(n: number): string {
  const bytes: number[] = []
  for (let rest = n; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return String.fromCharCode(bytes.length, ...bytes)
}

/** OrderedCode::WriteSignedNumIncreasing: as many leading ones as bytes, less or greater than zero by the first bit. */
function orderedSigned(n: number): string {
  const magnitude = n < 0 ? -n - 1 : n
  let length = 1
  while (magnitude >= 2 ** (7 * length - 1)) length++
  const bytes: number[] = []
  for (let i = 0, rest = magnitude; i < length; i++, rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  // The first `length` bits after nothing are ones, the bit after them is zero.
  for (let bit = 0; bit < length; bit++) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7))
  return String.fromCharCode(...bytes.map((b) => (n < 0 ? ~b & 0xff : b)))
}
