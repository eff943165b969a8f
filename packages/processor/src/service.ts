import { EasError } from '@eas/base'
import { Admission } from './admission.ts'
import { Engine, type EngineEvent, type EngineState } from './engine/engine.ts'
import type { Isolation } from './engine/host.ts'
import type { ModelSpec, Outcome } from './engine/messages.ts'
import { fromWireError } from './engine/model-worker.ts'
import type { Stages } from './stages.ts'

/** A service, ready to be built: what `service.json` and the settings together say of it. */
export interface ServiceSpec {
  readonly name: string
  /** `metadata.group`: `/api/predict/<group>` reaches the service too. */
  readonly group: string | undefined
  /** Empty for none. */
  readonly token: string
  readonly signature_name: string
  readonly model: ModelSpec
  readonly isolation: Isolation
  readonly workersMax: number
  readonly processor_envs: Readonly<Record<string, string>>
  readonly rpc: {
    readonly worker_threads: number
    readonly max_queue_size: number
    readonly rate_limit: number
    /** Milliseconds. */
    readonly keepalive: number
    readonly max_batch_size: number
    /** Milliseconds. */
    readonly max_batch_timeout: number
  }
  /** Milliseconds that open requests may take once the process is told to end: `metadata.eas.termination_grace_period`. */
  readonly graceMs: number
  /** What the configuration asks for and does not get. */
  readonly warnings: readonly string[]
}

/** The answer to one prediction, or why there is none; either way, where its time went. */
export interface Served {
  readonly stages: Stages
  readonly result:
    | { readonly body: Uint8Array; readonly headers: Readonly<Record<string, string>> | undefined }
    | EasError
}

export interface PredictInput {
  readonly body: Uint8Array
  /** The Content-MD5 header; passed on only where a setting asks for it. */
  readonly contentMd5: string | undefined
  /** When the first byte came, on the clock of `performance.now()`. */
  readonly receivedAt: number
  readonly client: Client | undefined
}

/** The other end of a request, as far as the core needs it: whoever carries the request calls `onGone` when it leaves. */
export interface Client {
  onGone: (() => void) | undefined
}

/** One service: who may enter, how long they may stay, and the model that answers them. */
export class Service {
  readonly spec: ServiceSpec
  private readonly admission: Admission
  private readonly engine: Engine

  constructor(spec: ServiceSpec, onEvent: (event: EngineEvent) => void) {
    this.spec = spec
    const { model, rpc } = spec
    const batch = model.batching ? { sizeMax: rpc.max_batch_size, timeoutMs: rpc.max_batch_timeout } : undefined
    this.admission = new Admission({
      // A worker of EAS takes a whole batch from the queue at once.
      insideMax: rpc.worker_threads * (batch?.sizeMax ?? 1) + rpc.max_queue_size,
      queueMax: rpc.max_queue_size,
      rateLimit: rpc.rate_limit,
      now: () => performance.now(),
    })
    this.engine = new Engine({
      spec: model,
      isolation: spec.isolation,
      workersMax: spec.workersMax,
      env: spec.processor_envs,
      batch,
      onEvent,
    })
  }

  /** Requests that wait or are worked on. */
  get inside(): number {
    return this.admission.inside
  }

  get queued(): number {
    return this.engine.queued
  }

  load = () => this.engine.load()
  state = (): EngineState => this.engine.state()
  close = () => this.engine.close()

  /** Throws what a request that came now would be answered, where its body cannot change that. */
  checkOpen(): void {
    const state = this.engine.state()
    if (state.state !== 'ready') throw notReady(state)
    this.admission.checkOpen()
  }

  /** Always resolves. `keepalive` runs from the first byte; past it, or once the client has gone, nothing is computed. */
  predict({ body, contentMd5, receivedAt, client }: PredictInput): Promise<Served> {
    const start = performance.now()
    const { keepalive } = this.spec.rpc
    const leftMs = receivedAt + keepalive - start
    return new Promise((resolve) => {
      let settled = false
      const settle = (result: Served['result'], work: Outcome['stages'] = noWork) => {
        if (settled) return
        settled = true
        clearTimeout(timer)
        if (client) client.onGone = undefined
        const queue = performance.now() - start - work.decode - work.compute - work.encode
        resolve({ result, stages: { receive: start - receivedAt, queue, ...work } })
      }
      const timedOut = () => new EasError('timeout', `Request timed out: it took longer than ${keepalive} ms`)
      try {
        if (leftMs <= 0) throw timedOut()
        this.admission.enter()
      } catch (thrown) {
        return resolve({ result: EasError.from(thrown), stages: { receive: start - receivedAt, queue: 0, ...noWork } })
      }
      // The place is free when the engine is done with the request, not when its client is: so overload shows.
      const id = this.engine.predict(body, Date.now() + leftMs, contentMd5, (outcome) => {
        this.admission.leave()
        if ('error' in outcome) settle(fromWireError(outcome.error), outcome.stages)
        else settle(outcome, outcome.stages)
      })
      const giveUp = (error: EasError) => {
        settle(error)
        this.engine.cancel(id)
      }
      const timer = setTimeout(() => giveUp(timedOut()), leftMs)
      if (client) client.onGone = () => giveUp(new EasError('client_closed', 'The client has gone'))
    })
  }
}

const noWork = { decode: 0, compute: 0, encode: 0 }

export function notReady(state: EngineState): EasError {
  return state.state === 'failed'
    ? new EasError('not_ready', state.error.message)
    : new EasError('not_ready', 'The model is being loaded')
}
