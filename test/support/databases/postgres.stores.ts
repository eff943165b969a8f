import { ByIdCache, ItemCache, postgresSource } from '@eas/feature-store'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { itemSourceContract } from '../../contract/feature-store-suite.ts'
import { type ColumnName, catalogue, catalogueTypes, expectItems, type Item, toJson } from './catalogue.ts'
import { type DatabaseServer, startPostgres } from './servers.ts'

const sqlTypes: { readonly [name in ColumnName]: string } = {
  age: 'integer',
  clicks: 'bigint',
  ctr: 'real',
  price: 'double precision',
  title: 'text',
  tags: 'text[]',
  sizes: 'bigint[]',
  vector: 'real[]',
  weights: 'jsonb',
}
const names = Object.keys(catalogueTypes) as ColumnName[]
const items = catalogue()
let server: DatabaseServer
let pool: pg.Pool

beforeAll(async () => {
  server = await startPostgres()
  pool = new pg.Pool({ connectionString: server.url })
  pool.on('error', () => {})
})
afterAll(async () => {
  await pool.end()
  await server.close()
})

const values = (item: Item) => [
  item.item_id,
  ...names.map((name) => (name === 'weights' && item[name] ? toJson(item[name]) : item[name])),
]

async function write(item: Item): Promise<void> {
  const columns = ['item_id', ...names].join(', ')
  const places = ['item_id', ...names].map((_, i) => `$${i + 1}`).join(', ')
  const updates = names.map((name) => `${name} = excluded.${name}`).join(', ')
  const text = `INSERT INTO shop."Items" (${columns}) VALUES (${places}) ON CONFLICT (item_id) DO UPDATE SET ${updates}, updated = clock_timestamp(), gone = false`
  await pool.query(text, values(item))
}

const types = { weights: catalogueTypes.weights, age: catalogueTypes.age }
const options = () => ({
  connection: server.url,
  table: 'shop.Items',
  key: 'item_id',
  types,
  columns: names,
  pageRows: 7,
})

async function fill(all: readonly Item[]): Promise<void> {
  await pool.query('DROP SCHEMA IF EXISTS shop CASCADE; CREATE SCHEMA shop')
  const columns = names.map((name) => `${name} ${sqlTypes[name]}`).join(', ')
  const more = 'updated timestamptz DEFAULT clock_timestamp(), gone boolean'
  await pool.query(`CREATE TABLE shop."Items" (item_id text PRIMARY KEY, ${columns}, ${more})`)
  for (const item of all) await write(item)
}

itemSourceContract(
  'postgres',
  items,
  async () => ({
    port: Number(new URL(server.url).port),
    source: (host, port) => postgresSource({ ...options(), connection: `postgres://eas@${host}:${port}/postgres` }),
    fill,
    async spoil({ item_id }) {
      await pool.query('ALTER TABLE shop."Items" ALTER age TYPE text')
      await pool.query('UPDATE shop."Items" SET age = $1 WHERE item_id = $2', ['old', item_id])
    },
    close: async () => {},
  }),
  { reloads: true },
)

