import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { crc32 } from 'node:zlib'
import { SignatureV4 } from '@smithy/signature-v4'

/**
 * An S3 server for tests that needs nothing installed. It tells the truth where tests depend on it: signatures are computed
 * again with the SDK's signer over the headers that were signed, payload hashes and checksums are compared with the bytes,
 * conditions and ranges are honoured, and errors are S3's XML. `npm run test:stores` runs the same suite against Ceph.
 */
export interface S3ServerOptions {
  /** Keys that are let in. A session token, where one is given, must come along. */
  readonly keys?: readonly { accessKeyId: string; secretAccessKey: string; sessionToken?: string }[]
  /** Whether aws-chunked bodies with a checksum in the trailer are taken, as S3 does. */
  readonly trailers?: boolean
  /** Whether `If-None-Match` on PUT is ignored, as by stores that do not know it. */
  readonly ignoreConditions?: boolean
  /** Pages of listings. */
  readonly pageSize?: number
}

export interface StoredObject {
  readonly bytes: Buffer
  readonly etag: string
  readonly modified: Date
  readonly headers: { readonly [name: string]: string }
}

export const testKeys = { accessKeyId: 'AKIATEST', secretAccessKey: 'secretsecret' }

export interface S3Server {
  readonly endpoint: string
  readonly port: number
  /** `bucket/key` → object, to be looked at and changed by tests. */
  readonly objects: Map<string, StoredObject>
  put(path: string, bytes: Uint8Array): void
  /** `METHOD /path`, in order of arrival. */
  readonly requests: string[]
  /** As they were received, by request. */
  readonly headers: IncomingMessage['headers'][]
  close(): Promise<void>
}

