import { setTimeout as sleep } from 'node:timers/promises'
import { constants, deflateSync, gzipSync } from 'node:zlib'
import { compress } from '@eas/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { graphs } from '../support/models.ts'
import { onnxModel, scratch } from '../support/onnx.ts'
import { serviceJson } from '../support/processor.ts'
import { exchange, post, RawConnection, rawRequest } from '../support/raw-http.ts'
import { floats, torchBody } from '../support/requests.ts'
import { type RunningServer, serve, textOf } from '../support/server.ts'

const mebibyte = 1024 * 1024
const bodyBytesMax = 8 * mebibyte
const inflatedBytesMax = mebibyte
const files = scratch('hostile')
let server: RunningServer

beforeAll(async () => {
  const model = files.write('add.onnx', onnxModel(graphs.add))
  const compressors = ['gzip', 'zlib', 'snappy', 'lz4', 'zstd']
  server = await serve({
    args: [
      files.write('add.json', serviceJson({ name: 'add', model, rpc: { keepalive: 20_000 } })),
      ...compressors.map((decompressor) =>
        files.write(`${decompressor}.json`, serviceJson({ name: decompressor, model, rpc: { decompressor } })),
      ),
    ],
    env: {
      EAS_ISOLATION: 'inline',
      EAS_MAX_BODY_BYTES: String(bodyBytesMax),
      EAS_MAX_INFLATED_BYTES: String(inflatedBytesMax),
    },
  })
})
afterAll(async () => {
  await server?.stop()
  files.remove()
})

const honest = torchBody([floats([1, 2], 1, 2), floats([1, 2], 10, 20)])
async function expectHonest() {
  const response = await exchange(server.port, post('/api/predict/add', honest))
  expect(response?.status, textOf(response)).toBe(200)
}
/** Runs something often enough that what it keeps would show, and gives what memory has grown by. */
async function growthOf(act: () => Promise<void>, times = 1): Promise<number> {
  await act()
  const before = server.rssBytes()
  for (let i = 0; i < times; i++) await act()
  return server.rssBytes() - before
}
const chunkedHead = (service: string) =>
  `POST /api/predict/${service} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n`

describe('A chunked body', () => {
  it('of a request is read like any other', async () => {
    const chunks = [...honest].map((byte) => Buffer.from([0x31, 0x0d, 0x0a, byte, 0x0d, 0x0a]))
    const response = await exchange(
      server.port,
      Buffer.concat([Buffer.from(chunkedHead('add')), ...chunks, Buffer.from('0\r\n\r\n')]),
    )
    expect(response?.status).toBe(200)
  })

  it('of a million chunks of one byte is refused before it is read whole, and leaves no memory behind', async () => {
    const million = Buffer.concat([Buffer.from(chunkedHead('add')), Buffer.from('1\r\n\x07\r\n'.repeat(1_000_000))])
    const send = async () => {
      const connection = new RawConnection(server.port)
      void connection.send(million)
      const response = await connection.response()
      expect(response?.status).toBe(400)
      expect(textOf(response)).toMatch(/^Request body in too many chunks: 65537 of them hold 65537 bytes; /)
      return connection
    }
    const growth = await growthOf(async () => (await send()).destroy(), 10)
    expect(growth).toBeLessThan(16 * mebibyte) // 45 MiB when they are read whole and kept for a while
    const connection = await send()
    expect(await connection.ends(3000)).toBe(true)
    connection.destroy()
    await expectHonest()
  })

  it('over the limit is 413 as soon as it is over, and closed', async () => {
    const connection = new RawConnection(server.port)
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536), Buffer.from('\r\n')])
    const before = server.rssBytes()
    void connection.send(chunkedHead('add'))
    let sent = 0
    while (!connection.isClosed && connection.unread.length === 0 && sent < 64 * mebibyte) {
      await connection.send(chunk)
      sent += 65_536
    }
    const response = await connection.response()
    expect(response?.status).toBe(413)
    expect(textOf(response)).toMatch(/^Request body too large: \d+ bytes, the limit is 8388608 \(EAS_MAX_BODY_BYTES\)$/)
    expect(await connection.ends(3000)).toBe(true)
    expect(sent).toBeLessThan(32 * mebibyte)
    expect(server.rssBytes() - before).toBeLessThan(bodyBytesMax * 4)
    connection.destroy()
  })
})

