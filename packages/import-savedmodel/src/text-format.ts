import { type FieldType, type Message, type MessageType, ProtoError } from '@eas/onnx'
import { dataTypeCodes } from './dtype.ts'

/**
 * Protobuf's text format, by the tables that the wire format is read with; enumerations are element types, the only ones
 * a graph has.
 * @see https://protobuf.dev/reference/protobuf/textformat-spec/
 */

/** Messages, numbers and strings in one file; as in the wire format. */
const maxParts = 16_777_216
/** Levels of messages within messages: functions within attributes within functions are some twenty. */
const maxDepth = 64

/** @throws {ProtoError} When the text is not such a message. */
export function parseMessage(type: MessageType, text: string): Message {
  const lexer = new Lexer(text)
  const message = parseFields(lexer, type, '', 0)
  return message
}

function parseFields(lexer: Lexer, type: MessageType, close: string, depth: number): Message {
  if (depth > maxDepth) throw new ProtoError(`messages are nested over ${maxDepth} deep`)
  const message: Message = {}
  for (const [name, [, , repeated]] of Object.entries(type)) if (repeated) message[name] = []
  for (let token = lexer.next(); token !== close; token = lexer.next()) {
    if (token === ';' || token === ',') continue
    if (token === '') throw new ProtoError(`the text ends within a message, at ${lexer.position}`)
    const field = Object.hasOwn(type, token) ? type[token] : undefined
    const parse = (): unknown => parseValue(lexer, field?.[1], depth)
    if (lexer.peek() === ':') lexer.next()
    const values: unknown[] = []
    if (lexer.peek() === '[') {
      lexer.next()
      while (lexer.peek() !== ']') {
        values.push(parse())
        if (lexer.peek() === ',') lexer.next()
      }
      lexer.next()
    } else values.push(parse())
    if (!field) continue
    if (field[2]) for (const value of values) message[token].push(value)
    else if (values.length > 0) message[token] = values.at(-1)
  }
  return message
}

/** A value of the type, or of any type where the field is not one we read. */
function parseValue(lexer: Lexer, type: FieldType | undefined, depth: number): unknown {
  const first = lexer.peek()
  if (first === '{' || first === '<') {
    lexer.next()
    if (type !== undefined && typeof type !== 'function')
      throw new ProtoError(`a message stands for a ${type} at ${lexer.position}`)
    return parseFields(lexer, type?.() ?? {}, first === '{' ? '}' : '>', depth + 1)
  }
  if (typeof type === 'function') throw new ProtoError(`a message is missing at ${lexer.position}`)
  if (first.startsWith('"') || first.startsWith("'")) {
    const parts: Buffer[] = []
    while (/^["']/.test(lexer.peek())) parts.push(unescaped(lexer.next()))
    const bytes = Buffer.concat(parts)
    return type === 'bytes' ? new Uint8Array(bytes) : bytes.toString('utf8')
  }
  let word = lexer.next()
  if (word === '-') word += lexer.next()
  return type === undefined ? undefined : parseScalar(type, word, lexer.position)
}

function parseScalar(type: Exclude<FieldType, () => MessageType>, word: string, at: number): unknown {
  if (type === 'bool') return word === 'true' || word === 't' || word === '1'
  if (type === 'string' || type === 'bytes') throw new ProtoError(`a string is missing at ${at}`)
  if (type === 'float' || type === 'double') {
    const number = floatWords[word.toLowerCase().replace(/f$/, '')] ?? Number(word.replace(/f$/i, ''))
    if (Number.isNaN(number) && !/^-?nan/i.test(word))
      throw new ProtoError(`${JSON.stringify(word.slice(0, 40))} at ${at} is not a number`)
    return number
  }
  const code = dataTypeCodes.get(word)
  if (code !== undefined) return code
  if (!/^-?(0x[0-9a-fA-F]+|\d+)$/.test(word))
    throw new ProtoError(`${JSON.stringify(word.slice(0, 40))} at ${at} is not a whole number`)
  const whole = word.startsWith('-') ? -BigInt(word.slice(1)) : BigInt(word)
  return type === 'int64' || type === 'uint64' || type === 'fixed64' ? whole : Number(whole)
}

/** `f` at the end is taken off before the look-up. */
const floatWords: Readonly<Record<string, number>> = {
  in: Number.POSITIVE_INFINITY,
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  '-in': Number.NEGATIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  '-infinity': Number.NEGATIVE_INFINITY,
}

class Lexer {
  private readonly text: string
  private readonly pattern =
    /(?:[\s]|#[^\n]*)*("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[A-Za-z_][\w.]*|[0-9.][\w.+-]*|\[[A-Za-z][\w./]*\]|[-{}<>:;,[\]])?/y
  private ahead: string | undefined
  private parts = 0

  constructor(text: string) {
    this.text = text
  }

  get position(): number {
    return this.pattern.lastIndex
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

  /** The next token; empty at the end. */
  private scan(): string {
    if (++this.parts > maxParts) throw new ProtoError(`the message has over ${maxParts} parts`)
    const token = this.pattern.exec(this.text)?.[1] ?? ''
    if (token === '' && this.pattern.lastIndex < this.text.length)
      throw new ProtoError(`the text at ${this.pattern.lastIndex} is not understood`)
    return token
  }
}

const escapes: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 }

function unescaped(literal: string): Buffer {
  const body = Buffer.from(literal.slice(1, -1), 'utf8')
  if (!body.includes(0x5c)) return body
  const out = Buffer.alloc(body.length)
  let used = 0
  for (let i = 0; i < body.length; i++) {
    const byte = body[i] ?? 0
    if (byte !== 0x5c) {
      out[used++] = byte
      continue
    }
    const rest = body.toString('latin1', i + 1, i + 4)
    const octal = /^[0-7]{1,3}/.exec(rest)?.[0]
    const hex = /^[xX]([0-9a-fA-F]{1,2})/.exec(rest)?.[1]
    if (octal) out[used++] = Number.parseInt(octal, 8) & 0xff
    else if (hex) out[used++] = Number.parseInt(hex, 16)
    else out[used++] = escapes[rest[0] ?? ''] ?? rest.charCodeAt(0)
    i += octal ? octal.length : hex ? hex.length + 1 : 1
  }
  return out.subarray(0, used)
}
