import { Buffer } from 'node:buffer'
import { inflateRawSync } from 'node:zlib'
import { type ModelSource, refuse } from '@eas/onnx'
import { limits } from './limits.ts'

/** A file of the archive, as the central directory lists it. */
export interface ZipEntry {
  readonly name: string
  readonly method: number
  /** Bytes in the archive, and after inflating. */
  readonly compressed: number
  readonly size: number
  readonly header: number
  readonly nameBytes: number
  /** Where the next entry, or the directory, begins. */
  readonly next: number
}

const signature = { end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50, entry: 0x02014b50, local: 0x04034b50 }
const damaged = (facts: string) => refuse(`the archive is damaged: ${facts}`, '', 'Copy the file again')

/** Read first: holds the directory and the code of all but the largest models. */
const tailBytes = 256 * 1024

/**
 * Reads a ZIP archive by ranges. Only the central directory is believed, since torch's writer leaves the sizes in local
 * headers to data descriptors.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export class Zip {
  readonly source: ModelSource
  readonly entries: ReadonlyMap<string, ZipEntry>
  private readonly tail: Buffer
  private headers = 0

  private constructor(source: ModelSource, entries: ReadonlyMap<string, ZipEntry>, tail: Buffer) {
    this.source = source
    this.entries = entries
    this.tail = tail
  }

  /** @throws {ImportRefusal} When there is no directory, or it says what cannot be. */
  static async open(source: ModelSource): Promise<Zip> {
    const start = Math.max(0, source.size - tailBytes)
    const tail = await readRange(source, start, source.size)
    const directory = findDirectory(tail, start)
    if (directory.offset + directory.size > source.size) throw damaged('its directory lies outside the file')
    if (directory.size > limits.directoryBytes) throw refuse(`the archive's directory takes ${directory.size} bytes`)
    const bytes =
      directory.offset >= start
        ? tail.subarray(directory.offset - start, directory.offset - start + directory.size)
        : await readRange(source, directory.offset, directory.offset + directory.size)
    return new Zip(source, readDirectory(bytes, directory.offset, directory.count), tail)
  }

  /** Bytes of the file, from memory where they were read before. */
  async bytes(start: number, end: number): Promise<Buffer> {
    const tailStart = this.source.size - this.tail.length
    if (start >= tailStart) return this.tail.subarray(start - tailStart, end - tailStart)
    return readRange(this.source, start, end)
  }

  /** Where the bytes of a stored entry lie. */
  async payload(entry: ZipEntry): Promise<number> {
    return alignedPayload(entry) ?? (await this.headerPayload(entry))
  }

  private async headerPayload(entry: ZipEntry): Promise<number> {
    if (++this.headers > limits.headers)
      throw refuse(
        `over ${limits.headers} weights lie elsewhere than torch puts them`,
        '',
        'Save the model with torch.jit.save',
      )
    const header = await this.bytes(entry.header, entry.header + 30)
    if (header.length < 30 || header.readUInt32LE(0) !== signature.local) throw damaged(`${entry.name} has no header`)
    const start = entry.header + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
    if (start + entry.compressed > entry.next) throw damaged(`${entry.name} overlaps what follows`)
    return start
  }

  /** Contents of an entry. @throws {ImportRefusal} When they take over `maxBytes`. */
  async read(entry: ZipEntry, maxBytes: number): Promise<Buffer> {
    const [contents] = await this.readAll([entry], maxBytes)
    return (contents as () => Buffer)() // one entry gives one
  }

  /**
   * Contents of entries that lie near each other, fetched in as few ranges as they allow; each is inflated when asked for.
   */
  async readAll(entries: readonly ZipEntry[], maxBytes: number): Promise<(() => Buffer)[]> {
    const ranges: { start: number; end: number }[] = []
    for (const { header, next } of [...entries].sort((a, b) => a.header - b.header)) {
      const last = ranges.at(-1)
      // One request more costs about as long as reading 256 kB.
      if (last && header - last.end < tailBytes) last.end = next
      else ranges.push({ start: header, end: next })
    }
    for (const { name, size, compressed } of entries) {
      if (size > maxBytes || compressed > maxBytes)
        throw refuse(`${name} takes ${Math.max(size, compressed)} bytes, over ${maxBytes}`)
    }
    const read = await Promise.all(
      ranges.map(async ({ start, end }) => ({ start, end, bytes: await this.bytes(start, end) })),
    )
    return entries.map((entry) => () => {
      const range = read.find(({ start, end }) => entry.header >= start && entry.next <= end)
      if (!range) throw damaged(`${entry.name} overlaps what follows`)
      return contentsOf(entry, range.bytes.subarray(entry.header - range.start, entry.next - range.start))
    })
  }
}

