import { torchPredict } from '@eas/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { graphs } from '../support/models.ts'
import { onnxModel, scratch } from '../support/onnx.ts'
import { type ContractRequest, requestsOfSdks, requestsToAdd, token } from '../support/platforms/contract-requests.ts'
import { type EveryPlatform, everyPlatform } from '../support/platforms.ts'
import { patient, serviceJson } from '../support/processor.ts'

/** Every platform's bundle answers as the server does; what the answers are, the tests of the server say. */

const files = scratch('platform')
afterAll(() => files.remove())

/** The service of a name on every platform; stopped at the end. */
function running(name: string, graph: Parameters<typeof onnxModel>[0], kind: 'torch' | 'tf', file = name) {
  const started: { every?: EveryPlatform } = {}
  beforeAll(async () => {
    const model = files.write(`${file}.onnx`, onnxModel(graph))
    started.every = await everyPlatform({
      SERVICE_JSON: files.write(`${file}.json`, serviceJson({ name, model, kind, rpc: patient })),
      EAS_TOKEN: token,
      EAS_BASE_PATHS: '/custom/base,/any/path',
    })
  }, 60_000)
  afterAll(() => started.every?.end())
  return started
}

async function agree({ every }: { every?: EveryPlatform }, { name, request, statuses }: ContractRequest) {
  const [server, ...platforms] = every?.platforms ?? []
  const expected = await server?.send(request)
  if (statuses.length > 0) expect(statuses, `${name}: ${expected?.body}`).toContain(expected?.status)
  const answers = await Promise.all(platforms.map((platform) => platform.send(request)))
  for (const [i, answer] of answers.entries()) {
    const { status, headers, body } = answer
    const where = `${platforms[i]?.name}: ${name}: ${body}`
    expect([status, headers], where).toEqual([expected?.status, expected?.headers])
    expect(body.equals(expected?.body ?? Buffer.alloc(0)), where).toBe(true)
  }
  expect(answers.length).toBe(9)
}

async function agreeAll(started: { every?: EveryPlatform }, requests: readonly ContractRequest[]) {
  for (const request of requests) await agree(started, request)
}

describe('Every platform answers as the server does', () => {
  const add = running('add', graphs.add, 'torch')

  it('to some 600 requests', () => {
    expect(requestsToAdd.length + 3 * requestsOfSdks.length).toBeGreaterThan(580)
  })

  it('what is made for the model', () => agreeAll(add, requestsToAdd), 120_000)

  it('with the prediction', async () => {
    const [{ request } = { request: undefined }] = requestsToAdd
    for (const platform of add.every?.platforms ?? []) {
      const { body } = await platform.send(request ?? { method: '', target: '', headers: [] })
      expect(torchPredict.decodeResponse(body).outputs.map(({ data }) => [...data])).toEqual([[11, 22], [22]])
    }
  })
})

describe.each([
  ['synthetic_torch', 'torch'],
  ['synthetic_tf', 'tf'],
  ['synthetic_string', 'torch'],
] as const)('Every platform answers as the server does to what the SDKs send, with the service %s', (name, kind) => {
  const echo = running(name, graphs.echo, kind)

  it('byte for byte', () => agreeAll(echo, requestsOfSdks), 120_000)
})
