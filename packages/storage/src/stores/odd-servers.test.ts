import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { crc32, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { openStore } from '../open-store.ts'
import { StoreError } from '../store-error.ts'
import { downloadBytes, fetchBytes } from '../transfer/download.ts'

const content = randomBytes(3_000_000)
const etag = '"v1"'

interface Asked {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Of the range that is asked for. */
  readonly start: number
  readonly end: number
}

let close = () => {}
afterEach(() => close())

/** A store whose server answers HEAD as S3 does, and GET as `get` says. */
async function storeOf(get: (asked: Asked) => void, head?: (response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    response.setHeader('etag', etag)
    const [, first = '0', last = `${content.length - 1}`] =
      /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    if (request.method === 'HEAD')
      head?.(response) ?? response.writeHead(200, { 'content-length': content.length }).end()
    else get({ request, response, start: Number(first), end: Number(last) + 1 })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  close = () => {
    server.closeAllConnections()
    server.close()
  }
  const { port } = server.address() as AddressInfo // listening on TCP
  const credentials = () => ({ accessKeyId: 'AKIATEST', secretAccessKey: 'secretsecret' })
  return openStore('s3://bucket/model', { s3: { endpoint: `http://127.0.0.1:${port}`, credentials } })
}

const rules = { retry: { attempts: 2, delayMs: 1, maxDelayMs: 2 }, restarts: 0, partBytes: 2 ** 20 }
const rangeOf = ({ start, end }: Asked) => `bytes ${start}-${end - 1}/${content.length}`
const partOf = ({ start, end }: Asked) => content.subarray(start, end)

describe('a download is right from a server that', () => {
  it.each<[string, (asked: Asked) => void]>([
    [
      'sends parts in chunks, without a length',
      (asked) => {
        asked.response.writeHead(206, { 'content-range': rangeOf(asked) })
        asked.response.write(partOf(asked).subarray(0, 1000))
        asked.response.end(partOf(asked).subarray(1000))
      },
    ],
    [
      'closes the connection after each part',
      (asked) => {
        const { length } = partOf(asked)
        const headers = { 'content-range': rangeOf(asked), 'content-length': length, connection: 'close' }
        asked.response.writeHead(206, headers).end(partOf(asked))
      },
    ],
    [
      'ignores ranges',
      ({ response }) => void response.writeHead(200, { 'content-length': content.length }).end(content),
    ],
    [
      'sends less than was asked for, and says so',
      (asked) => {
        const end = Math.min(asked.end, asked.start + 300_000)
        const part = { ...asked, end }
        const headers = { 'content-range': rangeOf(part), 'content-length': end - asked.start }
        asked.response.writeHead(206, headers).end(partOf(part))
      },
    ],
    [
      'sends a header twice',
      (asked) => {
        const headers = { 'content-range': rangeOf(asked), 'x-amz-meta-a': ['1', '2'] }
        asked.response.writeHead(206, { ...headers, 'content-length': partOf(asked).length }).end(partOf(asked))
      },
    ],
  ])('%s', async (_, get) => {
    const { store, key } = await storeOf(get)
    const { bytes } = await downloadBytes(store, key, { ...rules, retry: { attempts: 9, delayMs: 1, maxDelayMs: 2 } })
    expect(Buffer.compare(bytes, content)).toBe(0)
  })
})

describe('a download fails from a server that', () => {
  it.each<[string, (asked: Asked) => void, string]>([
    [
      'says 206 and no range',
      (asked) => void asked.response.writeHead(206, { 'content-length': 10 }).end(content.subarray(0, 10)),
      'corrupt',
    ],
    [
      'sends another range',
      (asked) => {
        const moved = { ...asked, start: asked.start + 1 }
        const headers = { 'content-range': rangeOf(moved), 'content-length': partOf(moved).length }
        asked.response.writeHead(206, headers).end(partOf(moved))
      },
      'corrupt',
    ],
    [
      'sends more than was asked for',
      (asked) => {
        const wider = { ...asked, end: asked.end + 5 }
        asked.response.writeHead(206, { 'content-range': rangeOf(wider) }).end(partOf(wider))
      },
      'corrupt',
    ],
    [
      'finds no such range',
      ({ response }) => void response.writeHead(416, { 'content-length': 0 }).end(),
      'unavailable',
    ],
    [
      'has another version by now, and ignores the condition',
      (asked) => {
        const headers = { etag: '"v2"', 'content-range': rangeOf(asked), 'content-length': partOf(asked).length }
        asked.response.writeHead(206, headers).end(partOf(asked))
      },
      'changed',
    ],
    [
      'sends bytes of gzip for those of the object',
      (asked) => {
        const packed = gzipSync(partOf(asked))
        const headers = { 'content-range': rangeOf(asked), 'content-encoding': 'gzip', 'content-length': packed.length }
        asked.response.writeHead(206, headers).end(packed)
      },
      'corrupt',
    ],
    [
      'sends on to another region',
      ({ response }) => {
        const body = '<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>'
        response.writeHead(301, { 'x-amz-bucket-region': 'eu-west-1', 'content-length': body.length }).end(body)
      },
      'invalid',
    ],
    [
      'sends on for a while',
      ({ response }) => void response.writeHead(307, { location: 'http://127.0.0.1:1/bucket/model' }).end(),
      'invalid',
    ],
  ])('%s', async (_, get, code) => {
    const { store, key } = await storeOf(get)
    const error = await downloadBytes(store, key, rules).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(StoreError)
    expect(error.code).toBe(code)
  })

  it('names the region that a bucket is in', async () => {
    const { store, key } = await storeOf(({ response }) => {
      response
        .writeHead(301, { 'x-amz-bucket-region': 'eu-west-1' })
        .end('<Error><Code>PermanentRedirect</Code></Error>')
    })
    await expect(downloadBytes(store, key, rules)).rejects.toThrow(/301 PermanentRedirect, the bucket is in eu-west-1/)
  })
})

describe('a CRC-32 that the caller knows', () => {
  const sum = crc32(content).toString(16).padStart(8, '0')
  const whole = ({ response }: Asked) =>
    void response.writeHead(200, { etag: `"${'0'.repeat(32)}"`, 'content-length': content.length }).end(content)
  const head = (response: ServerResponse) =>
    response.writeHead(200, { etag: `"${'0'.repeat(32)}"`, 'content-length': content.length }).end()

  it('counts instead of what the store says', async () => {
    const { store, key } = await storeOf(whole, head)
    expect((await downloadBytes(store, key, rules).catch((thrown) => thrown)).code).toBe('corrupt')
    expect((await downloadBytes(store, key, { ...rules, crc32: sum })).verified).toBe('crc32')
  })

  it('has to be that of the bytes', async () => {
    const { store, key } = await storeOf(whole, head)
    const error = await downloadBytes(store, key, { ...rules, crc32: '00000000' }).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(StoreError)
    expect(error.code).toBe('corrupt')
  })
})

describe('fetchBytes()', () => {
  it('asks once', async () => {
    let count = 0
    const { store, key } = await storeOf(({ response }) => {
      count++
      response.writeHead(200, { 'content-length': content.length }).end(content)
    })
    const { bytes, info } = await fetchBytes(store, key)
    expect(Buffer.compare(bytes, content)).toBe(0)
    expect([info.version, count]).toEqual(['v1', 1])
  })

  it('reads no more than it may', async () => {
    const { store, key } = await storeOf(
      ({ response }) => void response.writeHead(200, { 'content-length': content.length }).end(content),
    )
    const error = await fetchBytes(store, key, { maxBytes: 1000 }).catch((thrown) => thrown)
    expect(error.code).toBe('too-large')
  })

  it('tries again what may pass, and does not what may not', async () => {
    let count = 0
    const { store, key } = await storeOf(({ response }) => {
      if (count++ === 0) response.writeHead(503).end()
      else response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>')
    })
    const error = await fetchBytes(store, key, rules).catch((thrown) => thrown)
    expect([error.code, count]).toEqual(['denied', 2])
  })

  it('compares with the digest that the store vouches for', async () => {
    const { store, key } = await storeOf(({ response }) => {
      const md5 = '0'.repeat(32)
      response.writeHead(200, { etag: `"${md5}"`, 'content-length': content.length }).end(content)
    })
    expect((await fetchBytes(store, key).catch((thrown) => thrown)).code).toBe('corrupt')
  })
})

describe('says where it was going, of', () => {
  const s3 = (endpoint: string) => ({
    endpoint,
    credentials: () => ({ accessKeyId: 'AKIATEST', secretAccessKey: 'secret' }),
  })

  it('a server that does not listen', async () => {
    const { store } = openStore('s3://bucket/model', { s3: s3('http://127.0.0.1:1') })
    for (const call of [() => store.head('model'), () => store.put('model', content.subarray(0, 1))]) {
      await expect(call()).rejects.toThrow(/^Cannot \w+ s3:\/\/bucket\/model: ECONNREFUSED 127\.0\.0\.1:1$/)
    }
  })

  it('a server that writes are for, whatever hosts of AWS the environment asks for', async () => {
    for (const name of ['AWS_USE_DUALSTACK_ENDPOINT', 'AWS_USE_FIPS_ENDPOINT']) vi.stubEnv(name, 'true')
    try {
      const { store } = openStore('s3://bucket/model', { s3: s3('http://127.0.0.1:1') })
      await expect(store.put('model', content.subarray(0, 1))).rejects.toThrow(
        /^Cannot write s3:\/\/bucket\/model: ECONNREFUSED 127\.0\.0\.1:1$/,
      )
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it('a server that is asked for TLS and has none', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    close = () => void server.close()
    const { port } = server.address() as AddressInfo // listening on TCP
    const { store } = openStore('s3://bucket/model', { s3: s3(`https://127.0.0.1:${port}`) })
    await expect(store.head('model')).rejects.toThrow(
      'Cannot read s3://bucket/model: the server does not speak TLS; try http://',
    )
  })
})