async function readRange(source: ModelSource, start: number, end: number): Promise<Buffer> {
  const bytes = await source.read(start, end)
  if (bytes.length !== end - start) throw damaged(`it ends before byte ${end}`)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

interface Directory {
  readonly offset: number
  readonly size: number
  readonly count: number
}

function findDirectory(tail: Buffer, start: number): Directory {
  for (let at = tail.length - 22; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== signature.end || at + 22 + tail.readUInt16LE(at + 20) > tail.length) continue
    if (tail.readUInt16LE(at + 4) !== 0 && tail.readUInt16LE(at + 4) !== 0xffff)
      throw refuse('the archive is spread over several disks')
    const short = {
      count: tail.readUInt16LE(at + 10),
      size: tail.readUInt32LE(at + 12),
      offset: tail.readUInt32LE(at + 16),
    }
    if (short.count !== 0xffff && short.size !== 0xffffffff && short.offset !== 0xffffffff) return short
    const locator = at - 20
    if (locator < 0 || tail.readUInt32LE(locator) !== signature.locator64) return short
    const end64 = sizeAt(tail, locator + 8) - start
    if (end64 < 0 || end64 + 56 > tail.length || tail.readUInt32LE(end64) !== signature.end64)
      throw damaged('its ZIP64 directory is missing')
    return { count: sizeAt(tail, end64 + 32), size: sizeAt(tail, end64 + 40), offset: sizeAt(tail, end64 + 48) }
  }
  throw damaged('it has no directory, or is no ZIP archive')
}

function sizeAt(bytes: Buffer, at: number): number {
  const size = bytes.readBigUInt64LE(at)
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(`it speaks of ${size} bytes`)
  return Number(size)
}

function readDirectory(bytes: Buffer, offset: number, count: number): Map<string, ZipEntry> {
  if (count > limits.entries) throw refuse(`the archive has ${count} entries, over ${limits.entries}`)
  const list: (ZipEntry & { next: number })[] = []
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== signature.entry)
      throw damaged(`entry ${i} of its directory is missing`)
    const nameBytes = bytes.readUInt16LE(at + 28)
    const extraBytes = bytes.readUInt16LE(at + 30)
    const end = at + 46 + nameBytes + extraBytes + bytes.readUInt16LE(at + 32)
    if (end > bytes.length) throw damaged(`entry ${i} of its directory is cut off`)
    const name = bytes.toString('utf8', at + 46, at + 46 + nameBytes)
    if (bytes.readUInt16LE(at + 8) & 1) throw refuse(`${name} is encrypted`)
    const method = bytes.readUInt16LE(at + 10)
    const extra = bytes.subarray(at + 46 + nameBytes, at + 46 + nameBytes + extraBytes)
    const sizes = {
      size: bytes.readUInt32LE(at + 24),
      compressed: bytes.readUInt32LE(at + 20),
      header: bytes.readUInt32LE(at + 42),
    }
    list.push({ name, method, nameBytes, ...withZip64(sizes, extra, name), next: offset })
    at = end
  }
  return lieApart(list, offset)
}

/** Sizes too large for 32 bits stand in the extra field 1, in this order, each only if its place says so. */
function withZip64(
  sizes: { size: number; compressed: number; header: number },
  extra: Buffer,
  name: string,
): typeof sizes {
  const result = { ...sizes }
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2)
    if (extra.readUInt16LE(at) === 1) {
      let place = at + 4
      for (const key of ['size', 'compressed', 'header'] as const) {
        if (result[key] !== 0xffffffff) continue
        if (place + 8 > Math.min(extra.length, at + 4 + length)) throw damaged(`${name} has no ZIP64 sizes`)
        result[key] = sizeAt(extra, place)
        place += 8
      }
    }
    at += 4 + length
  }
  return result
}

function lieApart(list: (ZipEntry & { next: number })[], directory: number): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>()
  const byPlace = [...list].sort((a, b) => a.header - b.header)
  for (const [i, entry] of byPlace.entries()) {
    entry.next = byPlace[i + 1]?.header ?? directory
    if (entry.header + 30 + entry.nameBytes + entry.compressed > entry.next)
      throw damaged(`${entry.name} overlaps what follows`)
  }
  for (const entry of list) {
    if (entries.has(entry.name)) throw damaged(`it holds ${entry.name} twice`)
    entries.set(entry.name, entry)
  }
  return entries
}

/**
 * Torch pads the header of a stored entry so that its bytes begin at a multiple of 64. That the place is right shows in
 * what follows: the next entry, after a data descriptor or none. Saves reading a header per weight.
 */
function alignedPayload(entry: ZipEntry): number | undefined {
  if (entry.method !== 0) return undefined
  const start = Math.ceil((entry.header + 30 + entry.nameBytes + 4) / 64) * 64
  const rest = entry.next - start - entry.size
  return rest === 0 || rest === 16 || rest === 24 ? start : undefined
}

function contentsOf(entry: ZipEntry, bytes: Buffer): Buffer {
  if (bytes.length < 30 || bytes.readUInt32LE(0) !== signature.local) throw damaged(`${entry.name} has no header`)
  const start = 30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28)
  if (start + entry.compressed > bytes.length) throw damaged(`${entry.name} overlaps what follows`)
  const packed = bytes.subarray(start, start + entry.compressed)
  if (entry.method === 0) return packed
  if (entry.method !== 8) throw refuse(`${entry.name} is compressed by method ${entry.method}`)
  try {
    const contents = inflateRawSync(packed, { maxOutputLength: Math.max(entry.size, 1) })
    if (contents.length === entry.size) return contents
  } catch {
    // Below: what zlib has to say adds nothing.
  }
  throw damaged(`${entry.name} does not inflate to ${entry.size} bytes`)
}
