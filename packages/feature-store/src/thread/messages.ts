import type { ObjectInfo, StoreErrorCode } from '@eas/storage'
import type { ItemCacheOptions, ItemCacheStatus } from '../item-cache.ts'
import type { ItemData } from '../item-view.ts'
import type { ItemSourceSettings } from '../open-item-source.ts'
import type { SnapshotSourceOptions } from '../sources/snapshot.ts'

/** What can be told to another thread: all but functions. */
export type ThreadCacheOptions = Omit<ItemCacheOptions, 'now' | 'onChange'>

/** What a thread starts with: `workerData`. */
export interface ThreadData {
  /** So that one entry file can serve several kinds of thread. */
  readonly kind: 'items'
  readonly source: ThreadSource
  readonly options: ThreadCacheOptions
}

/** Settings of a source; or a snapshot in a store of the parent's, whose credentials may be its alone. */
export type ThreadSource =
  | { readonly settings: ItemSourceSettings }
  | { readonly storeUrl: string; readonly key: string; readonly options: SnapshotSourceOptions }

export type ToThread =
  | { readonly kind: 'refresh' }
  | { readonly kind: 'close' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: StoreAnswer }

export type FromThread =
  | { readonly kind: 'items'; readonly data: ItemData; readonly status: ItemCacheStatus }
  | { readonly kind: 'status'; readonly status: ItemCacheStatus }
  | { readonly kind: 'refreshed'; readonly isDone: boolean; readonly status: ItemCacheStatus }
  | { readonly kind: 'question'; readonly id: number; readonly question: StoreQuestion }
  /** Nobody waits for that answer any more. */
  | { readonly kind: 'cancel'; readonly id: number }

/** A call of an object store. */
export type StoreQuestion =
  | { readonly call: 'head'; readonly key: string }
  | { readonly call: 'list'; readonly prefix: string }
  | {
      readonly call: 'read'
      readonly key: string
      readonly start: number
      readonly end: number
      readonly version?: string | undefined
    }

export type StoreAnswer =
  | { readonly infos: readonly ObjectInfo[] }
  | { readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly code: StoreErrorCode; readonly message: string }
