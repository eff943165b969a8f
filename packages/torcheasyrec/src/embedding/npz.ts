import { type FileHandle, open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { inflateRaw } from 'node:zlib'
import { EasError, fromHalf, oneLine } from '@eas/base'

/** An array of a .npz file. */
export interface NpyArray {
  readonly shape: readonly number[]
  readonly data: Float32Array | Uint8Array | BigInt64Array
}

interface Entry {
  readonly name: string
  /** 0 stored, 8 deflated. */
  readonly method: number
  readonly packedBytes: number
  readonly bytes: number
  /** Of its local header. */
  readonly offset: number
}

/** numpy's names of the types that tables are of; halves are read as floats. `@see` numpy.lib.format */
const readers: {
  readonly [descr: string]: { readonly size: number; readonly read: (bytes: Uint8Array) => NpyArray['data'] }
} = {
  '<f4': { size: 4, read: (bytes) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4) },
  '<f2': {
    size: 2,
    read: (bytes) => Float32Array.from(new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2), fromHalf),
  },
  '<i8': { size: 8, read: (bytes) => new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8) },
  '|u1': { size: 1, read: (bytes) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) },
}

const inflate = promisify(inflateRaw)

/** Bytes of a .npy header; numpy writes 128 for an array of few dimensions. */
const headerBytesMax = 64 * 1024

/**
 * The arrays of a .npz file: a zip of .npy files, as `numpy.savez` and `savez_compressed` write it.
 * @throws {EasError} `not_ready` when it is not one, or an array is of another type than `readers`.
 */
export async function readNpz(path: string, name: string): Promise<Map<string, NpyArray>> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const arrays = new Map<string, NpyArray>()
    for (const entry of await entriesOf(file, size, name)) {
      if (!entry.name.endsWith('.npy')) continue
      const array = parseNpy(await contentOf(file, size, entry, name), `${oneLine(entry.name, 100)} of ${name}`)
      arrays.set(entry.name.slice(0, -'.npy'.length), array)
    }
    return arrays
  } finally {
    await file.close()
  }
}

/** Arrays one below the other; `undefined` where they differ in more than their rows. */
export function joinRows(parts: readonly NpyArray[]): NpyArray | undefined {
  const [first] = parts
  if (!first || parts.length === 1) return first
  const [, ...width] = first.shape
  const fits = parts.every(
    ({ shape, data }) => data.constructor === first.data.constructor && String(shape.slice(1)) === String(width),
  )
  if (!fits) return undefined
  const joined = new Uint8Array(parts.reduce((bytes, { data }) => bytes + data.byteLength, 0))
  let end = 0
  for (const { data } of parts) {
    joined.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), end)
    end += data.byteLength
  }
  // The class of typed arrays that each part's data is of.
  const data = new (first.data.constructor as new (bytes: ArrayBuffer) => NpyArray['data'])(joined.buffer)
  return { shape: [parts.reduce((rows, { shape }) => rows + (shape[0] ?? 0), 0), ...width], data }
}

const damaged = (name: string, facts: string) => new EasError('not_ready', `Cannot load the model: ${name} ${facts}`)

/** @throws {EasError} `not_ready` when the range is not within the file. */
async function read(file: FileHandle, size: number, start: number, length: number, name: string): Promise<Buffer> {
  if (start < 0 || length < 0 || start + length > size) throw damaged(name, 'is cut short')
  const buffer = Buffer.alloc(length)
  for (let at = 0; at < length; ) {
    // Node takes at most 2^31 - 1 bytes per read.
    const { bytesRead } = await file.read(buffer, at, Math.min(length - at, 1 << 30), start + at)
    if (bytesRead === 0) throw damaged(name, 'became shorter while it was read')
    at += bytesRead
  }
  return buffer
}

