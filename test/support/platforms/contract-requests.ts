import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { packings } from '../answers.ts'
import { easSdkBytes, easSdkNames } from '../golden.ts'
import { floats, tfBody, torchBody } from '../requests.ts'
import type { ClientRequest } from './client.ts'

/** The token that the recorded requests were signed with. */
export const token = 'c3ludGhldGljLXRva2VuLWZvci12ZWN0b3Jz'

export interface ContractRequest {
  readonly name: string
  readonly request: ClientRequest
  /** What it must be answered with; for a recorded message, which the tests' model may not take, one of two. */
  readonly statuses: readonly number[]
}

const date = 'Sat, 21 Nov 2026 10:00:00 GMT'

/** Authorization and what it covers, as the SDKs do it; eas-wire 2.2. */
export function signature(target: string, md5: string): ClientRequest['headers'] {
  const text = ['POST', md5, 'application/octet-stream', date, target].join('\n')
  return [
    ['Content-Type', 'application/octet-stream'],
    ['Content-MD5', md5],
    ['Date', date],
    ['Authorization', `EAS ${createHmac('sha1', token).update(text).digest('base64')}`],
  ]
}

const host = ['Host', 'test'] as const
const octets = ['Content-Type', 'application/octet-stream'] as const

const sum = torchBody([floats([1, 2], 1, 2), floats([1, 2], 10, 20)])
/** Bodies for the model `add`, and the status of each. */
const bodies: readonly (readonly [name: string, status: number, body: Uint8Array])[] = [
  // A raw LZ4 block is not recognised, only configured.
  ...Object.entries(packings).map(([name, pack]) => [name, name === 'lz4' ? 400 : 200, pack(sum)] as const),
  ['larger', 200, torchBody([floats([512, 2], ...ramp(1024)), floats([512, 2], ...ramp(1024))])],
  ['inputs that do not fit', 400, torchBody([floats([1, 3], 1, 2, 3)])],
  ['an input too few', 400, torchBody([floats([1, 2], 1, 2)])],
  ['another protocol', 400, tfBody({ a: floats([1, 2], 1, 2) })],
  ['bytes that are no message', 400, Uint8Array.of(0xff, 0xfe, 0x00)],
  ['text', 400, Buffer.from('{"inputs": [[1, 2]]}')],
  ['a cut gzip', 400, Buffer.from(packings.gzip?.(sum) ?? []).subarray(0, 12)],
  ['empty', 200, new Uint8Array()],
]

function ramp(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i / 8)
}

/** Targets of `add`, as clients spell them. */
const targets: readonly (readonly [name: string, target: string])[] = [
  ['plain', '/api/predict/add'],
  ['a sub-path', '/api/predict/add/v1/x'],
  ['a slash at the end', '/api/predict/add/'],
  ['a query', '/api/predict/add?a=1&b=2'],
  ['a query of Java', '/api/predict/add/v3?uid=1+2&n&%E4%BD%A0=%26%3D'],
  ['a space in the query', '/api/predict/add?q=a%20b'],
  ['a path that is encoded', '/api/predict/add/a%20b/%E4%BD%A0'],
  ['a percent sign', '/api/predict/add?q=100%25'],
  ['a plus sign', '/api/predict/add?q=1%2B1'],
  ['two slashes', '//api/predict/add'],
]

/** The ways in which a request is allowed or not. */
const authorizations: readonly (readonly [
  name: string,
  allowed: boolean,
  headers: (target: string) => ClientRequest['headers'],
])[] = [
  ['the token', true, () => [octets, ['Authorization', token]]],
  ['a signature', true, (target) => signature(target.replace(/^\/+/, '/'), 'd41d8cd98f00b204e9800998ecf8427e')],
  ['a signature of no MD5', true, (target) => signature(target.replace(/^\/+/, '/'), '')],
  ['another token', false, () => [octets, ['Authorization', `${token}x`]]],
  ['a signature of another path', false, () => signature('/api/predict/other', 'abc')],
  ['no token', false, () => [octets]],
]

/** Every target with every authorization, and every body with both kinds that are allowed. */
function generated(): ContractRequest[] {
  const post = (target: string, headers: ClientRequest['headers'], body: Uint8Array): ClientRequest => ({
    method: 'POST',
    target,
    headers: [host, ...headers],
    ...(body.length > 0 ? { body } : {}),
  })
  const byTarget = targets.flatMap(([where, target]) =>
    authorizations.flatMap(([who, allowed, headers]) =>
      bodies.slice(0, 4).map(
        ([what, status, body]): ContractRequest => ({
          name: `${where}, ${who}, ${what}`,
          request: post(target, headers(target), body),
          statuses: [allowed ? status : 401],
        }),
      ),
    ),
  )
  const byBody = bodies.flatMap(([what, status, body]) =>
    authorizations.slice(0, 2).map(
      ([who, , headers]): ContractRequest => ({
        name: `${what}, ${who}`,
        request: post('/api/predict/add', headers('/api/predict/add'), body),
        statuses: [status],
      }),
    ),
  )
  const open = (
    method: string,
    target: string,
    statuses: readonly number[],
    headers: ClientRequest['headers'] = [],
  ) => ({
    name: `${method} ${target}`,
    request: { method, target, headers: [host, ...headers] },
    statuses,
  })
  const bearer: ClientRequest['headers'] = [['Authorization', token]]
  return [
    ...byTarget,
    ...byBody,
    open('GET', '/api/predict/add', [200], bearer),
    open('GET', '/api/predict/add', [401]),
    open('HEAD', '/api/predict/add', [200]),
    ...['PUT', 'DELETE', 'PATCH', 'OPTIONS'].map((method) => open(method, '/api/predict/add', [405], bearer)),
    open('GET', '/api/predict/add?_attrs_=true', [501], bearer),
    open('POST', '/api/predict/absent', [404], bearer),
    open('POST', '/api/predict/', [404], bearer),
    open('GET', '/', [404]),
    open('GET', '/elsewhere?x=1', [404]),
    open('POST', '/invoke', [404], bearer),
    open('POST', '/initialize', [404], bearer),
    open('GET', '/pre-stop', [404], bearer),
    open('GET', '/healthz', [200]),
    open('HEAD', '/healthz', [200]),
    open('GET', '/api/v1/servicediscovery/upstreams/add', [200]),
    open('GET', '/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/add?internal=false', [200]),
  ]
}

interface Recorded {
  readonly name: string
  readonly method: string
  readonly target: string
  readonly headers: ClientRequest['headers']
}

const folder = new URL('../../golden/eas-sdk/', import.meta.url)

/**
 * What the SDKs put on the wire, of every kind. A platform tells a request with an upgrade or of other services the same as
 * any other: what the answer is, the tests of the server say.
 */
function recorded(): ContractRequest[] {
  return easSdkNames()
    .filter((name) => !name.startsWith('resp_'))
    .map((name): Recorded => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')))
    .filter(({ headers }) => !headers.some(([name]) => /^upgrade$/i.test(name))) // no platform hands over a WebSocket
    .map(({ name, method, target, headers }) => {
      const body = easSdkBytes(`${name}.bin`)
      return { name, request: { method, target, headers, ...(body.length > 0 ? { body } : {}) }, statuses: [] }
    })
}

export const requestsToAdd: readonly ContractRequest[] = generated()
export const requestsOfSdks: readonly ContractRequest[] = recorded()
