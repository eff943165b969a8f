import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { Duplex, Readable } from 'node:stream'
import type { Sink } from '../object-store.ts'
import { StoreError, stopped } from '../store-error.ts'
import type { Line, LineReader, Lines, LineTarget } from './line.ts'
import type { WireRequest, WireResponse } from './wire.ts'

/** Longest head of an answer: node:http takes 16 KiB. */
const headBytesMax = 16 * 1024

/** A reused connection that was closed before its answer began: nothing was done. */
class StaleLine extends StoreError {}

/**
 * A GET whose body can be poured into the caller's own buffers. Only an answer that is plain, 200 or 206 and as many bytes as
 * its `Content-Length` says, is read here; everything else goes to node:http, on the same connection, as if it had asked.
 */
export async function getDirect(
  asked: WireRequest,
  lines: Lines,
  target: LineTarget,
  idleMs: number,
): Promise<WireResponse> {
  try {
    return await exchange(asked, lines, await lines.take(target, false), idleMs)
  } catch (error) {
    if (!(error instanceof StaleLine)) throw error
    return exchange(asked, lines, await lines.take(target, true), idleMs)
  }
}

async function exchange(asked: WireRequest, lines: Lines, line: Line, idleMs: number): Promise<WireResponse> {
  const { origin, signal, doing } = asked
  const fail = (error: StoreError) => line.close(error)
  const stop = () => signal && fail(stopped(signal, doing))
  const end = () => {
    signal?.removeEventListener('abort', stop)
    line.socket.removeListener('timeout', late)
    lines.free(origin, line)
  }
  const late = () => fail(new StoreError('timeout', `Cannot ${doing}: no byte for ${idleMs} ms`))
  line.socket.setTimeout(idleMs).on('timeout', late)
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()
  try {
    const address = line.socket.remoteAddress
    const { text, rest } = await headOf(line, headFor(asked), doing)
    const head = parseHead(text)
    const bytes = head && plainBytes(head)
    if (!head || bytes === undefined) {
      const response = await handedOver(asked, line, Buffer.concat([Buffer.from(text, 'latin1'), rest]))
      response.once('close', () => {
        line.close()
        end()
      })
      return { status: response.statusCode ?? 0, headers: response.headers, body: response, address }
    }
    const body = new DirectBody(line, bytes, rest, head.keepsAlive, doing)
    body.once('close', end)
    return { status: head.status, headers: head.headers, body, address }
  } catch (thrown) {
    line.close()
    end()
    throw StoreError.from(thrown, doing)
  }
}

function headFor({ method, origin, path, headers, doing }: WireRequest): string {
  const all = { host: origin.host, connection: 'keep-alive', ...headers }
  const text = [`${method} ${path} HTTP/1.1`, ...Object.entries(all).map(([name, value]) => `${name}: ${value}`)]
  // What would be another header, or another request.
  if (text.some((line) => /[^\x20-\x7e\x80-\xff]/.test(line)) || /\s/.test(path)) {
    throw new StoreError('invalid', `Cannot ${doing}: its address or a header has characters that none may have`)
  }
  return `${text.join('\r\n')}\r\n\r\n`
}

/** Sends a request, and resolves with the head of the answer, its empty line included, and what came behind it. */
function headOf(line: Line, request: string, doing: string): Promise<{ text: string; rest: Buffer }> {
  return new Promise((resolve, reject) => {
    const buffer = Buffer.allocUnsafeSlow(headBytesMax)
    let bytes = 0
    line.reader = {
      room: () => buffer.subarray(bytes === buffer.length ? 0 : bytes),
      took(chunk) {
        if (chunk.buffer !== buffer.buffer) buffer.set(chunk, bytes)
        const from = Math.max(0, bytes - 3)
        bytes += chunk.length
        const at = buffer.subarray(0, bytes).indexOf('\r\n\r\n', from, 'latin1')
        // Without an end in so many bytes it is node:http's to refuse.
        if (at < 0 && bytes < buffer.length) return true
        const end = at < 0 ? bytes : at + 4
        resolve({ text: buffer.toString('latin1', 0, end), rest: buffer.subarray(end, bytes) })
        return false
      },
      ended(error) {
        const failure = StoreError.from(error ?? new Error('the connection was closed'), doing)
        const isStale = line.isUsed && bytes === 0 && failure.code === 'unavailable'
        reject(isStale ? new StaleLine('unavailable', failure.message) : failure)
      },
    }
    line.resume()
    line.socket.write(request, 'latin1')
  })
}

