import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type S3Server, startS3Server, testKeys } from '../../../../test/support/storage/s3-server.ts'
import { s3Store } from './s3.ts'

/** How a region answers for a bucket that is in another one. */
let refusal = { status: 301, headers: { 'x-amz-bucket-region': 'eu-west-1' } as Record<string, string> }
const asked: string[] = []
const wrong = createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`)
  request.resume()
  response.writeHead(refusal.status, refusal.headers).end(request.method === 'HEAD' ? '' : '<Error/>')
})
let right: S3Server
beforeAll(async () => {
  right = await startS3Server()
  await new Promise<void>((resolve) => wrong.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await right.close()
  await new Promise((resolve) => wrong.close(resolve))
})
beforeEach(() => {
  refusal = { status: 301, headers: { 'x-amz-bucket-region': 'eu-west-1' } }
  right.put('b/k', Buffer.from('content'))
})
afterEach(() => {
  asked.length = 0
  right.requests.length = 0
})

function storeIn(region: string) {
  const { port } = wrong.address() as AddressInfo // listening on TCP
  const endpointIn = (region: string) => new URL(region === 'eu-west-1' ? right.endpoint : `http://127.0.0.1:${port}`)
  return s3Store({
    url: 's3://b',
    bucket: 'b',
    region,
    endpoint: endpointIn(region),
    endpointIn,
    pathStyle: true,
    credentials: () => testKeys,
    trailers: false,
    create: { headers: {}, verify: false },
    etagIsMd5: true,
  })
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString()

describe('a bucket in another region', () => {
  it.each([301, 307, 400])('is found by what a %d says, once for all requests', async (status) => {
    refusal = { ...refusal, status }
    const store = storeIn('us-east-1')
    expect((await store.head('k'))?.size).toBe(7)
    expect(textOf(await store.read('k', { start: 0, end: 3 }))).toBe('con')
    for await (const { key } of store.list('')) expect(key).toBe('k')
    expect(asked).toEqual(['HEAD /b/k'])
    // The region is in what is signed.
    const { authorization } = right.headers.at(-1) ?? {}
    expect(authorization).toContain('/eu-west-1/s3/')
  })

  it('is found by many at once, of whom each was told', async () => {
    const store = storeIn('us-east-1')
    const found = await Promise.all(Array.from({ length: 20 }, () => store.head('k')))
    expect(found.map((info) => info?.size)).toEqual(Array(20).fill(7))
  })

  it('is looked for before something is written to it, so that nothing is sent twice', async () => {
    const store = storeIn('us-east-1')
    await store.put('new', Buffer.from('text'))
    expect(await store.create('new', Buffer.from('text'))).toBe(false)
    await store.delete('k')
    expect(asked).toEqual(['HEAD /b/'])
    expect([...right.objects.keys()]).toEqual(['b/new'])
    await store.delete('new')
  })

  it.each([
    ['another region that is none', { 'x-amz-bucket-region': '../evil' }, '301 the bucket is in ../evil'],
    ['no region', {}, '301'],
    ['the region that was asked', { 'x-amz-bucket-region': 'us-east-1' }, '301 the bucket is in us-east-1'],
  ])('is refused where the answer names %s', async (_, headers, said) => {
    refusal = { status: 301, headers }
    await expect(storeIn('us-east-1').head('k')).rejects.toMatchObject({ message: `Cannot read s3://b/k: ${said}` })
    expect(right.requests).toEqual([])
  })
})
