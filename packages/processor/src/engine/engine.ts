import { EasError } from '@eas/base'
import type { ItemData } from '@eas/feature-store'
import type { ModelInfo } from '../session.ts'
import { type Isolation, startHost } from './host.ts'
import type { ModelSpec, Outcome, PredictItem } from './messages.ts'
import { ModelWorker, type Pending } from './model-worker.ts'

export interface EngineOptions {
  /** A worker is started before it is known, so that it is there when the model's files are. */
  readonly spec: Promise<ModelSpec>
  readonly isolation: Isolation
  /** Workers that may exist at once. A further one is started when those there fall behind. */
  readonly workersMax: number
  readonly env: Readonly<Record<string, string>>
  /** `metadata.rpc.max_batch_size` and `max_batch_timeout`, with batching on. */
  readonly batch: { readonly sizeMax: number; readonly timeoutMs: number } | undefined
  onEvent(event: EngineEvent): void
}

/** What happens to the workers of a model, for the log. */
export type EngineEvent =
  | { readonly kind: 'loaded'; readonly info: ModelInfo; readonly workers: number }
  | { readonly kind: 'load_failed'; readonly error: EasError; readonly retryInMs: number }
  | { readonly kind: 'worker_died'; readonly reason: string; readonly lost: number; readonly retryInMs: number }

export type EngineState =
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly info: ModelInfo; readonly workers: number }
  | { readonly state: 'failed'; readonly error: EasError }

/** First wait before a model that failed is loaded again; doubles up to the last. */
const retryMs = { first: 500, last: 30_000 }

/** Milliseconds that a request waits for a worker before another one is worth its memory. */
const queuedMsMax = 50

/**
 * The workers of one model and the queue in front of them, first come first served. Requests go to the first worker that
 * has room; those of one turn of the event loop share a message.
 */
export class Engine {
  private readonly options: EngineOptions
  private readonly workers = new Set<ModelWorker>()
  private readonly queue = new Map<number, Pending>()
  private info: ModelInfo | undefined
  private items: ItemData | undefined
  private failure: EasError | undefined
  private loading: Promise<ModelInfo> | undefined
  private failures = 0
  private retryAt = 0
  private nextId = 0
  private closed = false
  private pumping: NodeJS.Immediate | undefined
  private batchTimer: NodeJS.Timeout | undefined
  private growTimer: NodeJS.Timeout | undefined

  constructor(options: EngineOptions) {
    this.options = options
  }

  /** Requests that no worker has yet. */
  get queued(): number {
    return this.queue.size
  }

  /** Starts the first worker, unless one is there or starting. Resolves when the model is ready. */
  load(): Promise<ModelInfo> {
    if (this.info && this.readyWorkers > 0) return Promise.resolve(this.info)
    this.loading ??= this.startWorker().finally(() => {
      this.loading = undefined
    })
    return this.loading
  }

  state(): EngineState {
    const workers = this.readyWorkers
    if (this.info && workers > 0) return { state: 'ready', info: this.info, workers }
    if (!this.failure) return { state: 'loading' }
    // A request for a model that failed is what makes it be tried again, once its wait is over.
    if (!this.loading && !this.closed && Date.now() >= this.retryAt) this.load().catch(() => {})
    return { state: 'failed', error: this.failure }
  }

  /** Has one request answered, once and later: `answer` gets its body or why there is none. Gives the request's id. */
  predict(body: Uint8Array, deadline: number, contentMd5: string | undefined, answer: Pending['answer']): number {
    const id = this.nextId++
    const item: PredictItem = contentMd5 === undefined ? { id, body, deadline } : { id, body, deadline, contentMd5 }
    this.queue.set(id, { item, answer, since: performance.now() })
    // An idle worker is woken at once. A busy one gets, in one message, all that this turn of the event loop finds.
    if (this.isIdle) this.pump()
    else this.pumping ??= setImmediate(this.pump)
    return id
  }

  /** Gives all workers these items, and those that are yet to start. */
  useItems(data: ItemData): void {
    this.items = data
    for (const worker of this.workers) worker.useItems(data)
  }

  /** A request that nobody waits for any more: it is answered without being computed, unless it is being computed. */
  cancel(id: number): void {
    const pending = this.queue.get(id)
    if (pending) {
      this.queue.delete(id)
      pending.answer(refused(id, new EasError('client_closed', 'The client has gone')))
    } else {
      for (const worker of this.workers) worker.cancel(id)
    }
  }

