import type { Sink } from '../object-store.ts'

/** Bytes gathered before they are written: enough to make calls rare, little enough for 16 parts at once. */
const slabBytes = 1024 * 1024

/** Two buffers in turn: one is filled while the other is written. */
export class Slabs implements Sink {
  private left: number
  private readonly write: (bytes: Uint8Array) => Promise<unknown>
  private slab: Uint8Array
  /** The other one, once it has been written. */
  private spare: Uint8Array | undefined
  private filled = 0
  private writing: Promise<void> | undefined

  /**
   * @param bytes That will come at most; beyond them there is no room.
   * @param write Called in order, and not again before what it returned is settled. Its bytes are its own until then.
   */
  constructor(bytes: number, write: (bytes: Uint8Array) => Promise<unknown>) {
    this.left = bytes
    this.write = write
    this.slab = Buffer.allocUnsafeSlow(Math.min(bytes, slabBytes))
  }

  room(): Uint8Array {
    return this.slab.subarray(this.filled, this.filled + this.left)
  }

  /** Makes wait where bytes come faster than they are written. Rejects with what `write` rejected with. */
  took(bytes: number): Promise<void> | undefined {
    this.filled += bytes
    this.left -= bytes
    if (this.filled < this.slab.length) return undefined
    if (!this.writing) {
      this.turn()
      return undefined
    }
    const turned = this.writing.then(() => this.turn())
    turned.catch(() => {}) // whoever does not wait for it is told by `end`
    return turned
  }

  /** Writes what is left. Resolves when all is written. */
  async end(): Promise<void> {
    await this.writing
    if (this.filled > 0) this.turn()
    await this.writing
  }

  private turn(): void {
    const full = this.slab
    const bytes = full.subarray(0, this.filled)
    this.slab = this.spare ?? Buffer.allocUnsafeSlow(Math.min(this.left, slabBytes))
    this.spare = undefined
    this.filled = 0
    this.writing = this.write(bytes).then(() => {
      this.spare = full
      this.writing = undefined
    })
    this.writing.catch(() => {}) // seen by whoever waits next
  }
}
