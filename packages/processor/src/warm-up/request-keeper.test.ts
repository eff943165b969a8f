import { memoryStore, type ObjectStore, StoreError } from '@eas/storage'
import { describe, expect, it } from 'vitest'
import { RequestKeeper } from './request-keeper.ts'

function keeperOf(store: ObjectStore, filesMax: number) {
  const errors: string[] = []
  const keeper = new RequestKeeper({
    store,
    folder: 'warm',
    filesMax,
    shapeOf: async (body) => String(body.length),
    onError: ({ code }) => errors.push(code),
  })
  const offer = async (...lengths: readonly number[]) => {
    for (const length of lengths) {
      keeper.offer(new Uint8Array(length).fill(length))
      await keeper.idle
    }
  }
  return { keeper, errors, offer }
}

async function kept(store: ObjectStore) {
  const names: string[] = []
  for await (const { key, size } of store.list('warm/')) names.push(`${key}:${size}`)
  return names
}

describe('RequestKeeper', () => {
  it('keeps one request of each shape, up to the number of files', async () => {
    const store = memoryStore()
    const { keeper, offer } = keeperOf(store, 3)
    await offer(1, 2, 2, 1, 3, 4)
    expect(await kept(store)).toEqual(['warm/0.pb:1', 'warm/1.pb:2', 'warm/2.pb:3'])
    expect(keeper.isOpen).toBe(false)
  })

  it('overwrites nobody and keeps to the number with many instances at once', async () => {
    const store = memoryStore()
    const instances = Array.from({ length: 8 }, () => keeperOf(store, 5))
    await Promise.all(instances.map(({ offer }, i) => offer(i + 1, i + 11, i + 21)))
    const files = await kept(store)
    expect(files.map((file) => file.replace(/:.*/, ''))).toEqual([0, 1, 2, 3, 4].map((place) => `warm/${place}.pb`))
    // Each is whole, and still what the first to write it wrote.
    for await (const { key, size } of store.list('warm/')) {
      expect(new Set(await store.read(key, { start: 0, end: size }))).toEqual(new Set([size]))
    }
  })

  it('gives up on a store that does not take anything', async () => {
    const store: ObjectStore = {
      ...memoryStore(),
      create: () => Promise.reject(new StoreError('denied', 'Cannot write')),
    }
    const { keeper, errors, offer } = keeperOf(store, 5)
    await offer(1, 2, 3, 4, 5)
    expect(errors).toEqual(['denied', 'denied', 'denied'])
    expect(keeper.isOpen).toBe(false)
  })
})
