import type { IncomingMessage } from 'node:http'
import { EasError } from '@eas/base'
import { bodyTooLarge } from '@eas/processor'

/**
 * A request's body in a buffer of its own: of the exact size, alone in its memory, so that it can be handed to another
 * thread. No more is allocated than eight times what has arrived, whatever Content-Length promises.
 *
 * @param timeoutMs Milliseconds from now.
 * @throws {EasError} `too_large`, `timeout`, or `client_closed` when the client left before its end.
 */
export function readBody(message: IncomingMessage, bytesMax: number, timeoutMs: number): Promise<Uint8Array> {
  const declared = declaredBytes(message)
  if (declared === 0) return Promise.resolve(none)
  if (declared !== undefined && declared > bytesMax) return Promise.reject(bodyTooLarge(declared, bytesMax))

  return new Promise((resolve, reject) => {
    let body: Buffer | undefined
    let parts: Buffer[] = []
    let joined = 0
    let received = 0
    const timer = setTimeout(() => end(timedOut(received)), Math.max(0, timeoutMs))

    function onData(chunk: Buffer) {
      const at = received
      received += chunk.length
      if (received > bytesMax) return end(bodyTooLarge(received, bytesMax))
      // Most bodies come in one piece, which Node has copied out of what it read from the socket.
      if (at === 0 && received === declared && chunk.buffer.byteLength === received) {
        body = chunk
        return end()
      }
      if (body) return void chunk.copy(body, at)
      parts.push(chunk)
      if (declared !== undefined && declared <= received * 8) gather(declared)
      else if (parts.length - joined >= 256) join()
    }
    /** Many tiny chunks would cost far more than their bytes. Each is copied here once, however many there are. */
    function join() {
      parts.splice(joined, parts.length - joined, Buffer.concat(parts.slice(joined)))
      joined++
    }
    function gather(size: number) {
      body = Buffer.allocUnsafeSlow(size)
      let at = 0
      for (const part of parts) at += part.copy(body, at)
      parts = []
    }
    function onEnd() {
      if (!body) gather(received)
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

const none = new Uint8Array()

const timedOut = (received: number) =>
  new EasError('timeout', `Request timed out: its body did not arrive in time, ${received} bytes did`)
