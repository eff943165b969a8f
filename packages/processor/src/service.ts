import { EasError } from '@eas/base'
import type { ItemCacheStatus } from '@eas/feature-store'
import type { ModelOrigin, UnownedModel } from '@eas/models'
import { Admission } from './admission.ts'
import { Deployment } from './deployment.ts'
import type { EngineEvent, EngineState } from './engine/engine.ts'
import type { Isolation } from './engine/host.ts'
import type { ModelSpec, Note, Outcome } from './engine/messages.ts'
import { fromWireError } from './engine/model-worker.ts'
import { Items, type ItemsSpec } from './items.ts'
import type { FileCounts } from './logs/file-writers.ts'
import { RequestFiles, type RequestFilesSpec } from './logs/request-files.ts'
import type { Rehearsal } from './rehearsal.ts'
import { torchrecRequestId } from './request-id.ts'
import type { ModelInfo } from './session.ts'
import type { Stages } from './stages.ts'
import { type Waiting, WaitingRoom } from './waiting-room.ts'
import type { WarmUpReport } from './warm-up/replay.ts'
import { WarmUp, type WarmUpSpec } from './warm-up/warm-up.ts'

/** A service, ready to be built: what `service.json` and the settings together say of it. */
export interface ServiceSpec {
  readonly name: string
  /** `metadata.group`: `/api/predict/<group>` reaches the service too. */
  readonly group: string | undefined
  /** Empty for none. */
  readonly token: string
  readonly signature_name: string
  readonly origin: ModelOrigin
  readonly warmUp: WarmUpSpec
  readonly model: Omit<ModelSpec, 'files' | 'startsQuickly'>
  /** Where its item features come from; most services have none. */
  readonly items: ItemsSpec | undefined
  /** Where requests are kept, for services that may be asked to. */
  readonly requestFiles: RequestFilesSpec | undefined
  /** Makes the prepared form of a model that has none, and keeps it beside the model. Absent unless asked for. */
  readonly prepare: ((files: UnownedModel) => Promise<{ readonly folder: string }>) | undefined
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
  /** Whether it is to leave nothing behind. */
  readonly isRehearsal?: boolean | undefined
}

/** The other end of a request, as far as the core needs it: whoever carries the request calls `onGone` when it leaves. */
export interface Client {
  onGone: (() => void) | undefined
}

/** What happens to a service's model, for the log. */
export type ServiceEvent =
  | EngineEvent
  | { readonly kind: 'unavailable'; readonly error: EasError; readonly retryInMs: number }
  | { readonly kind: 'replaced'; readonly version: string }
  | { readonly kind: 'not_replaced'; readonly error: EasError }
  | { readonly kind: 'prepared'; readonly folder: string }
  | { readonly kind: 'not_prepared'; readonly error: EasError }
  | { readonly kind: 'evicted'; readonly bytes: number }
  | { readonly kind: 'warmed'; readonly report: WarmUpReport }
  | { readonly kind: 'not_kept'; readonly error: Error }
  | { readonly kind: 'not_written'; readonly error: Error }
  | { readonly kind: 'noted'; readonly message: string; readonly facts: Readonly<Record<string, unknown>> }

/** What a service tells of itself. */
export interface ServiceListener {
  onEvent(event: ServiceEvent): void
  /** Its model is loaded. */
  onLoaded(): void
  /** Nobody waits for it any more. */
  onIdle(): void
}

export type ServiceState = EngineState | { readonly state: 'idle' }

/** First wait before a model that could not be had is asked for again; doubles up to the last. */
const retryMs = { first: 500, last: 30_000 }

/** One service: who may enter, how long they may stay, and the model that answers them. */
export class Service {
  readonly spec: ServiceSpec
  /** When its model was last asked for anything, on the clock of `performance.now()`. */
  usedAt = 0
  /** Whether its model was loaded and had to leave. */
  isEvicted = false
  private readonly listener: ServiceListener
  private readonly admission: Admission
  private readonly waitingRoom = new WaitingRoom()
  private readonly warmUp: WarmUp
  private readonly items: Items | undefined
  private readonly requestFiles: RequestFiles | undefined
  private deployment: Deployment | undefined
  private loading: Promise<void> | undefined
  private refreshing: Promise<void> | undefined
  private failure: EasError | undefined
  private failures = 0
  private retryAt = 0
  private hasPrepared = false
  private closed = false

