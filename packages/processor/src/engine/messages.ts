import type { EasErrorCode } from '@eas/base'
import type { ItemData } from '@eas/feature-store'
import type { FoundModel, PreparedManifest, UnownedModel } from '@eas/models'
import type { Compressor } from '@eas/protocol'
import type { PipelineSpec } from '../pipelines/index.ts'
import type { ModelInfo } from '../session.ts'

/** Everything a worker needs to load one model and answer its requests. Plain data. */
export interface ModelSpec {
  readonly files: FoundModel & { readonly version: string }
  /** The first session may be a slower one that is there earlier. */
  readonly startsQuickly: boolean
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
      readonly notes?: readonly Note[]
    }
  | { readonly id: number; readonly error: WireError; readonly stages: WorkStages }

export interface WireError {
  readonly code: EasErrorCode
  readonly message: string
  /** What it came from, for the log only. */
  readonly cause?: string
}

/** What a request leaves behind beside its answer; workers have nothing but the processor to give it to. */
export type Note =
  | { readonly kind: 'log'; readonly message: string; readonly facts: Readonly<Record<string, unknown>> }
  /** There was no time to make a file. */
  | { readonly kind: 'file_dropped' }
  /** A file to write: where its kind is kept, under the name. */
  | {
      readonly kind: 'file'
      readonly of: 'request_log' | 'torch_req'
      readonly name: string
      readonly bytes: Uint8Array
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
  /** The catalogue as it is now, in memory that is shared. */
  | { readonly kind: 'items'; readonly data: ItemData }
  /** Makes the prepared form of a model in a folder. For a worker that has no model. */
  | { readonly kind: 'prepare'; readonly files: UnownedModel; readonly to: string }
  | { readonly kind: 'close' }

export type FromWorker =
  | { readonly kind: 'loaded'; readonly info: ModelInfo }
  | { readonly kind: 'prepared'; readonly manifest: PreparedManifest }
  | { readonly kind: 'failed'; readonly error: WireError }
  | { readonly kind: 'outcomes'; readonly outcomes: readonly Outcome[] }
