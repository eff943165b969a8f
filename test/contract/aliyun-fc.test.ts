import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { graphs } from '../support/models.ts'
import { onnxModel, scratch } from '../support/onnx.ts'
import { fcContext, fcHttpEvent, fcResponse } from '../support/platforms/fc-events.ts'
import { startHandler } from '../support/platforms/processes.ts'
import { fcContainer, fcControl, startFcContainer, throughHttpTrigger } from '../support/platforms.ts'
import { patient, serviceJson } from '../support/processor.ts'
import { post, RawConnection } from '../support/raw-http.ts'
import { floats, slowBody, torchBody } from '../support/requests.ts'

const files = scratch('fc')
const folders: string[] = []
afterAll(() => {
  files.remove()
  for (const folder of folders) rmSync(folder, { recursive: true })
})
const serviceOf = (
  name: string,
  graph: Parameters<typeof onnxModel>[0],
  rpc: Readonly<Record<string, unknown>> = patient,
) => files.write(`${name}.json`, serviceJson({ name, model: files.write(`${name}.onnx`, onnxModel(graph)), rpc }))

const token = 'secret'
const sum = torchBody([floats([1, 2], 1, 2), floats([1, 2], 10, 20)])
const to = (name: string) => ({
  method: 'POST',
  target: `/api/predict/${name}`,
  headers: [
    ['Host', 'h'],
    ['Authorization', token],
  ] as const,
  body: sum,
})

/** Where the batch functions find an object and leave its answer: two mounted buckets. */
function mounted() {
  const [data = '', results = ''] = ['data', 'results'].map((name) => mkdtempSync(join(tmpdir(), `eas-fc-${name}-`)))
  folders.push(data, results)
  writeFileSync(join(data, 'in.ndjson'), '{"a":[1,2],"b":[10,20]}\n')
  return {
    results,
    env: {
      EAS_BUCKETS: `oss://data=file://${data},oss://results=file://${results}`,
      EAS_BATCH_OUTPUT: 'oss://results/scores/',
    },
  }
}
const created = (key: string) =>
  Buffer.from(
    JSON.stringify({
      events: [
        {
          eventName: 'ObjectCreated:PutObject',
          eventSource: 'acs:oss',
          oss: { bucket: { name: 'data' }, object: { key } },
        },
      ],
    }),
  )

describe('The built-in runtime of Function Compute', () => {
  it('initializes, answers each invocation with credentials of its own, and stops', async () => {
    const env = { SERVICE_JSON: serviceOf('add', graphs.add), EAS_TOKEN: token }
    const fc = await startHandler('fc', 'aliyun-fc/index.js', env)
    await fc.call('initialize', null, { ...fcContext(), isHook: true })
    for (let round = 1; round <= 5; round++) {
      expect(fcResponse(await fc.call('handler', fcHttpEvent(to('add')), fcContext(round))).status).toBe(200)
    }
    await fc.call('preStop', null, { ...fcContext(6), isHook: true })
    await fc.end()
  })

  it('fails its initializer when the model does not load, with the reason', async () => {
    const fc = await startHandler('fc', 'aliyun-fc/index.js', { SERVICE_JSON: serviceOf('never', graphs.sequence) })
    await expect(fc.call('initialize', null, { ...fcContext(), isHook: true })).rejects.toThrow(
      'never: Cannot load the model: output all is not a tensor',
    )
    await fc.end()
  })

  it('takes text for base64 by the flag, be it a boolean or a text', async () => {
    const fc = await startHandler('fc', 'aliyun-fc/index.js', {
      SERVICE_JSON: serviceOf('flag', graphs.add),
      EAS_TOKEN: token,
    })
    const event = { ...fcHttpEvent(to('flag')), isBase64Encoded: 'true' }
    expect(fcResponse(await fc.call('handler', event, fcContext())).status).toBe(200)
    await fc.end()
  })

  it('takes what a request does not have, be it left out or null', async () => {
    const fc = await startHandler('fc', 'aliyun-fc/index.js', { SERVICE_JSON: serviceOf('bare', graphs.add) })
    const context = { http: { method: 'GET' } }
    for (const rest of [{}, { headers: null, queryParameters: null, body: null }]) {
      const event = { version: 'v1', rawPath: '/healthz', requestContext: context, ...rest }
      expect(fcResponse(await fc.call('handler', event, fcContext())).status).toBe(200)
    }
    await fc.end()
  })

  it('says of another event what it takes', async () => {
    const fc = await startHandler('fc', 'aliyun-fc/index.js', { SERVICE_JSON: serviceOf('other', graphs.add) })
    for (const event of [null, {}, { rawPath: '/a', requestContext: null }, { rawPath: '/a', requestContext: {} }]) {
      await expect(fc.call('handler', event, fcContext())).rejects.toThrow('it must be that of an HTTP trigger')
    }
    await fc.end()
  })

  it('scores the object of an event, and fails the call for one that is not there', async () => {
    const { results, env } = mounted()
    const fc = await startHandler('fc', 'aliyun-fc/batch.js', { ...env, SERVICE_JSON: serviceOf('score', graphs.add) })
    const event = (key: string) => JSON.parse(created(key).toString())
    expect(await fc.call('handler', event('in.ndjson'), fcContext())).toEqual({ done: 1 })
    expect(existsSync(`${results}/scores/in.ndjson/manifest-000001.json`)).toBe(true)
    await expect(fc.call('handler', event('absent'), fcContext())).rejects.toThrow(
      '1 of 1 failed: oss://data/absent: oss://data/absent: There is no such object',
    )
    await fc.end()
  })
})

