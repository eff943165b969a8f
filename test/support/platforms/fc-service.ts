import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'

/** A call as Function Compute's API got it. */
export interface FcCall {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Whether its signature is the one that the account's secret gives. */
  readonly isSigned: boolean
}

export interface FcService {
  readonly endpoint: string
  readonly calls: readonly FcCall[]
  /** Whether what is created is there already; at first it is not. */
  occupy(isThere: boolean): void
  close(): Promise<void>
}

/** Stands for the API of both generations: recomputes each signature, and answers as to a first creation. */
export async function fcService(accessKeySecret: string): Promise<FcService> {
  const calls: FcCall[] = []
  let occupied = false
  const server = createServer(async (message, response) => {
    const body = Buffer.concat(await message.toArray())
    const headers = message.headers as Record<string, string> // no call repeats one
    const isSigned = headers.authorization === expected(message, headers, body, accessKeySecret)
    const { method = '', url = '' } = message
    calls.push({ method, path: url, headers, body, isSigned })
    const creates = method === 'POST'
    const [status, code] = !isSigned
      ? [403, 'SignatureNotMatch']
      : creates && occupied
        ? [409, 'ResourceAlreadyExists']
        : [200, '']
    const trigger = {
      triggerName: 'http',
      httpTrigger: { urlInternet: 'https://digits.fcapp.run' },
      urlInternet: 'https://digits.fcapp.run',
    }
    const answer = code ? { Code: code, code, ErrorCode: code, Message: code } : trigger
    response.writeHead(status as number, { 'content-type': 'application/json', 'x-fc-request-id': 'request-1' })
    response.end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    endpoint: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    calls,
    occupy(isThere) {
      occupied = isThere
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

const expected = (message: IncomingMessage, headers: Record<string, string>, body: Buffer, secret: string) =>
  headers.authorization?.startsWith('ACS3-') ? acs3(message, headers, body, secret) : fc(message, headers, body, secret)

/** @see Alibaba Cloud "V3 request structure and signature": ACS3-HMAC-SHA256 */
function acs3({ method, url = '' }: IncomingMessage, headers: Record<string, string>, body: Buffer, secret: string) {
  const [, id = '', names = ''] = /Credential=([^,]+),\s*SignedHeaders=([^,]+),/.exec(headers.authorization ?? '') ?? []
  const [path, query = ''] = url.split('?')
  const payload = createHash('sha256').update(body).digest('hex')
  const canonicalHeaders = names.split(';').map((name) => `${name}:${headers[name]?.trim()}\n`)
  const canonicalQuery = query.split('&').sort().join('&')
  const request = [
    method,
    path,
    canonicalQuery,
    canonicalHeaders.join(''),
    names,
    headers['x-acs-content-sha256'],
  ].join('\n')
  if (headers['x-acs-content-sha256'] !== payload) return 'the digest is not the body’s'
  const text = `ACS3-HMAC-SHA256\n${createHash('sha256').update(request).digest('hex')}`
  const signature = createHmac('sha256', secret).update(text).digest('hex')
  return `ACS3-HMAC-SHA256 Credential=${id},SignedHeaders=${names},Signature=${signature}`
}

/** @see Alibaba Cloud Function Compute 2.0, "Signature authentication" */
function fc({ method, url = '' }: IncomingMessage, headers: Record<string, string>, body: Buffer, secret: string) {
  const md5 = headers['content-md5']
  // The SDK sends the digits of the digest in base64.
  const digest = Buffer.from(createHash('md5').update(body).digest('hex')).toString('base64')
  if (md5 !== undefined && md5 !== digest) return 'the digest is not the body’s'
  const own = Object.keys(headers)
    .filter((name) => name.startsWith('x-fc-'))
    .sort()
  const canonicalHeaders = own.map((name) => `${name}:${headers[name]}\n`).join('')
  const text = `${method}\n${md5 ?? ''}\n${headers['content-type'] ?? ''}\n${headers.date}\n${canonicalHeaders}${decodeURIComponent(url)}`
  const [id = ''] = (headers.authorization ?? '').replace('FC ', '').split(':')
  return `FC ${id}:${createHmac('sha256', secret).update(text).digest('base64')}`
}
