import type { ObjectStore } from '@eas/storage'
import { type Clock, systemClock } from './clock.ts'
import { BatchSizer } from './engine/batch-sizer.ts'
import { digest } from './engine/names.ts'
import { requestChunks } from './engine/request-chunks.ts'
import { retried } from './engine/retry.ts'
import { rowChunks } from './engine/row-chunks.ts'
import { type ObjectOutcome, type OutputName, type Progress, scoreObject } from './engine/score-object.ts'
import { lastMoment } from './engine/time-limit.ts'
import { type BatchOptions, configOf } from './options.ts'
import { inputFormatOf, openSource } from './read/formats.ts'
import { objectSource } from './read/object-source.ts'
import type { RequestFormat } from './read/requests.ts'
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
  const config = digest(configOf(options)).slice(0, 16)
  const sizer = new BatchSizer(options.batchRows)

  return {
    async score(input, { deadline = Number.POSITIVE_INFINITY, signal, onProgress }) {
      const stopAt = lastMoment(clock.now(), deadline)
      const facts = await retried(clock, signal, () => scorer.facts({ signal }))
      const found = tried(() => inputFormatOf(input.key, options.inputFormat))
      return scoreObject({
        input,
        output: { store: output.store, root: output.key },
        model: facts.version,
        config,
        format: found?.kind === 'requests' ? outputOf(found.format) : outputFormats[options.outputFormat],
        failures: options.failures,
        clock,
        stopAt,
        signal,
        ...(onProgress && { onProgress }),
        async open(info) {
          const format = inputFormatOf(input.key, options.inputFormat)
          const source = await openSource(objectSource(input.store, input.key, info, clock, signal), format)
          const common = { source, scorer, size: options.chunk, clock, stopAt, signal }
          if (format.kind === 'requests') return requestChunks({ ...common, format: format.format })
          const plan = planRows(options.mapping, facts)
          return rowChunks({
            ...common,
            format: format.format,
            plan,
            output: outputFormats[options.outputFormat],
            sizer,
          })
        },
      })
    },
  }
}

/** Responses are written as their requests were. */
const outputOf = ({ name, extension }: RequestFormat): OutputName => ({
  name,
  extension,
  contentType: 'application/octet-stream',
})

/** `undefined` for a name that says nothing of the format, which the object's manifest will say. */
function tried<T>(find: () => T): T | undefined {
  try {
    return find()
  } catch {
    return undefined
  }
}