describe('A declared length', () => {
  it.each([bodyBytesMax + 1, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER])(
    'of %d is 413 before the body comes, and costs nothing',
    async (bytes) => {
      const before = server.rssBytes()
      const response = await exchange(
        server.port,
        `POST /api/predict/add HTTP/1.1\r\nHost: test\r\nContent-Length: ${bytes}\r\n\r\n`,
      )
      expect(response?.status).toBe(413)
      expect(response?.headers.connection).toBe('close')
      expect(textOf(response)).toBe(
        `Request body too large: ${bytes} bytes, the limit is ${bodyBytesMax} (EAS_MAX_BODY_BYTES)`,
      )
      expect(server.rssBytes() - before).toBeLessThan(32 * mebibyte)
    },
  )

  it('exactly at the limit is read', async () => {
    const response = await exchange(server.port, post('/api/predict/add', new Uint8Array(bodyBytesMax)))
    expect(response?.status).toBe(400)
  })

  it('that is not kept takes no memory: 200 bodies of 8 MB, of which one byte comes', async () => {
    const before = server.rssBytes()
    const connections = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const connection = new RawConnection(server.port)
        await connection.send(
          `POST /api/predict/add HTTP/1.1\r\nHost: test\r\nContent-Length: ${bodyBytesMax}\r\n\r\nx`,
        )
        return connection
      }),
    )
    await expectHonest()
    expect(server.rssBytes() - before).toBeLessThan(48 * mebibyte)
    for (const connection of connections) connection.destroy()
  })
})

describe('A head', () => {
  it('of over a thousand short headers is read to its end', async () => {
    const many = Array.from({ length: 1200 }, (_, i) => [`h${i}`, '1'] as const)
    expect((await exchange(server.port, post('/api/predict/add', honest, many)))?.body.length).toBeGreaterThan(0)
    const answer = await exchange(server.port, post('/api/predict/add', Buffer.from([0xff]), many))
    expect(answer?.status, textOf(answer)).toBe(400) // without its length it would be asked for the signature: 200
  })
})

describe('A body compressed otherwise than the service says', () => {
  it('is refused by what it is and what it should be', async () => {
    const answer = await exchange(server.port, post('/api/predict/snappy', gzipSync(honest)))
    expect(`${answer?.status} ${textOf(answer)}`).toMatch(
      /^400 .*; the body is gzip, and metadata.rpc.decompressor is snappy$/,
    )
  })
})

describe('A body that waits to be asked for', () => {
  const expecting = (target: string, length: number) =>
    rawRequest('POST', target, [
      ['Host', 'test'],
      ['Expect', '100-continue'],
      ['Content-Length', String(length)],
    ])

  it('is asked for, and the request answered', async () => {
    const connection = new RawConnection(server.port)
    void connection.send(expecting('/api/predict/add', honest.length))
    while (connection.unread.length === 0) await sleep(1)
    expect(connection.unread.toString('latin1')).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    void connection.send(honest)
    expect((await connection.response())?.status).toBe(200)
    connection.destroy()
  })

  it.each([
    ['of a request for no service', '/api/predict/nobody', 1000, 404],
    ['that is too long', '/api/predict/add', bodyBytesMax + 1, 413],
  ])('is not, when it is %s', async (_, target, length, status) => {
    const connection = new RawConnection(server.port)
    void connection.send(expecting(target, length))
    while (!connection.unread.includes('\r\n\r\n')) await sleep(1)
    expect(connection.unread.toString('latin1', 0, 12)).toBe(`HTTP/1.1 ${status}`)
    expect((await connection.response())?.headers.connection).toBe('close')
    connection.destroy()
  })
})

