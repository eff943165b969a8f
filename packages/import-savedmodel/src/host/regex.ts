import { RE2JS } from 're2js'
import { invalid } from './values.ts'

/**
 * RE2, as TensorFlow's string operators have it: time linear in the text, so that neither a pattern nor a request's text can
 * take more.
 * @see https://github.com/google/re2/blob/main/re2/re2.h (`GlobalReplace`, `Replace`, `FullMatch`, `Rewrite`)
 */

/** Repetitions are written out when a pattern is compiled; each takes time for each character. */
const maxInstructions = 20_000
const maxPatternChars = 4096

/** Patterns compiled of late: most come from the graph, a few from requests. */
const compiled = new Map<string, RE2JS>()
const maxCompiled = 256

function compile(pattern: string): RE2JS {
  const known = compiled.get(pattern)
  if (known) return known
  const shown = JSON.stringify(pattern.slice(0, 60))
  if (pattern.length > maxPatternChars) throw invalid(`the pattern ${shown}… has ${pattern.length} characters`)
  let made: RE2JS
  try {
    made = RE2JS.compile(pattern)
  } catch (cause) {
    throw invalid(`the pattern ${shown} is invalid: ${cause instanceof Error ? cause.message.slice(0, 80) : ''}`)
  }
  if (made.programSize() > maxInstructions) throw invalid(`the pattern ${shown} repeats too often`)
  if (compiled.size >= maxCompiled) compiled.clear()
  compiled.set(pattern, made)
  return made
}

export function fullMatcher(pattern: string): (text: string) => boolean {
  const re2 = compile(pattern)
  return (text) => re2.matcher(text).matches()
}

/** @param rewrite `\1` … `\9` are what the groups matched, `\0` all of the match, `\\` a backslash. */
export function replacer(pattern: string, rewrite: string, isGlobal: boolean): (text: string) => string {
  const re2 = compile(pattern)
  const parts = partsOf(rewrite)
  const groups = parts.filter((part) => typeof part === 'number')
  if (groups.some((group) => group > re2.groupCount()))
    throw invalid(`the rewrite ${JSON.stringify(rewrite.slice(0, 60))} names a group that the pattern does not have`)
  return (text) => {
    const matcher = re2.matcher(text)
    let result = ''
    let from = 0
    let lastEnd = -1
    while (from <= text.length && matcher.find(from)) {
      const [start, end] = [matcher.start(), matcher.end()]
      result += text.slice(from, start)
      if (start === end && start === lastEnd) {
        // RE2 takes no empty match where the last one ended: it goes on by a character.
        if (start === text.length) return result
        const next = String.fromCodePoint(text.codePointAt(start) ?? 0)
        result += next
        from = start + next.length
        continue
      }
      for (const part of parts) result += typeof part === 'string' ? part : (matcher.group(part) ?? '')
      from = end
      lastEnd = end
      if (!isGlobal) break
    }
    return result + text.slice(from)
  }
}

function partsOf(rewrite: string): (string | number)[] {
  return [...rewrite.matchAll(/\\([\s\S]?)|[^\\]+/g)].map(([text, escaped]) => {
    if (escaped === undefined) return text
    if (escaped === '\\') return '\\'
    if (/\d/.test(escaped)) return Number(escaped)
    throw invalid(`the rewrite ${JSON.stringify(rewrite.slice(0, 60))} has a backslash before no digit`)
  })
}
