import { createHash } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../make-folder.ts'
import { checkStopped, StoreError, stopped } from '../store-error.ts'
import { pause } from '../transfer/retry.ts'
import { FillLocks, Leases, removeLeftovers, uniqueName } from './claims.ts'
import {
  checkContent,
  describe,
  type FileSums,
  type Identity,
  readManifest,
  restamped,
  writeManifest,
} from './manifest.ts'

export type { Identity } from './manifest.ts'

export interface DiskCacheOptions {
  /** Of all entries together; what has not been used longest goes first. Entries in use stay. Default 20 GiB. */
  readonly maxBytes?: number
  /** A second folder for when the first cannot be written to, or is full. */
  readonly spare?: string
}

export interface FetchOptions {
  readonly signal?: AbortSignal
  /** About how large the entry will be, so that room is made before it is filled. */
  readonly bytes?: number
  /** Read all bytes of a known entry before it is used, not only sizes and times. Default: false. */
  readonly verify?: boolean
}

export interface CacheEntry {
  /** The folder that was filled. Not to be written to. */
  readonly path: string
  readonly bytes: number
  /** Whether it was there already. */
  readonly hit: boolean
  /** Ends the use: from now on the entry may be evicted. Happens by itself when the process ends. */
  release(): Promise<void>
}

/**
 * Fills the folder `dir` with an entry. `scratch` is another folder, for what is not to be kept, such as an archive that is
 * unpacked into `dir`. Both are removed if this fails. It gives the CRC-32 of the files in `dir` that it knows, which are then
 * not read once more.
 */
export type Fill = (dir: string, scratch: string, signal: AbortSignal | undefined) => Promise<FileSums | undefined>

/** A disk that damages what it has just been given is not asked forever. */
const maxFills = 3

/** Between looks at what another process is filling. */
const pollMs = 25

/**
 * Folders of files, each filled once and then shared by all processes of a machine, whichever dies when.
 *
 *     entries/<name>/{data/…,manifest.json,used}   complete; appears by one rename, goes by one rename
 *     tmp/<name>.<process>.<n>/                    being filled or removed
 *     leases/<name>/…, fills/<name>                who uses and who fills
 *
 * Nothing is synced to the disk: as long as the machine runs, what one process wrote every other one reads, and after a
 * power cut the manifest's boot is another one, so that an entry is read in full before it is used.
 */
export class DiskCache {
  private readonly root: string
  private readonly writable: boolean
  private readonly spare: DiskCache | undefined
  private readonly maxBytes: number
  private readonly leases: Leases
  private readonly locks: FillLocks
  private readonly filling = new Map<string, Promise<void>>()

  private constructor(root: string, writable: boolean, maxBytes: number, spare: DiskCache | undefined) {
    this.root = root
    this.writable = writable
    this.maxBytes = maxBytes
    this.spare = spare
    this.leases = new Leases(join(root, 'leases'))
    this.locks = new FillLocks(join(root, 'fills'))
  }

  /**
   * Opens the cache in `root`, and removes what dead processes left there. A folder that cannot be written to, such as a
   * layer of an image, serves the entries it has.
   */
  static async open(root: string, options: DiskCacheOptions = {}): Promise<DiskCache> {
    const writable = await canWrite(root)
    const { maxBytes = 20 * 2 ** 30 } = options
    const spare = options.spare === undefined ? undefined : await DiskCache.open(options.spare, { maxBytes })
    const cache = new DiskCache(root, writable, maxBytes, spare)
    if (writable) {
      await removeLeftovers(join(root, 'tmp'))
      await cache.leases.clean()
      await cache.locks.clean()
    }
    return cache
  }

