import { once } from '@eas/base'
import { checkKey, encodeKey, encodeSegment } from '../key.ts'
import { type CredentialSource, type Credentials, signV4, type ToSign } from '../net/sigv4.ts'
import { refused, xmlError } from '../net/status.ts'
import { discard, makeWire, readSmall, type Wire, type WireResponse } from '../net/wire.ts'
import type { CallOptions, ObjectInfo, ObjectStore, ReadOptions } from '../object-store.ts'
import { StoreError } from '../store-error.ts'
import { type GetOptions, lengthOf, rangedReads } from './ranged.ts'
import { digestsOf, etagOf } from './s3-headers.ts'
import { type ListPage, listPageBytes, parseListPage } from './s3-list.ts'
import type { CreateRule, S3Writes } from './s3-writes.ts'

export interface S3Settings {
  /** For messages and cache keys: `s3://bucket`. */
  readonly url: string
  readonly bucket: string
  readonly region: string
  /** Of the service, without the bucket. */
  readonly endpoint: URL
  /** That of another region, of a service that has one for each: a bucket that is there is asked there. */
  readonly endpointIn?: ((region: string) => URL) | undefined
  /** Whether the bucket stands in the path rather than in the host's name. */
  readonly pathStyle: boolean
  /** `undefined` leaves requests unsigned, for public buckets; `'default'` is the chain of the AWS SDK. */
  readonly credentials: CredentialSource | 'default' | undefined
  /** Whether the store takes checksums in trailers, as S3 does and OSS, GCS and most others do not. */
  readonly trailers: boolean
  readonly create: CreateRule
  /** Whether an ETag of 32 hex digits is the object's MD5. */
  readonly etagIsMd5: boolean
}

/**
 * Objects of one bucket of S3, or of any store that speaks its API.
 *
 * Reads and listings are plain requests signed here: they stand in the path of a cold start, and the SDK takes 80 ms to load and several
 * times the processor time per byte. Everything else is the SDK's, which is imported when it is first needed.
 */
