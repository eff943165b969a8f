/**
 * What has come of a body, in pieces. Each chunk that Node gives is two objects and memory of its own, many times what it
 * holds if that is little: where there are many of such they are copied at once, and gone with the next small collection of
 * garbage. Kept, they would have the heap grow for them.
 */
export class Pieces {
  private readonly parts: Buffer[] = []
  private block = none
  private used = 0

  /** @param before Bytes that came before it: no block is larger than these, or than a page. */
  add(chunk: Buffer, before: number): void {
    const isKept = chunk.length >= smallBytes || this.parts.length < keptMax
    if (!isKept && this.used + chunk.length <= this.block.length) {
      this.used += chunk.copy(this.block, this.used)
      return
    }
    this.endBlock()
    if (isKept) {
      this.parts.push(chunk)
      return
    }
    this.block = Buffer.allocUnsafeSlow(Math.min(Math.max(before, smallBytes), blockBytesMax))
    this.used = chunk.copy(this.block)
  }

  /** All of them, once, at the beginning of a buffer of `size` bytes that is alone in its memory. */
  join(size: number): Buffer {
    this.endBlock()
    const joined = Buffer.allocUnsafeSlow(size)
    let at = 0
    for (const part of this.parts.splice(0)) at += part.copy(joined, at)
    return joined
  }

  private endBlock(): void {
    if (this.used > 0) this.parts.push(this.block.subarray(0, this.used))
    this.block = none
    this.used = 0
  }
}

const none = Buffer.alloc(0)

/** Chunks below this are copied, a page. */
const smallBytes = 4096
/** So many chunks are kept as they come, however small: few bodies have more. */
const keptMax = 16
const blockBytesMax = 64 * 1024
