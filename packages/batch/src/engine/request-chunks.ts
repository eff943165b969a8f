import { oneLine } from '@eas/base'
import type { Clock } from '../clock.ts'
import { batchLimits } from '../limits.ts'
import type { Recorded, RequestFormat } from '../read/requests.ts'
import type { ReadableSource } from '../read/row-block.ts'
import type { BatchScorer } from '../scorer.ts'
import { retried } from './retry.ts'
import type { ChunkSize } from './row-chunks.ts'
import { type OpenedObject, OutOfTime } from './score-object.ts'
import { isFault, type RowFailure } from './score-rows.ts'

export interface RequestChunksOptions {
  readonly source: ReadableSource
  readonly format: RequestFormat
  readonly scorer: BatchScorer
  readonly size: ChunkSize
  readonly clock: Clock
  readonly deadline: number
  readonly signal: AbortSignal
}

/** The chunks of an object of recorded requests: each goes to the service as it is, some at once. */
export function requestChunks(options: RequestChunksOptions): OpenedObject {
  const { source, format, scorer, size, clock, deadline, signal } = options
  let requests: AsyncGenerator<Recorded, void, void> | undefined
  let offset = -1
  /** The first request of the next chunk, which has been looked at. */
  let ahead: IteratorResult<Recorded, void> | undefined

  return {
    async chunk(from) {
      if (offset !== from.offset) {
        await requests?.return()
        requests = format.requests(source, from.offset)
        offset = from.offset
        ahead = undefined
      }
      const running = requests as AsyncGenerator<Recorded, void, void> // made above, the first time at least
      const responses: (Uint8Array | undefined)[] = []
      const failures: RowFailure[] = []
      const underWay = new Set<Promise<void>>()
      let bytes = 0
      let count = 0
      let next = ahead ?? (await running.next())
      while (!next.done && count < size.rows && bytes < size.bytes) {
        if (clock.now() >= deadline) throw new OutOfTime('The deadline has passed')
        const { body, end } = next.value
        const asking = answer(body, count++).finally(() => underWay.delete(asking))
        asking.catch(() => {}) // told below
        underWay.add(asking)
        bytes += body.length
        offset = end
        if (underWay.size >= scorer.concurrency) await Promise.race(underWay)
        next = await running.next()
      }
      ahead = next
      await Promise.all(underWay)
      failures.sort((a, b) => a.row - b.row)
      return {
        rows: count,
        failures,
        body: count > 0 ? format.join(responses) : undefined,
        next: next.done ? undefined : { offset, row: from.row + count },
      }

      async function answer(body: Uint8Array, i: number): Promise<void> {
        responses[i] = undefined
        try {
          responses[i] = await retried(clock, signal, () => scorer.predict(body, { signal }))
        } catch (thrown) {
          if (signal.aborted || !isFault(thrown)) throw thrown
          failures.push({ row: from.row + i, error: oneLine(thrown.message, batchLimits.reasonChars) })
        }
      }
    },
    async close() {
      await requests?.return()
    },
  }
}
