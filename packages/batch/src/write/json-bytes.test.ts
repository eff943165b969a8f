import type { Tensor } from '@eas/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonBytes } from './json-bytes.ts'
import { jsonOfRow, nestedRow, writeRow } from './values.ts'

describe('JsonBytes', () => {
  it('holds what has been written, in UTF-8, however long it is', () => {
    const piece = fc.oneof(
      { weight: 8, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 90_000 }).map((length) => 'é'.repeat(length)) },
      { weight: 1, arbitrary: fc.constantFrom('a'.repeat(31), 'a'.repeat(32), 'a'.repeat(33), `${'a'.repeat(31)}é`) },
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, fc.boolean()), { maxLength: 12 }), (pieces) => {
        const json = new JsonBytes()
        const again = new JsonBytes()
        for (const [text, asBytes] of pieces) {
          for (const to of [json, again]) {
            if (asBytes) to.bytes(Buffer.from(text))
            else to.text(text)
            to.byte(0x0a)
          }
        }
        const expected = pieces.map(([text]) => `${text}\n`).join('')
        expect(json.take()?.toString('utf8') ?? '').toBe(expected)
        expect(json.take()).toBeUndefined()
        expect(again.takeText()).toBe(expected)
        expect(again.takeText()).toBe('')
      }),
      { numRuns: 200 },
    )
  })

  it('writes numbers as JSON.stringify does, however many', () => {
    const special = [Number.NaN, Number.NEGATIVE_INFINITY, -0, 1e-7, 1e30, 0.1, 16777216]
    const data = Float32Array.from({ length: 30_000 }, (_, i) => special[i % 11] ?? Math.sin(i) / i)
    const json = new JsonBytes()
    json.float32s(data, 3, data.length - 3)
    expect(`[${json.take()}]`).toBe(JSON.stringify([...data.subarray(3)]))
  })
})

describe('writeRow()', () => {
  const shapes = [[2], [2, 3], [2, 0], [2, 2, 0], [2, 1, 3], [2, 3, 2, 2]]
  it.each([
    { dtype: 'float32', array: Float32Array },
    { dtype: 'float64', array: Float64Array },
    { dtype: 'int32', array: Int32Array },
    { dtype: 'uint8', array: Uint8Array },
  ] as const)('writes $dtype as nested lists by its shape', ({ dtype, array }) => {
    for (const shape of shapes) {
      const size = shape.reduce((product, dim) => product * dim, 1)
      const tensor = { dtype, shape, data: new array(Array.from({ length: size }, (_, i) => i * 1.1)) } as Tensor // of its dtype
      for (const index of [0, 1]) {
        const json = new JsonBytes()
        writeRow(json, tensor, index)
        expect(json.takeText()).toBe(JSON.stringify(nestedRow(tensor, index)))
        expect(jsonOfRow(tensor, index)).toBe(JSON.stringify(nestedRow(tensor, index)))
      }
    }
  })

  it('writes texts, truths and 64-bit integers', () => {
    const texts = ['a"b', 'é\n', '😀', ''].map((text) => Buffer.from(text))
    expect(jsonOfRow({ dtype: 'string', shape: [2, 2], data: texts }, 0)).toBe('["a\\"b","é\\n"]')
    expect(jsonOfRow({ dtype: 'bool', shape: [2], data: Uint8Array.of(0, 1) }, 1)).toBe('true')
    expect(jsonOfRow({ dtype: 'int64', shape: [1, 2], data: BigInt64Array.of(-(2n ** 63n), 7n) }, 0)).toBe(
      '[-9223372036854775808,7]',
    )
  })
})
