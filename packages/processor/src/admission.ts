import { EasError } from '@eas/base'

export interface AdmissionOptions {
  /** Requests worked on at once: `metadata.rpc.worker_threads`. */
  readonly slots: number
  /** Requests that may wait for a slot: `metadata.rpc.max_queue_size`. */
  readonly queueMax: number
  /** Requests a second, 0 for no limit: `metadata.rpc.rate_limit`. */
  readonly rateLimit: number
  /** Milliseconds, monotonic. */
  readonly now: () => number
}

/** A request's place: `leave` frees it, whether it waits or works, and may be called once. */
export interface Place {
  leave(): void
}

/**
 * Overload as EAS has it: so many requests are worked on, so many wait in the order they came, and the next one is refused.
 * @see eas-service 1.2, `metadata.rpc`, and 2, status codes 429 and 450
 */
export class Admission {
  private readonly options: AdmissionOptions
  private readonly waiting = new Set<() => void>()
  private working = 0
  private tokens: number
  private refilledAt: number

  constructor(options: AdmissionOptions) {
    this.options = options
    this.tokens = options.rateLimit
    this.refilledAt = options.now()
  }

  /** Requests waiting for a slot. */
  get queued(): number {
    return this.waiting.size
  }

  /** Whether a request that came now would be refused. */
  get isFull(): boolean {
    return this.working >= this.options.slots && this.waiting.size >= this.options.queueMax
  }

  /**
   * Takes a slot now, or a place in the queue; `begin` is called once, when there is a slot, before or after this returns.
   * @throws {EasError} `rate_limited` or `queue_full`
   */
  enter(begin: () => void): Place {
    this.takeToken()
    const { slots, queueMax } = this.options
    if (this.working < slots) {
      this.working++
      begin()
      return { leave: this.free }
    }
    if (this.waiting.size >= queueMax) throw queueFull(queueMax)
    this.waiting.add(begin)
    return {
      leave: () => {
        if (!this.waiting.delete(begin)) this.free()
      },
    }
  }

  private readonly free = () => {
    this.working--
    const [next] = this.waiting
    if (!next) return
    this.waiting.delete(next)
    this.working++
    next()
  }

  /** A bucket of one second's requests, refilled steadily. */
  private takeToken(): void {
    const { rateLimit, now } = this.options
    if (rateLimit <= 0) return
    const time = now()
    this.tokens = Math.min(Math.max(1, rateLimit), this.tokens + ((time - this.refilledAt) / 1000) * rateLimit)
    this.refilledAt = time
    if (this.tokens < 1) {
      throw new EasError('rate_limited', `Rate limit reached: this instance takes ${rateLimit} requests a second`)
    }
    this.tokens--
  }
}

export const queueFull = (queueMax: number) =>
  new EasError('queue_full', `Queue full: ${queueMax} requests are waiting already`)
