import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitLines } from './split.ts'

/** The lines of a text that comes in pieces, each with where it starts. */
async function linesOf(text: string, sizes: readonly number[], quoted: boolean) {
  const bytes = Buffer.from(text)
  async function* pieces() {
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const size = sizes[i % sizes.length] ?? 1
      yield bytes.subarray(at, at + size)
      at += size
    }
  }
  const lines: { at: number; line: string }[] = []
  for await (const { bytes: block, starts, ends, offset } of splitLines(pieces(), 0, quoted)) {
    for (const [i, start] of starts.entries()) {
      lines.push({ at: offset + start, line: Buffer.from(block.subarray(start, ends[i])).toString() })
    }
  }
  return lines
}

/** The same, a character at a time. */
function expected(text: string, quoted: boolean) {
  const lines: { at: number; line: string }[] = []
  let from = 0
  let isInside = false
  for (let at = 0; at < text.length; at++) {
    if (quoted && text[at] === '"') isInside = !isInside
    if (text[at] !== '\n' || isInside) continue
    lines.push({ at: from, line: text.slice(from, at) })
    from = at + 1
  }
  if (from < text.length) lines.push({ at: from, line: text.slice(from) })
  return lines
}

describe('splitLines()', () => {
  it.each([false, true])(
    'cuts where a character at a time would, however the text comes in pieces; quoted: %s',
    async (quoted) => {
      const text = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r'), maxLength: 60 })
      const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 })
      await fc.assert(
        fc.asyncProperty(text, sizes, async (content, pieces) => {
          expect(await linesOf(content, pieces, quoted)).toEqual(expected(content, quoted))
        }),
        { numRuns: 500 },
      )
    },
  )
})
