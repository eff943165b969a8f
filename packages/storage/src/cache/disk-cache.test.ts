import { spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { StoreError } from '../store-error.ts'
import { DiskCache, type Fill } from './disk-cache.ts'

const folder = await mkdtemp(join(tmpdir(), 'eas-cache-'))
afterAll(() => rm(folder, { recursive: true }))

let roots = 0
const newRoot = () => join(folder, `${roots++}`)
const identity = (key: string, version = '1') => ({ url: 's3://b', key, version })
const filling =
  (text: string): Fill =>
  async (dir) => {
    await writeFile(join(dir, 'model.onnx'), text)
    return undefined
  }
const never: Fill = async () => expect.unreachable('it is there already')
const textIn = (path: string) => readFile(join(path, 'model.onnx'), 'utf8')

describe('DiskCache', () => {
  it('fills once and gives the same folder from then on, also to another one of the same folder', async () => {
    const root = newRoot()
    const cache = await DiskCache.open(root)
    const first = await cache.fetch(identity('a'), async (dir, scratch) => {
      await mkdir(join(dir, 'deep'))
      await writeFile(join(dir, 'deep', 'file'), 'content')
      await writeFile(join(scratch, 'archive'), 'not kept')
    })
    expect(first).toMatchObject({ hit: false, bytes: 7 })
    const second = await (await DiskCache.open(root)).fetch(identity('a'), never)
    expect(second).toMatchObject({ hit: true, path: first.path })
    expect(await readFile(join(second.path, 'deep', 'file'), 'utf8')).toBe('content')
    expect(await readdir(join(root, 'tmp'))).toEqual([])
    expect(await readdir(first.path)).toEqual(['deep'])
  })

  it('takes url, key, version and form for parts of the identity', async () => {
    const cache = await DiskCache.open(newRoot())
    const identities = [
      identity('a'),
      identity('a', '2'),
      identity('b'),
      { ...identity('a'), form: 'unpacked' },
      { ...identity('a'), url: 's3://c' },
    ]
    const paths = await Promise.all(identities.map(async (each) => (await cache.fetch(each, filling('x'))).path))
    expect(new Set(paths).size).toBe(identities.length)
  })

  it('fills once for fifty who ask at the same time, in two caches of one folder', async () => {
    const root = newRoot()
    const caches = [await DiskCache.open(root), await DiskCache.open(root)]
    let fills = 0
    const fill: Fill = async (dir) => {
      fills++
      await new Promise((resolve) => setTimeout(resolve, 50))
      await writeFile(join(dir, 'model.onnx'), 'once')
    }
    const entries = await Promise.all(Array.from({ length: 50 }, (_, i) => caches[i % 2]?.fetch(identity('a'), fill)))
    expect(fills).toBe(1)
    expect(new Set(entries.map((entry) => entry?.path)).size).toBe(1)
  })

  it('forgets a fill that failed, tells those who waited, and leaves nothing', async () => {
    const root = newRoot()
    const cache = await DiskCache.open(root)
    const failing: Fill = async (dir) => {
      await writeFile(join(dir, 'half'), 'half')
      throw new StoreError('unavailable', 'Cannot read it')
    }
    const both = await Promise.allSettled([cache.fetch(identity('a'), failing), cache.fetch(identity('a'), failing)])
    expect(both.map((each) => each.status)).toEqual(['rejected', 'rejected'])
    for (const sub of ['tmp', 'entries', 'fills', 'leases']) expect(await readdir(join(root, sub))).toEqual([])
    expect(await textIn((await cache.fetch(identity('a'), filling('now'))).path)).toBe('now')
  })

  it('goes on without the one who gave up', async () => {
    const cache = await DiskCache.open(newRoot())
    const controller = new AbortController()
    let begin = () => {}
    const begun = new Promise<void>((resolve) => {
      begin = resolve
    })
    const slow: Fill = (_, __, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new StoreError('cancelled', 'Cannot go on')))
        begin()
      })
    const quitter = cache.fetch(identity('a'), slow, { signal: controller.signal })
    quitter.catch(() => {})
    await begun
    const patient = cache.fetch(identity('a'), filling('mine'))
    controller.abort()
    await expect(quitter).rejects.toMatchObject({ code: 'cancelled' })
    expect(await textIn((await patient).path)).toBe('mine')
  })

  it('evicts what was not used longest, never what is in use, also by another process', async () => {
    const root = newRoot()
    const cache = await DiskCache.open(root, { maxBytes: 25 })
    const [a, b] = [
      await cache.fetch(identity('a'), filling('0123456789')),
      await cache.fetch(identity('b'), filling('0123456789')),
    ]
    await a.release()
    await b.release()
    const old = new Date(0)
    await utimes(join(b.path, '..', 'used'), old, old)
    const c = await cache.fetch(identity('c'), filling('0123456789'))
    expect((await cache.entries()).map(({ identity }) => identity.key).sort()).toEqual(['a', 'c'])
    // All in use: nothing can go, and nothing is refused.
    const again = await cache.fetch(identity('a'), never)
    const d = await cache.fetch(identity('d'), filling('0123456789'))
    expect((await cache.entries()).map(({ identity }) => identity.key).sort()).toEqual(['a', 'c', 'd'])
    await again.release()
    expect(await cache.trim()).toBe(10)
    expect((await cache.entries()).map(({ identity }) => identity.key).sort()).toEqual(['c', 'd'])
    await Promise.all([c.release(), d.release()])
    expect(await (await DiskCache.open(root)).trim(0)).toBe(20)
    expect(await readdir(join(root, 'leases'))).toEqual([])
  })

  it('does not count the leases of processes that are gone', async () => {
    const root = newRoot()
    const cache = await DiskCache.open(root)
    const entry = await cache.fetch(identity('a'), filling('x'))
    await entry.release()
    const [name = ''] = await readdir(join(root, 'entries'))
    const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' })
    await new Promise((resolve) => child.on('exit', resolve))
    const [mine = ''] = (await cache.fetch(identity('a'), never).then(() => readdir(join(root, 'leases', name)))).map(
      (n) => n,
    )
    // The dead process: its number, but everything else as this one's.
    const dead = mine.replace(/^use\.\d+/, `use.${child.pid}`)
    await rm(join(root, 'leases', name, mine))
    await writeFile(join(root, 'leases', name, dead), '')
    await mkdir(join(root, 'tmp', `${name}.${dead.slice(4)}`, 'data'), { recursive: true })
    await writeFile(join(root, 'fills', name), dead.slice(4))
    expect(await cache.trim(0)).toBe(1)
    expect(await textIn((await cache.fetch(identity('a'), filling('again'))).path)).toBe('again') // past the dead one's lock
    await DiskCache.open(root)
    expect(await readdir(join(root, 'tmp'))).toEqual([])
  })

  describe('finds damage before an entry is used:', () => {
    const damages: { [what: string]: (path: string) => Promise<unknown> } = {
      'a flipped bit': (path) => flip(join(path, 'model.onnx'), 3),
      'a flipped bit, the time set back': async (path) => {
        const { atime, mtime } = await stat(join(path, 'model.onnx'))
        await flip(join(path, 'model.onnx'), 3)
        await utimes(join(path, 'model.onnx'), atime, mtime)
      },
      'a file cut short': (path) => writeFile(join(path, 'model.onnx'), 'sho'),
      'a file gone': (path) => rm(join(path, 'model.onnx')),
      'a bit of the manifest': (path) => flip(join(path, '..', 'manifest.json'), 20),
      'no manifest': (path) => rm(join(path, '..', 'manifest.json')),
    }
    it.each(Object.entries(damages))('%s', async (_, damage) => {
      const cache = await DiskCache.open(newRoot())
      const entry = await cache.fetch(identity('a'), filling('the right bytes'))
      await entry.release()
      await damage(entry.path)
      const again = await cache.fetch(identity('a'), filling('the right bytes'))
      expect(again.hit).toBe(false)
      expect(await textIn(again.path)).toBe('the right bytes')
    })

    it('but not in a copy, whose times are others', async () => {
      const cache = await DiskCache.open(newRoot())
      const entry = await cache.fetch(identity('a'), filling('the right bytes'))
      await chmod(join(entry.path, 'model.onnx'), 0o600)
      expect((await cache.fetch(identity('a'), never)).hit).toBe(true)
      expect((await cache.fetch(identity('a'), never, { verify: true })).hit).toBe(true)
    })
  })

  it('makes room when the disk is full, and says `full` when there is none to make', async () => {
    const cache = await DiskCache.open(newRoot())
    await (await cache.fetch(identity('a'), filling('old'))).release()
    let calls = 0
    const fullOnce: Fill = async (dir) => {
      if (calls++ === 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
      await writeFile(join(dir, 'model.onnx'), 'new')
    }
    expect(await textIn((await cache.fetch(identity('b'), fullOnce)).path)).toBe('new')
    expect((await cache.entries()).map(({ identity }) => identity.key)).toEqual(['b'])
    const full: Fill = async () => {
      const device = await open('/dev/full', 'w') // every write fails with ENOSPC
      await device.writeFile('x').finally(() => device.close())
    }
    await expect(cache.fetch(identity('c'), full)).rejects.toMatchObject({ code: 'full' })
    const root = newRoot()
    const withSpare = await DiskCache.open(root, { spare: newRoot() })
    let tries = 0
    const fullOnFirst: Fill = async (dir, scratch, signal) =>
      (tries++ === 0 ? full : filling('spare'))(dir, scratch, signal)
    const entry = await withSpare.fetch(identity('c'), fullOnFirst)
    expect(entry.path.startsWith(`${root}/`)).toBe(false)
    expect(await textIn(entry.path)).toBe('spare')
  })

  it('serves what a folder has that cannot be written to, and the rest from the spare folder', async () => {
    // A file stands where the cache wants folders: nobody can write below it, root included.
    const blocked = join(newRoot())
    await writeFile(blocked, '')
    const cache = await DiskCache.open(join(blocked, 'cache'))
    await expect(cache.fetch(identity('a'), filling('x'))).rejects.toMatchObject({ code: 'read-only' })
    const spare = await DiskCache.open(join(blocked, 'cache'), { spare: newRoot() })
    expect(await textIn((await spare.fetch(identity('a'), filling('x'))).path)).toBe('x')
  })
})

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  const file = await open(path, 'r+')
  await file.write(bytes, at, 1, at)
  await file.close()
}
