import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { graphs } from '../support/models.ts'
import { onnxModel, scratch } from '../support/onnx.ts'
import { serviceJson } from '../support/processor.ts'
import { exchange, rawRequest } from '../support/raw-http.ts'
import { type RunningServer, serve, textOf } from '../support/server.ts'

/**
 * What the three SDKs put on the wire, sent again byte for byte. Here it is about where a request goes and whether it may;
 * what is in it, the tests beside the vectors' decoders say.
 */

interface Vector {
  readonly name: string
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body_file: string
  readonly auth: { readonly scheme: 'EAS-HMAC-SHA1' | 'plain-token' } | null
}

const folder = join(import.meta.dirname, '../golden/eas-sdk')
const index: readonly { readonly name: string; readonly kind: string }[] = JSON.parse(
  readFileSync(join(folder, 'index.json'), 'utf8'),
)
const vectors = index
  .filter(({ kind }) => kind === 'request')
  .map(({ name }): Vector => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')))

const token = 'c3ludGhldGljLXRva2VuLWZvci12ZWN0b3Jz'
const isQueue = ({ name }: Vector) => name.includes('_queue_')
const isDiscovery = ({ name }: Vector) => name.endsWith('_direct_discovery')
const signed = vectors.filter(({ auth }) => auth?.scheme === 'EAS-HMAC-SHA1')
const plain = vectors.filter(({ auth }) => auth?.scheme === 'plain-token')
const unsigned = vectors.filter((vector) => !vector.auth && !isDiscovery(vector))

/** Queue requests that nothing in the request tells from a predict request; they are read as one. */
const queuePuts = [
  'go_queue_put',
  'go_queue_put_path_priority',
  'java_queue_put',
  'java_queue_put_priority',
  'py_queue_put',
]

const services = ['string', 'torch', 'rec', 'caffe', 'easyrec', 'json', 'blade', 'onnx', 'q']
const files = scratch('vectors')
let server: RunningServer

beforeAll(async () => {
  const model = files.write('echo.onnx', onnxModel(graphs.echo))
  const configs = [
    ...services.map((name) => ({ name: `synthetic_${name}`, model })),
    { name: 'synthetic_tf', model, kind: 'tf' as const },
  ].map((service) => files.write(`${service.name}.json`, serviceJson(service)))
  server = await serve({
    args: configs,
    env: {
      EAS_TOKEN: token,
      EAS_ISOLATION: 'inline',
      EAS_BASE_PATHS: '/custom/base=synthetic_string,/any/path=synthetic_string',
    },
  })
})
afterAll(async () => {
  await server?.stop()
  files.remove()
})

const bodyOf = ({ body_file }: Vector) => readFileSync(join(folder, body_file))
const replay = (vector: Vector, headers = vector.headers) =>
  exchange(server.port, rawRequest(vector.method, vector.target, headers, bodyOf(vector)))

/** The Authorization header with one character changed. */
function forged(vector: Vector, at: (length: number) => number): Vector['headers'] {
  return vector.headers.map(([name, value]) => {
    if (name.toLowerCase() !== 'authorization') return [name, value]
    const prefix = value.startsWith('EAS ') ? 4 : 0
    const i = prefix + at(value.replace(/=+$/, '').length - prefix)
    return [name, `${value.slice(0, i)}${value[i] === 'A' ? 'B' : 'A'}${value.slice(i + 1)}`]
  })
}
const places: readonly [string, (length: number) => number][] = [
  ['first', () => 0],
  ['middle', (length) => length >> 1],
  ['last', (length) => length - 1],
]

describe('A recorded request of an SDK', () => {
  it('is one of 74 with a signature, 35 with the token, and 6 with neither', () => {
    expect([signed.length, plain.length, unsigned.length, vectors.filter(isDiscovery).length]).toEqual([74, 35, 3, 3])
  })

  it.each(signed.concat(plain).filter((vector) => !isQueue(vector)))(
    '$name: $method $target reaches its service',
    async (vector) => {
      const response = await replay(vector)
      // 400 is a message that this test's model does not take; it is said after authorization.
      expect([200, 400], textOf(response)).toContain(response?.status)
    },
  )

  it.each(plain.filter(isQueue))('$name: $method $target is not supported, and answered so', async (vector) => {
    const response = await replay(vector)
    expect(response?.status, textOf(response)).toBe(queuePuts.includes(vector.name) ? 400 : 501)
  })

  it.each(places)('is 401 when the %s character of its token or signature is another', async (_, at) => {
    for (const vector of signed.concat(plain)) {
      const response = await replay(vector, forged(vector, at))
      expect(response?.status, vector.name).toBe(401)
    }
  })

  it.each(['content-md5', 'date'])('is 401 when the %s that it signed is another', async (signedHeader) => {
    for (const vector of signed) {
      const headers = vector.headers.map(([name, value]): readonly [string, string] => [
        name,
        name.toLowerCase() === signedHeader ? `${value.slice(0, -1)}!` : value,
      ])
      expect((await replay(vector, headers))?.status, vector.name).toBe(401)
    }
  })

  it.each(unsigned)('$name, without a token, is 401', async (vector) => {
    const response = await replay(vector)
    expect([response?.status, textOf(response)]).toEqual([401, 'Authorization is missing'])
  })

  it.each(vectors.filter(isDiscovery))('$name is answered with where it asked, unsigned', async (vector) => {
    const response = await replay(vector)
    const [, host = ''] = vector.headers.find(([name]) => name.toLowerCase() === 'host') ?? []
    const [ip, port] = host.split(':')
    expect(response?.status).toBe(200)
    expect(response?.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(JSON.parse(textOf(response))).toEqual({
      endpoints: { items: [{ app: 'synthetic_torch', ip, port: Number(port), weight: 100 }] },
    })
  })
})
