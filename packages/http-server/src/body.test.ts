import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { EasError } from '@eas/base'
import { describe, expect, it } from 'vitest'
import { type BodyLimit, readBody } from './body.ts'

const chunked = { 'transfer-encoding': 'chunked' }

function message(headers: IncomingMessage['headers']) {
  const incoming = new IncomingMessage(new Socket())
  incoming.headers = headers
  return incoming
}
const atMost =
  (bytesMax: number): BodyLimit =>
  (bytes) =>
    bytes > bytesMax ? new EasError('too_large', `${bytes} bytes`) : undefined
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
    const body = readBody(incoming, atMost(1000), 1000)
    for (let i = 0; i < 700; i++) incoming.emit('data', Buffer.of(i & 255))
    incoming.emit('end')
    const bytes = await body
    expect([...bytes]).toEqual(Array.from({ length: 700 }, (_, i) => i & 255))
    expect(bytes.buffer.byteLength).toBe(700)
  })

  it('takes a body that comes in one piece as it is, if that is alone in its memory', async () => {
    const inOnePiece = async (chunk: Buffer) => {
      const incoming = message({ 'content-length': '700' })
      const body = readBody(incoming, atMost(1000), 1000)
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

  it('joins pieces of any size in their order', async () => {
    const sizes = [
      1,
      5000,
      ...Array<number>(40).fill(3),
      4095,
      4096,
      1,
      1,
      70_000,
      ...Array<number>(900).fill(100),
      2,
      5000,
    ]
    const total = sizes.reduce((sum, size) => sum + size, 0)
    const sent = Buffer.from(Array.from({ length: total }, (_, i) => (i * 7) & 255))
    for (const headers of [chunked, { 'content-length': String(total) }]) {
      const incoming = message(headers)
      const body = readBody(incoming, atMost(total), 1000)
      let at = 0
      for (const size of sizes) {
        incoming.emit('data', sent.subarray(at, at + size))
        at += size
      }
      incoming.emit('end')
      expect(sent.equals(await body)).toBe(true)
    }
  })

  it('refuses chunks of a byte or two beyond what anyone sends, and takes as many that hold something', async () => {
    const send = async (count: number, bytes: number) => {
      const incoming = message(chunked)
      const body = readBody(incoming, atMost(1e7), 60_000)
      const chunk = Buffer.alloc(bytes)
      for (let i = 0; i < count; i++) incoming.emit('data', chunk)
      incoming.emit('end')
      return statusOf(body)
    }
    expect(await send(65_536, 1)).toBe(200)
    expect(await send(65_537, 1)).toBe(400)
    expect(await send(100_000, 64)).toBe(200)
  })

  it('refuses what is over the limit: a declared body at once, a chunked one when it is', async () => {
    expect(await statusOf(readBody(message({ 'content-length': '1001' }), atMost(1000), 1000))).toBe(413)
    const incoming = message(chunked)
    const body = statusOf(readBody(incoming, atMost(1000), 1000))
    incoming.emit('data', Buffer.alloc(1001))
    expect(await body).toBe(413)
  })

  it('gives up after its time with 408, and with 499 when the client leaves', async () => {
    expect(await statusOf(readBody(message(chunked), atMost(1000), 5))).toBe(408)
    const incoming = message({ 'content-length': '9' })
    const body = statusOf(readBody(incoming, atMost(1000), 1000))
    incoming.emit('data', Buffer.of(1))
    incoming.emit('close')
    expect(await body).toBe(499)
  })

  it('is empty without a length and without chunks', async () => {
    expect((await readBody(message({}), atMost(1000), 1000)).length).toBe(0)
  })
})
