import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a folder and those above it, where they are not there. Not `mkdir`'s own `recursive`: Node 20 never returns from that
 * where a folder that is there says `ENOENT` of a new one in it, as those of /proc do.
 *
 * @throws what the system says.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // node:fs throws nothing else
    if (await isFolder(path)) return
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path) throw error
    await makeFolder(parent) // it may be there by now
    await mkdir(path).catch(async (again) => {
      if (!(await isFolder(path))) throw again // somebody else's is as good
    })
  }
}

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false
