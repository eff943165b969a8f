import { expect, it } from 'vitest'
import { withFeatureStoreKeys } from './feature-store-keys.ts'
import type { ItemSourceSettings } from './open-item-source.ts'

const keys = {
  ...{ fs_project: 'shop', access_key_id: 'LTAI', access_key_secret: 's/e:c', featuredb_username: 'fu' },
  featuredb_passwd: 'fp',
}

it.each<[ItemSourceSettings, ItemSourceSettings]>([
  [
    { type: 'featuredb', address: 'http://db', view: 'items' },
    { type: 'featuredb', address: 'http://db', view: 'items', project: 'shop', username: 'fu', password: 'fp' },
  ],
  [
    { type: 'featuredb', project: 'own', username: 'me' },
    { type: 'featuredb', project: 'own', username: 'me', password: 'fp' },
  ],
  [
    { type: 'tablestore', view: 'items' },
    { type: 'tablestore', table: 'shop_items_online', accessKeyId: 'LTAI', accessKeySecret: 's/e:c' },
  ],
  [
    { type: 'postgres', connection: 'postgres://holo:80/db', view: 'items' },
    { type: 'postgres', connection: 'postgres://LTAI:s%2Fe%3Ac@holo:80/db', table: 'shop_items_online' },
  ],
  [
    { type: 'postgres', connection: 'postgres://me:pw@holo/db', table: 'other' },
    { type: 'postgres', connection: 'postgres://me:pw@holo/db', table: 'other' },
  ],
  [
    { type: 'snapshot', url: '/items' },
    { type: 'snapshot', url: '/items' },
  ],
])('withFeatureStoreKeys() fills up what settings leave open: case %#', (settings, expected) => {
  expect(withFeatureStoreKeys(settings, keys)).toEqual(expected)
})

it('withFeatureStoreKeys() changes nothing where there are no keys', () => {
  const settings = { type: 'featuredb', address: 'http://db' }
  expect(withFeatureStoreKeys(settings, {})).toEqual(settings)
})
