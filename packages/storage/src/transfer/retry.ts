import { setTimeout as sleep } from 'node:timers/promises'
import { StoreError, stopped } from '../store-error.ts'

export interface RetryRule {
  /** Calls in all that may fail before the last failure is the answer. */
  readonly attempts: number
  /** Before the second call; doubles from then on, up to `maxDelayMs`. */
  readonly delayMs: number
  readonly maxDelayMs: number
}

/** AWS's "full jitter": any wait up to the bound, so that those who failed together do not return together. */
export function delayBefore(failures: number, rule: RetryRule, error: StoreError, random = Math.random): number {
  const bound = Math.min(rule.maxDelayMs, rule.delayMs * 2 ** (failures - 1))
  return Math.max(error.retryAfterMs ?? 0, bound * random())
}

/**
 * Calls `run` until it succeeds, fails for good, or has failed `rule.attempts` times. Credentials that expired are asked
 * for once more, not longer.
 * @throws {StoreError} the last failure.
 */
export async function retrying<T>(
  doing: string,
  rule: RetryRule,
  signal: AbortSignal | undefined,
  run: () => Promise<T>,
  onRetry: (error: StoreError) => void = () => {},
): Promise<T> {
  for (let failures = 1, expiries = 0; ; failures++) {
    try {
      return await run()
    } catch (thrown) {
      if (signal?.aborted) throw stopped(signal, doing)
      const error = StoreError.from(thrown, doing)
      if (error.code === 'expired') expiries++
      if (!error.retryable || failures >= rule.attempts || expiries > 1) throw error
      onRetry(error)
      await pause(delayBefore(failures, rule, error), signal, doing)
    }
  }
}

export async function pause(ms: number, signal: AbortSignal | undefined, doing: string): Promise<void> {
  try {
    await sleep(ms, undefined, { ...(signal && { signal }) })
  } catch (error) {
    throw signal ? stopped(signal, doing) : error
  }
}
