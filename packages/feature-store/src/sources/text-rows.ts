import { badData } from '../feature-store-error.ts'
import { parseJson } from '../json.ts'
import type { Row } from '../rows.ts'

/** Characters of one line: an item of a thousand features has 20 kB. */
const maxLineChars = 16 * 1024 * 1024

/** The lines of UTF-8 bytes, without what ended them. A quoted CSV cell may hold line ends: `isOpen` says that it goes on. */
async function* lines(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  isOpen: (line: string) => boolean = () => false,
): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  let from = 0
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
    for (let end = rest.indexOf('\n', from); end !== -1; end = rest.indexOf('\n', end + 1)) {
      const line = rest.slice(start, end)
      if (isOpen(line)) continue
      yield line.endsWith('\r') ? line.slice(0, -1) : line
      start = end + 1
    }
    rest = rest.slice(start)
    // An open cell is looked at from its start; else what is left holds no line end.
    from = isOpen(rest) ? 0 : rest.length
    if (rest.length > maxLineChars) throw badData(`${name} has a line of more than ${maxLineChars} characters`)
  }
  rest += decode()
  if (rest !== '') yield rest.endsWith('\r') ? rest.slice(0, -1) : rest
}

/** One JSON object per line. Whole numbers stay exact. */
export async function* ndjsonRows(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Row, void, void> {
  let number = 0
  for await (const line of lines(bytes, name)) {
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
  for await (const line of lines(bytes, name, hasOpenQuote)) {
    number++
    if (line === '') continue
    const cells = splitCsv(line)
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

function hasOpenQuote(text: string): boolean {
  let quotes = 0
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) quotes++
  return quotes % 2 === 1
}

function splitCsv(line: string): string[] {
  const cells: string[] = []
  for (let at = 0; at <= line.length; ) {
    if (line[at] === '"') {
      let end = line.indexOf('"', at + 1)
      while (line[end + 1] === '"') end = line.indexOf('"', end + 2)
      cells.push(line.slice(at + 1, end === -1 ? line.length : end).replaceAll('""', '"'))
      const comma = end === -1 ? -1 : line.indexOf(',', end)
      at = comma === -1 ? line.length + 1 : comma + 1
    } else {
      const comma = line.indexOf(',', at)
      cells.push(line.slice(at, comma === -1 ? line.length : comma))
      at = comma === -1 ? line.length + 1 : comma + 1
    }
  }
  return cells
}
