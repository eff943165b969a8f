import { connect, type Socket } from 'node:net'
import { answerParent } from './child.ts'
import type { Load, LoadResult } from './load.ts'

/**
 * A keep-alive client on bare sockets. It sends bytes that were put together before, looks at status and Content-Length
 * only and drops bodies unread, so that it takes a small part of the time of any server it drives.
 */

answerParent<Load, LoadResult>(run)

function run(load: Load): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const latencies = new Map<number, number[]>()
    const start = performance.now()
    let left = 'count' in load.until ? load.until.count : Number.POSITIVE_INFINITY
    const endAt = 'ms' in load.until ? start + load.until.ms : Number.POSITIVE_INFINITY
    let sent = 0
    let open = load.connections

    const job: Job = {
      load,
      next: () => (left-- > 0 && performance.now() < endAt ? load.requests[sent++ % load.requests.length] : undefined),
      answered(status, ms) {
        const known = latencies.get(status)
        if (known) known.push(ms)
        else latencies.set(status, [ms])
      },
      ended() {
        if (--open > 0) return
        const latenciesMs = new Map([...latencies].map(([status, ms]) => [status, Float64Array.from(ms)]))
        resolve({ latenciesMs, elapsedMs: performance.now() - start })
      },
      failed: reject,
    }
    for (let i = 0; i < load.connections; i++) new Connection(job).send()
  })
}

interface Job {
  readonly load: Load
  /** The next request, or `undefined` when the load is over. */
  next(): Uint8Array | undefined
  answered(status: number, ms: number): void
  ended(): void
  failed(error: Error): void
}

const contentLength = /\r\ncontent-length: *(\d+)/i
const closing = /\r\nconnection: *close/i

class Connection {
  private readonly job: Job
  private socket: Socket | undefined
  private sentAt = 0
  /** What came of a head that is not whole yet. */
  private head: Buffer | undefined
  private status = 0
  private closes = false
  /** Bytes of the body yet to come; -1 while the head is read. */
  private bodyLeft = -1

  constructor(job: Job) {
    this.job = job
  }

  readonly send = (): void => {
    const request = this.job.next()
    if (!request) {
      this.hangUp()
      this.job.ended()
      return
    }
    this.bodyLeft = -1
    this.sentAt = performance.now()
    this.socket ??= this.connect()
    this.socket.write(request)
  }

  private connect(): Socket {
    const socket = connect({ port: this.job.load.port, host: '127.0.0.1', noDelay: true })
    socket.on('data', (chunk) => this.receive(chunk))
    // A server may close between two answers; in the middle of one it breaks what is measured.
    socket.on('error', (error) => this.socket === socket && this.job.failed(error))
    socket.on('close', () => {
      if (this.socket === socket) this.job.failed(new Error('The server closed a connection without an answer'))
    })
    return socket
  }

  private receive(chunk: Buffer): void {
    if (this.bodyLeft < 0) {
      const bytes = this.head ? Buffer.concat([this.head, chunk]) : chunk
      const end = bytes.indexOf('\r\n\r\n')
      this.head = end < 0 ? bytes : undefined
      if (end < 0) return
      const head = bytes.toString('latin1', 0, end)
      this.status = Number(head.slice(9, 12))
      this.closes = closing.test(head)
      this.bodyLeft = Number(contentLength.exec(head)?.[1] ?? 0) - (bytes.length - end - 4)
    } else this.bodyLeft -= chunk.length
    if (this.bodyLeft <= 0) this.finish()
  }

  private finish(): void {
    const { load } = this.job
    this.job.answered(this.status, performance.now() - this.sentAt)
    if (this.closes) this.hangUp()
    // Of uneven length, or the connections would all send at the same moment.
    if (load.restMs) setTimeout(this.send, load.restMs * (0.5 + Math.random()))
    else this.send()
  }

  private hangUp(): void {
    const { socket } = this
    this.socket = undefined
    socket?.destroy()
  }
}
