import { describe, expect, it } from 'vitest'
import { fromEasResponse, type HttpEvent, type HttpEventV1, type HttpEventV2, toEasRequest } from './event.ts'

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

const bodyOf = (more: Partial<HttpEventV2>) => [...toEasRequest({ ...event, ...more }).body]

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
    ['a queue', { Records: [] }, 'Records'],
    ['a schedule', { 'detail-type': 'Scheduled Event', source: 'aws.events' }, 'detail-type, source'],
    [
      'VPC Lattice',
      { version: '2.0', path: '/a', method: 'GET', requestContext: {} },
      'version, path, method, requestContext',
    ],
    ['nobody', {}, 'nothing'],
    ['nobody', null, 'nothing'],
    ['a client of another kind', { rawPath: '/a', requestContext: { http: {} } }, 'rawPath, requestContext'],
  ])('refuses the event of %s, which it would misread', (_, other, keys) => {
    expect(() => toEasRequest(other as unknown as HttpEvent)).toThrow(
      `Cannot read the event: it must be that of a function URL, an HTTP or REST API, or a load balancer, got ${keys}`,
    ) // the cast: Lambda does not check either
  })
})

/** The example of API Gateway's page on proxy integrations, shortened, and the one of the load balancer's. */
const rest: HttpEventV1 = {
  httpMethod: 'POST',
  path: '/api/predict/digits/a b',
  headers: { Accept: '*/*', 'X-Twice': 'second' },
  multiValueHeaders: { Accept: ['*/*'], 'X-Twice': ['first', 'second'] },
  queryStringParameters: { uid: '1 2', n: '', 你: '&=' },
  multiValueQueryStringParameters: { uid: ['1 2'], n: [''], 你: ['&=', '~'] },
  requestContext: {},
  body: 'CgD/gA==',
  isBase64Encoded: true,
}
const balanced: HttpEventV1 = {
  requestContext: {
    elb: { targetGroupArn: 'arn:aws:elasticloadbalancing:region:123456789012:targetgroup/t/6d0ecf831eec9f09' },
  },
  httpMethod: 'GET',
  path: '/api/predict/digits/a%20b',
  queryStringParameters: { uid: '1+2', '%E4%BD%A0': '%26%3D' },
  headers: { host: 'lb', 'X-One': '1' },
  body: '',
  isBase64Encoded: false,
}

describe('toEasRequest() of what people write by hand', () => {
  it('needs no headers', () => {
    const { headers: _, ...headless } = event
    expect(toEasRequest(headless).headers).toEqual({})
  })

  it('needs no context of a REST API', () => {
    const { requestContext: _, ...bare } = rest
    expect(toEasRequest(bare).method).toBe('POST')
    expect(fromEasResponse({ status: 200, headers: {}, body: new Uint8Array() }, bare)).toMatchObject({ headers: {} })
  })
})

describe('toEasRequest() of payload format 1.0', () => {
  it('spells the target as the Java SDK signs it, where a REST API has decoded it', () => {
    expect(toEasRequest(rest).target).toBe('/api/predict/digits/a%20b?uid=1+2&n&%E4%BD%A0=%26%3D&%E4%BD%A0=%7E')
  })

  it('joins the values of a repeated header', () => {
    expect(toEasRequest(rest).headers).toEqual({ accept: '*/*', 'x-twice': 'first, second' })
  })

  it('keeps the target that a load balancer hands over as it came', () => {
    const { target, headers, body } = toEasRequest(balanced)
    expect(target).toBe('/api/predict/digits/a%20b?uid=1+2&%E4%BD%A0=%26%3D')
    expect(headers).toEqual({ host: 'lb', 'x-one': '1' })
    expect(body.length).toBe(0)
  })

  it('takes null, as the consoles send it, for nothing', () => {
    const { headers, target, body } = toEasRequest({
      ...rest,
      headers: null,
      multiValueHeaders: null,
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      body: null,
    })
    expect([headers, target, body.length]).toEqual([{}, '/api/predict/digits/a%20b', 0])
  })
})

describe('fromEasResponse()', () => {
  it('gives the bytes of the body, and no more of the memory behind them, as base64', () => {
    const body = Uint8Array.of(1, 0, 255, 128, 10, 2).subarray(1, 5)
    expect(
      fromEasResponse({ status: 200, headers: { 'content-type': 'application/octet-stream' }, body }, event),
    ).toEqual({
      statusCode: 200,
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.of(0, 255, 128, 10).toString('base64'),
      isBase64Encoded: true,
    })
  })

  it('leaves the connection to the platform', () => {
    const response = { status: 450, headers: { connection: 'close', allow: 'GET' }, body: new Uint8Array() }
    expect(fromEasResponse(response, event)).toMatchObject({ statusCode: 450, headers: { allow: 'GET' }, body: '' })
    expect(fromEasResponse(response, event).headers).not.toHaveProperty('connection')
  })

  it('answers a load balancer with lists of values when it sends them', () => {
    const response = { status: 200, headers: { allow: 'GET' }, body: new Uint8Array() }
    const { headers, ...lists } = balanced
    expect(fromEasResponse(response, balanced)).toMatchObject({ headers: { allow: 'GET' } })
    expect(fromEasResponse(response, { ...lists, multiValueHeaders: { host: ['lb'] } })).toEqual({
      statusCode: 200,
      multiValueHeaders: { allow: ['GET'] },
      body: '',
      isBase64Encoded: true,
    })
  })
})
