import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { graphs } from '../support/models.ts'
import { onnxModel, scratch } from '../support/onnx.ts'
import { type EventFixture, eventFixtures } from '../support/platforms/event-fixtures.ts'
import { fcContext } from '../support/platforms/fc-events.ts'
import {
  bundled,
  type Container,
  type HandlerProcess,
  startContainer,
  startHandler,
} from '../support/platforms/processes.ts'
import { fcContainer, fcControl } from '../support/platforms.ts'
import { patient, serviceJson } from '../support/processor.ts'
import { cleanEnv } from '../support/server.ts'
import { type GcsServer, startGcsServer } from '../support/storage/gcs-server.ts'
import { type S3Server, startS3Server, testKeys } from '../support/storage/s3-server.ts'

/** Every platform's bundle, handed the events of every source, reads and writes a bucket. */

const files = scratch('events')
afterAll(() => files.remove())
const model = files.write('add.onnx', onnxModel(graphs.add))
const service = {
  SERVICE_JSON: files.write('add.json', serviceJson({ name: 'add', model, rpc: patient })),
  EAS_TOKEN: 'secret',
  EAS_BATCH_INPUT: 'ndjson',
  AWS_ACCESS_KEY_ID: testKeys.accessKeyId,
  AWS_SECRET_ACCESS_KEY: testKeys.secretAccessKey,
}
/** An object of one row, and what is made of it. */
const row = Buffer.from('{"id":"r1","a":[1,2],"b":[10,20]}\n')
const scoredRow = '{"id":"r1","y":[11,22],"row_max":22}\n'

/** Stores refuse a key with an empty segment, which some of them would read differently from others. */
const isRefused = (key: string) => key.includes('//')
const readable = ({ keys }: EventFixture) => keys.filter((key) => !isRefused(key))
const fixturesOf = (reads: EventFixture['reads']) =>
  eventFixtures.filter((fixture) => fixture.reads === reads).map((fixture) => [fixture.name, fixture] as const)

/** Keys whose results are below `scores/` of the bucket `out`, each of which is the row's. */
function scored(found: ReadonlyMap<string, Uint8Array>): readonly string[] {
  const keys: string[] = []
  for (const [path, bytes] of found) {
    const [, key] = /^out\/scores\/(.*)\/manifest-000001\.json$/s.exec(path) ?? []
    if (key === undefined) continue
    const { status, parts } = JSON.parse(Buffer.from(bytes).toString())
    expect(status, key).toBe('scored')
    expect(Buffer.from(found.get(`out/${parts[0].key}`) ?? []).toString()).toBe(scoredRow)
    keys.push(key)
  }
  return keys.sort()
}

/** A bucket `in` that has every object of every event, and a bucket `out`. */
async function s3Buckets(keys: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }[]) {
  const server = await startS3Server({ keys })
  for (const key of eventFixtures.flatMap(readable)) server.put(`in/${key}`, row)
  return server
}
const answersOf = ({ objects }: S3Server) => scored(new Map([...objects].map(([path, { bytes }]) => [path, bytes])))
function clear({ objects }: S3Server) {
  for (const path of objects.keys()) if (path.startsWith('out/')) objects.delete(path)
}

describe('AWS Lambda, handed an event', () => {
  let server: S3Server
  let lambda: HandlerProcess
  beforeAll(async () => {
    server = await s3Buckets([testKeys])
    lambda = await startHandler('lambda', 'aws-lambda/batch.js', {
      ...service,
      EAS_S3_ENDPOINT: server.endpoint,
      EAS_BATCH_OUTPUT: 's3://out/scores/',
    })
  })
  afterAll(async () => {
    await lambda?.end()
    await server?.close()
  })

  it.each(fixturesOf('aws'))('%s, scores its objects and names those that it cannot read', async (_, fixture) => {
    clear(server)
    const failed: string[] = []
    for (const event of fixture.events) {
      const call = lambda.call('handler', event)
      if (fixture.reply === 'throw') await call.catch((error: Error) => failed.push(error.message))
      else failed.push(JSON.stringify(await call))
    }
    expect(answersOf(server)).toEqual([...readable(fixture)].sort())
    if (fixture.reply === 'batchItemFailures') {
      expect(JSON.parse(failed[0] ?? '').batchItemFailures).toHaveLength(1)
    } else if (fixture.keys.length > 0) {
      expect(failed).toHaveLength(1)
      expect(failed[0]).toMatch(/dir\/\/double\.bin.*empty or dotted segment/)
    }
  })

  it('fails a message of SQS alone, and comes to the same when it is delivered again', async () => {
    clear(server)
    const record = (messageId: string, uri: string) => ({
      messageId,
      eventSource: 'aws:sqs',
      body: JSON.stringify({ uri }),
    })
    const event = {
      Records: [record('1', 's3://in/plain.bin'), record('2', 's3://in/absent'), record('3', 's3://in/a+b.bin')],
    }
    for (const _ of ['first', 'again']) {
      expect(await lambda.call('handler', event)).toEqual({ batchItemFailures: [{ itemIdentifier: '2' }] })
      expect(answersOf(server)).toEqual(['a+b.bin', 'plain.bin'])
    }
  })
})

