import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonScanner } from './json-scanner.ts'
import { readFloats, readIntegers } from './number-lists.ts'

/** @param behind What stands behind the end, which must not be read. */
function scannerOf(text: string, behind: string): JsonScanner {
  const scanner = new JsonScanner()
  scanner.bytes = Buffer.from(text + behind)
  scanner.end = Buffer.byteLength(text)
  return scanner
}

/** Texts of numbers in every way that JSON allows. */
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9]\d{0,24}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^\.\d{1,30}$/), fc.stringMatching(/^\.0{1,9}\d{1,20}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^[eE][+-]?\d{1,3}$/), fc.stringMatching(/^e[+-]0\d$/)),
  )
  .map((parts) => parts.join(''))

/** Numbers whose float32 is the hardest to tell: in the middle between two, and what is next to it. */
const middle = fc
  .tuple(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -2, max: 2 }))
  .map(([value, steps]) => ((value + Math.fround(value * (1 + 1.2e-7))) / 2) * (1 + steps * 2.3e-16))
  .filter(Number.isFinite)

const edges = [
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775808',
  '-9223372036854775809',
  '9007199254740993',
  '-4294967296',
  '0.9007199254740993',
  '340282356779733661637539395458142568448',
  '3.4028235677973366e38',
  '1.401298464324817e-45',
  '7.006492321624085e-46',
  '1e-60',
  '1e60',
]

describe('readFloats(), readIntegers()', () => {
  it('reads lists of numbers as far as it can tell at once, and each as one alone', () => {
    const few = fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: -1e9, max: 1e9 }).map((value) => String(value / 1e4)) },
      { weight: 20, arbitrary: fc.integer({ min: -9999, max: 9999 }).map(String) },
      numberText,
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
      fc.double({ noNaN: true, min: -1, max: 1 }).map((value) => value.toFixed(20)),
      middle.map((value) => value.toPrecision(19)),
      middle.map(String),
      fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
      fc.constantFrom(...edges),
      fc.constantFrom('-0', '01', '1.', '.5', '-', 'null', '999999999999999', '1234567890', '0.000000000000001', ''),
    )
    const lists = fc.tuple(
      fc.array(few, { minLength: 1, maxLength: 8 }),
      fc.constantFrom(',', ', ', ',', ', ', ' ,', ',\n'),
      fc.constantFrom('99', '9'.repeat(70), ',1'.repeat(40), `]}\n${' '.repeat(70)}`, `.5${'0'.repeat(70)}`),
    )
    let many = 0
    fc.assert(
      fc.property(lists, fc.integer({ min: 1, max: 9 }), ([texts, separator, behind], room) => {
        const floats = new Float32Array(room + 1)
        const scanner = scannerOf(texts.join(separator), behind)
        const count = readFloats(scanner, floats, 1)
        expect(count).toBeLessThanOrEqual(room)
        const taken = texts.slice(0, count)
        expect(scanner.at).toBe(taken.join(separator).length)
        expect(floats.subarray(1, count + 1)).toEqual(Float32Array.from(taken, (text) => JSON.parse(text)))
        if (count > 2) many++

        const words = new Int32Array(2 * (room + 1))
        const again = scannerOf(texts.join(separator), behind)
        const ids = texts.slice(0, readIntegers(again, words, 1))
        expect(again.at).toBe(ids.join(separator).length)
        expect(new BigInt64Array(words.buffer, 8, ids.length)).toEqual(BigInt64Array.from(ids, BigInt))
      }),
      { numRuns: 1500 },
    )
    expect(many).toBeGreaterThan(200)
  })

  it('reads numbers of another view of the same memory', () => {
    const all = Buffer.from(`1.25,2.5,3.75${' '.repeat(80)}4.0625,5.5${' '.repeat(80)}`)
    const scanner = new JsonScanner()
    const floats = new Float32Array(4)
    for (const [bytes, at, expected] of [
      [all.subarray(0, 80), 0, [1.25, 2.5, 3.75]],
      [all, 93, [4.0625, 5.5]],
      [all.subarray(93), 0, [4.0625, 5.5]],
    ] as const) {
      Object.assign(scanner, { bytes, at, end: bytes.length })
      expect([...floats.subarray(0, readFloats(scanner, floats, 0))]).toEqual(expected)
    }
  })
})
