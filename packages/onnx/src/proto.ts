import { Buffer } from 'node:buffer'

/**
 * Protobuf by table: a message type is a row per field, and one reader and one writer serve them all.
 * @see https://protobuf.dev/programming-guides/encoding/
 */

/** How a field stands on the wire, and what it becomes. A message type stands for an embedded message. */
export type FieldType =
  | 'int' /* varint, a number; beyond ±2^53 the nearest one, which is written back saturated */
  | 'int64' /* varint, a bigint */
  | 'uint64' /* varint, an unsigned bigint */
  | 'fixed32'
  | 'fixed64'
  | 'float'
  | 'double'
  | 'bool'
  | 'string'
  | 'bytes'
  | (() => MessageType)

/** Name → field number and type; `true` when repeated. A map is a repeated message of `key` 1 and `value` 2. */
export type MessageType = { readonly [name: string]: readonly [number: number, type: FieldType, repeated?: true] }

/** A decoded message: absent fields are undefined, repeated ones arrays. Readers narrow it where they know the type. */
// biome-ignore lint/suspicious/noExplicitAny: what a field holds follows from a table, which the compiler does not read
export type Message = { [name: string]: any }

export class ProtoError extends Error {
  override readonly name = 'ProtoError'
}

/** Levels of messages within messages. A graph within a loop within a branch is about 20 deep. */
const maxDepth = 100
/** Messages, numbers and strings in one file; the largest graphs known have some hundred thousand. */
const maxParts = 16_777_216

/** @throws {ProtoError} When the bytes are not such a message: cut off, over-long, or nested too deep. */
export function decodeMessage(type: MessageType, bytes: Uint8Array): Message {
  return new ProtoReader(bytes).message(type, bytes.length, 0)
}

const byNumber = new WeakMap<MessageType, Map<number, readonly [string, FieldType, boolean]>>()

function fieldsOf(type: MessageType): Map<number, readonly [string, FieldType, boolean]> {
  let fields = byNumber.get(type)
  if (!fields) {
    fields = new Map(
      Object.entries(type).map(([name, [number, t, repeated]]) => [number, [name, t, repeated === true]]),
    )
    byNumber.set(type, fields)
  }
  return fields
}

class ProtoReader {
  private readonly bytes: Buffer
  private pos = 0
  private parts = 0

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  message(type: MessageType, end: number, depth: number): Message {
    if (depth > maxDepth) throw new ProtoError(`messages are nested over ${maxDepth} deep`)
    const fields = fieldsOf(type)
    const message: Message = {}
    for (const [name, [, , repeated]] of Object.entries(type)) if (repeated) message[name] = []
    while (this.pos < end) {
      const tag = this.number(end)
      const wire = tag & 7
      const field = fields.get(Math.floor(tag / 8))
      if (!field) {
        this.skip(wire, end)
        continue
      }
      if (++this.parts > maxParts) throw new ProtoError(`the message has over ${maxParts} parts`)
      const [name, fieldType, repeated] = field
      if (repeated && wire === 2 && isPackable(fieldType)) {
        const last = this.length(end)
        while (this.pos < last) {
          if (++this.parts > maxParts) throw new ProtoError(`the message has over ${maxParts} parts`)
          message[name].push(this.value(fieldType, wireOf(fieldType), last, depth))
        }
      } else {
        const value = this.value(fieldType, wire, end, depth)
        if (repeated) message[name].push(value)
        else message[name] = value
      }
    }
    return message
  }

  private value(type: FieldType, wire: number, end: number, depth: number): unknown {
    if (wire !== wireOf(type)) throw new ProtoError(`a field at ${this.pos} has the wire type ${wire}`)
    if (typeof type === 'function') {
      const last = this.length(end)
      return this.message(type(), last, depth + 1)
    }
    switch (type) {
      case 'int': {
        return Number(BigInt.asIntN(64, this.varint(end)))
      }
      case 'int64':
        return BigInt.asIntN(64, this.varint(end))
      case 'uint64':
        return this.varint(end)
      case 'bool':
        return this.varint(end) !== 0n
      case 'float':
        return this.bytes.readFloatLE(this.advance(4, end))
      case 'fixed32':
        return this.bytes.readUInt32LE(this.advance(4, end))
      case 'double':
        return this.bytes.readDoubleLE(this.advance(8, end))
      case 'fixed64':
        return this.bytes.readBigUInt64LE(this.advance(8, end))
      case 'string': {
        const last = this.length(end)
        const start = this.pos
        this.pos = last
        return this.bytes.toString('utf8', start, last)
      }
      case 'bytes': {
        const last = this.length(end)
        const start = this.pos
        this.pos = last
        return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + start, last - start)
      }
    }
  }

  private advance(size: number, end: number): number {
    const start = this.pos
    if (size > end - start) throw new ProtoError(`${size} bytes at ${start}, where ${end - start} are left`)
    this.pos = start + size
    return start
  }

  /** Reads a length and gives the position where what follows ends. */
  private length(end: number): number {
    const length = this.number(end)
    if (length > end - this.pos)
      throw new ProtoError(`a length of ${length} at ${this.pos}, where ${end - this.pos} are left`)
    return this.pos + length
  }

  /** A varint that is a tag or a length. */
  private number(end: number): number {
    const byte = this.bytes[this.pos] ?? 0
    if (this.pos < end && byte < 0x80) {
      this.pos++
      return byte
    }
    return Number(this.varint(end))
  }

  private varint(end: number): bigint {
    let low = 0
    let value = 0n
    for (let i = 0; i < 10; i++) {
      if (this.pos >= end) throw new ProtoError(`a number is cut off at ${this.pos}`)
      const byte = this.bytes[this.pos++] ?? 0
      if (i < 4) low |= (byte & 0x7f) << (7 * i)
      else value |= BigInt(byte & 0x7f) << BigInt(7 * i)
      if (byte < 0x80) return BigInt.asUintN(64, value | BigInt(low))
    }
    throw new ProtoError(`a number takes over 10 bytes at ${this.pos}`)
  }

  private skip(wire: number, end: number): void {
    if (wire === 0) this.varint(end)
    else if (wire === 1) this.advance(8, end)
    else if (wire === 2) this.pos = this.length(end)
    else if (wire === 5) this.advance(4, end)
    else throw new ProtoError(`a field at ${this.pos} has the wire type ${wire}`)
  }
}

