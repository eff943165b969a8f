import { describe, expect, it } from 'vitest'
import { parseColumnType, type Schema } from './column-type.ts'
import { FeatureStoreError } from './feature-store-error.ts'
import { ItemCache } from './item-cache.ts'
import { attachItems } from './item-view.ts'
import type { ItemBatch, ItemSource, Snapshot } from './source.ts'

const schema: Schema = {
  key: 'string',
  columns: [
    { name: 'a', type: parseColumnType('int64') },
    { name: 'b', type: parseColumnType('string') },
  ],
}

/** `count` items whose two columns say the same number, so that a torn row would show. */
const batch = (first: number, count: number, value: number): ItemBatch => ({
  keys: Array.from({ length: count }, (_, i) => `i${first + i}`),
  columns: [new Array(count).fill(BigInt(value)), new Array(count).fill(`v${value}`)],
})

/** A source whose next answers are set by the test. */
class Scripted implements ItemSource {
  readonly name = 'scripted'
  version = '1'
  batches: () => AsyncIterable<ItemBatch> = async function* () {
    yield batch(0, 10, 1)
  }
  increments: ItemBatch[] = []
  failure: Error | undefined
  schema = schema

  async snapshot(known: string | undefined): Promise<Snapshot | undefined> {
    if (this.failure) throw this.failure
    if (known === this.version) return undefined
    return { version: this.version, schema: this.schema, position: '0', batches: this.batches() }
  }

  async *changes(position: string): AsyncGenerator<ItemBatch, void, void> {
    for (const [i, increment] of this.increments.entries()) {
      if (i >= Number(position)) yield { ...increment, position: String(i + 1) }
    }
  }
}

const valuesOf = (cache: ItemCache, ids: readonly string[]) => {
  const view = cache.current()
  return [...(view?.entriesOf(ids) ?? [])].map((row) => `${view?.value('a', row)}/${view?.value('b', row)}`)
}