describe('A container of Function Compute', () => {
  it('initializes, serves, works on events, and drains', async () => {
    const { results, env } = mounted()
    const container = await startFcContainer({
      ...env,
      SERVICE_JSON: serviceOf('all', graphs.add),
      EAS_TOKEN: token,
    })
    const initialized = await container.send(fcControl('/initialize'))
    expect([initialized.status, initialized.allHeaders['x-fc-status']]).toEqual([200, undefined])
    for (let round = 1; round <= 5; round++) {
      expect((await container.send(throughHttpTrigger(to('all'), round))).status).toBe(200)
    }
    const invoked = await container.send(fcControl('/invoke', created('in.ndjson'), 6))
    expect([invoked.status, invoked.body.toString()]).toEqual([200, '{"done":1}'])
    expect(existsSync(`${results}/scores/in.ndjson/manifest-000001.json`)).toBe(true)
    expect((await container.send(fcControl('/pre-stop'))).status).toBe(200)
    expect(await container.end()).toBe(0)
  })

  it.each([
    ['an object that is not there', created('absent'), 'There is no such object'],
    ['an event of another source', Buffer.from('{"type":"other"}'), 'Cannot read the event'],
    ['no JSON', Buffer.from([0xff]), 'Cannot read the event'],
  ])('signals with X-Fc-Status that %s failed', async (_, body, said) => {
    const { env } = mounted()
    const container = await fcContainer({ ...env, SERVICE_JSON: serviceOf('signal', graphs.add) })
    const invoked = await container.send(fcControl('/invoke', body))
    expect([invoked.status, invoked.allHeaders['x-fc-status']]).toEqual([500, '404'])
    expect(invoked.body.toString()).toContain(said)
    await container.end()
  })

  it('signals that its model does not load', async () => {
    const container = await startFcContainer({ SERVICE_JSON: serviceOf('never', graphs.sequence) })
    const initialized = await container.send(fcControl('/initialize'))
    expect([initialized.status, initialized.allHeaders['x-fc-status']]).toEqual([500, '404'])
    await container.end()
  })

  it('takes no orders from a client, whatever path it asks for', async () => {
    const container = await fcContainer({ SERVICE_JSON: serviceOf('public', graphs.add), EAS_TOKEN: token })
    for (const target of ['/pre-stop', '/invoke', '/initialize', '/pre-freeze']) {
      const asked = throughHttpTrigger({
        method: 'POST',
        target,
        headers: [
          ['Host', 'h'],
          ['x-fc-control-path', target],
        ],
      })
      expect((await container.send(asked)).status, target).toBe(404)
    }
    expect((await container.send({ method: 'GET', target: '/readyz', headers: [['Host', 'h']] })).status).toBe(200)
    await container.end()
  })

  it('waits in the pre-stop hook for what is under way', async () => {
    const container = await fcContainer({ SERVICE_JSON: serviceOf('slow', graphs.slow, { keepalive: 60_000 }) })
    const connection = new RawConnection(container.port)
    await connection.send(post('/api/predict/slow', slowBody(2000)))
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect((await container.send(fcControl('/pre-stop'))).status).toBe(200)
    expect(connection.unread.toString('latin1', 0, 12)).toBe('HTTP/1.1 200')
    connection.destroy()
    await container.end()
  })
})
