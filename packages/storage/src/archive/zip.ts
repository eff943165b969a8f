import { oneLine } from '@eas/base'
import { type Entry, openPromise, type ZipFile } from 'yauzl'
import { StoreError } from '../store-error.ts'
import type { TreeWriter } from './tree-writer.ts'

/** Type bits of a Unix mode, in the upper half of the external attributes. */
const typeBits = 0xf000
const types: { readonly [bits: number]: 'file' | 'folder' } = { 0: 'file', 32768: 'file', 16384: 'folder' }

/** The entries of a zip file, by its central directory. Each must be as long, and have the CRC, that it says. */
export async function readZip(path: string, writer: TreeWriter): Promise<void> {
  // `strictFileNames`: a backslash is refused and not turned into a slash.
  const zip = await openPromise(path, { lazyEntries: true, strictFileNames: true, autoClose: false }).catch(damaged)
  const extents: Extent[] = []
  try {
    for await (const entry of zip.eachEntry()) extents.push(await write(zip, entry, writer))
  } catch (error) {
    throw error instanceof StoreError || isOfDisk(error) ? error : damaged(error)
  } finally {
    zip.close()
  }
  if (extents.length === 0) throw new StoreError('corrupt', 'Cannot unpack: there is nothing in it')
  refuseOverlaps(extents)
}

interface Extent {
  readonly start: number
  readonly end: number
}

async function write(zip: ZipFile, entry: Entry, writer: TreeWriter): Promise<Extent> {
  const { fileName, uncompressedSize, compressedSize, externalFileAttributes } = entry
  const type = types[(externalFileAttributes >>> 16) & typeBits]
  if (!type)
    throw new StoreError(
      'invalid',
      `Cannot unpack: ${JSON.stringify(oneLine(fileName, 80))} is neither a file nor a folder`,
    )
  if (entry.isEncrypted()) throw new StoreError('invalid', 'Cannot unpack: an entry is encrypted')
  const local = await zip.readLocalFileHeaderPromise(entry)
  // Two names for one entry: what is checked here would not be what another reader sees.
  if (!local.fileName.equals(entry.fileNameRaw))
    throw new StoreError('invalid', 'Cannot unpack: an entry has two names')
  const extent = { start: entry.relativeOffsetOfLocalHeader, end: local.fileDataStart + compressedSize }
  if (fileName.endsWith('/') || type === 'folder') {
    if (uncompressedSize !== 0) throw new StoreError('invalid', 'Cannot unpack: a folder has content')
    await writer.folder(fileName)
    return extent
  }
  const content = await zip.openReadStreamPromise(entry)
  // It fails when it is longer or shorter than `uncompressedSize`. yauzl passes errors of the streams behind it on without ending
  // this one, maybe before anyone reads; who reads an ended one is told.
  content.on('error', (error) => content.destroy(error))
  const written = await writer.file(fileName, uncompressedSize, content)
  if (written.size !== uncompressedSize || written.crc32 !== entry.crc32) {
    throw new StoreError('corrupt', 'Cannot unpack: an entry does not match its length or CRC-32')
  }
  return extent
}

/** Entries that share their bytes make a small file unpack to anything. Fifield, "A better zip bomb", WOOT 2019. */
function refuseOverlaps(extents: readonly Extent[]): void {
  let end = 0
  for (const extent of [...extents].sort((a, b) => a.start - b.start)) {
    if (extent.start < end) throw new StoreError('invalid', 'Cannot unpack: two entries share their bytes')
    end = extent.end
  }
}

/** Errors of the file system have the name of a system call; yauzl's and zlib's have none. */
const isOfDisk = (error: unknown): boolean => error instanceof Error && 'syscall' in error

/** yauzl says in words what it does not like about a name: those are refusals, the rest is damage. */
function damaged(error: unknown): never {
  if (isOfDisk(error)) throw error
  const { message } = error as Error // whatever yauzl and zlib throw is an Error
  const code = /absolute path|invalid relative path|invalid characters in fileName|encrypt|unsupported/.test(message)
    ? 'invalid'
    : 'corrupt'
  throw new StoreError(code, `Cannot unpack: ${message}`, { cause: error })
}
