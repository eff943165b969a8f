import { open, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreError } from '../store-error.ts'
import { crc32, crcHex } from '../transfer/crc.ts'
import { bootId } from './process-id.ts'

/** Which bytes an entry holds. Two identities with equal members mean the same content, forever. */
export interface Identity {
  /** Of the store, as `ObjectStore.url`. */
  readonly url: string
  readonly key: string
  /** `ObjectInfo.version`. */
  readonly version: string
  /** What was made of the object, such as `unpacked`, if an entry is not the object itself. */
  readonly form?: string
}

interface FileRow {
  readonly path: string
  readonly size: number
  /** Lower-case hex. */
  readonly crc32: string
  /** Times of the last write and of the last change, in nanoseconds. The second cannot be set by anyone. */
  readonly mtime: string
  readonly ctime: string
}

export interface Manifest {
  readonly identity: Identity
  /** The boot in which the content was written, or last read in full and found right. */
  readonly boot: string
  readonly files: readonly FileRow[]
  readonly bytes: number
}

const manifestName = 'manifest.json'
const maxManifestBytes = 16 * 2 ** 20

/** CRC-32 of files, lower-case hex, by their paths. */
export type FileSums = ReadonlyMap<string, string>

/**
 * Lists and digests what was put into `folder`/data. CRC-32: it is to find damage, and costs 0.3 ms per MB.
 * @param sums Of files whose bytes were digested on their way here; others are read.
 */
export async function describe(folder: string, identity: Identity, sums: FileSums): Promise<Manifest> {
  const files: FileRow[] = []
  for (const path of await filesBelow(join(folder, 'data'))) {
    const place = join(folder, 'data', path)
    files.push({ path, ...(await times(place)), crc32: sums.get(path) ?? (await crcOf(place)) })
  }
  return { identity, boot: bootId(), files, bytes: files.reduce((sum, { size }) => sum + size, 0) }
}

/** The first line is the manifest, the second its own CRC-32. */
export async function writeManifest(folder: string, manifest: Manifest, temporary: string): Promise<void> {
  const line = JSON.stringify(manifest)
  await writeFile(temporary, `${line}\n${crcHex(crc32.update(Buffer.from(line)))}\n`)
  await rename(temporary, join(folder, manifestName))
}

/** `undefined` if there is none, or none that can be believed. */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  const path = join(folder, manifestName)
  const stats = await stat(path).catch(() => undefined)
  if (!stats || stats.size > maxManifestBytes) return undefined
  const [line = '', sum] = (await readFile(path, 'utf8').catch(() => '')).split('\n')
  // With its CRC right it is what `writeManifest` wrote, so its members are as they were.
  return crcHex(crc32.update(Buffer.from(line))) === sum && line !== '' ? (JSON.parse(line) as Manifest) : undefined
}

/**
 * Whether the content is still what was written.
 * - `same`: sizes and times are as they were, in the same boot: nobody has touched a file, and the bytes are in the page
 *   cache or were written back from it.
 * - `read`: they are not, but all bytes were read and are right. A power cut may have lost writes; a copy, such as a layer
 *   of a container image, has other times.
 * - `damaged`.
 */
export async function checkContent(
  folder: string,
  manifest: Manifest,
  full: boolean,
): Promise<'same' | 'read' | 'damaged'> {
  let same = manifest.boot === bootId()
  for (const file of manifest.files) {
    const now = await times(join(folder, 'data', file.path)).catch(() => undefined)
    if (now?.size !== file.size) return 'damaged'
    same &&= now.mtime === file.mtime && now.ctime === file.ctime
  }
  if (same && !full) return 'same'
  for (const file of manifest.files) {
    const sum = await crcOf(join(folder, 'data', file.path)).catch(() => undefined)
    if (sum !== file.crc32) return 'damaged'
  }
  return same ? 'same' : 'read'
}

/** The manifest for content that was just read and found right. */
export async function restamped(folder: string, manifest: Manifest): Promise<Manifest> {
  const files = await Promise.all(
    manifest.files.map(async (file) => ({ ...file, ...(await times(join(folder, 'data', file.path))) })),
  )
  return { ...manifest, boot: bootId(), files }
}

async function times(path: string): Promise<Pick<FileRow, 'size' | 'mtime' | 'ctime'>> {
  const stats = await stat(path, { bigint: true })
  return { size: Number(stats.size), mtime: `${stats.mtimeNs}`, ctime: `${stats.ctimeNs}` }
}

async function crcOf(path: string): Promise<string> {
  const file = await open(path, 'r')
  try {
    const buffer = Buffer.allocUnsafeSlow(1024 * 1024)
    let crc = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length)
      if (bytesRead === 0) return crcHex(crc)
      crc = crc32.update(buffer.subarray(0, bytesRead), crc)
    }
  } finally {
    await file.close()
  }
}

async function filesBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true, recursive: true })
  const files: string[] = []
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name).slice(root.length + 1)
    if (entry.isFile()) files.push(path)
    else if (!entry.isDirectory())
      throw new StoreError('invalid', `Cannot cache ${path}: it is neither a file nor a folder`)
  }
  return files.sort()
}
