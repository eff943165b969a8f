/**
 * The one face of every object store: a file system, memory, HTTP, S3, OSS, GCS.
 *
 * Keys are relative to the store, use `/`, and never start with it; `''` is the store's own root, meaningful to `list`.
 * Every operation takes a signal and rejects with a `StoreError`, whose `code` says what kind of thing went wrong;
 * drivers do not retry (the download and the batch engine do, by the error's `retryable`).
 */
export interface ObjectStore {
  /** For messages and cache keys, without credentials: `s3://bucket`, `file:///models`, `https://host/path`. */
  readonly url: string

  /** What is at `key` now; `undefined` when there is nothing. */
  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined>

  /** Bytes `start` (inclusive) to `end` (exclusive, at most the object's size) of one version, in one buffer. */
  read(key: string, range: ByteRange, options?: ReadOptions): Promise<Uint8Array>

  /** The object's bytes from `start` (0) up to `end` (its size), as they arrive. */
  stream(key: string, options?: StreamOptions): Promise<ReadableObject>

  /** The same into memory of the caller's, where a store can do that for less than `stream` takes. */
  pour?(key: string, sink: Sink, options?: StreamOptions): Promise<ObjectInfo>

  /**
   * Objects whose keys start with `prefix`, in ascending order of their UTF-8 bytes, page by page as they are consumed.
   * `after` starts behind that key.
   */
  list(prefix: string, options?: CallOptions & { readonly after?: string }): AsyncIterable<ObjectInfo>

  /** Writes the whole object, or nothing: no reader ever sees a part of it. */
  put(key: string, body: Body, options?: PutOptions): Promise<ObjectInfo>

  /** Writes the object if nothing is at `key`; says whether this call wrote it. Of many at once, exactly one is told so. */
  create(key: string, body: Body, options?: PutOptions): Promise<boolean>

  /** Removes what is at `key`, if anything. */
  delete(key: string, options?: CallOptions): Promise<void>
}

export interface ObjectInfo {
  readonly key: string
  /** Bytes. */
  readonly size: number
  /** Names these exact bytes (an ETag, a generation, a digest): equal versions of one key have equal bytes. */
  readonly version: string
  readonly modified?: Date
  /** Digests the store vouches for, lower-case hex, to be verified against what arrived. */
  readonly digests?: { readonly [algorithm in 'md5' | 'crc32c' | 'crc32' | 'sha256']?: string }
  /** `false` where a part cannot be had without everything before it. */
  readonly ranges?: false
}

export interface ByteRange {
  readonly start: number
  readonly end: number
}

export interface CallOptions {
  readonly signal?: AbortSignal
}

export interface ReadOptions extends CallOptions {
  /** Only this version: anything else at the key by now is the error `changed`. */
  readonly version?: string
}

export interface StreamOptions extends ReadOptions {
  readonly start?: number
  /** Exclusive. */
  readonly end?: number
}

export interface PutOptions extends CallOptions {
  readonly contentType?: string
}

/** What a store can be given to write: bytes, or as many bytes as `size` says. */
export type Body = Uint8Array | { readonly size: number; readonly stream: AsyncIterable<Uint8Array> }

/** Memory that bytes are put into as they come. */
export interface Sink {
  /** Where the next bytes go. Empty when nothing more fits. */
  room(): Uint8Array
  /** So many have been put at its start. No more come before a promise is kept. */
  took(bytes: number): Promise<void> | undefined
}

export interface ReadableObject {
  readonly info: ObjectInfo
  readonly body: AsyncIterable<Uint8Array>
}