interface Head {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly keepsAlive: boolean
}

/** The head of a final answer; `undefined` for anything unusual. RFC 9112, 4 and 5. */
function parseHead(text: string): Head | undefined {
  const [first = '', ...lines] = text.slice(0, -4).split('\r\n')
  const [, minor, status] = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(first) ?? []
  if (status === undefined || !text.endsWith('\r\n\r\n')) return undefined
  const headers: Record<string, string> = Object.create(null)
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\0\r\n]*?)[ \t]*$/.exec(line) ?? []
    if (name === undefined || value === undefined) return undefined
    const key = name.toLowerCase()
    // Headers that come twice have rules of their own.
    if (key in headers) return undefined
    headers[key] = value
  }
  const connection = headers.connection?.toLowerCase() ?? (minor === '1' ? 'keep-alive' : 'close')
  return { status: Number(status), headers, keepsAlive: connection === 'keep-alive' }
}

/** Bytes of a body that is neither cut into chunks nor coded; `undefined` where that is not so. */
function plainBytes({ status, headers }: Head): number | undefined {
  const length = headers['content-length']
  const isPlain =
    (status === 200 || status === 206) && headers['transfer-encoding'] === undefined && headers.upgrade === undefined
  return isPlain && length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined
}

/** Has node:http read the answer to a request that has been sent already, of which `first` has come. */
function handedOver({ method, path, origin }: WireRequest, line: Line, first: Uint8Array): Promise<IncomingMessage> {
  const duplex = new Duplex({
    read: () => line.resume(),
    write: (_chunk, _encoding, done) => done(), // node:http's own wording of the request
    destroy(error, done) {
      line.close()
      done(error)
    },
  })
  duplex.push(first)
  const buffer = Buffer.allocUnsafeSlow(headBytesMax)
  line.reader = {
    room: () => buffer,
    took: (chunk) => duplex.push(Buffer.from(chunk)),
    ended: (error) => void (error ? duplex.destroy(error) : duplex.push(null)),
  }
  return new Promise((resolve, reject) => {
    const request = httpRequest({ method, path, host: origin.hostname, createConnection: () => duplex })
    request.on('error', reject)
    request.on('response', (response) => {
      response.on('error', () => {}) // of a consumer that has left
      resolve(response)
    })
    request.end()
  })
}

/** A body of so many bytes: a stream like any other, unless it is poured. */
export class DirectBody extends Readable implements LineReader {
  private readonly line: Line
  private readonly keepsAlive: boolean
  private readonly doing: string
  private left: number
  /** What came with the head; `undefined` once it has been taken. */
  private first: Uint8Array | undefined
  private readonly chunks = new Chunks((chunk) => this.push(chunk))
  private sink: Sink = this.chunks
  private poured: ((error?: Error) => void) | undefined
  private offered: Uint8Array | undefined
  private isWaiting = false

  constructor(line: Line, bytes: number, first: Uint8Array, keepsAlive: boolean, doing: string) {
    super()
    this.line = line
    this.left = bytes
    this.first = first
    this.keepsAlive = keepsAlive
    this.doing = doing
    // Without a listener an error after the consumer has left would end the process.
    this.on('error', () => {})
    // Nothing is read before it begins, but the connection may end.
    line.reader = this
  }

