import { openStore, type StoreError, type StoreSettings } from '@eas/storage'
import type { Note } from '../engine/messages.ts'
import { type FileCounts, type FileFolder, FileWriters } from './file-writers.ts'

/** Where a service keeps requests: URLs, or absolute paths of this machine. */
export interface RequestFilesSpec {
  /** `request_log_path`. */
  readonly request_log: string | undefined
  /** `torch_req/` beside the model, for `save_long_request`. */
  readonly torch_req: string | undefined
  /** `background_feature_thread_num`. */
  readonly writers: number
  readonly stores: StoreSettings
}

/** Files that may wait, and their bytes: about a minute of debugging at ten requests a second. */
const waiting = { filesMax: 512, bytesMax: 128 * 1024 * 1024 }
const timeoutMs = 30_000

type FileNote = Note & { readonly kind: 'file' }

/** The files of requests that a service was asked to keep. */
export class RequestFiles {
  private readonly spec: RequestFilesSpec
  private readonly writers: FileWriters
  private readonly folders = new Map<FileNote['of'], FileFolder>()

  constructor(spec: RequestFilesSpec, onError: (error: StoreError) => void) {
    this.spec = spec
    this.writers = new FileWriters({ ...waiting, timeoutMs, writers: spec.writers, onError })
  }

  get counts(): Readonly<FileCounts> {
    return this.writers.counts
  }

  /** Takes a file to be written. Requests of `request_log_path` are by hour. */
  write({ of, name, bytes }: FileNote, now: Date): void {
    const folder = this.folderOf(of)
    if (folder) this.writers.write(folder, of === 'request_log' ? `${dateHour(now)}/${name}` : name, bytes)
  }

  /** Counts a file that was not even made. */
  drop(): void {
    this.writers.counts.dropped++
  }

  /** Resolves when everything is written, or after so many milliseconds. */
  flush(withinMs: number): Promise<void> {
    return this.writers.flush(withinMs)
  }

  private folderOf(of: FileNote['of']): FileFolder | undefined {
    const place = this.spec[of]
    const known = this.folders.get(of)
    if (known || place === undefined) return known
    const { store, key } = openStore(place, this.spec.stores)
    const folder = { store, key: key.replace(/\/+$/, '') }
    this.folders.set(of, folder)
    return folder
  }
}

/** `20260316_10`: the processor's page says `date_hour`, in the time of the machine. */
export function dateHour(now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}_${two(now.getHours())}`
}
