import { refuse } from '@eas/onnx'
import { crc32c, masked } from './crc32c.ts'
import type { ModelDirectory } from './folder.ts'
import type { GraphDef } from './graph-def.ts'
import { objectGraphKey } from './object-graph.ts'
import { type Resources, restoredFrom } from './resources.ts'
import { type BundleEntry, readTensorBundle, shardName, type TensorBundle } from './tensor-bundle.ts'
import type { ReadAhead } from './weights.ts'

/** Bytes of `variables.index`, some hundred per variable. */
const maxIndexBytes = 256 * 1024 * 1024
/** Bytes of what has to be read of a checkpoint to lower a model: strings and contents of tables. */
const maxAheadBytes = 256 * 1024 * 1024

/**
 * The checkpoint of a SavedModel; undefined when it has none.
 * @throws {ImportRefusal} When the index is damaged or a shard is shorter than it says.
 */
export async function readCheckpoint(
  directory: ModelDirectory,
  files: ReadonlySet<string>,
): Promise<TensorBundle | undefined> {
  const name = 'variables/variables.index'
  if (!files.has(name)) return undefined
  const source = await directory.open(name)
  if (source.size > maxIndexBytes) throw refuse(`${name} has ${source.size} bytes`, name)
  const bundle = readTensorBundle(await source.read(0, source.size), name)
  const sizes = await Promise.all(
    Array.from({ length: bundle.shards }, async (_, i) => {
      const shard = `variables/${shardName(i, bundle.shards)}`
      return files.has(shard) ? (await directory.open(shard)).size : undefined
    }),
  )
  for (const [key, { shard, offset, size }] of bundle.entries) {
    const has = sizes[shard]
    if (size > 0 && has === undefined)
      throw refuse(`variables/${shardName(shard, bundle.shards)} is missing`, '', 'Copy the SavedModel again')
    if (size > 0 && offset + size > (has ?? 0))
      throw refuse(
        `variables/${shardName(shard, bundle.shards)} is cut off at ${has} bytes`,
        key.slice(0, 100),
        'Copy the SavedModel again',
      )
  }
  return bundle
}

/** Reads what lowering looks into: tensors of strings, and those that fill tables. Their checksums are verified. */
export async function readAhead(
  directory: ModelDirectory,
  bundle: TensorBundle,
  graph: GraphDef,
  resources: Resources,
): Promise<ReadAhead> {
  const wanted = new Set<string>()
  for (const fill of resources.tables.values()) {
    if (fill.from !== 'tensors') continue
    for (const origin of [fill.keys, fill.values]) {
      const restored = restoredFrom(graph, origin)
      if (restored) wanted.add(restored.key)
    }
  }
  if (bundle.entries.has(objectGraphKey)) wanted.add(objectGraphKey)
  const restoredKeys = new Set([...resources.variables.values()].map((v) => v.key))
  for (const [key, { dtype }] of bundle.entries) if (dtype === 'string' && restoredKeys.has(key)) wanted.add(key)
  const read = new Map<string, { dtype: string; bytes?: Uint8Array; strings?: readonly Uint8Array[] }>()
  let total = 0
  for (const key of wanted) {
    const entry = bundle.entries.get(key)
    if (!entry || entry.slices.length > 0) continue
    total += entry.size
    if (total > maxAheadBytes)
      throw refuse(`tables and strings of the checkpoint take over ${maxAheadBytes} bytes`, key.slice(0, 100))
    const source = await directory.open(`variables/${shardName(entry.shard, bundle.shards)}`)
    const bytes = await source.read(entry.offset, entry.offset + entry.size)
    if (entry.dtype === 'string') read.set(key, { dtype: 'string', strings: toStrings(bytes, entry, key) })
    else {
      if (masked(crc32c(bytes)) !== entry.crc32c)
        throw refuse(`the checksum of ${JSON.stringify(key.slice(0, 100))} is wrong`, '', 'Copy the SavedModel again')
      read.set(key, { dtype: entry.dtype, bytes })
    }
  }
  return read
}

/** A length per string, a checksum of the lengths, then the strings. @see tensor_bundle.cc ReadStringTensor */
function toStrings(bytes: Uint8Array, { shape }: BundleEntry, key: string): readonly Uint8Array[] {
  const count = shape.reduce((a, b) => a * b, 1)
  const damaged = refuse(
    `the strings of ${JSON.stringify(key.slice(0, 100))} are damaged`,
    '',
    'Copy the SavedModel again',
  )
  if (count > bytes.length) throw damaged
  const lengths: number[] = []
  let at = 0
  for (let i = 0; i < count; i++) {
    let length = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]
      if (byte === undefined || scale > 2 ** 35) throw damaged
      length += (byte & 0x7f) * scale
      if (byte < 0x80) break
    }
    lengths.push(length)
  }
  at += 4
  return lengths.map((length) => {
    if (at + length > bytes.length) throw damaged
    at += length
    return bytes.slice(at - length, at)
  })
}
