import { readFileSync } from 'node:fs'
import { ConfigError, type ConfigWarning, parseServiceJson } from '@eas/service-json'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { beyond, examples, smallest } from './examples.ts'

// expected.json has, per file, what its configuration says beyond the smallest one, and every warning.
const expected: unknown = JSON.parse(readFileSync(`${import.meta.dirname}/expected.json`, 'utf8'))

const formatWarning = ({ at, code, message }: ConfigWarning) =>
  at ? `${at.line}:${at.column} ${code} ${message}` : `${code} ${message}`

/** The configuration's name, or `undefined` when it is refused as it should be; anything else is thrown on. */
function nameOrRefused(text: string): string | undefined {
  try {
    return parseServiceJson(text).config.name
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(error.options.length).toBeGreaterThan(0)
    return undefined
  }
}

describe('parseServiceJson()', () => {
  it('reads every published example as expected, with exactly these warnings', () => {
    const read = examples.map(({ file, text }) => {
      const { config, warnings } = parseServiceJson(text, { path: file })
      return [file, { config: beyond(config, smallest), warnings: warnings.map(formatWarning) }]
    })
    expect(read).toHaveLength(25)
    expect(JSON.parse(JSON.stringify(Object.fromEntries(read)))).toEqual(expected)
  })

  it('reads the quirks of the published files, which no formatter has smoothed', () => {
    const texts = new Map(examples.map(({ file, text }) => [file.slice(0, 2), text]))
    expect(texts.get('02')).toContain(', // path of the warm-up request file')
    expect(texts.get('13')).toMatch(/,\s*}/)
  })

  it.each(examples)('gives a configuration or a ConfigError wherever $file is cut', ({ text }) => {
    for (let end = 0; end < text.trimEnd().length; end++) expect(nameOrRefused(text.slice(0, end))).toBeUndefined()
  })

  it('gives a configuration or a ConfigError whatever character of an example changes', () => {
    const change = fc.record({
      text: fc.constantFrom(...examples.map(({ text }) => text)),
      place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      character: fc.oneof(
        fc.constantFrom(...'{}[]",:./\\-0127eE \n\t*_'),
        fc.string({ minLength: 0, maxLength: 2, unit: 'binary' }),
      ),
    })
    fc.assert(
      fc.property(change, ({ text, place, character }) => {
        const at = Math.floor(place * text.length)
        nameOrRefused(text.slice(0, at) + character + text.slice(at + 1))
      }),
      { numRuns: 3000 },
    )
  })
})
