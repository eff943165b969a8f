import { get as httpGet, type IncomingMessage } from 'node:http'
import { readSmall } from '../net/wire.ts'
import type { CallOptions } from '../object-store.ts'
import { StoreError } from '../store-error.ts'

export interface TokenOptions extends CallOptions {
  /** One that the store has just refused, for which another is wanted: clocks are set, and tokens called back. */
  readonly refused?: string | undefined
}

export interface FreshToken {
  readonly token: string
  readonly lifeMs: number
}

/** An access token, kept until a minute before it ends. */
export function keptToken(ask: () => Promise<FreshToken>): (options: TokenOptions) => Promise<string> {
  let known: { readonly token: Promise<string>; goodUntil: number } | undefined
  return async ({ refused }) => {
    const before = known
    if (before && Date.now() < before.goodUntil) {
      const token = await before.token
      if (token !== refused) return token
      // Another request may have asked meanwhile.
      if (known && known !== before) return known.token
    }
    // Many requests start at once: they share one question, which no single one's signal may cancel.
    const asking = { token: Promise.resolve(''), goodUntil: Date.now() + 10_000 }
    asking.token = ask().then(({ token, lifeMs }) => {
      asking.goodUntil = Date.now() + Math.max(0, lifeMs - 60_000)
      return token
    })
    asking.token.catch(() => {
      if (known === asking) known = undefined
    })
    known = asking
    return asking.token
  }
}

const doing = 'get a token from the metadata server, without a credentials file'

/**
 * The token of the service account that this instance runs as. The one place that may talk to a metadata server, at an address
 * that only the operator's settings can change.
 * @see https://cloud.google.com/compute/docs/access/authenticate-workloads
 */
export async function askMetadata(server: URL): Promise<FreshToken> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpGet(
      new URL('/computeMetadata/v1/instance/service-accounts/default/token', server),
      { headers: { 'metadata-flavor': 'Google' }, timeout: 5_000 },
      resolve,
    )
    request.on('timeout', () => request.destroy(new StoreError('timeout', `Cannot ${doing}: no byte for 5000 ms`)))
    request.on('error', (error) => reject(StoreError.from(error, doing)))
  })
  const text = `${await readSmall(response, 64 * 1024, doing)}`
  if (response.statusCode !== 200) {
    const retryable = (response.statusCode ?? 0) >= 500
    throw new StoreError('denied', `Cannot ${doing}: ${response.statusCode}`, { retryable })
  }
  return parseToken(text, doing)
}

/** An answer of OAuth 2.0. RFC 6749, 5.1. */
export function parseToken(text: string, doing: string): FreshToken {
  try {
    const { access_token, expires_in } = JSON.parse(text)
    if (typeof access_token === 'string' && typeof expires_in === 'number') {
      return { token: access_token, lifeMs: expires_in * 1000 }
    }
  } catch {
    // Said below.
  }
  throw new StoreError('denied', `Cannot ${doing}: the answer holds no token`)
}
