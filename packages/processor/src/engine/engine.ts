import { assert, EasError } from '@eas/base'
import type { ModelInfo } from '../session.ts'
import { type Host, type Isolation, startHost } from './host.ts'
import type { FromWorker, ModelSpec, Outcome, PredictItem, WireError } from './messages.ts'
import { addTransfer } from './worker.ts'

export interface EngineOptions {
  readonly spec: ModelSpec
  readonly isolation: Isolation
  /** Workers that may exist at once. The second is started when requests wait for the first. */
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

export interface Engine {
  /** Starts the first worker, unless one is there or starting. Resolves when the model is ready. */
  load(): Promise<ModelInfo>
  state(): EngineState
  /** Has one request answered, once and later: `answer` gets its body or why there is none. Gives the request's id. */
  predict(
    body: Uint8Array,
    deadline: number,
    contentMd5: string | undefined,
    answer: (outcome: Outcome) => void,
  ): number
  /** A request that nobody waits for any more: it is answered without being computed, unless it is being computed. */
  cancel(id: number): void
  close(): void
}

/** First wait before a model that failed is loaded again; doubles up to the last. */
const retryMs = { first: 500, last: 30_000 }

/**
 * The workers of one model. Requests go to the worker with the fewest; those of one turn of the event loop share a message.
 */
export function createEngine(options: EngineOptions): Engine {
  const workers = new Set<ModelWorker>()
  let info: ModelInfo | undefined
  let failure: EasError | undefined
  let loading: Promise<ModelInfo> | undefined
  let failures = 0
  let retryAt = 0
  let nextId = 0
  let closed = false

  const ready = () => [...workers].filter((worker) => worker.ready)

  function startWorker(): Promise<ModelInfo> {
    return new Promise((resolve, reject) => {
      const worker: ModelWorker = new ModelWorker(options, {
        onLoaded(loaded) {
          info = loaded
          failure = undefined
          failures = 0
          options.onEvent({ kind: 'loaded', info: loaded, workers: ready().length })
          resolve(loaded)
        },
        onFailed(error) {
          workers.delete(worker)
          const retryInMs = backOff(error)
          options.onEvent({ kind: 'load_failed', error, retryInMs })
          reject(error)
        },
        onDeath(reason, lost) {
          workers.delete(worker)
          const error = new EasError('not_ready', `The model's worker died: ${reason}`)
          const retryInMs = backOff(error)
          options.onEvent({ kind: 'worker_died', reason, lost, retryInMs })
          reject(error)
          if (workers.size === 0) restartSoon(retryInMs)
        },
      })
      workers.add(worker)
    })
  }

  function backOff(error: EasError): number {
    if (ready().length === 0) failure = error
    const retryInMs = Math.min(retryMs.first * 2 ** failures++, retryMs.last)
    retryAt = Date.now() + retryInMs
    return retryInMs
  }

  function restartSoon(ms: number) {
    // Unreferenced: a process that is done need not stay for a model that nobody asks for.
    setTimeout(() => closed || load().catch(() => {}), ms).unref()
  }

  function load(): Promise<ModelInfo> {
    if (info && ready().length > 0) return Promise.resolve(info)
    loading ??= startWorker().finally(() => {
      loading = undefined
    })
    return loading
  }

  function pick(): ModelWorker | undefined {
    let best: ModelWorker | undefined
    for (const worker of workers) {
      if (worker.ready && (!best || worker.inFlight.size < best.inFlight.size)) best = worker
    }
    const busy = best && best.inFlight.size > 0
    if (busy && workers.size < options.workersMax && Date.now() >= retryAt) startWorker().catch(() => {})
    return best
  }

  return {
    load,
    state() {
      const workersReady = ready().length
      if (info && workersReady > 0) return { state: 'ready', info, workers: workersReady }
      if (failure) {
        // A request for a model that failed is what makes it be tried again, once its wait is over.
        if (!loading && !closed && Date.now() >= retryAt) load().catch(() => {})
        return { state: 'failed', error: failure }
      }
      return { state: 'loading' }
    },
    predict(body, deadline, contentMd5, answer) {
      const id = nextId++
      const worker = pick()
      const item: PredictItem = contentMd5 === undefined ? { id, body, deadline } : { id, body, deadline, contentMd5 }
      if (worker) worker.send(item, answer)
      else
        queueMicrotask(() =>
          answer({ id, error: { code: 'not_ready', message: 'The model is not ready' }, stages: noStages }),
        )
      return id
    },
    cancel(id) {
      for (const worker of workers) worker.cancel(id)
    },
    close() {
      closed = true
      for (const worker of workers) worker.kill()
      workers.clear()
    },
  }
}

const noStages = { decode: 0, compute: 0, encode: 0 }

interface WorkerEvents {
  onLoaded(info: ModelInfo): void
  onFailed(error: EasError): void
  onDeath(reason: string, lost: number): void
}

class ModelWorker {
  ready = false
  readonly inFlight = new Map<number, (outcome: Outcome) => void>()
  private readonly host: Host
  private readonly batch: EngineOptions['batch']
  private waiting: PredictItem[] = []
  private flushing: NodeJS.Timeout | NodeJS.Immediate | undefined

