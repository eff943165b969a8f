import { FeatureStoreError } from '../feature-store-error.ts'

type TypedArrayOf = Uint8Array | Int32Array | Uint32Array | BigInt64Array | Float32Array | Float64Array

/** Elements of a typed array, and bytes of a Node `Buffer`: 4 GiB. */
const maxElements = 2 ** 32 - 1

/**
 * A typed array that is only ever added to. Its memory is shared between threads and, as the system commits pages when
 * they are written to, room that is not used costs addresses and no memory. What has been written never changes, so a
 * view taken earlier stays right even when the array has since moved to a larger buffer.
 */
export class Growing<T extends TypedArrayOf> {
  data: T
  count = 0
  private readonly make: (buffer: SharedArrayBuffer) => T
  private readonly elementBytes: number

  constructor(make: (buffer: SharedArrayBuffer) => T, elementBytes: number, capacity: number) {
    this.make = make
    this.elementBytes = elementBytes
    this.data = this.allocate(Math.max(capacity, 16))
  }

  /** Makes room for `more` elements. */
  reserve(more: number): void {
    const needed = this.count + more
    if (needed <= this.data.length) return
    const larger = this.allocate(Math.max(needed, Math.min(2 * this.data.length, maxElements)))
    // Both are of type T, which TypeScript cannot tell of a union.
    ;(larger as Uint8Array).set((this.data as Uint8Array).subarray(0, this.count))
    this.data = larger
  }

  /** What has been written so far. */
  view(): T {
    return this.data.subarray(0, this.count) as T // a part of a T is one
  }

  get bytes(): number {
    return this.count * this.elementBytes
  }

  private allocate(elements: number): T {
    if (elements > maxElements) {
      throw new FeatureStoreError('too_large', `Cannot hold ${elements} values in a column, more than ${maxElements}`)
    }
    try {
      return this.make(new SharedArrayBuffer(elements * this.elementBytes))
    } catch (cause) {
      throw new FeatureStoreError('too_large', `Cannot get memory for ${elements} values`, { cause })
    }
  }
}

export const growing = {
  uint8: (capacity: number) => new Growing((buffer) => new Uint8Array(buffer), 1, capacity),
  uint32: (capacity: number) => new Growing((buffer) => new Uint32Array(buffer), 4, capacity),
  int32: (capacity: number) => new Growing((buffer) => new Int32Array(buffer), 4, capacity),
  int64: (capacity: number) => new Growing((buffer) => new BigInt64Array(buffer), 8, capacity),
  float: (capacity: number) => new Growing((buffer) => new Float32Array(buffer), 4, capacity),
  double: (capacity: number) => new Growing((buffer) => new Float64Array(buffer), 8, capacity),
} as const
