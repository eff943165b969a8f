import { BatchError } from '../batch-error.ts'
import type { RowBlock, RowFormat } from './row-block.ts'
import { type Lines, splitLines } from './split.ts'

/** A JSON object in each line. Empty lines are no rows. @see https://github.com/ndjson/ndjson-spec */
export const ndjson: RowFormat = {
  name: 'ndjson',
  async *blocks(source, offset) {
    for await (const lines of splitLines(source.content(offset), offset, false)) {
      if (lines.offset === 0) refuseUtf16(lines.bytes)
      const block = blockOf(lines)
      if (block.count > 0) yield block
    }
  },
}

function blockOf({ bytes, starts, ends, offset }: Lines): RowBlock {
  // A byte order mark is no part of the first row.
  const from = starts.map((start) => (offset + start === 0 && hasMark(bytes) ? start + 3 : start))
  const rows = from.map((_, i) => i).filter((i) => !isBlank(bytes, from[i] ?? 0, ends[i] ?? 0))
  const indexOf = (i: number) => rows[i] ?? 0
  return {
    count: rows.length,
    add: (i, builder, position) => builder.addJson(bytes, from[indexOf(i)] ?? 0, ends[indexOf(i)] ?? 0, position),
    endOf: (i) => offset + (ends[indexOf(i)] ?? 0) + 1,
    bytesOf: (i) => (ends[indexOf(i)] ?? 0) + 1 - (starts[indexOf(i)] ?? 0),
  }
}

const hasMark = (bytes: Uint8Array) => bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf

function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const c = bytes[at]
    if (c !== 0x20 && c !== 0x09 && c !== 0x0d) return false
  }
  return true
}

/** A text in UTF-16 would be one wrong row after the other. */
export function refuseUtf16(bytes: Uint8Array): void {
  const [a, b] = bytes
  const isUtf16 = (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) || a === 0 || b === 0
  if (isUtf16) throw new BatchError('bad_object', 'Cannot read the object: it is not UTF-8')
}
