import { checkKey, encodeKey } from '../key.ts'
import { isInside } from '../net/address-guard.ts'
import { refused } from '../net/status.ts'
import { discard, makeWire, type Wire, type WireResponse } from '../net/wire.ts'
import type { ObjectInfo, ObjectStore, ReadOptions } from '../object-store.ts'
import { StoreError, withoutSecrets } from '../store-error.ts'
import { contentRange, type GetOptions, lengthOf, rangedReads } from './ranged.ts'

/** A presigned link to S3 behind a registry is two hops. */
const maxRedirects = 5

/**
 * Files of a web server, to read. A URL's query, such as the signature of a presigned URL, is sent with every request and
 * never shown.
 *
 * Versions are strong ETags, or else the date and length; a server that gives neither has one version per length, which is
 * as much as can be known. Redirects are followed, but not from https to http, nor from outside into a private network.
 *
 * @param base The URL that keys are below.
 */
export function httpStore(base: URL, wire: Wire = makeWire()): ObjectStore {
  const url = withoutSecrets(base).replace(/\/$/, '')
  const doing = (key: string) => `read ${url}/${key}`
  const folder = base.pathname.replace(/\/$/, '')
  const login =
    base.username === '' ? undefined : `${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`
  const authorization = login && `Basic ${Buffer.from(login).toString('base64')}`

  async function send(key: string, headers: Record<string, string>, options: GetOptions): Promise<WireResponse> {
    checkKey(key, url)
    let origin = new URL(base.origin)
    let path = `${folder}/${encodeKey(key)}${base.search}`
    for (let hops = 0; hops <= maxRedirects; hops++) {
      // A login is for the host it was given for.
      const mine = origin.origin === base.origin && authorization ? { ...headers, authorization } : headers
      const { signal, isLarge } = options
      const request = { method: 'GET', origin, path, headers: mine, signal, isLarge, doing: doing(key) }
      const response = await wire.send(request)
      const { location } = response.headers
      if (![301, 302, 303, 307, 308].includes(response.status) || location === undefined) return response
      const next = followed(new URL(path, origin), location, response.address, doing(key))
      discard(response)
      if (!isInside(response.address ?? '::1')) await refuseInside(next, wire, doing(key))
      origin = new URL(next.origin)
      path = `${next.pathname}${next.search}`
    }
    throw new StoreError('invalid', `Cannot ${doing(key)}: more than ${maxRedirects} redirects`)
  }

  async function get(key: string, range: string | undefined, options: GetOptions): Promise<WireResponse> {
    const response = await send(
      key,
      { 'accept-encoding': 'identity', ...condition(options.version), ...(range && { range }) },
      options,
    )
    if (response.status === 200 || response.status === 206 || response.status === 416) return response
    discard(response)
    throw refused(response, doing(key))
  }

  /** A GET of one byte: a URL presigned for GET refuses HEAD, and the answer shows whether ranges are understood. */
  async function head(key: string, options: ReadOptions = {}): Promise<ObjectInfo | undefined> {
    try {
      const response = await get(key, 'bytes=0-0', options)
      if (response.status === 200) response.body.destroy()
      else discard(response)
      const total = /^bytes \*\/(\d{1,15})$/.exec(response.headers['content-range'] ?? '')?.[1]
      const size =
        response.status === 206
          ? contentRange(response.headers['content-range'])?.size
          : response.status === 416
            ? Number(total ?? 0)
            : lengthOf(response.headers)
      if (size === undefined) throw new StoreError('unsupported', `Cannot ${doing(key)}: the answer has no length`)
      return { ...infoOf(key, response.headers, size), ...(response.status === 200 && { ranges: false }) }
    } catch (error) {
      if (error instanceof StoreError && error.code === 'not-found') return undefined
      throw error
    }
  }

  const readOnly = async (): Promise<never> => {
    throw new StoreError('read-only', `Cannot write to ${url}: web servers are read only`)
  }

  return {
    url,
    head,
    ...rangedReads({ doing, get, head, infoOf }),
    // biome-ignore lint/correctness/useYield: it throws before there is anything to yield
    async *list() {
      throw new StoreError('unsupported', `Cannot list ${url}: web servers have no listing`)
    },
    put: readOnly,
    create: readOnly,
    delete: readOnly,
  }
}

/** An ETag as it came, or `Last-Modified` and the length. */
function infoOf(key: string, headers: WireResponse['headers'], size: number): ObjectInfo {
  const { etag, 'last-modified': date } = headers
  const version = etag?.startsWith('"') ? etag.slice(1, -1) : `${date ?? 'undated'}, ${size} bytes`
  return { key, size, version, ...(date !== undefined && { modified: new Date(date) }) }
}

/** The condition that a version stands for. Whether the server honoured it is seen from the answer's own headers. */
function condition(version: string | undefined): Record<string, string> {
  if (version === undefined) return {}
  const [, date] = /^(.*), \d+ bytes$/.exec(version) ?? []
  if (date === undefined) return { 'if-match': `"${version}"` }
  return date === 'undated' ? {} : { 'if-unmodified-since': date }
}

function followed(from: URL, location: string, address: string | undefined, doing: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined
  if (!to || !/^https?:$/.test(to.protocol))
    throw new StoreError('invalid', `Cannot ${doing}: a redirect that is no web address`)
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw new StoreError('denied', `Cannot ${doing}: a redirect from https to ${withoutSecrets(to)}`)
  }
  if (address === undefined) throw new StoreError('unavailable', `Cannot ${doing}: the connection was closed`)
  return to
}

/** A public host's redirect must lead to a public host. */
async function refuseInside(to: URL, wire: Wire, doing: string): Promise<void> {
  const addresses = await wire.resolve(to.hostname, doing)
  if (addresses.some(isInside)) {
    throw new StoreError('denied', `Cannot ${doing}: a redirect into a private network, to ${to.host}`)
  }
}
