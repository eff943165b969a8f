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
import type { MadeChunk, OpenedObject } from './score-object.ts'
import { type RowFailure, type ScoredBatch, scoreRows } from './score-rows.ts'
import { OutOfTime, TimeLimit } from './time-limit.ts'

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
  /** Milliseconds since 1970 at which a chunk ends with the batches that are scored by then. */
  readonly stopAt: number
  readonly signal: AbortSignal
}

/** A batch that is being scored. */
interface Sent {
  readonly scoring: Promise<ScoredBatch>
  /** Behind its last row. */
  readonly end: Cursor
  isSettled: boolean
}

/** Bytes of feeds in one call, at most; several calls are under way at once. */
const feedBytesMax = 32 * 1024 * 1024

/**
 * The chunks of an object whose rows a model scores. Rows are read and turned into tensors while the model computes those
 * before them, and written while it computes those behind.
 */
export function rowChunks(options: RowChunksOptions): OpenedObject {
  const { source, format, plan, scorer, output, size, sizer, clock, stopAt, signal } = options
  let rows: RowIterator | undefined

  async function chunk(from: Cursor): Promise<MadeChunk> {
    const limit = new TimeLimit(clock, stopAt)
    try {
      return await chunkWithin(limit, from)
    } finally {
      limit.end()
    }
  }

  async function chunkWithin(limit: TimeLimit, from: Cursor): Promise<MadeChunk> {
    if (rows?.offset !== from.offset) {
      await rows?.close()
      rows = new RowIterator(format.blocks(source, from.offset, plan), from.offset)
    }
    const writer = output.writer(plan.outputs)
    if (from.columns) writer.goOn?.(new Map(from.columns))
    const builder = new BatchBuilder(plan)
    const failures: RowFailure[] = []
    const underWay: Sent[] = []
    /** Behind the last row that has been written. */
    let written: Cursor | undefined
    const context = { scorer, plan, clock, signal }

    /** @returns whether there was time for them. */
    async function finishUpTo(most: number): Promise<boolean> {
      for (let first = underWay[0]; first && underWay.length > most; first = underWay[0]) {
        if (!(await limit.meets(first.scoring))) return false
        const scored = await first.scoring
        underWay.shift()
        failures.push(...scored.failures)
        writer.write(scored)
        written = first.end
      }
      return true
    }
    /** @returns whether there was time for it. */
    async function send(): Promise<boolean> {
      if (!(await finishUpTo(scorer.concurrency)) || limit.isOver) return false
      const batch = builder.take()
      const begun = performance.now()
      const scoring = scoreRows(batch, context).then((scored) => {
        // Batches queue for the model: what one took began when the one before it was done.
        const now = performance.now()
        sizer.tell(batch.count, now - Math.max(begun, lastDone))
        lastDone = now
        return scored
      })
      const sent: Sent = { scoring, end: here(), isSettled: false }
      // Whoever awaits it in turn is told of a failure.
      scoring
        .catch(() => {})
        .finally(() => {
          sent.isSettled = true
        })
      underWay.push(sent)
      return true
    }
    const here = (): Cursor => ({ offset: rows?.offset ?? from.offset, row: from.row + count })
    /** The chunk as far as it has come. Records say where chunks end, so another attempt goes on behind it. */
    async function cutShort(): Promise<MadeChunk> {
      while (underWay[0]?.isSettled) await finishUpTo(underWay.length - 1)
      if (!written) throw new OutOfTime('There was no time for a batch of rows')
      const { row } = written
      const before = failures.filter((failure) => failure.row < row).sort((a, b) => a.row - b.row)
      const body = await writer.end()
      return { rows: row - from.row, failures: before, body, next: withColumns(written) }
    }

    /** With what the writer has had of columns by its end. */
    const withColumns = (cursor: Cursor): Cursor => {
      const columns = [...(writer.columns?.() ?? [])]
      return columns.length > 0 && columns.length <= batchLimits.sharedColumns ? { ...cursor, columns } : cursor
    }

    let lastDone = 0
    let count = 0
    let bytes = 0
    let isLast = false
    let types: RowBlock['types']
    while (count < size.rows && bytes < size.bytes) {
      if (!rows.here && limit.isOver) return await cutShort()
      const block = rows.here ?? (await rows.next())
      if (!block) {
        isLast = true
        break
      }
      if (block.types && block.types !== types) writer.declare?.(block.types)
      types = block.types
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
      if (isFull && builder.count > 0 && !(await send())) return await cutShort()
    }
    if (builder.count > 0 && !(await send())) return await cutShort()
    if (!(await finishUpTo(0))) return await cutShort()
    failures.sort((a, b) => a.row - b.row)
    // Whether rows follow is looked at now, so that no chunk is empty but the only one of an empty object.
    isLast ||= !(rows.here ?? (await rows.next()))
    const body = await writer.end()
    return { rows: count, failures, body, next: isLast ? undefined : withColumns(here()) }
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
