import { Fault } from './decode-error.ts'
import type { Reader } from './wire.ts'

/**
 * Where the values of one repeated number lie. A writer may pack them, not pack them, and split either into several
 * runs between other fields; end to end, the runs are the packed form. A single run stays where it is in the message;
 * a second one starts a copy.
 */
export class Runs {
  /** Of the values in `bytesOf`; the same when there are none. */
  start = 0
  end = 0
  private copy: Uint8Array | undefined

  clear(): void {
    this.start = 0
    this.end = 0
    this.copy = undefined
  }

  get empty(): boolean {
    return this.start === this.end
  }

  /** What `start` and `end` count in. */
  bytesOf(reader: Reader): Uint8Array {
    return this.copy ?? reader.bytes
  }

  /** Numbers of `size` bytes, packed. */
  addPackedFixed(reader: Reader, size: number): void {
    const length = reader.length()
    if (length % size !== 0) throw reader.fault(`${length} bytes are not whole values of ${size} bytes`)
    this.addFixed(reader, length)
  }

  /** Varints, packed. */
  addPackedVarints(reader: Reader): void {
    const length = reader.length()
    if (length > 0 && (reader.bytes[reader.pos + length - 1] ?? 0) > 0x7f)
      throw reader.fault('the last number is cut off')
    this.addFixed(reader, length)
  }

  /** One number of `size` bytes. */
  addFixed(reader: Reader, size: number): void {
    const start = reader.pos
    reader.advance(size)
    this.add(reader.bytes, start, reader.pos)
  }

  /** One varint. */
  addVarint(reader: Reader): void {
    const start = reader.pos
    reader.int32()
    this.add(reader.bytes, start, reader.pos)
  }

  private add(bytes: Uint8Array, start: number, end: number): void {
    if (this.empty) {
      this.start = start
      this.end = end
      return
    }
    const held = this.end - this.start
    const size = held + end - start
    let copy = this.copy
    if (!copy || copy.length < size) {
      // Doubling keeps many small runs linear.
      const grown = new Uint8Array(size * 2)
      grown.set((copy ?? bytes).subarray(this.start, this.end))
      copy = this.copy = grown
    }
    if (end - start > 64) copy.set(bytes.subarray(start, end), held)
    else for (let i = start; i < end; i++) copy[held + i - start] = bytes[i] ?? 0
    this.start = 0
    this.end = size
  }
}

/** How many varints lie in `[start, end)`, which ends with the last byte of one. */
export function countVarints(bytes: Uint8Array, start: number, end: number): number {
  let count = 0
  for (let pos = start; pos < end; pos++) count += ((bytes[pos] ?? 0) >>> 7) ^ 1
  return count
}

const tooLong = (pos: number): Fault => new Fault('a number takes over 10 bytes', pos)

/**
 * The next loops read varints that end before `end`, so a varint needs no check of its own bytes against it. Each fills
 * `out` and returns the position after the last varint read, or -1 when there are fewer varints than places in `out`.
 */

/** int64, as halves: no BigInt is made. */
export function readInt64s(bytes: Uint8Array, start: number, end: number, out: BigInt64Array): number {
  const halves = new Int32Array(out.buffer, out.byteOffset, out.length * 2)
  const places = halves.length
  let pos = start
  for (let at = 0; at < places; at += 2) {
    if (pos >= end) return -1
    let byte = bytes[pos++] ?? 0
    let low = byte & 0x7f
    let high = 0
    if (byte > 0x7f) {
      byte = bytes[pos++] ?? 0
      low |= (byte & 0x7f) << 7
      if (byte > 0x7f) {
        byte = bytes[pos++] ?? 0
        low |= (byte & 0x7f) << 14
        if (byte > 0x7f) {
          byte = bytes[pos++] ?? 0
          low |= (byte & 0x7f) << 21
          if (byte > 0x7f) {
            byte = bytes[pos++] ?? 0
            low |= byte << 28
            high = (byte & 0x7f) >>> 4
            for (let shift = 3; byte > 0x7f; shift += 7) {
              if (shift > 31) throw tooLong(pos)
              byte = bytes[pos++] ?? 0
              high |= (byte & 0x7f) << shift
            }
          }
        }
      }
    }
    halves[at] = low
    halves[at + 1] = high
  }
  return pos
}

/** int32: the lower 32 bits of each varint. */
export function readInt32s(bytes: Uint8Array, start: number, end: number, out: Int32Array): number {
  const places = out.length
  let pos = start
  for (let at = 0; at < places; at++) {
    if (pos >= end) return -1
    let byte = bytes[pos++] ?? 0
    let value = byte & 0x7f
    if (byte > 0x7f) {
      byte = bytes[pos++] ?? 0
      value |= (byte & 0x7f) << 7
      for (let shift = 14; byte > 0x7f; shift += 7) {
        if (shift > 63) throw tooLong(pos)
        byte = bytes[pos++] ?? 0
        // Shifts count modulo 32, so what lies above must not be added.
        if (shift < 32) value |= (byte & 0x7f) << shift
      }
    }
    out[at] = value
  }
  return pos
}

/** bool: 1 for any varint that is not 0. */
export function readBools(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  const places = out.length
  let pos = start
  for (let at = 0; at < places; at++) {
    if (pos >= end) return -1
    const first = pos
    let bits = 0
    let byte = 0
    do {
      if (pos - first > 9) throw tooLong(pos)
      byte = bytes[pos++] ?? 0
      bits |= byte & 0x7f
    } while (byte > 0x7f)
    out[at] = bits === 0 ? 0 : 1
  }
  return pos
}

/** float32 in place when aligned, else one copy. */
export function viewFloat32(bytes: Uint8Array, start: number, end: number): Float32Array<ArrayBuffer> {
  const buffer = bytes.buffer as ArrayBuffer // Bodies come from sockets and files, never from shared memory.
  const offset = bytes.byteOffset + start
  const count = (end - start) / 4
  if (offset % 4 === 0) return new Float32Array(buffer, offset, count)
  return new Float32Array(copyOf(bytes, start, end))
}

/** float64 in place when aligned, else one copy. */
export function viewFloat64(bytes: Uint8Array, start: number, end: number): Float64Array<ArrayBuffer> {
  const buffer = bytes.buffer as ArrayBuffer // Bodies come from sockets and files, never from shared memory.
  const offset = bytes.byteOffset + start
  const count = (end - start) / 8
  if (offset % 8 === 0) return new Float64Array(buffer, offset, count)
  return new Float64Array(copyOf(bytes, start, end))
}

/** The bytes in a buffer of their own, which is not filled with zeros first, as `slice` would do. */
function copyOf(bytes: Uint8Array, start: number, end: number): ArrayBuffer {
  const copy = Buffer.allocUnsafeSlow(end - start)
  copy.set(bytes.subarray(start, end))
  return copy.buffer
}
