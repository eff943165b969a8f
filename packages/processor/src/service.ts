import { EasError } from '@eas/base'
import type { ItemCacheStatus } from '@eas/feature-store'
import { Admission } from './admission.ts'
import type { Deployment } from './deployment.ts'
import type { EngineState } from './engine/engine.ts'
import type { Note, Outcome } from './engine/messages.ts'
import { fromWireError } from './engine/model-worker.ts'
import { Items } from './items.ts'
import type { FileCounts } from './logs/file-writers.ts'
import { RequestFiles } from './logs/request-files.ts'
import { ModelPlace, notReady } from './model-place.ts'
import type { Rehearsal } from './rehearsal.ts'
import { torchrecRequestId } from './request-id.ts'
import type { ServiceListener, ServiceSpec, ServiceState } from './service-types.ts'
import type { Stages } from './stages.ts'
import { type Waiting, WaitingRoom } from './waiting-room.ts'
import type { WarmUpReport } from './warm-up/replay.ts'
import { WarmUp } from './warm-up/warm-up.ts'

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

/** One service: who may enter, how long they may stay, and the model that answers them. */
export class Service {
  readonly spec: ServiceSpec
  /** When its model was last asked for anything, on the clock of `performance.now()`. */
  usedAt = 0
  private readonly listener: ServiceListener
  private readonly admission: Admission
  private readonly waitingRoom = new WaitingRoom()
  private readonly warmUp: WarmUp
  private readonly items: Items | undefined
  private readonly requestFiles: RequestFiles | undefined
  private readonly place: ModelPlace

  constructor(spec: ServiceSpec, listener: ServiceListener) {
    this.spec = spec
    this.listener = listener
    const { model, rpc } = spec
    this.items = spec.items && new Items(spec.items, (data) => this.place.current?.useItems(data))
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
    this.place = new ModelPlace(spec, this.items, {
      onEvent: listener.onEvent,
      onReady: () => {
        listener.onLoaded()
        this.letIn()
      },
      onFailed: (error) => this.waitingRoom.refuseAll(error),
      warm: (deployment) => this.warm(deployment),
    })
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
    return (this.place.current?.queued ?? 0) + this.waitingRoom.size
  }

  /** Bytes of the model that is loaded; 0 when none is. */
  get bytes(): number {
    return this.place.current?.bytes ?? 0
  }

  /** Whether the model could be done without now. */
  get isIdle(): boolean {
    const { current } = this.place
    return current !== undefined && !current.isBusy && this.inside === 0
  }

  /** Whether its model was loaded and had to leave. */
  get isEvicted(): boolean {
    return this.place.isEvicted
  }

  /** What was replayed before the model was ready. */
  get warmUpReport(): WarmUpReport | undefined {
    return this.warmUp.report
  }

  get version(): string | undefined {
    return this.place.current?.version
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
    this.usedAt = performance.now()
    return this.place.load()
  }

  state(): ServiceState {
    return this.place.state()
  }

  /** Throws what a request that came now would be answered, where its body cannot change that. */
  checkOpen(): void {
    if (this.place.ask()) this.admission.checkOpen()
    else this.waitingRoom.checkOpen()
  }

  /**
   * Resolves when there is a model to ask about.
   * @throws {EasError} `not_ready` when there is none within `keepalive`.
   */
  async whenReady(): Promise<EngineState & { state: 'ready' }> {
    if (!this.place.ask()) {
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
          enter: () => attempt(() => this.place.current && enter(this.place.current)),
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
        const error = this.place.current
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
        const deployment = leftMs > 0 ? this.place.ask() : undefined
        if (deployment) enter(deployment)
        else if (leftMs > 0) wait()
        else timedOut()
      })
    })
  }

  /** What can be rehearsed with, once: nothing where requests are rationed, or where there was nothing to warm up with. */
  takeRehearsal(): Rehearsal | undefined {
    const { name, token, rpc } = this.spec
    const body = this.warmUp.takeSample()
    return body && this.place.current && rpc.rate_limit <= 0 ? { service: name, token, body } : undefined
  }

  /** Resolves when no other session is being made for this one's place. */
  settled(): Promise<void> {
    return this.place.settled()
  }

  /** Looks for a newer version of the model and puts it in the place of this one, once it is ready. Never rejects. */
  refresh(): Promise<void> {
    return this.place.refresh()
  }

  /** Lets the model go; the next request loads it again. */
  unload(): Promise<void> {
    return this.place.unload()
  }

  /** Resolves when what requests left behind is written, or after so many milliseconds. */
  async flush(withinMs: number): Promise<void> {
    await this.requestFiles?.flush(withinMs)
  }

  async close(): Promise<void> {
    const stopped = this.place.stop()
    this.waitingRoom.refuseAll(new EasError('not_ready', 'The service is ending'))
    await stopped
    await Promise.all([this.place.current?.close(), this.items?.close(), this.flush(this.spec.graceMs)])
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

  private note(notes: readonly Note[]): void {
    for (const note of notes) {
      if (note.kind === 'file') this.requestFiles?.write(note, new Date())
      else if (note.kind === 'file_dropped') this.requestFiles?.drop()
      else this.listener.onEvent({ kind: 'noted', message: note.message, facts: note.facts })
    }
  }

  private letIn(): void {
    if (this.place.current && this.waitingRoom.size > 0) this.waitingRoom.letIn(() => this.admission.hasRoom)
  }
}

const noWork = { decode: 0, compute: 0, encode: 0 }
