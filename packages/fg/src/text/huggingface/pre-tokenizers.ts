import { classes, toByteChars } from './characters.ts'
import { type Components, makeComponent, type Node } from './json.ts'
import { matchesOf, patternOf } from './pattern.ts'

/** Cuts a stretch of text into words. `first` says that the text begins with it. */
export type PreTokenizer = (text: string, first: boolean) => string[]

/** What becomes of what a pattern matches: `SplitDelimiterBehavior`. */
const behaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const
type Behavior = (typeof behaviors)[number]

interface Stretch {
  start: number
  end: number
  readonly matched: boolean
}

/** What a component does is in tokenizers/src/pre_tokenizers of https://github.com/huggingface/tokenizers, v0.23. */
const components: Components<PreTokenizer> = {
  Sequence: (node) => {
    const all = node.get('pretokenizers').items().map(makePreTokenizer)
    return (text, first) =>
      all.reduce((words, cut) => words.flatMap((word, index) => cut(word, first && index === 0)), [text])
  },
  ByteLevel: byteLevel,
  BertPreTokenizer: () => {
    const spaces = splitter(new RegExp(`[${classes.space}]`, 'gu'), 'Removed')
    const punctuation = splitter(new RegExp(`[${classes.punctuation}]`, 'gu'), 'Isolated')
    return (text) => spaces(text).flatMap(punctuation)
  },
  Whitespace: () =>
    splitter(new RegExp(`[${classes.word}]+|[^${classes.word}${classes.space}]+`, 'gu'), 'Removed', true),
  WhitespaceSplit: () => splitter(new RegExp(`[${classes.space}]`, 'gu'), 'Removed'),
  Punctuation: (node) => {
    const pattern = new RegExp(`[${classes.punctuation}]`, 'gu')
    return splitter(pattern, behaviorOf(node.get('behavior'), 'Isolated'))
  },
  Digits: (node) => {
    const each = node.get('individual_digits').boolean(false)
    return splitter(new RegExp(`[${classes.numeric}]`, 'gu'), each ? 'Isolated' : 'Contiguous')
  },
  CharDelimiterSplit: (node) => {
    const delimiter = node.get('delimiter').string()
    return (text) => text.split(delimiter).filter((word) => word !== '')
  },
  Metaspace: metaspace,
  Split: (node) =>
    splitter(patternOf(node.get('pattern')), behaviorOf(node.get('behavior')), node.get('invert').boolean(false)),
  FixedLength: (node) => {
    const length = Math.max(1, node.get('length').count(5))
    return (text) => {
      const chars = [...text]
      return Array.from({ length: Math.ceil(chars.length / length) }, (_, index) =>
        chars.slice(index * length, (index + 1) * length).join(''),
      )
    }
  },
}

export const preTokenizerTypes = Object.keys(components)

export const makePreTokenizer = (node: Node): PreTokenizer => makeComponent(node, components)

function behaviorOf(node: Node, fallback?: Behavior): Behavior {
  const name = node.string(fallback)
  const behavior = behaviors.find((known) => known === name)
  if (!behavior) throw node.unsupported()
  return behavior
}

/** GPT-2's, which byte-level tokenizers use unless they bring their own. */
const gpt2Pattern = new RegExp(
  `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${classes.space}\\p{L}\\p{N}]+|[${classes.space}]+(?![^${classes.space}])|[${classes.space}]+`,
  'gu',
)

function byteLevel(node: Node): PreTokenizer {
  const addPrefixSpace = node.get('add_prefix_space').boolean(true)
  const cut = node.get('use_regex').boolean(true) ? splitter(gpt2Pattern, 'Isolated') : (text: string) => [text]
  return (text) => cut(addPrefixSpace && !text.startsWith(' ') ? ` ${text}` : text).map(toByteChars)
}

function metaspace(node: Node): PreTokenizer {
  const replacement = node.get('replacement').string('▁')
  // Before `prepend_scheme` there was `add_prefix_space`.
  const older = node.get('add_prefix_space').boolean(true) ? 'always' : 'never'
  const scheme = node.get('prepend_scheme').string(older)
  if (!['always', 'first', 'never'].includes(scheme)) throw node.get('prepend_scheme').unsupported()
  const cut = node.get('split').boolean(true)
    ? splitter(new RegExp(replacement.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), 'gu'), 'MergedWithNext')
    : (text: string) => [text]
  return (text, first) => {
    const replaced = text.replaceAll(' ', replacement)
    const prepended = scheme === 'always' || (scheme === 'first' && first)
    return cut(prepended && !replaced.startsWith(replacement) ? replacement + replaced : replaced)
  }
}

/** Cuts where `pattern` matches, or with `invert` where it does not; words are never empty. */
function splitter(pattern: RegExp, behavior: Behavior, invert = false): (text: string) => string[] {
  return (text) => {
    const stretches: Stretch[] = []
    const add = (start: number, end: number, matched: boolean) => {
      if (start < end) stretches.push({ start, end, matched: matched !== invert })
    }
    let from = 0
    for (const [start, end] of matchesOf(pattern, text)) {
      add(from, start, false)
      add(start, end, true)
      from = end
    }
    add(from, text.length, false)
    return joined[behavior](stretches).map(({ start, end }) => text.slice(start, end))
  }
}

const joined: { readonly [behavior in Behavior]: (stretches: readonly Stretch[]) => readonly Stretch[] } = {
  Removed: (stretches) => stretches.filter(({ matched }) => !matched),
  Isolated: (stretches) => stretches,
  MergedWithPrevious: (stretches) => {
    const out: Stretch[] = []
    for (const [index, stretch] of stretches.entries()) {
      const last = out.at(-1)
      if (last && stretch.matched && !stretches[index - 1]?.matched) last.end = stretch.end
      else out.push({ ...stretch })
    }
    return out
  },
  MergedWithNext: (stretches) => {
    const out: Stretch[] = []
    for (let index = stretches.length - 1; index >= 0; index--) {
      const stretch = stretches[index] as Stretch // in range
      const last = out.at(-1)
      if (last && stretch.matched && !stretches[index + 1]?.matched) last.start = stretch.start
      else out.push({ ...stretch })
    }
    return out.reverse()
  },
  Contiguous: (stretches) => {
    const out: Stretch[] = []
    for (const stretch of stretches) {
      const last = out.at(-1)
      if (last?.matched === stretch.matched) last.end = stretch.end
      else out.push({ ...stretch })
    }
    return out
  },
}
