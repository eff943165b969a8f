import type { EasErrorCode } from '@eas/base'
import type { Compressor } from '@eas/protocol'
import type { PipelineSpec } from '../pipelines/index.ts'
import type { ModelInfo } from '../session.ts'

/** Everything a worker needs to load one model and answer its requests. Plain data. */
export interface ModelSpec {
  readonly modelPath: string
  readonly pipeline: PipelineSpec
  readonly executionProviders: readonly string[]
  readonly intraOpNumThreads: number
  /** `metadata.rpc.batching`: requests that arrive in one message may be computed as one. */
  readonly batching: boolean
  /** `metadata.rpc.decompressor`; recognised from the body when not set. */
  readonly decompressor: Compressor | undefined
  readonly inflatedBytesMax: number
  /** Responses are compressed with this; never unless asked for, since most clients could not read them. */
  readonly responseCompressor: Compressor | undefined
  /** Refuse a body that its Content-MD5 does not match. */
  readonly verifyMd5: boolean
  /** Answer a body that its Content-MD5 does not match in raw Snappy: Java's `setIsCompressed(true)`, eas-wire 3.3. */
  readonly javaIsCompressed: boolean
}

/** One request on its way to a worker. */
export interface PredictItem {
  readonly id: number
  readonly body: Uint8Array
  /** Milliseconds since 1970. A request past it is not computed. */
  readonly deadline: number
  /** The Content-MD5 header, when a setting asks to look at it. */
  readonly contentMd5?: string
}

export type Outcome =
  | {
      readonly id: number
      readonly body: Uint8Array
      readonly headers: Readonly<Record<string, string>> | undefined
      readonly stages: WorkStages
    }
  | { readonly id: number; readonly error: WireError; readonly stages: WorkStages }

export interface WireError {
  readonly code: EasErrorCode
  readonly message: string
  /** What it came from, for the log only. */
  readonly cause?: string
}

/** Milliseconds of the stages that a worker sees. */
export interface WorkStages {
  readonly decode: number
  readonly compute: number
  readonly encode: number
}

export type ToWorker =
  | { readonly kind: 'load'; readonly spec: ModelSpec }
  | { readonly kind: 'predict'; readonly items: readonly PredictItem[] }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'close' }

export type FromWorker =
  | { readonly kind: 'loaded'; readonly info: ModelInfo }
  | { readonly kind: 'failed'; readonly error: WireError }
  | { readonly kind: 'outcomes'; readonly outcomes: readonly Outcome[] }
