import type { Tensor } from '@eas/base'
import { expect, it } from 'vitest'
import { embeddingInputs } from './lookup.ts'
import { staticTable } from './table.ts'

const int64 = (...values: number[]): Tensor => ({
  dtype: 'int64',
  shape: [values.length],
  data: BigInt64Array.from(values, BigInt),
})
const table = staticTable('t', { shape: [3, 2], data: Float32Array.of(0, 1, 10, 11, 20, 21) }, 2)

it('gives the rows of a sequence under the name that the dense graph reads and under the one that is listed', () => {
  const made = embeddingInputs(
    {
      lookups: new Map([['click__cate__ec', { table, pooling: 'NONE' }]]),
      inputs: new Map([['sequence__ec', ['click__cate__ec', 'click__cate__lengths']]]),
    },
    new Map([
      ['click__cate.values', int64(2, 1, 2)],
      ['click__cate.lengths', int64(1, 1)],
      ['click__cate.key_lengths', int64(1, 2)],
    ]),
  )
  const rows = { dtype: 'float32', shape: [3, 2], data: Float32Array.of(20, 21, 10, 11, 20, 21) }
  expect(Object.fromEntries(made)).toEqual({
    click__cate: rows,
    click__cate__ec: rows,
    click__cate__lengths: int64(1, 2),
  })
})
