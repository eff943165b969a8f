import { StoreError } from '../store-error.ts'

export interface UnpackLimits {
  /** Files and folders. Default 10,000. */
  readonly maxEntries?: number
  /** Of all files together. Default 64 GiB. */
  readonly maxBytes?: number
  /**
   * Unpacked bytes per byte of the archive. Default 250: float weights pack to 10 % at best, text to 3 %; only runs of
   * zeros go beyond, and DEFLATE ends at 1,032. The first 64 MiB are free.
   */
  readonly maxRatio?: number
}

const defaults = { maxEntries: 10_000, maxBytes: 64 * 2 ** 30, maxRatio: 250 }
const freeBytes = 64 * 2 ** 20

/** Counts what comes out of an archive, and stops it when it is too much. */
export class UnpackMeter {
  bytes = 0
  entries = 0
  private readonly limits: Required<UnpackLimits>
  private readonly doing: string
  private readonly packedBytes: () => number

  /** @param packedBytes Bytes of the archive: all of them, or those read until now. */
  constructor(limits: UnpackLimits, packedBytes: () => number, doing: string) {
    this.limits = { ...defaults, ...limits }
    this.packedBytes = packedBytes
    this.doing = doing
  }

  entry(): void {
    this.entries++
    if (this.entries > this.limits.maxEntries) this.tooLarge(`more than ${this.limits.maxEntries} entries`)
  }

  /** Before the bytes are written. @throws {StoreError} `too-large`. */
  add(bytes: number): void {
    this.bytes += bytes
    this.check(this.bytes)
  }

  /** What an entry says about its size, before any of it is read. */
  expect(bytes: number): void {
    if (this.bytes + bytes > this.limits.maxBytes) this.tooLarge(`more than ${this.limits.maxBytes} bytes`)
  }

  /** Bytes out of the decompressor, which an archive has more of than its files do. */
  check(bytes: number): void {
    // Headers and padding come on top of the files' bytes.
    if (bytes > this.limits.maxBytes + this.entries * 2048 + 2 ** 20)
      this.tooLarge(`more than ${this.limits.maxBytes} bytes`)
    if (bytes > freeBytes && bytes > this.packedBytes() * this.limits.maxRatio) {
      this.tooLarge(`more than ${this.limits.maxRatio} times its own size`)
    }
  }

  private tooLarge(what: string): never {
    throw new StoreError('too-large', `Cannot ${this.doing}: it holds ${what}`)
  }
}
