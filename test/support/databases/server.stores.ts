import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { torchrecPredict } from '@eas/protocol'
import { Redis } from 'ioredis'
import pg from 'pg'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { bundle } from '../../../infra/bundle.ts'
import { serviceJson } from '../processor.ts'
import { exchange, post } from '../raw-http.ts'
import { type Expected, example, golden, readJson, recommender, requestOf } from '../recommender.ts'
import { type RunningServer, serve, textOf } from '../server.ts'
import { type DatabaseServer, startPostgres, startRedis } from './servers.ts'

interface Item {
  readonly item_id: string
  readonly _deleted?: boolean
  readonly category?: string
  readonly category_id?: string
  readonly tags?: readonly string[]
  readonly price?: number
}

const itemsIn = (path: string): readonly Item[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
const items = itemsIn(join(example, 'items/items-1.ndjson'))
const changes = itemsIn(join(golden, 'items-changed/changes-1.ndjson'))
const first: readonly Expected[] = readJson(join(example, 'expected.json')).requests
const { changed }: { readonly changed: readonly Expected[] } = readJson(join(golden, 'expected.json'))

/** A database with the example's catalogue, and how a service finds it there. */
interface Kept {
  readonly settings: Readonly<Record<string, unknown>>
  put(items: readonly Item[]): Promise<void>
  close(): Promise<void>
}

async function inPostgres({ url }: DatabaseServer): Promise<Kept> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  await client.query(
    `CREATE TABLE items (item_id text PRIMARY KEY, category text, category_id text, tags text[], price float8,
      gone boolean, at bigint)`,
  )
  let at = 0
  return {
    settings: {
      ...{ type: 'postgres', connection: url, table: 'items', key: 'item_id', updated: 'at', deleted: 'gone' },
      columns: ['category', 'category_id', 'tags', 'price'],
    },
    async put(changed) {
      at++
      for (const { item_id, category, category_id, tags, price, _deleted } of changed) {
        await client.query(
          `INSERT INTO items VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (item_id) DO UPDATE SET category = $2,
            category_id = $3, tags = $4, price = $5, gone = $6, at = $7`,
          [item_id, category, category_id, tags, price, _deleted ?? false, at],
        )
      }
    },
    close: () => client.end(),
  }
}

async function inRedis({ url }: DatabaseServer): Promise<Kept> {
  const redis = new Redis(url, { retryStrategy: () => null })
  redis.on('error', () => {})
  const types = { category: 'string', category_id: 'string', tags: 'list<string>', price: 'double' }
  return {
    settings: { type: 'redis', url, pattern: 'item:*', value: 'json', types, changes: 'changes' },
    async put(changed) {
      for (const { item_id, _deleted, ...fields } of changed) {
        if (_deleted) await redis.del(`item:${item_id}`)
        else await redis.set(`item:${item_id}`, JSON.stringify(fields))
        await redis.xadd('changes', '*', 'id', item_id)
      }
    },
    close: async () => redis.disconnect(),
  }
}

beforeAll(bundle)

describe.each([
  ['PostgreSQL', startPostgres, inPostgres],
  ['Redis', startRedis, inRedis],
] as const)('a server whose items are in %s', (_, start, keep) => {
  let server: RunningServer
  const all = async (cases: readonly Expected[]) => {
    for (const expected of cases) {
      const response = await exchange(server.port, post('/api/predict/recommender', requestOf(expected)))
      expect(response?.status).toBe(200)
      const { map_outputs } = torchrecPredict.decodeResponse(response?.body ?? new Uint8Array())
      for (const [name, values] of Object.entries(expected.outputs)) {
        const got = map_outputs.get(name)?.data
        if (values.some((value, i) => !(Math.abs(Number(got?.[i]) - value) < 2e-5))) return false
      }
    }
    return true
  }

  it('scores with them, then with what has changed, and on when the database is gone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'eas-server-items-'))
    const database = await start()
    const kept = await keep(database)
    try {
      await kept.put(items)
      const path = join(folder, 'service.json')
      writeFileSync(path, serviceJson(recommender(undefined, {}, JSON.stringify(kept.settings))))
      server = await serve({ args: [path], env: { EAS_ITEM_REFRESH_S: '1' } })
      expect(await all(first)).toBe(true)
      await kept.put(changes)
      await vi.waitFor(async () => expect(await all(changed)).toBe(true), { timeout: 25_000, interval: 200 })
      await database.kill()
      await vi.waitFor(
        async () => {
          const readiness = textOf(await exchange(server.port, 'GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n'))
          expect(JSON.parse(readiness).services[0].items).toMatchObject({
            state: 'ready',
            failure: { code: 'source_down' },
          })
        },
        { timeout: 25_000, interval: 200 },
      )
      expect(await all(changed)).toBe(true)
    } finally {
      await kept.close().catch(() => {})
      await server?.stop()
      await database.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
