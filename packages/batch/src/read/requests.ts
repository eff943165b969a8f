import { BatchError } from '../batch-error.ts'
import { batchLimits } from '../limits.ts'
import type { ReadableSource } from './row-block.ts'

/** A recorded request's body, and where the one behind it starts. */
export interface Recorded {
  readonly body: Uint8Array
  readonly end: number
}

/** How recorded requests lie in an object. */
export interface RequestFormat {
  readonly name: string
  requests(source: ReadableSource, offset: number): AsyncGenerator<Recorded, void, void>
  /** Responses in the order of their requests; `undefined` for one that failed. */
  join(responses: readonly (Uint8Array | undefined)[]): Uint8Array | undefined
  readonly extension: string
}

/** One body is the whole object. */
export const singleRequest: RequestFormat = {
  name: 'request',
  extension: 'pb',
  async *requests(source, offset) {
    if (offset > 0) return
    const pieces: Uint8Array[] = []
    let size = 0
    for await (const piece of source.content(0)) {
      pieces.push(piece)
      size += piece.length
      if (size > batchLimits.rowBytes) throw tooLarge(0)
    }
    yield { body: Buffer.concat(pieces), end: size }
  },
  join: ([response]) => response,
}

/**
 * Bodies one after the other, each behind its length as a varint, as protobuf's `writeDelimitedTo` writes them. Where a
 * request failed the responses have an empty one, so that the others keep their places.
 */
export const delimitedRequests: RequestFormat = {
  name: 'requests',
  extension: 'pbs',
  async *requests(source, offset) {
    let held: Uint8Array = new Uint8Array()
    let at = offset
    for await (const piece of source.content(offset)) {
      held = held.length > 0 ? Buffer.concat([held, piece]) : piece
      for (;;) {
        const head = readVarint(held)
        if (!head) break
        if (head.value > batchLimits.rowBytes) throw tooLarge(at)
        const end = head.bytes + head.value
        if (held.length < end) break
        at += end
        yield { body: held.slice(head.bytes, end), end: at }
        held = held.subarray(end)
      }
    }
    if (held.length > 0) {
      throw new BatchError('bad_object', `Cannot read the object: the request at byte ${at} is cut short`)
    }
  },
  join(responses) {
    if (responses.every((response) => response === undefined)) return undefined
    const none = new Uint8Array()
    return Buffer.concat(responses.flatMap((response = none) => [varint(response.length), response]))
  },
}

/** `undefined` when there is more of it to come. */
function readVarint(bytes: Uint8Array): { readonly value: number; readonly bytes: number } | undefined {
  let value = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number // inside
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return { value, bytes: i + 1 }
    if (i === 4) throw new BatchError('bad_object', 'Cannot read the object: these are no delimited requests')
  }
  return undefined
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let left = value
  for (; left >= 0x80; left = Math.floor(left / 128)) bytes.push((left % 128) + 128)
  return Uint8Array.from([...bytes, left])
}

const tooLarge = (at: number) =>
  new BatchError(
    'bad_object',
    `Cannot read the object: the request at byte ${at} is longer than ${batchLimits.rowBytes} bytes`,
  )
