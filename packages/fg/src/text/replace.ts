import { RE2JS } from 're2js'

export interface ReplaceOptions {
  /** Every match, not the first only. Default true. */
  readonly replace_all?: boolean
  /** Letters match in either case. Default false. */
  readonly icase?: boolean
}

/** A pattern or replacement that cannot be used. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}

/** Bounds on a pattern, whose repetitions are written out: matching takes time in proportion to that, by the text. */
const limits = {
  ...{ patternChars: 4096, patterns: 256, replacementChars: 65_536, instructions: 20_000 },
  /** Characters of a text, times instructions: at 30 ns each some seconds, on texts that are made for it. */
  steps: 2 ** 28,
} as const

/**
 * `regex_replace_feature`'s and RegexReplace's replacement, of RE2 patterns in time linear in the text. `\1` … `\9` in
 * `replacement` are what the groups matched, `\0` the whole match, `\\` a backslash. Of several patterns each is
 * applied to what the one before it left.
 *
 * @throws {PatternError} for patterns that are not RE2's (backreferences and lookaround are not), whose repetitions
 *   come to more than 20,000 instructions, and for replacements that name a group there is none of. What is returned
 *   throws a `RangeError` for texts so long that a pattern may take seconds.
 * @see https://github.com/google/re2/blob/main/re2/re2.h (`GlobalReplace`, `Rewrite`)
 */
export function compileReplace(
  pattern: string | readonly string[],
  replacement: string,
  options: ReplaceOptions = {},
): (text: string) => string {
  const { replace_all = true, icase = false } = options
  const patterns = typeof pattern === 'string' ? [pattern] : pattern
  if (patterns.length === 0) throw new PatternError('Cannot replace: no pattern is given')
  if (patterns.length > limits.patterns) throw new PatternError(`Cannot replace: ${patterns.length} patterns`)
  if (replacement.length > limits.replacementChars) {
    throw new PatternError(`Cannot replace: a replacement of ${replacement.length} characters`)
  }
  const parts = parseReplacement(replacement)
  const groups = Math.max(...parts.map((part) => (typeof part === 'number' ? part : 0)), 0) // of 9 at most
  const compiled = patterns.map((source) => compilePattern(source, icase, groups))
  return (text) => compiled.reduce((left, re2) => replaceIn(left, re2, parts, replace_all), text)
}

function compilePattern(source: string, icase: boolean, groups: number): RE2JS {
  const shown = JSON.stringify(source.slice(0, 60))
  if (source.length > limits.patternChars) {
    throw new PatternError(`Cannot compile pattern ${shown}…: ${source.length} characters`)
  }
  let re2: RE2JS
  try {
    re2 = RE2JS.compile(source, icase ? RE2JS.CASE_INSENSITIVE : 0)
  } catch (cause) {
    throw new PatternError(`Cannot compile pattern ${shown}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  }
  if (re2.programSize() > limits.instructions) {
    throw new PatternError(`Cannot compile pattern ${shown}: its repetitions come to ${re2.programSize()} instructions`)
  }
  if (re2.groupCount() < groups) {
    throw new PatternError(`Cannot replace by group ${groups}: pattern ${shown} has ${re2.groupCount()}`)
  }
  return re2
}

/** Text and numbers of groups, in turn. */
function parseReplacement(replacement: string): (string | number)[] {
  const parts: (string | number)[] = []
  for (const [text, escaped] of replacement.matchAll(/\\([\s\S]?)|[^\\]+/g)) {
    if (escaped === undefined) parts.push(text)
    else if (escaped === '\\') parts.push('\\')
    else if (/\d/.test(escaped)) parts.push(Number(escaped))
    else throw new PatternError(`Cannot read replacement: ${JSON.stringify(text)} is neither a group nor a backslash`)
  }
  return parts
}

function replaceIn(text: string, re2: RE2JS, parts: readonly (string | number)[], all: boolean): string {
  const steps = text.length * re2.programSize()
  if (steps > limits.steps) {
    throw new RangeError(`Cannot replace in ${text.length} characters: ${re2.programSize()} instructions of a pattern`)
  }
  const matcher = re2.matcher(text)
  let replaced = ''
  let from = 0
  let lastEnd = -1
  while (from <= text.length && matcher.find(from)) {
    const start = matcher.start()
    const end = matcher.end()
    replaced += text.slice(from, start)
    if (start === end && start === lastEnd) {
      // RE2 takes no empty match where the last one ended: it goes on by a character.
      const next = String.fromCodePoint(text.codePointAt(start) ?? 0)
      if (start === text.length) return replaced
      replaced += next
      from = start + next.length
      continue
    }
    for (const part of parts) replaced += typeof part === 'string' ? part : (matcher.group(part) ?? '')
    from = end
    lastEnd = end
    if (!all) break
  }
  return replaced + text.slice(from)
}
