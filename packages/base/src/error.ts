/**
 * HTTP status by code. Source: PAI-EAS "Service status codes and common errors"; 413 is HTTP's own (RFC 9110) and stands
 * for a body over the configured limit, which the EAS page does not list.
 */
export const easStatus = {
  invalid_request: 400,
  unauthorized: 401,
  not_found: 404,
  method_not_allowed: 405,
  timeout: 408,
  too_large: 413,
  rate_limited: 429,
  queue_full: 450,
  /** The client left first. Never sent: it stands in logs and metrics only. */
  client_closed: 499,
  internal: 500,
  not_implemented: 501,
  not_ready: 503,
} as const
export type EasErrorCode = keyof typeof easStatus

/** A failure a client may be told about. */
export class EasError extends Error {
  override readonly name: string = 'EasError'
  readonly code: EasErrorCode

  constructor(code: EasErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  get status(): number {
    return easStatus[this.code]
  }

  /** Any thrown value as an `EasError`. A stranger becomes `internal`, its own text kept in `cause`, not shown. */
  static from(thrown: unknown): EasError {
    return thrown instanceof EasError ? thrown : new EasError('internal', 'Prediction failed', { cause: thrown })
  }
}

/** A broken promise of our own code: never an `EasError`, always a 500. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Assertion failed: ${message}`)
}

/**
 * Text from outside on one line of at most `maxChars`, fit for an error message or a log: control characters, which
 * could forge a log line or drive a terminal, become spaces.
 */
export function oneLine(text: string, maxChars = 200): string {
  const line = text.slice(0, maxChars + 1).replace(notForOneLine, ' ')
  return line.length > maxChars ? `${line.slice(0, maxChars)}…` : line
}

/** Controls of C0 and C1, line and paragraph separators, and what reverses the direction of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
const notForOneLine = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g
