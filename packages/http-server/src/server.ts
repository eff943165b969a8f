import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { EasError } from '@eas/base'
import { bodyTooLarge, type Client, type Exchange, type Processor } from '@eas/processor'
import type { EasRequestHead, EasResponse } from '@eas/protocol'
import { type BodyLimit, chunksMax, declaredBytes, readBody } from './body.ts'
import { Loopback } from './loopback.ts'

export interface HttpServerOptions {
  readonly processor: Processor
  /** `EAS_MAX_BODY_BYTES`. */
  readonly bodyBytesMax: number
  /**
   * Milliseconds that a client may take nothing of its answer before it is given up, at the latest after as long again;
   * 60,000 by default, as nginx's send_timeout.
   */
  readonly stallMs?: number
  /** Begins with a request; the processor's own by default. For platforms that send more than predictions. */
  readonly begin?: Processor['begin']
}

export interface HttpServer {
  readonly server: Server
  /** @returns The port, which the system chose when `port` was 0. */
  listen(port: number, host: string): Promise<number>
  /**
   * Loads the processor's models. `/readyz` is 200 once a warm-up request has also come on a connection of this server's, so
   * that the first client meets no code that has never run.
   */
  load(): Promise<void>
  /**
   * Ends cleanly: no new connection; every request that still comes on an open one is answered, and its connection closed.
   * Resolves when all are closed, or after `graceMs`, when what is left is cut off.
   */
  drain(graceMs: number): Promise<void>
}

/** A load balancer keeps idle connections for 60 s; one closed on this side first would fail a request on its way. */
const keepAliveTimeoutMs = 75_000

/** A client has this long to send its headers, give or take the time between two checks. */
const headersTimeoutMs = 10_000
const headersCheckMs = 1000

/** An idle connection is kept this long while draining: the client may be sending on it already. */
const idleDrainMs = 1000

/** Bodies up to this are read, and dropped, before an early refusal, so that the client is listening when it comes. */
const discardBytesMax = 1024 * 1024
const discardMs = 5000

/** Of a body that is worth copying to spare a write. */
const joinedBytesMax = 4096

/** A body that is too long, or too late, is read on for this long after the answer, which its client may then read. */
const lingerMs = 1000

