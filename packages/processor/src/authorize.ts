import { createHmac, timingSafeEqual } from 'node:crypto'
import { EasError } from '@eas/base'
import type { EasRequestHead } from '@eas/protocol'
import { splitTarget } from './route.ts'

export interface AuthorizeOptions {
  /** Further paths that a client may have signed because it sees the service there: `EAS_BASE_PATHS`. */
  readonly basePaths: readonly string[]
  /** Seconds that Date may be off; 0 to ignore it. */
  readonly dateSkewSecondsMax: number
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/**
 * Lets a request pass that carries the token itself, or `EAS` and the HMAC-SHA1 of what it asks for. Both comparisons take
 * the same time wherever they differ.
 *
 * @throws {EasError} `unauthorized`, without saying which part was wrong.
 * @see eas-wire 2.3, "Verifier algorithm"
 */
export function authorize(head: EasRequestHead, token: string, options: AuthorizeOptions): void {
  const given = head.headers.authorization
  if (given === undefined || given === '') throw new EasError('unauthorized', 'Authorization is missing')
  // Node reads the bytes of a header as Latin-1; most clients write a token as UTF-8.
  if (equal(given, token) || equal(given, Buffer.from(token).toString('latin1'))) return
  if (given.startsWith('EAS ') && isSigned(head, given.slice(4), token, options)) return
  throw new EasError('unauthorized', 'Authorization is not valid for this service')
}

/** Of the five lines that a client signs. @see eas-wire 2.3, "Signature" */
export const signature = (token: string, lines: string) => createHmac('sha1', token).update(lines).digest('base64')

function isSigned(head: EasRequestHead, given: string, token: string, options: AuthorizeOptions): boolean {
  const { headers } = head
  const date = headers.date ?? ''
  if (options.dateSkewSecondsMax > 0) {
    // Python and Go stamp local time as GMT, and there is no nonce: this narrows a replay, it cannot prevent one.
    const skewMs = Math.abs(options.now() - Date.parse(date))
    if (!(skewMs <= options.dateSkewSecondsMax * 1000)) return false
  }
  for (const contentType of contentTypes(headers['content-type'])) {
    // Always POST, whatever the method is: no SDK signs another.
    const start = `POST\n${headers['content-md5'] ?? ''}\n${contentType}\n${date}\n`
    for (const resource of resources(head.target, options.basePaths)) {
      if (equal(given, signature(token, start + resource))) return true
    }
  }
  return false
}

/** Go always signs octet-stream, whatever it sends. */
function* contentTypes(received: string | undefined) {
  yield received ?? ''
  if (received !== undefined && received !== 'application/octet-stream') yield 'application/octet-stream'
}

/** What the resource may have been when the client signed it, the likeliest first. */
function* resources(target: string, basePaths: readonly string[]) {
  const { path, query } = splitTarget(target)
  const seen = new Set<string>()
  for (const candidate of candidates(path, query, basePaths)) {
    if (seen.has(candidate)) continue
    seen.add(candidate)
    yield candidate
  }
}

function* candidates(path: string, query: string, basePaths: readonly string[]) {
  const predictAt = path.indexOf('/api/predict/')
  // An endpoint's path prefix is in the URL but not in the signature.
  const paths = predictAt > 0 ? [path, path.slice(predictAt)] : [path]
  for (const signed of paths) {
    if (query) yield `${signed}?${query}`
    yield signed
    // A query may be there and empty: Go sends and signs its request path as it is given.
    if (!query) yield `${signed}?`
    // Go's first call with `svc/` signs a slash that it then does not send.
    yield query ? `${signed}/?${query}` : `${signed}/`
  }
  // A platform may hand over the query or the path in another spelling than the client signed.
  yield* respelled(path, query)
  for (const base of basePaths) {
    yield base
    if (query) yield `${base}?${query}`
  }
}

function* respelled(path: string, query: string) {
  const paths = new Set([path, attempt(() => decodeURIComponent(path)), encodeURI(attempt(() => decodeURI(path)))])
  const queries = new Set([
    query,
    attempt(() => decodeURIComponent(query)),
    query.replaceAll('+', '%20'),
    query.replaceAll('%20', '+'),
  ])
  if (paths.size === 1 && queries.size === 1) return
  for (const spelledPath of paths) {
    for (const spelledQuery of queries) yield spelledQuery ? `${spelledPath}?${spelledQuery}` : spelledPath
    yield spelledPath
  }

  function attempt(decode: () => string) {
    try {
      return decode()
    } catch {
      return path
    }
  }
}

/** Whether two texts are equal, in a time that depends on their lengths only. */
function equal(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
