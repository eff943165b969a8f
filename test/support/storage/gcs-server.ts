import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The bits of the JSON API that `gcsStore` uses, with real generations, MD5s and CRC-32Cs. An emulator, and called one. */
export interface GcsServer {
  readonly endpoint: string
  readonly requests: string[]
  close(): Promise<void>
}

interface Stored {
  readonly bytes: Buffer
  readonly generation: number
  readonly updated: Date
}

export async function startGcsServer(options: { token?: string; pageSize?: number } = {}): Promise<GcsServer> {
  const objects = new Map<string, Stored>()
  const requests: string[] = []
  let generation = 1_700_000_000_000_000
  const server = createServer(async (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk)
    } catch {
      return // the client gave up: nothing is stored
    }
    const url = new URL(`http://h${request.url}`)
    if (options.token !== undefined && request.headers.authorization !== `Bearer ${options.token}`) {
      return fail(response, 401, 'Invalid Credentials')
    }
    const upload = /^\/upload\/storage\/v1\/b\/([^/]+)\/o$/.exec(url.pathname)
    if (upload && request.method === 'POST') {
      const path = `${upload[1]}/${url.searchParams.get('name')}`

      const now = objects.get(path)
      const wanted = url.searchParams.get('ifGenerationMatch')
      if (wanted !== null && Number(wanted) !== (now?.generation ?? 0)) return fail(response, 412, 'conditionNotMet')
      objects.set(path, { bytes: Buffer.concat(chunks), generation: ++generation, updated: new Date() })
      return send(response, resource(path, objects))
    }
    const [, bucket = '', name] = /^\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(url.pathname) ?? []
    if (name === undefined) return list(response, bucket, url.searchParams, objects, options.pageSize ?? 1000)
    const path = `${bucket}/${decodeURIComponent(name)}`
    const now = objects.get(path)
    if (!now) return fail(response, 404, `No such object: ${path}`)
    if (request.method === 'DELETE') {
      objects.delete(path)
      return response.writeHead(204).end()
    }
    const wanted = url.searchParams.get('ifGenerationMatch')
    if (wanted !== null && Number(wanted) !== now.generation) return fail(response, 412, 'conditionNotMet')
    if (url.searchParams.get('alt') !== 'media') return send(response, resource(path, objects))
    media(request, response, now)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // listening on TCP
    requests,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function media(request: IncomingMessage, response: ServerResponse, { bytes, generation }: Stored): void {
  const headers = { 'x-goog-generation': `${generation}` }
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
  if (!range) {
    response.writeHead(200, { ...headers, 'content-length': bytes.length }).end(bytes)
    return
  }
  const start = Number(range[1])
  const end = Math.min(range[2] === '' ? bytes.length : Number(range[2]) + 1, bytes.length)
  if (start >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end()
    return
  }
  const contentRange = `bytes ${start}-${end - 1}/${bytes.length}`
  response.writeHead(206, { ...headers, 'content-length': end - start, 'content-range': contentRange })
  response.end(bytes.subarray(start, end))
}

function list(
  response: ServerResponse,
  bucket: string,
  query: URLSearchParams,
  objects: ReadonlyMap<string, Stored>,
  pageSize: number,
): void {
  const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
  const from = query.get('pageToken') ?? query.get('startOffset') ?? ''
  const keys = [...objects.keys()]
    .filter((path) => path.startsWith(`${bucket}/${query.get('prefix') ?? ''}`))
    .filter((path) => compare(path.slice(bucket.length + 1), from) >= 0)
    .sort(compare)
  const next = keys[pageSize]?.slice(bucket.length + 1)
  send(response, {
    items: keys.slice(0, pageSize).map((path) => resource(path, objects)),
    ...(next !== undefined && { nextPageToken: next }),
  })
}

function resource(path: string, objects: ReadonlyMap<string, Stored>): unknown {
  const [bucket, ...name] = path.split('/')
  const { bytes, generation, updated } = objects.get(path) ?? {
    bytes: Buffer.alloc(0),
    generation: 0,
    updated: new Date(0),
  }
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(crc32c(bytes))
  return {
    kind: 'storage#object',
    bucket,
    name: name.join('/'),
    size: `${bytes.length}`,
    generation: `${generation}`,
    updated: updated.toISOString(),
    md5Hash: createHash('md5').update(bytes).digest('base64'),
    crc32c: crc.toString('base64'),
  }
}

/** Bit by bit, so that nothing is shared with the code under test. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

const send = (response: ServerResponse, value: unknown) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))

const fail = (response: ServerResponse, code: number, message: string) =>
  void response
    .writeHead(code, { 'content-type': 'application/json' })
    .end(JSON.stringify({ error: { code, message } }))