/** The core behind node:http: whole bodies in, whole answers out, each client's leaving told to the core. */
export function createHttpServer({
  processor,
  bodyBytesMax,
  stallMs = 60_000,
  begin = processor.begin,
}: HttpServerOptions): HttpServer {
  const server = createServer(
    {
      keepAliveTimeout: keepAliveTimeoutMs,
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: headersCheckMs,
      requestTimeout: 0,
      noDelay: true,
    },
    (message, response) => onRequest(message, response, false),
  )
  // The bytes of a head are bounded by Node. Headers behind the thousandth, Content-Length perhaps, would vanish without a word.
  server.maxHeadersCount = 0
  // Its body is sent once it is asked for: one that is refused never is.
  server.on('checkContinue', (message, response) => onRequest(message, response, true))

  const loopback = new Loopback()

  /** The requests of each connection that wait for an answer; several when a client sends without waiting. */
  const waitingOn = new WeakMap<Duplex, Map<IncomingMessage, Client>>()
  server.on('connection', (socket) => {
    const waiting = new Map<IncomingMessage, Client>()
    waitingOn.set(socket, waiting)
    // The responses' own `close` would not do: one that has yet to get its turn on the socket does not hear of it.
    socket.on('close', () => {
      for (const client of waiting.values()) client.onGone?.()
    })
  })

  // Idle for its time, or with an answer that it does not take; but not while what it has asked for is worked on.
  server.setTimeout(0, (socket) => {
    if (socket.writableLength > 0 || !waitingOn.get(socket)?.size) socket.destroy()
  })

  function onRequest(message: IncomingMessage, response: ServerResponse, holdsBody: boolean) {
    const client: Client = { onGone: undefined }
    const waiting = waitingOn.get(message.socket)
    waiting?.set(message, client)
    answer(message, response, client, holdsBody)
      .catch(() => response.destroy())
      .finally(() => waiting?.delete(message))
  }

  const limitOf =
    (exchange: Exchange): BodyLimit =>
    (bytes) =>
      exchange.tooLong?.(bytes) ?? (bytes > bodyBytesMax ? bodyTooLarge(bytes, bodyBytesMax) : undefined)

  /** @param holdsBody Whether the client waits to be asked for its body. */
  async function answer(message: IncomingMessage, response: ServerResponse, client: Client, holdsBody: boolean) {
    // Node joins repeated headers by `, ` or keeps the first; only set-cookie, which no request has, becomes a list.
    const headers = message.headers as EasRequestHead['headers']
    const head = { method: message.method ?? '', target: message.url ?? '/', headers }
    const exchange = begin(loopback.has(message.socket) ? { ...head, isRehearsal: true } : head)
    if (exchange.refusal) return refuse(message, response, exchange.refusal, holdsBody)

    let body: Uint8Array
    try {
      const limit = limitOf(exchange)
      const reading = readBody(message, limit, exchange.timeoutMs)
      if (holdsBody && !limit(declaredBytes(message) ?? 0)) response.writeContinue()
      body = await reading
    } catch (thrown) {
      return sendAndClose(message, response, exchange.fail(EasError.from(thrown)))
    }
    send(message, response, await exchange.finish(body, client))
  }

  function send(message: IncomingMessage, response: ServerResponse, { status, headers, body }: EasResponse): void {
    if (response.destroyed) return
    if (!server.listening) response.setHeader('connection', 'close')
    response.writeHead(status, { ...headers, 'content-length': body.length })
    // As text, Node sends the body in one write with the head, and in half the time.
    if (body.length <= joinedBytesMax)
      response.end(Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'), 'latin1')
    else {
      // In force until Node sets another: with the end of the answer, or with the next request.
      message.socket.setTimeout(stallMs)
      response.end(body)
    }
  }

  /**
   * For a request whose body is left unread: what follows on the connection would be taken for the next one. It is closed a
   * little later than it is answered, since a client that is still sending when it is closed would lose the answer too.
   */
  async function sendAndClose(
    message: IncomingMessage,
    response: ServerResponse,
    { status, headers, body }: EasResponse,
  ) {
    if (response.destroyed) return
    response.writeHead(status, { ...headers, 'content-length': body.length, connection: 'close' })
    response.write(body)
    await discard(message, lingerMs)
    response.end()
  }

  async function refuse(message: IncomingMessage, response: ServerResponse, refusal: EasResponse, holdsBody: boolean) {
    const declared = declaredBytes(message)
    if (holdsBody || declared === undefined || declared > discardBytesMax) {
      return sendAndClose(message, response, refusal)
    }
    if (declared > 0) {
      await discard(message, discardMs)
      // What is still to come would keep the connection, with nobody reading it.
      if (!message.complete) response.setHeader('connection', 'close')
    }
    send(message, response, refusal)
  }

  // What the parser refuses never becomes a request; it is answered here, in the parser's own stead.
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // What is said here would be taken for the answer to a request that came whole, if one still waits.
    const isAwaited = [...(waitingOn.get(socket)?.keys() ?? [])].some(({ complete }) => complete)
    if (!socket.writable || isAwaited || error.code === 'ECONNRESET') return void socket.destroy()
    const status = parserStatus[error.code ?? ''] ?? '400 Bad Request'
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
    async load() {
      await processor.load(async (request) => {
        const address = server.address()
        if (typeof address === 'object' && address) await loopback.carry(address, request)
      })
      loopback.close()
    },
    drain: (graceMs) =>
      new Promise((resolve) => {
        processor.drain()
        const timers = [
          setTimeout(() => server.closeIdleConnections(), idleDrainMs),
          setTimeout(() => server.closeAllConnections(), graceMs),
        ]
        // Not the HTTP server's own close, which cuts off idle connections at once, and with them what is on its way.
        NetServer.prototype.close.call(server, () => {
          for (const timer of timers) clearTimeout(timer)
          resolve()
        })
      }),
  }
}

/** What the parser's failures are answered with, where it is not 400. */
const parserStatus: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
}

/**
 * Reads a body for nothing, for as long as it keeps coming and no longer than `timeoutMs`. After `chunksMax` it is not looked
 * at any more: telling chunks apart is what takes time.
 */
function discard(message: IncomingMessage, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const { socket } = message
    const timer = setTimeout(resolve, timeoutMs)
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    let chunks = 0
    function onData() {
      if (++chunks <= chunksMax) return
      message.off('data', onData)
      setImmediate(dropUnparsed, socket)
      socket.on('end', done)
    }
    message.on('data', onData).on('end', done).on('close', done).resume()
  })
}

/** Takes what still comes on a connection from the parser. Its listener is back on the socket once there is another. */
function dropUnparsed(socket: Socket): void {
  socket.on('data', () => {})
  for (const listener of socket.listeners('data').slice(0, -1)) socket.off('data', listener as () => void)
}
