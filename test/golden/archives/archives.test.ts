import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { crc32, gzipSync } from 'node:zlib'
import { StoreError, unpack } from '@eas/storage'
import { pack } from 'tar-stream'
import { afterAll, describe, expect, it } from 'vitest'

// Archives by Python's tarfile and zipfile; make.py says how each came to be.
const here = import.meta.dirname
const expected = JSON.parse(await readFile(join(here, 'expected.json'), 'utf8')) as {
  good: { [path: string]: string }
  hostile: { [archive: string]: string }
} // written by make.py
const folder = await mkdtemp(join(tmpdir(), 'eas-archives-'))
afterAll(() => rm(folder, { recursive: true }))

const below = async (root: string) => (await readdir(root, { recursive: true })).sort()

const goodNames = (await readdir(here)).filter((name) => name.startsWith('good'))

it.each(goodNames)('%s holds the tree that Python put in', async (name) => {
  const to = join(folder, name)
  const { files, bytes } = await unpack(join(here, name), to)
  expect(Object.fromEntries([...files].map(([path, { crc32 }]) => [path, crc32]))).toEqual(expected.good)
  for (const [path, crc] of Object.entries(expected.good)) {
    expect(
      crc32(await readFile(join(to, path)))
        .toString(16)
        .padStart(8, '0'),
    ).toBe(crc)
  }
  expect(bytes).toBe([...files.values()].reduce((sum, { size }) => sum + size, 0))
  await rm(to, { recursive: true })
})

describe('unpack() refuses, writes nothing outside, and leaves nothing behind:', () => {
  it.each(Object.entries(expected.hostile))(
    '%s is %s',
    async (name, code) => {
      // Unpacked deep in a folder of its own, whose every file is known before and after.
      const root = join(folder, `hostile-${name}`)
      await mkdir(join(root, 'a', 'b'), { recursive: true })
      await writeFile(join(root, 'a', 'out'), 'mine')
      await writeFile(join(root, 'out'), 'mine')
      await cp(join(here, 'hostile', name), join(root, 'a', 'b', name))
      const before = await below(root)
      const error = await unpack(join(root, 'a', 'b', name), join(root, 'a', 'b', 'to')).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      expect(error).toBeInstanceOf(StoreError)
      expect(error).toMatchObject({ code })
      expect((error as StoreError).message).not.toContain('\n')
      expect(await below(root)).toEqual(before)
      expect(await readFile(join(root, 'out'), 'utf8')).toBe('mine')
      expect(await readFile(join(root, 'a', 'out'), 'utf8')).toBe('mine')
      await rm(root, { recursive: true })
      // To decode 64 MiB of bzip2 takes seconds of a processor that others want too.
    },
    180_000,
  )

  it('any archive cut anywhere or with any byte changed gives the tree or a StoreError', async () => {
    for (const name of goodNames.filter((n) => !n.endsWith('.tgz'))) {
      const whole = await readFile(join(here, name))
      for (let i = 0; i < 8; i++) {
        const at = Math.floor((whole.length * (i + 0.5)) / 8)
        const changed = Buffer.from(whole)
        changed[at] = (changed[at] ?? 0) ^ 0x55
        for (const bytes of [whole.subarray(0, at), changed]) {
          const archive = join(folder, `cut-${name}`)
          await writeFile(archive, bytes)
          const outcome = await unpack(archive, join(folder, 'cut')).catch((error: unknown) => error)
          if (outcome instanceof Error) expect(outcome).toBeInstanceOf(StoreError)
          await rm(join(folder, 'cut'), { recursive: true, force: true })
        }
      }
    }
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([])
  })
})

describe('unpack() looks at what is in a file, not at its name:', () => {
  it.each([
    ['good-gnu.tar', 'x.tar.gz'],
    ['good-pax.tar.gz', 'x.tar'],
    ['good-gnu.tar.bz2', 'x.tgz'],
    ['good.zip', 'x.tar'],
    ['good-pax.tar', 'x.zip'],
  ])('%s, called %s', async (name, called) => {
    await cp(join(here, name), join(folder, called))
    const { files } = await unpack(join(folder, called), join(folder, 'inside'))
    expect(Object.fromEntries([...files].map(([path, { crc32 }]) => [path, crc32]))).toEqual(expected.good)
    await rm(join(folder, 'inside'), { recursive: true })
  })
})

describe('unpack() says what is wrong with', async () => {
  const tarOf = async (entries: Parameters<ReturnType<typeof pack>['entry']>[0][]) => {
    const tar = pack()
    for (const entry of entries) tar.entry(entry, entry.size === undefined ? '' : 'x'.repeat(entry.size))
    tar.finalize()
    return buffer(tar)
  }
  const bzip2 = await readFile(join(here, 'good-gnu.tar.bz2'))

  it.each([
    [
      'a page of a web server',
      'a.tar.gz',
      Buffer.from('<html>Not found</html>'),
      'it is no archive, it begins with "<html>Not found',
    ],
    [
      'bzip2 that is cut off',
      'a.tar.bz2',
      bzip2.subarray(0, bzip2.length - 40),
      'the bzip2 data is damaged or cut off',
    ],
    [
      'a link',
      'a.tar',
      await tarOf([{ name: 'm/latest.onnx', type: 'symlink', linkname: 'm.onnx' }]),
      '"m/latest.onnx" is a symlink',
    ],
    [
      'a file with holes',
      'a.tar.gz',
      gzipSync(await tarOf([{ name: 'GNUSparseFile.1/m.onnx', size: 3, pax: { 'GNU.sparse.major': '1' } }])),
      '"GNUSparseFile.1/m.onnx" is a sparse file',
    ],
  ])('%s', async (_, name, bytes, message) => {
    await writeFile(join(folder, name), bytes)
    await expect(unpack(join(folder, name), join(folder, 'wrong'))).rejects.toThrow(message)
  })
})

describe('the limits of unpack()', () => {
  const archive = join(here, 'good.zip')
  it.each([[{ maxEntries: 5 }], [{ maxBytes: 10_000 }]])('%j is too-large', async (limits) => {
    await expect(unpack(archive, join(folder, 'limits'), limits)).rejects.toMatchObject({ code: 'too-large' })
    expect(await readdir(folder)).not.toContain('limits')
  })
})
