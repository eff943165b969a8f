import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { copyFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStore } from '@eas/storage'
import { afterAll, describe, expect, it } from 'vitest'
import { catalogue, catalogueTypes, expectItems, toJson } from '../../../../test/support/databases/catalogue.ts'
import { ItemCache } from '../item-cache.ts'
import { snapshotSource } from './snapshot.ts'

const golden = join(import.meta.dirname, '../../../../test/golden/feature-store')
const items = catalogue()
const scratch = mkdtempSync(join(tmpdir(), 'items-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

async function viewOf(file: string) {
  const folder = mkdtempSync(join(scratch, 'one-'))
  await copyFile(join(golden, file), join(folder, file))
  const cache = new ItemCache(snapshotSource(folder))
  await cache.refresh()
  const { failure } = cache.status()
  if (failure) throw new Error(failure.message)
  return cache.current()
}

const bytes = (text: string) => new TextEncoder().encode(text)
const columns = Object.entries({ item_id: 'string', ...catalogueTypes }).map(([name, type]) => ({ name, type }))
const manifest = (fields: object) => bytes(JSON.stringify({ version: '1', key: 'item_id', columns, ...fields }))

it('catalogue.ndjson holds the items that the tests expect', () => {
  const lines = readFileSync(join(golden, 'catalogue.ndjson'), 'utf8')
  expect(lines).toBe(items.map((item) => `${toJson(item)}\n`).join(''))
})

describe('snapshotSource()', () => {
  it.each([
    'catalogue-snappy.parquet',
    'catalogue-gzip-groups.parquet',
    'catalogue-zstd-plain.parquet',
    'catalogue-none-index.parquet',
    'catalogue-brotli.parquet',
    'catalogue-lz4.parquet',
    'catalogue.ndjson',
    'catalogue.csv',
  ])('gives the same items from %s', async (file) => {
    const folder = mkdtempSync(join(scratch, 'one-'))
    await copyFile(join(golden, file), join(folder, file))
    const cache = new ItemCache(snapshotSource(folder, file.endsWith('.parquet') ? {} : { types: catalogueTypes }))
    await cache.refresh()
    expect(cache.status().failure).toBeUndefined()
    expectItems(cache.current(), items)
    const { version } = cache.status()
    expect(await cache.refresh()).toBe(true)
    expect(cache.status().version, 'nothing has changed').toBe(version)
  })

  it.each([
    ['types.parquet', 'time96', 'uint32', 'uint64', 'uint64s', 'float16', 'fixed', 'decimal', 'json'],
    ['types-time.parquet', 'time', 'time96', 'uint32', 'decimal'],
  ])('reads types that catalogues seldom have from %s', async (file, ...names) => {
    const view = await viewOf(file)
    const time = [Date.UTC(1965, 0, 2, 3, 4, 5, 678), undefined, Date.UTC(2026, 0, 2)].map((ms) => ms && BigInt(ms))
    const expected: { readonly [name: string]: readonly unknown[] } = {
      ...{ time, time96: time, uint32: [4_000_000_000n, undefined, 1n], float16: [0.5, undefined, -2.25] },
      ...{
        uint64: ['18446744073709551615', undefined, '1'],
        uint64s: [['9223372036854775808', '5'], undefined, undefined],
      },
      ...{ fixed: ['0042', undefined, 'abcd'], decimal: [0.3, undefined, -70.7], json: ['{"a": 1}', undefined, '[]'] },
    }
    const rows = view?.entriesOf(['a', 'b', 'c']) ?? []
    for (const name of names)
      expect(
        Array.from(rows, (row) => view?.value(name, row)),
        name,
      ).toEqual(expected[name])
  })

  it('reads unsigned integers that DuckDB packed, or says that they are too large', async () => {
    const view = await viewOf('packed-small.parquet')
    const [first = -1, last = -1] = view?.entriesOf(['i0', 'i999']) ?? []
    expect([view?.value('hash', first), view?.value('hash', last)]).toEqual([2n ** 31n - 1000n, 2n ** 31n - 1n])
    await expect(viewOf('packed.parquet')).rejects.toThrow(
      'packs unsigned integers from 2^31 on as differences: write hash',
    )
  })

  it('reads what a manifest names, and its increments in order', async () => {
    const store = memoryStore()
    const lines = (list: readonly object[]) => bytes(list.map((item) => `${toJson(item)}\n`).join(''))
    await store.put('live/parts/a.ndjson', lines(items.slice(0, 30)))
    await store.put('live/parts/b.ndjson', lines(items.slice(30)))
    await store.put('live/parts/other.ndjson', bytes('this is not for us'))
    const files = ['parts/a.ndjson', 'parts/b.ndjson']
    await store.put('live/manifest.json', manifest({ files }))
    const cache = new ItemCache(snapshotSource({ store, key: 'live' }))
    await cache.refresh()
    expect(cache.status().failure).toBeUndefined()
    expectItems(cache.current(), items)

    const changed = items.slice(0, 3).map((item) => ({ ...item, title: 'changed' }))
    await store.put('live/d1.ndjson', lines([...changed, { item_id: items[5]?.item_id, _deleted: true }]))
    await store.put('live/manifest.json', manifest({ files, changes: ['d1.ndjson'] }))
    await cache.refresh()
    const now = [...changed, ...items.slice(3, 5), ...items.slice(6)]
    expectItems(cache.current(), now)
    await store.put('live/d2.ndjson', lines([items[5] ?? {}]))
    await store.put('live/manifest.json', manifest({ files, changes: ['d1.ndjson', 'd2.ndjson'] }))
    await cache.refresh()
    await cache.refresh()
    expectItems(cache.current(), [...now, ...items.slice(5, 6)])

    await store.put('live/manifest.json', manifest({ version: '2', files: ['parts/b.ndjson'] }))
    await cache.refresh()
    expectItems(cache.current(), items.slice(30))
  })

  it.each([
    ['manifest.json is no JSON', { 'manifest.json': '{' }],
    ['manifest.json has no version', { 'manifest.json': '{"files":[]}' }],
    ['files of manifest.json are no paths', { 'manifest.json': '{"version":1,"files":["../x.csv"]}' }],
    ['which is not there', { 'manifest.json': '{"version":1,"files":["x.csv"]}' }],
    ['which is no .parquet', { 'manifest.json': '{"version":1,"files":["x.bin"]}' }],
    [
      'Cannot use column type blob',
      { 'manifest.json': '{"version":1,"files":[],"columns":[{"name":"a","type":"blob"}]}' },
    ],
    ['there is no .parquet', { 'readme.txt': 'nothing here' }],
    ['is no sound Parquet file', { 'a.parquet': 'PAR1 this is not PAR1' }],
    ['line 2 of a.ndjson is no JSON', { 'a.ndjson': '{"item_id":"a"}\n{"item_id":' }],
    ['line 1 of a.ndjson is no JSON object', { 'a.ndjson': '[1]' }],
    ['row 0 has no item id', { 'a.ndjson': '{"x":1}' }],
    ['record 3 of a.csv has 1 cells instead of 2', { 'a.csv': 'item_id,x\na,1\nb' }],
  ])('says what is wrong with a place: %s', async (message, files) => {
    const store = memoryStore()
    for (const [key, text] of Object.entries(files)) await store.put(key, bytes(text))
    const cache = new ItemCache(snapshotSource({ store, key: '' }))
    expect(await cache.refresh()).toBe(false)
    expect(cache.status().failure?.message).toContain(message)
    expect(cache.status().failure?.message).not.toContain('\n')
  })

  it('is refused wherever a Parquet file is cut or damaged, or gives rows, but never hangs or crashes', async () => {
    const file = readFileSync(join(golden, 'catalogue-snappy.parquet'))
    for (let at = 0; at < file.length; at += 97) {
      const flipped = Buffer.from(file)
      flipped.writeUInt8(flipped.readUInt8(at) ^ 0x10, at)
      for (const damaged of [file.subarray(0, at), flipped]) {
        const store = memoryStore()
        await store.put('a.parquet', damaged)
        const cache = new ItemCache(snapshotSource({ store, key: '' }))
        const isDone = await cache.refresh()
        expect(cache.status().failure === undefined).toBe(isDone)
      }
    }
  })

  it('keeps the last good items while a snapshot is replaced by a cut one', async () => {
    const folder = mkdtempSync(join(scratch, 'cut-'))
    const file = readFileSync(join(golden, 'catalogue-snappy.parquet'))
    await writeFile(join(folder, 'a.parquet'), file)
    const cache = new ItemCache(snapshotSource(folder))
    await cache.refresh()
    await writeFile(join(folder, 'a.parquet'), file.subarray(0, file.length - 100))
    expect(await cache.refresh()).toBe(false)
    expect(cache.status().failure?.code).toBe('bad_data')
    expectItems(cache.current(), items)
    await writeFile(join(folder, 'a.parquet'), file)
    expect(await cache.refresh()).toBe(true)
  })
})