export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const objects = new Map<string, StoredObject>()
  const requests: string[] = []
  const headers: IncomingMessage['headers'][] = []
  const server = createServer(async (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    headers.push(request.headers)
    try {
      const body = await readAll(request)
      await checkSignature(request, body, options.keys ?? [testKeys])
      handle(request, response, decodeBody(request, body, options), objects, options)
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(500, 'InternalError', `${error}`)
      response.writeHead(refusal.status, { 'content-type': 'application/xml' })
      response.end(
        `<?xml version="1.0"?><Error><Code>${refusal.code}</Code><Message>${refusal.message}</Message></Error>`,
      )
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // listening on TCP
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    objects,
    requests,
    headers,
    put(path, bytes) {
      objects.set(path, stored(Buffer.from(bytes), {}))
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

class Refusal extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message = code) {
    super(message)
    this.status = status
    this.code = code
  }
}

const stored = (bytes: Buffer, headers: StoredObject['headers']): StoredObject => ({
  bytes,
  headers,
  etag: createHash('md5').update(bytes).digest('hex'),
  modified: new Date(),
})

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

class Sha256 {
  private hash
  constructor(secret?: string | Uint8Array) {
    this.hash = createHash('sha256')
    if (secret === undefined) return
    // HMAC, RFC 2104, by hand: so the server does not share code with what it checks.
    const key = Buffer.alloc(64)
    const raw = Buffer.from(secret as Uint8Array)
    ;(raw.length > 64 ? createHash('sha256').update(raw).digest() : raw).copy(key)
    this.hash.update(key.map((byte) => byte ^ 0x36))
    const outer = key.map((byte) => byte ^ 0x5c)
    const digest = this.hash.digest.bind(this.hash)
    this.finish = () => createHash('sha256').update(outer).update(digest()).digest()
  }
  private finish = (): Uint8Array => this.hash.digest()
  update(data: string | Uint8Array): void {
    this.hash.update(data)
  }
  async digest(): Promise<Uint8Array> {
    return this.finish()
  }
  reset(): void {}
}

async function checkSignature(request: IncomingMessage, body: Buffer, keys: NonNullable<S3ServerOptions['keys']>) {
  const { authorization = '' } = request.headers
  const parsed =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    )
  if (!parsed) throw new Refusal(403, 'AccessDenied')
  const [, id, , region = '', signedHeaders = '', signature] = parsed
  const key = keys.find(({ accessKeyId }) => accessKeyId === id)
  if (!key) throw new Refusal(403, 'InvalidAccessKeyId')
  if (key.sessionToken !== undefined && request.headers['x-amz-security-token'] !== key.sessionToken) {
    throw new Refusal(400, 'ExpiredToken', 'The provided token has expired.')
  }
  const date = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(`${request.headers['x-amz-date']}`)
  if (!date) throw new Refusal(403, 'AccessDenied')
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = date.slice(1).map(Number)
  const signingDate = new Date(Date.UTC(year, month - 1, day, hour, minute, second))
  if (Math.abs(signingDate.getTime() - Date.now()) > 15 * 60_000) throw new Refusal(403, 'RequestTimeTooSkewed')
  const names = signedHeaders.split(';')
  // Everything that changes what a request means must be signed.
  for (const name of Object.keys(request.headers)) {
    if ((name.startsWith('x-amz-') || name === 'host') && !names.includes(name))
      throw new Refusal(403, 'AccessDenied', name)
  }
  const url = new URL(`http://h${(request.url ?? '').replace(/^[^?]*/, '')}`)
  const signer = new SignatureV4({
    credentials: { accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey },
    region,
    service: 's3',
    sha256: Sha256 as never, // the signer asks for a constructor of its own library's type
    uriEscapePath: false,
    applyChecksum: false,
  })
  const again = await signer.sign(
    {
      method: request.method ?? '',
      protocol: 'http:',
      hostname: 'h',
      path: (request.url ?? '').split('?')[0] ?? '',
      query: Object.fromEntries(url.searchParams),
      headers: Object.fromEntries(names.map((name) => [name, `${request.headers[name]}`])),
    },
    { signingDate, signableHeaders: new Set(names) },
  )
  if (!again.headers.authorization?.endsWith(`Signature=${signature}`)) throw new Refusal(403, 'SignatureDoesNotMatch')
  const hash = `${request.headers['x-amz-content-sha256']}`
  if (/^[0-9a-f]{64}$/.test(hash) && createHash('sha256').update(body).digest('hex') !== hash) {
    throw new Refusal(400, 'XAmzContentSHA256Mismatch')
  }
}

/** Takes aws-chunked bodies apart and compares the checksum behind or before them. */
function decodeBody(request: IncomingMessage, body: Buffer, { trailers }: S3ServerOptions): Buffer {
  const { headers } = request
  let bytes = body
  let sum = headers['x-amz-checksum-crc32']
  if (`${headers['content-encoding']}`.includes('aws-chunked') || headers['x-amz-trailer'] !== undefined) {
    if (!trailers) throw new Refusal(400, 'InvalidArgument', 'aws-chunked encoding is not supported')
    const chunks: Buffer[] = []
    let at = 0
    for (;;) {
      const line = body.indexOf('\r\n', at)
      const size = Number.parseInt(body.subarray(at, line).toString(), 16)
      if (line < 0 || Number.isNaN(size)) throw new Refusal(400, 'IncompleteBody')
      at = line + 2
      if (size === 0) break
      chunks.push(body.subarray(at, at + size))
      at += size + 2
    }
    bytes = Buffer.concat(chunks)
    sum = /x-amz-checksum-crc32:([^\r\n]+)/.exec(body.subarray(at).toString())?.[1]?.trim() ?? sum
    if (bytes.length !== Number(headers['x-amz-decoded-content-length'])) throw new Refusal(400, 'IncompleteBody')
  }
  if (typeof sum === 'string') {
    const actual = Buffer.alloc(4)
    actual.writeUInt32BE(crc32(bytes))
    if (actual.toString('base64') !== sum) throw new Refusal(400, 'BadDigest')
    request.headers['x-amz-checksum-crc32'] = sum
  }
  return bytes
}

function handle(
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  objects: S3Server['objects'],
  options: S3ServerOptions,
): void {
  const { method, headers } = request
  const [rawPath = '', query = ''] = (request.url ?? '').split('?')
  // `bucket.s3.localhost`: the bucket in the host's name.
  const host = /^(.+)\.s3\.localhost(?::\d+)?$/.exec(`${headers.host}`)?.[1]
  const path = `${host === undefined ? '' : `${host}/`}${decodeURIComponent(rawPath).slice(1)}`
  const [bucket = '', ...rest] = path.split('/')
  const key = rest.join('/')
  if (method === 'GET' && key === '') {
    list(response, bucket, new URLSearchParams(query), objects, options)
    return
  }
  const now = objects.get(path)
  if (method === 'PUT') {
    const none = headers['if-none-match'] === '*' || headers['x-oss-forbid-overwrite'] === 'true'
    if (now && none && !options.ignoreConditions) throw new Refusal(412, 'PreconditionFailed')
    const kept = Object.entries(headers).filter(([name]) =>
      /^x-amz-meta-|^x-amz-checksum-crc32$|^content-type$/.test(name),
    )
    const object = stored(body, Object.fromEntries(kept.map(([name, value]) => [name, `${value}`])))
    objects.set(path, object)
    response.writeHead(200, { etag: `"${object.etag}"` }).end()
    return
  }
  if (method === 'DELETE') {
    objects.delete(path)
    response.writeHead(204).end()
    return
  }
  if (!now) throw new Refusal(404, 'NoSuchKey')
  if (headers['if-match'] !== undefined && headers['if-match'] !== `"${now.etag}"`)
    throw new Refusal(412, 'PreconditionFailed')
  const { 'x-amz-checksum-crc32': crc, ...plain } = now.headers
  const withSum = crc !== undefined && headers['x-amz-checksum-mode'] === 'ENABLED' && headers.range === undefined
  const common = {
    'accept-ranges': 'bytes',
    'last-modified': now.modified.toUTCString(),
    etag: `"${now.etag}"`,
    ...plain,
    ...(withSum && { 'x-amz-checksum-crc32': crc, 'x-amz-checksum-type': 'FULL_OBJECT' }),
  }
  const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '')
  const size = now.bytes.length
  if (!range) {
    response.writeHead(200, { ...common, 'content-length': size })
    response.end(method === 'HEAD' ? undefined : now.bytes)
    return
  }
  const start = Number(range[1])
  const end = Math.min(range[2] === '' ? size : Number(range[2]) + 1, size)
  if (start >= size) {
    response.writeHead(416, { 'content-range': `bytes */${size}` }).end()
    return
  }
  response.writeHead(206, {
    ...common,
    'content-length': end - start,
    'content-range': `bytes ${start}-${end - 1}/${size}`,
  })
  response.end(now.bytes.subarray(start, end))
}