  /** Puts all of it where `sink` wants it, instead of streaming it. @throws {StoreError} `unavailable`, `timeout`, `cancelled`. */
  pour(sink: Sink): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.destroyed) return reject(StoreError.from(this.errored ?? new Error('it was given up'), this.doing))
      this.sink = sink
      this.poured = (error) => (error ? reject(StoreError.from(error, this.doing)) : resolve())
      this.begin()
    })
  }

  override _read(): void {
    if (this.first) this.begin()
    else this.chunks.more()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const isWhole = this.left === 0 && this.first === undefined
    if (!isWhole || !this.keepsAlive) this.line.close()
    this.poured?.(error ?? (isWhole ? undefined : new Error('it was given up')))
    callback(error)
  }

  room(): Uint8Array {
    // One byte too many is how a server is found out that sends more than it has promised.
    if (this.left === 0) return extra
    this.offered = this.isWaiting || this.first ? undefined : this.sink.room()
    return (this.offered ?? elsewhere).subarray(0, this.left)
  }

  took(bytes: Uint8Array): boolean {
    if (this.destroyed) return false
    if (bytes.length > this.left) {
      this.line.close()
      this.destroy(new StoreError('unavailable', `Cannot ${this.doing}: more came than was promised`))
      return false
    }
    let wait: Promise<void> | undefined
    try {
      wait = bytes.buffer === this.offered?.buffer ? this.filled(bytes.length) : this.copied(bytes)
    } catch (thrown) {
      this.line.close()
      this.destroy(StoreError.from(thrown, this.doing))
      return false
    }
    if (this.left === 0) {
      if (this.poured) this.destroy()
      else this.push(null)
      return true
    }
    this.isWaiting = wait !== undefined
    wait?.then(this.goOn, (error) => this.destroy(error))
    return !this.isWaiting
  }

  private filled(bytes: number): Promise<void> | undefined {
    this.left -= bytes
    return this.sink.took(bytes)
  }

  /** What came before there was room for it lies elsewhere. */
  private copied(bytes: Uint8Array): Promise<void> | undefined {
    let wait: Promise<void> | undefined
    for (let at = 0; at < bytes.length; ) {
      if (wait) {
        this.line.putBack(bytes.subarray(at))
        break
      }
      const room = this.sink.room()
      if (room.length === 0) throw new StoreError('corrupt', `Cannot ${this.doing}: more came than there is room for`)
      const part = bytes.subarray(at, at + room.length)
      room.set(part)
      at += part.length
      wait = this.filled(part.length)
    }
    return wait
  }

  ended(error: Error | undefined): void {
    if (this.left === 0) return
    this.destroy(error ?? new StoreError('unavailable', `Cannot ${this.doing}: it ended ${this.left} bytes early`))
  }

  private readonly goOn = (): void => {
    this.isWaiting = false
    this.line.resume()
  }

  private begin(): void {
    const first = this.first
    this.first = undefined
    const goesOn = first === undefined || (first.length === 0 && this.left > 0) || this.took(first)
    if (goesOn) this.line.resume()
  }
}

const extra = new Uint8Array(1)

/** Offered before the sink is known and while it has no room: what comes into it is copied. */
const elsewhere = new Uint8Array(4096)

/** The sink of a stream: 64 KB at a time, each a buffer of its own. */
class Chunks implements Sink {
  private chunk: Uint8Array = extra
  private readonly push: (chunk: Uint8Array) => boolean
  private wanted: (() => void) | undefined

  constructor(push: (chunk: Uint8Array) => boolean) {
    this.push = push
  }

  room(): Uint8Array {
    this.chunk = Buffer.allocUnsafeSlow(64 * 1024)
    return this.chunk
  }

  took(bytes: number): Promise<void> | undefined {
    if (this.push(this.chunk.subarray(0, bytes))) return undefined
    return new Promise((resolve) => {
      this.wanted = resolve
    })
  }

  /** The stream has room again. */
  more(): void {
    this.wanted?.()
    this.wanted = undefined
  }
}
