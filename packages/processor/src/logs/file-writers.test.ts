import { memoryStore, type ObjectStore, StoreError } from '@eas/storage'
import { describe, expect, it } from 'vitest'
import { type FileFolder, FileWriters } from './file-writers.ts'
import { dateHour, RequestFiles } from './request-files.ts'

const bytes = Uint8Array.of(1, 2, 3)
const options = { writers: 2, filesMax: 3, bytesMax: 1000, timeoutMs: 1000, onError: () => {} }

/** A store whose writes end when they are told to. */
function heldStore() {
  const store = memoryStore()
  const waiting: (() => void)[] = []
  const held: ObjectStore = {
    ...store,
    put: async (key, body, more) => {
      await new Promise<void>((resolve) => waiting.push(resolve))
      return store.put(key, body, more)
    },
  }
  return { folder: { store: held, key: 'logs' } satisfies FileFolder, waiting, store }
}

const keysOf = async (store: ObjectStore) => {
  const keys: string[] = []
  for await (const { key } of store.list('')) keys.push(key)
  return keys
}

describe('FileWriters', () => {
  it('writes so many at once, lets so many wait, and drops and counts the rest', async () => {
    const { folder, waiting, store } = heldStore()
    const writers = new FileWriters(options)
    for (let i = 0; i < 9; i++) writers.write(folder, `${i}.pb`, bytes)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(waiting).toHaveLength(2)
    expect(writers.counts).toEqual({ written: 0, dropped: 4, failed: 0 })
    const flushed = writers.flush(60_000)
    while (!writers.isIdle) {
      for (const release of waiting.splice(0)) release()
      await new Promise(setImmediate)
    }
    await flushed
    expect(await keysOf(store)).toEqual(['logs/0.pb', 'logs/1.pb', 'logs/2.pb', 'logs/3.pb', 'logs/4.pb'])
    expect(writers.counts).toEqual({ written: 5, dropped: 4, failed: 0 })
  })

  it('drops what would take too much memory', () => {
    const { folder } = heldStore()
    const writers = new FileWriters({ ...options, writers: 1, bytesMax: 5 })
    for (let i = 0; i < 4; i++) writers.write(folder, `${i}.pb`, bytes)
    expect(writers.counts.dropped).toBe(2)
  })

  it('counts what a store refuses, tells of it once, and goes on', async () => {
    const errors: StoreError[] = []
    const store = memoryStore()
    let isDown = true
    const flaky: ObjectStore = {
      ...store,
      put: (...args) => (isDown ? Promise.reject(new StoreError('unavailable', 'Cannot write')) : store.put(...args)),
    }
    const writers = new FileWriters({ ...options, onError: (error) => errors.push(error) })
    for (const name of ['a', 'b', 'c']) writers.write({ store: flaky, key: '' }, name, bytes)
    await writers.flush(60_000)
    isDown = false
    writers.write({ store: flaky, key: '' }, 'd', bytes)
    await writers.flush(60_000)
    expect(writers.counts).toEqual({ written: 1, dropped: 0, failed: 3 })
    expect(errors).toHaveLength(1)
    expect(await keysOf(store)).toEqual(['d'])
  })

  it('flush() waits no longer than it is told to', async () => {
    const { folder } = heldStore()
    const writers = new FileWriters(options)
    writers.write(folder, 'a', bytes)
    await writers.flush(1)
    expect(writers.isIdle).toBe(false)
  })
})

describe('RequestFiles', () => {
  it('keeps the request log by the hour, and nothing where there is no place for it', async () => {
    const root = memoryStore()
    const files = new RequestFiles({ request_log: undefined, torch_req: undefined, writers: 1, stores: {} }, () => {})
    files.write({ kind: 'file', of: 'request_log', name: 'a', bytes }, new Date())
    await files.flush(1000)
    expect(files.counts).toEqual({ written: 0, dropped: 0, failed: 0 })
    expect(await keysOf(root)).toEqual([])
    expect(dateHour(new Date(2026, 2, 6, 9, 59))).toBe('20260306_09')
  })
})
