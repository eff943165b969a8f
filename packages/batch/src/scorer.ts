import type { DType, Tensor } from '@eas/base'

/** An input or an output of a model. */
export interface ModelValue {
  readonly name: string
  /** `undefined`: the model does not say. */
  readonly dtype: DType | undefined
  /** Free dimensions are -1. Empty: the model does not say. */
  readonly shape: readonly number[]
}

/** What a loaded model takes and gives. */
export interface ModelFacts {
  readonly inputs: readonly ModelValue[]
  readonly outputs: readonly ModelValue[]
  /** Names the model's bytes; stands in the names of results, so that another model's are others. */
  readonly version: string
}

export interface CallOptions {
  readonly signal: AbortSignal
}

/**
 * What computes. Handed in, so that the engine knows no model: a service of this process, one over HTTP, or a function of a
 * test. It must compute each row from that row alone.
 *
 * What it throws is the rows' fault when it is an `EasError` `invalid_request`, `internal`, `timeout` or `too_large`: fewer of
 * them are tried, down to one. Anything else ends the attempt, and the next one goes on.
 */
export interface BatchScorer {
  facts(options: CallOptions): Promise<ModelFacts>
  /** Rows in, rows out: every feed and every output is `[rows, …]`. */
  run(
    feeds: ReadonlyMap<string, Tensor>,
    outputs: readonly string[],
    options: CallOptions,
  ): Promise<ReadonlyMap<string, Tensor>>
  /** One recorded request's body in, its response's body out. */
  predict(body: Uint8Array, options: CallOptions): Promise<Uint8Array>
  /** Calls that are worth having under way at once. */
  readonly concurrency: number
}
