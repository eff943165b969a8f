import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isRunOf, readHybrid, zerosOf } from './rle-hybrid.ts'

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

/** Levels of one bit, in runs and packed groups of up to 16. */
const levels = fc.array(
  fc.oneof(
    fc.record({ run: fc.integer({ min: 1, max: 40 }), level: fc.constantFrom(0, 1) }),
    fc.record({ packed: fc.array(fc.constantFrom(0, 1, 1, 1, 1, 1), { minLength: 8, maxLength: 8 }) }),
    fc.record({ packed: fc.array(fc.constantFrom(0, 1), { minLength: 16, maxLength: 16 }) }),
  ),
  { minLength: 1, maxLength: 8 },
)

describe('zerosOf()', () => {
  it('finds the zeros that readHybrid() reads, however many levels count', () => {
    fc.assert(
      fc.property(levels, fc.nat(7), (parts, cut) => {
        const bytes = Uint8Array.from(
          parts.flatMap((part) =>
            'run' in part ? [part.run << 1, part.level] : [(part.packed.length >> 2) | 1, ...packed(part.packed, 1)],
          ),
        )
        const all = parts.reduce((sum, part) => sum + ('run' in part ? part.run : part.packed.length), 0)
        const into = new Uint8Array(Math.max(0, all - cut))
        readHybrid(bytes, 0, bytes.length, 1, into)
        const zeros = [...into.keys()].filter((i) => into[i] === 0)
        expect([...zerosOf(bytes, 0, bytes.length, into.length)]).toEqual(zeros)
      }),
      { numRuns: 500 },
    )
  })

  it('has room for as many as there are', () => {
    const zeros = zerosOf(Uint8Array.of(0xa0, 0x1f, 0, 3, 0xaa), 0, 5, 2008)
    expect(zeros).toHaveLength(2004)
    expect(zeros.slice(-5)).toEqual(Int32Array.of(1999, 2000, 2002, 2004, 2006))
  })

  it.each([
    ['no header', [], 1],
    ['a run without its value', [2], 1],
    ['a group that is cut', [5, 0xff], 16],
    ['runs of nothing', [0, 0, 0, 0], 8],
  ])('refuses %s', (_, bytes, count) => {
    expect(() => zerosOf(Uint8Array.from(bytes), 0, bytes.length, count)).toThrow('cut short')
  })
})

describe('isRunOf()', () => {
  it('knows a single run of the level', () => {
    expect(isRunOf(2, Uint8Array.of(14, 2), 0, 2, 7)).toBe(true)
    expect(isRunOf(2, Uint8Array.of(14, 2), 0, 2, 8)).toBe(false)
    expect(isRunOf(1, Uint8Array.of(14, 2), 0, 2, 7)).toBe(false)
    expect(isRunOf(2, Uint8Array.of(15, 2), 0, 2, 7)).toBe(false)
    expect(isRunOf(2, Uint8Array.of(14, 2), 0, 1, 7)).toBe(false)
    expect(isRunOf(2, Uint8Array.of(14), 0, 2, 7)).toBe(false)
    expect(isRunOf(2, new Uint8Array(), 0, 0, 7)).toBe(false)
  })
})
