import { describe, expect, it } from 'vitest'
import { fromEasResponse, type HttpEvent, responseBytesMax, toEasRequest } from './event.ts'

/**
 * The example of AWS's page on function URLs, request payload, with what an SDK sends in place of its values. Header names
 * of an HTTP API are those of the client in some regions, so one is.
 */
const event = {
  version: '2.0',
  routeKey: '$default',
  rawPath: '/api/predict/digits/a%20b',
  rawQueryString: 'parameter1=value1&parameter1=value2&parameter2=%E4%BD%A0+b',
  cookies: ['cookie1', 'cookie2'],
  headers: {
    authorization: 'EAS c2lnbmF0dXJl',
    'content-type': 'application/octet-stream',
    'Content-MD5': 'd41d8cd98f00b204e9800998ecf8427e',
    header2: 'value1,value2',
  },
  queryStringParameters: { parameter1: 'value1,value2', parameter2: '你 b' },
  requestContext: {
    accountId: '123456789012',
    apiId: '<urlid>',
    authentication: null,
    authorizer: null,
    domainName: '<url-id>.lambda-url.us-west-2.on.aws',
    domainPrefix: '<url-id>',
    http: {
      method: 'POST',
      path: '/api/predict/digits/a b',
      protocol: 'HTTP/1.1',
      sourceIp: '123.123.123.123',
      userAgent: 'agent',
    },
    requestId: 'id',
    routeKey: '$default',
    stage: '$default',
    time: '12/Mar/2020:19:03:58 +0000',
    timeEpoch: 1583348638390,
  },
  body: 'CgD/gA==',
  isBase64Encoded: true,
}

const bodyOf = (more: Partial<HttpEvent>) => [...toEasRequest({ ...event, ...more }).body]

describe('toEasRequest()', () => {
  it('keeps method, target and bytes as the client sent them, and lowers header names', () => {
    const { body, ...head } = toEasRequest(event)
    expect(head).toEqual({
      method: 'POST',
      target: '/api/predict/digits/a%20b?parameter1=value1&parameter1=value2&parameter2=%E4%BD%A0+b',
      headers: {
        authorization: 'EAS c2lnbmF0dXJl',
        'content-type': 'application/octet-stream',
        'content-md5': 'd41d8cd98f00b204e9800998ecf8427e',
        header2: 'value1,value2',
      },
    })
    expect([...body]).toEqual([0x0a, 0x00, 0xff, 0x80])
  })

  it('adds no question mark where there is no query', () => {
    expect(toEasRequest({ ...event, rawQueryString: '' }).target).toBe('/api/predict/digits/a%20b')
  })

  it('decodes base64 by the flag alone', () => {
    expect(bodyOf({ body: 'aGk=', isBase64Encoded: false })).toEqual([...Buffer.from('aGk=')])
    expect(bodyOf({ body: 'aGk=', isBase64Encoded: true, headers: { 'content-type': 'text/plain' } })).toEqual([
      ...Buffer.from('hi'),
    ])
    expect(bodyOf({ body: '你', isBase64Encoded: false })).toEqual([...Buffer.from('你')])
  })

  it('takes a missing body for an empty one', () => {
    const { body: _, ...bodiless } = event
    expect(toEasRequest({ ...bodiless, isBase64Encoded: false }).body.length).toBe(0)
  })

  it.each([
    ['a REST API', { version: '1.0', httpMethod: 'POST', path: '/' }, '1.0'],
    ['a load balancer', { httpMethod: 'POST', path: '/', requestContext: { elb: {} } }, 'undefined'],
    ['a queue', { Records: [] }, 'undefined'],
  ])('refuses the event of %s, which it would misread', (_, other, version) => {
    expect(() => toEasRequest(other as unknown as HttpEvent)).toThrow(
      `Cannot read the event: it must have payload format 2.0, as those of function URLs and HTTP APIs, got ${version}`,
    ) // the cast: Lambda does not check either
  })
})

describe('fromEasResponse()', () => {
  it('gives the bytes of the body, and no more of the memory behind them, as base64', () => {
    const body = Uint8Array.of(1, 0, 255, 128, 10, 2).subarray(1, 5)
    expect(fromEasResponse({ status: 200, headers: { 'content-type': 'application/octet-stream' }, body })).toEqual({
      statusCode: 200,
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.of(0, 255, 128, 10).toString('base64'),
      isBase64Encoded: true,
    })
  })

  it('leaves the connection to the platform', () => {
    const response = { status: 450, headers: { connection: 'close', allow: 'GET' }, body: new Uint8Array() }
    expect(fromEasResponse(response)).toMatchObject({ statusCode: 450, headers: { allow: 'GET' }, body: '' })
    expect(fromEasResponse(response).headers).not.toHaveProperty('connection')
  })

  it('says with a 500 that a body is larger than Lambda returns', () => {
    const of = (bytes: number) => fromEasResponse({ status: 200, headers: {}, body: new Uint8Array(bytes) })
    const largest = of(responseBytesMax)
    expect(largest.statusCode).toBe(200)
    expect(JSON.stringify(largest).length).toBeLessThan(6 * 1024 * 1024)

    const { statusCode, headers, body } = of(responseBytesMax + 1)
    expect([statusCode, headers]).toEqual([500, { 'content-type': 'text/plain; charset=utf-8' }])
    expect(Buffer.from(body, 'base64').toString()).toBe(
      'Cannot return the answer: it is 4715521 bytes, Lambda returns at most 4715520',
    )
  })
})
