import { ExpressionError } from './expression-error.ts'

export interface Token {
  readonly kind: 'number' | 'name' | 'sign' | 'end'
  readonly text: string
  /** UTF-16 units before it. */
  readonly offset: number
}

/** The longest first, so that `<=` is not read as `<` and `=`. */
const tokenPattern =
  /\s+|(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<name>[\p{L}_][\p{L}\p{N}_]*)|(?<sign>\|\||&&|<=|>=|!=|==|[-+*/^|&<>()?:,])/uy

/**
 * What an expression is made of, one at a time.
 * @throws {ExpressionError} where a character begins no token.
 */
export function* tokensOf(source: string): Generator<Token, Token> {
  tokenPattern.lastIndex = 0
  let offset = 0
  while (offset < source.length) {
    tokenPattern.lastIndex = offset
    const match = tokenPattern.exec(source)
    if (!match)
      throw new ExpressionError(
        `${JSON.stringify(String.fromCodePoint(source.codePointAt(offset) ?? 0))} means nothing`,
        offset,
      )
    const [text] = match
    const { number, name, sign } = match.groups ?? {}
    const kind = number ? 'number' : name ? 'name' : sign ? 'sign' : undefined
    if (kind) yield { kind, text, offset }
    offset += text.length
  }
  return { kind: 'end', text: '', offset }
}