describe('ItemCache', () => {
  it('is empty until the first snapshot is in, then ready', async () => {
    const cache = new ItemCache(new Scripted())
    expect(cache.current()).toBeUndefined()
    expect(cache.status()).toMatchObject({ state: 'empty', items: 0 })
    expect(await cache.refresh()).toBe(true)
    expect(cache.status()).toMatchObject({ state: 'ready', items: 10, version: '1', failure: undefined })
    expect(valuesOf(cache, ['i0', 'i9'])).toEqual(['1/v1', '1/v1'])
  })

  it('swaps a snapshot whole: an older view keeps what it had', async () => {
    const source = new Scripted()
    const cache = new ItemCache(source)
    await cache.refresh()
    const before = cache.current()
    source.version = '2'
    source.batches = async function* () {
      yield batch(5, 20, 2)
    }
    await cache.refresh()
    expect(cache.status()).toMatchObject({ items: 20, version: '2' })
    expect([...(cache.current()?.entriesOf(['i0']) ?? [])]).toEqual([-1])
    expect(before?.value('b', before.entriesOf(['i0'])[0] ?? -1)).toBe('v1')
  })

  it('applies increments: changed, new and deleted items, and ones that come back', async () => {
    const source = new Scripted()
    const cache = new ItemCache(source)
    await cache.refresh()
    const before = cache.current()
    source.increments.push(batch(8, 4, 2), { ...batch(0, 2, 0), deleted: [1, 1] }, batch(1, 1, 3))
    await cache.refresh()
    expect(cache.status()).toMatchObject({ items: 11, version: '1' })
    expect(valuesOf(cache, ['i0', 'i1', 'i7', 'i8', 'i11'])).toEqual([
      'undefined/undefined',
      '3/v3',
      '1/v1',
      '2/v2',
      '2/v2',
    ])
    expect(before?.items).toBe(10)
    expect([...(before?.entriesOf(['i0', 'i8', 'i11']) ?? [])]).toEqual([0, 8, -1])
    source.increments.push(batch(0, 1, 4))
    await cache.refresh()
    expect(valuesOf(cache, ['i0', 'i1'])).toEqual(['4/v4', '3/v3'])
  })

  it('rewrites itself when updates outnumber the room for them, and loses nothing', async () => {
    const source = new Scripted()
    const cache = new ItemCache(source)
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 3; i++) source.increments.push(batch(0, 6000, round * 3 + i))
      source.increments.push({ ...batch(5999, 1, 0), deleted: [1] })
      expect(await cache.refresh()).toBe(true)
      expect(cache.status().items).toBe(5999)
      const [first, last, gone] = valuesOf(cache, ['i0', 'i5998', 'i5999'])
      expect([first, last, gone]).toEqual([`${round * 3 + 2}/v${round * 3 + 2}`, first, 'undefined/undefined'])
    }
    expect(cache.current()?.data.rows, 'superseded rows have gone').toBeLessThan(90_000)
  })

  it.each([
    ['down', new Error('connect ECONNREFUSED'), 'source_down'],
    ['wrong', new FeatureStoreError('bad_data', 'Cannot load items: nonsense'), 'bad_data'],
  ])('keeps the last good items while the source is %s, and recovers', async (_, failure, code) => {
    const source = new Scripted()
    let now = 1000
    const cache = new ItemCache(source, { now: () => now })
    source.failure = failure
    expect(await cache.refresh()).toBe(false)
    expect(cache.status()).toMatchObject({ state: 'empty', failure: { code, times: 1, at: 1000 } })
    source.failure = undefined
    expect(await cache.refresh()).toBe(true)
    source.failure = failure
    now = 2000
    await cache.refresh()
    await cache.refresh()
    expect(cache.status()).toMatchObject({
      state: 'ready',
      items: 10,
      checkedAt: 1000,
      failure: { code, times: 2, at: 2000 },
    })
    expect(valuesOf(cache, ['i3'])).toEqual(['1/v1'])
  })

  it('refuses a snapshot that is empty, shrunken, too large, cut, or lacks a column', async () => {
    const source = new Scripted()
    const options = { minShare: 0.5, maxBytes: 1_000_000, requiredColumns: ['a'] }
    const cache = new ItemCache(source, options)
    await cache.refresh()
    const bad: readonly [string, () => AsyncIterable<ItemBatch>][] = [
      ['too_few_items', async function* () {}],
      [
        'too_few_items',
        async function* () {
          yield batch(0, 4, 2)
        },
      ],
      [
        'too_large',
        async function* () {
          for (let i = 0; i < 100; i++) yield batch(i * 1000, 1000, 2)
        },
      ],
      [
        'source_down',
        async function* () {
          yield batch(0, 10, 2)
          throw new Error('socket hang up')
        },
      ],
      [
        'bad_data',
        async function* () {
          yield {
            keys: ['x', 'y'],
            columns: [
              [1, 2.5],
              ['a', 'b'],
            ],
          }
        },
      ],
      [
        'bad_data',
        async function* () {
          yield {
            keys: ['x', null],
            columns: [
              [1, 2],
              ['a', 'b'],
            ],
          }
        },
      ],
      [
        'bad_data',
        async function* () {
          yield { keys: ['x'], columns: [[1]] }
        },
      ],
    ]
    for (const [i, [code, batches]] of bad.entries()) {
      source.version = `bad ${i}`
      source.batches = batches
      expect(await cache.refresh()).toBe(false)
      expect(cache.status()).toMatchObject({ items: 10, version: '1', failure: { code }, loadingRows: undefined })
    }
    source.schema = { ...schema, columns: schema.columns.slice(1) }
    await cache.refresh()
    expect(cache.status().failure?.message).toBe('Cannot load items from scripted: there is no column a')
    expect(valuesOf(cache, ['i3'])).toEqual(['1/v1'])
  })

  it('says which value of an increment does not fit, and takes nothing of its chunk', async () => {
    const source = new Scripted()
    const cache = new ItemCache(source)
    await cache.refresh()
    source.increments.push({
      keys: ['i1', 'i2'],
      columns: [
        [5, 'many'],
        ['x', 'y'],
      ],
    })
    expect(await cache.refresh()).toBe(false)
    expect(cache.status().failure?.message).toBe('Cannot load items from scripted: a of row 1: "many" is no int64')
    expect(valuesOf(cache, ['i1', 'i2'])).toEqual(['1/v1', '1/v1'])
  })

  it('gives up a source that is silent for too long, and takes the next answer', async () => {
    const source = new Scripted()
    const cache = new ItemCache(source, { stallMs: 30 })
    const batches = source.batches
    source.batches = async function* () {
      yield batch(0, 1, 9)
      await new Promise(() => {})
    }
    expect(await cache.refresh()).toBe(false)
    expect(cache.status()).toMatchObject({ state: 'empty', failure: { code: 'source_slow' } })
    source.batches = batches
    expect(await cache.refresh()).toBe(true)
  })

  it('goes on where the budget ended, a bit with every call, as on a platform that freezes between requests', async () => {
    const source = new Scripted()
    source.batches = async function* () {
      for (let i = 0; i < 40; i++) yield batch(i * 1000, 1000, 1)
    }
    const cache = new ItemCache(source)
    let calls = 1
    while (!(await cache.refresh({ budgetMs: 1 }))) {
      calls++
      expect(cache.status().failure).toBeUndefined()
    }
    expect(calls).toBeGreaterThan(3)
    expect(cache.status().items).toBe(40_000)
  })

  it('never shows a torn or stale row to requests while it is swapped and updated', async () => {
    const source = new Scripted()
    const cache = new ItemCache(source)
    await cache.refresh()
    let newest = 0
    let checks = 0
    let isOver = false
    const requests = (async () => {
      while (!isOver) {
        const view = cache.current()
        const rows = view?.entriesOf(Array.from({ length: 50 }, (_, i) => `i${i}`)) ?? []
        await new Promise((resolve) => setImmediate(resolve))
        for (const row of rows) {
          const [a, b] = [view?.value('a', row), view?.value('b', row)]
          expect(row === -1 ? 'v1' : `v${a}`).toBe(row === -1 ? 'v1' : b)
          newest = Math.max(newest, Number(a ?? 0))
          checks++
        }
      }
    })()
    for (let round = 2; round < 30; round++) {
      if (round % 3 === 0) {
        source.version = String(round)
        source.increments = []
        source.batches = async function* () {
          yield batch(0, 5000, round)
        }
      } else source.increments.push(batch(0, 5000, round))
      expect(await cache.refresh()).toBe(true)
      expect(valuesOf(cache, ['i0'])).toEqual([`${round}/v${round}`])
    }
    isOver = true
    await requests
    expect(newest).toBeGreaterThan(2)
    expect(checks).toBeGreaterThan(1000)
  })

  it('shares one refresh among those who ask at the same time', async () => {
    const source = new Scripted()
    let loads = 0
    const { batches } = source
    source.batches = () => {
      loads++
      return batches()
    }
    const cache = new ItemCache(source)
    expect(await Promise.all([cache.refresh(), cache.refresh(), cache.refresh()])).toEqual([true, true, true])
    expect(loads).toBe(1)
  })

  it('gives a view to another thread by its data alone', async () => {
    const cache = new ItemCache(new Scripted())
    await cache.refresh()
    const data = cache.current()?.data
    const view = attachItems(structuredClone(data) as NonNullable<typeof data>)
    expect(view.value('b', view.entriesOf(['i4'])[0] ?? -1)).toBe('v1')
  })
})
