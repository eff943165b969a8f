import type { Kernel, Metric } from './kernel/kernel.ts'
import { minReservoirK, Reservoir } from './reservoir.ts'
import { type Collector, type Hits, TopK } from './top-k.ts'

/** What one search may say for itself. What an index has no use for, it ignores. */
export interface SearchParams {
  /** Inverted lists to visit. Default: the file's, 1 unless its writer set another. */
  readonly nprobe?: number
  /** Candidates that an HNSW search keeps. Default: the file's, 16 unless its writer set another. */
  readonly efSearch?: number
}

/** One index of those that a file nests. Queries are already checked: `d` floats, `k` at least 1. */
export interface VectorIndex {
  /** As FAISS names it, for messages: `IndexIVFFlat`. */
  readonly type: string
  readonly d: number
  readonly ntotal: number
  readonly metric: Metric
  /** The best `k` rows. Uses the kernel's query and buffers. */
  search(query: Float32Array, k: number, params: SearchParams): Hits
  /** The id of a row that `search` found. */
  labelOf(position: number): bigint
  /** The row at a position, where rows are kept as they are; `undefined` for an index that keeps codes of them. */
  reconstruct?(position: number): Float32Array
}

/** A reader's means: the bytes and their arithmetic. */
export interface Context {
  readonly kernel: Kernel
}

/**
 * Which of two equally near rows comes first. FAISS lists them by ascending id for distances and by descending id for
 * similarities: it orders pairs (score, id) by one rule and mirrors it with the metric.
 */
export const tieBreakByPosition = (metric: Metric) =>
  metric === 'ip' ? (a: number, b: number) => a > b : (a: number, b: number) => a < b

/** The collector that FAISS's exhaustive search takes for this `k`. */
export function exhaustiveCollector(k: number, metric: Metric): Collector {
  const tieBreak = tieBreakByPosition(metric)
  return k < minReservoirK ? new TopK(k, tieBreak) : new Reservoir(k, tieBreak)
}
