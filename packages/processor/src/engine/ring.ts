import { assert } from '@eas/base'

/** Numbers that go with each record. */
export const factsPerRecord = 4

const wordBytes = 8
/** The record's length in bytes, then its facts. */
const headWords = 1 + factsPerRecord
/** In place of a length: the rest of the ring is unused, the next record is at its start. */
const wrapped = -1

/**
 * A queue of records from one thread to one other, in memory that both see: a record is a few numbers and some bytes. Put in
 * by copying and taken out by copying, it costs neither a structured clone nor a system call.
 *
 * Positions count words of 8 bytes since the start, modulo 2^32; `put` and `taken` are where each side is.
 */
export class Ring {
  readonly shared: SharedArrayBuffer
  private readonly positions: Int32Array
  private readonly words: Float64Array
  private readonly bytes: Uint8Array
  private readonly mask: number

  /** @param shared From `Ring.memory`, the same on both sides. */
  constructor(shared: SharedArrayBuffer) {
    this.shared = shared
    this.positions = new Int32Array(shared, 0, 2)
    this.words = new Float64Array(shared, wordBytes)
    this.bytes = new Uint8Array(shared, wordBytes)
    this.mask = this.words.length - 1
    assert((this.words.length & this.mask) === 0, 'a ring has a power of two of words')
  }

  /** @param words A power of two. */
  static memory(words: number): SharedArrayBuffer {
    return new SharedArrayBuffer(wordBytes + words * wordBytes)
  }

  /** Bytes that a record may have: half of the ring, so that a full one always drains to where the record fits. */
  get recordBytesMax(): number {
    return (this.words.length / 2 - headWords) * wordBytes
  }

  /** Puts a record in; `false`, and nothing has happened, when there is no room. */
  put(facts: ArrayLike<number>, body: Uint8Array): boolean {
    const size = headWords + Math.ceil(body.length / wordBytes)
    const put = Atomics.load(this.positions, 0)
    const free = this.words.length - ((put - Atomics.load(this.positions, 1)) >>> 0)
    const at = put & this.mask
    const toEnd = this.words.length - at
    const skipped = size > toEnd ? toEnd : 0
    if (body.length > this.recordBytesMax || size + skipped > free) return false
    if (skipped > 0) this.words[at] = wrapped
    const start = (at + skipped) & this.mask
    this.words[start] = body.length
    for (let i = 0; i < factsPerRecord; i++) this.words[start + 1 + i] = facts[i] ?? 0
    this.bytes.set(body, (start + headWords) * wordBytes)
    Atomics.store(this.positions, 0, (put + skipped + size) | 0)
    return true
  }

  /** Takes a copy of the next record out; `undefined` when there is none. */
  take(): { readonly facts: readonly number[]; readonly body: Uint8Array<ArrayBuffer> } | undefined {
    let taken = Atomics.load(this.positions, 1)
    if (taken === Atomics.load(this.positions, 0)) return undefined
    if (this.words[taken & this.mask] === wrapped) taken = (taken + this.words.length - (taken & this.mask)) | 0
    const start = taken & this.mask
    const length = this.words[start] ?? 0
    const facts: number[] = []
    for (let i = 0; i < factsPerRecord; i++) facts.push(this.words[start + 1 + i] ?? 0)
    const from = (start + headWords) * wordBytes
    const body = Buffer.allocUnsafe(length) // of a pool where it is small: a buffer of its own costs as much as the rest
    body.set(this.bytes.subarray(from, from + length))
    Atomics.store(this.positions, 1, (taken + headWords + Math.ceil(length / wordBytes)) | 0)
    return { facts, body }
  }
}
