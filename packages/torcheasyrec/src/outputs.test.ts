import { EasError, type Tensor, toHalf } from '@eas/base'
import { describe, expect, it } from 'vitest'
import { markUnknown, rowPerItem, scoresOf } from './outputs.ts'

const floats = (shape: number[], ...data: number[]) =>
  ({ dtype: 'float32', shape, data: Float32Array.from(data) }) as const

describe('scoresOf()', () => {
  it.each<[Tensor, string, number[]]>([
    [{ dtype: 'float64', shape: [2], data: Float64Array.of(0.1, 2) }, 'float64', [0.1, 2]],
    [{ dtype: 'float16', shape: [2], data: Uint16Array.of(toHalf(0.5), toHalf(-3)) }, 'float32', [0.5, -3]],
    [{ dtype: 'bool', shape: [2], data: Uint8Array.of(0, 1) }, 'float32', [0, 1]],
    [{ dtype: 'int8', shape: [1], data: Int8Array.of(-7) }, 'float32', [-7]],
    [{ dtype: 'int64', shape: [1], data: BigInt64Array.of(2n ** 40n) }, 'float64', [2 ** 40]],
    [{ dtype: 'uint32', shape: [1], data: Uint32Array.of(4_000_000_000) }, 'float64', [4_000_000_000]],
  ])('makes %o the floats that clients read', (tensor, dtype, values) => {
    const scores = scoresOf('y', tensor)
    expect([scores.dtype, [...scores.data]]).toEqual([dtype, values])
  })

  it('refuses texts', () => {
    expect(() => scoresOf('y', { dtype: 'string', shape: [0], data: [] })).toThrow(EasError)
  })
})

describe('rowPerItem()', () => {
  it.each([
    ['rows as they are', floats([2, 2], 1, 2, 3, 4), 2, [2, 2], [1, 2, 3, 4]],
    ['a scalar', floats([], 5), 3, [3], [5, 5, 5]],
    ['one row', floats([1, 2], 1, 2), 2, [2, 2], [1, 2, 1, 2]],
    ['one row for one item', floats([1], 9), 1, [1], [9]],
    ['no rows for no items', floats([0]), 0, [0], []],
  ])('gives %s', (_, tensor, rows, shape, data) => {
    const got = rowPerItem('y', tensor, rows)
    expect([got.shape, [...got.data]]).toEqual([shape, data])
  })

  it.each([
    [floats([3], 1, 2, 3), 2],
    [floats([2, 1], 1, 2), 3],
    [floats([0]), 1],
  ])('refuses %o for %i items', (tensor, rows) => {
    expect(() => rowPerItem('y', tensor, rows)).toThrow(/output y is \[.*\] for \d items/)
  })
})

it('markUnknown() writes the score over whole rows', () => {
  const tensor = floats([3, 2], 1, 2, 3, 4, 5, 6)
  markUnknown(tensor, Uint8Array.of(0, 1, 0), -1)
  expect([...tensor.data]).toEqual([1, 2, -1, -1, 5, 6])
})
