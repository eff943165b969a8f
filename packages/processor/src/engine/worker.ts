import { isMainThread, type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { FromWorker, Outcome, PredictItem, ToWorker } from './messages.ts'
import { createRuntime, type Runtime, toWireError } from './runtime.ts'

export type PostToParent = (message: FromWorker, transfer: ArrayBuffer[]) => void

/**
 * One model, answering messages in their order, wherever it runs. The thread is blocked while ONNX Runtime computes; before
 * each request it looks at the messages that have come meanwhile, so a cancelled one is not computed.
 */
export class ModelServer {
  private readonly post: PostToParent
  private readonly listen: () => Promise<void> | undefined
  private runtime: Runtime | undefined
  private readonly queue: PredictItem[][] = []
  private readonly cancelled = new Set<number>()
  private running = false
  /** Whether it has been told to end: it computes no further request. */
  isClosed = false
  /** Resolves when there is nothing left to do of what has been received. */
  idle: Promise<void> = Promise.resolve()
  private outcomes: Outcome[] = []
  private postedAt = 0

  /** @param listen Lets messages that have come reach `receive`: at once, or by the time its promise resolves. */
  constructor(post: PostToParent, listen: () => Promise<void> | undefined) {
    this.post = post
    this.listen = listen
  }

  receive(message: ToWorker): void {
    if (message.kind === 'load') this.idle = this.load(message)
    else if (message.kind === 'cancel') this.cancelled.add(message.id)
    else if (message.kind === 'close') this.isClosed = true
    else {
      this.queue.push([...message.items])
      if (!this.running) this.idle = this.run()
    }
  }

  private async load({ spec }: ToWorker & { kind: 'load' }): Promise<void> {
    try {
      this.runtime = await createRuntime(spec)
      this.post({ kind: 'loaded', info: this.runtime.info }, [])
    } catch (thrown) {
      this.post({ kind: 'failed', error: toWireError(thrown) }, [])
    }
  }

  private async run(): Promise<void> {
    this.running = true
    const isCancelled = (id: number) => this.cancelled.delete(id)
    for (let items = this.queue[0]; items; items = this.queue[0]) {
      const heard = this.listen()
      if (heard) await heard
      if (this.isClosed) return
      // One at a time, but for a model that computes several as one.
      const next = items.splice(0, this.runtime?.merges ? items.length : 1)
      if (items.length === 0) this.queue.shift()
      this.runtime?.predict(next, isCancelled, this.report)
      if (this.queue.length === 0) this.postOutcomes()
    }
    this.running = false
    this.cancelled.clear()
  }

  /** Fast answers share a message; a slow one is not kept waiting for those behind it. */
  private readonly report = (outcome: Outcome): void => {
    this.outcomes.push(outcome)
    if (performance.now() - this.postedAt > shareMs) this.postOutcomes()
  }

  private postOutcomes(): void {
    this.postedAt = performance.now()
    const { outcomes } = this
    if (outcomes.length === 0) return
    this.outcomes = []
    const transfer: ArrayBuffer[] = []
    for (const outcome of outcomes) if ('body' in outcome) addTransfer(transfer, outcome.body)
    this.post({ kind: 'outcomes', outcomes }, transfer)
  }
}

/** Milliseconds that an answer may wait for others to share its message. */
const shareMs = 0.2

/** Bytes from which moving a buffer to another thread is cheaper than copying it. */
const transferBytesMin = 32 * 1024

/** Lists the buffer behind `bytes` for transfer, when it is worth it and `bytes` is all there is in it. */
export function addTransfer(transfer: ArrayBuffer[], bytes: Uint8Array): void {
  if (bytes.byteLength >= transferBytesMin && bytes.byteLength === bytes.buffer.byteLength) {
    if (bytes.buffer instanceof ArrayBuffer) transfer.push(bytes.buffer)
  }
}

/** What a worker thread is started with. */
export interface ThreadData {
  readonly port: MessagePort
  /** Counts the messages sent; the thread sleeps on it. */
  readonly sent: Int32Array
}

/** Serves the thread or process that started this one. */
export function serveParent(): void {
  if (!isMainThread)
    void serveThread(workerData as ThreadData) // host.ts starts threads with it
  else if (process.send) serveProcess(process.send.bind(process))
}

/**
 * A thread with nothing to do sleeps on the message count instead of in the event loop, and takes its messages from the
 * port itself: waking it costs one system call, and a request not a single turn of an event loop.
 */
async function serveThread({ port, sent }: ThreadData): Promise<void> {
  const server = new ModelServer((message, transfer) => port.postMessage(message, transfer), takeMessages)
  let taken = 0
  function takeMessages() {
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
      server.receive(next.message)
    }
    // What native code has put off until the event loop turns, such as freeing memory, gets its turn.
    return ++taken % turnEvery === 0 ? new Promise<void>(setImmediate) : undefined
  }
  while (!server.isClosed) {
    const seen = Atomics.load(sent, 0)
    await takeMessages()
    await server.idle
    if (!server.isClosed) Atomics.wait(sent, 0, seen)
  }
  port.close()
}

/** Looks at the messages, one per request at least, after which the event loop turns. */
const turnEvery = 64

function serveProcess(send: (message: FromWorker) => boolean): void {
  const server = new ModelServer((message) => void send(message), turnIfSlow())
  process.on('message', (message) => server.receive(message as ToWorker)) // the parent is host.ts
  // The parent ends this process; a signal sent to the whole group must not end it in the middle of a drain.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {})
  process.on('disconnect', () => process.exit(0))
}

/** Lets the event loop bring messages, when it has not for a while. */
export function turnIfSlow(): () => Promise<void> | undefined {
  let turnedAt = 0
  return () => {
    if (performance.now() - turnedAt < 1) return undefined
    return new Promise((resolve) => {
      setImmediate(() => {
        turnedAt = performance.now()
        resolve()
      })
    })
  }
}