  /**
   * The entry of that identity. If it is not there, or damaged, `fill` makes it: once, however many ask for it, in this
   * process or another.
   *
   * @throws {StoreError} what `fill` threw; `full` if there is no room even without all that is not in use; `read-only`.
   */
  async fetch(identity: Identity, fill: Fill, options: FetchOptions = {}): Promise<CacheEntry> {
    const doing = `cache ${identity.url}/${identity.key}`
    const name = nameOf(identity)
    const { signal } = options
    let release = async () => {}
    try {
      // From here on nobody evicts it: neither what is found nor what is about to be made.
      if (this.writable) release = await this.lease(name, signal)
      for (let hit = true, fills = 0; ; fills += hit ? 0 : 1) {
        checkStopped(signal, doing)
        // What has just been written here was digested on its way.
        const found = await this.find(name, hit && (options.verify ?? false))
        if (found) {
          if (!hit) await this.trim()
          return { ...found, hit, release }
        }
        if (!this.writable) throw new StoreError('read-only', `Cannot ${doing}: ${this.root} cannot be written to`)
        if (fills >= maxFills) {
          throw new StoreError('corrupt', `Cannot ${doing}: what is written to ${this.root} does not stay`)
        }
        hit = await this.filled(name, identity, fill, options)
      }
    } catch (thrown) {
      await release()
      const error = StoreError.from(thrown, doing)
      const elsewhere = error.code === 'full' || error.code === 'read-only'
      if (this.spare && elsewhere) return this.spare.fetch(identity, fill, options)
      throw error
    }
  }

  /** What is there, without checking it: sizes in bytes, the longest unused first. */
  async entries(): Promise<
    { readonly name: string; readonly identity: Identity; readonly bytes: number; readonly usedMs: number }[]
  > {
    const found = await Promise.all(
      (await readdir(join(this.root, 'entries')).catch(() => [])).map(async (name) => {
        const folder = this.folderOf(name)
        const manifest = await readManifest(folder)
        const used = await stat(join(folder, 'used')).catch(() => undefined)
        return manifest && [{ name, identity: manifest.identity, bytes: manifest.bytes, usedMs: used?.mtimeMs ?? 0 }]
      }),
    )
    return found.flatMap((entry) => entry ?? []).sort((a, b) => a.usedMs - b.usedMs)
  }

  /** Removes the longest unused entries until at most `maxBytes` are left, or only entries in use. Returns what was freed. */
  async trim(maxBytes: number = this.maxBytes): Promise<number> {
    const entries = await this.entries()
    let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
    const before = bytes
    for (const { name, bytes: size } of entries) {
      if (bytes <= maxBytes) break
      if (await this.leases.unlessUsed(name, () => this.remove(name))) bytes -= size
    }
    return before - bytes
  }

  private folderOf(name: string): string {
    return join(this.root, 'entries', name)
  }

  private async lease(name: string, signal: AbortSignal | undefined): Promise<() => Promise<void>> {
    for (;;) {
      const release = await this.leases.use(name)
      if (release) return release
      await pause(pollMs, signal, 'use the cache')
    }
  }

  /** The entry if it is there and right. A damaged one is removed. */
  private async find(name: string, full: boolean): Promise<{ path: string; bytes: number } | undefined> {
    const folder = this.folderOf(name)
    const looked = await stat(folder).catch(() => undefined)
    if (!looked) return undefined
    const manifest = await readManifest(folder)
    const state = manifest ? await checkContent(folder, manifest, full) : 'damaged'
    if (!manifest || state === 'damaged') {
      // What another has put there meanwhile is not what was looked at, and may be in use.
      const now = await stat(folder).catch(() => undefined)
      if (this.writable && now?.ino === looked.ino) await this.remove(name)
      return undefined
    }
    if (this.writable) {
      if (state === 'read') await writeManifest(folder, await restamped(folder, manifest), this.temporary(name))
      const now = new Date()
      await utimes(join(folder, 'used'), now, now).catch(() => {})
    }
    return { path: join(folder, 'data'), bytes: manifest.bytes }
  }

