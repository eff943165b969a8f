import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import type { Sink } from '../object-store.ts'
import { StoreError } from '../store-error.ts'
import { DirectBody } from './direct.ts'
import { makeWire } from './wire.ts'

const content = randomBytes(300_000)
const head = (more = '') => `HTTP/1.1 200 OK\r\ncontent-length: ${content.length}\r\n${more}\r\n`

/** What a server does with one connection; `asked` resolves with each request's head. */
type Script = (socket: Socket, asked: () => Promise<string>) => Promise<void>

let servers: Server[] = []
afterEach(() => {
  for (const server of servers) server.close()
  servers = []
})

/** A server that does `scripts[i]` with its i-th connection. */
async function serve(scripts: readonly Script[], make: (onSocket: (socket: Socket) => void) => Server = createServer) {
  let count = 0
  const server = make((socket) => {
    let text = ''
    const waiting: ((head: string) => void)[] = []
    const tell = () => {
      const end = text.indexOf('\r\n\r\n')
      if (end < 0 || waiting.length === 0) return
      const asked = text.slice(0, end + 4)
      text = text.slice(end + 4)
      waiting.shift()?.(asked)
    }
    socket.on('error', () => {}) // clients leave
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      tell()
    })
    const asked = () =>
      new Promise<string>((resolve) => {
        waiting.push(resolve)
        tell()
      })
    void scripts[count++]?.(socket, asked)
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // listening on TCP
  return { port, connections: () => count }
}

/** However it ends. */
const closing = (socket: Socket) => new Promise((resolve) => socket.on('close', resolve))

/** Keeps what it is given; `slowly`, it has no room for a while whenever it is full. */
class Kept implements Sink {
  bytes = Buffer.alloc(0)
  private slab = Buffer.alloc(64 * 1024)
  private filled = 0
  private readonly slowly: boolean

  constructor(slowly = false) {
    this.slowly = slowly
  }

  room() {
    return this.slab.subarray(this.filled)
  }

  took(bytes: number) {
    this.filled += bytes
    if (this.filled < this.slab.length) return undefined
    if (this.slowly) return sleep(2).then(() => this.turn())
    this.turn()
    return undefined
  }

  all() {
    this.turn()
    return this.bytes
  }

  private turn() {
    this.bytes = Buffer.concat([this.bytes, this.slab.subarray(0, this.filled)])
    this.slab = Buffer.alloc(64 * 1024)
    this.filled = 0
  }
}

const wireOf = () => makeWire()
const get = (wire: ReturnType<typeof wireOf>, port: number, more: object = {}) =>
  wire.send({
    method: 'GET',
    origin: new URL(`http://127.0.0.1:${port}`),
    path: '/model',
    isLarge: true,
    doing: 'read it',
    ...more,
  })

async function pour({ body }: Awaited<ReturnType<typeof get>>, sink = new Kept()) {
  expect(body).toBeInstanceOf(DirectBody)
  await (body as DirectBody).pour(sink) // as just seen
  return sink.all()
}

async function codeOf(run: Promise<unknown>) {
  const error = await run.then(
    () => undefined,
    (thrown) => thrown,
  )
  expect(error).toBeInstanceOf(StoreError)
  return (error as StoreError).code // as just seen
}

const answer: Script = async (socket, asked) => {
  for (;;) {
    await asked()
    socket.write(head())
    socket.write(content)
  }
}

