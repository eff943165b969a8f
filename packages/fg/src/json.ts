import { limits, oneLine } from '@eas/base'
import { FgConfigError } from './error.ts'
import { fgLimits } from './limits.ts'

/**
 * Parses JSON without losing integers: one of sixteen digits or more becomes a string, since `hash_bucket_size` may be
 * 2^63 - 1 (zero-collision hash and dynamic embeddings) and a number would round it. So do `NaN`, `Infinity` and
 * `-Infinity`, which Python's `json.dump` writes for `fill_missing: nan` and boundaries of `inf`.
 *
 * @throws {FgConfigError}
 */
export function parseFgJson(document: string | Uint8Array): unknown {
  if (document.length > fgLimits.documentBytes) {
    throw new FgConfigError([`${document.length} bytes are more than ${fgLimits.documentBytes}`])
  }
  const text = typeof document === 'string' ? document : decodeText(document)
  const quoted = quoteNumbers(text)
  try {
    return JSON.parse(quoted)
  } catch {
    throw new FgConfigError([`not valid JSON${whereJsonEnds(text)}`])
  }
}

function decodeText(document: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(document)
  } catch {
    throw new FgConfigError(['not valid JSON: it is not UTF-8'])
  }
}

/** Where a text stops being JSON: by line and column, or where the engine does not count, in its own words. */
function whereJsonEnds(text: string): string {
  try {
    JSON.parse(text)
    return ''
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : ''
    const [, position] = /at position (\d+)/.exec(message) ?? []
    if (position === undefined) return `: ${oneLine(message, 120)}`
    const before = text.slice(0, Number(position)).split('\n')
    return `: line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
  }
}

const quote = 0x22
const backslash = 0x5c
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
/** `.`, `e` and `E`: what makes a number another kind than an integer. */
const isFraction = (code: number): boolean => code === 0x2e || code === 0x65 || code === 0x45

const notNumbers = /NaN|Infinity/y

/** Of long integers, and of what JSON has no numbers for. Also bounds the nesting, before anything recursive sees it. */
function quoteNumbers(text: string): string {
  let out = ''
  let copied = 0
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === quote) {
      for (i++; i < text.length && text.charCodeAt(i) !== quote; i++) if (text.charCodeAt(i) === backslash) i++
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > limits.jsonDepth) throw new FgConfigError([`nested deeper than ${limits.jsonDepth} levels`])
    } else if (code === 0x7d || code === 0x5d) depth--
    else if (code === 0x4e || code === 0x49) {
      notNumbers.lastIndex = i
      const [word] = notNumbers.exec(text) ?? []
      if (word === undefined) continue
      const start = text.charCodeAt(i - 1) === 0x2d ? i - 1 : i
      const end = i + word.length
      out += `${text.slice(copied, start)}"${text.slice(start, end)}"`
      copied = end
      i = end - 1
    } else if (isDigit(code)) {
      const start = text.charCodeAt(i - 1) === 0x2d ? i - 1 : i
      while (isDigit(text.charCodeAt(i + 1))) i++
      const end = i + 1
      if (isFraction(text.charCodeAt(end))) {
        while (/[\d.eE+-]/.test(text.charAt(i + 1))) i++
      } else if (end - start >= 16) {
        out += `${text.slice(copied, start)}"${text.slice(start, end)}"`
        copied = end
      }
    }
  }
  return out + text.slice(copied)
}
