import { once } from '@eas/base'
import { simplified, traditional } from './gen/traditional-to-simplified.ts'

/** Keys of `text_normalizer`, with the document's defaults. */
export interface TextNormalizerOptions {
  /** Sum of `textNormalizerBits`. Default 58: upper case, half width, simplified, filtered. */
  readonly parameter?: number
  /** Default false. */
  readonly remove_space?: boolean
  /** Texts of more characters (code points) stay as they are. Default: all are normalized. */
  readonly max_length?: number
  /** Contents of `stop_char_file`: the characters of all lines, or the default set. */
  readonly stop_chars?: string
  readonly is_gbk_input?: boolean
  readonly is_gbk_output?: boolean
}

/** What a text normalizer can be told to do: the bits of `parameter`. */
export const textNormalizerBits = {
  /** `TEXT_LOWER2UPPER` */
  lowerToUpper: 2,
  /** `TEXT_UPPER2LOWER` */
  upperToLower: 4,
  /** `TEXT_SBC2DBC`: full width to half width. */
  fullToHalf: 8,
  /** `TEXT_CHT2CHS`: traditional to simplified Chinese, character by character. */
  traditionalToSimplified: 16,
  /** `TEXT_FILTER`: stop characters are taken out. */
  filter: 32,
  /** `TEXT_SPLITCHRS`: blanks around every Chinese character. */
  splitChinese: 512,
} as const

const everyBit = Object.values(textNormalizerBits).reduce((sum, bit) => sum | bit, 0)
const defaultParameter = 58

/** Steps in the order in which they are taken, each on what the one before it left. */
const steps: readonly {
  readonly bit: number
  readonly make: (options: TextNormalizerOptions) => (text: string) => string
}[] = [
  { bit: textNormalizerBits.fullToHalf, make: () => fullToHalf },
  { bit: textNormalizerBits.traditionalToSimplified, make: () => toSimplified },
  { bit: textNormalizerBits.lowerToUpper, make: () => (text) => changeCase(text, (char) => char.toUpperCase()) },
  { bit: textNormalizerBits.upperToLower, make: () => (text) => changeCase(text, (char) => char.toLowerCase()) },
  { bit: textNormalizerBits.filter, make: ({ stop_chars }) => filter(stop_chars) },
  { bit: textNormalizerBits.splitChinese, make: () => splitChinese },
]

/**
 * `text_normalizer`: case, width, script and symbols made alike before a text is tokenized.
 *
 * The processor's default list of stop characters is not published with its source; in its place stand all that
 * Unicode counts as punctuation or symbols, and control characters. A `stop_char_file` makes the two alike.
 *
 * @throws {RangeError} for bits of `parameter` that have no meaning, and for GBK, which requests cannot carry: their
 *   strings are UTF-8.
 * @see https://help.aliyun.com/zh/airec/what-is-pai-rec/user-guide/built-in-feature-operator (text_normalizer)
 */
export function createTextNormalizer(options: TextNormalizerOptions = {}): (text: string) => string {
  const { parameter = defaultParameter, remove_space = false, max_length, is_gbk_input, is_gbk_output } = options
  if (!Number.isInteger(parameter) || parameter < 0 || (parameter & ~everyBit) !== 0) {
    throw new RangeError(`Cannot normalize texts: parameter ${parameter} has bits without meaning`)
  }
  if (is_gbk_input || is_gbk_output) throw new RangeError('Cannot normalize texts: GBK is not supported, only UTF-8')
  const taken = steps.filter(({ bit }) => (parameter & bit) !== 0).map(({ make }) => make(options))
  if (remove_space) taken.push((text) => text.replace(/\s+/gu, ''))
  return (text) => {
    if (max_length !== undefined && isLonger(text, max_length)) return text
    return taken.reduce((left, step) => step(left), text)
  }
}

/** Whether a text has more code points than `most`, of which each is one or two UTF-16 units. */
function isLonger(text: string, most: number): boolean {
  if (text.length <= most) return false
  if (text.length > 2 * most) return true
  return [...text].length > most
}

/** Letters whose other case is one letter too; of those that become several, such as ß, only these stay. */
function changeCase(text: string, change: (char: string) => string): string {
  const changed = change(text)
  if (changed.length === text.length) return changed
  return Array.from(text, (char) => {
    const other = change(char)
    return other.length === char.length ? other : char
  }).join('')
}

/** ASCII's full-width forms, U+FF01 … U+FF5E, and the ideographic space. */
const fullToHalf = (text: string): string =>
  text.replace(/[\uff01-\uff5e]/g, (char) => String.fromCharCode(char.charCodeAt(0) - 0xfee0)).replace(/\u3000/g, ' ')

const simplifiedOf = once(() => {
  const forms = [...simplified]
  return new Map([...traditional].map((char, index) => [char, forms[index] ?? char]))
})

const toSimplified = (text: string): string =>
  text.replace(/\p{Script=Han}/gu, (char) => simplifiedOf().get(char) ?? char)

function filter(stop_chars: string | undefined): (text: string) => string {
  if (stop_chars === undefined)
    return (text) => text.replace(/[\p{P}\p{S}\p{Cc}]/gu, (char) => (isBlank(char) ? char : ''))
  const stopped = new Set(stop_chars.replace(/[\r\n]/g, ''))
  return (text) => Array.from(text, (char) => (stopped.has(char) ? '' : char)).join('')
}

const isBlank = (char: string) => char === '\t' || char === '\n' || char === '\r'

const splitChinese = (text: string): string =>
  text.replace(/(?<=\S)(?=\p{Script=Han})|(?<=\p{Script=Han})(?=\S)/gu, ' ')
