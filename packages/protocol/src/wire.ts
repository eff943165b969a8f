import { Buffer, isUtf8 } from 'node:buffer'
import { endianness } from 'node:os'
import { assert, limits } from '@eas/base'
import { Fault } from './decode-error.ts'

/**
 * The protobuf wire format: what every message is read from and written to.
 * @see https://protobuf.dev/programming-guides/encoding/
 */

// Packed floats are little-endian on the wire and are viewed in place.
assert(endianness() === 'LE', 'the host is little-endian')

/** The wire types a field of ours can have; the low three bits of a tag. */
export const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

// Eight bytes seen as every number a field can hold.
const words = new Int32Array(2)
const float32 = new Float32Array(words.buffer)
const float64 = new Float64Array(words.buffer)
const int64 = new BigInt64Array(words.buffer)

/** Strings up to this many bytes are put together here; for longer ones a call into native code is worth its price. */
const shortStringBytes = 32

/**
 * A cursor over the bytes of one message. `end` is the end of the message being read, embedded ones included: nothing
 * reads past it. Every method throws `Fault`.
 */
export class Reader {
  readonly bytes: Uint8Array
  pos = 0
  end: number
  /** Halves of the last varint of more than one byte. */
  private low = 0
  private high = 0
  private parts = 0
  private buffer: Buffer | undefined

  constructor(bytes: Uint8Array) {
    // A Buffer is a class of its own to the compiler; one class here keeps every read below monomorphic.
    this.bytes =
      bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.end = bytes.length
  }

  fault(facts: string): Fault {
    return new Fault(facts, this.pos)
  }

  /** Number and wire type of the next field. There must be one: `pos < end`. */
  tag(): number {
    const byte = this.bytes[this.pos] ?? 0
    if (byte < 0x80) {
      this.pos++
      return byte
    }
    this.longVarint()
    if (this.high !== 0) throw this.fault('a field number is over 536870911')
    return this.low >>> 0
  }

  int32(): number {
    if (this.pos < this.end) {
      const byte = this.bytes[this.pos] ?? 0
      if (byte < 0x80) {
        this.pos++
        return byte
      }
    }
    this.longVarint()
    return this.low
  }

  int64(): bigint {
    if (this.pos < this.end) {
      const byte = this.bytes[this.pos] ?? 0
      if (byte < 0x80) {
        this.pos++
        return BigInt(byte)
      }
    }
    this.longVarint()
    words[0] = this.low
    words[1] = this.high
    return int64[0] ?? 0n
  }

  /** A count or a dimension. @throws {Fault} When it is negative or over 2^53. */
  size(): number {
    if (this.pos < this.end) {
      const byte = this.bytes[this.pos] ?? 0
      if (byte < 0x80) {
        this.pos++
        return byte
      }
    }
    const start = this.pos
    this.longVarint()
    const size = this.high * 2 ** 32 + (this.low >>> 0)
    if (size >= 0 && size <= Number.MAX_SAFE_INTEGER) return size
    words[0] = this.low
    words[1] = this.high
    throw new Fault(`${int64[0]} is not a size`, start)
  }

  float(): number {
    words[0] = this.fixed32()
    return float32[0] ?? 0
  }

  double(): number {
    const low = this.fixed32()
    words[1] = this.fixed32()
    words[0] = low
    return float64[0] ?? 0
  }

  /** Steps into the embedded message, string or packed run that follows. @returns The end to restore when it is done. */
  enter(): number {
    this.countPart()
    const outer = this.end
    this.end = this.length() + this.pos
    return outer
  }

  /** The length of what follows, which is there. */
  length(): number {
    const { pos, end } = this
    if (pos < end) {
      const byte = this.bytes[pos] ?? 0
      if (byte < 0x80 && byte < end - pos) {
        this.pos = pos + 1
        return byte
      }
    }
    return this.longLength()
  }

  private longLength(): number {
    this.longVarint()
    const length = (this.high >>> 0) * 2 ** 32 + (this.low >>> 0)
    const left = this.end - this.pos
    if (length > left) throw this.fault(`a length of ${BigInt(length)} bytes, where ${left} are left`)
    return length
  }

