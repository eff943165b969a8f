import type { Clock } from '@eas/batch'

/** Chance from one integer: mulberry32, public domain, by Tommy Ettinger. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

interface Event {
  readonly at: number
  readonly order: number
  readonly run: () => void
  /** Whose it is, if anyone's: what has died does not wake up. */
  readonly owner?: Owner | undefined
}

export interface Owner {
  readonly isAlive: boolean
}

/**
 * A world whose time passes only when nothing can be done before it does. What happens in it is decided by its seed alone:
 * every wait is an event here, events of one moment keep their order, and between two events everything that is ready runs.
 */
export class World {
  readonly random: () => number
  /** Milliseconds. */
  now = 0
  private readonly events: Event[] = []
  private order = 0

  constructor(seed: number) {
    this.random = seededRandom(seed)
  }

  chance(share: number): boolean {
    return this.random() < share
  }

  /** A whole number from `min` to `max`. */
  between(min: number, max: number): number {
    return min + Math.floor(this.random() * (max - min + 1))
  }

  after(ms: number, run: () => void): void {
    this.events.push({ at: this.now + ms, order: this.order++, run })
  }

  /** @param signal Ends the wait, which then rejects. */
  sleep(ms: number, signal?: AbortSignal, owner?: Owner): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = () => {
        const at = this.events.indexOf(event)
        if (at >= 0) this.events.splice(at, 1)
        reject(new DOMException('cancelled', 'AbortError'))
      }
      const run = () => {
        signal?.removeEventListener('abort', cancel)
        resolve()
      }
      const event: Event = { at: this.now + ms, order: this.order++, run, owner }
      this.events.push(event)
      signal?.addEventListener('abort', cancel)
    })
  }

  /** Until nothing is left to happen, or time is over. @returns whether nothing is left. */
  async run(until: number): Promise<boolean> {
    for (;;) {
      await new Promise(setImmediate) // everything that is ready
      const next = this.takeNext()
      if (!next) return true
      if (next.at > until) return false
      this.now = next.at
      next.run()
    }
  }

  private takeNext(): Event | undefined {
    for (let i = this.events.length - 1; i >= 0; i--) {
      if (this.events[i]?.owner?.isAlive === false) this.events.splice(i, 1)
    }
    let first = 0
    for (let i = 1; i < this.events.length; i++) {
      const a = this.events[i] as Event
      const b = this.events[first] as Event // both are inside
      if (a.at < b.at || (a.at === b.at && a.order < b.order)) first = i
    }
    return this.events.splice(first, 1)[0]
  }
}

/** A worker's clock, which is set wrong and jumps. */
export function skewedClock(world: World, skew: { ms: number }, owner: Owner): Clock {
  return {
    now: () => world.now + skew.ms,
    sleep: (ms, signal) => world.sleep(ms, signal, owner),
    random: world.random,
  }
}
