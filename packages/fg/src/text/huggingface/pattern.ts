import { classes } from './characters.ts'
import type { Node } from './json.ts'

/** Longest regular expression of a tokenizer; that of the newest has 300 characters. */
const maxChars = 4096

/**
 * `{ "String": … }` or `{ "Regex": … }` as a JavaScript regular expression that finds all matches. Regular expressions
 * of tokenizers are Oniguruma's; those constructs that mean the same, or can be said otherwise, are taken.
 *
 * @throws {TokenizerError} for the others, such as possessive quantifiers.
 */
export function patternOf(node: Node): RegExp {
  const text = node.get('String')
  if (!text.missing) return new RegExp(text.string().replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), 'gu')
  const regex = node.get('Regex')
  const source = regex.string()
  if (source.length > maxChars) throw regex.wrong(`a pattern of at most ${maxChars} characters`)
  try {
    return new RegExp(translate(source), 'gu')
  } catch {
    throw regex.unsupported()
  }
}

const escapes: { readonly [written: string]: string } = {
  '\\s': classes.space,
  '\\d': '\\p{Nd}',
  '\\w': '\\p{L}\\p{M}\\p{Nd}\\p{Pc}',
}
const negated: { readonly [written: string]: string } = { '\\S': '\\s', '\\D': '\\d', '\\W': '\\w' }

/** To Oniguruma only a line feed ends a line, and every line has a beginning and an end. */
const lineSigns: { readonly [sign: string]: string } = { '^': '(?<![^\\n])', $: '(?![^\\n])', '.': '[^\\n]' }

/** What a pattern is made of, as far as it has to be told apart. */
const part = /\\[pP]\{[^}]*\}|\\x\{[0-9a-fA-F]+\}|\\[\s\S]|\(\?i:|\(\?[=!:]|\(\?<[=!]|\(\?|[\s\S]/gu

/** @throws {SyntaxError} for what has no counterpart. */
function translate(source: string): string {
  if (source.includes('&&')) throw new SyntaxError('intersection of classes')
  let out = ''
  let inClass = false
  let afterQuantifier = false
  /** Levels of open groups, true where letters match in either case. */
  const groups: boolean[] = []
  const anyCase = () => groups.at(-1) === true
  for (const [token] of source.matchAll(part)) {
    const quantifier = !inClass && /^[*+?}]$/.test(token)
    if (afterQuantifier && token === '+') throw new SyntaxError('possessive')
    afterQuantifier = quantifier
    if (token === '(?i:') {
      groups.push(true)
      out += '(?:'
    } else if (/^\(\?(?:[=!:]|<[=!])$/.test(token) || (token === '(' && !inClass)) {
      groups.push(anyCase())
      out += token
    } else if (token === '(?') throw new SyntaxError('group')
    else if (token === ')' && !inClass) {
      groups.pop()
      out += token
    } else if (token === '[' && inClass) throw new SyntaxError('class in class')
    else if (token === '[' || (token === ']' && inClass)) {
      inClass = token === '['
      out += token
    } else if (escapes[token] !== undefined) out += inClass ? escapes[token] : `[${escapes[token]}]`
    else if (negated[token] !== undefined) {
      if (token === '\\S' && inClass) out += '\\P{White_Space}'
      else if (token === '\\D' && inClass) out += '\\P{Nd}'
      else if (inClass) throw new SyntaxError('negated word in class')
      else out += `[^${escapes[negated[token] ?? '']}]`
    } else if (/^\\x\{/.test(token)) out += `\\u{${token.slice(3, -1)}}`
    else if (/^\\[AzZGKRXhHyYk]$/.test(token)) throw new SyntaxError('escape')
    else if (/^\\[^a-zA-Z0-9]$/.test(token))
      out += /[\^$\\.*+?()[\]{}|/-]/.test(token[1] ?? '') ? token : token.slice(1)
    else if (!inClass && lineSigns[token] !== undefined) out += lineSigns[token]
    else if (anyCase() && /^[a-zA-Z]$/.test(token)) {
      // Of a range the other case would have to be found too.
      if (inClass) throw new SyntaxError('class in either case')
      // Unicode's other small s is an s too.
      out += `[${token.toLowerCase()}${token.toUpperCase()}${token.toLowerCase() === 's' ? 'ſ' : ''}]`
    } else out += token
  }
  return out
}

/** Where a pattern matches, in order; empty matches are passed over. */
export function matchesOf(pattern: RegExp, text: string): [start: number, end: number][] {
  const found: [number, number][] = []
  for (const match of text.matchAll(pattern)) {
    if (match[0].length > 0) found.push([match.index, match.index + match[0].length])
  }
  return found
}
