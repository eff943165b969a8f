import { isIP } from 'node:net'
import { basename, dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Credentials } from './net/sigv4.ts'
import { makeWire, type Wire } from './net/wire.ts'
import type { ObjectStore } from './object-store.ts'
import type { StoreSettings } from './settings.ts'
import { StoreError, withoutSecrets } from './store-error.ts'
import { fileStore } from './stores/file.ts'
import { gcsStore } from './stores/gcs.ts'
import { applicationToken } from './stores/gcs-credentials.ts'
import { askMetadata, keptToken } from './stores/gcs-token.ts'
import { httpStore } from './stores/http.ts'
import { s3Store } from './stores/s3.ts'

/** A place in a store. `key` is `''` for the store's root and has no slash at its end. */
export interface Location {
  readonly store: ObjectStore
  readonly key: string
}

/**
 * The store that a URL or path is in, and its key there: `oss://`, `s3://`, `gs://`, `https://`, `http://`, `file://`,
 * or a path of this machine. Makes no request.
 *
 * @throws {StoreError} `invalid` for a URL of another kind, or one that the settings lack something for.
 */
export function openStore(url: string, settings: StoreSettings = defaultSettings): Location {
  const moved = mapped(url, settings.buckets ?? {})
  const [, scheme] = /^([a-z][a-z0-9+.-]+):\/\//i.exec(moved) ?? []
  if (scheme === undefined) return fileAt(resolve(settings.baseDir ?? '.', moved), settings)
  const open = Object.hasOwn(schemes, scheme.toLowerCase()) ? schemes[scheme.toLowerCase()] : undefined
  if (!open) {
    throw new StoreError(
      'invalid',
      `Cannot open ${scheme}://…: not one of ${Object.keys(schemes).join(', ')} or a path`,
    )
  }
  return open(moved, settings)
}

const defaultSettings: StoreSettings = {}

/** Where an object is on this machine, if it is; then it can be used where it lies. */
export const localPath = ({ store, key }: Location): string | undefined =>
  'pathOf' in store && typeof store.pathOf === 'function' ? store.pathOf(key) : undefined

const schemes: { readonly [scheme: string]: (url: string, settings: StoreSettings) => Location } = {
  file: (url, settings) => {
    try {
      return fileAt(resolve(fileURLToPath(url)), settings)
    } catch (error) {
      throw StoreError.from(error, `open ${url}`, 'invalid')
    }
  },
  http: webAt,
  https: webAt,
  s3: s3At,
  oss: ossAt,
  gs: gsAt,
}

/** The URL with the bucket table applied. A row fits if it ends where a part of the path ends. */
function mapped(url: string, table: { readonly [url: string]: string }): string {
  const from = Object.keys(table)
    .map((row) => ({ row, bare: row.replace(/\/+$/, '') }))
    .filter(({ bare }) => url === bare || url.startsWith(`${bare}/`))
    .sort((a, b) => b.bare.length - a.bare.length)[0]
  if (!from) return url
  const rest = url.slice(from.bare.length).replace(/^\/+/, '')
  const to = (table[from.row] ?? '').replace(/\/+$/, '')
  return rest === '' ? to : `${to}/${rest}`
}

const stores = new WeakMap<StoreSettings, Map<string, ObjectStore>>()
const wires = new WeakMap<StoreSettings, Wire>()

/** One store per bucket, and one set of connections, for as long as the settings are in use. */
function remembered(settings: StoreSettings, id: string, make: () => ObjectStore): ObjectStore {
  const known = stores.get(settings) ?? new Map<string, ObjectStore>()
  stores.set(settings, known)
  const store = known.get(id) ?? make()
  // A presigned URL is another store each time; they must not pile up.
  if (known.size > 1000) known.clear()
  known.set(id, store)
  return store
}

/** Not for a file: Node takes 5 ms to load its HTTPS. */
function wireOf(settings: StoreSettings): Wire {
  const wire = wires.get(settings) ?? makeWire(settings.wire)
  wires.set(settings, wire)
  return wire
}

function fileAt(path: string, settings: StoreSettings): Location {
  const folder = dirname(path)
  return { store: remembered(settings, `file://${folder}`, () => fileStore(folder)), key: basename(path) }
}

