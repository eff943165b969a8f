import { copyFile, link, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** What a folder shall hold, by path below it: bytes, or another file that it may share its own with. */
export type Files = ReadonlyMap<string, Uint8Array | { readonly sameAs: string }>

/**
 * Makes a folder hold these files and no others. A file that is right already is left alone and a new one appears whole, so
 * that whoever reads the folder meanwhile finds what was there or what is there now.
 */
export async function syncFolder(folder: string, files: Files): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [path, content] of files) {
    const to = join(folder, path)
    await mkdir(dirname(to), { recursive: true })
    if (content instanceof Uint8Array) await writeIfOther(to, content)
    else await shareIfOther(to, content.sameAs)
  }
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(join(folder, '/').length)
    // What is on its way there is another run's.
    if (entry.isFile() && !files.has(path) && !path.endsWith('.part')) await rm(join(folder, path), { force: true })
  }
}

async function writeIfOther(to: string, content: Uint8Array): Promise<void> {
  const there = await readFile(to).catch(() => undefined)
  if (there?.equals(content)) return
  await appear(to, (partial) => writeFile(partial, content))
}

/** A link, where the file system has them, so that no time is spent on copies. */
async function shareIfOther(to: string, from: string): Promise<void> {
  const [there, source] = await Promise.all([lstat(to).catch(() => undefined), lstat(from)])
  if (there?.size === source.size && (there.ino === source.ino || there.mtimeMs >= source.mtimeMs)) return
  await appear(to, (partial) => link(from, partial).catch(() => copyFile(from, partial)))
}

async function appear(to: string, write: (partial: string) => Promise<void>): Promise<void> {
  const partial = `${to}.${process.pid}.part`
  await rm(partial, { force: true })
  await write(partial)
  await rename(partial, to)
  await rm(partial, { force: true }) // a rename onto a link of the same file leaves both
}