  /** @throws {Fault} When the bytes are not UTF-8, as proto3 asks of a `string`. */
  string(): string {
    const length = this.length()
    const start = this.pos
    const end = start + length
    this.pos = end
    if (length > shortStringBytes) return this.longString(start, end)
    const bytes = this.bytes
    let text = ''
    let pos = start
    for (; pos + 8 <= end; pos += 8) {
      const a = bytes[pos] ?? 0
      const b = bytes[pos + 1] ?? 0
      const c = bytes[pos + 2] ?? 0
      const d = bytes[pos + 3] ?? 0
      const e = bytes[pos + 4] ?? 0
      const f = bytes[pos + 5] ?? 0
      const g = bytes[pos + 6] ?? 0
      const h = bytes[pos + 7] ?? 0
      if ((a | b | c | d | e | f | g | h) > 0x7f) return this.longString(start, end)
      text += String.fromCharCode(a, b, c, d, e, f, g, h)
    }
    if (pos + 4 <= end) {
      const a = bytes[pos] ?? 0
      const b = bytes[pos + 1] ?? 0
      const c = bytes[pos + 2] ?? 0
      const d = bytes[pos + 3] ?? 0
      if ((a | b | c | d) > 0x7f) return this.longString(start, end)
      text += String.fromCharCode(a, b, c, d)
      pos += 4
    }
    for (; pos < end; pos++) {
      const a = bytes[pos] ?? 0
      if (a > 0x7f) return this.longString(start, end)
      text += String.fromCharCode(a)
    }
    return text
  }

  private longString(start: number, end: number): string {
    const { bytes } = this
    this.buffer ??= Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const text = this.buffer.toString('utf8', start, end)
    // What is not UTF-8 becomes U+FFFD; so does U+FFFD itself, hence the second look.
    if (text.includes('\ufffd') && !isUtf8(bytes.subarray(start, end))) throw new Fault('is not UTF-8', start)
    return text
  }

  /** A view of the bytes that follow. */
  view(): Uint8Array {
    this.countPart()
    const length = this.length()
    const start = this.pos
    this.pos = start + length
    return this.bytes.subarray(start, this.pos)
  }

  /** Passes over a field that the message does not have, or has with another wire type. */
  skip(tag: number): void {
    if (tag < 8) throw this.fault('a field has the number 0')
    switch (tag & 7) {
      case wireType.varint:
        this.int32()
        return
      case wireType.fixed64:
        this.advance(8)
        return
      case wireType.bytes:
        this.advance(this.length())
        return
      case wireType.fixed32:
        this.advance(4)
        return
      default:
        throw this.fault(`field ${tag >>> 3} has the wire type ${tag & 7}${(tag & 7) < 5 ? ', a group' : ''}`)
    }
  }

  advance(size: number): void {
    if (size > this.end - this.pos) throw this.fault(`${size} bytes, where ${this.end - this.pos} are left`)
    this.pos += size
  }

  /** Bounds what is made of many tiny parts: an object is larger than the two bytes that ask for it. */
  private countPart(): void {
    if (++this.parts > limits.messageParts) throw this.fault(`the message has over ${limits.messageParts} parts`)
  }

  private fixed32(): number {
    const { bytes, pos } = this
    this.advance(4)
    const low = (bytes[pos] ?? 0) | ((bytes[pos + 1] ?? 0) << 8)
    return low | ((bytes[pos + 2] ?? 0) << 16) | ((bytes[pos + 3] ?? 0) << 24)
  }

  /** A varint of any length, into `low` and `high`. Bits over 64 are dropped, as protobuf does. */
  private longVarint(): void {
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.pos >= this.end) throw this.fault('a number is cut off')
      const byte = this.bytes[this.pos++] ?? 0
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high = bits >>> 4
      } else if (shift < 64) high |= bits << (shift - 32)
      if (byte < 0x80) {
        this.low = low
        this.high = high
        return
      }
    }
    throw this.fault('a number takes over 10 bytes')
  }
}

/**
 * Lengths found on the way down, used on the way out: a message is measured once and then written once, and a part's
 * length, which stands before it on the wire, is looked up in the order in which it was measured.
 */
export class Sizes {
  private readonly sizes: number[] = []
  private next = 0

  /** Keeps a place for the length of a part whose parts are measured next. */
  reserve(): number {
    return this.sizes.push(0) - 1
  }

  /** Fills a reserved place. @returns `size`, with the bytes of the length itself. */
  set(place: number, size: number): number {
    this.sizes[place] = size
    return sizeOfLength(size) + size
  }

  /** `reserve` and `set` for a part without parts. */
  add(size: number): number {
    this.sizes.push(size)
    return sizeOfLength(size) + size
  }

