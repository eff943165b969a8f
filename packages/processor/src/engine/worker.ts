import { setPriority } from 'node:os'
import { isMainThread, workerData } from 'node:worker_threads'
import type { ItemData } from '@eas/feature-store'
import { preloadOnnxRuntime } from '../session.ts'
import { type ChannelData, WorkerEnd } from './channel.ts'
import type { FromWorker, Outcome, PredictItem, ToWorker } from './messages.ts'
import { createRuntime, type Runtime, toWireError } from './runtime.ts'

export type PostToParent = (message: FromWorker) => void

/**
 * One model, answering messages in their order, wherever it runs. The thread is blocked while ONNX Runtime computes; before
 * each request it looks at the messages that have come meanwhile, so a cancelled one is not computed.
 */
export class ModelServer {
  private readonly post: PostToParent
  private readonly listen: () => Promise<void> | undefined
  private runtime: Runtime | undefined
  /** They may come before the runtime is there. */
  private items: ItemData | undefined
  private readonly queue: PredictItem[][] = []
  private readonly cancelled = new Set<number>()
  private running = false
  /** Whether it has been told to end: it computes no further request. */
  isClosed = false
  /** Resolves when there is nothing left to do of what has been received. Until a model comes, that is to be ready for it. */
  idle: Promise<void> = preloadOnnxRuntime()
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
    else if (message.kind === 'items') this.useItems(message.data)
    else if (message.kind === 'prepare') this.idle = this.prepare(message)
    else {
      this.queue.push([...message.items])
      if (!this.running) this.idle = this.run()
    }
  }

  private useItems(data: ItemData): void {
    this.items = data
    this.runtime?.useItems(data)
  }

  private async load({ spec }: ToWorker & { kind: 'load' }): Promise<void> {
    try {
      this.runtime = await createRuntime(spec)
      if (this.items) this.runtime.useItems(this.items)
      this.post({ kind: 'loaded', info: this.runtime.info })
    } catch (thrown) {
      this.post({ kind: 'failed', error: toWireError(thrown) })
    }
  }

  private async prepare({ files, to }: ToWorker & { kind: 'prepare' }): Promise<void> {
    try {
      const { prepareModel } = await import('../prepare.ts')
      this.post({ kind: 'prepared', manifest: await prepareModel(files, to) })
    } catch (thrown) {
      this.post({ kind: 'failed', error: toWireError(thrown) })
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
      await this.runtime?.predict(next, isCancelled, this.report)
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
    this.post({ kind: 'outcomes', outcomes })
  }
}

/** Milliseconds that an answer may wait for others to share its message. */
const shareMs = 0.2

/** Serves the thread or process that started this one. */
export function serveParent(): void {
  if (!isMainThread)
    void serveThread(workerData as ChannelData) // host.ts starts threads with it
  else if (process.send) serveProcess(process.send.bind(process))
}

/** Nice value: about a tenth of the weight of a thread with none. */
const behindEventLoop = 10

/**
 * Hands messages on, behind the event loop from the first that means work: where cores are few, what answers `/healthz` or 450
 * must not wait for an inference to have had its turn. On Linux this is the calling thread's priority, and that of the threads
 * which ONNX Runtime starts from it. What comes before, ONNX Runtime itself, a cold start waits for.
 */
function receiveBehind(server: ModelServer): (message: ToWorker) => void {
  return (message) => {
    if (message.kind === 'load' || message.kind === 'prepare') setPriority(behindEventLoop)
    server.receive(message)
  }
}

/** A thread that turns its event loop only for what native code puts off until it does, such as freeing memory. */
async function serveThread(data: ChannelData): Promise<void> {
  const channel = new WorkerEnd(data)
  const server = new ModelServer((message) => channel.post(message), listen)
  const receive = receiveBehind(server)
  let listened = 0
  function listen() {
    channel.take(receive)
    return ++listened % turnEvery === 0 ? new Promise<void>(setImmediate) : undefined
  }
  while (!server.isClosed) {
    await listen()
    await server.idle
    if (!server.isClosed) channel.sleep()
  }
  channel.close()
}

/** How often a thread listens, once per request at least, for one turn of its event loop. */
const turnEvery = 64

function serveProcess(send: (message: FromWorker) => boolean): void {
  const server = new ModelServer((message) => void send(message), turnIfSlow())
  const receive = receiveBehind(server)
  process.on('message', (message) => receive(message as ToWorker)) // the parent is host.ts
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