/** The central directory. `@see` PKWARE APPNOTE.TXT, 4.3.12, 4.3.14 and 4.5.3 */
async function entriesOf(file: FileHandle, size: number, name: string): Promise<Entry[]> {
  const tailStart = Math.max(0, size - 65_557)
  const tail = await read(file, size, tailStart, size - tailStart, name)
  const end = tail.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  if (end < 0 || end + 22 > tail.length) throw damaged(name, 'is not a .npz file')
  let [count, length, start] = [tail.readUInt16LE(end + 10), tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)]
  if (start === 0xffffffff || length === 0xffffffff || count === 0xffff) {
    const at = Number(tail.readBigUInt64LE(Math.max(0, end - 20 + 8)))
    const record = await read(file, size, at, 56, name)
    if (record.readUInt32LE(0) !== 0x06064b50) throw damaged(name, 'is not a .npz file')
    count = Number(record.readBigUInt64LE(32))
    length = Number(record.readBigUInt64LE(40))
    start = Number(record.readBigUInt64LE(48))
  }
  const directory = await read(file, size, start, length, name)
  const entries: Entry[] = []
  for (let at = 0; entries.length < count; ) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== 0x02014b50)
      throw damaged(name, 'is not a .npz file')
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ] // three fields
    const next = at + 46 + nameBytes + extraBytes + commentBytes
    if (next > directory.length) throw damaged(name, 'is not a .npz file')
    entries.push(entryOf(directory.subarray(at, next), nameBytes, extraBytes))
    at = next
  }
  return entries
}

function entryOf(record: Buffer, nameBytes: number, extraBytes: number): Entry {
  let [packedBytes, bytes, offset] = [record.readUInt32LE(20), record.readUInt32LE(24), record.readUInt32LE(42)]
  const extra = record.subarray(46 + nameBytes, 46 + nameBytes + extraBytes)
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue
    // Zip64: in this order, those of the three that do not fit into 32 bits.
    let field = at + 4
    const wide = (value: number) => {
      if (value !== 0xffffffff || field + 8 > extra.length) return value
      field += 8
      return Number(extra.readBigUInt64LE(field - 8))
    }
    bytes = wide(bytes)
    packedBytes = wide(packedBytes)
    offset = wide(offset)
  }
  return {
    name: record.toString('utf8', 46, 46 + nameBytes),
    method: record.readUInt16LE(10),
    packedBytes,
    bytes,
    offset,
  }
}

async function contentOf(file: FileHandle, size: number, entry: Entry, name: string): Promise<Buffer> {
  const local = await read(file, size, entry.offset, 30, name)
  const start = entry.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28)
  const packed = await read(file, size, start, entry.packedBytes, name)
  if (entry.method === 0) return packed
  if (entry.method !== 8) throw damaged(name, `is packed by method ${entry.method}`)
  try {
    const bytes = await inflate(packed, { maxOutputLength: Math.max(1, entry.bytes) })
    // In memory of its own, which typed arrays of eight bytes can be aligned in.
    return Buffer.from(bytes)
  } catch (cause) {
    throw new EasError('not_ready', `Cannot load the model: ${name} cannot be unpacked`, { cause })
  }
}

/** @see numpy.lib.format, versions 1 to 3 */
function parseNpy(bytes: Buffer, name: string): NpyArray {
  if (bytes.length < 12 || bytes.toString('latin1', 1, 6) !== 'NUMPY') throw damaged(name, 'is not a .npy file')
  const isWide = (bytes[6] ?? 0) > 1
  const headerBytes = isWide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8)
  const start = (isWide ? 12 : 10) + headerBytes
  if (headerBytes > headerBytesMax || start > bytes.length) throw damaged(name, 'has no .npy header')
  const header = bytes.toString('latin1', isWide ? 12 : 10, start)
  const descr = /'descr': *'([^']{1,8})'/.exec(header)?.[1] ?? ''
  const dims = /'shape': *\(([\d, ]*)\)/.exec(header)?.[1]
  const reader = Object.hasOwn(readers, descr) ? readers[descr] : undefined
  if (!reader) throw damaged(name, `is of ${oneLine(descr, 20) || 'no type'}, which no table is`)
  if (dims === undefined || /'fortran_order': *True/.test(header)) throw damaged(name, 'is not in row-major order')
  const shape = dims
    .split(',')
    .map((dim) => dim.trim())
    .filter((dim) => dim !== '')
    .map(Number)
  const count = shape.reduce((product, dim) => product * dim, 1)
  if (count * reader.size !== bytes.length - start) throw damaged(name, `does not have the bytes of ${shape.join('x')}`)
  // numpy aligns data within the .npy file, not within the zip.
  const content = bytes.subarray(start)
  const aligned = content.byteOffset % 8 === 0 ? content : new Uint8Array(content)
  return { shape, data: reader.read(aligned) }
}