  constructor(spec: ServiceSpec, listener: ServiceListener) {
    this.spec = spec
    this.listener = listener
    const { model, rpc } = spec
    this.items = spec.items && new Items(spec.items, (data) => this.deployment?.useItems(data))
    this.requestFiles =
      spec.requestFiles &&
      new RequestFiles(spec.requestFiles, (error) => listener.onEvent({ kind: 'not_written', error }))
    this.warmUp = new WarmUp(
      spec.warmUp,
      async (body) => {
        const { shapeOf } = await import('./pipelines/index.ts')
        return shapeOf(model.pipeline.kind, body)
      },
      (error) => listener.onEvent({ kind: 'not_kept', error }),
    )
    this.admission = new Admission({
      // A worker of EAS takes a whole batch from the queue at once.
      insideMax: rpc.worker_threads * (model.batching ? rpc.max_batch_size : 1) + rpc.max_queue_size,
      queueMax: rpc.max_queue_size,
      rateLimit: rpc.rate_limit,
      now: () => performance.now(),
    })
  }

  /** Requests that wait or are worked on. */
  get inside(): number {
    return this.admission.inside
  }

  get queued(): number {
    return (this.deployment?.queued ?? 0) + this.waitingRoom.size
  }

  /** Bytes of the model that is loaded; 0 when none is. */
  get bytes(): number {
    return this.deployment?.bytes ?? 0
  }

  /** Whether the model could be done without now. */
  get isIdle(): boolean {
    return this.deployment !== undefined && !this.deployment.isBusy && this.inside === 0
  }

  /** What was replayed before the model was ready. */
  get warmUpReport(): WarmUpReport | undefined {
    return this.warmUp.report
  }

  get version(): string | undefined {
    return this.deployment?.version
  }

  get requestFileCounts(): Readonly<FileCounts> | undefined {
    return this.requestFiles?.counts
  }

  /** What a request calls itself, where requests say so; a moved body does no longer. */
  requestIdOf(body: Uint8Array): string | undefined {
    return this.spec.model.pipeline.kind === 'torcheasyrec' ? torchrecRequestId(body) : undefined
  }

  get itemsStatus(): ItemCacheStatus | undefined {
    return this.items?.status
  }

  /** Resolves when the model is ready; one load at a time, however many ask. A load that failed is tried again. */
  load(): Promise<void> {
    if (this.deployment) return Promise.resolve()
    this.usedAt = performance.now()
    this.loading ??= this.deploy().finally(() => {
      this.loading = undefined
    })
    return this.loading
  }

  state(): ServiceState {
    if (this.deployment) return this.deployment.state()
    if (this.loading) return { state: 'loading' }
    return this.failure ? { state: 'failed', error: this.failure } : { state: 'idle' }
  }

  /** Throws what a request that came now would be answered, where its body cannot change that. */
  checkOpen(): void {
    if (this.isAwaited()) this.waitingRoom.checkOpen()
    else this.admission.checkOpen()
  }

