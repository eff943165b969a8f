import { EasError, easStatus } from '@eas/base'
import type { EasResponse } from '@eas/protocol'

/** A path that is there, asked in a way that it is not. */
export class MethodNotAllowed extends EasError {
  /** The methods that are, as the Allow header lists them. */
  readonly allow: string

  constructor(allow: string) {
    super('method_not_allowed', `Method not allowed: use ${allow}`)
    this.allow = allow
  }
}

/** Also for whoever reads bodies, to be used before one has been read whole. */
export const bodyTooLarge = (bytes: number, bytesMax: number) =>
  new EasError('too_large', `Request body too large: ${bytes} bytes, the limit is ${bytesMax} (EAS_MAX_BODY_BYTES)`)

const encoder = new TextEncoder()
export const encode = (content: string) => encoder.encode(content)

export const respond = (status: number, contentType: string, body: Uint8Array): EasResponse => ({
  status,
  headers: { 'content-type': contentType },
  body,
})
export const text = (status: number, body: string) => respond(status, 'text/plain; charset=utf-8', encode(body))
export const json = (status: number, body: string) => respond(status, 'application/json; charset=utf-8', encode(body))

/** Statuses after which EAS closes the connection; eas-service 2. */
const closing: ReadonlySet<number> = new Set([easStatus.timeout, easStatus.queue_full])

/** A failure as EAS clients show it: its status, and one line of text. */
export function errorResponse(error: EasError): EasResponse {
  const response = text(error.status, error.message)
  const headers: Record<string, string> = { ...response.headers }
  if (closing.has(error.status)) headers.connection = 'close'
  if (error instanceof MethodNotAllowed) headers.allow = error.allow
  if (error.code === 'not_ready') headers['retry-after'] = '1'
  return { ...response, headers }
}