const escapeXml = (text: string) => text.replace(/[<>&"']/g, (c) => `&#${c.charCodeAt(0)};`)

/** ListObjectsV2. */
function list(
  response: ServerResponse,
  bucket: string,
  query: URLSearchParams,
  objects: S3Server['objects'],
  { pageSize = 1000 }: S3ServerOptions,
): void {
  const prefix = `${bucket}/${query.get('prefix') ?? ''}`
  const after = `${bucket}/${query.get('continuation-token') ?? query.get('start-after') ?? ''}`
  const keys = [...objects.keys()]
    .filter((path) => path.startsWith(prefix) && Buffer.compare(Buffer.from(path), Buffer.from(after)) > 0)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const page = keys.slice(0, pageSize)
  const contents = page.map((path) => {
    const object = objects.get(path)
    const key = escapeXml(path.slice(bucket.length + 1))
    return `<Contents><Key>${key}</Key><LastModified>${object?.modified.toISOString()}</LastModified><ETag>&quot;${object?.etag}&quot;</ETag><Size>${object?.bytes.length}</Size></Contents>`
  })
  const more = keys.length > page.length
  const next = escapeXml((page.at(-1) ?? '').slice(bucket.length + 1))
  response.writeHead(200, { 'content-type': 'application/xml' })
  response.end(
    `<?xml version="1.0"?><ListBucketResult><IsTruncated>${more}</IsTruncated>${more ? `<NextContinuationToken>${next}</NextContinuationToken>` : ''}${contents.join('')}</ListBucketResult>`,
  )
}
