/** An expression that cannot be understood, and where: `offset` counts UTF-16 units from 0. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError'
  readonly offset: number

  constructor(reason: string, offset: number) {
    super(`Cannot read expression at ${offset}: ${reason}`)
    this.offset = offset
  }
}
