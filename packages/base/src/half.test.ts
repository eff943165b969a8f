import { describe, expect, it } from 'vitest'
import { fromBfloat16, fromHalf, toBfloat16, toHalf } from './half.ts'

describe('float16', () => {
  it('toHalf() of fromHalf() gives back every one of the 65,536 bit patterns', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = fromHalf(bits)
      expect(Number.isNaN(value) ? 0x7e00 : toHalf(value)).toBe(Number.isNaN(value) ? 0x7e00 : bits)
    }
  })

  // IEEE 754-2019, 4.3.1: the tie between two neighbours goes to the one with an even last bit.
  it.each([
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [1e9, 0x7c00],
    [-1e9, 0xfc00],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 * 1.0001, 0x0001],
    [3 * 2 ** -25, 0x0002],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [-0, 0x8000],
  ])('toHalf() rounds %d to 0x%s', (value, bits) => {
    expect(toHalf(value)).toBe(bits)
  })
})

describe('bfloat16', () => {
  it('toBfloat16() of fromBfloat16() gives back every bit pattern that is a number', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = fromBfloat16(bits)
      if (!Number.isNaN(value)) expect(toBfloat16(value)).toBe(bits)
    }
  })

  it('toBfloat16() keeps NaN and rounds ties to even', () => {
    expect(fromBfloat16(toBfloat16(Number.NaN))).toBeNaN()
    expect(toBfloat16(1 + 2 ** -8)).toBe(0x3f80)
    expect(toBfloat16(1 + 3 * 2 ** -8)).toBe(0x3f82)
    expect(toBfloat16(-Infinity)).toBe(0xff80)
  })
})
