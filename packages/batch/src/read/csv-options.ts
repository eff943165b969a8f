import { oneLine } from '@eas/base'
import { BatchError } from '../batch-error.ts'

/** How a table of text is written. Each character is one of ASCII. */
export interface CsvOptions {
  /** Between values. Default: a comma, tab, semicolon, `|` or Hive's `\u0001`, whichever the first line has. */
  readonly delimiter?: string
  /** Around values that hold what means something. `''`: nothing does, as in Hive's files. Default: `"`. */
  readonly quote?: string
  /**
   * Before a mark that is part of a value, as in Spark's files; where nothing is around values, before every character that
   * means something, as in Hive's. Default: a mark is written twice.
   */
  readonly escape?: string
  /** What stands for no value, without marks around it. Default: nothing does, and an empty value is an empty text. */
  readonly null?: string
  /** The columns of files that have no header. */
  readonly columns?: readonly string[]
}

/** Characters as bytes, as far as they decide where a line ends. */
export interface LineMarks {
  readonly delimiters: ReadonlySet<number>
  /** -1: none. */
  readonly quote: number
  readonly escapeByte: number
}

const quoteDefault = '"'

export const quoteOf = ({ quote = quoteDefault }: CsvOptions): string => quote

export const lineMarks = (options: CsvOptions, delimiters: string): LineMarks => ({
  delimiters: new Set(Buffer.from(delimiters)),
  quote: byteOf(quoteOf(options)),
  escapeByte: options.escape === quoteOf(options) ? -1 : byteOf(options.escape ?? ''),
})

const byteOf = (character: string) => (character === '' ? -1 : character.charCodeAt(0))

type Check = (value: unknown) => boolean

const isCharacter: Check = (value) =>
  typeof value === 'string' && value.length === 1 && value !== '\n' && value !== '\r' && value.charCodeAt(0) < 0x80
const isNames: Check = (value) =>
  Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string')

/** What each option may be. */
const checks: { readonly [K in keyof Required<CsvOptions>]: readonly [Check, string] } = {
  delimiter: [isCharacter, 'one character of ASCII'],
  quote: [(value) => value === '' || isCharacter(value), 'one character of ASCII, or none'],
  escape: [isCharacter, 'one character of ASCII'],
  null: [(value) => typeof value === 'string', 'a text'],
  columns: [isNames, 'a list of names'],
}

/** @throws {BatchError} `bad_mapping` */
export function parseCsvOptions(json: unknown): CsvOptions {
  const wrong = (what: string) => new BatchError('bad_mapping', `Cannot read the mapping: ${what}`)
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrong('csv must be an object')
  for (const [name, value] of Object.entries(json)) {
    const check = Object.hasOwn(checks, name) ? checks[name as keyof CsvOptions] : undefined // has it
    if (!check) throw wrong(`csv has no ${oneLine(name)}; it has ${Object.keys(checks).join(', ')}`)
    if (!check[0](value)) throw wrong(`csv.${name} must be ${check[1]}`)
  }
  const options = json as CsvOptions // each member has been looked at
  const quote = quoteOf(options)
  if (options.delimiter !== undefined && options.delimiter === quote)
    throw wrong('csv.delimiter and csv.quote are the same')
  if (options.delimiter !== undefined && options.delimiter === options.escape) {
    throw wrong('csv.delimiter and csv.escape are the same')
  }
  return options
}
