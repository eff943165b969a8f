import { describe, expect, it } from 'vitest'
import { ByIdCache } from './by-id-cache.ts'
import { parseColumnType, type Schema } from './column-type.ts'
import type { ItemSource } from './source.ts'

const schema: Schema = { key: 'string', columns: [{ name: 'a', type: parseColumnType('int64') }] }

/** Has the items `i0` to `i99`; remembers what it was asked for. */
function scripted() {
  const state = {
    asked: [] as (readonly string[])[],
    value: 1,
    failure: undefined as Error | undefined,
    isSilent: false,
  }
  const source: ItemSource = {
    name: 'scripted',
    snapshot: async () => undefined,
    async fetch(ids) {
      state.asked.push(ids)
      if (state.failure) throw state.failure
      if (state.isSilent) await new Promise(() => {})
      const known = ids.filter((id) => /^i\d{1,2}$/.test(id))
      return { schema, batch: { keys: known, columns: [known.map(() => state.value)] } }
    },
  }
  return { state, source }
}

const ids = (from: number, count: number) => Array.from({ length: count }, (_, i) => `i${from + i}`)

describe('ByIdCache', () => {
  it('fetches what it has not, once, and remembers what is not there', async () => {
    const { state, source } = scripted()
    const cache = new ByIdCache(source)
    const [view, same] = await Promise.all([cache.view(['i1', 'nobody', 'i2']), cache.view(['i2', 'i3'])])
    expect(state.asked).toEqual([['i1', 'nobody', 'i2'], ['i3']])
    expect([...view.entriesOf(['i2', 'nobody', 'i1'])].map((row) => view.value('a', row))).toEqual([1n, undefined, 1n])
    expect([...same.entriesOf(['i1', 'i2', 'i3'])].map((row) => same.value('a', row))).toEqual([undefined, 1n, 1n])
    await cache.view(['i1', 'i2', 'i3', 'nobody'])
    expect(state.asked).toHaveLength(2)
    expect(cache.status()).toMatchObject({ items: 4, hits: 4, misses: 5, stale: 0, failure: undefined })
  })

  it('keeps no more than it may, and what was used last', async () => {
    const { state, source } = scripted()
    const cache = new ByIdCache(source, { maxItems: 10 })
    await cache.view(ids(0, 10))
    await cache.view(['i0'])
    await cache.view(['i50'])
    expect(cache.status().items).toBe(10)
    await cache.view(['i0', 'i50', 'i2'])
    expect(state.asked).toHaveLength(2)
    await cache.view(['i1'])
    expect(state.asked).toHaveLength(3)
    const large = await cache.view(ids(0, 40))
    expect(large.items, 'a request gets all it asked for').toBe(40)
    expect(cache.status().items).toBe(10)
  })

  it('uses what it knows while the source is down or silent, and says so', async () => {
    const { state, source } = scripted()
    let now = 0
    const cache = new ByIdCache(source, { freshMs: 100, timeoutMs: 20, now: () => now })
    state.failure = new Error('connect ECONNREFUSED')
    await expect(cache.view(['i1'])).rejects.toMatchObject({ code: 'source_down' })
    state.failure = undefined
    await cache.view(['i1'])
    now = 200
    state.isSilent = true
    const view = await cache.view(['i1', 'i2'])
    expect([...view.entriesOf(['i1', 'i2'])]).toEqual([0, -1])
    expect(cache.status()).toMatchObject({ stale: 1, failure: { times: 1, at: 200 } })
    state.isSilent = false
    state.value = 2
    const after = await cache.view(['i1'])
    expect(after.value('a', after.entriesOf(['i1'])[0] ?? -1)).toBe(2n)
    expect(cache.status().failure).toBeUndefined()
  })
})
