import { createHmac } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { torchPredict } from '@eas/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { easSdkVectors } from '../support/golden.ts'
import { graphs } from '../support/models.ts'
import { onnxModel, scratch } from '../support/onnx.ts'
import { type ClientRequest, cloudRun, lambda, type RunningPlatform, startCloudRun } from '../support/platforms.ts'
import { serviceJson } from '../support/processor.ts'
import { post, RawConnection } from '../support/raw-http.ts'
import { floats, slowBody, torchBody } from '../support/requests.ts'

/** Every platform's bundle answers as every other does; what the answers are, the tests of the server say. */

const token = 'c3ludGhldGljLXRva2VuLWZvci12ZWN0b3Jz'
const files = scratch('platform')
afterAll(() => files.remove())

const serviceOf = (
  name: string,
  graph: Parameters<typeof onnxModel>[0],
  json: Parameters<typeof serviceJson>[0]['json'] = {},
) => files.write(`${name}.json`, serviceJson({ name, model: files.write(`${name}.onnx`, onnxModel(graph)), json }))

/** A POST to the service `add`, unless `more` says otherwise. */
const toAdd = (more: Partial<ClientRequest>): ClientRequest => ({
  method: 'POST',
  target: '/api/predict/add',
  headers: [
    ['Host', 'test'],
    ['Authorization', token],
  ],
  ...more,
})
const sum = torchBody([floats([1, 2], 1, 2), floats([1, 2], 10, 20)])
const date = 'Sat, 21 Nov 2026 10:00:00 GMT'
const signed = (target: string, md5: string): readonly (readonly [string, string])[] => {
  const text = ['POST', md5, 'application/octet-stream', date, target].join('\n')
  return [
    ['Host', 'test'],
    ['Content-Type', 'application/octet-stream'],
    ['Content-MD5', md5],
    ['Date', date],
    ['Authorization', `EAS ${createHmac('sha1', token).update(text).digest('base64')}`],
  ]
}

/** Requests to the service `add`, and the status of their answer. */
const generated: readonly (readonly [what: string, status: number, request: ClientRequest])[] = [
  ['a prediction with the token', 200, toAdd({ body: sum })],
  ['a signed one', 200, toAdd({ body: sum, headers: signed('/api/predict/add', 'abc') })],
  [
    'a signed one with sub-path and query',
    200,
    toAdd({
      body: sum,
      target: '/api/predict/add/v1/x?a=1&b=%E4%BD%A0+c',
      headers: signed('/api/predict/add/v1/x?a=1&b=%E4%BD%A0+c', ''),
    }),
  ],
  ['a forged one', 401, toAdd({ body: sum, headers: signed('/api/predict/other', 'abc') })],
  [
    'a wrong token',
    401,
    toAdd({
      body: sum,
      headers: [
        ['Host', 'test'],
        ['Authorization', `${token}x`],
      ],
    }),
  ],
  ['no token', 401, toAdd({ body: sum, headers: [['Host', 'test']] })],
  ['gzip', 200, toAdd({ body: gzipSync(sum) })],
  ['an empty body', 200, toAdd({})],
  ['GET', 200, toAdd({ method: 'GET' })],
  ['HEAD', 200, toAdd({ method: 'HEAD' })],
  ['bytes that are no message', 400, toAdd({ body: Buffer.from([0xff, 0xfe, 0x00]) })],
  ['inputs that do not fit', 400, toAdd({ body: torchBody([floats([1, 3], 1, 2, 3)]) })],
  ['another service', 404, toAdd({ target: '/api/predict/absent', body: sum })],
  ['another path', 404, toAdd({ target: '/elsewhere', body: sum })],
  ['DELETE', 405, toAdd({ method: 'DELETE' })],
  ['the queue service', 501, toAdd({ method: 'GET', target: '/api/predict/add?_attrs_=true' })],
  [
    'a lookup',
    200,
    toAdd({ method: 'GET', target: '/api/v1/servicediscovery/upstreams/add', headers: [['Host', 'h:1']] }),
  ],
  ['/healthz', 200, toAdd({ method: 'GET', target: '/healthz', headers: [['Host', 'test']] })],
]

/** What the SDKs sent to one service: messages of every kind, in every compression. */
const recorded = easSdkVectors('predict-body').filter(
  ({ record }) => record.method === 'POST' && record.target?.startsWith('/api/predict/synthetic_torch'),
)

