import { EasError } from '@eas/base'
import { openStore, type StoreError, type StoreSettings } from '@eas/storage'
import { keptRequests } from './kept-requests.ts'
import { replay, type WarmUpReport } from './replay.ts'
import { RequestKeeper } from './request-keeper.ts'

/** How a service warms its model up. Places are URLs, or absolute paths of this machine. */
export interface WarmUpSpec {
  /** Requests to replay: files and folders. */
  readonly paths: readonly string[]
  /** Times each is sent. */
  readonly sends: number
  readonly budgetMs: number
  /** Whether the model is not ready without: one request that fails is enough. */
  readonly isRequired: boolean
  /** Folder that is filled with the first requests that come, if it is found empty. */
  readonly keepAt: string | undefined
  readonly filesMax: number
  /** Of one request. */
  readonly bytesMax: number
  readonly stores: StoreSettings
}

/** A service's warm-up: what it replays before its model is ready, and what it keeps for later starts. */
export class WarmUp {
  /** Of the last replay. */
  report: WarmUpReport | undefined
  private readonly spec: WarmUpSpec
  private readonly shapeOf: (body: Uint8Array) => Promise<string>
  private readonly onError: (error: StoreError) => void
  private keeper: RequestKeeper | undefined
  /** `taken` once nobody needs another. */
  private sample: Uint8Array | 'taken' | undefined

  constructor(spec: WarmUpSpec, shapeOf: (body: Uint8Array) => Promise<string>, onError: (error: StoreError) => void) {
    this.spec = spec
    this.shapeOf = shapeOf
    this.onError = onError
  }

  /**
   * Replays what has been kept.
   * @param send Computes one request; resolves to its milliseconds.
   * @throws {EasError} `not_ready` when a request fails that must not.
   */
  async run(send: (body: Uint8Array) => Promise<number>): Promise<WarmUpReport | undefined> {
    const { paths, sends, budgetMs, isRequired, filesMax, keepAt } = this.spec
    if (paths.length === 0 || budgetMs === 0) return undefined
    const sendSampled = async (body: Uint8Array) => {
      const ms = await send(body)
      this.sample ??= body
      return ms
    }
    const now = () => performance.now()
    // A store that is slow, or silent, takes no longer than a model that is.
    const over = AbortSignal.timeout(budgetMs)
    const requests = keptRequests(paths, { ...this.spec, mayBeEmpty: keepAt !== undefined, signal: over })
    const report = await replay(requests, sendSampled, { sends, budgetMs, over, now })
    if (report.ended === 'budget') this.sample = 'taken'
    this.report = report
    const isEmpty = report.requests + report.skipped === 0 && report.ended !== 'budget'
    if (filesMax > 0 && isEmpty) this.startKeeping()
    if (isRequired && report.firstFailure !== undefined) {
      throw new EasError('not_ready', `Cannot warm up: ${report.firstFailure}`)
    }
    return report
  }

  /** The first request that was answered well, if there was time for all of them; once. */
  takeSample(): Uint8Array | undefined {
    const { sample } = this
    this.sample = 'taken'
    return sample === 'taken' ? undefined : sample
  }

  /** A copy of a request for `keep`, if requests are kept now: what is sent to a worker is not there afterwards. */
  copy(body: Uint8Array): Uint8Array | undefined {
    return this.keeper?.isOpen ? new Uint8Array(body) : undefined // a Buffer's slice is no copy
  }

  /** Takes a copied request once it has been answered well. */
  keep(copy: Uint8Array): void {
    this.keeper?.offer(copy)
  }

  /** Resolves when nothing is being written. */
  get idle(): Promise<void> {
    return this.keeper?.idle ?? Promise.resolve()
  }

  private startKeeping(): void {
    const { keepAt, stores, filesMax } = this.spec
    if (keepAt === undefined || this.keeper) return
    const { store, key: folder } = openStore(keepAt, stores)
    this.keeper = new RequestKeeper({ store, folder, filesMax, shapeOf: this.shapeOf, onError: this.onError })
  }
}
