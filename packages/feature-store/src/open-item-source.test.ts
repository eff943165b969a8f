import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { memoryStore } from '@eas/storage'
import { describe, expect, it } from 'vitest'
import { ItemCache } from './item-cache.ts'
import {
  type ItemSourceSettings,
  openItemSource,
  renderSourceSettings,
  renderSources,
  sourceKinds,
} from './open-item-source.ts'
import { requestItems } from './request-items.ts'
import { snapshotSource } from './sources/snapshot.ts'

/** The least that each type needs. */
const least: { readonly [type in keyof typeof sourceKinds]: object } = {
  snapshot: { url: '/data/items' },
  postgres: { connection: 'postgres://user:secret@host/db', table: 'shop.items', key: 'item_id' },
  redis: { url: 'redis://:secret@host', pattern: 'item:*', types: { price: 'double' } },
  dynamodb: { table: 'items', key: 'item_id', region: 'local' },
  tablestore: {
    ...{ endpoint: 'https://i.cn-hangzhou.ots.aliyuncs.com', instance: 'i', table: 'items_online', key: 'item_id' },
    ...{ accessKeyId: 'id', accessKeySecret: 'secret' },
  },
  featuredb: {
    ...{ address: 'http://host', instanceId: 'i', project: 'p', view: 'items', token: 'secret' },
    ...{ username: 'u', password: 'secret', fields: [{ name: 'price', type: 'DOUBLE' }] },
  },
  feast: { url: 'http://host:6566', features: ['items:price'], types: { price: 'double' } },
}
const names: { readonly [type in keyof typeof sourceKinds]: string } = {
  snapshot: 'snapshot file:///data/items/',
  postgres: 'postgres shop.items',
  redis: 'redis item:*',
  dynamodb: 'dynamodb items',
  tablestore: 'tablestore items_online',
  featuredb: 'featuredb p/items',
  feast: 'feast items',
}

describe('openItemSource()', () => {
  it.each(Object.keys(least) as (keyof typeof least)[])('opens a source of type %s, which tells no secret', (type) => {
    const source = openItemSource({ type, ...least[type], keyType: undefined })
    expect(source.name).toBe(names[type])
    expect(source.fetch !== undefined).toBe(sourceKinds[type].byId)
  })

  it.each<[ItemSourceSettings, string]>([
    [{ type: 'oracle' }, 'type oracle: there are snapshot, postgres, redis, dynamodb, tablestore, featuredb, feast'],
    [{ type: 'toString' }, 'type toString: there are'],
    [{ type: 'snapshot' }, 'type snapshot: url is missing'],
    [
      { type: 'snapshot', url: '', colour: 1 },
      'type snapshot: url is not text; colour is none of its options, which are url, key, types',
    ],
    [{ type: 'redis', uri: 'x' }, 'type redis: url, pattern are missing; uri is none of its options, which are url, '],
    [{ type: 'snapshot', url: '/a', types: { a: 'long' } }, 'types is not column types by name'],
    [{ type: 'postgres', ...least.postgres, pageRows: 0 }, 'pageRows is not a whole number from 1 on'],
    [{ type: 'postgres', ...least.postgres, paging: 'x' }, 'paging is not cursor or key'],
    [{ type: 'postgres', ...least.postgres, columns: 'a' }, 'columns is not a list of texts'],
    [{ type: 'redis', ...least.redis, pattern: 'item' }, 'it has not one * for the id'],
    [{ type: 'redis', ...least.redis, keyType: 'int32' }, 'keyType is not string or int64'],
    [{ type: 'dynamodb', ...least.dynamodb, versionId: 'v' }, 'Cannot use versionId without versionAttribute'],
    [{ type: 'featuredb', ...least.featuredb, fields: [{ name: 'a', type: 'TEXT' }] }, 'fields is not a list of'],
    [{ type: 'feast', ...least.feast, service: 'ranking' }, 'it needs either features or a service'],
  ])('says everything that is wrong: case %#', (settings, message) => {
    expect(() => openItemSource(settings)).toThrow(message)
    expect(() => openItemSource(settings)).toThrow(expect.objectContaining({ code: 'bad_config' }))
    expect(() => openItemSource(settings)).not.toThrow('secret')
  })
})

it('the example of the README does what it says', async () => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
  const [, code = ''] = /```ts\n(.*?)```/s.exec(readme) ?? []
  const store = memoryStore()
  await store.put('items.ndjson', new TextEncoder().encode('{"item_id":"item_7","price":7.7}\n'))
  const example = { openItemSource: () => snapshotSource({ store, key: '' }), ItemCache, requestItems }
  const run = new Function(
    ...Object.keys(example),
    `return (async () => {${code}\nreturn { rows, price: view?.value('price', rows?.[0] ?? -1), table } })()`,
  )
  const { rows, price, table } = await run(...Object.values(example))
  expect([[...rows], price]).toEqual([[0, -1], 7.7])
  expect(table.column('price')).toMatchObject({ form: 'numbers' })
  for (const render of [renderSources, renderSourceSettings]) expect(readme).toContain(render())
})
