import { EasError } from '@eas/base'

/** Whoever waits until the model is there. */
export interface Waiting {
  /** Of memory that waits with it. */
  readonly bytes: number
  readonly enter: () => void
  readonly refuse: (error: EasError) => void
}

/** How much may wait at once: a burst after a cold start, but not without end. */
const roomMax = { requests: 10_000, bytes: 256 * 1024 * 1024 }

/**
 * Requests that came before their model did. They wait for it outside the service, whose places are for requests that can
 * be computed, and enter in the order they came, as places become free.
 */
export class WaitingRoom {
  private readonly waiting = new Set<Waiting>()
  private bytes = 0

  get size(): number {
    return this.waiting.size
  }

  /** @throws {EasError} `not_ready` when a request that came now would find no place. */
  checkOpen(): void {
    if (this.waiting.size < roomMax.requests && this.bytes < roomMax.bytes) return
    throw new EasError('not_ready', `The model is being loaded, and ${this.waiting.size} requests wait for it already`)
  }

  /** @throws {EasError} `not_ready` when there is no place. */
  add(waiting: Waiting): void {
    this.checkOpen()
    this.waiting.add(waiting)
    this.bytes += waiting.bytes
  }

  leave(waiting: Waiting): void {
    if (this.waiting.delete(waiting)) this.bytes -= waiting.bytes
  }

  /** Lets requests in for as long as there is room for them. */
  letIn(hasRoom: () => boolean): void {
    for (const waiting of this.waiting) {
      if (!hasRoom()) return
      this.leave(waiting)
      waiting.enter()
    }
  }

  refuseAll(error: EasError): void {
    for (const waiting of this.waiting) {
      this.leave(waiting)
      waiting.refuse(error)
    }
  }
}
