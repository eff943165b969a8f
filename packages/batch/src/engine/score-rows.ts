import { type DType, EasError, type EasErrorCode, formatShape, oneLine, type Tensor } from '@eas/base'
import { BatchError } from '../batch-error.ts'
import type { Clock } from '../clock.ts'
import { batchLimits } from '../limits.ts'
import type { RowBatch } from '../rows/batch-builder.ts'
import type { RowPlan } from '../rows/mapping.ts'
import type { BatchScorer } from '../scorer.ts'
import { retried } from './retry.ts'

/** A batch with its results. */
export interface ScoredBatch {
  readonly batch: RowBatch
  /** Where results are, in the order of the rows; those in none of them have failed. */
  readonly runs: readonly ResultRun[]
  readonly failures: readonly RowFailure[]
}

/** Rows that follow each other in the batch and in the outputs of one call. */
export interface ResultRun {
  /** The first of them in the batch. */
  readonly row: number
  readonly count: number
  readonly outputs: ReadonlyMap<string, Tensor>
  /** The first of them in the outputs. */
  readonly index: number
}

export interface RowFailure {
  /** Where the row stands in its object, 0-based. */
  readonly row: number
  readonly error: string
}

export interface ScoreContext {
  readonly scorer: BatchScorer
  readonly plan: RowPlan
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * Scores a batch. When a call fails for what is in its rows, its halves are tried, down to single rows; those that fail alone
 * are the poison.
 */
export async function scoreRows(batch: RowBatch, context: ScoreContext): Promise<ScoredBatch> {
  const runs: ResultRun[] = []
  const failures: RowFailure[] = []
  for (const { rows, feeds } of batch.groups) {
    const count = rows?.length ?? batch.count
    const indexOf = (i: number) => rows?.[i] ?? i
    const step = context.plan.fixedRows ?? count
    for (let from = 0; from < count; from += step) {
      await scoreRange(feeds, from, Math.min(count, from + step), context, {
        done(first, outputs, rowCount) {
          for (let index = 0, next = 0; index < rowCount; index = next) {
            const row = indexOf(first + index)
            next = index + 1
            while (next < rowCount && indexOf(first + next) === row + next - index) next++
            runs.push({ row, count: next - index, outputs, index })
          }
        },
        failed(i, error) {
          failures.push({ row: batch.positions[indexOf(i)] ?? -1, error })
        },
      })
    }
  }
  runs.sort((a, b) => a.row - b.row)
  failures.sort((a, b) => a.row - b.row)
  return { batch, runs, failures }
}

interface Listener {
  done(first: number, outputs: ReadonlyMap<string, Tensor>, rowCount: number): void
  failed(row: number, error: string): void
}

async function scoreRange(
  feeds: ReadonlyMap<string, Tensor>,
  from: number,
  to: number,
  context: ScoreContext,
  listener: Listener,
): Promise<void> {
  const { scorer, plan, clock, signal } = context
  const rows = to - from
  const part = new Map([...feeds].map(([name, tensor]) => [name, rowsOf(tensor, from, to, plan.fixedRows ?? rows)]))
  const names = [...plan.outputs.keys()]
  let outputs: ReadonlyMap<string, Tensor>
  try {
    outputs = await retried(clock, signal, () => scorer.run(part, names, { signal }))
  } catch (thrown) {
    if (signal.aborted || !isFault(thrown)) throw thrown
    if (rows === 1) return listener.failed(from, oneLine(thrown.message, batchLimits.reasonChars))
    const middle = from + (rows >> 1)
    await scoreRange(feeds, from, middle, context, listener)
    await scoreRange(feeds, middle, to, context, listener)
    return
  }
  for (const [name, { shape }] of outputs) {
    if (shape[0] === (plan.fixedRows ?? rows)) continue
    throw new BatchError(
      'bad_mapping',
      `Cannot use output ${oneLine(name)}: it is ${formatShape(shape)} for ${rows} rows, not one row for each; leave it out of outputs`,
    )
  }
  listener.done(from, outputs, rows)
}

/** Codes of what a call fails with for what is in it, or for how much that is. */
const faults: ReadonlySet<EasErrorCode> = new Set(['invalid_request', 'internal', 'timeout', 'too_large'])

/** Whether a call failed for its rows, so that others of them may not. */
export const isFault = (thrown: unknown): thrown is EasError => thrown instanceof EasError && faults.has(thrown.code)

/** Rows of a tensor, the last repeated until there are `count`. */
function rowsOf({ dtype, shape, data }: Tensor, from: number, to: number, count: number): Tensor {
  const rows = shape[0] ?? 0
  if (from === 0 && to === rows && count === rows) return { dtype, shape, data } as Tensor // as it was
  const size = rows === 0 ? 0 : data.length / rows
  const dims = [count, ...shape.slice(1)]
  const missing = count - (to - from)
  if (dtype === 'string') {
    const texts = (data as readonly Uint8Array[]).slice(from * size, to * size)
    const last = texts.slice(texts.length - size)
    for (let i = 0; i < missing; i++) texts.push(...last)
    return { dtype, shape: dims, data: texts }
  }
  const numbers = (data as Float32Array).subarray(from * size, to * size) // every numeric array has subarray
  if (missing === 0) return { dtype, shape: dims, data: numbers } as unknown as Tensor // a view of the same array
  const padded = numbers.constructor as new (length: number) => Float32Array // the constructor of its own kind
  const all = new padded(count * size)
  all.set(numbers)
  for (let row = to - from; row < count; row++) all.set(numbers.subarray(numbers.length - size), row * size)
  return { dtype: dtype as DType, shape: dims, data: all } as unknown as Tensor // the same kind of array
}