describe('a large body', () => {
  it.each([
    ['in one piece', [Buffer.concat([Buffer.from(head()), content])]],
    ['its head byte by byte', [...Buffer.from(head())].map((byte) => Buffer.of(byte)).concat(content)],
    ['cut within the head', [Buffer.from(head().slice(0, 20)), Buffer.from(head().slice(20)), content]],
    [
      'in many pieces',
      [Buffer.from(head()), ...Array.from({ length: 30 }, (_, i) => content.subarray(i * 10_000, (i + 1) * 10_000))],
    ],
  ])('%s, is poured as it was sent', async (_, pieces) => {
    const { port } = await serve([
      async (socket, asked) => {
        await asked()
        for (const piece of pieces) {
          socket.write(piece)
          await sleep(1)
        }
      },
    ])
    expect((await pour(await get(wireOf(), port))).equals(content)).toBe(true)
  })

  it('comes whole where it has to wait for its reader', async () => {
    const { port } = await serve([answer])
    expect((await pour(await get(wireOf(), port), new Kept(true))).equals(content)).toBe(true)
  })

  it('can be read as a stream as well', async () => {
    const { port, connections } = await serve([answer])
    const wire = wireOf()
    for (let i = 0; i < 2; i++) {
      const chunks: Buffer[] = []
      for await (const chunk of (await get(wire, port)).body) chunks.push(chunk)
      expect(Buffer.concat(chunks).equals(content)).toBe(true)
      await sleep(5)
    }
    expect(connections()).toBe(1)
  })

  it.each([
    ['stays', answer],
    [
      'is closed',
      async (socket, asked) => {
        await asked()
        socket.end(Buffer.concat([Buffer.from(head('connection: close\r\n')), content]))
      },
    ],
  ] as readonly [string, Script][])('over TLS is poured as it was sent, where the connection %s', async (_, script) => {
    const { port } = await serve([script], (onSocket) => createTlsServer({ key, cert }, onSocket))
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0' // of this test's own certificate
    try {
      const origin = new URL(`https://127.0.0.1:${port}`)
      expect((await pour(await get(wireOf(), port, { origin }), new Kept(true))).equals(content)).toBe(true)
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
    }
  })

  it('is refused over TLS from a server that nobody vouches for', async () => {
    const { port } = await serve([answer], (onSocket) => createTlsServer({ key, cert }, onSocket))
    const origin = new URL(`https://localhost:${port}`)
    expect(await codeOf(get(wireOf(), port, { origin }))).toBe('unavailable')
  })

  it('that is given up closes its connection', async () => {
    let closed: Promise<unknown> = Promise.resolve()
    const { port } = await serve([
      async (socket, asked) => {
        closed = closing(socket)
        await asked()
        socket.write(head())
      },
    ])
    const { body } = await get(wireOf(), port)
    body.destroy()
    await closed
  })

  it.each<{ what: string; code: string; send(socket: Socket): void }>([
    { what: 'ends early', code: 'unavailable', send: (socket) => socket.end(`${head()}short`) },
    { what: 'is reset', code: 'unavailable', send: (socket) => socket.write(head(), () => socket.resetAndDestroy()) },
    { what: 'stands still', code: 'timeout', send: (socket) => socket.write(head()) },
  ])('that $what is `$code`', async ({ send, code }) => {
    const { port } = await serve([
      async (socket, asked) => {
        await asked()
        send(socket)
      },
    ])
    const wire = makeWire(code === 'timeout' ? { idleMs: 100 } : {})
    expect(await codeOf(get(wire, port).then((response) => pour(response)))).toBe(code)
  })

  it('is over with its signal', async () => {
    const { port } = await serve([
      async (socket, asked) => {
        await asked()
        socket.write(head())
      },
    ])
    const controller = new AbortController()
    const response = await get(wireOf(), port, { signal: controller.signal })
    const poured = codeOf(pour(response))
    controller.abort()
    expect(await poured).toBe('cancelled')
  })

  it('whose connection ends before anybody reads it fails for whoever comes', async () => {
    const { port } = await serve([
      async (socket, asked) => {
        await asked()
        socket.write(head())
      },
    ])
    const controller = new AbortController()
    const { body } = await get(wireOf(), port, { signal: controller.signal })
    controller.abort()
    await sleep(20)
    expect(await codeOf((body as DirectBody).pour(new Kept()))).toBe('cancelled')
  })

  it('gives its sink nothing any more once it has been given up', async () => {
    const { port } = await serve([answer])
    const controller = new AbortController()
    const { body } = await get(wireOf(), port, { signal: controller.signal })
    const room = Buffer.alloc(10)
    let count = 0
    let goOn = () => {}
    const poured = codeOf(
      (body as DirectBody).pour({
        room: () => room,
        took() {
          count++
          return new Promise((resolve) => {
            goOn = resolve
          })
        },
      }),
    )
    await expect.poll(() => count).toBe(1)
    controller.abort()
    expect(await poured).toBe('cancelled')
    goOn()
    await sleep(20)
    expect(count).toBe(1)
  })

  it('of a sink that throws rejects with its error, and nothing else ends', async () => {
    const { port } = await serve([answer])
    const { body } = await get(wireOf(), port)
    const broken = Object.assign(new Kept(), {
      took() {
        throw new StoreError('full', 'Cannot write')
      },
    })
    expect(await codeOf((body as DirectBody).pour(broken))).toBe('full')
  })

  it('of a sink that fails rejects with its error', async () => {
    const { port } = await serve([answer])
    const { body } = await get(wireOf(), port)
    const full = Object.assign(new Kept(), { took: () => Promise.reject(new StoreError('full', 'Cannot write')) })
    expect(await codeOf((body as DirectBody).pour(full))).toBe('full')
  })
})

