import type { ObjectStore } from '@eas/storage'
import { type Clock, systemClock } from './clock.ts'
import { BatchSizer } from './engine/batch-sizer.ts'
import { digest } from './engine/names.ts'
import { retried } from './engine/retry.ts'
import { rowChunks } from './engine/row-chunks.ts'
import { type ObjectOutcome, type Progress, scoreObject } from './engine/score-object.ts'
import { type BatchOptions, configOf } from './options.ts'
import { openSource } from './read/formats.ts'
import { objectSource } from './read/object-source.ts'
import { planRows } from './rows/mapping.ts'
import type { BatchScorer } from './scorer.ts'
import { outputFormats } from './write/formats.ts'

/** Where an object is, or where results go: `key` is then the beginning of their names. */
export interface Place {
  readonly store: ObjectStore
  readonly key: string
}

export interface RunOptions {
  /** Milliseconds since 1970. Default: none. */
  readonly deadline?: number
  readonly signal: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

/** One model, one configuration, one place for results: any number of objects. */
export interface Batch {
  /**
   * Scores the object that stands at this place, or what of it is not yet done.
   * @throws {StoreError} `EasError` what kept this attempt from going on; the next one does.
   */
  score(input: Place, options: RunOptions): Promise<ObjectOutcome>
}

/** Makes a batch. The model is asked for with the first object. */
export function createBatch(
  scorer: BatchScorer,
  output: Place,
  options: BatchOptions,
  clock: Clock = systemClock,
): Batch {
  const format = outputFormats[options.outputFormat]
  const config = digest(configOf(options)).slice(0, 16)
  const sizer = new BatchSizer(options.batchRows)

  return {
    async score(input, { deadline = Number.POSITIVE_INFINITY, signal, onProgress }) {
      const facts = await retried(clock, signal, () => scorer.facts({ signal }))
      return scoreObject({
        input,
        output: { store: output.store, root: output.key },
        model: facts.version,
        config,
        format,
        failures: options.failures,
        clock,
        deadline,
        signal,
        ...(onProgress && { onProgress }),
        async open(info) {
          const source = objectSource(input.store, input.key, info, clock, signal)
          const opened = await openSource(source, options.inputFormat, options.csv)
          const plan = planRows(options.mapping, facts)
          return rowChunks({
            opened,
            plan,
            scorer,
            output: format,
            size: options.chunk,
            sizer,
            clock,
            deadline,
            signal,
          })
        },
      })
    },
  }
}
