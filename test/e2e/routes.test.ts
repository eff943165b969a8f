import { createLogger, createProcessor, settingsFromEnv } from '@eas/processor'
import { torchPredict } from '@eas/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { graphs } from '../support/models.ts'
import { onnxModel, scratch } from '../support/onnx.ts'
import { listening, serviceJson, specsOf } from '../support/processor.ts'
import { exchange, post, RawConnection, rawRequest } from '../support/raw-http.ts'
import { floats, slowBody, torchBody } from '../support/requests.ts'
import { type RunningServer, sample, serve, textOf } from '../support/server.ts'

const token = 'routes-token'
const auth: readonly [string, string] = ['Authorization', token]
const host: readonly [string, string] = ['Host', 'gate.example:8123']
const files = scratch('routes')
let server: RunningServer

beforeAll(async () => {
  const add = files.write('add.onnx', onnxModel(graphs.add))
  const slow = files.write('slow.onnx', onnxModel(graphs.slow))
  server = await serve({
    args: [
      files.write('add.json', serviceJson({ name: 'add', model: add, json: { metadata: { group: 'sums' } } })),
      files.write('slow.json', serviceJson({ name: 'slow', model: slow, rpc: { keepalive: 60_000 } })),
    ],
    env: { EAS_TOKEN: token, EAS_ISOLATION: 'thread', EAS_BASE_PATHS: '/custom=add,/custom/slow=slow' },
  })
})
afterAll(async () => {
  await server?.stop()
  files.remove()
})

const ask = (method: string, target: string, headers: readonly (readonly [string, string])[] = [auth]) =>
  exchange(server.port, rawRequest(method, target, [host, ...headers]))

const signature = {
  inputs: [
    { name: 'a', shape: [-1, 2], type: 'DT_FLOAT' },
    { name: 'b', shape: [-1, 2], type: 'DT_FLOAT' },
  ],
  outputs: [
    { name: 'y', shape: [-1, 2], type: 'DT_FLOAT' },
    { name: 'row_max', shape: [-1], type: 'DT_FLOAT' },
  ],
  signature_name: 'serving_default',
}
const sum = torchBody([floats([1, 2], 1, 2), floats([1, 2], 10, 20)])

