import type { Tensor } from '@eas/base'
import type { ModelInfo } from '../session.ts'

/** What one processor family makes of a request: which feeds it asks to be computed, and how the answer is written. */
export interface Pipeline {
  /** Whether the bytes are a request of this family and nothing else; tells compressed bodies from plain ones. */
  isMessage(bytes: Uint8Array): boolean
  /** @throws {EasError} `invalid_request` naming the input or filter that does not fit the model. */
  decode(body: Uint8Array, model: ModelInfo): PredictCall
}

export interface PredictCall {
  /** Valid for the model: every input once, dtypes, ranks and fixed dimensions as it declares them. */
  readonly feeds: ReadonlyMap<string, Tensor>
  /** Output names, each once. */
  readonly fetches: readonly string[]
  /** The response body, which owns its buffer. */
  encode(results: ReadonlyMap<string, Tensor>): Uint8Array
}
