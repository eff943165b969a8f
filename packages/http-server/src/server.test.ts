import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLogger, createProcessor, settingsFromEnv } from '@eas/processor'
import { afterEach, expect, it } from 'vitest'
import { createHttpServer, type HttpServer } from './index.ts'

let http: HttpServer
afterEach(async () => {
  http.server.closeAllConnections()
  await http.drain(0)
})

/** A server whose answers to GET have as many bytes, after as many milliseconds, as the path says; POST is refused. */
async function serve(stallMs: number): Promise<number> {
  const processor = createProcessor({ services: [], settings: settingsFromEnv({}), log: createLogger('silent', false) })
  http = createHttpServer({
    processor,
    bodyBytesMax: 1000,
    stallMs,
    begin: (head) => ({
      ...processor.begin(head.method === 'POST' ? head : { ...head, target: '/healthz' }),
      async finish() {
        const [, bytes = 0, ms = 0] = head.target.split('/').map(Number)
        await sleep(ms)
        return { status: 200, headers: {}, body: Buffer.alloc(bytes, 'x') }
      },
    }),
  })
  return http.listen(0, '127.0.0.1')
}
const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: test\r\n\r\n`
const connections = () =>
  new Promise<number>((resolve, reject) =>
    http.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )

it('a client that takes nothing of its answer is given up, and the answer with it', async () => {
  const port = await serve(200)
  let taken = 0
  http.server.on('connection', () => taken++)
  const clients = Array.from({ length: 5 }, () => connect(port, '127.0.0.1').pause())
  for (const client of clients) client.on('error', () => {}).write(get('/16000000/0')) // more than the system keeps for it
  await expect.poll(() => taken, { timeout: 20_000 }).toBe(5)
  await expect.poll(connections, { timeout: 20_000 }).toBe(0)
  for (const client of clients) client.destroy()
})

it('a connection on which nothing moves while an answer is worked on stays', async () => {
  const port = await serve(300)
  const client = connect(port, '127.0.0.1')
  client.write(get('/20000/0') + get('/20000/900') + get('/3/0'))
  let received = ''
  for await (const chunk of client) {
    received += chunk
    if (received.endsWith('xxx') && received.split('HTTP/1.1 200').length === 4) break
  }
  expect(received.split('x').length - 1).toBe(40_003)
})

it('a connection on which the rest of a refused request does not come is closed behind the answer', async () => {
  const port = await serve(60_000)
  const client = connect(port, '127.0.0.1')
  client.write('POST /nope HTTP/1.1\r\nHost: test\r\nContent-Length: 900000\r\n\r\nabc')
  let received = ''
  for await (const chunk of client) received += chunk // ends with the connection
  expect(received).toMatch(/^HTTP\/1\.1 404 Not Found\r\nconnection: close\r\n/)
}, 60_000)
