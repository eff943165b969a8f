import { link, mkdir, readdir, readFile, rename, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive, processId } from './process-id.ts'

/** How long a process in another container, whose life cannot be seen from here, may be silent. */
const silenceMs = 60_000
/** How often it says that it lives. */
const heartbeatMs = 10_000

let count = 0
/** A name that no other process and no other call will use. */
export const uniqueName = (): string => `${processId()}.${(count++).toString(36)}`

/** Whether whoever left the file `path`, named for its process, is still there. */
async function isHeld(path: string, owner: string): Promise<boolean> {
  const alive = isAlive(owner)
  if (alive !== undefined) return alive
  const stats = await stat(path).catch(() => undefined)
  return stats !== undefined && Date.now() - stats.mtimeMs < silenceMs
}

/** Keeps the file's time fresh until it is stopped. */
function heartbeat(path: string): () => void {
  const timer = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => {})
  }, heartbeatMs)
  timer.unref()
  return () => clearInterval(timer)
}

/**
 * Who uses an entry, and who wants to evict it: empty files `use.<process>.<n>` and `evict.<process>.<n>` in a folder per
 * entry. Each side puts up its own sign before it looks for the other's, so at least one of two sees the other (Dekker);
 * the evicting side gives way. No file is ever taken over, so nothing depends on who notices a death first.
 */
export class Leases {
  private readonly root: string

  constructor(root: string) {
    this.root = root
  }

  /** @returns How to end the use; `undefined` while the entry is being evicted. */
  async use(entry: string): Promise<(() => Promise<void>) | undefined> {
    const end = await this.sign(entry, 'use')
    if (!(await this.anyone(entry, 'evict', ''))) return end
    await end()
    return undefined
  }

  /** Runs `evict` unless someone uses the entry or evicts it already; says whether it ran. */
  async unlessUsed(entry: string, evict: () => Promise<void>): Promise<boolean> {
    const sign = uniqueName()
    const end = await this.sign(entry, 'evict', sign)
    try {
      if ((await this.anyone(entry, 'use', '')) || (await this.anyone(entry, 'evict', sign))) return false
      await evict()
      return true
    } finally {
      await end()
    }
  }

  /** Takes down the signs of the dead. */
  async clean(): Promise<void> {
    for (const entry of await readdir(this.root).catch(() => [])) {
      for (const name of await readdir(join(this.root, entry)).catch(() => [])) {
        const path = join(this.root, entry, name)
        if (!(await isHeld(path, ownerOf(name)))) await rm(path, { force: true })
      }
      await rmdir(join(this.root, entry)).catch(() => {})
    }
  }

  private async sign(entry: string, kind: 'use' | 'evict', name = uniqueName()): Promise<() => Promise<void>> {
    const folder = join(this.root, entry)
    const path = join(folder, `${kind}.${name}`)
    for (let tries = 0; ; tries++) {
      try {
        await mkdir(folder, { recursive: true })
        await writeFile(path, '', { flag: 'wx' })
        break
      } catch (error) {
        // Another process removed the empty folder in between; `mkdir` says so as well, where it was there a moment before.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries > 100) throw error
      }
    }
    const stop = heartbeat(path)
    return async () => {
      stop()
      await rm(path, { force: true }).catch(() => {})
      await rmdir(folder).catch(() => {}) // if it is empty
    }
  }

  private async anyone(entry: string, kind: 'use' | 'evict', butMe: string): Promise<boolean> {
    for (const name of await readdir(join(this.root, entry)).catch(() => [])) {
      if (!name.startsWith(`${kind}.`) || name === `${kind}.${butMe}`) continue
      if (await isHeld(join(this.root, entry, name), ownerOf(name))) return true
    }
    return false
  }
}

/** `use.<process>.<n>` → `<process>`. */
const ownerOf = (name: string): string => name.split('.')[1] ?? ''

/**
 * Who fills an entry: one file per entry, holding the process's name. It saves work and guarantees nothing: should two
 * ever fill the same entry, both do it in folders of their own, and the first to finish wins.
 */
export class FillLocks {
  private readonly root: string

  constructor(root: string) {
    this.root = root
  }

  /** @returns How to unlock; `undefined` while another one fills. */
  async lock(entry: string): Promise<(() => Promise<void>) | undefined> {
    const path = join(this.root, entry)
    const mine = uniqueName()
    const draft = `${path}.${mine}`
    await writeFile(draft, mine)
    try {
      await link(draft, path) // with its content, or not at all
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      await this.removeDead(entry)
      return undefined
    } finally {
      await rm(draft, { force: true })
    }
    const stop = heartbeat(path)
    return async () => {
      stop()
      if ((await readFile(path, 'utf8').catch(() => '')) === mine) await rm(path, { force: true }).catch(() => {})
    }
  }

  async clean(): Promise<void> {
    for (const name of await readdir(this.root).catch(() => [])) {
      const [entry = '', owner] = name.split('.')
      if (owner === undefined) await this.removeDead(entry)
      else if (!(await isHeld(join(this.root, name), owner))) await rm(join(this.root, name), { force: true })
    }
  }

  private async removeDead(entry: string): Promise<void> {
    const path = join(this.root, entry)
    const owner = await readFile(path, 'utf8').catch(() => undefined)
    if (owner === undefined || (await isHeld(path, owner.split('.')[0] ?? ''))) return
    const aside = `${path}.${uniqueName()}`
    await rename(path, aside).catch(() => {})
    await rm(aside, { force: true })
  }
}

/** Removes what dead processes left in `folder`, whose names end with the process that made them: `<entry>.<process>.<n>`. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name)
    if (!(await isHeld(path, ownerOf(name)))) await rm(path, { recursive: true, force: true }).catch(() => {})
  }
}