describe('A decompression bomb', () => {
  const zeros = Buffer.alloc(64 * mebibyte)
  /** A zstd frame of run-length blocks, each 128 KiB of one byte; RFC 8878, 3.1.1. */
  const zstdBomb = () => {
    const block = (last: number) => {
      const header = last | (1 << 1) | (131_072 << 3)
      return Buffer.from([header & 255, (header >> 8) & 255, header >> 16, 0])
    }
    const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58])
    return Buffer.concat([head, ...Array.from({ length: 511 }, () => block(0)), block(1)])
  }
  /** An LZ4 block: one literal, then a match that goes on. */
  const lz4Bomb = () =>
    Buffer.concat([
      Buffer.from([0x1f, 0x00, 0x01, 0x00]),
      Buffer.alloc(250_000, 255),
      Buffer.from([0, 0x50, 1, 2, 3, 4, 5]),
    ])
  const bombs: readonly (readonly [string, string, () => Uint8Array])[] = [
    ['gzip', 'gzip', () => gzipSync(zeros, { level: constants.Z_BEST_COMPRESSION })],
    ['gzip, not configured', 'add', () => gzipSync(zeros)],
    ['zlib', 'zlib', () => deflateSync(zeros)],
    ['zlib, not configured', 'add', () => deflateSync(zeros)],
    ['Snappy', 'snappy', () => compress('snappy', zeros)],
    ['LZ4 block', 'lz4', lz4Bomb],
    ['LZ4 frame', 'lz4', () => compress('lz4_frame', zeros)],
    ['LZ4 frame, not configured', 'add', () => compress('lz4_frame', zeros)],
    ['zstd', 'zstd', zstdBomb],
    ['zstd, not configured', 'add', zstdBomb],
  ]

  it.each(bombs)('of %s is 413, and memory stays', async (_, service, make) => {
    const bytes = post(`/api/predict/${service}`, make())
    const growth = await growthOf(async () => {
      const response = await exchange(server.port, bytes)
      expect(response?.status, textOf(response)).toBe(413)
      expect(textOf(response)).toMatch(/^[ -~]+$/)
    }, 3)
    // Three times 64 MiB would show; what the garbage collector keeps for later would not.
    expect(growth).toBeLessThan(48 * mebibyte)
  })

  it('that only claims to be one, a gigabyte of Snappy in 90 bytes, is 400 and nothing is set aside for it', async () => {
    const bytes = post('/api/predict/snappy', Buffer.concat([Buffer.from('8080808004', 'hex'), Buffer.alloc(85)]))
    const growth = await growthOf(async () => {
      const response = await exchange(server.port, bytes)
      expect([response?.status, textOf(response)]).toEqual([
        400,
        'Cannot decompress the body as snappy: it declares 1073741824 bytes, more than 85 bytes can hold',
      ])
    }, 3)
    expect(growth).toBeLessThan(32 * mebibyte)
  })
})

