import { EasError } from '@eas/base'

/** One request kept for warm-up. */
export interface WarmUpRequest {
  /** The file it came from, for messages. */
  readonly name: string
  readonly body: Uint8Array
}

export interface ReplayOptions {
  /** How often each request is sent. */
  readonly sends: number
  /** Milliseconds for all of them; what is left then is left out. */
  readonly budgetMs: number
  /** Aborted when the time is up, for what waits for the requests themselves. */
  readonly over?: AbortSignal
  readonly now: () => number
}

/** What was replayed, and what it bought. Milliseconds. */
export interface WarmUpReport {
  readonly requests: number
  readonly sent: number
  /** Requests that were refused or failed; the first of them says why. */
  readonly failed: number
  readonly firstFailure?: string
  /** Files that could not be read. */
  readonly skipped: number
  /** Of the first request and of the last, inside the model's worker. */
  readonly firstMs: number
  readonly lastMs: number
  readonly totalMs: number
  /** Why it ended: everything was sent, latency no longer fell, or the time was up. */
  readonly ended: 'done' | 'settled' | 'budget'
}

/** Sends without a new fastest time after which a request has nothing left to warm. */
const settledAfter = 3
/** A send that is not faster by this factor is no new fastest one. */
const fasterBy = 0.97

/**
 * Sends each request `sends` times, one after another, as EAS does; fewer once its latency no longer falls. A request that
 * fails is counted and left; so is one that cannot be read.
 *
 * @param send Computes one request; resolves to its milliseconds.
 */
export async function replay(
  requests: AsyncIterable<WarmUpRequest | EasError>,
  send: (body: Uint8Array) => Promise<number>,
  { sends, budgetMs, over, now }: ReplayOptions,
): Promise<WarmUpReport> {
  const start = now()
  const times: number[] = []
  const failures: string[] = []
  let count = 0
  let skipped = 0
  let isSettled = true
  let isLate = false

  for await (const request of requests) {
    if (request instanceof EasError) {
      skipped++
      failures.push(request.message)
      continue
    }
    if (isLate) break
    count++
    let fastest = Number.POSITIVE_INFINITY
    let since = 0
    let left = sends
    try {
      for (; left > 0 && since < settledAfter && !isLate; left--) {
        const ms = await send(request.body)
        times.push(ms)
        since = ms < fastest * fasterBy ? 0 : since + 1
        fastest = Math.min(fastest, ms)
        isLate = now() - start > budgetMs
      }
    } catch (thrown) {
      failures.push(`${request.name}: ${EasError.from(thrown).message}`)
      left = 0
    }
    if (left === 0) isSettled = false
  }

  isLate ||= over?.aborted ?? false
  const [firstFailure] = failures
  return {
    requests: count,
    sent: times.length,
    failed: failures.length - skipped,
    ...(firstFailure !== undefined && { firstFailure }),
    skipped,
    firstMs: times[0] ?? 0,
    lastMs: times.at(-1) ?? 0,
    totalMs: now() - start,
    ended: isLate ? 'budget' : isSettled && count > 0 ? 'settled' : 'done',
  }
}