function webAt(text: string, settings: StoreSettings): Location {
  if (!URL.canParse(text)) throw new StoreError('invalid', 'Cannot open a web address: it is not a URL')
  const url = new URL(text)
  const segments = url.pathname.replace(/^\/+|\/+$/g, '').split('/')
  let key: string
  try {
    key = segments.map(decodeURIComponent).join('/')
  } catch (error) {
    throw new StoreError('invalid', `Cannot open ${withoutSecrets(url)}: its path is badly escaped`, { cause: error })
  }
  const base = new URL(url)
  base.pathname = '/'
  base.hash = ''
  return { store: remembered(settings, base.href, () => httpStore(base, wireOf(settings))), key }
}

/** `scheme://bucket/key`, taken apart as text: keys may hold `?`, `#` and `%`, which URLs read differently. */
function bucketAndKey(url: string): { bucket: string; key: string } {
  const [, bucket = '', key = ''] = /^[a-z0-9]+:\/\/([^/]*)\/*(.*)$/is.exec(url) ?? []
  // S3, OSS and GCS names, of which the last may hold `_`; it becomes part of a host's name or path.
  if (!/^[a-z0-9][a-z0-9._-]{0,221}$/i.test(bucket) || bucket.includes('..')) {
    throw new StoreError('invalid', `Cannot open ${url}: ${JSON.stringify(bucket)} is not a bucket's name`)
  }
  return { bucket, key: key.replace(/\/+$/, '') }
}

function endpointOf(text: string, of: string): URL {
  // Alibaba Cloud's pages write endpoints without a scheme: `oss-cn-shanghai.aliyuncs.com`.
  const address = /^[a-z0-9.-]+\.aliyuncs\.com\/?$/i.test(text) ? `https://${text}` : text
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url && /^https?:$/.test(url.protocol)) return url
  throw new StoreError(
    'invalid',
    `Cannot open ${of}: the endpoint ${JSON.stringify(text)} is not a web address, as https://host:9000`,
  )
}

const needsPath = ({ hostname }: URL) => isIP(hostname.replace(/^\[|\]$/g, '')) !== 0 || hostname === 'localhost'

/**
 * Providers that want the bucket in the host's name. Who else speaks S3's API takes it in the path, and many only there: a
 * MinIO or Ceph has no names for its buckets.
 */
const namesBuckets = /(?:^|\.)(?:amazonaws\.com(?:\.cn)?|aliyuncs\.com|myqcloud\.com|volces\.com)$/i

/**
 * China's regions have a domain of their own. The environment may ask for hosts that have IPv6 addresses too, or FIPS 140.
 * @see AWS General Reference, "Amazon S3 endpoints"; AWS SDKs Reference, "Dual-stack and FIPS endpoints"
 */
function awsEndpoint(region: string): URL {
  const { AWS_USE_DUALSTACK_ENDPOINT = '', AWS_USE_FIPS_ENDPOINT = '' } = process.env
  const service = /^true$/i.test(AWS_USE_FIPS_ENDPOINT) ? 's3-fips' : 's3'
  const network = /^true$/i.test(AWS_USE_DUALSTACK_ENDPOINT) ? 'dualstack.' : ''
  return new URL(`https://${service}.${network}${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`)
}

/** As the AWS SDKs and its command line name another server. AWS SDKs Reference, "Service-specific endpoints". */
function endpointOfEnvironment(): string | undefined {
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS } = process.env
  return AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true'
    ? undefined
    : AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL || undefined
}

function s3At(url: string, settings: StoreSettings): Location {
  const { bucket, key } = bucketAndKey(url)
  const { s3 = {} } = settings
  const region = s3.region ?? (process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION || 'us-east-1')
  const given = s3.endpoint ?? endpointOfEnvironment()
  const endpoint = given === undefined ? awsEndpoint(region) : endpointOf(given, url)
  const store = remembered(settings, `s3://${bucket}`, () =>
    s3Store(
      {
        url: `s3://${bucket}`,
        bucket,
        region,
        endpoint,
        endpointIn: given === undefined ? awsEndpoint : undefined,
        // A certificate for *.s3.amazonaws.com does not cover names with dots.
        pathStyle: s3.pathStyle ?? (!namesBuckets.test(endpoint.hostname) || bucket.includes('.')),
        credentials: s3.anonymous ? undefined : (s3.credentials ?? 'default'),
        trailers: s3.trailers ?? given === undefined,
        create: { headers: {}, verify: false },
        etagIsMd5: s3.etagIsMd5 ?? true,
      },
      wireOf(settings),
    ),
  )
  return { store, key }
}

