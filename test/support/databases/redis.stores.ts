import { ByIdCache, ItemCache, redisSource } from '@eas/feature-store'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { itemSourceContract } from '../../contract/feature-store-suite.ts'
import { catalogue, catalogueTypes, expectItems, type Item, toJson } from './catalogue.ts'
import { type DatabaseServer, startRedis } from './servers.ts'

let server: DatabaseServer
let redis: Redis
const items = catalogue()
const ids = items.map(({ item_id }) => item_id)

beforeAll(async () => {
  server = await startRedis()
  redis = new Redis(server.url, { retryStrategy: () => 100 })
  redis.on('error', () => {})
})
afterAll(async () => {
  redis.disconnect()
  await server.close()
})

const writers = {
  async hash(item: Item) {
    const fields = Object.entries(item).filter(([name, value]) => name !== 'item_id' && value !== null)
    const texts = fields.map(([name, value]) => [name, typeof value === 'object' ? toJson(value) : String(value)])
    await redis.del(`shop:item:${item.item_id}:v1`)
    await redis.hset(
      `shop:item:${item.item_id}:v1`,
      Object.fromEntries([['age', ''], ...texts].filter(([name, value]) => name !== 'age' || value !== '')),
    )
  },
  async json({ item_id, ...fields }: Item) {
    await redis.set(`shop:item:${item_id}:v1`, toJson(fields))
  },
}

describe.each(['hash', 'json'] as const)('redisSource() of a %s per item', (value) => {
  // An item of nothing is no key at all in Redis.
  const kept =
    value === 'hash' ? items.filter((item) => Object.values(item).some((v, i) => i > 0 && v !== null)) : items
  const optionsAt = (url: string) => ({ url, pattern: 'shop:item:*:v1', value, types: catalogueTypes })
  const options = () => optionsAt(server.url)

  async function fill(all: readonly Item[]): Promise<void> {
    await redis.flushall()
    for (const item of all) await writers[value](item)
    await redis.set('shop:other', 'x')
  }
  beforeEach(() => fill(kept))

  itemSourceContract(
    `redis, a ${value} per item`,
    kept,
    async () => ({
      port: Number(new URL(server.url).port),
      source: (host, port) => redisSource(optionsAt(`redis://${host}:${port}`)),
      fill,
      spoil: (item) => writers[value]({ ...item, age: 'old' }),
      close: async () => {},
    }),
    { reloads: true },
  )

  it('loads all keys of the pattern, and again when the version changes', async () => {
    await redis.set('version', '1')
    const cache = new ItemCache(redisSource({ ...options(), versionKey: 'version' }))
    await cache.refresh()
    expect(cache.status().failure).toBeUndefined()
    expectItems(cache.current(), kept)
    await redis.del(`shop:item:${kept[0]?.item_id}:v1`)
    await cache.refresh()
    expectItems(cache.current(), kept)
    await redis.set('version', '2')
    await cache.refresh()
    expectItems(cache.current(), kept.slice(1))
    await cache.close()
  })

  it('follows a stream of changed ids', async () => {
    await redis.xadd('changed', '*', 'id', 'an old change')
    const cache = new ItemCache(redisSource({ ...options(), changes: 'changed' }))
    await cache.refresh()
    const changed = { ...(kept[1] as Item), title: 'changed' }
    await writers[value](changed)
    await redis.xadd('changed', '*', 'at', 'now', 'id', changed.item_id)
    await redis.del(`shop:item:${kept[2]?.item_id}:v1`)
    await redis.xadd('changed', '*', 'id', kept[2]?.item_id ?? '')
    await cache.refresh()
    expect(cache.status().failure).toBeUndefined()
    expectItems(cache.current(), [kept[0] as Item, changed, ...kept.slice(3)])
    await cache.close()
  })

  it('fetches by id', async () => {
    const cache = new ByIdCache(redisSource(options()))
    expectItems(await cache.view([...ids, 'nobody']), kept)
    await cache.close()
  })

  it('keeps its connection when the time of a fetch that was answered is over', async () => {
    const source = redisSource(options())
    const signal = AbortSignal.timeout(200)
    await source.fetch?.(ids, { signal })
    const clients = async () => String(await redis.client('LIST')).match(/\bid=\d+/g)
    const before = await clients()
    while (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, 50))
    await source.fetch?.(ids, {})
    expect(await clients()).toEqual(before)
    await source.close?.()
  })

  it('keeps the last good items while Redis is gone, and recovers', async () => {
    const cache = new ItemCache(redisSource(options()))
    await cache.refresh()
    await server.kill()
    expect(await cache.refresh()).toBe(false)
    expect(cache.status()).toMatchObject({ state: 'ready', failure: { code: 'source_down' } })
    expectItems(cache.current(), kept)
    await server.start()
    await redis.ping()
    for (let attempt = 0; attempt < 50 && !(await cache.refresh()); attempt++)
      await new Promise((r) => setTimeout(r, 100))
    expect(cache.status().failure).toBeUndefined()
    expectItems(cache.current(), kept)
    await cache.close()
  })
})
