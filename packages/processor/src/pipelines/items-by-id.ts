import { EasError } from '@eas/base'
import {
  ByIdCache,
  type ByIdCacheOptions,
  FeatureStoreError,
  type ItemSourceSettings,
  type ItemView,
  openItemSource,
  withFeatureStoreKeys,
} from '@eas/feature-store'

/** A catalogue that does not fit into memory. Plain data. */
export interface ItemsById {
  readonly source: ItemSourceSettings
  /** `model_config`, whose FeatureStore keys say what the settings leave open. */
  readonly keys: Readonly<Record<string, unknown>>
  readonly options: Pick<ByIdCacheOptions, 'maxItems' | 'freshMs' | 'timeoutMs'>
}

/**
 * Items by id, for the requests of one worker.
 * @throws {EasError} `not_ready` for settings that make no source of this kind.
 */
export function openItemsById({ source, keys, options }: ItemsById): (ids: readonly string[]) => Promise<ItemView> {
  const cache = orNotReady(() => new ByIdCache(openItemSource(withFeatureStoreKeys(source, keys)), options))
  return async (ids) => {
    try {
      return await cache.view(ids)
    } catch (thrown) {
      throw notReady(thrown)
    }
  }
}

function orNotReady<T>(open: () => T): T {
  try {
    return open()
  } catch (thrown) {
    throw notReady(thrown)
  }
}

const notReady = (thrown: unknown): unknown =>
  thrown instanceof FeatureStoreError ? new EasError('not_ready', thrown.message, { cause: thrown }) : thrown
