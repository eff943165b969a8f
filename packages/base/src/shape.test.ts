import { expect, it } from 'vitest'
import { sizeOf } from './shape.ts'

it.each([
  [[], 1],
  [[3, 4], 12],
  [[2 ** 40, 0, 2 ** 40], undefined],
  [[0, 7], 0],
  [[-1], undefined],
  [[1.5], undefined],
  [[2 ** 30, 2 ** 30], undefined],
  [[16, 2 ** 60 + 2], undefined],
])('sizeOf(%j) is %s', (shape, size) => {
  expect(sizeOf(shape)).toBe(size)
})