describe('A request that two readers could read differently', () => {
  const target = '/api/predict/add'
  const head = `POST ${target} HTTP/1.1\r\nHost: test\r\n`
  const smuggled = `GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n`
  const cases: readonly (readonly [string, string])[] = [
    ['Content-Length and Transfer-Encoding', `${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['Transfer-Encoding and Content-Length', `${head}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`],
    ['two lengths', `${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`],
    ['two equal lengths', `${head}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx`],
    ['a list of lengths', `${head}Content-Length: 1, 1\r\n\r\nx`],
    ['a length with a sign', `${head}Content-Length: +1\r\n\r\nx`],
    ['a negative length', `${head}Content-Length: -1\r\n\r\nx`],
    ['a hexadecimal length', `${head}Content-Length: 0x1\r\n\r\nx`],
    ['a length past 64 bits', `${head}Content-Length: 99999999999999999999999\r\n\r\nx`],
    ['an unknown transfer coding', `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['chunked not last', `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['a tab before chunked', `${head}Transfer-Encoding:\tchunked, cow\r\n\r\n0\r\n\r\n`],
    ['a space before the colon', `${head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
    ['a folded header', `${head}X-A: 1\r\n Transfer-Encoding: chunked\r\n\r\n`],
    ['a chunk size that is no number', `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n`],
    ['a negative chunk size', `${head}Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n`],
    ['a chunk size past 64 bits', `${head}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx\r\n0\r\n\r\n`],
    ['a chunk longer than it says', `${head}Transfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n`],
    ['line feeds alone', `POST ${target} HTTP/1.1\nHost: test\nContent-Length: 0\n\n`],
    ['a carriage return alone', `POST ${target} HTTP/1.1\rHost: test\r\r`],
    ['a NUL in a header', `${head}X-A: a\0b\r\nContent-Length: 0\r\n\r\n`],
    ['a line feed in a header', `${head}X-A: a\nTransfer-Encoding: chunked\r\n\r\n`],
    ['no Host', `POST ${target} HTTP/1.1\r\nContent-Length: 0\r\n\r\n`],
    [
      'two lengths and a request inside',
      `${head}Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    ],
  ]

  it.each(cases)('%s: is refused, and the connection closed', async (_, bytes) => {
    const connection = new RawConnection(server.port)
    void connection.send(bytes)
    const response = await connection.response({ timeoutMs: 3000 })
    expect(response?.status).toBe(400)
    expect(await connection.ends(2000)).toBe(true)
    expect(connection.unread.toString('latin1'), 'one answer, not two').not.toContain('HTTP/1.1')
    connection.destroy()
  })

  it.each([
    ['nothing before the version', 'GET\r\n\r\n'],
    ['noise', Buffer.from(Array.from({ length: 4000 }, (_, i) => (i * 193) & 255))],
    ['TLS', Buffer.from('16030100c8010000c403035f', 'hex')],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['HTTP/9', 'GET / HTTP/9.9\r\nHost: x\r\n\r\n'],
    ['a method of its own', 'BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a method in lower case', 'get /healthz HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['an endless method', 'A'.repeat(100_000)],
    ['a space in the path', 'GET /a b HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['an endless path', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ['an endless header', `GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(100_000)}\r\n\r\n`],
    ['headers without end', `GET /healthz HTTP/1.1\r\nHost: x\r\n${'X-A: a\r\n'.repeat(20_000)}\r\n`],
    ['CONNECT', 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n'],
  ] as const)('%s instead of a request ends the connection', async (_, bytes) => {
    const connection = new RawConnection(server.port)
    void connection.send(bytes)
    const response = await connection.response({ timeoutMs: 3000 })
    if (response) expect([400, 431]).toContain(response.status)
    expect(await connection.ends(2000)).toBe(true)
    connection.destroy()
  })

  it('more headers than anyone sends are dropped, not kept', async () => {
    const headers = Array.from({ length: 1500 }, (_, i) => `X${i}: a`).join('\r\n')
    const response = await exchange(server.port, `GET /healthz HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n`)
    expect([200, 431]).toContain(response?.status)
  })
})

describe('Requests sent without waiting for answers', () => {
  it('are answered in their order', async () => {
    const connection = new RawConnection(server.port)
    const targets = Array.from({ length: 50 }, (_, i) =>
      i % 3 === 0 ? '/absent' : i % 3 === 1 ? '/healthz' : '/api/predict/add',
    )
    void connection.send(
      Buffer.concat(
        targets.map((t) => (t.includes('predict') ? post(t, honest) : rawRequest('GET', t, [['Host', 'x']]))),
      ),
    )
    for (const target of targets)
      expect((await connection.response())?.status, target).toBe(target === '/absent' ? 404 : 200)
    connection.destroy()
  })

  it('and then noise: the answer under way is whole or not there, never mixed', async () => {
    const connection = new RawConnection(server.port)
    void connection.send(Buffer.concat([post('/api/predict/add', honest), Buffer.from('\0\0noise\r\n\r\n')]))
    const response = await connection.response({ timeoutMs: 3000 })
    if (response) expect(response.status).toBe(200)
    expect(await connection.ends(3000)).toBe(true)
    connection.destroy()
    await expectHonest()
  })
})

describe('Names from outside', () => {
  const hostile = [
    '../../etc/passwd',
    '..%2f..%2fetc%2fpasswd',
    '%2e%2e/%2e%2e/etc/passwd',
    '..%c0%af..%c0%afetc',
    '....//....//etc/passwd',
    '%00',
    'add%00.onnx',
    'add%0d%0aSet-Cookie:%20x=1',
    '%0d%0a%0d%0a<html>',
    '\\..\\..\\windows',
    'C:%5Cboot.ini',
    'file:%2F%2F%2Fetc%2Fpasswd',
    '__proto__',
    'constructor',
    'toString',
    '__proto__%2fpolluted',
    'hasOwnProperty',
    '%E2%80%AE',
    '%u2215etc',
    '%',
    '%zz',
    '$%7Bjndi:ldap:%2F%2Fx%7D',
    "'%20OR%201=1",
    'x'.repeat(4000),
  ]
  it.each(hostile)('%s is no service and no file; the answer is one line of text', async (name) => {
    for (const target of [`/api/predict/${name}`, `/${name}`, `/api/v1/servicediscovery/upstreams/${name}`]) {
      const response = await exchange(server.port, rawRequest('GET', target, [['Host', 'test']]))
      expect([400, 404], target).toContain(response?.status)
      expect(Object.keys(response?.headers ?? {})).not.toContain('set-cookie')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
      expect(textOf(response)).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u202a-\u202e]{0,300}$/)
      expect(textOf(response)).not.toMatch(/root:|node_modules|\.ts:|\.js:\d| at /)
      if (response?.status === 404) expect(response.headers['content-type']).toBe('text/plain; charset=utf-8')
    }
  })
})

describe('A client that does not speak', () => {
  it('up to 300 of them, in the middle of their headers, are closed in bounded time and do not slow honest ones', async () => {
    const start = performance.now()
    const slow = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const connection = new RawConnection(server.port)
        if (i % 3 > 0) await connection.send('POST /api/predict/add HTTP/1.1\r\nHost: t')
        return connection
      }),
    )
    const drip = setInterval(() => {
      for (const [i, connection] of slow.entries()) if (i % 3 === 2) void connection.send('e')
    }, 1000)
    const honestMs: number[] = []
    for (let i = 0; i < 100; i++) {
      const from = performance.now()
      await expectHonest()
      honestMs.push(performance.now() - from)
    }
    expect(honestMs.toSorted((a, b) => a - b)[98]).toBeLessThan(2000)

    const closed = await Promise.all(slow.map((connection) => connection.ends(15_000)))
    clearInterval(drip)
    expect(closed.filter((isClosed) => !isClosed)).toEqual([])
    expect(performance.now() - start, 'headersTimeout of 10 s, and the time between two checks').toBeLessThan(15_000)
    const [spoke] = slow.filter((_, i) => i % 3 === 1)
    expect(spoke?.unread.toString()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    for (const connection of slow) connection.destroy()
  })

  it('but has ended its side counts as gone, if it has no answer yet: its connection is closed', async () => {
    const connections = Array.from({ length: 50 }, () => new RawConnection(server.port))
    for (const [i, connection] of connections.entries()) {
      const bytes = post('/api/predict/add', honest)
      await connection.send(i % 2 === 0 ? bytes : bytes.subarray(0, -5))
      connection.socket.end()
    }
    for (const connection of connections) {
      expect([200, 400, undefined]).toContain((await connection.response())?.status)
      expect(await connection.ends(2000)).toBe(true)
    }
    await expectHonest()
  })

  it('or leaves with a reset, 500 times, costs nothing that stays', async () => {
    const growth = await growthOf(async () => {
      await Promise.all(
        Array.from({ length: 250 }, async () => {
          const connection = new RawConnection(server.port)
          await connection.send(post('/api/predict/add', honest))
          connection.socket.resetAndDestroy()
        }),
      )
      await sleep(50)
    }, 2)
    expect(growth).toBeLessThan(24 * mebibyte)
    await expectHonest()
  })
})

describe('Afterwards', () => {
  it('the server is alive, has said nothing, and answers', async () => {
    await expectHonest()
    expect(server.child.exitCode).toBeNull()
    expect(server.stderr()).toMatch(/^(?:\w+ is ready on cpu: http:\S+\n)+$/)
  })
})
