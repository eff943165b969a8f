import type { EasError } from '@eas/base'
import type { ModelOrigin, UnownedModel } from '@eas/models'
import type { EngineEvent, EngineState } from './engine/engine.ts'
import type { Isolation } from './engine/host.ts'
import type { ModelSpec } from './engine/messages.ts'
import type { ItemsSpec } from './items.ts'
import type { RequestFilesSpec } from './logs/request-files.ts'
import type { WarmUpReport } from './warm-up/replay.ts'
import type { WarmUpSpec } from './warm-up/warm-up.ts'

/** A service, ready to be built: what `service.json` and the settings together say of it. */
export interface ServiceSpec {
  readonly name: string
  /** `metadata.group`: `/api/predict/<group>` reaches the service too. */
  readonly group: string | undefined
  /** Empty for none. */
  readonly token: string
  readonly signature_name: string
  readonly origin: ModelOrigin
  readonly warmUp: WarmUpSpec
  readonly model: Omit<ModelSpec, 'files' | 'startsQuickly'>
  /** Where its item features come from; most services have none. */
  readonly items: ItemsSpec | undefined
  /** Where requests are kept, for services that may be asked to. */
  readonly requestFiles: RequestFilesSpec | undefined
  /** Makes the prepared form of a model that has none, and keeps it beside the model. Absent unless asked for. */
  readonly prepare: ((files: UnownedModel) => Promise<{ readonly folder: string }>) | undefined
  readonly isolation: Isolation
  readonly workersMax: number
  readonly processor_envs: Readonly<Record<string, string>>
  readonly rpc: {
    readonly worker_threads: number
    readonly max_queue_size: number
    readonly rate_limit: number
    /** Milliseconds. */
    readonly keepalive: number
    readonly max_batch_size: number
    /** Milliseconds. */
    readonly max_batch_timeout: number
  }
  /** Milliseconds that open requests may take once the process is told to end: `metadata.eas.termination_grace_period`. */
  readonly graceMs: number
  /** What the configuration asks for and does not get. */
  readonly warnings: readonly string[]
}

/** What happens to a service's model, for the log. */
export type ServiceEvent =
  | EngineEvent
  | { readonly kind: 'unavailable'; readonly error: EasError; readonly retryInMs: number }
  | { readonly kind: 'replaced'; readonly version: string }
  | { readonly kind: 'not_replaced'; readonly error: EasError }
  | { readonly kind: 'prepared'; readonly folder: string }
  | { readonly kind: 'not_prepared'; readonly error: EasError }
  | { readonly kind: 'evicted'; readonly bytes: number }
  | { readonly kind: 'warmed'; readonly report: WarmUpReport }
  | { readonly kind: 'not_kept'; readonly error: Error }
  | { readonly kind: 'not_written'; readonly error: Error }
  | { readonly kind: 'noted'; readonly message: string; readonly facts: Readonly<Record<string, unknown>> }

/** What a service tells of itself. */
export interface ServiceListener {
  onEvent(event: ServiceEvent): void
  /** Its model is loaded. */
  onLoaded(): void
  /** Nobody waits for it any more. */
  onIdle(): void
}

export type ServiceState = EngineState | { readonly state: 'idle' }
