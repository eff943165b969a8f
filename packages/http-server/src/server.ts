import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { EasError } from '@eas/base'
import type { Processor } from '@eas/processor'
import type { EasRequestHead, EasResponse } from '@eas/protocol'
import { declaredBytes, readBody } from './body.ts'

export interface HttpServerOptions {
  readonly processor: Processor
  /** `EAS_MAX_BODY_BYTES`. */
  readonly bodyBytesMax: number
}

export interface HttpServer {
  readonly server: Server
  /** @returns The port, which the system chose when `port` was 0. */
  listen(port: number, host: string): Promise<number>
  /**
   * Ends cleanly: no new connection; every request that still comes on an open one is answered, and its connection closed.
   * Resolves when all are closed, or after `graceMs`, when what is left is cut off.
   */
  drain(graceMs: number): Promise<void>
}

/** A load balancer keeps idle connections for 60 s; one closed on this side first would fail a request on its way. */
const keepAliveTimeoutMs = 75_000

/** A client has this long to send its headers. */
const headersTimeoutMs = 10_000

/** Bodies up to this are read, and dropped, before an early refusal, so that the client is listening when it comes. */
const discardBytesMax = 1024 * 1024

/** The core behind node:http: whole bodies in, whole answers out, each client's leaving told to the core. */
export function createHttpServer({ processor, bodyBytesMax }: HttpServerOptions): HttpServer {
  const server = createServer(
    { keepAliveTimeout: keepAliveTimeoutMs, headersTimeout: headersTimeoutMs, requestTimeout: 0, noDelay: true },
    (message, response) => {
      answer(message, response).catch(() => response.destroy())
    },
  )

  async function answer(message: IncomingMessage, response: ServerResponse) {
    const receivedAt = performance.now()
    // Node joins repeated headers by `, ` or keeps the first; only set-cookie, which no request has, becomes a list.
    const headers = message.headers as EasRequestHead['headers']
    const head = { method: message.method ?? '', target: message.url ?? '/', headers }

    const refusal = processor.preflight(head)
    if (refusal) return refuse(message, response, refusal)

    let body: Uint8Array
    try {
      body = await readBody(message, bodyBytesMax, processor.timeoutMs(head))
    } catch (thrown) {
      const refused = processor.refuse(head, EasError.from(thrown), receivedAt)
      return send(response, { ...refused, headers: { ...refused.headers, connection: 'close' } })
    }

    const leaving = new AbortController()
    const onClose = () => leaving.abort()
    response.on('close', onClose)
    const answered = await processor.handle({ ...head, body }, { receivedAt, signal: leaving.signal })
    response.off('close', onClose)
    send(response, answered)
  }

  function send(response: ServerResponse, { status, headers, body }: EasResponse): void {
    if (response.destroyed) return
    if (!server.listening) response.setHeader('connection', 'close')
    response.writeHead(status, { ...headers, 'content-length': body.length })
    response.end(body)
  }

  async function refuse(message: IncomingMessage, response: ServerResponse, refusal: EasResponse) {
    const declared = declaredBytes(message)
    if (declared === undefined || declared > discardBytesMax) {
      return send(response, { ...refusal, headers: { ...refusal.headers, connection: 'close' } })
    }
    if (declared > 0) await discard(message)
    send(response, refusal)
  }

  // What the parser refuses never becomes a request; it is answered here, in the parser's own stead.
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  })

  return {
    server,
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, () => {
          server.off('error', reject)
          const address = server.address()
          resolve(typeof address === 'object' && address ? address.port : port)
        })
      }),
    drain: (graceMs) =>
      new Promise((resolve) => {
        processor.drain()
        const timer = setTimeout(() => server.closeAllConnections(), graceMs)
        server.close(() => {
          clearTimeout(timer)
          resolve()
        })
      }),
  }
}

/** Reads a body for nothing, for as long as it keeps coming. */
function discard(message: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 5000)
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    message.on('end', done).on('close', done).resume()
  })
}
