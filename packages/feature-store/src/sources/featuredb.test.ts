import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type ColumnName,
  catalogue,
  catalogueTypes,
  expectItems,
  type Item,
} from '../../../../test/support/databases/catalogue.ts'
import {
  emulatorPassword,
  emulatorToken,
  emulatorUser,
  type FeatureDbEmulator,
  startFeatureDb,
} from '../../../../test/support/databases/featuredb-emulator.ts'
import { ByIdCache } from '../by-id-cache.ts'
import { ItemCache } from '../item-cache.ts'
import type { ItemSource } from '../source.ts'
import { featureDbSource } from './featuredb.ts'
import { decodeValue, type FsType, fsTypes } from './featuredb-value.ts'
import { recordBlocks } from './record-block.ts'

/** The field type whose column has the catalogue's type. */
const fsTypeOf = (column: string) =>
  Object.entries(fsTypes).find(([name, type]) => type.column === column && name !== 'BOOLEAN')?.[0] as FsType // all are there

const names = Object.keys(catalogueTypes) as ColumnName[]
const fields = names.map((name) => ({ name, type: fsTypeOf(catalogueTypes[name]) }))
const valuesOf = (item: Item) => names.map((name) => item[name])
const items = catalogue()

describe('featureDbSource(), against our emulator', () => {
  let emulator: FeatureDbEmulator
  let source: ItemSource
  beforeEach(async () => {
    emulator = await startFeatureDb(fields.map(({ type }) => type))
    for (const item of items) emulator.items.set(item.item_id, valuesOf(item))
    const identity = { token: emulatorToken, username: emulatorUser, password: emulatorPassword }
    source = featureDbSource({
      address: emulator.address,
      instanceId: 'i-1',
      project: 'p r',
      view: 'view',
      fields,
      ...identity,
    })
  })
  afterEach(() => emulator.close())

  it('loads a snapshot, then what changed since', async () => {
    const cache = new ItemCache(source)
    await cache.refresh()
    expect(cache.status().failure).toBeUndefined()
    expectItems(cache.current(), items)
    const changed = { ...(items[1] as Item), title: 'changed' }
    emulator.change(changed.item_id, valuesOf(changed))
    emulator.change(items[2]?.item_id ?? '', undefined)
    const added = { ...(items[4] as Item), item_id: 'added' }
    emulator.change('added', valuesOf(added))
    await cache.refresh()
    expectItems(cache.current(), [items[0] as Item, changed, ...items.slice(3), added])
    emulator.failWith(503)
    expect(await cache.refresh()).toBe(false)
    expect(cache.status().failure?.message).toBe('Cannot read view from FeatureDB: it answers 503 {"message":"no"}')
    expectItems(cache.current(), [items[0] as Item, changed, ...items.slice(3), added])
  })

  it('fetches items by id, in blocks', async () => {
    const cache = new ByIdCache(source)
    const view = await cache.view([...items.map(({ item_id }) => item_id), 'nobody'])
    expectItems(view, items)
    expect(cache.status()).toMatchObject({ items: 51, misses: 51, failure: undefined })
  })

  it('says that it is not known by its wrong password, without telling it', async () => {
    const wrong = { token: emulatorToken, username: emulatorUser, password: 'wrong-secret' }
    const other = featureDbSource({
      address: emulator.address,
      instanceId: 'i-1',
      project: 'p r',
      view: 'view',
      fields,
      ...wrong,
    })
    const cache = new ItemCache(other)
    await cache.refresh()
    expect(cache.status().failure?.message).toBe('Cannot read view from FeatureDB: it answers 401 {"message":"no"}')
  })
})

it('decodeValue() and recordBlocks() refuse damaged bytes, or read within them', () => {
  const types = Object.keys(fsTypes) as FsType[]
  const noise = Array.from({ length: 400 }, (_, i) => (i * 2654435761) >>> 24)
  for (let round = 0; round < 3000; round++) {
    const size = round % 90
    const bytes = Uint8Array.from({ length: size }, (_, i) =>
      round % 3 ? (noise[(i * 7 + round) % 400] ?? 0) % 4 : (noise[(i + round) % 400] ?? 0),
    )
    bytes.set([0x46, 0x31].slice(0, size))
    const type = types[round % types.length] as FsType // within
    for (const read of [() => decodeValue(bytes, [type, type]), () => [...recordBlocks(bytes)]]) {
      try {
        read()
      } catch (error) {
        expect(error).toMatchObject({ code: 'bad_data' })
      }
    }
  }
})
