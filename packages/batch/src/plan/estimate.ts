import { BatchError, RowError } from '../batch-error.ts'
import { systemClock } from '../clock.ts'
import { scoreRows } from '../engine/score-rows.ts'
import type { BatchOptions } from '../options.ts'
import { inputFormatOf, openSource } from '../read/formats.ts'
import { objectSource } from '../read/object-source.ts'
import { BatchBuilder } from '../rows/batch-builder.ts'
import { planRows } from '../rows/mapping.ts'
import type { BatchScorer } from '../scorer.ts'
import type { ListedObject } from './list-objects.ts'

/** What a run would have to do. */
export interface WorkEstimate {
  readonly objects: number
  readonly bytes: number
  readonly rows: number
  readonly chunks: number
  /** Of the model, on a sample of rows; 0 when none could be read. */
  readonly rowsPerSecond: number
  readonly seconds: number
  /** Whether all rows have been counted; else their number is reckoned from a sample. */
  readonly isCounted: boolean
}

/** Objects that are looked into. */
const sampledObjects = 20
/** Rows of each that are read. */
const sampledRows = 2000
/** Rows that are scored to see how fast that is. */
const scoredRows = 256

/** Looks into some of the objects, scores some rows, and reckons. Writes nothing. */
export async function estimateWork(
  scorer: BatchScorer,
  options: BatchOptions,
  objects: AsyncIterable<ListedObject>,
  signal: AbortSignal,
): Promise<WorkEstimate> {
  let count = 0
  let bytes = 0
  const sampled = { objects: 0, bytes: 0, rows: 0, isWhole: true }
  let rowsPerSecond = 0
  for await (const object of objects) {
    count++
    bytes += object.info.size
    if (sampled.objects >= sampledObjects) continue
    const sample = await sampleOf(scorer, options, object, signal, rowsPerSecond === 0)
    if (!sample) continue
    sampled.objects++
    sampled.bytes += sample.bytes
    sampled.rows += sample.rows
    sampled.isWhole &&= sample.isWhole
    rowsPerSecond ||= sample.rowsPerSecond
  }
  const isCounted = sampled.isWhole && sampled.objects === count
  const rows = isCounted ? sampled.rows : sampled.bytes === 0 ? 0 : Math.round((sampled.rows / sampled.bytes) * bytes)
  return {
    objects: count,
    bytes,
    rows,
    chunks: Math.max(count, Math.ceil(rows / options.chunk.rows)),
    rowsPerSecond,
    seconds: rowsPerSecond === 0 ? 0 : rows / rowsPerSecond,
    isCounted,
  }
}

interface Sample {
  readonly rows: number
  /** That the rows take in the object as it is stored. */
  readonly bytes: number
  readonly isWhole: boolean
  readonly rowsPerSecond: number
}

/** `undefined` for an object that cannot be read. */
async function sampleOf(
  scorer: BatchScorer,
  options: BatchOptions,
  { store, info }: ListedObject,
  signal: AbortSignal,
  scores: boolean,
): Promise<Sample | undefined> {
  const facts = await scorer.facts({ signal })
  const plan = planRows(options.mapping, facts)
  const builder = new BatchBuilder(plan)
  let rows = 0
  let bytes = 0
  let isWhole = true
  try {
    const input = inputFormatOf(info.key, options.inputFormat)
    if (input.kind === 'requests') return undefined
    const source = await openSource(objectSource(store, info.key, info, systemClock, signal), input)
    const blocks = input.format.blocks(source, 0, plan)
    for await (const block of blocks) {
      for (let i = 0; i < block.count; i++) {
        bytes += block.bytesOf(i)
        if (builder.count < scoredRows) passing(() => block.add(i, builder, rows))
        rows++
      }
      if (rows < sampledRows) continue
      isWhole = false
      break
    }
    // Compressed rows are counted by what they take uncompressed; a third of it is what they take as they are.
    if (!source.isPlain) bytes = Math.min(info.size, bytes / 3)
  } catch (thrown) {
    if (thrown instanceof BatchError) return undefined
    throw thrown
  }
  if (isWhole) bytes = info.size
  let rowsPerSecond = 0
  if (scores && builder.count > 0) {
    const batch = builder.take()
    const context = { scorer, plan, clock: systemClock, signal }
    await scoreRows(batch, context) // the first call of a size allocates
    const start = performance.now()
    await scoreRows(batch, context)
    rowsPerSecond = (batch.count * 1000) / (performance.now() - start)
  }
  return { rows, bytes, isWhole, rowsPerSecond }
}

function passing(add: () => void): void {
  try {
    add()
  } catch (thrown) {
    if (!(thrown instanceof RowError)) throw thrown
  }
}
