import type { Tensor } from '@eas/base'
import { describe, expect, it } from 'vitest'
import { mergeCalls } from './batch.ts'

const floats = (shape: number[], ...values: number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(values),
})
const job = (name: string, feeds: Record<string, Tensor>, fetches = ['y']) => ({
  name,
  call: { feeds: new Map(Object.entries(feeds)), fetches, encode: () => new Uint8Array() },
})

describe('mergeCalls()', () => {
  it('joins what agrees in all but dimension 0 and gives each its own rows back', () => {
    const [merged, ...rest] = mergeCalls([
      job('a', { x: floats([1, 2], 1, 2) }),
      job('b', { x: floats([2, 2], 3, 4, 5, 6) }),
      job('c', { x: floats([0, 2]) }),
    ])
    expect(rest).toEqual([])
    expect(merged?.call.feeds.get('x')).toEqual(floats([3, 2], 1, 2, 3, 4, 5, 6))
    const split = merged?.call.split(new Map([['y', floats([3], 10, 20, 30)]]))
    expect(split?.map((results) => results.get('y'))).toEqual([floats([1], 10), floats([2], 20, 30), floats([0])])
  })

  it.each([
    ['another dtype', { x: { dtype: 'float64', shape: [1, 2], data: Float64Array.of(1, 2) } as Tensor }, ['y']],
    ['another second dimension', { x: floats([1, 3], 1, 2, 3) }, ['y']],
    ['another rank', { x: floats([1, 2, 1], 1, 2) }, ['y']],
    ['other outputs', { x: floats([1, 2], 1, 2) }, ['z']],
    ['other inputs', { x: floats([1, 2], 1, 2), w: floats([1], 1) }, ['y']],
  ])('keeps apart %s', (_, feeds, fetches) => {
    expect(mergeCalls([job('a', { x: floats([1, 2], 1, 2) }), job('b', feeds, fetches)])).toHaveLength(2)
  })

  it('leaves alone a call whose inputs differ in dimension 0, or that has a scalar', () => {
    const unequal = { x: floats([1, 1], 1), w: floats([2], 1, 2) }
    const scalar = { x: floats([], 1) }
    expect(mergeCalls([job('a', unequal), job('b', unequal), job('c', scalar), job('d', scalar)])).toHaveLength(4)
  })

  it('joins strings', () => {
    const text = (...values: string[]): Tensor => ({
      dtype: 'string',
      shape: [values.length],
      data: values.map((v) => Buffer.from(v)),
    })
    const [merged] = mergeCalls([job('a', { x: text('p') }), job('b', { x: text('q', 'r') })])
    expect(merged?.call.feeds.get('x')).toEqual(text('p', 'q', 'r'))
    expect(merged?.call.split(new Map([['y', text('P', 'Q', 'R')]]))?.[1]?.get('y')).toEqual(text('Q', 'R'))
  })

  it('cannot split an output that has no row per input row', () => {
    const [merged] = mergeCalls([job('a', { x: floats([1], 1) }), job('b', { x: floats([1], 2) })])
    expect(merged?.call.split(new Map([['y', floats([1], 3)]]))).toBeUndefined()
  })
})
