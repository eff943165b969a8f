import { EasError, type Tensor } from '@eas/base'
import { describe, expect, it } from 'vitest'
import { IndexError } from '../index-error.ts'
import { refusedIndex } from './feeds.ts'

const feeds = new Map<string, Tensor>([
  ['x', { dtype: 'float32', shape: [1], data: Float32Array.of(7) }],
  ['ids', { dtype: 'int64', shape: [3], data: BigInt64Array.of(4n, -1n, 9n) }],
  ['rows', { dtype: 'int32', shape: [2], data: Int32Array.of(-5, 6) }],
])
const text = (index: bigint) =>
  refusedIndex(new IndexError(`Prediction failed: Gather node: idx=${index} must be within [-3,2]`, index), feeds)
    ?.message

describe('refusedIndex()', () => {
  it('blames the request for an index that an input holds', () => {
    expect(text(9n)).toBe('Cannot use input ids: element 2 is 9; Gather node: idx=9 must be within [-3,2]')
    expect(text(6n)).toBe('Cannot use input rows: element 1 is 6; Gather node: idx=6 must be within [-3,2]')
  })

  it('knows an index below zero again, as the importers let ONNX Runtime see it', () => {
    expect(text(-1n - 2n ** 62n)).toBe('Cannot use input ids: element 1 is -1; the model takes no index below 0')
    expect(text(-5n - 2n ** 62n)).toBe('Cannot use input rows: element 0 is -5; the model takes no index below 0')
  })

  it('leaves what no input holds, and other failures, to the model', () => {
    expect(text(7n)).toBeUndefined()
    expect(refusedIndex(new EasError('internal', 'Prediction failed'), feeds)).toBeUndefined()
  })
})
