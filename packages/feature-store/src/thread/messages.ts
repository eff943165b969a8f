import type { ItemCacheOptions, ItemCacheStatus } from '../item-cache.ts'
import type { ItemData } from '../item-view.ts'
import type { ItemSourceSettings } from '../open-item-source.ts'

/** What can be told to another thread: all but functions. */
export type ThreadCacheOptions = Omit<ItemCacheOptions, 'now' | 'onChange'>

/** What a thread starts with: `workerData`. */
export interface ThreadData {
  readonly settings: ItemSourceSettings
  readonly options: ThreadCacheOptions
}

export type ToThread = { readonly kind: 'refresh' } | { readonly kind: 'close' }

export type FromThread =
  | { readonly kind: 'items'; readonly data: ItemData; readonly status: ItemCacheStatus }
  | { readonly kind: 'status'; readonly status: ItemCacheStatus }
  | { readonly kind: 'refreshed'; readonly isDone: boolean; readonly status: ItemCacheStatus }
