import { badData } from '../feature-store-error.ts'
import { parseJson } from '../json.ts'
import type { Row } from '../rows.ts'

/** Characters of one line: an item of a thousand features has 20 kB. */
const maxLineChars = 16 * 1024 * 1024

/** The lines of UTF-8 bytes, without what ended them. With `quotes`, a line end within a pair of them ends no line. */
async function* lines(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  quotes: boolean,
): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  /** How much of `rest` has been looked at, and whether a quote is open there: nothing is looked at twice. */
  let [seen, isOpen] = [0, false]
  const look = (end: number) => {
    for (let at = quotes ? rest.indexOf('"', seen) : -1; at !== -1 && at < end; at = rest.indexOf('"', at + 1)) {
      isOpen = !isOpen
    }
    seen = end
  }
  const decode = (chunk?: Uint8Array) => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode()
    } catch {
      throw badData(`${name} is not UTF-8`)
    }
  }
  for await (const chunk of bytes) {
    rest += decode(chunk)
    let start = 0
    for (let end = rest.indexOf('\n', seen); end !== -1; end = rest.indexOf('\n', end + 1)) {
      look(end)
      if (isOpen) continue
      const line = rest.slice(start, end)
      yield line.endsWith('\r') ? line.slice(0, -1) : line
      start = end + 1
    }
    look(rest.length)
    rest = rest.slice(start)
    seen = rest.length
    if (rest.length > maxLineChars) throw badData(`${name} has a line of more than ${maxLineChars} characters`)
  }
  rest += decode()
  if (rest !== '') yield rest.endsWith('\r') ? rest.slice(0, -1) : rest
}

/** One JSON object per line. Whole numbers stay exact. */
export async function* ndjsonRows(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Row, void, void> {
  let number = 0
  for await (const line of lines(bytes, name, false)) {
    number++
    if (line.trim() === '') continue
    let row: unknown
    try {
      row = parseJson(line)
    } catch {
      throw badData(`line ${number} of ${name} is no JSON`)
    }
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      throw badData(`line ${number} of ${name} is no JSON object`)
    }
    yield row as Row // checked above
  }
}

/** RFC 4180: a header line, then cells that are quoted where they hold commas, quotes or line ends. An empty cell is missing. */
export async function* csvRows(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Row, void, void> {
  let header: readonly string[] | undefined
  let number = 0
  for await (const line of lines(bytes, name, true)) {
    number++
    if (line === '') continue
    const cells = splitCsv(line, number, name)
    if (!header) {
      header = cells.map((cell, i) => (i === 0 ? cell.replace(/^\ufeff/, '') : cell))
      continue
    }
    if (cells.length !== header.length) {
      throw badData(`record ${number} of ${name} has ${cells.length} cells instead of ${header.length}`)
    }
    yield Object.fromEntries(header.map((column, i) => [column, cells[i] === '' ? undefined : cells[i]]))
  }
}

function splitCsv(line: string, number: number, name: string): string[] {
  const cells: string[] = []
  for (let at = 0; at <= line.length; ) {
    const isQuoted = line[at] === '"'
    const end = isQuoted ? closingQuote(line, at) : line.indexOf(',', at)
    if (isQuoted && end === -1) throw badData(`record ${number} of ${name} has a quote that is not closed`)
    const cell = line.slice(isQuoted ? at + 1 : at, end === -1 ? line.length : end)
    cells.push(isQuoted ? cell.replaceAll('""', '"') : cell)
    const comma = end === -1 ? -1 : line.indexOf(',', end)
    at = comma === -1 ? line.length + 1 : comma + 1
  }
  return cells
}

/** Where the cell ends whose quote is at `open`; two quotes in a row are one within it. -1 when it does not. */
function closingQuote(line: string, open: number): number {
  let at = line.indexOf('"', open + 1)
  while (at !== -1 && line[at + 1] === '"') at = line.indexOf('"', at + 2)
  return at
}
