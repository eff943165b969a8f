import { oneLine } from '@eas/base'
import type { Clock } from '../clock.ts'
import { batchLimits } from '../limits.ts'
import type { Recorded, RequestFormat } from '../read/requests.ts'
import type { ReadableSource } from '../read/row-block.ts'
import type { BatchScorer } from '../scorer.ts'
import { retried } from './retry.ts'
import type { ChunkSize } from './row-chunks.ts'
import type { OpenedObject } from './score-object.ts'
import { isFault, type RowFailure } from './score-rows.ts'
import { OutOfTime, TimeLimit } from './time-limit.ts'

export interface RequestChunksOptions {
  readonly source: ReadableSource
  readonly format: RequestFormat
  readonly scorer: BatchScorer
  readonly size: ChunkSize
  readonly clock: Clock
  /** Milliseconds since 1970 at which a chunk ends with the requests that are answered by then. */
  readonly stopAt: number
  readonly signal: AbortSignal
}

/** The chunks of an object of recorded requests: each goes to the service as it is, some at once. */
export function requestChunks(options: RequestChunksOptions): OpenedObject {
  const { source, format, scorer, size, clock, stopAt, signal } = options
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
      /** Of each request that has been sent: where it ends, and whether it is answered. */
      const sent: { readonly end: number; isAnswered: boolean }[] = []
      const limit = new TimeLimit(clock, stopAt)
      let bytes = 0
      let inTime = true
      let next = ahead ?? (await running.next())
      try {
        while (!next.done && sent.length < size.rows && bytes < size.bytes) {
          inTime = !limit.isOver
          if (!inTime) break
          const { body, end } = next.value
          const request = { end, isAnswered: false }
          const asking = answer(body, sent.push(request) - 1)
            .then(() => {
              request.isAnswered = true
            })
            .finally(() => underWay.delete(asking))
          asking.catch(() => {}) // told below
          underWay.add(asking)
          bytes += body.length
          offset = end
          if (underWay.size >= scorer.concurrency) inTime = await limit.meets(Promise.race(underWay))
          if (!inTime) break
          next = await running.next()
        }
        ahead = next
        inTime &&= await limit.meets(Promise.all(underWay))
      } finally {
        limit.end()
      }
      // Up to the first that is not answered. Records say where chunks end, so another attempt goes on behind it.
      const unanswered = sent.findIndex(({ isAnswered }) => !isAnswered)
      const count = unanswered < 0 ? sent.length : unanswered
      if (!inTime && count === 0) throw new OutOfTime('There was no time for a request')
      if (!inTime) offset = -1 // the next chunk is read anew
      const end = sent[count - 1]?.end ?? from.offset
      const answered = failures.filter(({ row }) => row < from.row + count)
      return {
        rows: count,
        failures: answered.sort((a, b) => a.row - b.row),
        body: count > 0 ? format.join(responses.slice(0, count)) : undefined,
        next: next.done && count === sent.length ? undefined : { offset: end, row: from.row + count },
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