describe('Every platform', () => {
  let add: readonly RunningPlatform[]
  let echo: readonly RunningPlatform[]
  const start = (SERVICE_JSON: string) =>
    Promise.all([cloudRun, lambda].map((platform) => platform({ SERVICE_JSON, EAS_TOKEN: token })))

  beforeAll(async () => {
    add = await start(serviceOf('add', graphs.add))
    echo = await start(serviceOf('synthetic_torch', graphs.echo))
  })
  afterAll(async () => {
    await Promise.all([...(add ?? []), ...(echo ?? [])].map((platform) => platform.end()))
  })

  it.each(generated)('answers %s with %i, and the same', async (_, status, request) => {
    const [first, ...others] = await Promise.all(add.map((platform) => platform.send(request)))
    expect(first?.status, first?.body.toString()).toBe(status)
    for (const other of others) expect(other).toEqual(first)
  })

  it('predicts', async () => {
    for (const platform of add) {
      const { body } = await platform.send(toAdd({ body: sum }))
      expect(torchPredict.decodeResponse(body).outputs.map(({ data }) => [...data])).toEqual([[11, 22], [22]])
    }
  })

  it('is sent what each SDK sends', () => {
    const sdks = new Set(recorded.map(({ name }) => name.split('_')[0]))
    const compressors = new Set(recorded.map(({ coverage }) => 'compressor' in coverage && coverage.compressor))
    expect([...sdks].sort()).toEqual(['go', 'java', 'py'])
    expect(compressors.size).toBeGreaterThan(4)
  })

  it.each(recorded)('answers $name the same', async ({ record: { method = '', target = '', headers = [] }, body }) => {
    const request = { method, target, headers, body }
    const [first, ...others] = await Promise.all(echo.map((platform) => platform.send(request)))
    // 400 is a message that this test's model does not take; it is said after authorization.
    expect([200, 400], first?.body.toString()).toContain(first?.status)
    for (const other of others) expect(other).toEqual(first)
  })
})

describe('The Lambda handler', () => {
  it('lets the first request wait for the model', async () => {
    const instance = await lambda({ SERVICE_JSON: serviceOf('first', graphs.add) })
    const { status } = await instance.send(toAdd({ target: '/api/predict/first', body: sum }))
    expect(status).toBe(200)
    await instance.end()
  })

  it('says why a model did not load, and tries it again for the next request', async () => {
    const instance = await lambda({ SERVICE_JSON: serviceOf('broken', graphs.sequence) })
    const request = toAdd({ target: '/api/predict/broken', body: sum })
    const { status, body } = await instance.send(request)
    expect([status, body.toString()]).toEqual([503, 'Cannot load the model: output all is not a tensor'])
    files.write('broken.onnx', onnxModel(graphs.add))
    expect((await instance.send(request)).status).toBe(200)
    await instance.end()
  })
})

describe('The Cloud Run container', () => {
  const slow = () => serviceOf('slow', graphs.slow, { metadata: { rpc: { keepalive: 60_000 } } })

  it('is alive but not ready without its model', async () => {
    const instance = await startCloudRun({ SERVICE_JSON: serviceOf('never', graphs.sequence) })
    const get = (target: string) => instance.send(toAdd({ method: 'GET', target }))
    await expect.poll(async () => (await get('/readyz')).body.toString()).toContain('output all is not a tensor')
    expect([(await get('/healthz')).status, (await get('/readyz')).status]).toEqual([200, 503])
    expect(await instance.end()).toBe(0)
  })

  it('answers what it has been sent when SIGTERM comes, and ends within its 10 s', async () => {
    const instance = await cloudRun({ SERVICE_JSON: slow() })
    const connection = new RawConnection(instance.port)
    await connection.send(post('/api/predict/slow', slowBody(4000)))
    await new Promise((resolve) => setTimeout(resolve, 100))
    const start = performance.now()
    const ended = instance.end()
    expect((await connection.response())?.status).toBe(200)
    expect(await ended).toBe(0)
    expect(performance.now() - start).toBeLessThan(10_000)
  })

  it('ends within its 10 s even when a request never comes whole', async () => {
    const instance = await cloudRun({ SERVICE_JSON: slow() })
    const connection = new RawConnection(instance.port)
    await connection.send(post('/api/predict/slow', slowBody(1)).subarray(0, -1))
    await new Promise((resolve) => setTimeout(resolve, 100))
    const start = performance.now()
    expect(await instance.end()).toBe(0)
    expect(performance.now() - start).toBeLessThan(10_000)
    connection.destroy()
  })
})
