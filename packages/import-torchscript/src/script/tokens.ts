import { refuse } from '@eas/onnx'

/** A complex number: its real and its imaginary part. */
export type Complex = readonly [real: number, imaginary: number]

export type Token =
  | { readonly kind: 'name' | 'mark'; readonly text: string; readonly line: number }
  | {
      readonly kind: 'value'
      readonly value: bigint | number | string | Complex
      readonly text: string
      readonly line: number
    }
  | { readonly kind: 'newline' | 'indent' | 'dedent' | 'end'; readonly text: ''; readonly line: number }

const word = /[A-Za-z_][A-Za-z0-9_]*/y
/** A number: a complex one is `2.+3.j`, or ends in j; a float has a point or an exponent. */
const number = /((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?:([+-](?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)?(j))?/y
const blank = /[ \t]*/y
const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  f: '\f',
  v: '\v',
  a: '\x07',
  b: '\b',
  '0': '\0',
}

/**
 * Splits source into tokens; blocks become `indent` and `dedent`, lines within brackets are joined.
 * @throws {ImportRefusal} At what the printer of TorchScript does not print.
 */
export function tokenize(source: string, file: string): Token[] {
  const tokens: Token[] = []
  const indents = [0]
  let pos = 0
  let line = 1
  let brackets = 0
  let atLineStart = true
  const bad = (what: string) => refuse(`the source does not parse: ${what}`, `${file}:${line}`)

  while (pos < source.length) {
    if (atLineStart) {
      blank.lastIndex = pos
      const width = blank.exec(source)?.[0].length ?? 0
      pos += width
      const c = source[pos]
      if (c === '\n' || c === '\r' || c === '#' || c === undefined) {
        const end = source.indexOf('\n', pos)
        pos = end < 0 ? source.length : end + 1
        line++
        continue
      }
      atLineStart = false
      const current = indents.at(-1) ?? 0
      if (width > current) {
        indents.push(width)
        tokens.push({ kind: 'indent', text: '', line })
      }
      while (width < (indents.at(-1) ?? 0)) {
        indents.pop()
        tokens.push({ kind: 'dedent', text: '', line })
      }
      if (width !== indents.at(-1)) throw bad('a line is indented like none before it')
    }
    const c = source[pos] ?? ''
    if (c === '\n') {
      pos++
      line++
      if (brackets === 0) {
        tokens.push({ kind: 'newline', text: '', line: line - 1 })
        atLineStart = true
      }
    } else if (c === ' ' || c === '\t' || c === '\r') pos++
    else if (c === '#') {
      const end = source.indexOf('\n', pos)
      pos = end < 0 ? source.length : end
    } else if (c === '"' || c === "'") {
      const [value, end] = readString(source, pos, bad)
      tokens.push({ kind: 'value', value, text: '', line })
      pos = end
    } else if ((c >= '0' && c <= '9') || (c === '.' && /\d/.test(source[pos + 1] ?? ''))) {
      number.lastIndex = pos
      const [text = '', first = '', second, isComplex] = number.exec(source) ?? []
      pos += text.length
      const whole = /^\d+$/.test(text) ? BigInt(text) : Number(first)
      const value = isComplex ? complex(Number(first), second === undefined ? undefined : Number(second)) : whole
      tokens.push({ kind: 'value', value, text, line })
    } else if (/[A-Za-z_]/.test(c)) {
      word.lastIndex = pos
      const [text = ''] = word.exec(source) ?? []
      pos += text.length
      tokens.push({ kind: 'name', text, line })
    } else {
      const text = c === '-' && source[pos + 1] === '>' ? '->' : c
      if (text === '(' || text === '[' || text === '{') brackets++
      else if (text === ')' || text === ']' || text === '}') brackets--
      else if (!'->,.:=*'.includes(text)) throw bad(`${JSON.stringify(text)} is not part of TorchScript`)
      pos += text.length
      tokens.push({ kind: 'mark', text, line })
    }
  }
  if (!atLineStart) tokens.push({ kind: 'newline', text: '', line })
  while (indents.length > 1) {
    indents.pop()
    tokens.push({ kind: 'dedent', text: '', line })
  }
  tokens.push({ kind: 'end', text: '', line })
  return tokens
}

const complex = (first: number, second: number | undefined): Complex =>
  second === undefined ? [0, first] : [first, second]

function readString(source: string, start: number, bad: (what: string) => Error): [string, number] {
  const quote = source[start] ?? '"'
  let value = ''
  let from = start + 1
  for (let pos = from; pos < source.length; pos++) {
    const c = source[pos]
    if (c === quote) return [value + source.slice(from, pos), pos + 1]
    if (c === '\n') break
    if (c !== '\\') continue
    value += source.slice(from, pos)
    const octal = /^[0-7]{3}/.exec(source.slice(pos + 1, pos + 4))?.[0]
    const hex = /^x[0-9a-fA-F]{2}/.exec(source.slice(pos + 1, pos + 4))?.[0]
    const next = source[pos + 1] ?? ''
    value += octal
      ? String.fromCharCode(Number.parseInt(octal, 8))
      : hex
        ? String.fromCharCode(Number.parseInt(hex.slice(1), 16))
        : (escapes[next] ?? next)
    pos += octal || hex ? 3 : 1
    from = pos + 1
  }
  throw bad('a string does not end')
}
