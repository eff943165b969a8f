import { BatchError } from '../batch-error.ts'
import { batchLimits } from '../limits.ts'

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
const quote = 0x22

/**
 * Cuts a text into lines, a block of them at a time.
 * @param quoted Whether a line break between quotation marks is part of its line, as in CSV.
 * @throws {BatchError} `bad_object` for a line longer than any row can be.
 */
export async function* splitLines(
  content: AsyncIterable<Uint8Array>,
  offset: number,
  quoted: boolean,
): AsyncGenerator<Lines, void, void> {
  let held: Uint8Array[] = []
  let heldBytes = 0
  let at = offset
  for await (const piece of content) {
    if (piece.lastIndexOf(newline) < 0) {
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
    const lines = cut(bytes, at)
    const rest = bytes.subarray(lines.ends.length > 0 ? (lines.ends.at(-1) ?? 0) + 1 : 0)
    if (lines.ends.length > 0) yield lines
    at += bytes.length - rest.length
    held = rest.length > 0 ? [rest] : []
    heldBytes = rest.length
    if (heldBytes > batchLimits.rowBytes) throw tooLong(at)
  }
  if (heldBytes > 0) {
    const bytes = held.length === 1 ? (held[0] as Uint8Array) : Buffer.concat(held) // there is one
    const { starts, ends } = cut(bytes, at)
    const from = ends.length > 0 ? (ends.at(-1) ?? 0) + 1 : 0
    if (from < bytes.length) yield { bytes, starts: [...starts, from], ends: [...ends, bytes.length], offset: at }
  }

  /** Whole lines. A line break counts that has an even number of quotation marks before it, from the line's start on. */
  function cut(bytes: Uint8Array, at: number): Lines {
    const starts: number[] = []
    const ends: number[] = []
    let from = 0
    let isInside = false
    let mark = quoted ? bytes.indexOf(quote) : -1
    for (let search = 0; ; ) {
      const end = bytes.indexOf(newline, search)
      if (end < 0) break
      for (; mark >= 0 && mark < end; mark = bytes.indexOf(quote, mark + 1)) isInside = !isInside
      search = end + 1
      if (isInside) continue
      starts.push(from)
      ends.push(end)
      from = end + 1
    }
    return { bytes, starts, ends, offset: at }
  }
}

const tooLong = (at: number) =>
  new BatchError(
    'bad_object',
    `Cannot read the object: the row at byte ${at} is longer than ${batchLimits.rowBytes} bytes`,
  )
