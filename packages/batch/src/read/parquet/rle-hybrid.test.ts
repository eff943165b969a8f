import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readHybrid } from './rle-hybrid.ts'

/** Bits from the lowest up, as the specification draws them. */
function packed(values: readonly number[], width: number): number[] {
  let all = 0n
  for (const [i, value] of values.entries()) all |= BigInt(value >>> 0) << BigInt(i * width)
  return Array.from({ length: Math.ceil((values.length * width) / 8) }, (_, i) => Number((all >> BigInt(8 * i)) & 255n))
}

describe('readHybrid()', () => {
  it('reads runs and packed groups of every width', () => {
    const width = fc.integer({ min: 1, max: 32 })
    fc.assert(
      fc.property(
        width,
        fc.array(fc.nat(2 ** 32 - 1), { minLength: 1, maxLength: 8 }),
        fc.nat(50),
        (bits, raw, run) => {
          const values = raw.map((value) => (bits === 32 ? value : value % 2 ** bits) | 0)
          const [first = 0] = values
          const runBytes = packed([first], Math.ceil(bits / 8) * 8)
          const bytes = Uint8Array.from([(run << 1) & 127, ...runBytes, 3, ...packed(values, bits)])
          const into = new Int32Array(run + values.length)
          readHybrid(bytes, 0, bytes.length, bits, into)
          expect([...into]).toEqual([...new Array(run).fill(first), ...values])
        },
      ),
      { numRuns: 500 },
    )
  })

  it.each([
    ['no header', [], 1, 1],
    ['a run without its value', [2], 9, 1],
    ['a group that is cut', [3, 0xff], 2, 8],
    ['a header that does not end', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80], 1, 1],
    ['runs of nothing', [0, 0, 0, 0], 8, 1],
    ['33 bits', [2, 0, 0, 0, 0, 0], 33, 1],
  ])('refuses %s', (_, bytes, width, count) => {
    expect(() => readHybrid(Uint8Array.from(bytes), 0, bytes.length, width, new Int32Array(count))).toThrow('cut short')
  })
})