export function s3Store(settings: S3Settings, wire: Wire = makeWire()): ObjectStore {
  const { url, bucket, endpointIn, pathStyle } = settings
  const base = `${settings.endpoint.pathname.replace(/\/$/, '')}${pathStyle ? `/${bucket}` : ''}`
  const doing = (key: string) => `read ${url}/${key}`
  /** Where the bucket is, as far as is known. */
  let { region, endpoint } = settings
  let isFound = endpointIn === undefined

  const sdk = once(async () => (await import('./s3-writes.ts')).s3Writes)
  const chain = once(async () => (await sdk())(settings, wire))
  let writer: { readonly region: string; readonly writes: Promise<S3Writes> } | undefined

  /** What writes, where the bucket is. */
  async function writes(options: CallOptions | undefined, what: string): Promise<S3Writes> {
    // The SDK would be told that the bucket is elsewhere when it has sent all of the object.
    if (!isFound) discard(await ask({ method: 'HEAD', path: `${base}/` }, options ?? {}, what))
    const keys = settings.credentials === 'default' ? { credentials: fromChain } : {}
    if (writer?.region !== region) {
      writer = { region, writes: sdk().then((make) => make({ ...settings, region, endpoint, ...keys }, wire)) }
    }
    return writer.writes
  }

  const fromChain = async () => fromEnvironment() ?? (await chain()).credentials()

  async function credentials(): Promise<Credentials | undefined> {
    return settings.credentials === 'default' ? fromChain() : settings.credentials?.()
  }

  /** One request, and where it says that the bucket is in another region, one there. */
  async function ask(request: Omit<ToSign, 'origin'>, options: GetOptions, what: string): Promise<WireResponse> {
    const here = region
    const response = await askHere(request, options, what)
    const there = bucketRegion(response)
    if (!endpointIn || there === undefined || there === here) {
      isFound ||= response.status < 500
      return response
    }
    discard(response)
    region = there
    endpoint = endpointIn(there)
    isFound = true
    return askHere(request, options, what)
  }

  /** @param request What is signed; its query is escaped here. */
  async function askHere(request: Omit<ToSign, 'origin'>, { signal, isLarge }: GetOptions, what: string) {
    const origin = pathStyle ? endpoint : new URL(`${endpoint.protocol}//${bucket}.${endpoint.host}`)
    const keys = await credentials().catch((error) => {
      throw StoreError.from(error, `get credentials for ${url}`, 'denied')
    })
    const { method, query = {}, headers = {} } = request
    const signed = keys ? signV4({ ...request, origin }, keys, region) : { ...headers }
    const pairs = Object.entries(query).map(([name, value]) => `${encodeSegment(name)}=${encodeSegment(value)}`)
    const path = pairs.length > 0 ? `${request.path}?${pairs.join('&')}` : request.path
    return wire.send({ method, origin, path, headers: signed, signal, isLarge, doing: what })
  }

  async function send(method: 'GET' | 'HEAD', key: string, headers: Record<string, string>, options: GetOptions) {
    checkKey(key, url)
    const conditions = options.version === undefined ? headers : { ...headers, 'if-match': `"${options.version}"` }
    return ask({ method, path: `${base}/${encodeKey(key)}`, headers: conditions }, options, doing(key))
  }

  async function listPage(
    prefix: string,
    token: string | undefined,
    last: string | undefined,
    { after, ...options }: CallOptions & { readonly after?: string },
  ): Promise<ListPage> {
    const what = `list ${url}/${prefix}`
    const from: Record<string, string> =
      token !== undefined ? { 'continuation-token': token } : after !== undefined ? { 'start-after': after } : {}
    const query = { 'list-type': '2', prefix, ...from }
    const response = await ask({ method: 'GET', path: `${base}/`, query }, options, what)
    if (response.status !== 200) {
      throw refused({ ...response, ...xmlError(`${await readSmall(response.body, 64 * 1024, what)}`) }, what)
    }
    const xml = (await readSmall(response.body, listPageBytes, what)).toString('utf8')
    return parseListPage(xml, prefix, last, what)
  }

  async function get(key: string, range: string | undefined, options: GetOptions): Promise<WireResponse> {
    const response = await send('GET', key, range === undefined ? {} : { range }, options)
    if (response.status === 200 || response.status === 206 || response.status === 416) return response
    throw refused({ ...response, ...xmlError(`${await readSmall(response.body, 64 * 1024, doing(key))}`) }, doing(key))
  }

  async function head(key: string, options: ReadOptions = {}): Promise<ObjectInfo | undefined> {
    const response = await send('HEAD', key, { 'x-amz-checksum-mode': 'ENABLED' }, options)
    discard(response)
    if (response.status === 404) return undefined
    if (response.status === 200) {
      const size = lengthOf(response.headers)
      if (size === undefined) throw new StoreError('corrupt', `Cannot ${doing(key)}: the answer has no length`)
      return infoOf(key, response.headers, size)
    }
    // An answer to HEAD has no body to say why; that to a GET has.
    if (response.status === 400 || response.status === 403) (await get(key, 'bytes=0-0', options)).body.destroy()
    throw refused(response, doing(key))
  }

  function infoOf(key: string, headers: WireResponse['headers'], size: number): ObjectInfo {
    const digests = digestsOf(headers, settings.etagIsMd5)
    const version = etagOf(headers.etag)
    if (version === undefined) throw new StoreError('unsupported', `Cannot ${doing(key)}: the store gives no ETag`)
    const modified = headers['last-modified']
    return { key, size, version, ...(modified && { modified: new Date(modified) }), ...(digests && { digests }) }
  }

  return {
    url,
    head,
    ...rangedReads({ doing, get, head, infoOf }),
    async *list(prefix, options = {}) {
      const what = `list ${url}/${prefix}`
      let token: string | undefined
      let last = options.after
      do {
        const page = await listPage(prefix, token, last, options)
        yield* page.objects
        last = page.objects.at(-1)?.key ?? last
        if (page.next !== undefined && page.next === token) {
          throw new StoreError('corrupt', `Cannot ${what}: it goes on where it began`)
        }
        token = page.next
      } while (token !== undefined)
    },
    async put(key, body, options) {
      checkKey(key, url)
      return (await writes(options, `write ${url}/${key}`)).put(key, body, options)
    },
    async create(key, body, options) {
      checkKey(key, url)
      return (await writes(options, `write ${url}/${key}`)).create(key, body, options, head)
    },
    async delete(key, options) {
      checkKey(key, url)
      return (await writes(options, `delete ${url}/${key}`)).delete(key, options)
    },
  }
}

/**
 * The region of a bucket that has been asked for in another: 301 for good, 307 while names are not everywhere yet, 400 where the
 * signature was for the wrong one. S3 API: "Redirection"; HeadBucket, `x-amz-bucket-region`.
 */
function bucketRegion({ status, headers }: WireResponse): string | undefined {
  const region = headers['x-amz-bucket-region']
  const isElsewhere = status === 301 || status === 307 || status === 400
  return isElsewhere && typeof region === 'string' && /^[a-z0-9-]{1,40}$/.test(region) ? region : undefined
}

/** What Lambda sets, and the first link of the SDK's default chain: it needs no SDK. */
function fromEnvironment(): Credentials | undefined {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) return undefined
  return { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY, sessionToken: AWS_SESSION_TOKEN }
}
