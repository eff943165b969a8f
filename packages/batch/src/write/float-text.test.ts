import { describe, expect, it } from 'vitest'
import { float32TextBytes, writeFloat32, writeInteger } from './float-text.ts'

const cases = process.env.EAS_FULL === '1' ? 5_000_000 : 100_000
const bytes = Buffer.alloc(64)
const float = new Float32Array(1)
const word = new Uint32Array(float.buffer)

/** What is written of a number, behind three other bytes; `undefined` where that is left to `String`. */
function textOf(value: number): string | undefined {
  const end = writeFloat32(bytes, 3, value)
  return end < 0 ? undefined : bytes.toString('latin1', 3, end)
}

const toFloat = (value: number) => {
  float[0] = value
  return float[0]
}
const ofBits = (bits: number) => {
  word[0] = bits
  return float[0] as number // there is one
}

describe('writeFloat32()', () => {
  // A generator for each way to be near something: any bits, any size, few binary digits (where decimals end and halves
  // are met), few decimal digits. `least`: the share that has to be written without `String`.
  it.each([
    { what: 'any bits', next: () => ofBits(Math.random() * 2 ** 32), least: 0.1 },
    { what: 'any size', next: () => toFloat((Math.random() - 0.5) * 10 ** (Math.random() * 13 - 6)), least: 0.8 },
    { what: 'scores', next: () => toFloat(Math.random()), least: 0.99 },
    {
      what: 'integers over powers of two',
      next: () => Math.floor(Math.random() * 2 ** 24) / 2 ** Math.floor(Math.random() * 44),
      least: 0.8,
    },
    {
      what: 'decimals',
      next: () => toFloat(Number((Math.random() * 10 ** (Math.random() * 12 - 5)).toPrecision(1 + Math.random() * 8))),
      least: 0.8,
    },
  ])('writes what String writes: $what', ({ next, least }) => {
    let written = 0
    for (let i = 0; i < cases; i++) {
      const value = next()
      const text = textOf(value)
      if (text === undefined) continue
      written++
      if (text !== String(value) || text.length > float32TextBytes) expect(text, `of ${value}`).toBe(String(value))
    }
    expect(written / cases).toBeGreaterThan(least)
  })

  it('writes what String writes next to every power of two and of ten', () => {
    const powers = [
      ...Array.from({ length: 254 }, (_, i) => (i + 1) << 23),
      ...Array.from({ length: 84 }, (_, i) => {
        float[0] = 10 ** (i - 45)
        return word[0] as number // there is one
      }),
    ]
    for (const bits of powers) {
      for (let step = -40; step <= 40; step++) {
        const value = ofBits(bits + step)
        for (const signed of [value, -value]) {
          const text = textOf(signed)
          if (text !== undefined && text !== String(signed)) expect(text).toBe(String(signed))
        }
      }
    }
  })

  it.each([
    [0, '0'],
    [-0, '0'],
    [-1, '-1'],
    [2 ** 31 - 128, '2147483520'],
    [-(2 ** 31), '-2147483648'],
    [0.75, '0.75'],
    [-8388607.5, '-8388607.5'],
    [toFloat(0.1), '0.10000000149011612'],
    [toFloat(-1.2345e-6), '-0.0000012345000186542165'],
    // As near to two decimals of 16 digits, of which the even one is taken.
    [toFloat(599.84674), '599.8467407226562'],
    [toFloat(762.2644653), '762.2644653320312'],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    [Number.NEGATIVE_INFINITY, undefined],
    [2 ** 31, undefined],
    [toFloat(1e-7), undefined],
    [ofBits(1), undefined],
  ])('writes %d as %s', (value, text) => {
    expect(textOf(value)).toBe(text)
    if (text !== undefined) expect(text).toBe(String(value))
  })
})

describe('writeInteger()', () => {
  it('writes what String writes', () => {
    const sizes = Array.from({ length: 32 }, (_, i) => [
      2 ** i - 1,
      -(2 ** i),
      10 ** (i % 10),
      1 - 10 ** (i % 10),
    ]).flat()
    for (const value of sizes.map((size) => size | 0)) {
      expect(bytes.toString('latin1', 5, writeInteger(bytes, 5, value))).toBe(String(value))
    }
  })
})
