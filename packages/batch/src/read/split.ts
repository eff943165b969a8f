import { BatchError } from '../batch-error.ts'
import { batchLimits } from '../limits.ts'
import type { LineMarks } from './csv-options.ts'

/** Pieces of a text that end with a line, without the line break. */
export interface Lines {
  readonly bytes: Uint8Array
  /** Start and end of each line in `bytes`. */
  readonly starts: readonly number[]
  readonly ends: readonly number[]
  /** Of `bytes` in the object. */
  readonly offset: number
}

const newline = 0x0a
const carriageReturn = 0x0d

/** Bytes of an unfinished line from which on it is looked at again only when it has doubled. */
const longLine = 1024 * 1024

/**
 * Cuts a text into lines, a block of them at a time.
 * @param marks As in CSV, a line break between quotation marks is part of its line, where the first mark stands behind a
 * delimiter or begins the line, and the second before one or at the line's end. Others end with their line. `false`: every line
 * break ends a line.
 * @throws {BatchError} `bad_object` for a line longer than any row can be.
 */
export async function* splitLines(
  content: AsyncIterable<Uint8Array>,
  offset: number,
  marks: LineMarks | false,
): AsyncGenerator<Lines, void, void> {
  const quoted = marks !== false
  const { delimiters, quote, escapeByte } = marks || none
  let held: Uint8Array[] = []
  let heldBytes = 0
  let at = offset
  /** Bytes that are held before it is worth to look for the end of a line once more. */
  let enough = 0
  for await (const piece of content) {
    if (piece.lastIndexOf(newline) < 0 || heldBytes + piece.length < Math.min(enough, batchLimits.rowBytes)) {
      held.push(piece)
      heldBytes += piece.length
      if (heldBytes > batchLimits.rowBytes) throw tooLong(at)
      continue
    }
    let bytes = piece
    if (heldBytes > 0) {
      // The line that is on several pieces by itself, so that only that is copied; where it ends is not as clear with marks.
      const end = quoted ? piece.length : piece.indexOf(newline) + 1
      bytes = Buffer.concat([...held, piece.subarray(0, end)])
      if (!quoted) {
        if (heldBytes + end > batchLimits.rowBytes) throw tooLong(at)
        yield { bytes, starts: [0], ends: [bytes.length - 1], offset: at }
        at += bytes.length
        bytes = piece.subarray(end)
      }
    }
    const lines = cut(bytes, at, false)
    const rest = bytes.subarray(lines.ends.length > 0 ? (lines.ends.at(-1) ?? 0) + 1 : 0)
    if (lines.ends.length > 0) yield lines
    at += bytes.length - rest.length
    held = rest.length > 0 ? [rest] : []
    heldBytes = rest.length
    enough = heldBytes > longLine ? heldBytes * 2 : 0
    if (heldBytes > batchLimits.rowBytes) throw tooLong(at)
  }
  if (heldBytes > 0) {
    const bytes = held.length === 1 ? (held[0] as Uint8Array) : Buffer.concat(held) // there is one
    const { starts, ends } = cut(bytes, at, true)
    const from = ends.length > 0 ? (ends.at(-1) ?? 0) + 1 : 0
    if (from < bytes.length) yield { bytes, starts: [...starts, from], ends: [...ends, bytes.length], offset: at }
    else yield { bytes, starts, ends, offset: at }
  }

  /** Whole lines. */
  function cut(bytes: Uint8Array, at: number, isEnd: boolean): Lines {
    const starts: number[] = []
    const ends: number[] = []
    let from = 0
    let mark = quote < 0 ? -1 : bytes.indexOf(quote)
    let end = bytes.indexOf(newline)
    while (end >= 0) {
      if (mark >= 0 && mark < end) {
        const isOpening =
          mark === from || delimiters.has(bytes[mark - 1] ?? 0) || (at === 0 && isBehindMark(bytes, mark))
        let close = isOpening ? closing(bytes, mark + 1, quote, escapeByte) : mark
        // What comes behind it is not there yet.
        if (isOpening && !isEnd && (close < 0 || close + 1 === bytes.length)) break
        if (isOpening && !isFieldEnd(bytes[close + 1])) close = -1
        mark = bytes.indexOf(quote, Math.max(close, mark) + 1)
        if (close > end) end = bytes.indexOf(newline, close)
        continue
      }
      if (quote < 0 && isEscaped(bytes, from, end, escapeByte)) {
        end = bytes.indexOf(newline, end + 1)
        continue
      }
      starts.push(from)
      ends.push(end)
      from = end + 1
      end = bytes.indexOf(newline, from)
    }
    return { bytes, starts, ends, offset: at }
  }

  function isFieldEnd(next: number | undefined): boolean {
    return next === undefined || next === newline || next === carriageReturn || delimiters.has(next)
  }
}

const none: LineMarks = { delimiters: new Set(), quote: -1, escapeByte: -1 }

/** The mark that closes a field, two of which stand for one, or one behind `escapeByte`; -1 when there is none. */
function closing(bytes: Uint8Array, from: number, quote: number, escapeByte: number): number {
  let end = bytes.indexOf(quote, from)
  for (let start = from; end >= 0; end = bytes.indexOf(quote, start)) {
    if (isEscaped(bytes, start, end, escapeByte)) start = end + 1
    else if (bytes[end + 1] === quote) start = end + 2
    else break
  }
  return end
}

/** Whether an odd number of `escapeByte` stand before it. */
function isEscaped(bytes: Uint8Array, from: number, at: number, escapeByte: number): boolean {
  let first = at
  while (escapeByte >= 0 && first > from && bytes[first - 1] === escapeByte) first--
  return (at - first) % 2 === 1
}

/** Behind a byte order mark. */
const isBehindMark = (bytes: Uint8Array, at: number) =>
  at === 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf

const tooLong = (at: number) =>
  new BatchError(
    'bad_object',
    `Cannot read the object: the row at byte ${at} is longer than ${batchLimits.rowBytes} bytes`,
  )
