import { isUtf8 } from 'node:buffer'
import { BatchError, RowError, reasonOf } from '../batch-error.ts'
import { batchLimits } from '../limits.ts'
import type { RowPlan } from '../rows/mapping.ts'
import { fieldReader, type ReadFields } from './csv-fields.ts'
import { type CsvOptions, lineMarks, quoteOf } from './csv-options.ts'
import { hasMark, refuseUtf16 } from './ndjson.ts'
import type { RowBlock, RowFormat } from './row-block.ts'
import { type Lines, splitLines } from './split.ts'
import { checkColumns } from './table.ts'

/** Comma-separated values, or with another character between them, whose first line names the columns. @see RFC 4180 */
export const csv: RowFormat = {
  name: 'csv',
  async *blocks(source, offset, plan) {
    const { csv: options } = plan
    const header = await readHeader(source.content(0), options)
    check(header, options, plan)
    const from = Math.max(offset, header.end)
    const marks = lineMarks(options, header.delimiter)
    const read = fieldReader(header.delimiter, options)
    for await (const lines of splitLines(source.content(from), from, marks)) {
      const block = blockOf(lines, header, read, options)
      if (block.count > 0) yield block
    }
  },
}

/** The likeliest first: a name may hold what stands behind. The first is Hive's, and in no name. */
const delimiters = ['\u0001', ',', '\t', ';', '|'] as const

/** What stands between the names of a header, outside of quotation marks. */
function delimiterOf(header: string): string {
  const unquoted = header.replace(/"[^"]*"/g, '')
  return delimiters.find((delimiter) => unquoted.includes(delimiter)) ?? ','
}

interface Header {
  readonly names: readonly string[]
  readonly delimiter: string
  /** Where the rows begin. */
  readonly end: number
}

async function readHeader(content: AsyncIterable<Uint8Array>, options: CsvOptions): Promise<Header> {
  const { delimiter, columns } = options
  const { null: _, ...withoutNull } = options
  for await (const { bytes, starts, ends } of splitLines(
    content,
    0,
    lineMarks(options, delimiter ?? delimiters.join('')),
  )) {
    refuseUtf16(bytes)
    const line = bytes.subarray(starts[0], ends[0])
    const isText = isUtf8(line)
    const text = isText ? textOf(line).replace(/^\ufeff/, '') : ''
    const by = delimiter ?? delimiterOf(text)
    if (columns) return { names: columns, delimiter: by, end: 0 }
    if (!isText) throw malformed('its header is not UTF-8')
    if (text.includes('\r'))
      throw malformed('its lines end with a carriage return alone; they have to end with a line feed')
    const names = headerOf(text, fieldReader(by, withoutNull))
    if (names.length > batchLimits.columns) throw malformed(`it has ${names.length} columns`)
    return { names, delimiter: by, end: (ends[0] ?? 0) + 1 }
  }
  if (columns) return { names: columns, delimiter: delimiter ?? ',', end: 0 }
  throw malformed('it is empty, without even a header')
}

const malformed = (what: string) => new BatchError('bad_object', `Cannot read the object: ${what}`)

function headerOf(text: string, read: ReadFields): string[] {
  try {
    return read(text).map((name) => (name ?? '').trim())
  } catch (thrown) {
    throw malformed(`its header is wrong: ${reasonOf(thrown)}; ${noHeader}`)
  }
}

/** What may be the matter with a file whose first line names no columns. */
function check({ names }: Header, { columns }: CsvOptions, plan: RowPlan): void {
  try {
    checkColumns(names, plan, columns ? 'the mapping has' : 'the header has')
  } catch (thrown) {
    const isMissing = thrown instanceof BatchError && thrown.message.includes('no column')
    if (!isMissing || columns) throw thrown
    throw new BatchError(thrown.code, `${thrown.message}; ${noHeader}`)
  }
}

/** @param value In JSON. */
const advice = (option: string, value: string, when: string) =>
  `if ${when}, the mapping has to say "csv": {"${option}": ${value}}`

const noHeader = advice('columns', '["…"]', 'it has no header')

/** What the writers of some systems do otherwise, in the line of a row that failed: which option would be worth a try. */
function hintOf(line: string, { delimiter }: Header, options: CsvOptions): string {
  if (options.escape === undefined && line.includes('\\"')) {
    return `; ${advice('escape', '"\\\\"', '\\" is a quotation mark within a value, as Spark writes it')}`
  }
  if (options.null === undefined && line.split(delimiter).includes('\\N')) {
    return `; ${advice('null', '"\\\\N"', '\\N stands for no value, as in Hive and MaxCompute')}`
  }
  const isHive = delimiter === '\u0001' && quoteOf(options) !== '' && line.includes(quoteOf(options))
  return isHive ? `; ${advice('quote', '""', 'quotation marks mean nothing, as in Hive')}` : ''
}

function blockOf(
  { bytes, starts, ends, offset }: Lines,
  header: Header,
  read: ReadFields,
  options: CsvOptions,
): RowBlock {
  const { names } = header
  // A file without a header may have a byte order mark before its first row.
  const startOf = (i: number) => (starts[i] ?? 0) + (offset + (starts[i] ?? 0) === 0 && hasMark(bytes) ? 3 : 0)
  const rows = starts.map((_, i) => i).filter((i) => !isBlank(bytes, startOf(i), ends[i] ?? 0))
  const indexOf = (i: number) => rows[i] ?? 0

  function addLine(line: string, builder: Parameters<RowBlock['add']>[1], position: number): void {
    const fields = read(line)
    if (fields.length !== names.length) {
      const what = header.end === 0 ? 'the mapping' : 'the header'
      throw new RowError(`It has ${fields.length} fields, and ${what} ${names.length}`)
    }
    builder.addValues(names, (column) => fields[column], position, true)
  }
  return {
    count: rows.length,
    add(i, builder, position) {
      const bytesOfLine = bytes.subarray(startOf(indexOf(i)), ends[indexOf(i)])
      if (!isUtf8(bytesOfLine)) throw new RowError('It is not UTF-8')
      const line = textOf(bytesOfLine)
      try {
        addLine(line, builder, position)
      } catch (thrown) {
        if (!(thrown instanceof RowError)) throw thrown
        throw new RowError(thrown.message + hintOf(line, header, options))
      }
    },
    endOf: (i) => offset + (ends[indexOf(i)] ?? 0) + 1,
    bytesOf: (i) => (ends[indexOf(i)] ?? 0) + 1 - (starts[indexOf(i)] ?? 0),
  }
}

const isBlank = (bytes: Uint8Array, from: number, to: number) =>
  from === to || (from + 1 === to && bytes[from] === 0x0d)

const textOf = (line: Uint8Array) =>
  Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8').replace(/\r$/, '')
