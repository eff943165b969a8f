import { Buffer } from 'node:buffer'

/**
 * A message in protobuf's text format whose type need not be known: what stands under each field, as often as it does.
 * Numbers, enumerations and truth values are the words that were written.
 *
 * @see https://protobuf.dev/reference/protobuf/textformat-spec/
 */
export class TextMessage {
  private readonly fields = new Map<string, (string | TextMessage)[]>()

  add(name: string, value: string | TextMessage): void {
    const values = this.fields.get(name)
    if (values) values.push(value)
    else this.fields.set(name, [value])
  }

  messages(name: string): readonly TextMessage[] {
    return (this.fields.get(name) ?? []).filter((value) => value instanceof TextMessage)
  }

  texts(name: string): readonly string[] {
    return (this.fields.get(name) ?? []).filter((value) => typeof value === 'string')
  }

  /** Of a field that is not repeated: the last one counts. */
  text(name: string): string | undefined {
    return this.texts(name).at(-1)
  }

  /** The messages below a path of fields. */
  at(...path: readonly string[]): readonly TextMessage[] {
    return path.reduce<readonly TextMessage[]>((found, name) => found.flatMap((one) => one.messages(name)), [this])
  }
}

/** Messages within messages; the deepest of EasyRec, a backbone's layers, are some ten. */
const depthMax = 64

/** @throws {Error} saying where the text is not a message. */
export function parseTextProto(text: string): TextMessage {
  const tokens = new Tokens(text)
  return parseFields(tokens, '', 0)
}

function parseFields(tokens: Tokens, close: string, depth: number): TextMessage {
  if (depth > depthMax) throw new Error(`messages are nested deeper than ${depthMax} levels`)
  const message = new TextMessage()
  for (let name = tokens.next(); name !== close; name = tokens.next()) {
    if (name === ';' || name === ',') continue
    if (!/^[A-Za-z_]/.test(name)) throw tokens.unexpected(name)
    if (tokens.peek() === ':') tokens.next()
    if (tokens.peek() !== '[') {
      message.add(name, parseValue(tokens, depth))
      continue
    }
    tokens.next()
    while (tokens.peek() !== ']') {
      message.add(name, parseValue(tokens, depth))
      if (tokens.peek() === ',') tokens.next()
    }
    tokens.next()
  }
  return message
}

function parseValue(tokens: Tokens, depth: number): string | TextMessage {
  const first = tokens.next()
  if (first === '{') return parseFields(tokens, '}', depth + 1)
  if (first === '<') return parseFields(tokens, '>', depth + 1)
  if (/^["']/.test(first)) {
    let text = unescaped(first)
    while (/^["']/.test(tokens.peek())) text += unescaped(tokens.next())
    return text
  }
  const word = first === '-' ? `-${tokens.next()}` : first
  if (!/^-?[\w.+-]+$/.test(word)) throw tokens.unexpected(word)
  return word
}

class Tokens {
  private readonly text: string
  // Separators stand within quotes as they are: control characters, and never a quote.
  private readonly pattern =
    /(?:\s|#[^\n]*)*("(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'|[A-Za-z_][\w.]*|[0-9.][\w.+-]*|[-{}<>:;,[\]])?/y
  private ahead: string | undefined

  constructor(text: string) {
    this.text = text
  }

  peek(): string {
    this.ahead ??= this.scan()
    return this.ahead
  }

  next(): string {
    const token = this.peek()
    this.ahead = undefined
    return token
  }

  unexpected(token: string): Error {
    return new Error(
      token === '' ? 'the text ends within a message' : `the text before ${this.pattern.lastIndex} is not understood`,
    )
  }

  /** The next token; empty at the end. */
  private scan(): string {
    const token = this.pattern.exec(this.text)?.[1] ?? ''
    if (token === '' && this.pattern.lastIndex < this.text.length) throw this.unexpected('?')
    return token
  }
}

const escapes: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
}

/** Octal and hexadecimal escapes are bytes, of which several may be one character. */
function unescaped(literal: string): string {
  const body = literal.slice(1, -1)
  if (!body.includes('\\')) return body
  const bytes: Buffer[] = []
  for (const [part, octal, hex, other] of body.matchAll(/\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|([\s\S]))|[^\\]+/g)) {
    if (octal !== undefined) bytes.push(Buffer.of(Number.parseInt(octal, 8) & 0xff))
    else if (hex !== undefined) bytes.push(Buffer.of(Number.parseInt(hex, 16)))
    else bytes.push(Buffer.from(other === undefined ? part : (escapes[other] ?? other)))
  }
  return Buffer.concat(bytes).toString('utf8')
}
