import { type ObjectStore, StoreError } from '@eas/storage'

export interface RequestKeeperOptions {
  readonly store: ObjectStore
  /** The folder's key; `''` for the root of the store. */
  readonly folder: string
  /** Files that the folder may have: `warmup_pb_files_count`. */
  readonly filesMax: number
  /** What makes two requests the same for a warm-up: equal texts are kept once. */
  readonly shapeOf: (body: Uint8Array) => Promise<string>
  readonly onError: (error: StoreError) => void
}

/** After so many failed writes the store is left alone. */
const failuresMax = 3

/**
 * Keeps requests as they come, so that later starts can replay them: `0.pb`, `1.pb`, … in a folder of object storage. Any
 * number of instances keep them at once: a place that another has taken is left to it, and there are no more places than
 * files. A request costs a copy of its body while places are left, one request at a time, and nothing afterwards.
 */
export class RequestKeeper {
  private readonly options: RequestKeeperOptions
  private readonly shapes = new Set<string>()
  private place = 0
  private failures = 0
  private keeping: Promise<void> | undefined

  constructor(options: RequestKeeperOptions) {
    this.options = options
  }

  /** Whether a request that comes now would be looked at. */
  get isOpen(): boolean {
    return !this.keeping && this.place < this.options.filesMax && this.failures < failuresMax
  }

  /** Resolves when nothing is being written. */
  get idle(): Promise<void> {
    return this.keeping ?? Promise.resolve()
  }

  /** Takes a request that has been answered well. `body` is not changed by anybody from now on. */
  offer(body: Uint8Array): void {
    if (!this.isOpen) return
    this.keeping = this.keep(body).finally(() => {
      this.keeping = undefined
    })
  }

  private async keep(body: Uint8Array): Promise<void> {
    // Behind the answer.
    await new Promise(setImmediate)
    const shape = await this.options.shapeOf(body)
    if (this.shapes.has(shape)) return
    const { store, folder, filesMax, onError } = this.options
    try {
      while (this.place < filesMax) {
        const key = `${folder === '' ? '' : `${folder}/`}${this.place}.pb`
        this.place++
        if (await store.create(key, body)) break
      }
      this.shapes.add(shape)
    } catch (thrown) {
      if (!(thrown instanceof StoreError)) throw thrown
      this.place--
      this.failures++
      onError(thrown)
    }
  }
}
