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

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve))
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
export function skewedClock(world: World, skew: { ms: number }): Clock {
  return {
    now: () => world.now + skew.ms,
    sleep: (ms) => world.sleep(ms),
    random: world.random,
  }
}
