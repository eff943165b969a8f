import type { EasError, Tensor } from '@eas/base'
import type { ItemData } from '@eas/feature-store'
import type { Note, WorkStages } from '../engine/messages.ts'
import type { ModelInfo } from '../session.ts'

/** The model that a pipeline is made for. */
export interface PipelineContext {
  readonly info: ModelInfo
  /** The folder of its file, and what else lies there. */
  readonly folder: string
  /** As its origin names it. */
  readonly version: string
}

/** What one processor family makes of a request: which feeds it asks to be computed, and how the answer is written. */
export interface Pipeline {
  /** Whether the bytes are a request of this family and nothing else; tells compressed bodies from plain ones. */
  isMessage(bytes: Uint8Array): boolean
  /** The tensors of a request, by name or position, for a model of which nothing is known yet. */
  tensorsOf(body: Uint8Array): ReadonlyMap<string | number, Tensor>
  /** What else of a request decides how the model is called; absent in families whose requests cannot say. */
  asksFor?(body: Uint8Array): { readonly signature_name: string; readonly output_filter: readonly string[] }
  /** @throws {EasError} `invalid_request` naming the input or filter that does not fit the model. */
  decode(body: Uint8Array, model: ModelInfo): PredictCall
  /** Fetches what decoding a request will need, which has to be of this very request. `undefined`: it needs nothing. */
  prepare?(body: Uint8Array): Promise<void> | undefined
  /** From now on, requests find these items. */
  useItems?(items: ItemData): void
  /** A failure as an answer, in families whose answers can say it; `undefined` when this one cannot be. */
  encodeFailure?(error: EasError): Uint8Array | undefined
}

export interface PredictCall {
  /** Valid for the model: every input once, dtypes, ranks and fixed dimensions as it declares them. */
  readonly feeds: ReadonlyMap<string, Tensor>
  /** Output names, each once. None: the answer needs nothing of the model. */
  readonly fetches: readonly string[]
  /** The response body, which owns its buffer. */
  encode(results: ReadonlyMap<string, Tensor>): Uint8Array
  /** Of a failure to compute the feeds: the same as a refusal of the request, where it was the request that was wrong. */
  refusal?(thrown: unknown): EasError | undefined
  /** What is to be logged or kept of the request, once it is answered. */
  notes?(work: Work): readonly Note[]
}

/** How a request fared in its worker. */
export interface Work {
  readonly stages: WorkStages
  /** Milliseconds since 1970 by which it had to be answered. */
  readonly deadline: number
}