describe('Function Compute, handed an event', () => {
  /** Only the credentials of this round are let in. */
  const keys: { accessKeyId: string; secretAccessKey: string; sessionToken: string }[] = []
  let round = 0
  const rotate = () => {
    const { accessKeyId, accessKeySecret, securityToken } = fcContext(++round).credentials
    keys.splice(0, 1, { accessKeyId, secretAccessKey: accessKeySecret, sessionToken: securityToken })
    return round
  }
  let server: S3Server
  let fc: HandlerProcess
  let container: Container
  beforeAll(async () => {
    server = await s3Buckets(keys)
    const env = {
      ...service,
      FC_REGION: 'cn-hangzhou',
      EAS_OSS_ENDPOINT: server.endpoint,
      EAS_BATCH_OUTPUT: 'oss://out/scores/',
    }
    ;[fc, container] = await Promise.all([startHandler('fc', 'aliyun-fc/batch.js', env), fcContainer(env)])
  })
  afterAll(async () => {
    await Promise.all([fc?.end(), container?.end()])
    await server?.close()
  })

  it.each(fixturesOf('aliyun'))('%s, scores its objects with the credentials of the call', async (_, fixture) => {
    for (const event of fixture.events) {
      const failure = fixture.keys.length > 0 ? /1 of 10 failed: .*dir\/\/double\.bin.*empty or dotted segment/ : /^$/
      clear(server)
      const called = await fc.call('handler', event, fcContext(rotate())).then(() => '', String)
      expect(called).toMatch(failure)
      expect(answersOf(server)).toEqual([...readable(fixture)].sort())

      clear(server)
      const invoked = await container.send(fcControl('/invoke', Buffer.from(JSON.stringify(event)), rotate()))
      expect([invoked.status, invoked.allHeaders['x-fc-status']]).toEqual(
        called === '' ? [200, undefined] : [500, '404'],
      )
      expect(answersOf(server)).toEqual([...readable(fixture)].sort())
    }
  })

  it('loads its model from the bucket with the credentials of the call that asks for it', async () => {
    server.put('models/add.onnx', readFileSync(model))
    const json = serviceJson({ name: 'remote', model: 'oss://models/add.onnx', rpc: patient })
    const remote = await startHandler('fc', 'aliyun-fc/index.js', {
      SERVICE_JSON: files.write('remote.json', json),
      FC_REGION: 'cn-hangzhou',
      EAS_OSS_ENDPOINT: server.endpoint,
      EAS_CACHE_DIR: join(files.folder, 'cache'),
    })
    const stale = round
    rotate()
    await expect(remote.call('initialize', null, { ...fcContext(stale), isHook: true })).rejects.toThrow('remote: ')
    // A load that failed is tried again after half a second.
    const initialize = () =>
      remote.call('initialize', null, { ...fcContext(round), isHook: true }).then(() => 'loaded', String)
    await expect.poll(initialize, { timeout: 25_000 }).toBe('loaded')
    await remote.end()
  })

  it('is refused by the bucket with the credentials of another call', async () => {
    const event = { items: ['oss://in/plain.bin'] }
    const stale = round
    rotate()
    await expect(fc.call('handler', event, fcContext(stale))).rejects.toThrow('1 of 1 failed')
    expect(await fc.call('handler', event, fcContext(round))).toEqual({ done: 1 })
  })
})

