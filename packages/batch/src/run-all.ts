import { oneLine } from '@eas/base'
import type { Batch } from './batch.ts'
import { reasonOf } from './batch-error.ts'
import type { ObjectOutcome, Progress } from './engine/score-object.ts'
import type { ListedObject } from './plan/list-objects.ts'

/** What a run over many objects came to. */
export interface RunReport {
  readonly objects: {
    readonly scored: number
    readonly stopped: number
    readonly failed: number
    readonly unfinished: number
  }
  /** Of objects that are over, by whichever attempt. */
  readonly rows: number
  readonly failures: number
  /** By this run; the others were found done. */
  readonly computedRows: number
  readonly inputBytes: number
  readonly outputBytes: number
  readonly seconds: number
  readonly rowsPerSecond: number
  /** Writes that stores charge for: two for a chunk, two for an object. */
  readonly writes: number
  readonly model: string
  readonly config: string
  /** The first objects that were not scored, and why. */
  readonly problems: readonly { readonly url: string; readonly error: string }[]
}

export interface RunAllOptions {
  /** Objects under way at once. */
  readonly concurrency: number
  readonly signal: AbortSignal
  /** Milliseconds since 1970; no object is begun after it. */
  readonly deadline?: number
  onProgress?(object: ListedObject, progress: Progress): void
  onEnd?(object: ListedObject, outcome: ObjectOutcome | Error): void
}

const problemsMax = 100

/** Scores one object after the other, some at once. One that cannot be scored does not keep the others from it. */
export async function runAll(
  batch: Batch,
  objects: AsyncIterable<ListedObject>,
  options: RunAllOptions,
): Promise<RunReport> {
  const { concurrency, signal, deadline = Number.POSITIVE_INFINITY } = options
  const start = performance.now()
  const counts = { scored: 0, stopped: 0, failed: 0, unfinished: 0 }
  const sums = { rows: 0, failures: 0, computedRows: 0, inputBytes: 0, outputBytes: 0, writes: 0 }
  const problems: { url: string; error: string }[] = []
  let model = ''
  let config = ''
  const note = (object: ListedObject, error: string) => {
    if (problems.length < problemsMax)
      problems.push({ url: `${object.store.url}/${object.info.key}`, error: oneLine(error, 500) })
  }

  async function one(object: ListedObject): Promise<void> {
    let computedRows = 0
    const onProgress = (progress: Progress) => {
      computedRows = progress.computedRows
      options.onProgress?.(object, progress)
    }
    try {
      const place = { store: object.store, key: object.info.key }
      const outcome = await batch.score(place, { signal, deadline, onProgress })
      if (outcome.status === 'done') {
        const { manifest } = outcome
        counts[manifest.status]++
        sums.rows += manifest.rows
        sums.failures += manifest.failures
        sums.inputBytes += manifest.input.size
        sums.outputBytes += manifest.parts.reduce((sum, { bytes }) => sum + bytes, 0)
        sums.writes += 2 * outcome.computedChunks + (outcome.computedChunks > 0 ? 2 : 0)
        model = manifest.model
        config = manifest.config
        if (manifest.error !== undefined) note(object, manifest.error)
      } else {
        counts.unfinished++
        note(object, outcome.status === 'missing' ? 'It is not there any more' : 'Not finished; run it again to go on')
      }
      options.onEnd?.(object, outcome)
    } catch (thrown) {
      counts.unfinished++
      note(object, reasonOf(thrown))
      options.onEnd?.(object, thrown instanceof Error ? thrown : new Error(String(thrown)))
    }
    sums.computedRows += computedRows
  }

  const iterator = objects[Symbol.asyncIterator]()
  let listing: Promise<IteratorResult<ListedObject>> = Promise.resolve({ done: false, value: undefined as never }) // replaced below
  /** One listing for all who take from it, in turn. */
  const next = () => {
    listing = listing.then((last) => (last.done ? last : iterator.next()))
    return listing
  }
  async function work(): Promise<void> {
    for (let item = await next(); !item.done && !signal.aborted; item = await next()) await one(item.value)
  }
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, work))
  const seconds = (performance.now() - start) / 1000
  return {
    objects: counts,
    ...sums,
    seconds,
    rowsPerSecond: seconds > 0 ? sums.computedRows / seconds : 0,
    model,
    config,
    problems,
  }
}
