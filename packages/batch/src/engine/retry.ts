import { EasError } from '@eas/base'
import { StoreError, type StoreErrorCode } from '@eas/storage'
import type { Clock } from '../clock.ts'

/** Tries in all, and the wait before the second, which doubles. Together some 6 s: longer is the next delivery's matter. */
const rule = { attempts: 7, delayMs: 100, maxDelayMs: 3000 }

/** EAS statuses that ask to come again: full queues, rate limits, a model that is being loaded. */
const comeAgain: ReadonlySet<string> = new Set(['queue_full', 'rate_limited', 'not_ready'])

/** Codes of stores that are about what they were asked for, and not about the store or who may ask it. */
const aboutObjects: ReadonlySet<StoreErrorCode> = new Set(['corrupt', 'invalid', 'too-large', 'unsupported'])

/**
 * Whether it is about what is around the object: a store or a service that is out of reach, or refuses, or an object that has
 * been replaced. That changes without the object being changed, so the next delivery may fare better.
 */
export const isOutside = (thrown: unknown): boolean =>
  thrown instanceof StoreError
    ? thrown.retryable || !aboutObjects.has(thrown.code)
    : thrown instanceof EasError && thrown.code !== 'not_implemented'

export const isTransient = (thrown: unknown): boolean =>
  (thrown instanceof StoreError && thrown.retryable) || (thrown instanceof EasError && comeAgain.has(thrown.code))

/** Calls `run` until it succeeds, fails for good, or has failed too often; then throws the last failure. */
export async function retried<T>(clock: Clock, signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await run()
    } catch (thrown) {
      if (signal.aborted || !isTransient(thrown) || failures >= rule.attempts) throw thrown
      const bound = Math.min(rule.maxDelayMs, rule.delayMs * 2 ** (failures - 1))
      const asked = thrown instanceof StoreError ? (thrown.retryAfterMs ?? 0) : 0
      await clock.sleep(Math.max(asked, bound * clock.random()), signal)
    }
  }
}
