import type { IncomingMessage } from 'node:http'
import { EasError } from '@eas/base'
import { Pieces } from './pieces.ts'

/** Says what is wrong with a body of so many bytes, if anything is, also while no more than these have come of it. */
export type BodyLimit = (bytes: number) => EasError | undefined

/**
 * A request's body in a buffer of its own: of the exact size, alone in its memory, so that it can be handed to another
 * thread. No more is allocated than eight times what has arrived, or a page, whatever Content-Length promises.
 *
 * @param timeoutMs Milliseconds from now.
 * @throws {EasError} What `limit` says; `timeout`; `client_closed` when the client left before its end; `invalid_request`
 *   for more tiny chunks than anyone sends.
 */
export function readBody(message: IncomingMessage, limit: BodyLimit, timeoutMs: number): Promise<Uint8Array> {
  const declared = declaredBytes(message)
  if (declared === 0) return Promise.resolve(none)
  const tooLong = declared === undefined ? undefined : limit(declared)
  if (tooLong) return Promise.reject(tooLong)

  return new Promise((resolve, reject) => {
    const pieces = new Pieces()
    let body: Buffer | undefined
    let received = 0
    let count = 0
    const timer = setTimeout(() => end(timedOut(received)), Math.max(0, timeoutMs))

    function onData(chunk: Buffer) {
      const at = received
      received += chunk.length
      count++
      if (declared === undefined) {
        const refusal = limit(received) ?? tooFine(count, received)
        if (refusal) return end(refusal)
      }
      // Most bodies come in one piece, which Node has copied out of what it read from the socket.
      if (at === 0 && received === declared && chunk.buffer.byteLength === received) {
        body = chunk
        return end()
      }
      if (body) return void chunk.copy(body, at)
      pieces.add(chunk, at)
      if (declared !== undefined && declared <= received * 8) body = pieces.join(declared)
    }
    function onEnd() {
      body ??= pieces.join(received)
      end()
    }
    const onClose = () => end(new EasError('client_closed', 'The client left before its request was complete'))

    function end(error?: EasError) {
      clearTimeout(timer)
      message.off('data', onData).off('end', onEnd).off('close', onClose)
      if (error) reject(error)
      else resolve(body ?? none)
    }
    message.on('data', onData).on('end', onEnd).on('close', onClose)
  })
}

/** Bytes the head promises; `undefined` for a chunked body. */
export function declaredBytes({ headers }: IncomingMessage): number | undefined {
  const length = headers['content-length']
  if (length !== undefined) return Number(length) // Node's parser lets only digits pass
  return headers['transfer-encoding'] === undefined ? 0 : undefined
}

/**
 * Chunks that a client may make its body of, however little they hold, and that are read of a refused one. A million of one
 * byte, 6 MB on the wire, take the event loop a second; Triton has the same bound since CVE-2025-23310.
 */
export const chunksMax = 65_536

/** Beyond `chunksMax`, chunks have to hold so many bytes on average. */
const chunkBytesMin = 64

function tooFine(count: number, received: number): EasError | undefined {
  if (count <= chunksMax || received >= count * chunkBytesMin) return undefined
  return new EasError(
    'invalid_request',
    `Request body in too many chunks: ${count} of them hold ${received} bytes; beyond ${chunksMax}, send at least ${chunkBytesMin} bytes in each`,
  )
}

const none = new Uint8Array()

const timedOut = (received: number) =>
  new EasError('timeout', `Request timed out: its body did not arrive in time, ${received} bytes did`)