  /** Fills the entry, or waits until someone else has. Says whether it was someone else, as far as is known. */
  private async filled(name: string, identity: Identity, fill: Fill, options: FetchOptions): Promise<boolean> {
    const { signal } = options
    const running = this.filling.get(name)
    if (running) {
      // The other's failure is not ours: we go on and try ourselves, unless it is one that we would meet as well.
      await waitFor(running, signal).catch((error) => {
        if (signal?.aborted || !(error instanceof StoreError) || error.code !== 'cancelled') throw error
      })
      return true
    }
    const unlock = await this.locks.lock(name)
    if (!unlock) {
      await pause(pollMs, signal, `wait for ${identity.url}/${identity.key}`)
      return true
    }
    const made = this.make(name, identity, fill, options).finally(unlock)
    const tracked = made.then(() => {}).finally(() => this.filling.delete(name))
    tracked.catch(() => {}) // those who wait for it are told; if nobody does, the caller below is
    this.filling.set(name, tracked)
    return made
  }

  private async make(name: string, identity: Identity, fill: Fill, options: FetchOptions): Promise<boolean> {
    // Someone may have finished between our look and our lock.
    if (await readManifest(this.folderOf(name))) return true
    if (options.bytes !== undefined) await this.trim(Math.max(0, this.maxBytes - options.bytes))
    try {
      await this.makeOnce(name, identity, fill, options.signal)
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'full' || (await this.trim(0)) === 0) throw error
      await this.makeOnce(name, identity, fill, options.signal)
    }
    return false
  }

  private async makeOnce(name: string, identity: Identity, fill: Fill, signal: AbortSignal | undefined): Promise<void> {
    const doing = `cache ${identity.url}/${identity.key}`
    const folder = this.temporary(name)
    try {
      const [data, scratch] = [join(folder, 'data'), join(folder, 'scratch')]
      await mkdir(data, { recursive: true })
      await mkdir(scratch)
      checkStopped(signal, doing)
      const sums = (await fill(data, scratch, signal)) ?? new Map()
      await rm(scratch, { recursive: true, force: true })
      await writeManifest(folder, await describe(folder, identity, sums), join(folder, 'manifest.part'))
      await writeFile(join(folder, 'used'), '')
      await rename(folder, this.folderOf(name)).catch(async (error) => {
        // Another process was faster. Equal identities have equal content.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
      })
    } catch (error) {
      throw StoreError.from(error, doing)
    } finally {
      await rm(folder, { recursive: true, force: true }).catch(() => {})
    }
  }

  /** Out of sight at once, then gone. */
  private async remove(name: string): Promise<void> {
    const aside = this.temporary(name)
    await rename(this.folderOf(name), aside).catch((error) => {
      if (error.code !== 'ENOENT') throw error
    })
    await rm(aside, { recursive: true, force: true })
  }

  private temporary(name: string): string {
    return join(this.root, 'tmp', `${name}.${uniqueName()}`)
  }
}

const nameOf = ({ url, key, version, form = '' }: Identity): string =>
  createHash('sha256')
    .update(JSON.stringify([url, key, version, form]))
    .digest('hex')

async function canWrite(root: string): Promise<boolean> {
  try {
    for (const folder of ['entries', 'tmp', 'leases', 'fills']) await makeFolder(join(root, folder))
    const probe = join(root, 'tmp', `probe.${uniqueName()}`)
    await writeFile(probe, '')
    await rm(probe)
    return true
  } catch (error) {
    const { code } = StoreError.from(error, `open the cache in ${root}`)
    if (code === 'read-only' || code === 'denied' || code === 'full' || code === 'not-found') return false
    throw StoreError.from(error, `open the cache in ${root}`)
  }
}

async function waitFor(running: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return running
  await new Promise<void>((resolve, reject) => {
    const stop = () => reject(stopped(signal, 'wait for the cache'))
    signal.addEventListener('abort', stop, { once: true })
    running.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
