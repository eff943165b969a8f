import type { ObjectStore } from '@eas/storage'
import { type ItemSourceSettings, openItemSource } from './open-item-source.ts'
import type { ItemSource } from './source.ts'
import { type SnapshotSourceOptions, snapshotSource } from './sources/snapshot.ts'

/** Where items come from: what the settings of a source say, or a snapshot in a store that is open already. */
export type ItemPlace = ItemSourceSettings | SnapshotPlace

export interface SnapshotPlace {
  readonly store: ObjectStore
  readonly key: string
  readonly options?: SnapshotSourceOptions
}

export const isInStore = (place: ItemPlace): place is SnapshotPlace => typeof place.store === 'object'

/** Nothing is connected to yet. @throws {FeatureStoreError} `bad_config` with everything that is wrong. */
export const openItems = (place: ItemPlace): ItemSource =>
  isInStore(place) ? snapshotSource(place, place.options) : openItemSource(place)