describe('a connection', () => {
  it('is used again', async () => {
    const { port, connections } = await serve([answer])
    const wire = wireOf()
    for (let i = 0; i < 3; i++) {
      expect((await pour(await get(wire, port))).equals(content)).toBe(true)
      await sleep(5)
    }
    expect(connections()).toBe(1)
  })

  it.each([
    ['says that it will be closed', head('connection: close\r\n')],
    ['is HTTP/1.0', head().replace('1.1', '1.0')],
  ])('that %s is not', async (_, text) => {
    const script: Script = async (socket, asked) => {
      await asked()
      socket.write(text)
      socket.write(content)
    }
    const { port, connections } = await serve([script, script])
    const wire = wireOf()
    for (let i = 0; i < 2; i++) expect((await pour(await get(wire, port))).equals(content)).toBe(true)
    expect(connections()).toBe(2)
  })

  it('that was closed at rest is replaced by another', async () => {
    const once_: Script = async (socket, asked) => {
      await asked()
      socket.write(head())
      socket.write(content)
      await asked()
      socket.resetAndDestroy()
    }
    const { port, connections } = await serve([once_, answer])
    const wire = wireOf()
    expect((await pour(await get(wire, port))).equals(content)).toBe(true)
    await sleep(5)
    expect((await pour(await get(wire, port))).equals(content)).toBe(true)
    expect(connections()).toBe(2)
  })

  it('that brings more than it promised is not trusted with another answer', async () => {
    let poured = () => {}
    let closed: Promise<unknown> = Promise.resolve()
    const { port, connections } = await serve([
      async (socket, asked) => {
        closed = closing(socket)
        await asked()
        socket.write(Buffer.concat([Buffer.from(head()), content]))
        await new Promise<void>((resolve) => {
          poured = resolve
        })
        socket.write(`${head()}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`)
      },
      answer,
    ])
    const wire = wireOf()
    expect((await pour(await get(wire, port))).equals(content)).toBe(true)
    poured()
    await closed
    expect((await pour(await get(wire, port))).equals(content)).toBe(true)
    expect(connections()).toBe(2)
  })

  it('that is waited for in vain is given up with its signal', async () => {
    const { port } = await serve([async () => {}])
    const wire = makeWire({ connections: 1 })
    const first = new AbortController()
    const second = new AbortController()
    const asked = [first, second].map(({ signal }) => codeOf(get(wire, port, { signal })))
    await sleep(10)
    second.abort()
    expect(await asked[1]).toBe('cancelled')
    first.abort()
    expect(await asked[0]).toBe('cancelled')
  })

  it('no more of them than allowed are open at once', async () => {
    const { port, connections } = await serve(Array.from({ length: 12 }, () => answer))
    const wire = makeWire({ connections: 3 })
    const all = await Promise.all(Array.from({ length: 12 }, async () => pour(await get(wire, port))))
    expect(all.every((bytes) => bytes.equals(content))).toBe(true)
    expect(connections()).toBe(3)
  })
})

