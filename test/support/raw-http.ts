import { connect, type Socket } from 'node:net'

/** One response as it stood on the wire. */
export interface RawResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** A socket that sends bytes as they are, and reads responses one after the other. */
export class RawConnection {
  readonly socket: Socket
  /** Everything received and not yet read as a response. */
  private received: Buffer = Buffer.alloc(0)
  private closed = false
  private wake: () => void = () => {}

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    this.socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk])
      this.wake()
    })
    const ended = () => {
      this.closed = true
      this.wake()
    }
    // A reset after a refusal is an end like any other: what was sent before it has arrived.
    this.socket.on('end', ended).on('close', ended).on('error', ended)
  }

  get isClosed(): boolean {
    return this.closed
  }

  get unread(): Buffer {
    return this.received
  }

  /** Resolves once the bytes are with the system; also when the other side no longer takes them. */
  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.closed || !this.socket.writable) return resolve()
      const done = () => {
        this.socket.off('close', done)
        resolve()
      }
      this.socket.once('close', done)
      this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, done)
    })
  }

  /** The next response; undefined when the server closes before it is complete. */
  async response(
    options: { readonly head?: boolean; readonly timeoutMs?: number } = {},
  ): Promise<RawResponse | undefined> {
    const deadline = Date.now() + (options.timeoutMs ?? 20_000)
    for (;;) {
      const response = this.take(options.head ?? false)
      if (response || this.closed) return response
      const leftMs = deadline - Date.now()
      if (leftMs <= 0) throw new Error(`No response within ${options.timeoutMs ?? 20_000} ms`)
      await this.activity(leftMs)
    }
  }

  /** Whether the server closes within `timeoutMs`. */
  async ends(timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs
    while (!this.closed && Date.now() < deadline) await this.activity(deadline - Date.now())
    return this.closed
  }

  destroy(): void {
    this.socket.destroy()
  }

  private activity(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  private take(head: boolean): RawResponse | undefined {
    const end = this.received.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const [first = '', ...lines] = this.received.toString('latin1', 0, end).split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1])
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    )
    const bodyAt = end + 4
    if (status === 100) {
      this.received = this.received.subarray(bodyAt)
      return this.take(head)
    }
    const length = head ? 0 : Number(headers['content-length'] ?? 0)
    if (this.received.length < bodyAt + length) return undefined
    const body = this.received.subarray(bodyAt, bodyAt + length)
    this.received = this.received.subarray(bodyAt + length)
    return { status, headers, body }
  }
}

/** A request's bytes: the head's lines in order, and the body behind them. */
export function rawRequest(
  method: string,
  target: string,
  headers: readonly (readonly [string, string])[],
  body: Uint8Array = new Uint8Array(),
): Buffer {
  const head = [`${method} ${target} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`), '', '']
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), body])
}

/** A POST with its length, on a connection that may be used again. */
export const post = (target: string, body: Uint8Array, headers: readonly (readonly [string, string])[] = []) =>
  rawRequest('POST', target, [['Host', 'test'], ...headers, ['Content-Length', String(body.length)]], body)

/** Sends bytes on a connection of their own and gives the first response. */
export async function exchange(port: number, bytes: string | Uint8Array): Promise<RawResponse | undefined> {
  const connection = new RawConnection(port)
  try {
    void connection.send(bytes)
    return await connection.response({ head: Buffer.from(bytes).toString('latin1', 0, 5) === 'HEAD ' })
  } finally {
    connection.destroy()
  }
}
