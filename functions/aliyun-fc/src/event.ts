import { EasError } from '@eas/base'
import { formEncoded, type Json, joinedQuery, legalPath, parsed, withQuery } from '@eas/event-sources'
import type { EasRequest, EasResponse } from '@eas/protocol'
import type { Credentials } from '@eas/storage'

/**
 * An HTTP trigger's event, version "v1", as far as it is read.
 * @see Alibaba Cloud "HTTP trigger invoking function", request payload format
 */
interface HttpEvent {
  readonly version: string
  /** As the client sent it. */
  readonly rawPath: string
  /** Values of a repeated header are joined by commas. */
  readonly headers?: Readonly<Record<string, string>> | null
  /** Decoded; values of a repeated parameter are joined by commas. */
  readonly queryParameters?: Readonly<Record<string, string>> | null
  readonly requestContext: { readonly http: { readonly method: string } }
  readonly body?: string | null
  /** Samples have a text. */
  readonly isBase64Encoded?: boolean | 'true' | 'false'
}

/** @see the same page, response payload format */
export interface HttpResult {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly isBase64Encoded: true
}

/** The part of the second argument that is read. @see "Context" of Node.js functions */
export interface Context {
  readonly requestId?: string
  readonly credentials?: {
    readonly accessKeyId?: string
    readonly accessKeySecret?: string
    readonly securityToken?: string
  }
  /** Seconds. */
  readonly function?: { readonly timeout?: number }
}

/** An event comes as bytes, whatever is in it; local tools hand over what they have parsed. */
export const readEvent = (event: Uint8Array | string | object): Json =>
  event instanceof Uint8Array || typeof event === 'string' ? parsed(Buffer.from(event as Uint8Array).toString()) : event

/** @throws {EasError} `invalid_request` for another kind of event, which no answer would reach. */
export function toEasRequest(event: Json): EasRequest {
  if (!isHttp(event)) {
    throw new EasError('invalid_request', 'Cannot read the event: it must be that of an HTTP trigger, version v1')
  }
  const { rawPath, headers, queryParameters, requestContext, body, isBase64Encoded } = event
  const parameters = Object.entries(queryParameters ?? {}).map(
    ([name, value]) => [formEncoded(name), formEncoded(value)] as const,
  )
  const isBase64 = isBase64Encoded === true || isBase64Encoded === 'true'
  return {
    method: requestContext.http.method,
    target: withQuery(legalPath(rawPath), joinedQuery(parameters)),
    headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])),
    body: Buffer.from(body ?? '', isBase64 ? 'base64' : 'utf8'),
  }
}

function isHttp(event: Json): event is HttpEvent {
  const { rawPath, requestContext } = (event ?? {}) as Partial<HttpEvent> // what a member is, is asked below
  return typeof rawPath === 'string' && typeof requestContext?.http?.method === 'string'
}

/** A body is always base64, so that its bytes arrive as they are. */
export function fromEasResponse({ status, headers, body }: EasResponse): HttpResult {
  // Function Compute keeps these for itself; "HTTP trigger", response headers.
  const { connection, date, server, 'content-length': length, 'keep-alive': keepAlive, ...others } = headers
  const { buffer, byteOffset, byteLength } = body
  return {
    statusCode: status,
    headers: others,
    body: Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
    isBase64Encoded: true,
  }
}

/** The credentials of an invocation; `undefined` for a function without a role. */
export function credentialsOf({ credentials }: Context): Credentials | undefined {
  const { accessKeyId, accessKeySecret, securityToken } = credentials ?? {}
  if (!accessKeyId || !accessKeySecret) return undefined
  return { accessKeyId, secretAccessKey: accessKeySecret, sessionToken: securityToken }
}
