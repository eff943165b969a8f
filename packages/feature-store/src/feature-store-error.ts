import { oneLine } from '@eas/base'

/** What kind of thing went wrong with a source of items, or with the cache of them. */
export type FeatureStoreErrorCode =
  /** The source cannot be reached, or says no. */
  | 'source_down'
  /** Nothing came in time. */
  | 'source_slow'
  /** What came is not what it should be: a value that does not fit its column, a cut file, a missing column. */
  | 'bad_data'
  /** There are fewer items than there must be. */
  | 'too_few_items'
  /** More than may be kept in memory, or than a column can address. */
  | 'too_large'
  /** Settings that cannot be meant. */
  | 'bad_config'
  /** Something that this source or type cannot do. */
  | 'not_supported'

/** A failure of the item feature cache or one of its sources. The message is one line, without credentials. */
export class FeatureStoreError extends Error {
  override readonly name: string = 'FeatureStoreError'
  readonly code: FeatureStoreErrorCode

  constructor(code: FeatureStoreErrorCode, message: string, options?: ErrorOptions) {
    super(oneLine(message, 400), options)
    this.code = code
  }

  /** Any thrown value: a stranger is what a source's library threw, so the source is down. */
  static from(thrown: unknown, doing: string): FeatureStoreError {
    if (thrown instanceof FeatureStoreError) return thrown
    const message = thrown instanceof Error ? thrown.message || thrown.name : String(thrown)
    return new FeatureStoreError('source_down', `Cannot ${doing}: ${message}`, { cause: thrown })
  }
}

export const badData = (facts: string): FeatureStoreError =>
  new FeatureStoreError('bad_data', `Cannot load items: ${facts}`)
