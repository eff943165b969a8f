import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { torchPredict } from './index.ts'

it('the example of the README does what it says', () => {
  const readme = readFileSync(`${import.meta.dirname}/../README.md`, 'utf8')
  const [, code = ''] = /```ts\n(.*?)```/s.exec(readme) ?? []
  const data = new Float32Array(784).fill(0.5)
  const body = torchPredict.encodeRequest({
    inputs: [{ dtype: 'float32', shape: [1, 784], data }],
    output_filter: [],
    map_inputs: new Map(),
    debug_level: 0,
  })
  const scores = new Float32Array(10)
  const run = new Function('torchPredict', 'body', 'scores', `${code}\nreturn { shape, data, answer }`)
  const result = run(torchPredict, body, scores)
  expect(result.shape).toEqual([1, 784])
  expect(result.data).toEqual(data)
  expect(torchPredict.decodeResponse(result.answer).outputs).toEqual([
    { dtype: 'float32', shape: [1, 10], data: scores },
  ])
})