  take(): number {
    return this.sizes[this.next++] ?? 0
  }
}

/** Bytes of a varint of up to 32 bits, unsigned. */
export const sizeOfLength = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5

/** Bytes of an int32; a negative one is written as the 64-bit number it is. */
export const sizeOfInt32 = (value: number): number => (value < 0 ? 10 : sizeOfLength(value))

/** Bytes of 64 bits given as halves. */
export function sizeOfHalves(low: number, high: number): number {
  if (high === 0) return sizeOfLength(low >>> 0)
  const upper = high >>> 0
  if (upper < 1 << 3) return 5
  return upper < 1 << 10 ? 6 : upper < 1 << 17 ? 7 : upper < 1 << 24 ? 8 : upper < 2 ** 31 ? 9 : 10
}

export function sizeOfInt64(value: bigint): number {
  int64[0] = value
  return sizeOfHalves(words[0] ?? 0, words[1] ?? 0)
}

/** Bytes of a number from 0 up to 2^53, as dimensions are. */
export const sizeOfUint53 = (value: number): number => sizeOfHalves(value | 0, Math.floor(value / 2 ** 32))

export function sizeOfUtf8(text: string): number {
  if (text.length > shortStringBytes) return Buffer.byteLength(text)
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text)
  return text.length
}

/** Writes what `Sizes` has measured into an array of exactly that size. */
export class Writer {
  /** Owns the whole of its buffer, so that it can be transferred to another thread. */
  readonly bytes: Uint8Array
  pos = 0
  private readonly sizes: Sizes
  private readonly buffer: Buffer

  constructor(size: number, sizes: Sizes) {
    // Not zeroed, as every byte is written; never from Node's pool, which other buffers share.
    this.buffer = Buffer.allocUnsafeSlow(size)
    this.bytes = new Uint8Array(this.buffer.buffer)
    this.sizes = sizes
  }

  /** @returns What was written, all of it. */
  finish(): Uint8Array {
    assert(this.pos === this.bytes.length, `${this.bytes.length} bytes were measured, ${this.pos} written`)
    return this.bytes
  }

  byte(value: number): void {
    this.bytes[this.pos++] = value
  }

  /** A tag or a length. */
  uint32(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.bytes[this.pos++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.bytes[this.pos++] = rest
  }

  /** The measured length of the part that follows. */
  length(): number {
    const size = this.sizes.take()
    this.uint32(size)
    return size
  }

  int32(value: number): void {
    if (value >= 0) this.uint32(value)
    else this.halves(value, -1)
  }

  int64(value: bigint): void {
    int64[0] = value
    this.halves(words[0] ?? 0, words[1] ?? 0)
  }

  uint53(value: number): void {
    this.halves(value | 0, Math.floor(value / 2 ** 32))
  }

  /** 64 bits as a varint. */
  halves(low: number, high: number): void {
    const { bytes } = this
    let pos = this.pos
    let rest = low
    let upper = high
    while (upper !== 0) {
      bytes[pos++] = rest | 0x80
      rest = (rest >>> 7) | (upper << 25)
      upper >>>= 7
    }
    while (rest >>> 7 !== 0) {
      bytes[pos++] = rest | 0x80
      rest >>>= 7
    }
    bytes[pos++] = rest
    this.pos = pos
  }

  float(value: number): void {
    float32[0] = value
    this.fixed32(words[0] ?? 0)
  }

  double(value: number): void {
    float64[0] = value
    const high = words[1] ?? 0
    this.fixed32(words[0] ?? 0)
    this.fixed32(high)
  }

  /** A string with its measured length. */
  string(text: string): void {
    const size = this.length()
    const { bytes, pos } = this
    this.pos = pos + size
    if (size !== text.length || size > shortStringBytes) {
      this.buffer.write(text, pos, size, 'utf8')
      return
    }
    for (let i = 0; i < size; i++) bytes[pos + i] = text.charCodeAt(i)
  }

  /** The bytes of an array, as they lie in memory. */
  raw(data: ArrayBufferView): void {
    const { bytes, pos } = this
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), pos)
    this.pos = pos + data.byteLength
  }

  private fixed32(value: number): void {
    const { bytes, pos } = this
    bytes[pos] = value
    bytes[pos + 1] = value >>> 8
    bytes[pos + 2] = value >>> 16
    bytes[pos + 3] = value >>> 24
    this.pos = pos + 4
  }
}
