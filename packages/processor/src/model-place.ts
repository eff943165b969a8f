import { collectGarbage, EasError } from '@eas/base'
import type { ItemData } from '@eas/feature-store'
import { Deployment } from './deployment.ts'
import type { Items } from './items.ts'
import type { ServiceEvent, ServiceSpec, ServiceState } from './service-types.ts'
import type { ModelInfo } from './session.ts'

/** What a place tells its service. */
export interface PlaceEvents {
  onEvent(event: ServiceEvent): void
  /** A model is there, warmed up; called for the first and not for those that replace it. */
  onReady(): void
  /** There is none yet, and those who wait for it need not. */
  onFailed(error: EasError): void
  /** Replays requests before a model is given any other. */
  warm(deployment: Deployment): Promise<void>
}

/** First wait before a model that could not be had is asked for again; doubles up to the last. */
const retryMs = { first: 500, last: 30_000 }

/** Milliseconds between the leaving of a model and the collection of what it has left: several often leave together. */
const collectAfterMs = 100
let collecting: NodeJS.Timeout | undefined

/** Collects the garbage of the models that leave now, once for all of them: it takes a millisecond per MB of what stays. */
function collectSoon(): void {
  if (collecting) return
  collecting = setTimeout(() => {
    collecting = undefined
    collectGarbage()
  }, collectAfterMs).unref()
}

/** The place of a service's model: which version of it answers, how that gets there, and when it leaves. */
export class ModelPlace {
  /** Whether a model was there and had to leave. */
  isEvicted = false
  private readonly spec: ServiceSpec
  private readonly items: Items | undefined
  private readonly events: PlaceEvents
  private deployment: Deployment | undefined
  private loading: Promise<void> | undefined
  private refreshing: Promise<void> | undefined
  private failure: EasError | undefined
  private failures = 0
  private retryAt = 0
  private hasPrepared = false
  private closed = false

  /** @param items What its models are given beside requests. */
  constructor(spec: ServiceSpec, items: Items | undefined, events: PlaceEvents) {
    this.spec = spec
    this.items = items
    this.events = events
  }

  /** The model that answers now, whatever its state. */
  get current(): Deployment | undefined {
    return this.deployment
  }

  /** Resolves when the model is ready; one load at a time, however many ask. A load that failed is tried again. */
  load(): Promise<void> {
    if (this.deployment) return Promise.resolve()
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

  /**
   * The model to answer a request; `undefined` while that is on its way.
   * @throws {EasError} `not_ready` while it waits for another try after it failed.
   */
  ask(): Deployment | undefined {
    if (this.deployment) {
      const state = this.deployment.state()
      if (state.state !== 'ready') throw notReady(state)
      return this.deployment
    }
    if (this.failure && !this.loading && Date.now() < this.retryAt)
      throw notReady({ state: 'failed', error: this.failure })
    this.load().catch(() => {})
    return undefined
  }

  /** Resolves when no other session is being made for this one's place. */
  settled(): Promise<void> {
    return this.refreshing ?? Promise.resolve()
  }

  /** Looks for a newer version of the model and puts it in the place of this one, once it is ready. Never rejects. */
  refresh(): Promise<void> {
    const old = this.deployment
    if (old) this.refreshing ??= this.replaceOlder(old).finally(this.refreshed)
    return this.settled()
  }

  /** Lets the model go, and its memory with it; the next request loads it again. */
  async unload(): Promise<void> {
    const { deployment } = this
    if (!deployment) return
    this.deployment = undefined
    this.isEvicted = true
    this.events.onEvent({ kind: 'evicted', bytes: deployment.bytes })
    await deployment.retire()
    collectSoon()
  }

  /** Resolves when nothing is being loaded, and nothing will be. */
  async stop(): Promise<void> {
    this.closed = true
    await Promise.allSettled([this.loading, this.refreshing])
  }

  private async deploy(): Promise<void> {
    // Where a model computes on the thread that answers, a second session would only stand in the way of requests.
    const deployment = new Deployment(this.spec, this.events.onEvent, this.spec.isolation !== 'inline')
    let info: ModelInfo
    try {
      const [ready] = await Promise.all([deployment.ready, this.items?.load()])
      info = ready
      this.giveItems(deployment)
      await this.events.warm(deployment)
    } catch (thrown) {
      await deployment.close()
      const error = EasError.from(thrown)
      const retryInMs = Math.min(retryMs.first * 2 ** this.failures++, retryMs.last)
      this.retryAt = Date.now() + retryInMs
      this.failure = error
      this.events.onEvent({ kind: 'unavailable', error, retryInMs })
      this.events.onFailed(new EasError('not_ready', error.message))
      throw error
    }
    this.failure = undefined
    this.failures = 0
    if (this.closed) return deployment.close()
    this.deployment = deployment
    this.events.onReady()
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
      return this.events.onEvent({ kind: 'not_replaced', error: EasError.from(thrown) })
    }
    await this.replace(old)
    collectSoon()
  }

  /** Loads the model anew and puts it in the place of `old`, which goes once it has answered its requests. Never rejects. */
  private async replace(old: Deployment): Promise<void> {
    const next = new Deployment(this.spec, this.events.onEvent, false)
    try {
      await next.ready
      this.giveItems(next)
      await this.events.warm(next)
      // It may have been evicted meanwhile, and even loaded again.
      if (this.deployment !== old || this.closed) return await next.close()
      this.deployment = next
      // They may have changed while it warmed up.
      this.giveItems(next)
      this.events.onEvent({ kind: 'replaced', version: next.version })
      await old.retire()
    } catch (thrown) {
      await next.close()
      this.events.onEvent({ kind: 'not_replaced', error: EasError.from(thrown) })
    }
  }

  private giveItems(deployment: Deployment): void {
    const data: ItemData | undefined = this.items?.data
    if (data) deployment.useItems(data)
  }

  /** For the starts to come; this one goes on as it is. */
  private prepare({ unprepared }: Deployment): void {
    if (!unprepared || this.hasPrepared) return
    this.hasPrepared = true
    this.spec.prepare?.(unprepared).then(
      ({ folder }) => this.events.onEvent({ kind: 'prepared', folder }),
      (thrown) => this.events.onEvent({ kind: 'not_prepared', error: EasError.from(thrown) }),
    )
  }
}

export function notReady(state: ServiceState): EasError {
  return state.state === 'failed'
    ? new EasError('not_ready', state.error.message)
    : new EasError('not_ready', 'The model is being loaded')
}
