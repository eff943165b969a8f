import { EasError, oneLine } from '@eas/base'
import type { EasRequest, EasResponse } from '@eas/protocol'

/**
 * What is read of an event. Function URLs and HTTP APIs send the same.
 * @see AWS Lambda "Invoking Lambda function URLs", request payload; API Gateway "AWS Lambda proxy integrations", format 2.0
 */
export interface HttpEvent {
  readonly version: string
  readonly rawPath: string
  /** Without the question mark; empty when there is none. */
  readonly rawQueryString: string
  /** Values of a repeated header are joined by commas. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly requestContext: { readonly http: { readonly method: string } }
  readonly body?: string
  readonly isBase64Encoded: boolean
}

/** @see the same pages, response payload */
export interface HttpResult {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly isBase64Encoded: true
}

/**
 * Lambda returns at most 6 MB of JSON, where a body is base64; 4 KiB are left for the rest of it.
 * @see AWS Lambda "Lambda quotas", invocation payload
 */
export const responseBytesMax = ((6 * 1024 * 1024 - 4096) / 4) * 3

/**
 * Only the flag says whether a body is base64: a content type would be a guess.
 * @throws {EasError} `invalid_request` for another kind of event, which no answer would reach.
 */
export function toEasRequest(event: HttpEvent): EasRequest {
  if (event.version !== '2.0') {
    throw new EasError(
      'invalid_request',
      `Cannot read the event: it must have payload format 2.0, as those of function URLs and HTTP APIs, got ${oneLine(String(event.version))}`,
    )
  }
  const { rawPath, rawQueryString, headers, requestContext, body = '', isBase64Encoded } = event
  return {
    method: requestContext.http.method,
    target: rawQueryString ? `${rawPath}?${rawQueryString}` : rawPath,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
  }
}

/** A body is always base64, so that its bytes arrive as they are. One that Lambda would not return becomes a 500. */
export function fromEasResponse(response: EasResponse): HttpResult {
  if (response.body.length > responseBytesMax) return fromEasResponse(tooLarge(response.body.length))
  // The connection is the platform's, which sets its own.
  const { connection, ...headers } = response.headers
  const { buffer, byteOffset, byteLength } = response.body
  return {
    statusCode: response.status,
    headers,
    body: Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
    isBase64Encoded: true,
  }
}

const tooLarge = (bytes: number): EasResponse => ({
  status: 500,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: Buffer.from(`Cannot return the answer: it is ${bytes} bytes, Lambda returns at most ${responseBytesMax}`),
})
