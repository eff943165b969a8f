import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { type CsvOptions, lineMarks } from './csv-options.ts'
import { splitLines } from './split.ts'

/** The lines of a text that comes in pieces, each with where it starts. */
async function linesOf(text: string, sizes: readonly number[], delimiters: string | false, options: CsvOptions = {}) {
  const bytes = Buffer.from(text)
  async function* pieces() {
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const size = sizes[i % sizes.length] ?? 1
      yield bytes.subarray(at, at + size)
      at += size
    }
  }
  const lines: { at: number; line: string }[] = []
  for await (const { bytes: block, starts, ends, offset } of splitLines(
    pieces(),
    0,
    delimiters !== false && lineMarks(options, delimiters),
  )) {
    for (const [i, start] of starts.entries()) {
      lines.push({ at: offset + start, line: Buffer.from(block.subarray(start, ends[i])).toString() })
    }
  }
  return lines
}

/** The same, a character at a time. */
function expected(text: string, delimiters: string | false, { quote = '"', escape: by }: CsvOptions = {}) {
  const lines: { at: number; line: string }[] = []
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const c = text[at]
    if (delimiters !== false && c === quote && (at === from || delimiters.includes(text[at - 1] ?? ''))) {
      let end = at + 1
      while (end < text.length && (text[end] !== '"' || text[end + 1] === '"')) {
        end += text[end] === '"' || text[end] === by ? 2 : 1
      }
      // What follows a field ends it, or it was none.
      const next = text[end + 1]
      if (end < text.length && (next === undefined || `${delimiters}\r\n`.includes(next))) at = end
      continue
    }
    if (delimiters !== false && quote === '' && c === by) at++
    if (text[at] !== '\n' || at >= text.length || (c === by && quote === '')) continue
    lines.push({ at: from, line: text.slice(from, at) })
    from = at + 1
  }
  if (from < text.length) lines.push({ at: from, line: text.slice(from) })
  return lines
}

describe('splitLines()', () => {
  it.each([false, ',', ',;'] as const)(
    'cuts where a character at a time would, however the text comes in pieces; quoted: %s',
    async (quoted) => {
      const text = fc.string({ unit: fc.constantFrom('a', ',', ';', '"', '\n', '\r'), maxLength: 60 })
      const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 })
      await fc.assert(
        fc.asyncProperty(text, sizes, async (content, pieces) => {
          expect(await linesOf(content, pieces, quoted)).toEqual(expected(content, quoted))
        }),
        { numRuns: 500 },
      )
    },
  )

  it.each([{ escape: '\\' }, { quote: '', escape: '\\' }, { quote: '' }])(
    'and where marks are escaped: %o',
    async (options) => {
      const text = fc.string({ unit: fc.constantFrom('a', ',', '\\', '"', '\n'), maxLength: 60 })
      const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 })
      await fc.assert(
        fc.asyncProperty(text, sizes, async (content, pieces) => {
          expect(await linesOf(content, pieces, ',', options)).toEqual(expected(content, ',', options))
        }),
        { numRuns: 500 },
      )
    },
  )

  it('takes a mark amid a field, and one that is never closed, for part of their lines', async () => {
    const text = 'a,5" disk\n"b\nc",d\n"open,e\nf,g\n'
    const lines = ['a,5" disk', '"b\nc",d', '"open,e', 'f,g']
    expect((await linesOf(text, [3], ',')).map(({ line }) => line)).toEqual(lines)
  })

  it('does not begin anew with every piece of a line that is long', async () => {
    const count = 400
    async function* pieces() {
      yield Buffer.from('"')
      for (let i = 0; i < count; i++) yield Buffer.alloc(64 * 1024, 'x\n')
    }
    // What is copied is a multiple of the line, not of its pieces.
    const concat = vi.spyOn(Buffer, 'concat')
    let rows = 0
    for await (const { starts } of splitLines(pieces(), 0, lineMarks({}, ','))) rows += starts.length
    const copied = concat.mock.results.reduce((sum, { value }) => sum + value.length, 0)
    concat.mockRestore()
    expect(rows).toBe(count * 32 * 1024)
    expect(copied).toBeLessThan(5 * count * 64 * 1024)
  })
})