  constructor({ spec, isolation, env, batch }: EngineOptions, events: WorkerEvents) {
    this.batch = batch
    this.host = startHost[isolation](env, {
      onMessage: (message) => this.receive(message, events),
      onDeath: (reason) => {
        this.ready = false
        const lost = [...this.inFlight]
        this.inFlight.clear()
        for (const [id, answer] of lost) {
          answer({ id, error: { code: 'internal', message: 'Prediction failed: the model crashed' }, stages: noStages })
        }
        events.onDeath(reason, lost.length)
      },
    })
    this.host.post({ kind: 'load', spec }, [])
  }

  send(item: PredictItem, answer: (outcome: Outcome) => void): void {
    this.inFlight.set(item.id, answer)
    this.waiting.push(item)
    if (!this.batch) {
      // After this turn of the event loop has read all sockets that had something: one message for all it found.
      this.flushing ??= setImmediate(this.flush)
    } else if (this.waiting.length >= this.batch.sizeMax) {
      this.flush()
    } else {
      this.flushing ??= setTimeout(this.flush, this.batch.timeoutMs)
    }
  }

  cancel(id: number): void {
    if (!this.inFlight.has(id)) return
    const i = this.waiting.findIndex((item) => item.id === id)
    if (i < 0) {
      this.host.post({ kind: 'cancel', id }, [])
      return
    }
    this.waiting.splice(i, 1)
    this.answer({ id, error: { code: 'client_closed', message: 'The client has gone' }, stages: noStages })
  }

  kill(): void {
    this.ready = false
    this.host.kill()
  }

  private readonly flush = () => {
    clearTimeout(this.flushing as NodeJS.Timeout) // harmless for an immediate, which has just run
    this.flushing = undefined
    const items = this.waiting
    if (items.length === 0) return
    this.waiting = []
    const transfer: ArrayBuffer[] = []
    for (const item of items) addTransfer(transfer, item.body)
    this.host.post({ kind: 'predict', items }, transfer)
  }

  private receive(message: FromWorker, events: WorkerEvents): void {
    if (message.kind === 'outcomes') {
      for (const outcome of message.outcomes) this.answer(outcome)
    } else if (message.kind === 'loaded') {
      this.ready = true
      events.onLoaded(message.info)
    } else {
      this.kill()
      events.onFailed(fromWireError(message.error))
    }
  }

  private answer(outcome: Outcome): void {
    const answer = this.inFlight.get(outcome.id)
    assert(answer, `request ${outcome.id} is answered once`)
    this.inFlight.delete(outcome.id)
    answer(outcome)
  }
}

/** An error as it was before it crossed from a worker. */
export function fromWireError({ code, message, cause }: WireError): EasError {
  return new EasError(code, message, cause === undefined ? undefined : { cause })
}