  /**
   * Resolves when there is a model to ask about.
   * @throws {EasError} `not_ready` when there is none within `keepalive`.
   */
  async whenReady(): Promise<EngineState & { state: 'ready' }> {
    if (this.isAwaited()) {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, this.spec.rpc.keepalive)
      })
      await Promise.race([this.load(), late]).finally(() => clearTimeout(timer))
    }
    const state = this.state()
    if (state.state !== 'ready') throw notReady(state)
    return state
  }

  /** Always resolves. `keepalive` runs from the first byte; past it, or once the client has gone, nothing is computed. */
  predict({ body, contentMd5, receivedAt, client, isRehearsal }: PredictInput): Promise<Served> {
    const start = performance.now()
    this.usedAt = start
    this.items?.ride()
    const { keepalive } = this.spec.rpc
    const leftMs = receivedAt + keepalive - start
    return new Promise((resolve) => {
      let settled = false
      let giveUp = () => {}
      const settle = (result: Served['result'], work: Outcome['stages'] = noWork) => {
        if (settled) return
        settled = true
        clearTimeout(timer)
        if (client) client.onGone = undefined
        const queue = performance.now() - start - work.decode - work.compute - work.encode
        resolve({ result, stages: { receive: start - receivedAt, queue, ...work } })
      }

      const enter = (deployment: Deployment) => {
        this.admission.enter()
        const copy = isRehearsal ? undefined : this.warmUp.copy(body)
        // The place is free when the engine is done with the request, not when its client is: so overload shows.
        const id = deployment.predict(
          body,
          Date.now() + receivedAt + keepalive - performance.now(),
          contentMd5,
          (outcome) => {
            this.admission.leave()
            if ('error' in outcome) settle(fromWireError(outcome.error), outcome.stages)
            else {
              settle(outcome, outcome.stages)
              if (outcome.notes && !isRehearsal) this.note(outcome.notes)
              if (copy) this.warmUp.keep(copy)
            }
            this.letIn()
            if (this.inside === 0) this.listener.onIdle()
          },
        )
        giveUp = () => deployment.cancel(id)
      }
      const wait = () => {
        const waiting: Waiting = {
          bytes: body.length,
          enter: () => attempt(() => this.deployment && enter(this.deployment)),
          refuse: settle,
        }
        this.waitingRoom.add(waiting)
        giveUp = () => this.waitingRoom.leave(waiting)
      }
      const attempt = (step: () => void) => {
        try {
          step()
        } catch (thrown) {
          settle(EasError.from(thrown))
        }
      }

      const timedOut = () => {
        // The model's fault, not the request's: a client may try again at once.
        const error = this.deployment
          ? new EasError('timeout', `Request timed out: it took longer than ${keepalive} ms`)
          : new EasError('not_ready', `The model is being loaded, which has taken longer than ${keepalive} ms`)
        settle(error)
        giveUp()
      }
      const timer = setTimeout(timedOut, Math.max(0, leftMs))
      if (client) {
        client.onGone = () => {
          settle(new EasError('client_closed', 'The client has gone'))
          giveUp()
        }
      }
      attempt(() => {
        if (leftMs <= 0) timedOut()
        else if (this.isAwaited()) wait()
        else if (this.deployment) enter(this.deployment)
      })
    })
  }

  /** What can be rehearsed with, once: nothing where requests are rationed, or where there was nothing to warm up with. */
  takeRehearsal(): Rehearsal | undefined {
    const { name, token, rpc } = this.spec
    const body = this.warmUp.takeSample()
    return body && this.deployment && rpc.rate_limit <= 0 ? { service: name, token, body } : undefined
  }

  /** Resolves when no other session is being made for this one's place. */
  settled(): Promise<void> {
    return this.refreshing ?? Promise.resolve()
  }

  /** Looks for a newer version of the model and puts it in the place of this one, once it is ready. Never rejects. */
  refresh(): Promise<void> {
    const old = this.deployment
    if (old) this.refreshing ??= this.replaceOlder(old).finally(this.refreshed)
    return this.refreshing ?? Promise.resolve()
  }

  /** Lets the model go; the next request loads it again. */
  async unload(): Promise<void> {
    const { deployment } = this
    if (!deployment) return
    this.deployment = undefined
    this.isEvicted = true
    this.listener.onEvent({ kind: 'evicted', bytes: deployment.bytes })
    await deployment.retire()
  }

  /** Resolves when what requests left behind is written, or after so many milliseconds. */
  async flush(withinMs: number): Promise<void> {
    await this.requestFiles?.flush(withinMs)
  }

  async close(): Promise<void> {
    this.closed = true
    this.waitingRoom.refuseAll(new EasError('not_ready', 'The service is ending'))
    await Promise.allSettled([this.loading, this.refreshing])
    await Promise.all([this.deployment?.close(), this.items?.close(), this.flush(this.spec.graceMs)])
  }

  /**
   * Whether a request has to wait for the model, which is then on its way.
   * @throws {EasError} `not_ready` while it waits for another try after it failed.
   */
  private isAwaited(): boolean {
    if (this.deployment) {
      const state = this.deployment.state()
      if (state.state !== 'ready') throw notReady(state)
      return false
    }
    if (this.failure && !this.loading && Date.now() < this.retryAt)
      throw notReady({ state: 'failed', error: this.failure })
    this.load().catch(() => {})
    return true
  }

  private async deploy(): Promise<void> {
    // Where a model computes on the thread that answers, a second session would only stand in the way of requests.
    const deployment = new Deployment(this.spec, this.listener.onEvent, this.spec.isolation !== 'inline')
    let info: ModelInfo
    try {
      const [ready] = await Promise.all([deployment.ready, this.items?.load()])
      info = ready
      if (this.items?.data) deployment.useItems(this.items.data)
      await this.warm(deployment)
    } catch (thrown) {
      await deployment.close()
      const error = EasError.from(thrown)
      const retryInMs = Math.min(retryMs.first * 2 ** this.failures++, retryMs.last)
      this.retryAt = Date.now() + retryInMs
      this.failure = error
      this.listener.onEvent({ kind: 'unavailable', error, retryInMs })
      this.waitingRoom.refuseAll(new EasError('not_ready', error.message))
      throw error
    }
    this.failure = undefined
    this.failures = 0
    if (this.closed) return deployment.close()
    this.deployment = deployment
    this.listener.onLoaded()
    this.letIn()
    this.prepare(deployment)
    if (info.isProvisional) this.refreshing ??= this.replace(deployment).finally(this.refreshed)
  }

  private readonly refreshed = (): void => {
    this.refreshing = undefined
  }

  private async replaceOlder(old: Deployment): Promise<void> {
    try {
      if ((await this.spec.origin.newest()) === old.version) return
    } catch (thrown) {
      return this.listener.onEvent({ kind: 'not_replaced', error: EasError.from(thrown) })
    }
    await this.replace(old)
  }

  /** Loads the model anew and puts it in the place of `old`, which goes once it has answered its requests. Never rejects. */
  private async replace(old: Deployment): Promise<void> {
    const next = new Deployment(this.spec, this.listener.onEvent, false)
    try {
      await next.ready
      if (this.items?.data) next.useItems(this.items.data)
      await this.warm(next)
      // It may have been evicted meanwhile, and even loaded again.
      if (this.deployment !== old || this.closed) return await next.close()
      this.deployment = next
      // They may have changed while it warmed up.
      if (this.items?.data) next.useItems(this.items.data)
      this.listener.onEvent({ kind: 'replaced', version: next.version })
      await old.retire()
    } catch (thrown) {
      await next.close()
      this.listener.onEvent({ kind: 'not_replaced', error: EasError.from(thrown) })
    }
  }

  /** Replays kept requests through the whole pipeline, past the queue and whoever asks for tokens. */
  private async warm(deployment: Deployment): Promise<void> {
    const { budgetMs } = this.spec.warmUp
    const report = await this.warmUp.run(
      (body) =>
        new Promise((resolve, reject) => {
          // A copy: a worker keeps what it is sent, and a request is sent several times.
          deployment.predict(new Uint8Array(body), Date.now() + budgetMs, undefined, (outcome) => {
            const { decode, compute, encode } = outcome.stages
            if ('error' in outcome) reject(fromWireError(outcome.error))
            else resolve(decode + compute + encode)
          })
        }),
    )
    if (report) this.listener.onEvent({ kind: 'warmed', report })
  }

  /** For the starts to come; this one goes on as it is. */
  private prepare({ unprepared }: Deployment): void {
    if (!unprepared || this.hasPrepared) return
    this.hasPrepared = true
    this.spec.prepare?.(unprepared).then(
      ({ folder }) => this.listener.onEvent({ kind: 'prepared', folder }),
      (thrown) => this.listener.onEvent({ kind: 'not_prepared', error: EasError.from(thrown) }),
    )
  }

  private note(notes: readonly Note[]): void {
    for (const note of notes) {
      if (note.kind === 'file') this.requestFiles?.write(note, new Date())
      else if (note.kind === 'file_dropped') this.requestFiles?.drop()
      else this.listener.onEvent({ kind: 'noted', message: note.message, facts: note.facts })
    }
  }

  private letIn(): void {
    if (this.deployment && this.waitingRoom.size > 0) this.waitingRoom.letIn(() => this.admission.hasRoom)
  }
}

const noWork = { decode: 0, compute: 0, encode: 0 }

export function notReady(state: ServiceState): EasError {
  return state.state === 'failed'
    ? new EasError('not_ready', state.error.message)
    : new EasError('not_ready', 'The model is being loaded')
}
