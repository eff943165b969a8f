import { int64s } from './pool.ts'

/**
 * Writes ids into a `BigInt64Array` without making a bigint of each: as two words, little-endian, which every platform
 * that Node runs on is.
 */
export class IdWriter {
  readonly ids: BigInt64Array
  private readonly words: Int32Array

  constructor(count: number) {
    this.ids = int64s(count)
    this.words = new Int32Array(this.ids.buffer, this.ids.byteOffset, count * 2)
  }

  /** A whole number of at most 2^53. */
  set(index: number, id: number): void {
    this.words[index * 2] = id | 0
    this.words[index * 2 + 1] = Math.floor(id / 0x1_0000_0000)
  }

  setExact(index: number, id: number | bigint): void {
    if (typeof id === 'number') this.set(index, id)
    else this.ids[index] = id
  }
}
