import { EasError, oneLine } from '@eas/base'
import { formEncoded, joinedQuery, legalPath, withQuery } from '@eas/event-sources'
import type { EasRequest, EasResponse } from '@eas/protocol'

/**
 * Payload format 2.0: function URLs and HTTP APIs.
 * @see AWS Lambda "Invoking Lambda function URLs", request payload; API Gateway "AWS Lambda proxy integrations", format 2.0
 */
export interface HttpEventV2 {
  readonly version: string
  readonly rawPath: string
  /** Without the question mark; empty when there is none. */
  readonly rawQueryString: string
  /** Values of a repeated header are joined by commas. */
  readonly headers?: Values
  readonly requestContext: { readonly http: { readonly method: string } }
  readonly body?: string | null
  readonly isBase64Encoded: boolean
}

/**
 * Payload format 1.0 of REST APIs, and what a load balancer sends, which is the same with `requestContext.elb`. A load
 * balancer sends either single or multiple values, as its target group says; a REST API both.
 * @see API Gateway "Lambda proxy integrations", input format; Elastic Load Balancing "Use Lambda functions as targets"
 */
export interface HttpEventV1 {
  readonly httpMethod: string
  readonly path: string
  readonly headers?: Values | null
  readonly multiValueHeaders?: ManyValues | null
  readonly queryStringParameters?: Values | null
  readonly multiValueQueryStringParameters?: ManyValues | null
  readonly requestContext?: { readonly elb?: unknown }
  readonly body?: string | null
  readonly isBase64Encoded: boolean
}
export type HttpEvent = HttpEventV2 | HttpEventV1
type Values = Readonly<Record<string, string | undefined>>
type ManyValues = Readonly<Record<string, readonly string[] | undefined>>

/** @see the same pages, response payload */
export interface HttpResult {
  readonly statusCode: number
  readonly headers?: Readonly<Record<string, string>>
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>
  readonly body: string
  readonly isBase64Encoded: true
}

/**
 * Only the flag says whether a body is base64: a content type would be a guess.
 * @throws {EasError} `invalid_request` for another kind of event, which no answer would reach.
 */
export function toEasRequest(event: HttpEvent): EasRequest {
  const head = isV2(event)
    ? { method: event.requestContext.http.method, target: targetV2(event), headers: lowerCased(event.headers) }
    : { method: event.httpMethod, target: targetV1(event), headers: headersV1(event) }
  return { ...head, body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8') }
}

function isV2(event: HttpEvent): event is HttpEventV2 {
  // Whoever tests a function by hand may send anything, `null` too; and VPC Lattice has a "2.0" of its own. The cast: every
  // member that is read is looked at first.
  const members = (event ?? {}) as Partial<Pick<HttpEventV1, 'httpMethod' | 'path'> & HttpEventV2>
  if (typeof members.rawPath === 'string' && typeof members.requestContext?.http?.method === 'string') return true
  if (typeof members.httpMethod === 'string' && typeof members.path === 'string') return false
  throw new EasError(
    'invalid_request',
    `Cannot read the event: it must be that of a function URL, an HTTP or REST API, or a load balancer, got ${oneLine(Object.keys(members).join(', ')) || 'nothing'}`,
  )
}

/** Whether a load balancer sent it; its limits are its own. */
export const isLoadBalancer = ({ requestContext = {} }: HttpEvent): boolean => 'elb' in requestContext

const lowerCased = (headers: Values = {}) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

function headersV1({ headers, multiValueHeaders }: HttpEventV1): Values {
  const joined = Object.entries(multiValueHeaders ?? {}).map(([name, values]) => [name, values?.join(', ')])
  return lowerCased({ ...headers, ...Object.fromEntries(joined) })
}

const targetV2 = ({ rawPath, rawQueryString }: HttpEventV2) => withQuery(legalPath(rawPath), rawQueryString)

function targetV1(event: HttpEventV1): string {
  const { path, queryStringParameters, multiValueQueryStringParameters } = event
  const single = Object.entries(queryStringParameters ?? {}).map(([name, value]) => [name, [value ?? '']] as const)
  const multiple = Object.entries(multiValueQueryStringParameters ?? {})
  // A load balancer hands parameters over as they came, a REST API decoded.
  const spell = isLoadBalancer(event) ? (text: string) => text : formEncoded
  const parameters = (multiple.length > 0 ? multiple : single).flatMap(([name, values = []]) =>
    values.map((value) => [spell(name), spell(value)] as const),
  )
  return withQuery(legalPath(path), joinedQuery(parameters))
}

/** A body is always base64, so that its bytes arrive as they are. @param event What is answered. */
export function fromEasResponse(response: EasResponse, event: HttpEvent): HttpResult {
  const { buffer, byteOffset, byteLength } = response.body
  const headers = responseHeaders(response)
  // A load balancer that sends lists of values reads no others.
  const wantsLists = isLoadBalancer(event) && 'multiValueHeaders' in event && event.multiValueHeaders
  return {
    statusCode: response.status,
    ...(wantsLists
      ? { multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])) }
      : { headers }),
    body: Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
    isBase64Encoded: true,
  }
}

/** The connection is the platform's, which sets its own. */
export function responseHeaders({
  headers: { connection, ...headers },
}: EasResponse): Readonly<Record<string, string>> {
  return headers
}
