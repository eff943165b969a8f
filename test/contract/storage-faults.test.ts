import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { type Credentials, type DownloadOptions, download, downloadBytes, openStore, StoreError } from '@eas/storage'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { type Fault, startFaultProxy, startOssRefuser } from '../support/storage/fault-proxy.ts'
import { startS3Server, testKeys } from '../support/storage/s3-server.ts'

const folder = await mkdtemp(join(tmpdir(), 'eas-faults-'))
const s3 = await startS3Server({ keys: [testKeys, { ...testKeys, accessKeyId: 'FRESH', sessionToken: 'fresh' }] })
afterAll(async () => {
  await s3.close()
  await rm(folder, { recursive: true })
})

const bytes = randomBytes(5 * 2 ** 20 + 12345)
beforeEach(() => s3.put('b/model', bytes))

type Decide = Parameters<typeof startFaultProxy>[1]

/** Downloads through a proxy that does what `decide` says; everything it opened is closed again. */
async function through(decide: Decide, options: DownloadOptions = {}, credentials: () => Credentials = () => testKeys) {
  const proxy = await startFaultProxy(s3.endpoint, decide)
  try {
    const settings = { s3: { endpoint: proxy.endpoint, credentials }, wire: { idleMs: 2_000 } }
    const { store, key } = openStore('s3://b/model', settings)
    const retry = { attempts: 5, delayMs: 1, maxDelayMs: 20 }
    const to = join(folder, 'model')
    const quick = { retry, partBytes: 2 ** 20, deadlineMs: 20_000, ...options }
    const result = await download(store, key, to, quick).then(
      async (done) => ({ done, content: await readFile(to) }),
      (error: unknown) => ({ error }),
    )
    await rm(to, { force: true })
    expect(await readdir(folder)).toEqual([]) // nothing is left, whatever happened
    return result
  } finally {
    await proxy.close()
  }
}

async function expectRight(run: ReturnType<typeof through>) {
  const { done, content, error } = (await run) as Partial<{
    done: { crc32: string; retries: number }
    content: Buffer
    error: unknown
  }> // one or the other
  expect(error).toBeUndefined()
  expect(Buffer.compare(content ?? Buffer.alloc(0), bytes)).toBe(0)
  expect(done?.crc32).toBe(crc32(bytes).toString(16).padStart(8, '0'))
  return done
}

async function expectCode(run: ReturnType<typeof through>, code: string) {
  const { error } = (await run) as { error?: StoreError } // undefined fails below
  expect(error).toBeInstanceOf(StoreError)
  expect(error).toMatchObject({ code })
  return error
}

const isGet: (request: { method?: string | undefined }) => boolean = ({ method }) => method === 'GET'
/** A fault for the first requests of all, or for every one from some number on. */
const first =
  (count: number, fault: Fault): Decide =>
  (_, index) =>
    index < count ? fault : undefined
const everyGet =
  (fault: Fault): Decide =>
  (request) =>
    isGet(request) ? fault : undefined
/** The first GET of each part goes wrong; a part is known by where it ends, wherever it goes on. */
function oncePerPart(fault: Fault): Decide {
  const seen = new Set<string>()
  return (request) => {
    const end = request.headers.range?.split('-')[1] ?? ''
    if (!isGet(request) || seen.has(end)) return undefined
    seen.add(end)
    return fault
  }
}

