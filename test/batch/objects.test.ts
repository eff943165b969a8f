import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { batchScorerFromEnv, type Manifest, type ObjectReference } from '@eas/batch'
import { openStore, type StoreSettings } from '@eas/storage'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type S3Server, startS3Server, testKeys } from '../support/storage/s3-server.ts'
import { type Digits, farthest, heldOut, startDigits } from './support/digits.ts'
import { linesOf, resultOf } from './support/results.ts'

/** An S3 server, the digits model, and what a function makes of its environment. */

let server: S3Server
let stores: StoreSettings
let digits: Digits
beforeAll(async () => {
  server = await startS3Server({ pageSize: 7 })
  stores = { s3: { endpoint: server.endpoint, credentials: () => testKeys } }
  digits = await startDigits('service.json')
})
afterAll(async () => {
  await digits.processor.close()
  await server.close()
})
beforeEach(() => server.objects.clear())

const logged: { fields: Record<string, unknown>; message: string }[] = []
const note = (fields: object, message: string) => logged.push({ fields: { ...fields }, message })

/** One worker: an instance of a function, with its own batch. */
const worker = (env: Record<string, string> = {}) =>
  batchScorerFromEnv(
    { processor: digits.processor, service: digits.service, stores, log: { info: note, warn: note } },
    { EAS_BATCH_OUTPUT: 's3://out/scores/', ...env },
  )
const inTime = () => ({ deadline: Date.now() + 60_000, signal: AbortSignal.timeout(60_000) })
const reference = (key: string, more: Partial<ObjectReference> = {}): ObjectReference => ({
  scheme: 's3',
  bucket: 'in',
  key,
  ...more,
})
const rows = (count: number, first = 0) =>
  Buffer.from(
    Array.from(
      { length: count },
      (_, i) => `${JSON.stringify({ id: first + i, image: heldOut[(first + i) % 12]?.input })}\n`,
    ).join(''),
  )
const result = async (key: string) => resultOf(openStore('s3://out/', stores).store, 'scores', key)

function expectScored({ manifest, text }: { manifest: Manifest; text: string }, count: number, first = 0): void {
  expect(manifest).toMatchObject({ status: 'scored', rows: count, failures: 0 })
  const scored = linesOf(text)
  expect(scored.map(({ id }) => id)).toEqual(Array.from({ length: count }, (_, i) => first + i))
  for (const { id, scores } of scored) {
    expect(farthest(scores as number[], heldOut[Number(id) % 12]?.torchScores ?? [])).toBeLessThan(1e-5)
  }
}

