import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { scratch } from '../../../../test/support/onnx.ts'
import { readOnnxHead } from './onnx-head.ts'

const examples = join(import.meta.dirname, '../../examples/digits')
const { write, remove } = scratch('head')
afterAll(remove)

describe('readOnnxHead()', () => {
  it.each([
    ['digits.onnx', 'pytorch'],
    ['digits-tf.onnx', 'tf2onnx'],
  ])('reads who made %s, and its opset', async (file, producer) => {
    const head = await readOnnxHead(join(examples, file))
    expect(head?.opsets.get('ai.onnx')).toBe(17)
    expect(head?.producer).toMatch(producer)
    expect(head?.ir_version).toBeGreaterThan(0)
  })

  it.each(['', 'x', '\u0008', '\u0042\u007f', 'hello hello hello hello'])(
    'gives no wrong facts of %j',
    async (text) => {
      const head = await readOnnxHead(write('x.onnx', text))
      expect(head === undefined || head.opsets.size === 0).toBe(true)
    },
  )
})
