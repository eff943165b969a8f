/** What kind of thing went wrong. */
export type RecallErrorCode =
  /** The file cannot be read at all. */
  | 'io'
  /** The bytes are not what a FAISS index may be: cut, damaged or lying about themselves. */
  | 'corrupt_index'
  /** A sound file of a kind that is not searched here. */
  | 'unsupported_index'
  /** More than memory or this build's address space can take. */
  | 'too_large'
  /** A search that cannot be made: a wrong dimension, `k` or parameter. */
  | 'invalid_argument'

/** A failure to read or search an index. */
export class RecallError extends Error {
  override readonly name: string = 'RecallError'
  readonly code: RecallErrorCode

  constructor(code: RecallErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export const corrupt = (facts: string): RecallError =>
  new RecallError('corrupt_index', `Cannot read FAISS index: ${facts}`)

export const unsupported = (facts: string): RecallError =>
  new RecallError('unsupported_index', `Cannot search FAISS index: ${facts}`)
