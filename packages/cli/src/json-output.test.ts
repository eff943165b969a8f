import type { Tensor } from '@eas/base'
import { describe, expect, it } from 'vitest'
import { parseJsonInput, tensorOfJson } from './json-input.ts'
import { tensorContent, toJson } from './json-output.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

describe('toJson()', () => {
  it.each<[unknown, unknown]>([
    [new Map<string, unknown>([['a', 1n]]), { a: 1 }],
    [
      [Number.NaN, Number.POSITIVE_INFINITY],
      ['NaN', 'Infinity'],
    ],
    [BigInt64Array.of(1n, -2n), [1, -2]],
    [bytes(0x61), 'a'],
    [bytes(0xff), { base64: '/w==' }],
    [
      { a: undefined, b: null, c: [{ d: [] }] },
      { b: null, c: [{ d: [] }] },
    ],
  ])('writes %o', (value, parsed) => {
    expect(JSON.parse(toJson(value))).toEqual(parsed)
  })

  it.each<Tensor>([
    { dtype: 'float32', shape: [2, 2], data: Float32Array.of(0.1, Number.NaN, Number.NEGATIVE_INFINITY, 3) },
    { dtype: 'int64', shape: [1, 2], data: BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)) },
    { dtype: 'float16', shape: [], data: Uint16Array.of(0x3555) },
    { dtype: 'bool', shape: [2], data: bytes(1, 0) },
    { dtype: 'string', shape: [1], data: [bytes(0xc3, 0xa9)] },
  ])('writes every digit of a $dtype tensor, so that it can be sent again', (tensor) => {
    const text = toJson(tensorContent(tensor))
    const { dtype, data } = parseJsonInput(text, 'x') as { dtype: Tensor['dtype']; data: unknown } // as written
    expect(tensorOfJson(data, 'x', dtype)).toEqual(tensor)
  })

  it('does not follow the shape of what is empty', () => {
    expect(JSON.parse(toJson({ dtype: 'float32', shape: [1e15, 0], data: new Float32Array() })).data).toEqual([])
  })
})
