import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Manifest, type PlanTargetName, planTargets } from '@eas/batch'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { farthest, heldOut } from '../batch/support/digits.ts'
import { linesOf } from '../batch/support/results.ts'
import { scratch } from '../support/onnx.ts'
import { fcContext } from '../support/platforms/fc-events.ts'
import {
  bundled,
  type Container,
  type Env,
  type HandlerProcess,
  startContainer,
  startHandler,
} from '../support/platforms/processes.ts'
import { cleanEnv } from '../support/server.ts'
import { type GcsServer, startGcsServer } from '../support/storage/gcs-server.ts'
import { type S3Server, startS3Server, testKeys } from '../support/storage/s3-server.ts'

/**
 * What `eas score --plan` prints, handed to what executes it on each cloud: the built bundles, a real model and a bucket.
 * Every row of every result is compared with what the framework that the model was trained in predicts.
 */

const run = promisify(execFile)
const files = scratch('plans')
afterAll(() => files.remove())
const main = join(import.meta.dirname, '../../dist/cli/main.js')
const SERVICE_JSON = join(import.meta.dirname, '../../packages/cli/examples/digits/service.json')
const golden = (name: string) => readFileSync(join(import.meta.dirname, '../golden/batch', name))
const { ids } = JSON.parse(golden('manifest.json').toString()) as { ids: string[] }
const aws = { AWS_ACCESS_KEY_ID: testKeys.accessKeyId, AWS_SECRET_ACCESS_KEY: testKeys.secretAccessKey }

/** The twelve digits once in each format, and as many small objects beside them as a job has tasks. */
const inputs = new Map<string, Uint8Array>([
  ...['snappy.parquet', 'zstd-v2.parquet', 'file.arrow', 'quoted.csv', 'members.ndjson.gz', 'frames.ndjson.zst'].map(
    (name) => [`day=1/${name}`, golden(name)] as const,
  ),
  ...Array.from({ length: 8 }, (_, i) => {
    const row = JSON.stringify({ id: i, image: heldOut[i]?.input })
    return [`day=2/part ${i}, ü.ndjson`, Buffer.from(`${row}\n`)] as const
  }),
])

async function plan(target: PlanTargetName, url: string, env: Env): Promise<readonly string[]> {
  const args = [main, 'score', SERVICE_JSON, url, '--out', 'unused', '--plan', target]
  const { stdout } = await run(process.execPath, args, { env: { ...cleanEnv(), ...env } })
  const lines = stdout.split('\n').filter((line) => line !== '')
  expect(lines.length).toBeGreaterThanOrEqual(Math.ceil(inputs.size / planTargets[target].itemsMax))
  return lines
}

