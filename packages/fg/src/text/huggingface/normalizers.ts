import { type Charsmap, readCharsmap } from '../precompiled-charsmap.ts'
import { TokenizerError, tokenizerLimits } from '../tokenizer.ts'
import { classes, toByteChars } from './characters.ts'
import { type Components, makeComponent, type Node } from './json.ts'
import { patternOf } from './pattern.ts'

export type Normalizer = (text: string) => string

/**
 * Letter by letter, as Rust's `char::to_lowercase`: a final sigma is like any other.
 * What a component does is in tokenizers/src/normalizers of https://github.com/huggingface/tokenizers, v0.23.
 */
const lowercase: Normalizer = (text) => text.replaceAll('Σ', 'σ').toLowerCase()

const components: Components<Normalizer> = {
  Sequence: (node) => {
    const all = node.get('normalizers').items().map(makeNormalizer)
    return (text) => all.reduce((left, normalize) => normalize(left), text)
  },
  NFC: () => (text) => text.normalize('NFC'),
  NFD: () => (text) => text.normalize('NFD'),
  NFKC: () => (text) => text.normalize('NFKC'),
  NFKD: () => (text) => text.normalize('NFKD'),
  Lowercase: () => lowercase,
  /** All marks; of BERT's only those that take no space. */
  StripAccents: () => (text) => text.replace(/\p{M}/gu, ''),
  ByteLevel: () => toByteChars,
  Strip: (node) => {
    const left = node.get('strip_left').boolean(true) ? `^[${classes.space}]+` : undefined
    const right = node.get('strip_right').boolean(true)
    const pattern = left && new RegExp(left, 'u')
    return (text) => {
      const stripped = pattern ? text.replace(pattern, '') : text
      return right ? stripEnd(stripped) : stripped
    }
  },
  Replace: (node) => {
    const pattern = patternOf(node.get('pattern'))
    const content = node.get('content').string()
    return (text) => bounded(text.replace(pattern, () => content))
  },
  Prepend: (node) => {
    const prepended = node.get('prepend').string()
    return (text) => (text === '' ? text : prepended + text)
  },
  BertNormalizer: bertNormalizer,
  Nmt: () => (text) =>
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
      .replace(/[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]/g, '')
      .replace(/[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g, ' '),
  Precompiled: (node) => {
    const blob = Buffer.from(node.get('precompiled_charsmap').string(), 'base64')
    return blob.length === 0 ? (text) => text : precompiled(readCharsmap(blob))
  },
}

export const normalizerTypes = Object.keys(components)

export const makeNormalizer = (node: Node): Normalizer => makeComponent(node, components)

function bertNormalizer(node: Node): Normalizer {
  const lower = node.get('lowercase').boolean(true)
  const accents = node.get('strip_accents').boolean(lower)
  const clean = node.get('clean_text').boolean(true)
  const chinese = node.get('handle_chinese_chars').boolean(true)
  return (text) => {
    let left = text
    if (clean) {
      left = left
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
        .replace(/(?![\t\n\r])[\u0000\ufffd\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, '')
        .replace(/\p{White_Space}/gu, ' ')
    }
    if (chinese) left = left.replace(chineseChars, ' $& ')
    if (accents) left = left.normalize('NFD').replace(/\p{Mn}/gu, '')
    return lower ? lowercase(left) : left
  }
}

/** `is_chinese_char` of BERT: the blocks of CJK ideographs that there were then. */
const chineseChars =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu

/** By grapheme where that has an entry, else by character; of several entries that begin it the shortest. */
function precompiled(charsmap: Charsmap): Normalizer {
  const decoder = new TextDecoder()
  const replaced = (chunk: string): string | undefined => {
    const bytes = Buffer.from(chunk)
    for (let end = 1; end <= bytes.length; end++) {
      if (charsmap.match(bytes.subarray(0, end), 0) > 0) return decoder.decode(charsmap.replacement())
    }
    return undefined
  }
  const known = new Map<string, string>()
  const normalized = (grapheme: string): string => {
    const whole = Buffer.byteLength(grapheme) < 6 ? replaced(grapheme) : undefined
    return whole ?? Array.from(grapheme, (char) => replaced(char) ?? char).join('')
  }
  return (text) => {
    let out = ''
    for (const segment of graphemes(text)) {
      let result = known.get(segment)
      if (result === undefined) {
        result = normalized(segment)
        if (known.size < 65_536 && segment.length < 16) known.set(segment, result)
      }
      out += result
      if (out.length > tokenizerLimits.normalizedBytes) bounded(out)
    }
    return out
  }
}

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' })

/** Characters between two of which a grapheme always ends: no marks, no joiners, no halves of anything. */
const isSimple = (unit: number): boolean =>
  (unit >= 0x20 && unit <= 0x7e) ||
  (unit >= 0x400 && unit <= 0x481) ||
  (unit >= 0x3041 && unit <= 0x3096) ||
  (unit >= 0x30a1 && unit <= 0x30fa) ||
  (unit >= 0x3400 && unit <= 0x9fff)

/** The graphemes of a text. Most are simple characters, each of which is one when another follows it. */
function* graphemes(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    let end = from + 1
    let simple = isSimple(text.charCodeAt(from))
    while (end < text.length) {
      const nextSimple = isSimple(text.charCodeAt(end))
      if (simple && nextSimple) break
      simple = nextSimple
      end++
    }
    const stretch = text.slice(from, end)
    if (stretch.length === 1) yield stretch
    else yield* segmented(stretch)
    from = end
  }
}

/**
 * `Intl.Segmenter` takes time in the square of the length in Node 20, so it is given a part at a time; the last grapheme
 * of a part may go on, so the next part begins with it.
 */
function* segmented(text: string): Generator<string> {
  for (let from = 0, length = 256; from < text.length; ) {
    const part = text.slice(from, from + length)
    let last = ''
    for (const { segment } of segmenter.segment(part)) {
      if (last !== '') yield last
      last = segment
    }
    if (from + length >= text.length) {
      yield last
      return
    }
    from += part.length - last.length
    length = last.length === part.length ? length * 2 : 256
  }
}

function bounded(text: string): string {
  if (text.length > tokenizerLimits.normalizedBytes) throw new TokenizerError('Cannot tokenize a text: too long')
  return text
}

const isSpace = new RegExp(`^[${classes.space}]$`, 'u')

/** Without the white space at the end, in time linear in it, which a regular expression would not take. */
function stripEnd(text: string): string {
  let end = text.length
  while (end > 0 && isSpace.test(text[end - 1] ?? '')) end--
  return text.slice(0, end)
}