describe('Cloud Run, handed an event', () => {
  let server: GcsServer
  let container: Container
  const at = (path: string) => `${server.endpoint}/storage/v1/b/${path}`
  const put = (key: string, body: Uint8Array) =>
    fetch(`${server.endpoint}/upload/storage/v1/b/in/o?uploadType=media&name=${encodeURIComponent(key)}`, {
      method: 'POST',
      body: Buffer.from(body),
    })
  async function listed() {
    const { items } = (await (await fetch(at('out/o'))).json()) as { items: { name: string }[] } // our own server
    const found = items.map(async ({ name }): Promise<[string, Uint8Array]> => {
      const response = await fetch(at(`out/o/${encodeURIComponent(name)}?alt=media`))
      return [`out/${name}`, new Uint8Array(await response.arrayBuffer())]
    })
    return scored(new Map(await Promise.all(found)))
  }
  async function clearOut() {
    const { items } = (await (await fetch(at('out/o'))).json()) as { items: { name: string }[] } // our own server
    for (const { name } of items) await fetch(at(`out/o/${encodeURIComponent(name)}`), { method: 'DELETE' })
  }
  const env = () => ({
    ...service,
    PORT: '0',
    EAS_GCS_ENDPOINT: server.endpoint,
    EAS_GCS_ANONYMOUS: 'on',
    EAS_BATCH_OUTPUT: 'gs://out/scores/',
  })
  beforeAll(async () => {
    server = await startGcsServer()
    for (const key of new Set(eventFixtures.flatMap(readable))) await put(key, row)
    container = await startContainer('gcp-cloud-run/events.js', env())
  })
  afterAll(async () => {
    await container?.end()
    await server?.close()
  })
  const post = (headers: Readonly<Record<string, string>>, body: object) =>
    container.send({
      method: 'POST',
      target: '/',
      headers: [['Host', 'h'], ...Object.entries(headers)],
      body: Buffer.from(JSON.stringify(body)),
    })

  it.each(fixturesOf('google'))('%s, scores its objects, and does not acknowledge what fails', async (_, fixture) => {
    await clearOut()
    const statuses: number[] = []
    for (const { headers, body } of fixture.requests) statuses.push((await post(headers, body)).status)
    expect(await listed()).toEqual([...readable(fixture)].sort())
    expect(statuses.filter((status) => status !== 200)).toEqual(fixture.keys.length > 0 ? [500] : [])
  })

  it('comes to the same when a message is delivered again, and asks for what failed again', async () => {
    await clearOut()
    const message = (uri: string) => ({
      message: { data: Buffer.from(JSON.stringify({ uri })).toString('base64'), messageId: '7' },
      subscription: 'projects/p/subscriptions/s',
    })
    const send = async (uri: string) => (await post({ 'content-type': 'application/json' }, message(uri))).status
    expect([await send('gs://in/plain.bin'), await send('gs://in/plain.bin')]).toEqual([200, 200])
    expect(await send('gs://in/later')).toBe(500)
    await put('later', row)
    expect(await send('gs://in/later')).toBe(200)
    expect(await send('no name')).toBe(500)
    expect(await listed()).toEqual(['later', 'plain.bin'])
  })

  it('as a job, scores the objects of its list, each in one task, and fails for one that is not there', async () => {
    await clearOut()
    const keys = ['plain.bin', 'with space.bin', 'a+b.bin', '100%.bin', 'a%20b.bin', 'été/数据/ж.bin', 'emoji-😀.bin']
    const manifest = files.write('manifest.txt', keys.map((key) => `gs://in/${key}`).join('\n'))
    const run = async (index: number, list: string) => {
      const child = spawn(process.execPath, [bundled('gcp-cloud-run/job.js')], {
        env: {
          ...cleanEnv(),
          ...env(),
          EAS_MANIFEST: list,
          CLOUD_RUN_TASK_INDEX: `${index}`,
          CLOUD_RUN_TASK_COUNT: '3',
        },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      const [code] = await once(child, 'exit')
      return code
    }
    expect(await Promise.all([0, 1, 2].map((index) => run(index, manifest)))).toEqual([0, 0, 0])
    expect(await listed()).toEqual([...keys].sort())
    expect(await run(0, files.write('absent.txt', 'gs://in/absent'))).toBe(1)
  })
})
