import type { IncomingHttpHeaders } from 'node:http'
import { oneLine } from '@eas/base'
import { StoreError, type StoreErrorCode } from '../store-error.ts'

/** What an HTTP status means. RFC 9110, 15; the rest of 4xx is `invalid`, of 5xx `unavailable`. */
const codeOfStatus: { readonly [status: number]: StoreErrorCode } = {
  301: 'invalid', // S3 answers so when the bucket is in another region
  307: 'invalid',
  401: 'denied',
  403: 'denied',
  404: 'not-found',
  405: 'unsupported',
  408: 'timeout',
  409: 'unavailable',
  410: 'not-found',
  412: 'changed',
  413: 'too-large',
  425: 'unavailable',
  429: 'unavailable',
  501: 'unsupported',
  507: 'full',
}

/** Error codes that say more than their status. S3: "Error responses"; OSS: "HTTP 403 error codes". */
const codeOfName: { readonly [name: string]: StoreErrorCode } = {
  ExpiredToken: 'expired',
  ExpiredTokenException: 'expired',
  TokenRefreshRequired: 'expired',
  RequestExpired: 'expired',
  SecurityTokenExpired: 'expired',
  RequestTimeout: 'unavailable',
  SlowDown: 'unavailable',
  InternalError: 'unavailable',
  ConditionalRequestConflict: 'unavailable',
  OperationAborted: 'unavailable',
  EntityTooLarge: 'too-large',
  QuotaExceeded: 'full',
  FileAlreadyExists: 'changed',
}

export interface Refusal {
  readonly status: number
  /** `NoSuchKey`, where the store gives one. */
  readonly name?: string | undefined
  readonly message?: string | undefined
  readonly headers?: IncomingHttpHeaders | Readonly<Record<string, string>> | undefined
}

/** The error for an answer that is not what was asked for. */
export function refused({ status, name, message, headers }: Refusal, doing: string, cause?: unknown): StoreError {
  const named = name !== undefined && Object.hasOwn(codeOfName, name) ? codeOfName[name] : undefined
  const code = named ?? codeOfStatus[status] ?? (status >= 500 ? 'unavailable' : 'invalid')
  const region = headers?.['x-amz-bucket-region']
  const said = [
    name,
    message && oneLine(message),
    (status === 301 || status === 400) && region && `the bucket is in ${region}`,
  ]
  const why = said.filter(Boolean).join(', ')
  return new StoreError(code, `Cannot ${doing}: ${status}${why === '' ? '' : ` ${why}`}`, {
    cause,
    retryAfterMs: retryAfter(headers?.['retry-after']),
  })
}

/** Seconds only: the other form of the header, a date, needs clocks that agree. Half a minute at most. */
function retryAfter(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,5}$/.test(value) ? Math.min(Number(value), 30) * 1000 : undefined
}

/** `Code` and `Message` of the XML that S3, OSS and GCS's XML API answer errors with. */
export function xmlError(text: string): { name?: string | undefined; message?: string | undefined } {
  return { name: /<Code>([^<]{1,100})</.exec(text)?.[1], message: /<Message>([^<]{1,300})</.exec(text)?.[1] }
}
