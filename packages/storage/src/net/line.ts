import { connect, type LookupFunction, type Socket, type TcpSocketConnectOpts } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { StoreError, stopped } from '../store-error.ts'

/** Who gets the bytes of a line. */
export interface LineReader {
  /** Where the next bytes may go; never empty. */
  room(): Uint8Array
  /**
   * Bytes have come: in the room that was offered last, or in memory that is another's as soon as this returns. `false` lets
   * no more come until `resume`.
   */
  took(bytes: Uint8Array): boolean
  /** Nothing comes any more. */
  ended(error: Error | undefined): void
}

/** Where a line leads. */
export interface LineTarget {
  readonly origin: URL
  readonly lookup: LookupFunction
  /** To a connection that is ready, TLS included. */
  readonly connectMs: number
  readonly signal: AbortSignal | undefined
  readonly doing: string
}

/**
 * A connection whose bytes the kernel, or OpenSSL, puts where its reader wants them: nothing is allocated for them, and nothing
 * copied. For a large body that is a third of what node:http takes, whose parser makes a buffer of each 64 KB.
 */
export class Line {
  readonly socket: Socket
  /** Whether it has carried an exchange before. */
  isUsed = false
  /** Who gets what comes. */
  reader: LineReader = new Idle(this)
  private failure: Error | undefined
  private isPaused = false
  /** Came while it was paused: a TLS record that has been read is decrypted to its end. */
  private readonly held: Uint8Array[] = []
  private hasEnded = false

  private constructor(make: (onread: NonNullable<TcpSocketConnectOpts['onread']>) => Socket) {
    this.socket = make({
      buffer: () => this.reader.room(),
      callback: (bytes, buffer) => this.deliver(buffer.subarray(0, bytes)),
    })
    this.socket.on('error', (error) => (this.failure = error))
    this.socket.on('end', () => this.end(undefined))
    this.socket.on('close', () => this.end(this.failure))
  }

  /** @throws {StoreError} `unavailable`, `timeout`, `denied`. */
  static open({ origin, lookup, connectMs, signal, doing }: LineTarget): Promise<Line> {
    const secure = origin.protocol === 'https:'
    const host = origin.hostname.replace(/^\[|\]$/g, '')
    const port = origin.port === '' ? (secure ? 443 : 80) : Number(origin.port)
    const line = new Line((onread) => {
      const options = { host, port, lookup, noDelay: true, onread }
      // An address is no name for SNI. Passing `onread` on is what TLSSocket does; its types do not say so.
      return secure
        ? connectTls({ ...options, ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }) } as ConnectionOptions)
        : connect(options)
    })
    return new Promise((resolve, reject) => {
      const { socket } = line
      const late = () =>
        socket.destroy(new StoreError('timeout', `Cannot ${doing}: no connection within ${connectMs} ms`))
      const timer = setTimeout(late, connectMs)
      const stop = () => signal && socket.destroy(stopped(signal, doing))
      signal?.addEventListener('abort', stop, { once: true })
      const end = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', stop)
      }
      line.reader = {
        room: () => scratch,
        took() {
          line.close() // who speaks first is no web server
          return false
        },
        ended(error) {
          end()
          reject(StoreError.from(error ?? new Error('the connection was closed'), doing))
        },
      }
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        end()
        resolve(line)
      })
    })
  }

  get isOpen(): boolean {
    return !this.socket.destroyed && this.socket.writable
  }

  /** Kept for another exchange: whatever comes now makes it useless. */
  rest(): void {
    this.isUsed = true
    this.reader = new Idle(this)
    this.socket.setTimeout(0)
    this.socket.unref()
    this.resume()
  }

  /** Lets come what the reader had no room for. */
  resume(): void {
    this.isPaused = false
    for (let next = this.held.shift(); next; next = this.held.shift()) if (!this.deliver(next)) return
    if (this.hasEnded) this.reader.ended(undefined)
    else this.socket.resume()
  }

  /** Bytes that come once more when the reader has room. */
  putBack(bytes: Uint8Array): void {
    this.held.unshift(Buffer.from(bytes))
  }

  private end(error: Error | undefined): void {
    // What has come before the end comes before it.
    this.hasEnded = true
    if (error || this.held.length === 0) this.reader.ended(error)
  }

  private deliver(bytes: Uint8Array): boolean {
    if (this.isPaused) this.held.push(Buffer.from(bytes))
    else this.isPaused = !this.reader.took(bytes)
    return !this.isPaused
  }

  close(error?: Error): void {
    this.socket.destroy(error)
  }
}

/** For bytes that nobody wants. */
const scratch = new Uint8Array(4096)

class Idle implements LineReader {
  private readonly line: Line

  constructor(line: Line) {
    this.line = line
  }

  room(): Uint8Array {
    return scratch
  }

  took(): boolean {
    this.line.close()
    return false
  }

  ended(): void {
    this.line.close()
  }
}

/** Resolves when it is this one's turn, which whoever ends before passes on. */
function turnOf(waiting: (() => void)[], { signal, doing }: LineTarget): Promise<void> {
  return new Promise((resolve, reject) => {
    const go = () => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }
    const stop = () => {
      waiting.splice(waiting.indexOf(go), 1)
      if (signal) reject(stopped(signal, doing))
    }
    waiting.push(go)
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/** The lines to each host: at most `limit` of them in use, those at rest used again. */
export class Lines {
  private readonly limit: number
  private readonly hosts = new Map<
    string,
    { readonly resting: Line[]; inUse: number; readonly waiting: (() => void)[] }
  >()

  constructor(limit: number) {
    this.limit = limit
  }

  /** A line, which is given back by `free`. @throws As `Line.open`. */
  async take(target: LineTarget, isFresh: boolean): Promise<Line> {
    const host = this.hostOf(target.origin)
    if (host.inUse < this.limit) host.inUse++
    else await turnOf(host.waiting, target)
    try {
      for (let line = host.resting.pop(); line; line = host.resting.pop()) {
        if (isFresh) line.close()
        else if (line.isOpen) {
          line.socket.ref()
          return line
        }
      }
      return await Line.open(target)
    } catch (error) {
      this.release(host)
      throw error
    }
  }

  /** Ends the use of a line; one that is still open is kept. */
  free(origin: URL, line: Line): void {
    const host = this.hostOf(origin)
    if (line.isOpen) {
      line.rest()
      host.resting.push(line)
    }
    this.release(host)
  }

  private release(host: { inUse: number; readonly waiting: (() => void)[] }): void {
    const next = host.waiting.shift()
    if (next) next()
    else host.inUse--
  }

  private hostOf({ origin }: URL) {
    const known = this.hosts.get(origin) ?? { resting: [], inUse: 0, waiting: [] }
    this.hosts.set(origin, known)
    return known
  }
}
