import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'

/** 1980-01-01, so that equal files make equal archives. */
const dosDate = 0x21
const unixMode = 0o100644 << 16
const utf8Names = 0x800

/**
 * A zip archive of files below folders. Without zip64: at most 65535 files and 4 GB, far above what a function may have.
 *
 * @param folders By the path that a folder's files have in the archive; `''` is its root.
 * @see PKWARE APPNOTE 6.3: 4.3.7 local file header, 4.3.12 central directory, 4.3.16 its end
 */
export async function zipOf(folders: Readonly<Record<string, string>>): Promise<Buffer> {
  const local: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const { name, path } of await filesOf(folders)) {
    const content = await readFile(path)
    const packed = deflateRawSync(content)
    const nameBytes = Buffer.from(name)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0) // version needed: 2.0
    fields.writeUInt16LE(utf8Names, 2)
    fields.writeUInt16LE(8, 4) // deflate
    fields.writeUInt16LE(dosDate, 8)
    fields.writeUInt32LE(crc32(content), 10)
    fields.writeUInt32LE(packed.length, 14)
    fields.writeUInt32LE(content.length, 18)
    fields.writeUInt16LE(nameBytes.length, 22)
    const header = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, nameBytes])
    local.push(header, packed)

    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(unixMode >>> 0, 6)
    tail.writeUInt32LE(offset, 10)
    const made = Buffer.from([20, 3]) // by version 2.0, on Unix
    central.push(Buffer.from('PK\x01\x02', 'latin1'), made, fields, tail, nameBytes)
    offset += header.length + packed.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  const count = local.length / 2
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...local, directory, end])
}

async function filesOf(folders: Readonly<Record<string, string>>): Promise<readonly ZippedFile[]> {
  const listed = await Promise.all(Object.entries(folders).map(([prefix, folder]) => filesBelow(folder, prefix, [])))
  return listed.flat().sort((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * What links lead to is there as if it were where the links are.
 * @param above The folders that lead here, as they really are: one of them again is not gone into.
 */
async function filesBelow(folder: string, prefix: string, above: readonly string[]): Promise<readonly ZippedFile[]> {
  const real = await realpath(folder)
  if (above.includes(real)) return []
  const found = await Promise.all(
    (await readdir(folder)).map(async (entry) => {
      const file = { path: join(folder, entry), name: join(prefix, entry) }
      const kind = await stat(file.path)
      if (kind.isDirectory()) return filesBelow(file.path, file.name, [...above, real])
      return kind.isFile() ? [file] : []
    }),
  )
  return found.flat()
}

interface ZippedFile {
  readonly path: string
  /** In the archive. */
  readonly name: string
}
