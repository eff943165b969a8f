import { setMaxListeners } from 'node:events'

/**
 * `run` for each item, at most `limit` at a time, in order of their start. The first to fail stops the others, by the
 * signal they are given, and is what this rejects with once all have ended.
 */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  outer: AbortSignal | undefined,
  run: (item: T, signal: AbortSignal, index: number) => Promise<void>,
): Promise<void> {
  const failed = new AbortController()
  const signal = outer ? AbortSignal.any([outer, failed.signal]) : failed.signal
  setMaxListeners(0, signal) // every request listens
  let failure: { readonly error: unknown } | undefined
  let next = 0
  const worker = async () => {
    for (let index = next++; index < items.length && !signal.aborted; index = next++) {
      await run(items[index] as T, signal, index) // in range by the loop's condition
    }
  }
  const workers = Array.from({ length: Math.min(limit, items.length) }, () =>
    worker().catch((error) => {
      failure ??= { error }
      failed.abort()
    }),
  )
  await Promise.all(workers)
  if (failure) throw failure.error
}