describe('an answer that is not plain is read by node:http', () => {
  it.each([
    ['an error', 'HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nnone', 404, 'none'],
    [
      'an error in chunks',
      'HTTP/1.1 503 Slow Down\r\ntransfer-encoding: chunked\r\n\r\n4\r\nslow\r\n0\r\n\r\n',
      503,
      'slow',
    ],
    ['chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n', 200, 'abcde'],
    ['up to the end of the connection', 'HTTP/1.1 200 OK\r\n\r\nall of it', 200, 'all of it'],
    [
      'an early hint first',
      'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
      200,
      'ok',
    ],
    ['a header twice', 'HTTP/1.1 200 OK\r\nvary: a\r\nvary: b\r\ncontent-length: 2\r\n\r\nok', 200, 'ok'],
  ])('%s', async (_, text, status, expected) => {
    const { port } = await serve([
      async (socket, asked) => {
        expect(await asked()).toMatch(/^GET \/model HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\n/)
        for (const byte of Buffer.from(text)) socket.write(Buffer.of(byte))
        socket.end()
      },
    ])
    const response = await get(wireOf(), port)
    expect(response.status).toBe(status)
    expect(response.body).not.toBeInstanceOf(DirectBody)
    const chunks: Buffer[] = []
    for await (const chunk of response.body) chunks.push(chunk)
    expect(Buffer.concat(chunks).toString()).toBe(expected)
  })

  it.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcde'],
    [
      'a length beside chunks',
      'HTTP/1.1 200 OK\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n',
    ],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['a head without an end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(40_000)}`],
    ['nothing', ''],
  ])('and fails as there: %s', async (_, text) => {
    const { port } = await serve([
      async (socket, asked) => {
        await asked()
        socket.end(text)
      },
    ])
    expect(await codeOf(get(wireOf(), port))).toBe('unavailable')
  })
})

it.each([
  ['/a b', {}],
  ['/a', { range: 'bytes=0-1\r\nx: y' }],
])('a request that would be another is refused: %s %j', async (path, headers) => {
  const { port } = await serve([answer])
  expect(await codeOf(get(wireOf(), port, { path, headers }))).toBe('invalid')
})

/** Of this test alone, `openssl ecparam -name prime256v1 -genkey` and `openssl req -x509 -subj /CN=localhost`, OpenSSL 3.0. */
const key = `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIBYcWzMnRuwNiSgIiF3+fliOsvJr5NnJG10PY5kKo1RtoAoGCCqGSM49
AwEHoUQDQgAEl3yj76+XDI/BABREjVYJOC5Ti0ojr0fo21gn1XyaB7ejxnRBkWyS
bjiG/qWR0RmWVx+/ih0zfOUETt8OpdFBfw==
-----END EC PRIVATE KEY-----
`
const cert = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUCllzt2tnyOtTqhcHWDugNdkN2Q0wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTE5MjIxNloYDzIxMjYxMDI4
MTkyMjE2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASXfKPvr5cMj8EAFESNVgk4LlOLSiOvR+jbWCfVfJoHt6PGdEGRbJJu
OIb+pZHRGZZXH7+KHTN85QRO3w6l0UF/o28wbTAdBgNVHQ4EFgQUOZL1rnoq2B3c
uXBzdreW8f4/3cUwHwYDVR0jBBgwFoAUOZL1rnoq2B3cuXBzdreW8f4/3cUwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhAKgjBwUoObe7m1F+lg8VTvrvSqa+6i6BjU3HVYWVqzjUAiAV
cznDteEuSgMjxajcnIkNRY2Nyj7eJF65BdbcFqUngA==
-----END CERTIFICATE-----
`
