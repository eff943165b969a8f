import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { openStore, StoreError } from '@eas/storage'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  catalogue,
  catalogueTypes,
  expectItems,
  type Item,
  toJson,
} from '../../../../test/support/databases/catalogue.ts'
import type { Items } from '../item-cache.ts'
import type { ItemPlace } from '../item-place.ts'
import { startItemThread } from './item-thread.ts'
import type { ThreadCacheOptions } from './messages.ts'

const items = catalogue()
let folder: string
let version = 0
let threads: Worker[] = []
let cache: Items

const settings = () => ({ type: 'snapshot', url: folder })

const start = (items: ItemPlace = settings(), options: ThreadCacheOptions = {}) =>
  startItemThread(
    items,
    (workerData) => {
      const entry = new URL('./item-worker-main.ts', import.meta.url).href
      const code = `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(entry)})))`
      const thread = new Worker(code, { eval: true, workerData })
      threads.push(thread)
      return thread
    },
    options,
  )

async function write(all: readonly Item[], changes: readonly string[] = []): Promise<void> {
  await writeFile(join(folder, 'items.ndjson'), all.map(toJson).join('\n'))
  const columns = Object.entries({ item_id: 'string', ...catalogueTypes }).map(([name, type]) => ({ name, type }))
  await writeFile(join(folder, 'manifest.json'), JSON.stringify({ version, columns, files: ['items.ndjson'], changes }))
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'items-'))
  threads = []
  version++
  await write(items)
  cache = start()
})
afterEach(async () => {
  await cache.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('startItemThread()', () => {
  it('loads items on another thread and gives them here, then what changes', async () => {
    expect(cache.status()).toMatchObject({ state: 'empty', items: 0 })
    expect(await cache.refresh()).toBe(true)
    const first = cache.current()
    expectItems(first, items)
    expect(cache.status()).toMatchObject({ state: 'ready', items: items.length, version: String(version) })

    const changed = { ...(items[1] as Item), title: 'changed' }
    await writeFile(join(folder, 'change.ndjson'), toJson(changed))
    await write(items, ['change.ndjson'])
    await cache.refresh()
    expectItems(cache.current(), [items[0] as Item, changed, ...items.slice(2)])
    expectItems(first, items)

    version++
    await write(items.slice(10))
    await cache.refresh()
    expectItems(cache.current(), items.slice(10))
    expect(threads).toHaveLength(1)
  })

  it('loads from a store that is open here', async () => {
    const { store, key } = openStore(folder)
    const lent = start({ store, key })
    try {
      expect(await lent.refresh()).toBe(true)
      expectItems(lent.current(), items)
      expect(lent.status().source).toBe(`snapshot ${store.url}/${key}/`)
      version++
      rmSync(join(folder, 'items.ndjson'))
      await writeFile(join(folder, 'manifest.json'), JSON.stringify({ version, files: ['items.ndjson'] }))
      expect(await lent.refresh()).toBe(false)
      expect(lent.status().failure).toMatchObject({ code: 'bad_data', times: 1 })
      rmSync(join(folder, 'manifest.json'))
      await writeFile(join(folder, 'all.ndjson'), items.map(toJson).join('\n'))
      expect(await lent.refresh()).toBe(true)
      expect(lent.current()?.items).toBe(items.length)
    } finally {
      await lent.close()
    }
  })

  it('tells what the store said when it fails', async () => {
    const { store, key } = openStore(folder)
    const failing = Object.assign(Object.create(store), {
      head: () => Promise.reject(new StoreError('denied', 'Cannot read: no')),
    })
    const lent = start({ store: failing, key })
    expect(await lent.refresh()).toBe(false)
    expect(lent.status().failure).toMatchObject({
      code: 'source_down',
      message: expect.stringContaining('Cannot read: no'),
    })
    await lent.close()
  })

  it('gives up what a store does not answer, there and here', async () => {
    const { store, key } = openStore(folder)
    const given: AbortSignal[] = []
    const silent = Object.assign(Object.create(store), {
      head: (_: string, { signal }: { signal: AbortSignal }) => {
        given.push(signal)
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      },
    })
    const lent = start({ store: silent, key }, { stallMs: 200 })
    expect(await lent.refresh()).toBe(false)
    expect(lent.status().failure?.code).toBe('source_slow')
    await vi.waitFor(() => expect(given.map(({ aborted }) => aborted)).toEqual([true]))
    await lent.close()
  })

  it('says what fails there, and keeps the last good items', async () => {
    await cache.refresh()
    version++
    await write([])
    expect(await cache.refresh()).toBe(false)
    expect(cache.status()).toMatchObject({ state: 'ready', failure: { code: 'too_few_items', times: 1 } })
    expectItems(cache.current(), items)
  })

  it('starts another thread when the first has died, with the items still there', async () => {
    await cache.refresh()
    await threads[0]?.terminate()
    expect(cache.status().failure).toMatchObject({
      code: 'source_down',
      message: 'Cannot refresh items: their thread ended: code 1',
    })
    expectItems(cache.current(), items)
    expect(await cache.refresh()).toBe(true)
    expect(cache.status().failure).toBeUndefined()
    expect(threads).toHaveLength(2)
  })

  it('gives up waiting, not loading, when a budget is spent', async () => {
    expect(await cache.refresh({ budgetMs: 0 })).toBe(false)
    expect(await cache.refresh()).toBe(true)
    expectItems(cache.current(), items)
  })

  it('refuses settings that make no source, without a thread', () => {
    expect(() => start({ type: 'csv' })).toThrow('Cannot open an item source of type csv: there are snapshot')
    expect(threads).toHaveLength(0)
  })

  it('ends a load that is under way when it is closed', async () => {
    const refreshed = cache.refresh()
    await cache.close()
    expect(await refreshed).toBe(false)
  })
})
