import { oneLine } from '@eas/base'
import { RowError } from '../batch-error.ts'
import type { Clock } from '../clock.ts'
import { batchLimits } from '../limits.ts'
import type { ReadableSource, RowBlock, RowFormat } from '../read/row-block.ts'
import { BatchBuilder } from '../rows/batch-builder.ts'
import type { RowPlan } from '../rows/mapping.ts'
import type { BatchScorer } from '../scorer.ts'
import type { OutputFormat } from '../write/row-writer.ts'
import type { BatchSizer } from './batch-sizer.ts'
import type { Cursor } from './records.ts'
import { type MadeChunk, type OpenedObject, OutOfTime } from './score-object.ts'
import { type RowFailure, type ScoredBatch, scoreRows } from './score-rows.ts'

/** Where a chunk ends: behind the row that brings it to either. */
export interface ChunkSize {
  readonly rows: number
  /** Of the input, decompressed. */
  readonly bytes: number
}

export interface RowChunksOptions {
  readonly source: ReadableSource
  readonly format: RowFormat
  readonly plan: RowPlan
  readonly scorer: BatchScorer
  readonly output: OutputFormat
  readonly size: ChunkSize
  readonly sizer: BatchSizer
  readonly clock: Clock
  readonly deadline: number
  readonly signal: AbortSignal
}

/** Bytes of feeds in one call, at most; several calls are under way at once. */
const feedBytesMax = 32 * 1024 * 1024

/**
 * The chunks of an object whose rows a model scores. Rows are read and turned into tensors while the model computes those
 * before them, and written while it computes those behind.
 */
export function rowChunks(options: RowChunksOptions): OpenedObject {
  const { source, format, plan, scorer, output, size, sizer, clock, deadline, signal } = options
  let rows: RowIterator | undefined

  async function chunk(from: Cursor): Promise<MadeChunk> {
    if (rows?.offset !== from.offset) {
      await rows?.close()
      rows = new RowIterator(format.blocks(source, from.offset, plan), from.offset)
    }
    const writer = output.writer(plan.outputs)
    const builder = new BatchBuilder(plan)
    const failures: RowFailure[] = []
    const underWay: Promise<ScoredBatch>[] = []
    const context = { scorer, plan, clock, signal }

    async function finishOne(): Promise<void> {
      const scored = await underWay.shift()
      if (!scored) return
      failures.push(...scored.failures)
      writer.write(scored)
    }
    async function send(): Promise<void> {
      if (clock.now() >= deadline) throw new OutOfTime('The deadline has passed')
      while (underWay.length > scorer.concurrency) await finishOne()
      const batch = builder.take()
      const begun = performance.now()
      const scoring = scoreRows(batch, context).then((scored) => {
        // Batches queue for the model: what one took began when the one before it was done.
        const now = performance.now()
        sizer.tell(batch.count, now - Math.max(begun, lastDone))
        lastDone = now
        return scored
      })
      scoring.catch(() => {}) // whoever awaits it in turn is told
      underWay.push(scoring)
    }

    let lastDone = 0
    let count = 0
    let bytes = 0
    let isLast = false
    while (count < size.rows && bytes < size.bytes) {
      const block = rows.here ?? (await rows.next())
      if (!block) {
        isLast = true
        break
      }
      const rowBytes = block.bytesOf(rows.index)
      const batchRows = plan.fixedRows ?? sizer.rows
      let added = 0
      if (block.addMany) {
        const ofChunk = Math.min(size.rows - count, Math.ceil((size.bytes - bytes) / rowBytes))
        const most = Math.min(ofChunk, batchRows - builder.count, builder.rowsWithin(feedBytesMax))
        added = block.addMany(rows.index, most, builder, from.row + count)
      }
      if (added === 0) {
        added = 1
        try {
          block.add(rows.index, builder, from.row + count)
        } catch (thrown) {
          if (!(thrown instanceof RowError)) throw thrown
          failures.push({ row: from.row + count, error: oneLine(thrown.message, batchLimits.reasonChars) })
        }
      }
      bytes += added * rowBytes
      rows.advance(added)
      count += added
      const isFull = builder.count >= batchRows || builder.bytes >= feedBytesMax
      if (isFull && builder.count > 0) await send()
    }
    if (builder.count > 0) await send()
    while (underWay.length > 0) await finishOne()
    failures.sort((a, b) => a.row - b.row)
    // Whether rows follow is looked at now, so that no chunk is empty but the only one of an empty object.
    isLast ||= !(rows.here ?? (await rows.next()))
    const next = isLast ? undefined : { offset: rows.offset, row: from.row + count }
    return { rows: count, failures, body: await writer.end(), next }
  }

  return {
    chunk,
    async close() {
      await rows?.close()
    },
  }
}

/** Goes through blocks row by row, with one block read ahead. */
class RowIterator {
  /** Where the row behind the last one starts. */
  offset: number
  /** The block with the next row. */
  here: RowBlock | undefined
  /** The next row in it. */
  index = 0
  private readonly blocks: AsyncGenerator<RowBlock, void, void>
  private ahead: Promise<IteratorResult<RowBlock, void>> | undefined

  constructor(blocks: AsyncGenerator<RowBlock, void, void>, offset: number) {
    this.blocks = blocks
    this.offset = offset
  }

  /** The next block; `undefined` behind the last. */
  async next(): Promise<RowBlock | undefined> {
    const { value, done } = await (this.ahead ?? this.blocks.next())
    this.ahead = undefined
    this.here = done ? undefined : value
    this.index = 0
    if (!done) {
      this.ahead = this.blocks.next()
      this.ahead.catch(() => {}) // told when it is its turn
    }
    return this.here
  }

  advance(count: number): void {
    const { here } = this
    if (!here) return
    this.index += count
    this.offset = here.endOf(this.index - 1)
    if (this.index >= here.count) this.here = undefined
  }

  async close(): Promise<void> {
    await this.ahead?.catch(() => {})
    await this.blocks.return()
  }
}
