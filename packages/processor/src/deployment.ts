import type { ItemData } from '@eas/feature-store'
import type { ModelFiles, UnownedModel } from '@eas/models'
import { Engine, type EngineEvent, type EngineState } from './engine/engine.ts'
import type { Outcome } from './engine/messages.ts'
import type { ServiceSpec } from './service-types.ts'
import type { ModelInfo } from './session.ts'

/** One version of a service's model at work: its files, held on this machine, and the engine that runs them. */
export class Deployment {
  /** Rejects when the model cannot be had or cannot be loaded; nothing of it is left then. */
  readonly ready: Promise<ModelInfo>
  private readonly engine: Engine
  private readonly opening: Promise<ModelFiles>
  private files: ModelFiles | undefined
  private isReady = false
  private isClosed = false
  private inside = 0
  private retiring: (() => void) | undefined

  /**
   * Starts the model's worker while its files are still on their way.
   * @param startsQuickly Rather ready early than fast, where that is a difference.
   */
  constructor(spec: ServiceSpec, onEvent: (event: EngineEvent) => void, startsQuickly: boolean) {
    const { model, rpc } = spec
    this.opening = spec.origin.open()
    this.engine = new Engine({
      spec: this.opening.then((files) => {
        this.files = files
        const { format, path, prepared, version } = files
        return { ...model, files: { format, path, version, ...(prepared && { prepared }) }, startsQuickly }
      }),
      isolation: spec.isolation,
      workersMax: spec.workersMax,
      env: spec.processor_envs,
      batch: model.batching ? { sizeMax: rpc.max_batch_size, timeoutMs: rpc.max_batch_timeout } : undefined,
      // A load that fails is told by `ready`; later ones, of further workers, by nothing else.
      onEvent: (event) => (event.kind === 'load_failed' && !this.isReady ? undefined : onEvent(event)),
    })
    this.ready = this.engine.load().then(
      (info) => {
        this.isReady = true
        return info
      },
      async (thrown) => {
        await this.close()
        throw thrown
      },
    )
  }

  /** Of its files; what the memory of a loaded model is reckoned by. */
  get bytes(): number {
    return this.files?.bytes ?? 0
  }

  get version(): string {
    return this.files?.version ?? ''
  }

  get queued(): number {
    return this.engine.queued
  }

  /** Its model, if that has no prepared form. */
  get unprepared(): UnownedModel | undefined {
    if (!this.files || this.files.prepared) return undefined
    const { release: _, ...files } = this.files
    return files
  }

  /** Whether it has a request to answer. */
  get isBusy(): boolean {
    return this.inside > 0
  }

  state(): EngineState {
    return this.engine.state()
  }

  /** As `Engine.predict`. */
  predict(
    body: Uint8Array,
    deadline: number,
    contentMd5: string | undefined,
    answer: (outcome: Outcome) => void,
  ): number {
    this.inside++
    return this.engine.predict(body, deadline, contentMd5, (outcome) => {
      this.inside--
      answer(outcome)
      if (this.inside === 0) this.retiring?.()
    })
  }

  /** Its workers find these items from now on. */
  useItems(data: ItemData): void {
    this.engine.useItems(data)
  }

  cancel(id: number): void {
    this.engine.cancel(id)
  }

  /** Ends it once every request it has is answered. It is given no more. */
  async retire(): Promise<void> {
    if (this.inside > 0) await new Promise<void>((resolve) => (this.retiring = resolve))
    await this.close()
  }

  /** Resolves when its workers have ended, which is after what they are computing, and its files are free. */
  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    await this.engine.close()
    // Files that are still on their way are let go as soon as they are there.
    void this.opening.then(
      (files) => files.release(),
      () => {},
    )
  }
}
