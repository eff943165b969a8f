import { expect, it } from 'vitest'
import { float32Text, numpyFloat32, parseNumber } from './number-text.ts'

// What numpy 2.2.6 prints for str(np.float32(x)).
it.each([
  [0.1, '0.1'],
  [7, '7.0'],
  [-0, '-0.0'],
  [1e-5, '1e-05'],
  [0.0001, '1e-04'],
  [0.00012345, '0.00012345'],
  [123456.789, '123456.79'],
  [16777216, '16777216.0'],
  [4999950000, '4999950000.0'],
  [1e16, '1e+16'],
  [3.4028234663852886e38, '3.4028235e+38'],
  [1e-45, '1e-45'],
  [1 / 3, '0.33333334'],
  [Number.NaN, 'nan'],
  [-Infinity, '-inf'],
])('numpyFloat32() of %d is %s', (value, text) => {
  expect(numpyFloat32(Math.fround(value))).toBe(text)
})

it.each([
  [0.1, '0.1'],
  [5.2, '5.2'],
  [100, '100'],
  [1 / 3, '0.33333334'],
])('float32Text() of %d is %s', (value, text) => {
  expect(float32Text(Math.fround(value))).toBe(text)
})

it.each([
  ['1.5', 1.5],
  [' 2 ', 2],
  ['1e3', 1000],
  ['0', 0],
  ['inf', Infinity],
  ['', Number.NaN],
  ['  ', Number.NaN],
  ['12abc', Number.NaN],
  ['nan', Number.NaN],
  [' ', Number.NaN],
])('parseNumber() of %j is %d', (text, value) => {
  expect(parseNumber(text)).toBe(value)
})
