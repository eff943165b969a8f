import type { ListedObject, ObjectOutcome, Progress } from '@eas/batch'
import type { SingleBar } from 'cli-progress'

/** What a run is told of, as far as its progress goes. */
export interface ScoreListener {
  onProgress?(object: ListedObject, progress: Progress): void
  onEnd?(object: ListedObject, outcome: ObjectOutcome | Error): void
}

/**
 * A bar of the bytes that are done, with rows per second beside it, where a person sees it; elsewhere nothing.
 * @param objects Listed once, for their sizes.
 */
export async function scoreProgress(
  objects: AsyncIterable<ListedObject>,
  isQuiet: boolean,
): Promise<{ readonly listener: ScoreListener; stop(): void }> {
  if (isQuiet || !process.stderr.isTTY) return { listener: {}, stop() {} }
  let bytes = 0
  for await (const { info } of objects) bytes += info.size
  const { default: progress } = await import('cli-progress')
  const bar: SingleBar = new progress.SingleBar({
    format: '{bar} {percentage}% | {rows} rows, {speed} rows/s | {failures} failed | {eta_formatted} left',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    etaBuffer: 50,
  })
  bar.start(bytes, 0, { rows: 0, speed: 0, failures: 0 })
  const start = performance.now()
  const of = new Map<string, { done: number; rows: number; computed: number; failures: number }>()
  const show = () => {
    const sum = { done: 0, rows: 0, computed: 0, failures: 0 }
    for (const each of of.values()) {
      sum.done += each.done
      sum.rows += each.rows
      sum.computed += each.computed
      sum.failures += each.failures
    }
    const speed = Math.round((sum.computed * 1000) / Math.max(1, performance.now() - start))
    bar.update(sum.done, { rows: sum.rows, speed, failures: sum.failures })
  }
  return {
    listener: {
      onProgress({ info }, { rows, failures, computedRows, offset }) {
        // Offsets of compressed or columnar objects are no bytes of the object; they count when they are done.
        const done = offset === undefined ? info.size : Math.min(offset, info.size)
        of.set(info.key, { done, rows, computed: computedRows, failures })
        show()
      },
      onEnd({ info }) {
        const known = of.get(info.key) ?? { rows: 0, computed: 0, failures: 0 }
        of.set(info.key, { ...known, done: info.size })
        show()
      },
    },
    stop: () => bar.stop(),
  }
}