describe('an object in a bucket', () => {
  it('is scored, row by row as the framework scores it, and its result is found under its key', async () => {
    server.put('in/day=1/a b.ndjson', rows(100))
    expect(await worker().score(reference('day=1/a b.ndjson'), inTime())).toEqual({ status: 'scored' })
    expectScored(await result('day=1/a b.ndjson'), 100)
    expect(logged.at(-1)).toMatchObject({
      message: 'batch object scored',
      fields: { rows: 100, input: 's3://in/day=1/a b.ndjson' },
    })
  })

  it('has no parts in the end but those of its result, whatever a killed attempt has left', async () => {
    const env = { EAS_BATCH_CHUNK_ROWS: '20' }
    server.put('in/rows.ndjson', rows(50))
    await worker(env).score(reference('rows.ndjson'), inTime())
    const { manifest } = await result('rows.ndjson')
    const [manifestKey = ''] = [...server.objects.keys()].filter((key) => key.includes('/manifest-'))
    const [part] = manifest.parts
    const left = `out/${part?.key.replace(/[0-9a-f]{12}\.ndjson$/, '0123456789ab.ndjson')}`
    // As one that was killed between its part and the record, on a machine that computes other last bits.
    server.objects.delete(manifestKey)
    server.put(left, rows(20))
    expect(await worker(env).score(reference('rows.ndjson'), inTime())).toEqual({ status: 'scored' })
    expect(server.objects.has(left)).toBe(false)
    expectScored(await result('rows.ndjson'), 50)
  })

  it('that is named five times, in any order, by two workers at once, and replaced meanwhile, has one result: the newest', async () => {
    const env = { EAS_BATCH_CHUNK_ROWS: '20', EAS_BATCH_ROWS: '10' }
    const workers = [worker(env), worker(env)]
    server.put('in/rows.ndjson', rows(90))
    const older = Array.from({ length: 5 }, (_, i) =>
      workers[i % 2]?.score(reference('rows.ndjson', { size: 1 }), inTime()),
    )
    await Promise.race(older)
    server.put('in/rows.ndjson', rows(70, 500))
    const newer = Array.from({ length: 5 }, (_, i) => workers[i % 2]?.score(reference('rows.ndjson'), inTime()))
    await Promise.all([...older, ...newer])
    // The event about the older version comes last.
    await workers[0]?.score(reference('rows.ndjson', { size: rows(90).length }), inTime())
    const { manifests, ...newest } = await result('rows.ndjson')
    expectScored(newest, 70, 500)
    expect(manifests.length).toBeLessThanOrEqual(2)
  })

  it('that is not done by the deadline is gone on with by the next delivery, without computing a chunk twice', async () => {
    server.put('in/long.ndjson', rows(300))
    const scorer = worker({ EAS_BATCH_CHUNK_ROWS: '10', EAS_BATCH_ROWS: '10' })
    let deliveries = 0
    let computed = 0
    for (let outcome = ''; outcome !== 'scored'; deliveries++) {
      // As long as a part of it takes, and longer with every delivery, however busy the machine is.
      const ms = 20 * (deliveries + 1)
      const answer = await scorer.score(reference('long.ndjson'), {
        deadline: Date.now() + ms,
        signal: AbortSignal.timeout(60_000),
      })
      outcome = answer.status
      if (answer.status === 'failed') expect(answer.error).toMatch(/^Not finished: \d+ chunks, \d+ rows are done/)
      else computed = Number(logged.at(-1)?.fields.computedChunks)
    }
    expect(deliveries).toBeGreaterThan(1)
    expect(computed).toBeLessThan(30)
    expectScored(await result('long.ndjson'), 300)
    expect([...server.objects.keys()].filter((key) => key.includes('/part-'))).toHaveLength(30)
  })

  it('below the output is left alone however the bucket is written, and said to be if it is no result', async () => {
    server.put('in/rows.ndjson', rows(1))
    // Results of the very bucket that is listened to.
    const scorer = worker({ EAS_BATCH_OUTPUT: 's3://in//scores//' })
    expect(await scorer.score(reference('rows.ndjson'), inTime())).toEqual({ status: 'scored' })
    const results = [...server.objects.keys()].filter((key) => key.startsWith('in/scores/'))
    expect(results).toHaveLength(3)
    logged.length = 0
    for (const key of results) {
      expect(await scorer.score(reference(key.slice('in/'.length)), inTime())).toEqual({ status: 'skipped' })
    }
    expect(logged).toEqual([])
    // Somebody has put inputs where results go.
    server.put('in/scores/more.ndjson', rows(1))
    expect(await scorer.score(reference('scores/more.ndjson'), inTime())).toEqual({ status: 'skipped' })
    expect(logged).toMatchObject([{ message: expect.stringMatching(/not scored: it lies below EAS_BATCH_OUTPUT/) }])
    expect([...server.objects.keys()].filter((key) => key.startsWith('in/scores/'))).toHaveLength(4)
  })

  it('below the output, or that is a folder, is left alone, and one that is not there fails', async () => {
    expect(await worker().score(reference('day=1/'), inTime())).toEqual({ status: 'skipped' })
    expect(await worker().score({ scheme: 's3', bucket: 'out', key: 'scores/x.ndjson' }, inTime())).toEqual({
      status: 'skipped',
    })
    expect(await worker().score(reference('absent.ndjson'), inTime())).toMatchObject({
      status: 'failed',
      error: 'There is no such object',
    })
  })

  it('whose key may be read in several ways is the one that is there, of the size that the event says', async () => {
    server.put('in/a b.ndjson', rows(1))
    server.put('in/a+b.ndjson', rows(2))
    const object = reference('a%2Bb.ndjson', { otherKeys: ['a b.ndjson', 'a+b.ndjson'], size: rows(2).length })
    expect(await worker().score(object, inTime())).toEqual({ status: 'scored' })
    expectScored(await result('a+b.ndjson'), 2)
  })

  it('that is poison is dealt with: its manifest says why, and another delivery does not read it again', async () => {
    server.put(
      'in/cut.parquet',
      readFileSync(join(import.meta.dirname, '../golden/batch/snappy.parquet')).subarray(0, 2000),
    )
    const scorer = worker()
    for (const _ of ['first', 'again'])
      expect(await scorer.score(reference('cut.parquet'), inTime())).toEqual({ status: 'scored' })
    const { manifest, manifests } = await result('cut.parquet')
    expect(manifest).toMatchObject({ status: 'failed', error: expect.stringMatching(/no sound Parquet file/) })
    expect(manifests).toHaveLength(1)
    expect(server.requests.filter((request) => request.startsWith('GET /in/cut.parquet'))).not.toHaveLength(0)
  })

  it('of another bucket does not get into the results of the first', async () => {
    server.put('in/same.ndjson', rows(1))
    server.put('other/same.ndjson', rows(2))
    expect(await worker().score(reference('same.ndjson'), inTime())).toEqual({ status: 'scored' })
    await expect(worker().score(reference('same.ndjson', { bucket: 'other' }), inTime())).rejects.toThrow(
      /an output of its own/,
    )
  })
})

describe('batchScorerFromEnv()', () => {
  it.each([
    [{ EAS_BATCH_OUTPUT: '' }, /EAS_BATCH_OUTPUT must be/],
    [{ EAS_BATCH_FORMAT: 'xml', EAS_BATCH_ROWS: '-1' }, /EAS_BATCH_FORMAT=xml; EAS_BATCH_ROWS=-1/],
    [{ EAS_BATCH_MAPPING: '{"input": {}}' }, /mapping: it has no input/],
    [{ EAS_BATCH_MAPPING: '{' }, /must be an object with inputs/],
  ])('refuses %o', (env, error) => {
    expect(() => worker(env)).toThrow(error)
  })
})