  /** Resolves when every worker has ended, which is after what it is computing. */
  async close(): Promise<void> {
    this.closed = true
    this.refuseAll()
    clearTimeout(this.batchTimer)
    clearTimeout(this.growTimer)
    await Promise.all([...this.workers].map((worker) => worker.close()))
    this.workers.clear()
  }

  private get isIdle(): boolean {
    for (const worker of this.workers) if (worker.ready) return worker.inFlight.size === 0
    return false
  }

  private get readyWorkers(): number {
    let count = 0
    for (const worker of this.workers) if (worker.ready) count++
    return count
  }

  /** Hands waiting requests to workers that have room. */
  private readonly pump = (): void => {
    this.pumping = undefined
    for (const worker of this.workers) {
      const room = this.roomOf(worker)
      if (room > 0) worker.send(this.take(room))
      if (this.queue.size === 0) return
    }
    if (this.readyWorkers === 0) this.refuseAll()
    else if (this.workers.size < this.options.workersMax) this.growTimer ??= setTimeout(this.grow, queuedMsMax)
  }

  /** Starts another worker if requests still wait that waited when the timer was set. */
  private readonly grow = (): void => {
    this.growTimer = undefined
    const [oldest] = this.queue.values()
    if (!oldest || Date.now() < this.retryAt || this.workers.size >= this.options.workersMax) return
    if (performance.now() - oldest.since < queuedMsMax) this.pump()
    else this.startWorker().catch(() => {})
  }

  /** Requests to send to a worker now. */
  private roomOf(worker: ModelWorker): number {
    if (!worker.ready) return 0
    const { batch } = this.options
    if (!batch) return worker.room
    if (worker.inFlight.size > 0) return 0
    const [oldest] = this.queue.values()
    if (!oldest) return 0
    const waitMs = oldest.since + batch.timeoutMs - performance.now()
    if (this.queue.size >= batch.sizeMax || waitMs <= 0) return batch.sizeMax
    clearTimeout(this.batchTimer)
    this.batchTimer = setTimeout(this.pump, Math.ceil(waitMs))
    return 0
  }

  private take(count: number): Pending[] {
    const taken: Pending[] = []
    for (const [id, pending] of this.queue) {
      if (taken.length >= count) break
      this.queue.delete(id)
      taken.push(pending)
    }
    return taken
  }

  private refuseAll(): void {
    for (const { item, answer } of this.take(this.queue.size)) {
      answer(refused(item.id, this.failure ?? new EasError('not_ready', 'The model is being loaded')))
    }
  }

  private startWorker(): Promise<ModelInfo> {
    const { spec, isolation, env, onEvent } = this.options
    return new Promise((resolve, reject) => {
      const worker: ModelWorker = new ModelWorker((events) => startHost[isolation](env, events), {
        onLoaded: (info) => {
          this.info = info
          this.failure = undefined
          this.failures = 0
          onEvent({ kind: 'loaded', info, workers: this.readyWorkers })
          resolve(info)
          this.pump()
        },
        onFailed: (error) => {
          this.workers.delete(worker)
          onEvent({ kind: 'load_failed', error, retryInMs: this.backOff(error) })
          reject(error)
        },
        onDeath: (reason, lost) => {
          this.workers.delete(worker)
          const error = new EasError('not_ready', `The model's worker died: ${reason}`)
          const retryInMs = this.backOff(error)
          onEvent({ kind: 'worker_died', reason, lost, retryInMs })
          reject(error)
          if (this.readyWorkers === 0) this.restartIn(retryInMs)
        },
        onRoom: this.pump,
      })
      this.workers.add(worker)
      spec.then(
        (known) => {
          worker.load(known)
          if (this.items) worker.useItems(this.items)
        },
        (thrown) => worker.fail(EasError.from(thrown)),
      )
    })
  }

  private backOff(error: EasError): number {
    if (this.readyWorkers === 0) {
      this.failure = error
      this.refuseAll()
    }
    const retryInMs = Math.min(retryMs.first * 2 ** this.failures++, retryMs.last)
    this.retryAt = Date.now() + retryInMs
    return retryInMs
  }

  private restartIn(ms: number): void {
    // Unreferenced: a process that is done need not stay for a model that nobody asks for.
    setTimeout(() => {
      if (!this.closed) this.load().catch(() => {})
    }, ms).unref()
  }
}

function refused(id: number, { code, message }: EasError): Outcome {
  return { id, error: { code, message }, stages: { decode: 0, compute: 0, encode: 0 } }
}
