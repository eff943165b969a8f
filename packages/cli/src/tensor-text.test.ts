import type { Tensor } from '@eas/base'
import { describe, expect, it } from 'vitest'
import { formatValues } from './tensor-text.ts'

const float32 = (shape: readonly number[], values: readonly number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(values),
})
const range = (count: number) => Array.from({ length: count }, (_, i) => i)
const bytes = (text: string) => new TextEncoder().encode(text)

describe('formatValues()', () => {
  it.each<[string, Tensor, string]>([
    ['a scalar', float32([], [1.5]), '1.5'],
    ['one axis, aligned', float32([3], [1, -22.5, 0.1]), '[    1 -22.5   0.1]'],
    ['two axes', float32([2, 2], [1, 2, 3, 4]), '[[1 2]\n [3 4]]'],
    ['three axes', float32([2, 1, 2], [1, 2, 3, 4]), '[[[1 2]]\n\n [[3 4]]]'],
    ['no values', float32([1e12, 0], []), '[]'],
    ['a long axis', float32([100], range(100)), '[ 0  1  2 ... 97 98 99]'],
    ['small and large', float32([3], [1e-7, 0.5, 1234567.8]), '[      1e-7        0.5 1.23457e+6]'],
    ['what is not finite', float32([2], [Number.NaN, Number.NEGATIVE_INFINITY]), '[      NaN -Infinity]'],
    ['halves', { dtype: 'float16', shape: [1], data: Uint16Array.of(0x3c00) }, '[1]'],
    ['bools', { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) }, '[ true false]'],
    ['ids', { dtype: 'int64', shape: [1], data: BigInt64Array.of(2n ** 62n) }, '[4611686018427387904]'],
    ['complex', { dtype: 'complex64', shape: [1], data: Float32Array.of(1, -2) }, '[1-2j]'],
    ['texts', { dtype: 'string', shape: [2], data: [bytes('a'), bytes('b\u001b')] }, '["a"  "b "]'],
    ['bytes', { dtype: 'string', shape: [1], data: [Uint8Array.of(0xff, 1)] }, '[2 bytes ff01]'],
  ])('shows %s', (_, tensor, text) => {
    expect(formatValues(tensor)).toBe(text)
  })

  it('says the largest of each row behind its brackets', () => {
    expect(formatValues(float32([2, 3], [0, 5, 1, Number.NaN, 1, 2]), true)).toBe(
      '[[  0   5   1]  → 1\n [NaN   1   2]]  → 2',
    )
    expect(formatValues(float32([2, 1], [0, 5]), true)).toBe('[[0]\n [5]]')
  })

  it('shortens rows and columns past 64 values', () => {
    const lines = formatValues(float32([20, 20], range(400)), true).split('\n')
    expect(lines).toHaveLength(7)
    expect(lines[0]).toBe('[[  0   1   2 ...  17  18  19]  → 19')
    expect(lines[3]).toBe(' ...')
    expect(lines[6]).toBe(' [380 381 382 ... 397 398 399]]  → 19')
  })

  it('stays short whatever the shape', () => {
    for (const shape of [[10, 10, 10, 10, 10], Array.from({ length: 20 }, () => 2), [1, 1, 1, 100_000]]) {
      const size = shape.reduce((a, b) => a * b, 1)
      expect(formatValues(float32(shape, range(size))).length).toBeLessThan(2000)
    }
  })

  it('breaks long rows', () => {
    const text = formatValues(float32([1, 60], range(60)))
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(102)
    expect(text.split('\n')[1]).toMatch(/^ {2}\d/)
  })
})
