import { type ObjectStore, StoreError } from '@eas/storage'

/** A folder of any store. */
export interface FileFolder {
  readonly store: ObjectStore
  /** Without a slash at its end; `''` for the root of the store. */
  readonly key: string
}

export interface FileWritersOptions {
  /** Files that are written at once: `background_feature_thread_num`. */
  readonly writers: number
  /** Files that may wait; further ones are dropped. */
  readonly filesMax: number
  /** Bytes of what may wait. */
  readonly bytesMax: number
  /** Milliseconds that writing one file may take. */
  readonly timeoutMs: number
  /** Told of the first failure after a success: a store that is down fails with every file. */
  readonly onError: (error: StoreError) => void
}

/** What has become of the files so far. */
export interface FileCounts {
  written: number
  /** There was no room for them. */
  dropped: number
  failed: number
}

interface Waiting {
  readonly folder: FileFolder
  readonly name: string
  readonly bytes: Uint8Array
}

/**
 * Writes small files behind the answers they belong to. Requests never wait for it: a store that cannot keep up, or is
 * away, costs files, which are counted.
 */
export class FileWriters {
  readonly counts: FileCounts = { written: 0, dropped: 0, failed: 0 }
  private readonly options: FileWritersOptions
  private readonly queue: Waiting[] = []
  private queuedBytes = 0
  private readonly writing = new Set<Promise<void>>()
  private isFailing = false

  constructor(options: FileWritersOptions) {
    this.options = options
  }

  /** Whether anything is yet to be written. */
  get isIdle(): boolean {
    return this.writing.size === 0
  }

  /** Takes a file, whose bytes nobody changes from now on, unless too much waits already. */
  write(folder: FileFolder, name: string, bytes: Uint8Array): void {
    const { filesMax, bytesMax } = this.options
    if (this.queue.length >= filesMax || this.queuedBytes + bytes.length > bytesMax) {
      this.counts.dropped++
      return
    }
    this.queue.push({ folder, name, bytes })
    this.queuedBytes += bytes.length
    this.fill()
  }

  /** Resolves when everything is written, or after so many milliseconds. */
  async flush(withinMs: number): Promise<void> {
    if (this.isIdle) return
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs)
    })
    await Promise.race([this.settled(), late]).finally(() => clearTimeout(timer))
  }

  private async settled(): Promise<void> {
    while (!this.isIdle) await Promise.all(this.writing)
  }

  private fill(): void {
    while (this.writing.size < this.options.writers) {
      const next = this.queue.shift()
      if (!next) return
      this.queuedBytes -= next.bytes.length
      const writing = this.put(next).finally(() => {
        this.writing.delete(writing)
        this.fill()
      })
      this.writing.add(writing)
    }
  }

  private async put({ folder: { store, key }, name, bytes }: Waiting): Promise<void> {
    try {
      // Behind the answer.
      await new Promise(setImmediate)
      const signal = AbortSignal.timeout(this.options.timeoutMs)
      await store.put(key === '' ? name : `${key}/${name}`, bytes, { signal, contentType: 'application/x-protobuf' })
      this.counts.written++
      this.isFailing = false
    } catch (thrown) {
      this.counts.failed++
      if (!(thrown instanceof StoreError)) throw thrown
      if (!this.isFailing) this.options.onError(thrown)
      this.isFailing = true
    }
  }
}