describe('postgresSource()', () => {
  beforeEach(() => fill(items))

  it.each(['cursor', 'key'] as const)('loads a table by %s', async (paging) => {
    const cache = new ItemCache(postgresSource({ ...options(), paging }))
    await cache.refresh()
    expect(cache.status().failure).toBeUndefined()
    expectItems(cache.current(), items)
    await cache.close()
  })

  it('loads again when the version query says so', async () => {
    await pool.query("CREATE TABLE shop.version AS SELECT '1'::text AS v")
    const cache = new ItemCache(postgresSource({ ...options(), versionQuery: 'SELECT v FROM shop.version' }))
    await cache.refresh()
    const first = cache.current()
    await cache.refresh()
    expect(cache.current()).toBe(first)
    await pool.query('DELETE FROM shop."Items" WHERE item_id = $1', [items[0]?.item_id])
    await pool.query("UPDATE shop.version SET v = '2'")
    await cache.refresh()
    expectItems(cache.current(), items.slice(1))
    await cache.close()
  })

  it('follows updates, new rows and rows that are marked as gone', async () => {
    const cache = new ItemCache(postgresSource({ ...options(), updated: 'updated', deleted: 'gone' }))
    await cache.refresh()
    const changed = { ...(items[1] as Item), title: 'changed' }
    await write(changed)
    const added = Array.from({ length: 20 }, (_, i): Item => ({ ...(items[4] as Item), item_id: `added ${i}` }))
    for (const item of added) await write(item)
    await pool.query('UPDATE shop."Items" SET gone = true, updated = clock_timestamp() WHERE item_id = $1', [
      items[2]?.item_id,
    ])
    await cache.refresh()
    expect(cache.status().failure).toBeUndefined()
    const now = [items[0] as Item, changed, ...items.slice(3), ...added]
    expectItems(cache.current(), now)
    const rows = cache.current()?.data.rows
    await cache.refresh()
    expect(cache.current()?.data.rows, 'nothing is read twice').toBe(rows)
    const fresh = new ItemCache(postgresSource({ ...options(), updated: 'updated', deleted: 'gone' }))
    await fresh.refresh()
    expectItems(fresh.current(), now)
    await Promise.all([cache.close(), fresh.close()])
  })

  it('fetches by id', async () => {
    const cache = new ByIdCache(postgresSource(options()))
    expectItems(await cache.view([...items.map(({ item_id }) => item_id), 'nobody']), items)
    await cache.close()
  })

  it('takes whole-number ids, times and numerics as they are meant', async () => {
    await pool.query(
      'CREATE TABLE shop.numbered (id bigint PRIMARY KEY, at timestamp, day date, zoned timestamptz, cost numeric(20,4), ok boolean, odd money)',
    )
    await pool.query(
      "INSERT INTO shop.numbered VALUES (9007199254740993, '2026-01-02 03:04:05.678', '2026-01-02', '2026-01-02 03:04:05+02', 12.3456, true, 1)",
    )
    const cache = new ItemCache(
      postgresSource({ connection: server.url, table: 'shop.numbered', key: 'id', paging: 'key' }),
    )
    await cache.refresh()
    const view = cache.current()
    const row = view?.entriesOf(['9007199254740993'])[0] ?? -1
    const read = Object.fromEntries((view?.schema.columns ?? []).map(({ name }) => [name, view?.value(name, row)]))
    expect(read).toEqual({
      at: BigInt(Date.UTC(2026, 0, 2, 3, 4, 5, 678)),
      day: BigInt(Date.UTC(2026, 0, 2)),
      zoned: BigInt(Date.UTC(2026, 0, 2, 1, 4, 5)),
      cost: 12.3456,
      ok: 1,
    })
    await cache.close()
  })

  it('says what is wrong: a table, a column or a type that is not there', async () => {
    for (const [change, message] of [
      [{ table: 'shop.nothing' }, 'relation "shop.nothing" does not exist'],
      [{ key: 'nothing' }, 'table shop.Items has no column nothing'],
      [{ columns: ['nothing'] }, 'table shop.Items has no column nothing'],
      [{ types: {} }, 'column weights of shop.Items has type 3802, which needs one of types'],
      [{ table: 'shop.Items"; DROP SCHEMA shop; --' }, 'does not exist'],
    ] as const) {
      const cache = new ItemCache(postgresSource({ ...options(), ...change }))
      expect(await cache.refresh()).toBe(false)
      expect(cache.status().failure?.message).toContain(message)
      await cache.close()
    }
  })

  it('keeps the last good items while PostgreSQL is gone, and recovers', async () => {
    const cache = new ItemCache(postgresSource(options()))
    await cache.refresh()
    await server.kill()
    expect(await cache.refresh()).toBe(false)
    expect(cache.status()).toMatchObject({ state: 'ready', failure: { code: 'source_down' } })
    expectItems(cache.current(), items)
    await server.start()
    expect(await cache.refresh()).toBe(true)
    expectItems(cache.current(), items)
    await cache.close()
  })
})