function wireOf(type: FieldType): number {
  if (typeof type === 'function' || type === 'string' || type === 'bytes') return 2
  if (type === 'float' || type === 'fixed32') return 5
  return type === 'double' || type === 'fixed64' ? 1 : 0
}

const isPackable = (type: FieldType): boolean => wireOf(type) !== 2

/** Bytes of this size and more are handed over as they are instead of being copied. */
const ownChunkBytes = 4096

/** Bytes in pieces, in order, so that weights are never copied into a second whole. */
export interface Chunks {
  readonly chunks: readonly Uint8Array[]
  readonly size: number
}

/** Writes a message; absent fields are undefined, numbers of repeated fields are packed. */
export function encodeMessage(type: MessageType, message: Message): Chunks {
  const writer = new ProtoWriter()
  for (const [name, [number, fieldType, repeated]] of Object.entries(type)) {
    const value = message[name]
    if (value === undefined) continue
    if (!repeated) writer.field(number, fieldType, value)
    else if (value.length > 0 && isPackable(fieldType)) writer.packed(number, fieldType, value)
    else for (const item of value) writer.field(number, fieldType, item)
  }
  return writer.finish()
}

const maxInt64 = 2n ** 63n - 1n

class ProtoWriter {
  private readonly chunks: Uint8Array[] = []
  private small = Buffer.allocUnsafe(256)
  private used = 0
  private size = 0

  field(number: number, type: FieldType, value: unknown): void {
    this.varint(BigInt(number * 8 + wireOf(type)))
    if (typeof type === 'function')
      this.splice(encodeMessage(type(), value as Message)) // rows of the table say so
    else this.scalar(type, value)
  }

  packed(number: number, type: FieldType, values: readonly unknown[]): void {
    const inner = new ProtoWriter()
    // A message is never packed, so the type is a scalar's name.
    for (const value of values) inner.scalar(type as Exclude<FieldType, () => MessageType>, value)
    this.varint(BigInt(number * 8 + 2))
    this.splice(inner.finish())
  }

  // `value` has the type the table gives the field: the casts below repeat it.
  private scalar(type: Exclude<FieldType, () => MessageType>, value: unknown): void {
    switch (type) {
      case 'int': {
        const whole = BigInt(value as number)
        this.varint(whole > maxInt64 ? maxInt64 : BigInt.asUintN(64, whole))
        return
      }
      case 'int64':
      case 'uint64':
        this.varint(BigInt.asUintN(64, value as bigint))
        return
      case 'bool':
        this.varint(value ? 1n : 0n)
        return
      case 'float':
        this.fixed(4, (at) => this.small.writeFloatLE(value as number, at))
        return
      case 'fixed32':
        this.fixed(4, (at) => this.small.writeUInt32LE(value as number, at))
        return
      case 'double':
        this.fixed(8, (at) => this.small.writeDoubleLE(value as number, at))
        return
      case 'fixed64':
        this.fixed(8, (at) => this.small.writeBigUInt64LE(value as bigint, at))
        return
      case 'string':
      case 'bytes': {
        const bytes = type === 'string' ? Buffer.from(value as string) : (value as Uint8Array)
        this.varint(BigInt(bytes.length))
        this.bytes(bytes)
      }
    }
  }

  /** `write` runs once there is room: making room moves `small`. */
  private fixed(size: number, write: (at: number) => void): void {
    write(this.take(size))
  }

  private splice({ chunks, size }: Chunks): void {
    this.varint(BigInt(size))
    for (const chunk of chunks) this.bytes(chunk)
  }

  private bytes(bytes: Uint8Array): void {
    if (bytes.length < ownChunkBytes) {
      const at = this.take(bytes.length) // before `small` is read: it may move
      this.small.set(bytes, at)
      return
    }
    this.flush()
    this.chunks.push(bytes)
    this.size += bytes.length
  }

  private varint(value: bigint): void {
    if (value < 0x80n) {
      const at = this.take(1)
      this.small[at] = Number(value)
      return
    }
    let rest = value
    while (rest >= 0x80n) {
      const at = this.take(1)
      this.small[at] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    const at = this.take(1)
    this.small[at] = Number(rest)
  }

  private take(size: number): number {
    if (this.used + size > this.small.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.small.length, this.used + size))
      larger.set(this.small.subarray(0, this.used))
      this.small = larger
    }
    this.used += size
    this.size += size
    return this.used - size
  }

  private flush(): void {
    if (this.used > 0) this.chunks.push(this.small.subarray(0, this.used))
    this.small = Buffer.allocUnsafe(256)
    this.used = 0
  }

  finish(): Chunks {
    this.flush()
    return { chunks: this.chunks, size: this.size }
  }
}
