import type { ObjectInfo } from '../object-store.ts'
import { StoreError } from '../store-error.ts'
import type { RetryRule } from './retry.ts'

export interface DownloadOptions {
  readonly signal?: AbortSignal
  /** For everything, retries included. Default: none but the caller's signal. */
  readonly deadlineMs?: number
  /** Requests at a time. Default 16; fewer for small objects. */
  readonly connections?: number
  /** Bytes of one request. Default: what gives every connection equal work, 1 to 32 MiB. */
  readonly partBytes?: number
  /** Refused with `too-large` before anything is read. Default 64 GiB. */
  readonly maxBytes?: number
  /** How often a part, or the first look, may fail. Progress of `progressBytes` forgives a failure. */
  readonly retry?: Partial<RetryRule>
  /** A connection that brings less than this in `throughputWindowMs` is given up and tried again. Default 8 KiB/s in 10 s. */
  readonly minBytesPerSecond?: number
  readonly throughputWindowMs?: number
  /** Times to start again when the object is replaced meanwhile, or does not match its digest. Default 2. */
  readonly restarts?: number
  /** What `head` said, if it has just been called. */
  readonly info?: ObjectInfo
  /** Only this version: another is `changed`, and not fetched instead. */
  readonly version?: string | undefined
  /**
   * What their CRC-32 has to be, lower-case hex, where somebody knows who can be believed. The store's digests do not count
   * then; an MD5 would be had by reading everything once more.
   */
  readonly crc32?: string
  /** Called when bytes have arrived, a few times a second, and once at the end. */
  readonly onProgress?: (progress: Progress) => void
}

export interface Progress {
  readonly bytes: number
  readonly totalBytes: number
  readonly elapsedMs: number
  readonly retries: number
}

export interface Downloaded {
  /** Of the version that was read. */
  readonly info: ObjectInfo
  /** CRC-32 of the bytes as they were written, lower-case hex. */
  readonly crc32: string
  /** The digest that the bytes were checked against, the store's or the caller's; `undefined` if there is none. */
  readonly verified: 'crc32' | 'crc32c' | 'md5' | 'sha256' | undefined
  readonly elapsedMs: number
  readonly parts: number
  readonly retries: number
}

const defaults = {
  connections: 16,
  maxBytes: 64 * 2 ** 30,
  minBytesPerSecond: 8 * 1024,
  throughputWindowMs: 10_000,
  restarts: 2,
}
const defaultRetry: RetryRule = { attempts: 6, delayMs: 100, maxDelayMs: 5_000 }

/** A failure is forgiven for as much progress, so that a large part survives a link that breaks now and then. */
export const progressBytes = 2 ** 20

export type Rules = typeof defaults & { readonly retry: RetryRule; readonly partBytes: number | undefined }

/** @throws {StoreError} `invalid` for numbers that make no sense. */
export function rulesOf(options: DownloadOptions): Rules {
  const rules = {
    connections: options.connections ?? defaults.connections,
    maxBytes: options.maxBytes ?? defaults.maxBytes,
    minBytesPerSecond: options.minBytesPerSecond ?? defaults.minBytesPerSecond,
    throughputWindowMs: options.throughputWindowMs ?? defaults.throughputWindowMs,
    restarts: options.restarts ?? defaults.restarts,
    partBytes: options.partBytes,
    retry: { ...defaultRetry, ...options.retry },
  }
  if (!(rules.connections >= 1) || !(rules.retry.attempts >= 1) || !((rules.partBytes ?? 1) >= 1)) {
    throw new StoreError('invalid', 'Cannot download: connections, attempts and partBytes start at 1')
  }
  return rules
}

const MiB = 2 ** 20

/**
 * How many bytes to ask for at a time: equal shares for all connections, in as many rounds as keep a share below 32 MiB.
 * Below 1 MiB a request's own latency outweighs what a second connection would bring.
 */
export function partSize(size: number, { connections, partBytes }: Pick<Rules, 'connections' | 'partBytes'>): number {
  if (partBytes !== undefined) return partBytes
  const rounds = Math.ceil(size / (connections * 32 * MiB))
  const share = Math.ceil(size / (connections * Math.max(rounds, 1)))
  // Whole pages, so that no two parts write to the same one.
  return Math.max(MiB, Math.ceil(share / 4096) * 4096)
}
