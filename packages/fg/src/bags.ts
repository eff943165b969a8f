import { float64s, int32s } from './pool.ts'

/**
 * Bags of values, the form in which columns travel between operators. A *row* is an item of the request (or the user); a
 * *cell* is a row or, in a sequence, one step of a row; a cell holds any number of values, and none when it is missing.
 */
export interface Bags {
  /** Rows: 1 for what is the same for all items, else one per item. */
  readonly rows: number
  /** Of a sequence: the cells of row `r` are `steps[r]` up to `steps[r + 1]`; `[rows + 1]`. */
  readonly steps: Int32Array | undefined
  /** The values of cell `c` are `offsets[c]` up to `offsets[c + 1]`; `[cells + 1]`. */
  readonly offsets: Int32Array
  /** How many cells are missing because what they held could not be understood. */
  readonly malformed: number
}

export interface TextBags extends Bags {
  readonly kind: 'texts'
  readonly texts: readonly string[]
  /** One per text, of weighted features. */
  readonly weights: Float32Array | undefined
}

export interface NumberBags extends Bags {
  readonly kind: 'numbers'
  readonly numbers: Float64Array
}

/** What `fg.json` calls bucketized. */
export interface IdBags extends Bags {
  readonly kind: 'ids'
  readonly ids: BigInt64Array
  readonly weights: Float32Array | undefined
}

export type Value = string | number | bigint

/** One `key: value` table per cell. */
export interface MapBags extends Bags {
  readonly kind: 'maps'
  /** By cell; `undefined` when it is missing. */
  readonly maps: readonly (ReadonlyMap<string, Value> | undefined)[]
  /** Whether numbers are widened float32: their text is then the shortest that reads back as that. */
  readonly float32: boolean
}

/** Cells of `bags`. */
export const cellsOf = (bags: Bags): number => bags.offsets.length - 1

/** An element of an array that is known to have it. */
export const at = (array: Int32Array | Float64Array | Uint32Array, index: number): number => array[index] ?? 0

/** Offsets that grow, one entry per `end()`. */
export class OffsetsBuilder {
  private array: Int32Array
  count = 0

  constructor(capacity: number) {
    this.array = int32s(capacity + 1)
  }

  end(offset: number): void {
    if (++this.count >= this.array.length) {
      const grown = int32s(this.array.length * 2 + 16)
      grown.set(this.array)
      this.array = grown
    }
    this.array[this.count] = offset
  }

  finish(): Int32Array {
    return this.count + 1 === this.array.length ? this.array : this.array.subarray(0, this.count + 1)
  }
}

/** Float64 numbers that grow. */
export class NumbersBuilder {
  private array: Float64Array
  length = 0

  constructor(capacity: number) {
    this.array = float64s(capacity)
  }

  push(value: number): void {
    if (this.length === this.array.length) {
      const grown = float64s(this.array.length * 2 + 16)
      grown.set(this.array)
      this.array = grown
    }
    this.array[this.length++] = value
  }

  finish(): Float64Array {
    return this.length === this.array.length ? this.array : this.array.subarray(0, this.length)
  }
}
