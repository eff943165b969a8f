import { createHash, createHmac } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { EasError, joinBytes, limits, oneLine } from '@eas/base'
import { type Compressor, compressors, decompress } from '@eas/protocol'

export interface Credentials {
  /** Empty for none. */
  readonly token: string
  /** Whether the request is signed with the token, as the SDKs do, rather than carrying it. */
  readonly sign: boolean
}

export interface Call {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly body?: Uint8Array
  readonly credentials: Credentials
  /** Of the whole exchange, body included, as in the Go SDK. */
  readonly timeoutMs: number
}

/**
 * The body of a service's 200, decompressed if it says how it is compressed.
 * @throws {EasError} with the service's own line for any other status, or why there was no answer.
 */
export async function send(call: Call): Promise<Uint8Array> {
  const { status, headers, body } = await exchange(call)
  if (status !== 200) throw refusal(call, status, headers, body)
  const compressor = compressorOf(headers)
  return compressor ? decompress(compressor, body, limits.inflatedBytes) : body
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Uint8Array
}

function exchange({ method, url, body, credentials, timeoutMs }: Call): Promise<Answer> {
  const headers = headersOf(method, url, body ?? new Uint8Array(), credentials)
  const start = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const request = start(url, { method, headers }, (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        chunks.push(chunk)
        if (bytes <= limits.inflatedBytes) return
        request.destroy(new EasError('too_large', `Cannot use the answer of ${url.host}: it is over the limit`))
      })
      response.on('error', fail)
      response.on('end', () => {
        clearTimeout(timer)
        // Copied, so that it begins at offset 0 as decoders like it.
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: joinBytes(chunks, bytes) })
      })
    })
    const timer = setTimeout(() => {
      request.destroy(new EasError('timeout', `${url.host} did not answer within ${timeoutMs} ms (--timeout)`))
    }, timeoutMs)
    function fail(cause: NodeJS.ErrnoException) {
      clearTimeout(timer)
      reject(cause instanceof EasError ? cause : unreachable(url, cause))
    }
    request.on('error', fail)
    request.end(body)
  })
}

/** What the system's codes mean to a person. */
const troubles: { readonly [code: string]: string } = {
  ECONNREFUSED: 'connection refused; is the service running?',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the host name cannot be looked up now',
  ECONNRESET: 'the connection was closed before an answer came',
  EPIPE: 'the connection was closed before the request was sent',
  ETIMEDOUT: 'no answer to the connection',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  EPROTO: 'it does not speak TLS; try http://',
  HPE_INVALID_CONSTANT: 'it does not speak HTTP',
}

function unreachable(url: URL, cause: NodeJS.ErrnoException): EasError {
  const { code = '' } = cause
  const reason = Object.hasOwn(troubles, code) ? troubles[code] : oneLine(cause.message || code)
  return new EasError('internal', `Cannot reach ${url.origin}: ${reason}`, { cause })
}

/** What to do about a status, where it is not the service's to say. */
const hints: { readonly [status: number]: (call: Call) => string } = {
  401: ({ credentials: { token } }) =>
    token ? '; EAS_TOKEN is not the token of this service' : '; set EAS_TOKEN to its token',
  404: ({ url }) => (url.pathname.includes('/api/predict/') ? '' : '; the path of a service is /api/predict/<service>'),
}

function refusal(call: Call, status: number, headers: Answer['headers'], body: Uint8Array): EasError {
  const { url } = call
  const line = oneLine(new TextDecoder().decode(body.subarray(0, 2000)), 500).trim()
  const facts = headers.location ? `it points to ${oneLine(headers.location)}` : line || 'without a word'
  const hint = hints[status]?.(call) ?? ''
  return new EasError('internal', `${url.origin}${url.pathname} answered ${status}: ${facts}${hint}`)
}

const contentType = 'application/octet-stream'

/**
 * The headers of the official SDKs.
 * @see eas-wire 2, "Authentication"
 */
export function headersOf(
  method: 'GET' | 'POST',
  url: URL,
  body: Uint8Array,
  { token, sign }: Credentials,
  now = new Date(),
): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': contentType }
  if (method === 'POST') headers['content-length'] = String(body.length)
  if (!token) return headers
  if (!sign) return { ...headers, authorization: token }
  const md5 = createHash('md5').update(body).digest('hex')
  const date = now.toUTCString()
  // The method that is signed is POST whatever it is, and an endpoint's path prefix is left out.
  const target = url.pathname + url.search
  const resource = target.slice(Math.max(0, target.indexOf('/api/predict/')))
  const text = ['POST', md5, contentType, date, resource].join('\n')
  const signature = createHmac('sha1', token).update(text).digest('base64')
  return { ...headers, date, 'content-md5': md5, authorization: `EAS ${signature}` }
}

/** Names in `Content-Encoding`; a raw LZ4 block has a header of its own. */
function compressorOf(headers: Answer['headers']): Compressor | undefined {
  if (headers['x-lz4-original-length'] !== undefined) return 'lz4'
  const encoding = headers['content-encoding']
  const names = Object.keys(compressors) as Compressor[] // the keys of the table are its type
  return encoding === undefined ? undefined : names.find((name) => contentEncodingOf(name) === encoding)
}

function contentEncodingOf(name: Compressor): string | undefined {
  const row = compressors[name]
  return 'contentEncoding' in row ? row.contentEncoding : undefined
}

/** `EAS_TOKEN`, which is read from the environment only: an option would show in a list of processes. */
export function tokenFromEnv(env: Readonly<Record<string, string | undefined>>): string {
  const token = (env.EAS_TOKEN ?? '').trim() // secrets read from files end with a newline
  if (/^[\x21-\x7e]*$/.test(token)) return token
  throw new EasError('invalid_request', 'Cannot use EAS_TOKEN: it has a space or another character no header carries')
}
