import { EasError } from '@eas/base'

export interface AdmissionOptions {
  /** Requests that may be inside at once: those worked on and those that wait. */
  readonly insideMax: number
  /** Of those, how many wait when it is full; for the message. */
  readonly queueMax: number
  /** Requests a second, 0 for no limit: `metadata.rpc.rate_limit`. */
  readonly rateLimit: number
  /** Milliseconds, monotonic. */
  readonly now: () => number
}

/**
 * Who may enter a service that has so many places and takes so many requests a second.
 * @see eas-service 1.2, `metadata.rpc`, and 2, status codes 429 and 450
 */
export class Admission {
  private readonly options: AdmissionOptions
  private count = 0
  private tokens: number
  private refilledAt: number

  constructor(options: AdmissionOptions) {
    this.options = options
    this.tokens = options.rateLimit
    this.refilledAt = options.now()
  }

  /** Requests that have a place: waiting, or worked on. */
  get inside(): number {
    return this.count
  }

  get hasRoom(): boolean {
    return this.count < this.options.insideMax
  }

  /** @throws {EasError} `queue_full` when a request that came now would be refused. */
  checkOpen(): void {
    if (this.hasRoom) return
    throw new EasError('queue_full', `Queue full: ${this.options.queueMax} requests are waiting already`)
  }

  /**
   * Takes a place, which `leave` frees.
   * @throws {EasError} `rate_limited` or `queue_full`
   */
  enter(): void {
    this.takeToken()
    this.checkOpen()
    this.count++
  }

  leave(): void {
    this.count--
  }

  /** A bucket of one second's requests, refilled steadily. */
  private takeToken(): void {
    const { rateLimit, now } = this.options
    if (rateLimit <= 0) return
    const time = now()
    const refill = ((time - this.refilledAt) / 1000) * rateLimit
    this.tokens = Math.min(Math.max(1, rateLimit), this.tokens + refill)
    this.refilledAt = time
    if (this.tokens < 1) {
      throw new EasError('rate_limited', `Rate limit reached: this instance takes ${rateLimit} requests a second`)
    }
    this.tokens--
  }
}