/**
 * OSS over its S3 API: `https://s3.oss-<region>[-internal].aliyuncs.com`, the bucket in the host's name, no checksums in
 * trailers, which it answers 400. A bucket may be written with its endpoint: `oss://b.oss-cn-shanghai.aliyuncs.com/key`.
 * `x-oss-forbid-overwrite` is OSS's own header for create-only writes. Whether its S3 API honours it or `If-None-Match`
 * is not documented, so both are sent and the outcome is looked at.
 * @see https://help.aliyun.com/zh/oss/developer-reference/use-aws-sdks-to-access-oss
 */
function ossAt(url: string, settings: StoreSettings): Location {
  const named = bucketAndKey(url)
  const { oss = {} } = settings
  const [, bucket = named.bucket, host] = /^(.+?)\.((?:s3\.)?oss-[a-z0-9-]+\.aliyuncs\.com)$/.exec(named.bucket) ?? []
  const given = oss.endpoint === undefined ? undefined : endpointOf(oss.endpoint, url)
  const written = regionIn(host)
  const configured = regionIn(given?.hostname)
  // A cloud of one's own has hosts of its own, whose names are like these.
  const own = /(?:^|\.)oss-(?!accelerate)([a-z0-9-]+?)(?:-internal)?\./.exec(given?.hostname ?? '')?.[1]
  const region = written?.region ?? oss.region ?? configured?.region ?? own
  if (region === undefined)
    throw new StoreError(
      'invalid',
      `Cannot open ${url}: the region of OSS is not set; write it as oss://${bucket}.oss-cn-hangzhou.aliyuncs.com/…`,
    )
  const { internal = oss.internal } = written ?? configured ?? {}
  const standard = new URL(
    `${given?.protocol ?? 'https:'}//s3.oss-${region}${internal ? '-internal' : ''}.aliyuncs.com`,
  )
  // An endpoint of OSS's own, of which there is one for the S3 API beside, says no more than the region and the network.
  const endpoint = given === undefined || configured ? standard : given
  const store = remembered(settings, `oss://${named.bucket}`, () =>
    s3Store(
      {
        url: `oss://${bucket}`,
        bucket,
        region,
        endpoint,
        pathStyle: oss.pathStyle ?? needsPath(endpoint),
        credentials: oss.anonymous ? undefined : (oss.credentials ?? alibabaEnvironment),
        trailers: false,
        create: { headers: { 'x-oss-forbid-overwrite': 'true' }, verify: true },
        etagIsMd5: true,
      },
      wireOf(settings),
    ),
  )
  return { store, key: named.key }
}

/** Region and network of an endpoint of OSS. Those of transfer acceleration, `oss-accelerate…`, are of every region. */
function regionIn(host: string | undefined): { readonly region: string; readonly internal: boolean } | undefined {
  const [, region, internal] = /^(?:s3\.)?oss-([a-z0-9-]+?)(-internal)?\.aliyuncs\.com$/i.exec(host ?? '') ?? []
  return region === undefined || region.startsWith('accelerate')
    ? undefined
    : { region, internal: internal !== undefined }
}

function alibabaEnvironment(): Credentials {
  const env = process.env
  const accessKeyId = env.ALIBABA_CLOUD_ACCESS_KEY_ID
  const secretAccessKey = env.ALIBABA_CLOUD_ACCESS_KEY_SECRET
  if (!accessKeyId || !secretAccessKey)
    throw new StoreError(
      'denied',
      'Cannot sign for OSS: ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET are not set',
    )
  return { accessKeyId, secretAccessKey, sessionToken: env.ALIBABA_CLOUD_SECURITY_TOKEN }
}

function gsAt(url: string, settings: StoreSettings): Location {
  const { bucket, key } = bucketAndKey(url)
  const { gcs = {} } = settings
  const endpoint = endpointOf(gcs.endpoint ?? 'https://storage.googleapis.com', url)
  const server = gcs.metadataServer === undefined ? undefined : endpointOf(gcs.metadataServer, url)
  const tokens = () => (server ? keptToken(() => askMetadata(server)) : applicationToken(wireOf(settings)))
  const { hmac } = gcs
  const store = remembered(settings, `gs://${bucket}`, () =>
    hmac
      ? s3Store(
          {
            url: `gs://${bucket}`,
            bucket,
            region: 'auto',
            endpoint,
            pathStyle: true,
            credentials: hmac,
            trailers: false,
            // The XML API documents no create-only write for requests that are signed as S3's.
            create: { headers: {}, verify: true },
            etagIsMd5: true,
          },
          wireOf(settings),
        )
      : gcsStore({ bucket, endpoint, token: gcs.anonymous ? undefined : (gcs.token ?? tokens()) }, wireOf(settings)),
  )
  return { store, key }
}
