export { ByIdCache, type ByIdCacheOptions, type ByIdCacheStatus } from './by-id-cache.ts'
export {
  type ColumnSpec,
  type ColumnType,
  formatColumnType,
  parseColumnType,
  type Scalar,
  type Schema,
} from './column-type.ts'
export {
  type Column,
  type ListColumn,
  type MapColumn,
  type NumberColumn,
  type TextColumn,
  textAt,
  type Value,
  valueAt,
} from './columns/column.ts'
export { FeatureStoreError, type FeatureStoreErrorCode } from './feature-store-error.ts'
export { type FeatureStoreKeys, withFeatureStoreKeys } from './feature-store-keys.ts'
export { ItemCache, type ItemCacheOptions, type ItemCacheStatus, type Items } from './item-cache.ts'
export { type ItemPlace, openItems, type SnapshotPlace } from './item-place.ts'
export { ItemStore } from './item-store.ts'
export { attachItems, type ItemData, type ItemView } from './item-view.ts'
export {
  type ItemSourceSettings,
  openItemSource,
  renderSourceSettings,
  renderSources,
  type SourceType,
} from './open-item-source.ts'
export { type RequestColumn, requestItems } from './request-items.ts'
export type { ItemBatch, ItemSource, Snapshot, SourceOptions } from './source.ts'
export { type DynamoDbOptions, dynamoDbSource } from './sources/dynamodb.ts'
export { type FeastOptions, feastSource } from './sources/feast.ts'
export { type FeatureDbOptions, featureDbSource } from './sources/featuredb.ts'
export { type FsType, fsTypes } from './sources/featuredb-value.ts'
export { type PostgresOptions, postgresSource } from './sources/postgres.ts'
export { type RedisOptions, redisSource } from './sources/redis.ts'
export { type SnapshotSourceOptions, snapshotSource } from './sources/snapshot.ts'
export { type TablestoreOptions, tablestoreSource } from './sources/tablestore.ts'
export { type StartThread, startItemThread } from './thread/item-thread.ts'
export { serveItems } from './thread/item-worker.ts'
export type { ThreadCacheOptions, ThreadData } from './thread/messages.ts'