/** Every input has one result below `scores/`, and each of its rows is what the framework predicts. */
function checkResults(found: ReadonlyMap<string, Uint8Array>): void {
  for (const key of inputs.keys()) {
    const bytes = found.get(`scores/${key}/manifest-000001.json`)
    expect(bytes, `the result of ${key}`).toBeDefined()
    const { status, rows, failures, parts } = JSON.parse(Buffer.from(bytes ?? []).toString()) as Manifest
    expect([key, status, failures]).toEqual([key, 'scored', 0])
    const texts = parts.map((part) => Buffer.from(found.get(part.key) ?? []).toString())
    const written = linesOf(texts.join(''))
    expect(written).toHaveLength(rows)
    const [, one] = /part (\d)/.exec(key) ?? []
    const expected = one === undefined ? heldOut : heldOut.slice(Number(one), Number(one) + 1)
    expect([...texts.join('').matchAll(/"id":"?(\d+)/g)].map(([, id]) => id)).toEqual(one === undefined ? ids : [one])
    for (const [i, { scores }] of written.entries()) {
      expect(farthest(scores as number[], expected[i]?.torchScores ?? []), `${key}, row ${i}`).toBeLessThan(1e-5)
    }
  }
  const manifests = [...found.keys()].filter((key) => /\/manifest-\d+\.json$/.test(key))
  expect(manifests).toHaveLength(inputs.size)
}

const resultsIn = ({ objects }: S3Server) =>
  new Map([...objects].flatMap(([path, { bytes }]) => (path.startsWith('out/') ? [[path.slice(4), bytes]] : [])))

function clear({ objects }: S3Server): void {
  for (const path of objects.keys()) if (path.startsWith('out/')) objects.delete(path)
}

describe('AWS Lambda', () => {
  let server: S3Server
  let lambda: HandlerProcess
  let env: Env
  beforeAll(async () => {
    server = await startS3Server()
    for (const [key, bytes] of inputs) server.put(`in/${key}`, bytes)
    env = { ...aws, SERVICE_JSON, EAS_S3_ENDPOINT: server.endpoint, EAS_BATCH_OUTPUT: 's3://out/scores/' }
    lambda = await startHandler('lambda', 'aws-lambda/batch.js', env)
  })
  afterAll(async () => {
    await lambda?.end()
    await server?.close()
  })

  it('is handed the items of a Distributed Map in batches, as the ItemReader reads them', async () => {
    const items = (await plan('distributed-map', 's3://in', env)).map((line) => JSON.parse(line))
    for (let from = 0; from < items.length; from += 5) {
      const Items = items.slice(from, from + 5)
      const { done, failures } = (await lambda.call('handler', { BatchInput: { bucket: 'in' }, Items })) as {
        done: readonly string[]
        failures: readonly unknown[]
      } // what the state machine selects
      expect(done).toEqual(Items.map(({ uri }) => uri))
      expect(failures).toEqual([])
    }
    checkResults(resultsIn(server))
  })

  it('is handed the messages of a queue', async () => {
    clear(server)
    const Records = (await plan('sqs', 's3://in', env)).map((body, i) => ({
      messageId: `${i}`,
      eventSource: 'aws:sqs',
      body,
    }))
    expect(await lambda.call('handler', { Records })).toEqual({ batchItemFailures: [] })
    checkResults(resultsIn(server))
  })

  it('is handed the events of the bucket', async () => {
    clear(server)
    const Records = [...inputs].map(([key, { length }]) => ({
      eventSource: 'aws:s3',
      eventName: 'ObjectCreated:Put',
      s3: { bucket: { name: 'in' }, object: { key: encodeURIComponent(key).replaceAll('%20', '+'), size: length } },
    }))
    await lambda.call('handler', { Records })
    checkResults(resultsIn(server))
  })
})

describe('Function Compute', () => {
  it('is handed the payloads of asynchronous tasks, and the events of the bucket', async () => {
    const context = fcContext(1)
    const { accessKeyId, accessKeySecret, securityToken } = context.credentials
    const server = await startS3Server({
      keys: [testKeys, { accessKeyId, secretAccessKey: accessKeySecret, sessionToken: securityToken }],
    })
    for (const [key, bytes] of inputs) server.put(`in/${key}`, bytes)
    const env = {
      SERVICE_JSON,
      FC_REGION: 'cn-hangzhou',
      EAS_OSS_ENDPOINT: server.endpoint,
      EAS_BATCH_OUTPUT: 'oss://out/scores/',
    }
    const fc = await startHandler('fc', 'aliyun-fc/batch.js', env)
    try {
      const keys = {
        ALIBABA_CLOUD_ACCESS_KEY_ID: testKeys.accessKeyId,
        ALIBABA_CLOUD_ACCESS_KEY_SECRET: testKeys.secretAccessKey,
      }
      let done = 0
      for (const line of await plan('fc-task', 'oss://in', { ...env, ...keys })) {
        done += ((await fc.call('handler', JSON.parse(line).payload, context)) as { done: number }).done // its answer
      }
      expect(done).toBe(inputs.size)
      checkResults(resultsIn(server))

      clear(server)
      const events = [...inputs].map(([key, { length }]) => ({
        eventName: 'ObjectCreated:PutObject',
        eventSource: 'acs:oss',
        oss: { bucket: { name: 'in' }, object: { key, size: length } },
      }))
      expect(await fc.call('handler', { events }, context)).toEqual({ done: inputs.size })
      checkResults(resultsIn(server))
    } finally {
      await fc.end()
      await server.close()
    }
  })
})

describe('Cloud Run', () => {
  let server: GcsServer
  let env: Env
  const at = (path: string) => `${server.endpoint}/storage/v1/b/${path}`
  async function results() {
    const { items } = (await (await fetch(at('out/o'))).json()) as { items: { name: string }[] } // our own server
    const found = items.map(async ({ name }): Promise<[string, Uint8Array]> => {
      const response = await fetch(at(`out/o/${encodeURIComponent(name)}?alt=media`))
      return [name, new Uint8Array(await response.arrayBuffer())]
    })
    return new Map(await Promise.all(found))
  }
  async function clearOut() {
    for (const name of (await results()).keys()) {
      await fetch(at(`out/o/${encodeURIComponent(name)}`), { method: 'DELETE' })
    }
  }
  beforeAll(async () => {
    server = await startGcsServer()
    for (const [key, bytes] of inputs) {
      const url = `${server.endpoint}/upload/storage/v1/b/in/o?uploadType=media&name=${encodeURIComponent(key)}`
      await fetch(url, { method: 'POST', body: Buffer.from(bytes) })
    }
    env = {
      SERVICE_JSON,
      EAS_GCS_ENDPOINT: server.endpoint,
      EAS_GCS_ANONYMOUS: 'on',
      EAS_BATCH_OUTPUT: 'gs://out/scores/',
    }
  })
  afterAll(() => server?.close())

  it('as a job of 8 tasks, takes the lines of a list among them', async () => {
    const lines = await plan('cloud-run-job', 'gs://in', env)
    expect(lines).toHaveLength(inputs.size)
    const list = files.write('list.jsonl', `${lines.join('\n')}\n`)
    const task = async (index: number) => {
      const child = spawn(process.execPath, [bundled('gcp-cloud-run/job.js')], {
        env: {
          ...cleanEnv(),
          ...env,
          EAS_MANIFEST: list,
          CLOUD_RUN_TASK_INDEX: `${index}`,
          CLOUD_RUN_TASK_COUNT: '8',
        },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      const [code] = await once(child, 'exit')
      return code
    }
    expect(await Promise.all(Array.from({ length: 8 }, (_, index) => task(index)))).toEqual(Array(8).fill(0))
    checkResults(await results())
  }, 120_000)

  it('is handed the messages of a subscription, and the events of the bucket', async () => {
    await clearOut()
    const container: Container = await startContainer('gcp-cloud-run/events.js', { ...env, PORT: '0' })
    const post = async (headers: Readonly<Record<string, string>>, body: object) => {
      const request = { method: 'POST', target: '/', body: Buffer.from(JSON.stringify(body)) }
      return (await container.send({ ...request, headers: [['Host', 'h'], ...Object.entries(headers)] })).status
    }
    try {
      for (const [i, line] of (await plan('pubsub', 'gs://in', env)).entries()) {
        const message = { data: Buffer.from(line).toString('base64'), messageId: `${i}` }
        expect(await post({ 'content-type': 'application/json' }, { message, subscription: 's' })).toBe(200)
      }
      checkResults(await results())

      await clearOut()
      for (const [name, { length }] of inputs) {
        const headers = {
          'content-type': 'application/json',
          'ce-type': 'google.cloud.storage.object.v1.finalized',
          'ce-specversion': '1.0',
          'ce-source': '//storage.googleapis.com/projects/_/buckets/in',
          'ce-id': name.replace(/[^\w]/g, ''),
        }
        expect(await post(headers, { bucket: 'in', name, size: `${length}` })).toBe(200)
      }
      checkResults(await results())
    } finally {
      await container.end()
    }
  }, 120_000)
})
