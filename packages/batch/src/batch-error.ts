/**
 * Why an object cannot be scored, where the reason is in the object or in the configuration, so that another try would end
 * alike. What a store or a model throws is passed on as it is: the next delivery tries again.
 */
export class BatchError extends Error {
  override readonly name = 'BatchError'
  readonly code: 'bad_object' | 'bad_mapping' | 'unsupported'

  constructor(code: BatchError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Why one row cannot be scored. Its neighbours are. */
export class RowError extends Error {
  override readonly name = 'RowError'
}

/** The row would not fit its batch: the text of any thrown value on one line. */
export const reasonOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))
