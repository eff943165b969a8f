import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RowError } from '../batch-error.ts'
import { JsonScanner } from './json-scanner.ts'

/** @param behind What stands behind the end, which must not be read. */
function scannerOf(text: string, behind = '99'): JsonScanner {
  const scanner = new JsonScanner()
  scanner.bytes = Buffer.from(text + behind)
  scanner.end = Buffer.byteLength(text)
  return scanner
}
const readAll = <T>(text: string, read: (scanner: JsonScanner) => T): T => {
  const scanner = scannerOf(text)
  const value = read(scanner)
  if (scanner.peek() !== -1) throw scanner.wrong('something follows')
  return value
}
const isJson = (text: string) => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Texts of numbers in every way that JSON allows. */
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9]\d{0,24}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^\.\d{1,25}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^[eE][+-]?\d{1,3}$/)),
  )
  .map((parts) => parts.join(''))

describe('JsonScanner', () => {
  it('reads every number as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.oneof(numberText, fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)), (text) => {
        expect(readAll(text, (scanner) => scanner.float64())).toBe(JSON.parse(text))
      }),
      { numRuns: 2000 },
    )
  })

  it('rounds to float32 as from a double', () => {
    // The middle between two float32, and what is next to it; a double of a float32; anything.
    const float32 = fc.float({ noNaN: true, noDefaultInfinity: true })
    const near = fc
      .tuple(float32, fc.integer({ min: -2, max: 2 }))
      .map(([value, steps]) => {
        const next = Math.fround(value * (1 + 1.2e-7))
        return ((value + next) / 2) * (1 + steps * 2.3e-16)
      })
      .filter(Number.isFinite)
    fc.assert(
      fc.property(
        fc.oneof(
          numberText,
          float32.map(String),
          near.map((value) => value.toPrecision(19)),
          near.map(String),
        ),
        (text) => {
          expect(Math.fround(readAll(text, (scanner) => scanner.float32()))).toBe(Math.fround(JSON.parse(text)))
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('reads integers of any size exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), (value) => {
        expect(readAll(`${value}`, (scanner) => scanner.bigint())).toBe(value)
      }),
    )
    expect(readAll('1.5e1', (scanner) => scanner.bigint())).toBe(15n)
    expect(() => readAll('1.5', (scanner) => scanner.bigint())).toThrow(/1\.5 is no whole number/)
  })

  it('takes what JSON.parse takes, and nothing else', () => {
    const texts = fc.oneof(
      fc.json(),
      fc.json().map((text) => text.slice(0, -1)),
      fc
        .tuple(fc.json(), fc.nat(), fc.constantFrom('"', '\\', ',', '[', '}', '0', '-', '.', 'e', '\n', ' '))
        .map(([text, at, c]) => {
          const i = at % (text.length + 1)
          return text.slice(0, i) + c + text.slice(i)
        }),
      numberText.map((text) => `0${text}`),
    )
    fc.assert(
      fc.property(texts, (text) => {
        if (isJson(text)) expect(() => readAll(text, (scanner) => scanner.skip())).not.toThrow()
        else expect(() => readAll(text, (scanner) => scanner.skip())).toThrow(RowError)
      }),
      { numRuns: 2000 },
    )
  })

  it('reads texts as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const text = JSON.stringify(value)
        expect(readAll(text, (scanner) => scanner.string())).toBe(JSON.parse(text))
      }),
    )
  })

  it('refuses lists that are deeper than any row', () => {
    expect(() => readAll('['.repeat(100_000), (scanner) => scanner.skip())).toThrow(/more than 32 deep/)
  })
})
