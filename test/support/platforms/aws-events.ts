import { type ClientRequest, type ClientResponse, headerValues, isText, relevant } from './client.ts'

/** What stands between a client and a Lambda function: the event that it makes of a request. */
export type AwsEvent = (request: ClientRequest) => Readonly<Record<string, unknown>>

const split = ({ target }: ClientRequest) => {
  const at = target.indexOf('?')
  return at < 0 ? { path: target, query: '' } : { path: target.slice(0, at), query: target.slice(at + 1) }
}
const joined = (request: ClientRequest) =>
  Object.fromEntries([...headerValues(request.headers)].map(([name, values]) => [name, values.join(',')]))
const lists = (request: ClientRequest) => Object.fromEntries(headerValues(request.headers))
const lastOf = (values: Readonly<Record<string, readonly string[]>>) =>
  Object.fromEntries(Object.entries(values).map(([name, list]) => [name, list.at(-1)]))

/** Parameters by name, in order; `decode` as the platform does it. */
function parameters(query: string, decode: (text: string) => string): Readonly<Record<string, readonly string[]>> {
  const found: Record<string, string[]> = {}
  for (const part of query.split('&').filter(Boolean)) {
    const [name = '', value = ''] = part.split(/=(.*)/s).map(decode)
    found[name] = [...(found[name] ?? []), value]
  }
  return found
}
const formDecode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '))

/** Bodies come as base64 unless their type says that they are text. */
function bodyOf({ headers, body }: ClientRequest) {
  if (!body || body.length === 0) return { isBase64Encoded: false }
  const text = isText(headers)
  return { body: Buffer.from(body).toString(text ? 'utf8' : 'base64'), isBase64Encoded: !text }
}

/** @see functions/aws-lambda/src/event.ts for the pages */
export const awsEvents = {
  'function URL': (request) => ({ ...v2(request), rawPath: split(request).path }),
  /** Its path is decoded. */
  'HTTP API': (request) => ({ ...v2(request), rawPath: decodeURI(split(request).path), routeKey: 'ANY /{proxy+}' }),
  'REST API': (request) => {
    const { path, query } = split(request)
    const values = parameters(query, formDecode)
    return {
      resource: '/{proxy+}',
      path: decodeURI(path),
      httpMethod: request.method,
      headers: lastOf(lists(request)),
      multiValueHeaders: lists(request),
      queryStringParameters: query === '' ? null : lastOf(values),
      multiValueQueryStringParameters: query === '' ? null : values,
      requestContext: { stage: 'prod', path: `/prod${path}`, httpMethod: request.method },
      body: null,
      ...bodyOf(request),
      // `binaryMediaTypes: ['*/*']`
      ...(request.body?.length ? { body: Buffer.from(request.body).toString('base64'), isBase64Encoded: true } : {}),
    }
  },
  'load balancer': (request) => {
    const { path, query } = split(request)
    return {
      ...elb(request),
      path,
      queryStringParameters: lastOf(parameters(query, (text) => text)),
      headers: joined(request),
    }
  },
  'load balancer with lists': (request) => {
    const { path, query } = split(request)
    return {
      ...elb(request),
      path,
      multiValueQueryStringParameters: parameters(query, (text) => text),
      multiValueHeaders: lists(request),
    }
  },
} as const satisfies Readonly<Record<string, AwsEvent>>

const v2: AwsEvent = (request) => {
  const { path, query } = split(request)
  return {
    version: '2.0',
    routeKey: '$default',
    rawQueryString: query,
    headers: joined(request),
    requestContext: { http: { method: request.method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1' } },
    ...bodyOf(request),
  }
}

const elb: AwsEvent = (request) => ({
  requestContext: { elb: { targetGroupArn: 'arn:aws:elasticloadbalancing:r:1:targetgroup/t/1' } },
  httpMethod: request.method,
  body: '',
  ...bodyOf(request),
})

/** What a buffered answer becomes on the wire. */
export function awsResponse(result: unknown): ClientResponse {
  const { statusCode, headers, multiValueHeaders, body, isBase64Encoded } = result as {
    statusCode: number
    headers?: Record<string, string>
    multiValueHeaders?: Record<string, string[]>
    body: string
    isBase64Encoded: boolean
  } // what the function answered, which the tests compare
  const single = Object.fromEntries(
    Object.entries(multiValueHeaders ?? {}).map(([name, list]) => [name, list.join(', ')]),
  )
  return {
    status: statusCode,
    headers: relevant({ ...headers, ...single }),
    body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
  }
}

/** What a streamed answer becomes. */
export function awsStreamed(result: unknown): ClientResponse {
  const { prelude, body } = result as {
    prelude: { statusCode: number; headers: Record<string, string> }
    body: string
  } // what lambda-runtime.mjs makes of the stream
  return { status: prelude.statusCode, headers: relevant(prelude.headers), body: Buffer.from(body, 'base64') }
}
