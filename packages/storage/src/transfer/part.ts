import type { ObjectInfo, ObjectStore, Sink } from '../object-store.ts'
import { pourStream } from '../pour-stream.ts'
import { StoreError, stopped } from '../store-error.ts'
import { crc32, crc32c } from './crc.ts'
import { progressBytes, type Rules } from './options.ts'
import { delayBefore, pause } from './retry.ts'
import { Slabs } from './slabs.ts'
import type { Target } from './target.ts'

export interface PartDone {
  readonly bytes: number
  readonly crc32: number
  /** Computed only if the store vouches for one. */
  readonly crc32c: number | undefined
}

export interface PartEvents {
  bytes(count: number): void
  retry(error: StoreError): void
}

/**
 * Reads bytes `start` to `end` of one version of an object into `target`. After a failure it goes on where it stopped.
 * @throws {StoreError} the last failure; `changed` if the version is gone.
 */
export async function downloadPart(
  store: ObjectStore,
  info: ObjectInfo,
  [start, end]: readonly [start: number, end: number],
  target: Target,
  rules: Rules,
  signal: AbortSignal,
  events: PartEvents,
): Promise<PartDone> {
  const doing = `download ${store.url}/${info.key}`
  const wantsC = info.digests?.crc32c !== undefined && info.digests.crc32 === undefined
  let at = start
  let sum = 0
  let sumC = 0

  async function attempt(): Promise<void> {
    const watch = new Watch(rules, signal, doing)
    const slabs = new Slabs(end - at, (bytes) => {
      const from = at
      // Only bytes whose writing has begun count, and every writing is waited for below.
      at += bytes.length
      sum = crc32.update(bytes, sum)
      if (wantsC) sumC = crc32c.update(bytes, sumC)
      events.bytes(bytes.length)
      return target.write([bytes], from)
    })
    try {
      const options = { start: at, end, version: info.version, signal: watch.signal }
      const sink: Sink = {
        room: () => slabs.room(),
        took(bytes) {
          watch.saw(bytes)
          return slabs.took(bytes)
        },
      }
      if (store.pour) await store.pour(info.key, sink, options)
      else await pourStream((await store.stream(info.key, options)).body, sink, doing)
    } catch (error) {
      throw watch.reason ?? StoreError.from(error, doing)
    } finally {
      watch.end()
      // What came before a failure counts. A write that failed is the disk's fault, and no reason to ask the store again.
      await slabs.end().catch((error) => {
        throw new WriteFailed(StoreError.from(error, `write ${target.name}`))
      })
    }
    if (at < end) throw new StoreError('unavailable', `Cannot ${doing}: it ended at byte ${at} of ${end}`)
  }

  for (let failures = 0, expiries = 0, forgiven = start; ; ) {
    try {
      await attempt()
      return { bytes: end - start, crc32: sum, crc32c: wantsC ? sumC : undefined }
    } catch (thrown) {
      if (thrown instanceof WriteFailed) throw thrown.cause
      if (signal.aborted) throw stopped(signal, doing)
      const error = StoreError.from(thrown, doing)
      failures = at - forgiven >= progressBytes ? 1 : failures + 1
      if (failures === 1) forgiven = at
      expiries = error.code === 'expired' ? expiries + 1 : 0
      if (!error.retryable || failures >= rules.retry.attempts || expiries > 1) throw error
      events.retry(error)
      await pause(delayBefore(failures, rules.retry, error), signal, doing)
    }
  }
}

class WriteFailed extends Error {
  override readonly cause: StoreError

  constructor(cause: StoreError) {
    super(cause.message)
    this.cause = cause
  }
}

/** Ends a request that brings too little: an idle timeout alone would wait forever for ten bytes a second. */
class Watch {
  reason: StoreError | undefined
  private readonly controller = new AbortController()
  private readonly timer: NodeJS.Timeout
  private readonly outer: AbortSignal
  private bytes = 0

  constructor({ minBytesPerSecond, throughputWindowMs }: Rules, outer: AbortSignal, doing: string) {
    this.outer = outer
    const least = (minBytesPerSecond * throughputWindowMs) / 1000
    this.timer = setInterval(() => {
      if (this.bytes < least) {
        this.reason = new StoreError('timeout', `Cannot ${doing}: ${this.bytes} bytes came in ${throughputWindowMs} ms`)
        this.controller.abort(this.reason)
      }
      this.bytes = 0
    }, throughputWindowMs)
    outer.addEventListener('abort', this.stop, { once: true })
    if (outer.aborted) this.stop()
  }

  private readonly stop = () => this.controller.abort(this.outer.reason)

  get signal(): AbortSignal {
    return this.controller.signal
  }

  saw(bytes: number): void {
    this.bytes += bytes
  }

  end(): void {
    clearInterval(this.timer)
    this.outer.removeEventListener('abort', this.stop)
  }
}
