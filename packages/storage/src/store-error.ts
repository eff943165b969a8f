import { oneLine } from '@eas/base'

/** What kinds of thing go wrong with a store, and whether the same call may succeed when it is made again. */
export const storeErrorCodes = {
  /** Nothing is there. */
  'not-found': { retryable: false },
  /** Something else is there than the version asked for. */
  changed: { retryable: false },
  /** The store knows us and says no, or we have nothing to show. */
  denied: { retryable: false },
  /** Credentials that were good once; the next call asks for new ones. */
  expired: { retryable: true },
  /** The store is down, overloaded or out of reach: 5xx, 429, resets, names that do not resolve. */
  unavailable: { retryable: true },
  /** Nothing, or too little, came in time. */
  timeout: { retryable: true },
  /** The caller's signal was aborted. */
  cancelled: { retryable: false },
  /** The bytes are not the ones promised. */
  corrupt: { retryable: false },
  /** No room on this machine's disk, or in the store. */
  full: { retryable: false },
  /** Not to be written to. */
  'read-only': { retryable: false },
  /** A URL, a key or a range that no call could be made of. */
  invalid: { retryable: false },
  /** More bytes, files or levels than the caller allows. */
  'too-large': { retryable: false },
  /** The store cannot do this at all. */
  unsupported: { retryable: false },
} as const

export type StoreErrorCode = keyof typeof storeErrorCodes

/** A failure of a store, a download, an archive or the disk cache: one line, with the place and without secrets. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  /** Whether to try again. Follows from the code unless the thrower knows better. */
  readonly retryable: boolean
  /** What the store asks to wait before the next call, from `Retry-After`. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: StoreErrorCode,
    message: string,
    options: ErrorOptions & { readonly retryable?: boolean; readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(oneLine(message, 500), options)
    this.code = code
    this.retryable = options.retryable ?? storeErrorCodes[code].retryable
    this.retryAfterMs = options.retryAfterMs
  }

  /**
   * Any thrown value as a `StoreError`: those of Node by their `code`, an abort by its reason, a stranger as `fallback`.
   * @param doing The attempt, as in `read s3://bucket/key`.
   */
  static from(thrown: unknown, doing: string, fallback: StoreErrorCode = 'unavailable'): StoreError {
    if (thrown instanceof StoreError) return thrown
    const { code, name, message, hostname, address, port } = (thrown ?? {}) as Record<string, unknown> // any value can be thrown
    if (name === 'TimeoutError')
      return new StoreError('timeout', `Cannot ${doing}: the time is over`, { cause: thrown })
    if (name === 'AbortError') return new StoreError('cancelled', `Cannot ${doing}: cancelled`, { cause: thrown })
    const known = typeof code === 'string' && Object.hasOwn(codesOfNode, code) ? codesOfNode[code] : undefined
    // Which host it was tells a wrong region or endpoint from a server that is down.
    const where = hostname ?? (address === undefined || port === undefined ? undefined : `${address}:${port}`)
    const what = /wrong version number/.test(`${message}`) ? 'the server does not speak TLS; try http://' : undefined
    const why = what ?? (known ? [code, where].filter(Boolean).join(' ') : oneLine(String(message ?? thrown)))
    return new StoreError(known ?? fallback, `Cannot ${doing}: ${why}`, { cause: thrown })
  }
}

/** Node's and OpenSSL's error codes. What is not listed is the caller's guess. */
const codesOfNode: { readonly [code: string]: StoreErrorCode } = {
  ENOENT: 'not-found',
  ENOTDIR: 'not-found',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'read-only',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  EISDIR: 'invalid',
  ENAMETOOLONG: 'invalid',
  ELOOP: 'invalid',
  ERR_INVALID_URL: 'invalid',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'unavailable',
  ECONNREFUSED: 'unavailable',
  ECONNABORTED: 'unavailable',
  EPIPE: 'unavailable',
  EHOSTUNREACH: 'unavailable',
  ENETUNREACH: 'unavailable',
  EAI_AGAIN: 'unavailable',
  ENOTFOUND: 'unavailable',
  EMFILE: 'unavailable',
  ENFILE: 'unavailable',
}

/** The rejection of whoever was told to stop by `signal`. */
export const stopped = (signal: AbortSignal, doing: string): StoreError =>
  signal.reason instanceof StoreError ? signal.reason : StoreError.from(asAbort(signal.reason), doing, 'cancelled')

// A reason can be anything; only a timeout's is told apart from a cancellation.
const asAbort = (reason: unknown): unknown =>
  reason instanceof Error && (reason.name === 'TimeoutError' || reason.name === 'AbortError')
    ? reason
    : new DOMException('cancelled', 'AbortError')

/** Throws if `signal` has been aborted. */
export function checkStopped(signal: AbortSignal | undefined, doing: string): void {
  if (signal?.aborted) throw stopped(signal, doing)
}

/**
 * A web address for people: no user, no password, and no query, where presigned URLs keep their signature. Texts that are none
 * stay as they are.
 */
export function withoutSecrets(url: URL | string): string {
  if (typeof url === 'string') return url.replace(/^(https?:\/\/)(?:[^/?#]*@)?([^?#]*).*$/is, '$1$2')
  return `${url.protocol}//${url.host}${url.pathname}`
}
