export type { UnpackLimits } from './archive/limits.ts'
export type { Unpacked } from './archive/tree-writer.ts'
export { type ArchiveKind, archiveKind, type UnpackOptions, unpack } from './archive/unpack.ts'
export { removeLeftovers, uniqueName } from './cache/claims.ts'
export {
  type CacheEntry,
  DiskCache,
  type DiskCacheOptions,
  type FetchOptions,
  type Identity,
} from './cache/disk-cache.ts'
export type { CredentialSource, Credentials } from './net/sigv4.ts'
export type { WireSettings } from './net/wire.ts'
export type {
  Body,
  ByteRange,
  CallOptions,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  ReadableObject,
  ReadOptions,
  Sink,
  StreamOptions,
} from './object-store.ts'
export { type Location, localPath, openStore } from './open-store.ts'
export type { GcsOptions, OssOptions, S3Options, StoreSettings } from './settings.ts'
export { StoreError, type StoreErrorCode, storeErrorCodes, withoutSecrets } from './store-error.ts'
export { memoryStore } from './stores/memory.ts'
export { download, downloadBytes, fetchBytes } from './transfer/download.ts'
export { type DownloadedTree, downloadTree, type TreeOptions } from './transfer/download-tree.ts'
export type { Downloaded, DownloadOptions, Progress } from './transfer/options.ts'
export { inParallel } from './transfer/parallel.ts'
export { type RetryRule, retrying } from './transfer/retry.ts'
