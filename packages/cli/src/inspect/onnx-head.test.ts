import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readOnnxHead } from './onnx-head.ts'

const examples = join(import.meta.dirname, '../../examples/digits')

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
      const file = join(mkdtempSync(join(tmpdir(), 'eas-head-')), 'x.onnx')
      writeFileSync(file, text)
      const head = await readOnnxHead(file)
      expect(head === undefined || head.opsets.size === 0).toBe(true)
    },
  )
})
