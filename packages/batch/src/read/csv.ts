import { isUtf8 } from 'node:buffer'
import { BatchError, RowError, reasonOf } from '../batch-error.ts'
import { batchLimits } from '../limits.ts'
import { refuseUtf16 } from './ndjson.ts'
import type { RowBlock, RowFormat } from './row-block.ts'
import { type Lines, splitLines } from './split.ts'
import { checkColumns } from './table.ts'

export interface CsvOptions {
  /** One character: `,`, a tab, `;` or `|`, by the first line, when not set. */
  readonly delimiter?: string
}

/** Comma-separated values, or with another character between them, whose first line names the columns. @see RFC 4180 */
export const csv: RowFormat = {
  name: 'csv',
  async *blocks(source, offset, plan) {
    const header = await readHeader(source.content(0), source.csv)
    checkColumns(header.names, plan, 'the header has')
    const from = Math.max(offset, header.end)
    for await (const lines of splitLines(source.content(from), from, header.delimiter)) {
      const block = blockOf(lines, header)
      if (block.count > 0) yield block
    }
  },
}

/** The likeliest first: a name may hold what stands behind. */
const delimiters = [',', '\t', ';', '|'] as const

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

async function readHeader(content: AsyncIterable<Uint8Array>, { delimiter }: CsvOptions): Promise<Header> {
  for await (const { bytes, starts, ends } of splitLines(content, 0, delimiter ?? delimiters.join(''))) {
    refuseUtf16(bytes)
    const line = bytes.subarray(starts[0], ends[0])
    if (!isUtf8(line)) throw new BatchError('bad_object', 'Cannot read the object: its header is not UTF-8')
    const text = textOf(line).replace(/^\ufeff/, '')
    const by = delimiter ?? delimiterOf(text)
    const names = headerOf(text, by)
    if (names.length > batchLimits.columns) {
      throw new BatchError('bad_object', `Cannot read the object: it has ${names.length} columns`)
    }
    return { names, delimiter: by, end: (ends[0] ?? 0) + 1 }
  }
  throw new BatchError('bad_object', 'Cannot read the object: it is empty, without even a header')
}

function headerOf(text: string, delimiter: string): string[] {
  try {
    return fieldsOf(text, delimiter).map((name) => name.trim())
  } catch (thrown) {
    throw new BatchError('bad_object', `Cannot read the object: its header is wrong: ${reasonOf(thrown)}`)
  }
}

function blockOf({ bytes, starts, ends, offset }: Lines, { names, delimiter }: Header): RowBlock {
  const rows = starts.map((_, i) => i).filter((i) => !isBlank(bytes, starts[i] ?? 0, ends[i] ?? 0))
  const indexOf = (i: number) => rows[i] ?? 0
  return {
    count: rows.length,
    add(i, builder, position) {
      const line = bytes.subarray(starts[indexOf(i)], ends[indexOf(i)])
      if (!isUtf8(line)) throw new RowError('It is not UTF-8')
      const fields = fieldsOf(textOf(line), delimiter)
      if (fields.length !== names.length) {
        throw new RowError(`It has ${fields.length} fields, and the header ${names.length}`)
      }
      builder.addValues(names, (column) => fields[column], position, true)
    },
    endOf: (i) => offset + (ends[indexOf(i)] ?? 0) + 1,
    bytesOf: (i) => (ends[indexOf(i)] ?? 0) + 1 - (starts[indexOf(i)] ?? 0),
  }
}

const isBlank = (bytes: Uint8Array, from: number, to: number) =>
  from === to || (from + 1 === to && bytes[from] === 0x0d)

const textOf = (line: Uint8Array) =>
  Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8').replace(/\r$/, '')

/** @throws {RowError} for a quotation mark that is not closed or stands amid a field. */
function fieldsOf(line: string, delimiter: string): string[] {
  if (!line.includes('"')) return line.split(delimiter)
  const fields: string[] = []
  for (let at = 0; ; ) {
    if (line[at] === '"') {
      let end = at + 1
      for (;;) {
        end = line.indexOf('"', end)
        if (end < 0) throw new RowError('A quotation mark is not closed')
        if (line[end + 1] !== '"') break
        end += 2
      }
      fields.push(line.slice(at + 1, end).replaceAll('""', '"'))
      at = end + 1
      if (at < line.length && line[at] !== delimiter) throw new RowError('Something follows a quoted field')
    } else {
      const end = line.indexOf(delimiter, at)
      const field = line.slice(at, end < 0 ? undefined : end)
      if (field.includes('"')) throw new RowError('A quotation mark stands amid a field')
      fields.push(field)
      at = end < 0 ? line.length : end
    }
    if (at >= line.length) return fields
    at++
    if (at === line.length) return [...fields, '']
  }
}
