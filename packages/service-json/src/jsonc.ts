import { limits, oneLine } from '@eas/base'
import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import { ConfigError, type Findings, type Position } from './config-error.ts'

/** JSON with the place of every value, so that a message can point at it. */
export type JsonNode =
  | { readonly kind: 'object'; readonly at: Position; readonly entries: readonly JsonEntry[] }
  | { readonly kind: 'list'; readonly at: Position; readonly items: readonly JsonNode[] }
  | { readonly kind: 'scalar'; readonly at: Position; readonly value: string | number | boolean | null }

export interface JsonEntry {
  readonly key: string
  readonly at: Position
  readonly value: JsonNode
}

/**
 * Reads JSON as the published examples have it: with comments and trailing commas, and perhaps a byte order mark. A key
 * that stands twice in one object takes its last value, as in every JSON reader, and a warning says so. A `__proto__` key
 * is left out with a warning: it means nothing here and could do harm in a copy.
 *
 * @param path Put before the keys in warnings; for JSON inside a value.
 * @throws {ConfigError} for the first syntax error, with line and column, and for text over the limits. What follows
 * the first syntax error is an echo of it more often than not.
 */
export function readJsonc(text: string, file: string, findings: Findings, path = ''): JsonNode {
  const fail = (message: string, at?: Position) => new ConfigError(file, [{ path, message, at }])
  if (text.length > limits.serviceJsonBytes || Buffer.byteLength(text) > limits.serviceJsonBytes) {
    throw fail(`is larger than ${limits.serviceJsonBytes} bytes`)
  }
  const json = text.replace(/^\ufeff/, '')
  const position = positions(json)
  const tooDeep = firstTooDeep(json)
  if (tooDeep !== undefined) throw fail(`is nested deeper than ${limits.jsonDepth} levels`, position(tooDeep))

  if (json.trim() === '') throw fail('is empty')

  const errors: ParseError[] = []
  const root = parseTree(json, errors, { allowTrailingComma: true })
  const [error] = errors
  if (error) throw fail(syntaxMessage(error), position(error.offset))
  if (!root) throw fail('is empty')
  return toNode(root, path, position, findings)
}

/** The value as plain JSON. Objects have no prototype. */
export function toPlain(node: JsonNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(toPlain)
  const object: Record<string, unknown> = Object.create(null)
  for (const { key, value } of node.entries) object[key] = toPlain(value)
  return object
}

function toNode(node: Node, path: string, position: (offset: number) => Position, findings: Findings): JsonNode {
  const at = position(node.offset)
  const children = node.children ?? []
  if (node.type === 'array') {
    return { kind: 'list', at, items: children.map((child, i) => toNode(child, `${path}[${i}]`, position, findings)) }
  }
  if (node.type !== 'object') {
    // parseTree gives a number beyond the largest double as Infinity, which is no JSON value.
    const tooLarge = node.value === Infinity || node.value === -Infinity
    if (tooLarge) findings.bad(path, 'is a number out of range', at)
    return { kind: 'scalar', at, value: tooLarge ? null : node.value }
  }
  const entries = new Map<string, JsonEntry>()
  for (const { children: pair } of children) {
    const [keyNode, valueNode] = pair ?? []
    if (!keyNode || !valueNode) continue // only in a tree with errors, which was refused
    const key: string = keyNode.value
    const keyPath = joinPath(path, oneLine(key, 80))
    const keyAt = position(keyNode.offset)
    if (key === '__proto__') {
      findings.warn('left_out', keyPath, () => `${keyPath}: is left out, no configuration has such a key`, keyAt)
      continue
    }
    const first = entries.get(key)
    if (first) {
      const message = () =>
        `${keyPath}: is there twice, at line ${first.at.line} and ${keyAt.line}; the last one counts`
      findings.warn('duplicate_key', keyPath, message, keyAt)
      entries.delete(key) // and set again below: entries stand in the order of their last mention
    }
    entries.set(key, { key, at: keyAt, value: toNode(valueNode, keyPath, position, findings) })
  }
  return { kind: 'object', at, entries: [...entries.values()] }
}

/** `key` below `path`. */
export const joinPath = (path: string, key: string): string => (path ? `${path}.${key}` : key)

// Token kinds of jsonc-parser, which declares them as a `const enum` that single-file compilation cannot read.
const openBrace = 1
const closeBrace = 2
const openBracket = 3
const closeBracket = 4
const endOfFile = 17

/** Offset of the first bracket nested too deep. `parseTree` recurses, so the depth is checked before it is called. */
function firstTooDeep(json: string): number | undefined {
  const scanner = createScanner(json, true)
  let depth = 0
  for (let token: number = scanner.scan(); token !== endOfFile; token = scanner.scan()) {
    if (token === openBrace || token === openBracket) depth++
    if (token === closeBrace || token === closeBracket) depth--
    if (depth > limits.jsonDepth) return scanner.getTokenOffset()
  }
  return undefined
}

function positions(json: string): (offset: number) => Position {
  const lineOffsets = [0]
  for (let i = json.indexOf('\n'); i >= 0; i = json.indexOf('\n', i + 1)) lineOffsets.push(i + 1)
  return (offset) => {
    let low = 0
    let high = lineOffsets.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((lineOffsets[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return { line: low + 1, column: offset - (lineOffsets[low] ?? 0) + 1 }
  }
}

const syntaxMessages: Readonly<Record<string, string>> = {
  InvalidSymbol: 'this is not JSON (strings and keys need double quotes)',
  InvalidNumberFormat: 'this is not a number as JSON writes it',
  PropertyNameExpected: 'a key in double quotes should stand here',
  ValueExpected: 'a value should stand here',
  ColonExpected: '":" should stand here',
  CommaExpected: '"," should stand here',
  CloseBraceExpected: '"}" should stand here',
  CloseBracketExpected: '"]" should stand here',
  EndOfFileExpected: 'the file should end here',
  UnexpectedEndOfComment: 'this comment does not end',
  UnexpectedEndOfString: 'this string does not end on its line',
  UnexpectedEndOfNumber: 'this number breaks off',
  InvalidUnicode: 'this \\u escape is not four hexadecimal digits',
  InvalidEscapeCharacter: 'JSON has no such escape',
  InvalidCharacter: 'a control character must be escaped',
}

function syntaxMessage({ error }: ParseError): string {
  const code = printParseErrorCode(error)
  return syntaxMessages[code] ?? code
}