describe('The path of a service', () => {
  it.each([
    '/api/predict/add',
    '/api/predict/add/',
    '/api/predict/add/any/sub/path',
    '/api/predict/add?any=query&%E4%BD%A0',
    '//api/predict/add',
    '///api/predict/add',
    '/stage/v2/api/predict/add',
    'http://gate.example:8123/api/predict/add?x=1',
    '/api/predict/%61d%64',
    '/api/predict//add',
    '/api/predict/sums',
    '/api/predict/sums.add/sub',
    '/custom',
    '/custom/sub?x=1',
  ])('may be %s', async (target) => {
    const response = await exchange(server.port, post(target, sum, [auth]))
    expect(response?.status, textOf(response)).toBe(200)
    const { outputs } = torchPredict.decodeResponse(response?.body ?? new Uint8Array())
    expect(outputs.map(({ data }) => [...data])).toEqual([[11, 22], [22]])
  })

  it('is the longest of those that fit', async () => {
    const response = await exchange(server.port, post('/custom/slow', slowBody(1), [auth]))
    expect(response?.status).toBe(200)
  })

  it.each(['GET', 'POST'])('answers %s without a body with the signature', async (method) => {
    const response = await ask(method, '/api/predict/add', [auth, ...(method === 'POST' ? [length(0)] : [])])
    expect(response?.status).toBe(200)
    expect(response?.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(JSON.parse(textOf(response))).toEqual(signature)
  })

  it.each(['/api/predict/add', '/api/predict/slow', '/healthz', '/readyz', '/metrics'])(
    'answers HEAD %s with 200 and no body',
    async (target) => {
      const response = await ask('HEAD', target, [])
      expect([response?.status, response?.body.length]).toEqual([200, 0])
    },
  )

  it('answers HEAD and GET at once while the model is busy', async () => {
    const busy = new RawConnection(server.port)
    await busy.send(post('/api/predict/slow', slowBody(20_000), [auth]))
    for (const method of ['HEAD', 'GET']) expect((await ask(method, '/api/predict/slow'))?.status).toBe(200)
    expect(busy.unread.length, 'the model is still busy').toBe(0)
    busy.destroy()
  })

  it.each([
    ['/api/predict/absent', 'Service not found: absent'],
    ['/api/predict/__proto__', 'Service not found: __proto__'],
    ['/api/predict/constructor', 'Service not found: constructor'],
    ['/api/predict/ADD', 'Service not found: ADD'],
    ['/api/predict/add%00', 'Service not found: add '],
    ['/api/predict/..', 'Service not found: ..'],
    ['/api/predict/%2e%2e%2fadd', 'Service not found: ../add'],
    ['/api/predict/', 'Path not found: /api/predict/'],
    ['/api/predict', 'Path not found: /api/predict'],
    ['/customs', 'Path not found: /customs'],
    ['/', 'Path not found: /'],
    ['/etc/passwd', 'Path not found: /etc/passwd'],
    ['/api/v1/servicediscovery/upstreams/absent', 'Service not found: absent'],
  ])('is 404 when it is %s', async (target, message) => {
    for (const method of ['GET', 'POST', 'HEAD', 'DELETE']) {
      const response = await ask(method, target, method === 'POST' ? [auth, length(0)] : [auth])
      expect(response?.status).toBe(404)
      if (method !== 'HEAD') expect(textOf(response)).toBe(message)
    }
  })

  it.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS'])('is 405 for %s, which says what is allowed', async (method) => {
    const response = await ask(method, '/api/predict/add')
    expect([response?.status, response?.headers.allow]).toEqual([405, 'GET, HEAD, POST'])
    expect(textOf(response)).toBe('Method not allowed: use GET, HEAD, POST')
  })

  it.each(['/healthz', '/readyz', '/metrics', '/api/v1/servicediscovery/upstreams/add'])(
    'is 405 for POST %s',
    async (target) => {
      const response = await ask('POST', target, [auth, length(0)])
      expect([response?.status, response?.headers.allow]).toEqual([405, 'GET, HEAD'])
    },
  )

  it.each([
    ['a wrong method', rawRequest('DELETE', '/api/predict/add', [host])],
    ['a body that is no message', post('/api/predict/add', Buffer.from('garbage'))],
    ['the queue service', rawRequest('GET', '/api/predict/add?_attrs_=true', [host])],
    ['a wrong token', rawRequest('GET', '/api/predict/add', [host, ['Authorization', `${token}x`]])],
    ['a part of the token', rawRequest('GET', '/api/predict/add', [host, ['Authorization', token.slice(1)]])],
    ['an empty token', rawRequest('GET', '/api/predict/add', [host, ['Authorization', '']])],
    ['a scheme that is not ours', rawRequest('GET', '/api/predict/add', [host, ['Authorization', `Bearer ${token}`]])],
    ['an empty signature', rawRequest('GET', '/api/predict/add', [host, ['Authorization', 'EAS ']])],
    ['a very long token', rawRequest('GET', '/api/predict/add', [host, ['Authorization', token.repeat(500)]])],
  ])('is 401 before anything else: %s', async (_, bytes) => {
    const response = await exchange(server.port, bytes)
    expect(response?.status).toBe(401)
    expect(textOf(response)).toMatch(/^Authorization is (missing|not valid for this service)$/)
  })
})

describe('The lookup of a service', () => {
  it.each(['/api/v1/servicediscovery/upstreams/add', '/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/add'])(
    '%s sends the client to the host it asked, without a token',
    async (target) => {
      for (const suffix of ['', '?internal=false', '?internal=true', '/sub/path', '/sub?internal=false']) {
        const response = await ask('GET', target + suffix, [])
        expect(response?.status).toBe(200)
        expect(JSON.parse(textOf(response))).toEqual({
          endpoints: { items: [{ app: 'add', ip: 'gate.example', port: 8123, weight: 100 }] },
        })
      }
    },
  )

  it.each([
    ['gate.example', { ip: 'gate.example', port: 80 }],
    ['[::1]:99', { ip: '[::1]', port: 99 }],
  ])('understands Host %s', async (name, where) => {
    const response = await exchange(
      server.port,
      rawRequest('GET', '/api/v1/servicediscovery/upstreams/add', [['Host', name]]),
    )
    expect(JSON.parse(textOf(response)).endpoints.items).toEqual([{ app: 'add', weight: 100, ...where }])
  })

  it.each(['', 'a b', 'x"y', '<script>', 'host:port', 'h:123456'])('refuses Host %j', async (name) => {
    const response = await exchange(
      server.port,
      rawRequest('GET', '/api/v1/servicediscovery/upstreams/add', [['Host', name]]),
    )
    expect(response?.status).toBe(400)
  })
})

