import type { DiskCache, Progress, StoreSettings } from '@eas/storage'

export interface RemoteOptions {
  readonly stores: StoreSettings
  /** Opened when the first model is fetched. */
  readonly cache: () => Promise<DiskCache>
  /** Kind of machine that a prepared form would have to be for; `undefined` to use models as they are. */
  readonly platform: string | undefined
  /** Milliseconds that a download may take. */
  readonly deadlineMs: number
  readonly onProgress?: ((name: string, progress: Progress) => void) | undefined
}

/** Rules of a download, as its options have them. */
export function transfer(name: string, { deadlineMs, onProgress }: RemoteOptions, signal: AbortSignal | undefined) {
  return {
    deadlineMs,
    ...(signal && { signal }),
    ...(onProgress && { onProgress: (progress: Progress) => onProgress(name, progress) }),
  }
}
