/** `ip`: inner product, higher is nearer. `l2`: squared Euclidean distance, lower is nearer. */
export type Metric = 'ip' | 'l2'

/** Rows scored by one call at most. Their scores, 16 KiB, stay in the first-level cache until they are looked at. */
export const blockRows = 4096

/** Floats of a query. The largest embeddings published have 16,384. */
export const maxDimension = 65_536

/**
 * Holds an index file's bytes and scores a query against the float32 rows in them. Scores are always "higher is nearer":
 * for `l2` the squared distance negated.
 */
export interface Kernel {
  readonly kind: 'wasm' | 'js'
  /** The file. Its rows are read where they lie, at any alignment. */
  readonly file: DataView
  /** Where `score` and `scoreAt` leave scores, `[blockRows]`. */
  readonly scores: Float32Array
  /** Row numbers for `scoreAt`, `[blockRows]`. */
  readonly rows: Uint32Array
  /** The query of what follows. It has the dimension of the rows. */
  setQuery(query: Float32Array): void
  /** Scores the `count` rows of `dimension` floats that start at byte `offset` of the file. */
  score(metric: Metric, offset: number, count: number, dimension: number): void
  /** Scores the `count` rows whose numbers are in `rows`; row 0 starts at byte `offset`. */
  scoreAt(metric: Metric, offset: number, count: number, dimension: number): void
}
