import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { Readable } from 'node:stream'
import type { Body } from '../object-store.ts'
import { checkStopped, StoreError, stopped } from '../store-error.ts'
import { checkHost, guardedLookup } from './address-guard.ts'
import { exactBody, sizeOfBody } from './body.ts'
import { getDirect } from './direct.ts'
import { Lines } from './line.ts'

/** How connections are made; every part has a default. */
export interface WireSettings {
  /** Connections per host, kept alive between requests. */
  readonly connections?: number
  /** To a connection that is ready, TLS included. */
  readonly connectMs?: number
  /** Without a byte in either direction. */
  readonly idleMs?: number
  /** Instead of the system's resolver. What it finds is checked all the same. */
  readonly lookup?: LookupFunction
}

/** S3 takes 16 to 32 connections to fill a function's network; more cost memory and sockets only. */
const defaults = { connections: 32, connectMs: 5_000, idleMs: 20_000 }

export interface WireRequest {
  readonly method: string
  readonly origin: URL
  /** Path and query as sent: URL classes would resolve `%2e%2e`. */
  readonly path: string
  readonly headers?: { readonly [name: string]: string }
  readonly body?: Body
  readonly signal?: AbortSignal | undefined
  /** Of a GET: its body is large, and may come as a `DirectBody`. */
  readonly isLarge?: boolean | undefined
  /** For messages: `read s3://bucket/key`. */
  readonly doing: string
}

export interface WireResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Readable
  /** Of the server, as connected. */
  readonly address: string | undefined
}

export interface Wire {
  /** Resolves with any status. @throws {StoreError} `unavailable`, `timeout`, `cancelled`, `denied`. */
  send(request: WireRequest): Promise<WireResponse>
  /** The addresses of a host, none of them forbidden. @throws {StoreError} `unavailable`, `denied`. */
  resolve(hostname: string, doing: string): Promise<readonly string[]>
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent }
  readonly settings: Required<Omit<WireSettings, 'lookup'>>
}

/** Requests over node:http(s): bounded, kept-alive connections, none of them to a metadata server. */
export function makeWire(settings: WireSettings = {}): Wire {
  const { connections, connectMs, idleMs } = { ...defaults, ...settings }
  const lookup = guardedLookup(settings.lookup)
  const options = { keepAlive: true, maxSockets: connections, scheduling: 'lifo' as const, lookup }
  const lines = new Lines(connections)
  const agents = { http: new HttpAgent(options), https: new HttpsAgent(options) }
  return {
    agents,
    settings: { connections, connectMs, idleMs },
    resolve(hostname, doing) {
      checkHost(hostname)
      return new Promise((resolve, reject) => {
        lookup(hostname.replace(/^\[|\]$/g, ''), { all: true }, (error, found) => {
          if (error) return reject(StoreError.from(error, doing))
          resolve(typeof found === 'string' ? [found] : found.map(({ address }) => address))
        })
      })
    },
    async send(request) {
      checkStopped(request.signal, request.doing)
      checkHost(request.origin.hostname)
      if (request.isLarge) {
        const { origin, signal, doing } = request
        return getDirect(request, lines, { origin, lookup, connectMs, signal, doing }, idleMs)
      }
      try {
        return await exchange(request, agents, connectMs, idleMs)
      } catch (error) {
        // The server closed a kept-alive connection as we were about to use it: nothing was done, so it is done again.
        if (!(error instanceof StaleConnection)) throw error
        return exchange(request, agents, connectMs, idleMs)
      }
    },
  }
}

class StaleConnection extends StoreError {}

function exchange(
  asked: WireRequest,
  agents: Wire['agents'],
  connectMs: number,
  idleMs: number,
): Promise<WireResponse> {
  const { method, origin, path, headers, body, signal, doing } = asked
  return new Promise((resolve, reject) => {
    const secure = origin.protocol === 'https:'
    const request = (secure ? httpsRequest : httpRequest)({
      agent: secure ? agents.https : agents.http,
      host: origin.hostname.replace(/^\[|\]$/g, ''),
      port: origin.port === '' ? (secure ? 443 : 80) : Number(origin.port),
      method,
      path,
      headers: { ...(body && { 'content-length': `${sizeOfBody(body)}` }), ...headers },
      timeout: idleMs,
    })
    let response: IncomingMessage | undefined
    const fail = (error: StoreError) => {
      response?.destroy(error)
      request.destroy(error)
    }
    const stop = () => signal && fail(stopped(signal, doing))
    signal?.addEventListener('abort', stop, { once: true })
    request.on('close', () => signal?.removeEventListener('abort', stop))
    request.on('timeout', () => fail(new StoreError('timeout', `Cannot ${doing}: no byte for ${idleMs} ms`)))
    request.on('socket', (socket) => {
      if (!socket.connecting) return
      const late = () => fail(new StoreError('timeout', `Cannot ${doing}: no connection within ${connectMs} ms`))
      const timer = setTimeout(late, connectMs)
      socket.once(secure ? 'secureConnect' : 'connect', () => clearTimeout(timer))
      socket.once('close', () => clearTimeout(timer))
    })
    request.on('error', (error) => {
      const translated = StoreError.from(error, doing)
      const stale = request.reusedSocket && !response && (error as NodeJS.ErrnoException).code === 'ECONNRESET'
      const repeatable = method === 'GET' || method === 'HEAD' // and only those: a PUT may have been received
      reject(stale && repeatable ? new StaleConnection('unavailable', translated.message) : translated)
    })
    request.on('response', (incoming) => {
      response = incoming
      // Without a listener an error after the consumer has left would end the process.
      incoming.on('error', () => {})
      resolve({
        status: incoming.statusCode ?? 0,
        headers: incoming.headers,
        body: incoming,
        address: incoming.socket.remoteAddress,
      })
    })
    if (body === undefined || body instanceof Uint8Array) request.end(body)
    else {
      const stream = Readable.from(exactBody(body, doing), { objectMode: false })
      stream.on('error', (error) => fail(StoreError.from(error, doing))).pipe(request)
    }
  })
}

/** The whole of a small answer. Beyond `maxBytes` the connection is closed and the rest is not read. */
export async function readSmall(body: Readable, maxBytes: number, doing: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      // of bytes: no encoding is set
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > maxBytes) throw new StoreError('corrupt', `Cannot ${doing}: the answer is over ${maxBytes} bytes`)
    }
  } catch (error) {
    throw StoreError.from(error, doing)
  }
  return Buffer.concat(chunks)
}

/** Reads what is left of a short answer so that its connection can be used again; closes it when there is much. */
export function discard({ body, headers }: Pick<WireResponse, 'body' | 'headers'>): void {
  if (Number(headers['content-length'] ?? Number.POSITIVE_INFINITY) > 64 * 1024) body.destroy()
  else body.resume()
}
