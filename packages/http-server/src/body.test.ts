import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { EasError } from '@eas/base'
import { describe, expect, it } from 'vitest'
import { readBody } from './body.ts'

const chunked = { 'transfer-encoding': 'chunked' }

function message(headers: IncomingMessage['headers']) {
  const incoming = new IncomingMessage(new Socket())
  incoming.headers = headers
  return incoming
}
const statusOf = (body: Promise<Uint8Array>) =>
  body.then(
    () => 200,
    (thrown) => EasError.from(thrown).status,
  )

describe('readBody()', () => {
  it.each([
    ['of a declared length', { 'content-length': '700' }],
    ['in chunks', chunked],
  ])('joins a body %s, alone in its memory', async (_, headers) => {
    const incoming = message(headers)
    const body = readBody(incoming, 1000, 1000)
    for (let i = 0; i < 700; i++) incoming.emit('data', Buffer.of(i & 255))
    incoming.emit('end')
    const bytes = await body
    expect([...bytes]).toEqual(Array.from({ length: 700 }, (_, i) => i & 255))
    expect(bytes.buffer.byteLength).toBe(700)
  })

  it('takes a body that comes in one piece as it is, if that is alone in its memory', async () => {
    const inOnePiece = async (chunk: Buffer) => {
      const incoming = message({ 'content-length': '700' })
      const body = readBody(incoming, 1000, 1000)
      incoming.emit('data', chunk)
      incoming.emit('end')
      return body
    }
    const alone = Buffer.allocUnsafeSlow(700).fill(5)
    expect(await inOnePiece(alone)).toBe(alone)
    const shared = Buffer.from(new ArrayBuffer(800), 50, 700).fill(6)
    const bytes = await inOnePiece(shared)
    expect(bytes.buffer.byteLength).toBe(700)
    expect(shared.equals(bytes)).toBe(true)
  })

  it('takes time in proportion to the number of chunks, not to its square', async () => {
    const incoming = message(chunked)
    const body = readBody(incoming, 2e6, 60_000)
    const byte = Buffer.of(7)
    const start = performance.now()
    for (let i = 0; i < 1e6; i++) incoming.emit('data', byte)
    incoming.emit('end')
    expect((await body).length).toBe(1e6)
    expect(performance.now() - start).toBeLessThan(2500) // 0.2 s here; copying all of it every 256 chunks takes 3.5 s
  })

  it('refuses what is over the limit: a declared body at once, a chunked one when it is', async () => {
    expect(await statusOf(readBody(message({ 'content-length': '1001' }), 1000, 1000))).toBe(413)
    const incoming = message(chunked)
    const body = statusOf(readBody(incoming, 1000, 1000))
    incoming.emit('data', Buffer.alloc(1001))
    expect(await body).toBe(413)
  })

  it('gives up after its time with 408, and with 499 when the client leaves', async () => {
    expect(await statusOf(readBody(message(chunked), 1000, 5))).toBe(408)
    const incoming = message({ 'content-length': '9' })
    const body = statusOf(readBody(incoming, 1000, 1000))
    incoming.emit('data', Buffer.of(1))
    incoming.emit('close')
    expect(await body).toBe(499)
  })

  it('is empty without a length and without chunks', async () => {
    expect((await readBody(message({}), 1000, 1000)).length).toBe(0)
  })
})
