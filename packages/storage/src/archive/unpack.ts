import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { oneLine } from '@eas/base'
import { checkStopped, StoreError } from '../store-error.ts'
import { type UnpackLimits, UnpackMeter } from './limits.ts'
import type { TarKind } from './tar.ts'
import { TreeWriter, type Unpacked } from './tree-writer.ts'

export type ArchiveKind = TarKind | 'zip'

/** Archives by the end of their name. The longest fits first. */
const kinds: readonly (readonly [ending: string, kind: ArchiveKind])[] = [
  ['.tar.gz', 'tar.gz'],
  ['.tgz', 'tar.gz'],
  ['.tar.bz2', 'tar.bz2'],
  ['.tbz2', 'tar.bz2'],
  ['.tbz', 'tar.bz2'],
  ['.tar', 'tar'],
  ['.zip', 'zip'],
]

/** What kind of archive a file is by its name; `undefined` if none. */
export function archiveKind(name: string): ArchiveKind | undefined {
  const lower = name.toLowerCase()
  return kinds.find(([ending]) => lower.endsWith(ending))?.[1]
}

/** How archives begin. A tar of before 1988 has no mark, nor has a zip behind a program; for those the name has to do. */
const marks: readonly (readonly [kind: ArchiveKind, offset: number, bytes: Buffer])[] = [
  ['tar.gz', 0, Buffer.of(0x1f, 0x8b)],
  ['tar.bz2', 0, Buffer.from('BZh')],
  ['zip', 0, Buffer.from('PK')],
  ['tar', 257, Buffer.from('ustar')],
]

/** What kind of archive a file is by what is in it: names are often given without a look, as when a server unpacks on the way. */
async function kindInside(archive: string, named: ArchiveKind): Promise<ArchiveKind> {
  const file = await open(archive)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(262), 0, 262, 0)
    const head = buffer.subarray(0, bytesRead)
    const found = marks.find(([, offset, bytes]) => head.subarray(offset, offset + bytes.length).equals(bytes))
    if (!found && (named === 'tar.gz' || named === 'tar.bz2')) {
      const begin = oneLine(head.toString('latin1'), 20)
      throw new StoreError(
        'corrupt',
        `Cannot unpack ${basename(archive)}: it is no archive, it begins with ${JSON.stringify(begin)}`,
      )
    }
    return found?.[0] ?? named
  } finally {
    await file.close()
  }
}

export interface UnpackOptions extends UnpackLimits {
  /** Default: by the archive's first bytes, and where they do not tell by its name. */
  readonly kind?: ArchiveKind
  readonly signal?: AbortSignal
}

/**
 * Unpacks an archive into the folder `to`, which must not exist or be empty. It appears when everything is in it; after a
 * failure nothing is left. Only plain files and folders are written, below `to`, with the permissions of new files:
 * links, devices, encrypted or doubled entries and names that are not safe everywhere are refused, and the whole archive
 * with them.
 *
 * @throws {StoreError} `invalid` for what is refused, `corrupt` for damaged archives, `too-large` beyond the limits, `full`.
 */
export async function unpack(archive: string, to: string, options: UnpackOptions = {}): Promise<Unpacked> {
  const doing = `unpack ${basename(archive)}`
  const named = options.kind ?? archiveKind(archive)
  if (!named) throw new StoreError('unsupported', `Cannot ${doing}: not a .tar, .tar.gz, .tar.bz2 or .zip`)
  const temporary = `${to}.${randomBytes(6).toString('hex')}.part`
  try {
    checkStopped(options.signal, doing)
    const { size } = await stat(archive)
    const kind = options.kind ?? (await kindInside(archive, named))
    await mkdir(temporary)
    let packed = kind === 'zip' ? size : 0
    const meter = new UnpackMeter(options, () => packed, doing)
    const writer = new TreeWriter(temporary, meter, doing, options.signal)
    // A model that is no archive need not wait for their readers to be loaded.
    if (kind === 'zip') {
      const { readZip } = await import('./zip.ts')
      await readZip(archive, writer)
    } else {
      const { readTar, tarDecompressors } = await import('./tar.ts')
      const source = createReadStream(archive, { highWaterMark: 64 * 1024 })
      source.on('data', (chunk) => {
        packed += chunk.length
      })
      source.pause()
      await readTar(source, tarDecompressors[kind], writer, meter)
    }
    const unpacked = writer.finish()
    await rename(temporary, to)
    return unpacked
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {})
    throw StoreError.from(error, doing, 'corrupt')
  }
}
