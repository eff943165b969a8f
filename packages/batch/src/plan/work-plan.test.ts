import { memoryStore } from '@eas/storage'
import { describe, expect, it } from 'vitest'
import { type ListedObject, listObjects } from './list-objects.ts'
import { planTargetNames, planTargets, planWork } from './work-plan.ts'

async function storeOf(keys: readonly string[]) {
  const store = memoryStore('s3://in')
  for (const key of keys) await store.put(key, Buffer.from(key))
  return store
}
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}
const keysOf = (objects: readonly ListedObject[]) => objects.map(({ info }) => info.key)

describe('listObjects()', () => {
  const keys = ['a.ndjson', 'day=1/a.ndjson', 'day=1/b.csv.gz', 'day=1/notes.txt', 'day=1/x/c.parquet', 'day=10/d.pb']

  it('gives the object of that key alone, or all below it whose names say a format', async () => {
    const store = await storeOf(keys)
    expect(keysOf(await all(listObjects({ store, key: 'a.ndjson' })))).toEqual(['a.ndjson'])
    expect(keysOf(await all(listObjects({ store, key: 'day=1' })))).toEqual([
      'day=1/a.ndjson',
      'day=1/b.csv.gz',
      'day=1/x/c.parquet',
    ])
    expect(keysOf(await all(listObjects({ store, key: '' })))).toHaveLength(5)
    expect(keysOf(await all(listObjects({ store, key: 'absent' })))).toEqual([])
  })
})

describe('planWork()', () => {
  it.each(planTargetNames)('cuts for %s within its limits, every object once, in their order', async (name) => {
    const store = await storeOf(Array.from({ length: 250 }, (_, i) => `${'"'.repeat(900)}/${1000 + i}.ndjson`))
    const target = planTargets[name]
    const tasks = await all(planWork(listObjects({ store, key: '' }), target))
    expect(tasks.flatMap(({ items }) => items.map(({ uri }) => uri))).toEqual(
      keysOf(await all(listObjects({ store, key: '' }))).map((key) => `s3://in/${key}`),
    )
    for (const task of tasks) {
      expect(task.items.length).toBeLessThanOrEqual(target.itemsMax)
      expect(Buffer.byteLength(target.line(task))).toBeLessThan(target.taskBytesMax + 1024)
      expect(target.line(task)).not.toMatch(/\n/)
    }
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(tasks.length)
    expect(await all(planWork(listObjects({ store, key: '' }), target))).toEqual(tasks)
  })

  it('holds one task at a time, however many objects are listed', async () => {
    const store = memoryStore('s3://in')
    // A million with EAS_FULL=1.
    const count = process.env.EAS_FULL ? 1_000_000 : 50_000
    async function* objects(): AsyncGenerator<ListedObject> {
      for (let i = 0; i < count; i++) yield { store, info: { key: `day=1/${i}.ndjson`, size: i, version: `${i}` } }
    }
    let items = 0
    let most = 0
    const before = process.memoryUsage().heapUsed
    for await (const task of planWork(objects(), planTargets.sqs)) {
      items += task.items.length
      if (items % 10_000 === 0) most = Math.max(most, process.memoryUsage().heapUsed - before)
    }
    expect(items).toBe(count)
    // A plan that was kept would take 200 bytes an object; garbage comes and goes.
    expect(most).toBeLessThan(100e6)
  })
})
