import { isUtf8 } from 'node:buffer'
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
  // Looked at as a whole, which is cheaper; only where it is not, line by line.
  const areUtf8 = isUtf8(bytes.subarray(0, ends.at(-1)))
  // Lines without those that are empty, which are no rows.
  const rows: number[] = []
  for (let i = 0; i < ends.length; i++) if (!isBlank(bytes, fromOf(i), ends[i] ?? 0)) rows.push(i)

  /** Where a line's row begins: a byte order mark is no part of the first. */
  function fromOf(i: number): number {
    const start = starts[i] ?? 0
    return offset + start === 0 && hasMark(bytes) ? start + 3 : start
  }
  const lineOf = (row: number) => rows[row] ?? 0
  return {
    count: rows.length,
    add(row, builder, position) {
      const i = lineOf(row)
      builder.addJson(bytes, fromOf(i), ends[i] ?? 0, position, areUtf8)
    },
    endOf: (row) => offset + (ends[lineOf(row)] ?? 0) + 1,
    bytesOf(row) {
      const i = lineOf(row)
      return (ends[i] ?? 0) + 1 - (starts[i] ?? 0)
    },
  }
}

export const hasMark = (bytes: Uint8Array) => bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf

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