describe('The paths of the server itself', () => {
  it('/healthz is ok', async () => {
    const response = await ask('GET', '/healthz', [])
    expect([response?.status, textOf(response)]).toEqual([200, 'ok\n'])
  })

  it('/readyz names the execution provider of each service', async () => {
    const response = await ask('GET', '/readyz', [])
    const service = {
      state: 'ready',
      execution_provider: 'cpu',
      workers: expect.any(Number),
      loadMs: expect.any(Number),
      version: expect.stringMatching(/^[0-9a-f]{32}$/),
    }
    expect(response?.status).toBe(200)
    expect(JSON.parse(textOf(response))).toEqual({
      ready: true,
      services: [
        { name: 'add', ...service },
        { name: 'slow', ...service },
      ],
    })
  })

  it('/metrics is Prometheus text', async () => {
    const metrics = textOf(await ask('GET', '/metrics'))
    const line =
      /^(?:# HELP \w+ [^\n]+|# TYPE \w+ (?:counter|gauge|histogram)|\w+(?:\{\w+="[^"\n]*"(?:,\w+="[^"\n]*")*\})? (?:[0-9.e+-]+|\+Inf|NaN))$/
    for (const text of metrics.trim().split('\n')) if (text) expect(text).toMatch(line)
    expect(sample(metrics, 'eas_ready', { service: 'add' })).toBe(1)
  })

  it('/metrics counts requests by service and status, under no name but a service’s', async () => {
    const before = textOf(await ask('GET', '/metrics'))
    await exchange(server.port, post('/api/predict/add', sum, [auth]))
    await exchange(server.port, post('/api/predict/add', Buffer.from('garbage'), [auth]))
    await exchange(server.port, post('/api/predict/add', sum))
    await ask('GET', '/api/predict/nobody-is-called-this')
    const after = textOf(await ask('GET', '/metrics'))
    const grown = (code: string, service = 'add') =>
      sample(after, 'eas_requests_total', { service, code }) - sample(before, 'eas_requests_total', { service, code })
    expect(['200', '400', '401'].map((code) => grown(code))).toEqual([1, 1, 1])
    expect(grown('404', '')).toBe(1)
    expect(after).not.toContain('nobody-is-called-this')
  })

  it.each([
    ['no token', [], 401],
    ['a wrong token', [['Authorization', 'wrong']], 401],
    ['the token', [auth], 200],
    ['the token as Prometheus sends it', [['Authorization', `Bearer ${token}`]], 200],
  ] as const)('/metrics with %s', async (_, headers, status) => {
    expect((await ask('GET', '/metrics', headers))?.status).toBe(status)
  })
})

describe('While a model is loading', () => {
  const settings = settingsFromEnv({ EAS_ISOLATION: 'inline' })
  const model = files.write('late.onnx', onnxModel(graphs.add))

  it('the server is alive but not ready, and what is asked of the model waits for it', async () => {
    const services = specsOf([{ name: 'add', model }], { EAS_ISOLATION: 'inline' })
    const processor = createProcessor({ services, settings, log: createLogger('silent', false) })
    const { port, close } = await listening(processor)
    const get = (target: string) => exchange(port, rawRequest('GET', target, [host]))

    expect((await get('/healthz'))?.status).toBe(200)
    for (const method of ['GET', 'HEAD']) {
      expect((await exchange(port, rawRequest(method, '/readyz', [host])))?.status, method).toBe(503)
    }
    expect(JSON.parse(textOf(await get('/readyz')))).toEqual({
      ready: false,
      services: [{ name: 'add', state: 'loading' }],
    })
    expect(sample(textOf(await get('/metrics')), 'eas_ready', { service: 'add' })).toBe(0)

    const requests = [post('/api/predict/add', sum), rawRequest('GET', '/api/predict/add', [host])]
    const answers = await Promise.all(requests.map((bytes) => exchange(port, bytes)))
    expect(answers.map((response) => response?.status)).toEqual([200, 200])
    expect((await get('/readyz'))?.status).toBe(200)

    processor.drain()
    expect((await get('/readyz'))?.status).toBe(503)
    expect((await exchange(port, post('/api/predict/add', sum)))?.status, 'while it drains').toBe(200)
    await close()
  })

  it.each(['/x', '/x=add', '/', '/y,/x/'])('EAS_BASE_PATHS %s stands for the only service', async (paths) => {
    const env = { EAS_BASE_PATHS: paths, EAS_ISOLATION: 'inline' }
    const processor = createProcessor({
      services: specsOf([{ name: 'add', model }], env),
      settings: settingsFromEnv(env),
      log: createLogger('silent', false),
    })
    await processor.load()
    expect((await processor.handle({ method: 'POST', target: '/x', headers: {}, body: sum })).status).toBe(200)
    processor.close()
  })

  it('EAS_PUBLIC_ENDPOINT is where a lookup sends the client', async () => {
    const env = { EAS_PUBLIC_ENDPOINT: 'front.example:81', EAS_ISOLATION: 'inline' }
    const services = specsOf([{ name: 'add', model }], env)
    const processor = createProcessor({ services, settings: settingsFromEnv(env), log: createLogger('silent', false) })
    const target = '/api/v1/servicediscovery/upstreams/add'
    const { body } = await processor.handle({
      method: 'GET',
      target,
      headers: { host: 'other' },
      body: new Uint8Array(),
    })
    expect(JSON.parse(Buffer.from(body).toString()).endpoints.items[0]).toMatchObject({ ip: 'front.example', port: 81 })
  })
})

function length(bytes: number): readonly [string, string] {
  return ['Content-Length', String(bytes)]
}
