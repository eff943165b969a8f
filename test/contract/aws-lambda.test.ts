import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { graphs } from '../support/models.ts'
import { onnxModel, scratch } from '../support/onnx.ts'
import { awsEvents, awsResponse, awsStreamed } from '../support/platforms/aws-events.ts'
import { bundled, type HandlerProcess, startHandler } from '../support/platforms/processes.ts'
import { type ClientRequest, lambda } from '../support/platforms.ts'
import { patient, serviceJson } from '../support/processor.ts'
import { floats, torchBody } from '../support/requests.ts'

const files = scratch('lambda')
afterAll(() => files.remove())
const serviceOf = (name: string, graph: Parameters<typeof onnxModel>[0]) =>
  files.write(`${name}.json`, serviceJson({ name, model: files.write(`${name}.onnx`, onnxModel(graph)), rpc: patient }))

const token = 'secret'
const sum = torchBody([floats([1, 2], 1, 2), floats([1, 2], 10, 20)])
const to = (name: string, body: Uint8Array = sum): ClientRequest => ({
  method: 'POST',
  target: `/api/predict/${name}`,
  headers: [
    ['Authorization', token],
    ['Content-Type', 'application/octet-stream'],
  ],
  body,
})

describe('The Lambda handler', () => {
  it('lets the first request wait for the model', async () => {
    const instance = await lambda({ SERVICE_JSON: serviceOf('first', graphs.add), EAS_TOKEN: token })
    expect((await instance.send(to('first'))).status).toBe(200)
    await instance.end()
  })

  it('says why a model did not load, and tries it again for the next request', async () => {
    const instance = await lambda({ SERVICE_JSON: serviceOf('broken', graphs.sequence), EAS_TOKEN: token })
    const { status, body } = await instance.send(to('broken'))
    expect([status, body.toString()]).toEqual([503, 'Cannot load the model: output all is not a tensor'])
    files.write('broken.onnx', onnxModel(graphs.add))
    await expect.poll(async () => (await instance.send(to('broken'))).status, { timeout: 25_000 }).toBe(200)
    await instance.end()
  })

  it('is warm after a ping, which no request can be', async () => {
    const handler = await startHandler('lambda', 'aws-lambda/index.js', {
      SERVICE_JSON: serviceOf('warm', graphs.add),
      EAS_TOKEN: token,
    })
    const ping = { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} }
    for (const name of ['handler', 'streamHandler']) {
      const answer = await handler.call(name, ping)
      expect(JSON.stringify(answer)).toContain(name === 'handler' ? '"warm"' : Buffer.from('warm').toString('base64'))
    }
    const asked = { ...to('warm'), headers: [['source', 'aws.events']] as const, body: Buffer.from('{"ping":true}') }
    expect(awsResponse(await handler.call('handler', awsEvents['function URL'](asked))).status).toBe(401)
    await handler.end()
  })

  it('loads a model for an instance that is provisioned before a request comes', async () => {
    const output = execFileSync(
      process.execPath,
      ['-e', `import(${JSON.stringify(bundled('aws-lambda/index.js'))}).then(() => process.exit(0))`],
      {
        env: {
          ...process.env,
          SERVICE_JSON: serviceOf('provisioned', graphs.add),
          AWS_LAMBDA_RUNTIME_API: '127.0.0.1:9',
          AWS_LAMBDA_INITIALIZATION_TYPE: 'provisioned-concurrency',
        },
      },
    ).toString()
    expect(output).toContain('"msg":"model loaded"')
  })
})

describe('A request over the limit of Lambda', () => {
  let handler: HandlerProcess
  beforeAll(async () => {
    const env = { SERVICE_JSON: serviceOf('large', graphs.echo), EAS_TOKEN: token }
    handler = await startHandler('lambda', 'aws-lambda/index.js', env)
  })
  afterAll(() => handler?.end())

  const oneMore = (bytes: number) => ({ ...to('large', new Uint8Array(bytes + 1)) })

  it.each([
    ['function URL', 4_715_520, 'AWS Lambda takes at most 4715520'],
    ['load balancer', 1_048_576, 'A load balancer before AWS Lambda takes at most 1048576'],
  ] as const)('through a %s is 413, with the limit and the ways out', async (shape, bytes, said) => {
    const { status, body } = awsResponse(await handler.call('handler', awsEvents[shape](oneMore(bytes))))
    expect(status).toBe(413)
    expect(body.toString()).toContain(said)
    for (const way of ['compress it', 'Cloud Run', 'batch']) expect(body.toString()).toContain(way)
  })

  it('is 401 before it is anything else', async () => {
    const request = { ...oneMore(4_715_520), headers: [] }
    expect(awsResponse(await handler.call('handler', awsEvents['function URL'](request))).status).toBe(401)
  })
})

describe('An answer over the limit of Lambda', () => {
  it('is a 500 that says so, and streamed it is the answer', async () => {
    const handler = await startHandler('lambda', 'aws-lambda/index.js', {
      SERVICE_JSON: serviceOf('grows', graphs.casts),
      EAS_TOKEN: token,
    })
    // A zero takes one byte on its way in, and nine on its way back, as half, bool and three integers.
    const zeros = torchBody([{ dtype: 'int64', shape: [1_000_000], data: new BigInt64Array(1_000_000) }])
    const event = awsEvents['function URL'](to('grows', zeros))
    const buffered = awsResponse(await handler.call('handler', event))
    expect([buffered.status, buffered.body.toString()]).toEqual([
      500,
      expect.stringMatching(/^Cannot return the answer: it is \d{7} bytes, AWS Lambda returns at most 4715520$/),
    ])
    const streamed = awsStreamed(await handler.call('streamHandler', event))
    expect(streamed.status).toBe(200)
    expect(streamed.body.length).toBeGreaterThan(4_715_520)
    await handler.end()
  })
})
