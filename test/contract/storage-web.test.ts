import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { download, downloadTree, memoryStore, openStore } from '@eas/storage'
import { afterAll, describe, expect, it } from 'vitest'
import { type FileServerOptions, startFileServer } from '../support/storage/file-server.ts'
import { startGcsServer } from '../support/storage/gcs-server.ts'
import { startS3Server, testKeys } from '../support/storage/s3-server.ts'

const folder = await mkdtemp(join(tmpdir(), 'eas-web-'))
afterAll(() => rm(folder, { recursive: true }))
const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) & 255))
const root = join(folder, 'root')
await mkdir(root)
await writeFile(join(root, 'model'), bytes)

async function serving<T>(
  options: FileServerOptions,
  run: (url: string, count: () => number) => Promise<T>,
): Promise<T> {
  const server = await startFileServer(root, options)
  try {
    return await run(server.url, () => server.requests.length)
  } finally {
    await server.close()
  }
}

describe('web servers', () => {
  const servers: readonly FileServerOptions[] = [
    {},
    { validators: 'date' },
    { validators: 'none' },
    { ignoreRanges: true },
  ]
  it.each(servers)('%j: a download is right', (options) =>
    serving(options, async (url) => {
      const { store, key } = openStore(`${url}/model?token=secret`, {})
      const { info, parts } = await download(store, key, join(folder, 'to'), { partBytes: 500_000 })
      expect(Buffer.compare(await readFile(join(folder, 'to')), bytes)).toBe(0)
      expect(parts).toBe(options.ignoreRanges ? 1 : 6)
      expect(`${store.url} ${JSON.stringify(info)}`).not.toContain('secret')
    }),
  )

  it('a server that ignores ranges is read from, and no further than asked', () =>
    serving({ ignoreRanges: true }, async (url) => {
      const { store, key } = openStore(`${url}/model`, {})
      for (const [start, end] of [
        [0, 10],
        [0, 70_000],
        [200_000, 200_001],
        [2_999_990, 3_000_000],
      ] as const) {
        expect(Buffer.compare(await store.read(key, { start, end }), bytes.subarray(start, end))).toBe(0)
      }
    }))

  it('without ETags a file replaced is `changed` by its date', () =>
    serving({ validators: 'date' }, async (url) => {
      const { store, key } = openStore(`${url}/dated`, {})
      await writeFile(join(root, 'dated'), 'old')
      await utimes(join(root, 'dated'), 1e9, 1e9)
      const version = (await store.head(key))?.version ?? ''
      await writeFile(join(root, 'dated'), 'new')
      await expect(store.read(key, { start: 0, end: 3 }, { version })).rejects.toMatchObject({ code: 'changed' })
    }))

  const redirects: readonly (readonly [location: string, code: string])[] = [
    ['http://169.254.169.254/latest/meta-data/', 'denied'],
    ['http://[::ffff:169.254.169.254]/', 'denied'],
    ['http://2852039166/', 'denied'],
    ['http://100.100.100.200/latest/', 'denied'],
    ['http://metadata.google.internal/', 'denied'],
    ['file:///etc/passwd', 'invalid'],
    ['ftp://host/x', 'invalid'],
    ['/model', 'invalid'], // to itself, forever
  ]
  it.each(redirects)('a redirect to %s is %s', (location, code) => {
    const before: FileServerOptions['before'] = (_, response) => Boolean(response.writeHead(302, { location }).end())
    return serving({ before }, async (url, count) => {
      const { store, key } = openStore(`${url}/model`, {})
      await expect(store.head(key)).rejects.toMatchObject({ code })
      expect(count()).toBeLessThanOrEqual(6)
    })
  })

  it('a login goes to its own host only', async () => {
    const seen: (string | undefined)[] = []
    const other = createServer((request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(206, { 'content-range': 'bytes 0-0/1', 'content-length': 1, etag: '"x"' }).end('x')
    })
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/x` // listening on TCP
    const before: FileServerOptions['before'] = (request, response) => {
      seen.push(request.headers.authorization)
      return Boolean(response.writeHead(307, { location }).end())
    }
    await serving({ before }, async (url) => {
      const { store, key } = openStore(`${url.replace('//', '//user:pass@')}/model`, {})
      expect(await store.head(key)).toMatchObject({ size: 1 })
      expect(store.url).not.toContain('pass')
    })
    expect(seen).toEqual([`Basic ${Buffer.from('user:pass').toString('base64')}`, undefined])
    other.closeAllConnections()
    other.close()
  })

  it('whole URLs never appear in errors', () =>
    serving({}, async (url) => {
      const { store, key } = openStore(`${url.replace('//', '//user:pass@')}/nothing?sig=secret`, {})
      const error = await store.stream(key).catch((e) => e)
      expect(error).toMatchObject({ code: 'not-found' })
      expect(error.message).not.toMatch(/pass|secret/)
    }))
})

describe('downloadTree()', () => {
  const filled = async (keys: readonly string[]) => {
    const store = memoryStore()
    for (const key of keys) await store.put(key, new TextEncoder().encode(key))
    return store
  }

  it('writes every object below a prefix, and nothing else', async () => {
    const store = await filled(['m/a', 'm/b/c', 'm/b/d', 'mm/x', 'n'])
    const to = join(folder, 'tree')
    const { files, bytes } = await downloadTree(store, 'm', to)
    expect([...files.keys()]).toEqual(['a', 'b/c', 'b/d'])
    expect(bytes).toBe(13)
    expect((await readdir(to, { recursive: true })).sort()).toEqual(['a', 'b', 'b/c', 'b/d'])
    expect(await readFile(join(to, 'b/c'), 'utf8')).toBe('m/b/c')
  })

  it.each([
    [['m/a', 'm/A'], {}, 'invalid'],
    [['m/a', 'm/a/b'], {}, 'invalid'],
    [['m/C:x'], {}, 'invalid'],
    [['n'], {}, 'not-found'],
    [['m/a', 'm/b'], { maxFiles: 1 }, 'too-large'],
    [['m/a', 'm/b'], { maxBytes: 5 }, 'too-large'],
  ])('%j with %j is %s, and leaves nothing', async (keys, options, code) => {
    const to = join(folder, 'refused')
    await expect(downloadTree(await filled(keys), 'm', to, options)).rejects.toMatchObject({ code })
    expect(await readdir(folder)).not.toContain('refused')
  })
})

it('the token of the metadata server is asked for once for many requests', async () => {
  let tokens = 0
  const metadata = createServer((request, response) => {
    expect(request.headers['metadata-flavor']).toBe('Google')
    tokens++
    response.end(JSON.stringify({ access_token: `token-${tokens}`, expires_in: 3600, token_type: 'Bearer' }))
  })
  await new Promise<void>((resolve) => metadata.listen(0, '127.0.0.1', resolve))
  const gcs = await startGcsServer({ token: 'token-1' })
  const metadataServer = `http://127.0.0.1:${(metadata.address() as AddressInfo).port}` // listening on TCP
  const { store } = openStore('gs://b/x', { gcs: { endpoint: gcs.endpoint, metadataServer } })
  await Promise.all(Array.from({ length: 5 }, (_, i) => store.put(`k${i}`, new Uint8Array(1))))
  expect(tokens).toBe(1)
  metadata.closeAllConnections()
  metadata.close()
  await gcs.close()
})

it('a store that vouches for crc32, crc32c or MD5 is believed only if the bytes agree', async () => {
  const s3 = await startS3Server({ trailers: true })
  const gcs = await startGcsServer()
  const credentials = () => testKeys
  const options = {
    s3: { endpoint: s3.endpoint, trailers: true, credentials },
    gcs: { endpoint: gcs.endpoint, anonymous: true },
  }
  for (const [url, algorithm] of [
    ['s3://b/model', 'crc32'],
    ['gs://b/model', 'crc32c'],
  ] as const) {
    const { store, key } = openStore(url, options)
    await store.put(key, bytes)
    const done = await download(store, key, join(folder, 'vouched'), { partBytes: 700_000 })
    expect(done.verified).toBe(algorithm)
    expect(Buffer.compare(await readFile(join(folder, 'vouched')), bytes)).toBe(0)
  }
  await s3.close()
  await gcs.close()
})
