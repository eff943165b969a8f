import { availableParallelism } from 'node:os'
import { assert, EasError } from '@eas/base'
import type { ItemData } from '@eas/feature-store'
import type { ModelInfo } from '../session.ts'
import type { Host, HostEvents } from './host.ts'
import type { FromWorker, ModelSpec, Outcome, PredictItem, WireError } from './messages.ts'

/** A request on its way through the engine. */
export interface Pending {
  readonly item: PredictItem
  /** When it came, on the clock of `performance.now()`. */
  readonly since: number
  readonly answer: (outcome: Outcome) => void
}

export interface WorkerEvents {
  onLoaded(info: ModelInfo): void
  onFailed(error: EasError): void
  /** It ended by itself; `lost` requests were answered with a failure. */
  onDeath(reason: string, lost: number): void
  /** It may take more requests than before. */
  onRoom(): void
}

/**
 * Milliseconds of work that may be on its way to a worker. Enough that a fast model never waits for the next message, and
 * little enough that requests for a slow one stay in the queue, where they can still be given to another or be cancelled.
 */
const windowMs = 2
const windowMax = 64

/** Milliseconds that the event loop does not sleep for: to be woken takes longer than a small inference. */
const awakeMs = availableParallelism() > 1 ? 0.3 : 0

/** This side of one worker: what it has been sent, and how fast it is. */
export class ModelWorker {
  ready = false
  readonly inFlight = new Map<number, Pending>()
  /** Milliseconds that one request takes it, lately. */
  serviceMs = windowMs
  private readonly host: Host
  private readonly events: WorkerEvents
  private turning: NodeJS.Immediate | undefined
  /** How long the event loop is kept turning, on the clock of `performance.now()`. */
  private awakeUntil = 0

  constructor(start: (events: HostEvents) => Host, events: WorkerEvents) {
    this.events = events
    this.host = start({
      onMessage: (message) => this.receive(message),
      onDeath: (reason) => this.die(reason),
    })
  }

  /** Requests that it may be sent now. */
  get room(): number {
    const window = Math.max(1, Math.min(windowMax, Math.floor(windowMs / this.serviceMs)))
    return window - this.inFlight.size
  }

  load(spec: ModelSpec): void {
    this.host.post({ kind: 'load', spec })
  }

  useItems(data: ItemData): void {
    this.host.post({ kind: 'items', data })
  }

  /** It is not needed: its model cannot be had. */
  fail(error: EasError): void {
    void this.close()
    this.events.onFailed(error)
  }

  send(requests: readonly Pending[]): void {
    if (requests.length === 0) return
    const items: PredictItem[] = []
    for (const pending of requests) {
      this.inFlight.set(pending.item.id, pending)
      items.push(pending.item)
    }
    this.host.post({ kind: 'predict', items })
    if (this.inFlight.size === 1 && this.serviceMs < awakeMs) this.awakeUntil = performance.now() + awakeMs
    if (!this.turning) this.turnSoon()
  }

  cancel(id: number): void {
    if (this.inFlight.has(id)) this.host.post({ kind: 'cancel', id })
  }

  close(): Promise<void> {
    this.ready = false
    return this.host.close()
  }

  private turnSoon(): void {
    this.host.answers?.watch()
    this.turning = setImmediate(this.turn)
  }

  /**
   * Looks for answers once per turn of the event loop, which spares the worker telling of them: for as long as each turn finds
   * some, and for a moment while a single fast one is awaited.
   */
  private readonly turn = (): void => {
    const { answers } = this.host
    const came = answers?.look() ?? false
    const { size } = this.inFlight
    const goesOn = size > 0 && (came || (size === 1 && performance.now() < this.awakeUntil))
    if (goesOn || answers?.look(false)) this.turnSoon()
    else this.turning = undefined
  }

  private receive(message: FromWorker): void {
    if (message.kind === 'outcomes') {
      for (const outcome of message.outcomes) this.answer(outcome)
      this.events.onRoom()
    } else if (message.kind === 'loaded') {
      this.ready = true
      this.events.onLoaded(message.info)
    } else if (message.kind === 'failed') {
      this.fail(fromWireError(message.error))
    }
  }

  private answer(outcome: Outcome): void {
    const pending = this.inFlight.get(outcome.id)
    assert(pending, `request ${outcome.id} is answered once`)
    this.inFlight.delete(outcome.id)
    const { decode, compute, encode } = outcome.stages
    this.serviceMs += (decode + compute + encode - this.serviceMs) * 0.1
    pending.answer(outcome)
  }

  private die(reason: string): void {
    this.ready = false
    const lost = [...this.inFlight.values()]
    this.inFlight.clear()
    const error = { code: 'internal', message: 'Prediction failed: the model crashed' } as const
    for (const { item, answer } of lost) answer({ id: item.id, error, stages: { decode: 0, compute: 0, encode: 0 } })
    this.events.onDeath(reason, lost.length)
  }
}

/** An error as it was before it crossed from a worker. */
export function fromWireError({ code, message, cause }: WireError): EasError {
  return new EasError(code, message, cause === undefined ? undefined : { cause })
}
