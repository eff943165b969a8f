import type { Clock } from '../clock.ts'

/** Thrown where time is over before anything is there that could be committed. The next attempt begins where this one did. */
export class OutOfTime extends Error {
  override readonly name = 'OutOfTime'
}

/** Kept of an attempt's time for committing what is there; of a short attempt a tenth. */
const commitMsMax = 2000

/** When an attempt that begins now has to end its chunk, so that it is committed by the deadline. */
export const lastMoment = (now: number, deadline: number): number =>
  deadline - Math.min(commitMsMax, Math.max(0, deadline - now) / 10)

/** Longer waits overflow a timer. */
const waitMsMax = 2 ** 31 - 1

/** Until when something may take. `end` has to be called. */
export class TimeLimit {
  private readonly clock: Clock
  private readonly at: number
  private readonly stop = new AbortController()
  private waiting: Promise<'late'> | undefined

  /** @param at Milliseconds since 1970, or infinity. */
  constructor(clock: Clock, at: number) {
    this.clock = clock
    this.at = at
  }

  get isOver(): boolean {
    return this.clock.now() >= this.at
  }

  /** Whether it settles in time. What is settled already is in time. @throws what it rejects with. */
  async meets(promise: Promise<unknown>): Promise<boolean> {
    if (this.at === Number.POSITIVE_INFINITY) {
      await promise
      return true
    }
    return (await Promise.race([promise, this.late()])) !== 'late'
  }

  end(): void {
    this.stop.abort()
  }

  private late(): Promise<'late'> {
    const ms = Math.min(waitMsMax, Math.max(0, this.at - this.clock.now()))
    // A clock that is set back makes it longer, which costs the chunk and nothing else.
    this.waiting ??= this.clock.sleep(ms, this.stop.signal).then(
      () => 'late',
      () => new Promise<never>(() => {}), // at the end nobody waits
    )
    return this.waiting
  }
}
