import { RowError } from '../batch-error.ts'
import { type CsvOptions, quoteOf } from './csv-options.ts'

/** A line's values; `null` for what stands for none. @throws {RowError} for marks that are not in pairs. */
export type ReadFields = (line: string) => (string | null)[]

/** What reads the lines of a table of text. */
export function fieldReader(delimiter: string, options: CsvOptions): ReadFields {
  const quote = quoteOf(options)
  const { null: none } = options
  const by = options.escape === quote ? undefined : options.escape
  const given = (text: string) => (text === none ? null : text)
  if (quote === '') {
    if (by === undefined) return (line) => line.split(delimiter).map(given)
    return (line) => escapedFields(line, delimiter, by).map((text) => (text === none ? null : unescaped(text, by)))
  }
  return (line) => {
    if (!line.includes(quote)) return line.split(delimiter).map(given)
    const fields: (string | null)[] = []
    for (let at = 0; ; ) {
      if (line[at] === quote) {
        const end = closingMark(line, at + 1, quote, by)
        if (end < 0) throw new RowError('A quotation mark is not closed')
        fields.push(withoutMarks(line.slice(at + 1, end), quote, by))
        at = end + 1
        if (at < line.length && line[at] !== delimiter) throw new RowError('Something follows a quoted field')
      } else {
        const end = line.indexOf(delimiter, at)
        const field = line.slice(at, end < 0 ? undefined : end)
        if (field.includes(quote)) throw new RowError('A quotation mark stands amid a field')
        fields.push(given(field))
        at = end < 0 ? line.length : end
      }
      if (at >= line.length) return fields
      at++
      if (at === line.length) return [...fields, given('')]
    }
  }
}

/** The mark that closes a field; two of them stand for one, and so does one behind `by`. -1 when there is none. */
function closingMark(line: string, from: number, quote: string, by: string | undefined): number {
  for (let at = from; at < line.length; at++) {
    if (line[at] === by) at++
    else if (line[at] === quote) {
      if (line[at + 1] !== quote) return at
      at++
    }
  }
  return -1
}

/** Two marks are one. Behind `by`, a mark and `by` itself are themselves; before others it stays, as Spark has it. */
function withoutMarks(text: string, quote: string, by: string | undefined): string {
  if (by === undefined || !text.includes(by)) return text.replaceAll(quote + quote, quote)
  let plain = ''
  for (let at = 0; at < text.length; at++) {
    const c = text[at]
    const next = text[at + 1]
    const isPair = (c === by && (next === quote || next === by)) || (c === quote && next === quote)
    plain += isPair ? next : c
    if (isPair) at++
  }
  return plain
}

function escapedFields(line: string, delimiter: string, by: string): string[] {
  const fields: string[] = []
  let from = 0
  for (let at = 0; at < line.length; at++) {
    if (line[at] === by) at++
    else if (line[at] === delimiter) {
      fields.push(line.slice(from, at))
      from = at + 1
    }
  }
  return [...fields, line.slice(from)]
}

/** What letters stand for behind `by`. @see Apache Hive, `serialization.escape.crlf`; PostgreSQL, "COPY", text format */
const letters: { readonly [letter: string]: string | undefined } = { n: '\n', r: '\r', t: '\t' }

function unescaped(text: string, by: string): string {
  if (!text.includes(by)) return text
  let plain = ''
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== by || at + 1 === text.length) plain += text[at]
    else {
      const next = text[++at] as string // inside
      plain += letters[next] ?? next
    }
  }
  return plain
}
