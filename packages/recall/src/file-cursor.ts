import { corrupt } from './recall-error.ts'

/** A run of equal items inside the file. Nothing is copied: `offset` is a position in the file's `DataView`. */
export interface Run {
  /** Byte position of the first item. */
  readonly offset: number
  readonly count: number
}

/**
 * Reads little-endian fields one after the other. A length is believed only when that many bytes are there, so what a
 * reader allocates is bounded by the file itself.
 */
export class FileCursor {
  readonly view: DataView
  private position = 0

  constructor(view: DataView) {
    this.view = view
  }

  get offset(): number {
    return this.position
  }

  get remaining(): number {
    return this.view.byteLength - this.position
  }

  u8(what: string): number {
    return this.view.getUint8(this.take(1, what))
  }

  /** A C++ bool: 0 or 1. */
  flag(what: string): boolean {
    const value = this.u8(what)
    if (value > 1) throw corrupt(`${what} is ${value}, neither 0 nor 1`)
    return value === 1
  }

  i32(what: string): number {
    return this.view.getInt32(this.take(4, what), true)
  }

  f32(what: string): number {
    return this.view.getFloat32(this.take(4, what), true)
  }

  /** A `size_t` or non-negative `idx_t` that must fit a double; more than that is never true of a file that we hold. */
  count(what: string): number {
    const value = this.view.getBigInt64(this.take(8, what), true)
    if (value < 0n || value > Number.MAX_SAFE_INTEGER) throw corrupt(`${what} is ${value}`)
    return Number(value)
  }

  skip(bytes: number, what: string): void {
    this.take(bytes, what)
  }

  /** Four ASCII characters that name what follows. */
  fourcc(what: string): string {
    const offset = this.take(4, what)
    const codes = [0, 1, 2, 3].map((i) => this.view.getUint8(offset + i))
    if (!codes.every((code) => code >= 0x20 && code < 0x7f)) throw corrupt(`${what} has no type at byte ${offset}`)
    return String.fromCharCode(...codes)
  }

  /** `count` items of `itemBytes`. */
  run(count: number, itemBytes: number, what: string): Run {
    if (count > this.remaining / itemBytes) {
      throw corrupt(`${what} holds ${count} items of ${itemBytes} bytes, but ${this.remaining} bytes are left`)
    }
    return { offset: this.take(count * itemBytes, what), count }
  }

  /** A `std::vector`: its count, then its items. */
  vector(itemBytes: number, what: string): Run {
    return this.run(this.count(`the length of ${what}`), itemBytes, what)
  }

  private take(bytes: number, what: string): number {
    if (bytes > this.remaining) throw corrupt(`it ends within ${what}, at byte ${this.view.byteLength}`)
    const offset = this.position
    this.position += bytes
    return offset
  }
}