describe('a download', () => {
  it('without faults is right, and verified by the MD5 that the store vouches for', async () => {
    const done = await expectRight(through(() => undefined))
    expect(done).toMatchObject({ retries: 0, verified: 'md5', parts: 6 })
  })

  describe.each([500, 503, 429, 408])('status %d', (status) => {
    it('three times in a row is outlived', async () => {
      const done = await expectRight(through(first(3, { kind: 'status', status })))
      expect(done?.retries).toBeGreaterThan(0)
    })
    it('forever is `unavailable` or `timeout`, after a bounded number of requests', async () => {
      let requests = 0
      const decide: Decide = () => {
        requests++
        return { kind: 'status', status }
      }
      await expectCode(through(decide), status === 408 ? 'timeout' : 'unavailable')
      expect(requests).toBeLessThanOrEqual(5)
    })
  })

  it.each([0, 1, 65_536, 1_000_000])('a reset after %d bytes of each part is outlived', async (afterBytes) => {
    const done = await expectRight(through(oncePerPart({ kind: 'reset', afterBytes })))
    expect(done?.retries).toBeGreaterThanOrEqual(5)
  })

  it('a reset after every 300 kB is outlived, as long as there is progress', async () => {
    await expectRight(through(everyGet({ kind: 'reset', afterBytes: 300_000 })))
  })

  it('resets before the first byte forever are `unavailable`', async () => {
    await expectCode(through(everyGet({ kind: 'reset', afterBytes: 0 })), 'unavailable')
  })

  it('a truncated body is fetched on from where it ended', async () => {
    await expectRight(through(oncePerPart({ kind: 'truncate', toBytes: 500_000 })))
  })

  it.each([-1000, 1000])('a length that is wrong by %d once is outlived, and forever is an error', async (add) => {
    await expectRight(through(oncePerPart({ kind: 'length', add })))
    const { error } = (await through(everyGet({ kind: 'length', add }))) as { error?: StoreError } // an error is expected
    expect(['corrupt', 'unavailable']).toContain(error?.code)
  })

  it('ten bytes a second, where an idle timeout never fires, is `timeout`', async () => {
    const slow = everyGet({ kind: 'slow', bytesPerSecond: 10 })
    await expectCode(
      through(slow, { minBytesPerSecond: 1000, throughputWindowMs: 300, retry: { attempts: 2, delayMs: 1 } }),
      'timeout',
    )
  })

  it('a slow connection is left for another', async () => {
    const slow = oncePerPart({ kind: 'slow', bytesPerSecond: 10 })
    await expectRight(through(slow, { minBytesPerSecond: 1000, throughputWindowMs: 300 }))
  })

  it('the deadline ends whatever is going on', async () => {
    await expectCode(through(everyGet({ kind: 'hang' }), { deadlineMs: 300 }), 'timeout')
  })

  it('a server that hangs is `timeout`', async () => {
    const retry = { attempts: 1 }
    await expectCode(
      through(everyGet({ kind: 'hang' }), { retry, minBytesPerSecond: 1000, throughputWindowMs: 300 }),
      'timeout',
    )
  })

  it('credentials that expire meanwhile are asked for again', async () => {
    let calls = 0
    const rotating = () => {
      calls++
      // The first part's are over by the time they are used.
      return calls === 1
        ? testKeys
        : calls === 2
          ? { ...testKeys, accessKeyId: 'FRESH', sessionToken: 'stale' }
          : { ...testKeys, accessKeyId: 'FRESH', sessionToken: 'fresh' }
    }
    await expectRight(through(() => undefined, {}, rotating))
    expect(calls).toBeGreaterThanOrEqual(8) // a head, six parts, one of them again
  })

  it('credentials that have expired for good are `expired`, without hammering', async () => {
    let calls = 0
    const stale = () => {
      calls++
      return { ...testKeys, accessKeyId: 'FRESH', sessionToken: 'stale' }
    }
    await expectCode(
      through(() => undefined, {}, stale),
      'expired',
    )
    expect(calls).toBeLessThanOrEqual(4)
  })

  it('a 403 is `denied` at once', async () => {
    let requests = 0
    const decide: Decide = () => {
      requests++
      return { kind: 'status', status: 403 }
    }
    await expectCode(through(decide), 'denied')
    expect(requests).toBeLessThanOrEqual(2)
  })

  it('an object replaced meanwhile is never a mixture: the new one comes, whole', async () => {
    const next = randomBytes(bytes.length)
    let replaced = false
    const decide: Decide = (_, index) => {
      if (index !== 4 || replaced) return undefined
      replaced = true
      return { kind: 'before', run: () => s3.put('b/model', next) }
    }
    const { content } = (await through(decide)) as { content: Buffer } // undefined fails below
    expect(Buffer.compare(content, next)).toBe(0)
  })

  it('an object replaced again and again is `changed`', async () => {
    const decide: Decide = (request) =>
      isGet(request) ? { kind: 'before', run: () => s3.put('b/model', randomBytes(bytes.length)) } : undefined
    await expectCode(through(decide), 'changed')
  })

  it('an object deleted meanwhile is `not-found`', async () => {
    const decide: Decide = (request) =>
      isGet(request) ? { kind: 'before', run: () => void s3.objects.delete('b/model') } : undefined
    await expectCode(through(decide), 'not-found')
  })

  it('a flipped bit anywhere is found: once is outlived, forever is `corrupt`', async () => {
    for (let i = 0; i < 10; i++) {
      await expectRight(
        through(oncePerPartStart(2 * 2 ** 20, { kind: 'flip', bit: Math.floor(Math.random() * 8 * 2 ** 20) })),
      )
    }
    await expectCode(through(everyGet({ kind: 'flip', bit: 4711 })), 'corrupt')
  })

  it('a refusal by size comes before the first byte', async () => {
    let gets = 0
    const decide: Decide = (request) => {
      if (isGet(request)) gets++
      return undefined
    }
    await expectCode(through(decide, { maxBytes: bytes.length - 1 }), 'too-large')
    expect(gets).toBe(0)
  })
})

/** The first GET of one part only. */
function oncePerPartStart(start: number, fault: Fault): Decide {
  let done = false
  return (request) => {
    if (done || !isGet(request) || !request.headers.range?.startsWith(`bytes=${start}-`)) return undefined
    done = true
    return fault
  }
}

it('downloadBytes() is the same in memory', async () => {
  const { store, key } = openStore('s3://b/model', { s3: { endpoint: s3.endpoint, credentials: () => testKeys } })
  const done = await downloadBytes(store, key)
  expect(Buffer.compare(Buffer.from(done.bytes), bytes)).toBe(0)
})

describe('OSS', () => {
  it('refuses checksums in trailers, which the SDK sends by default, and takes what is sent to OSS', async () => {
    const trailing = await startS3Server({ trailers: true })
    const refuser = await startOssRefuser(trailing.endpoint)
    try {
      const body = () => ({
        size: 3,
        stream: (async function* () {
          yield new Uint8Array([1, 2, 3])
        })(),
      })
      const endpoint = refuser.endpoint
      const s3Way = openStore('s3://b/x', { s3: { endpoint, trailers: true, credentials: () => testKeys } })
      const error = await s3Way.store.put('x', body()).catch((e) => e)
      expect(error).toMatchObject({ code: 'invalid', message: expect.stringContaining('400 InvalidArgument') })
      const ossWay = openStore('oss://b/x', { oss: { endpoint, region: 'cn-shanghai', credentials: () => testKeys } })
      expect(await ossWay.store.put('x', body())).toMatchObject({ size: 3 })
      expect(await ossWay.store.create('y', body())).toBe(true)
      expect(trailing.headers.at(-2)).toMatchObject({ 'x-oss-forbid-overwrite': 'true' })
    } finally {
      await refuser.close()
      await trailing.close()
    }
  })
})
