import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { compileFg, fgRequest, renderOperators } from './index.ts'

const readme = readFileSync(`${import.meta.dirname}/../README.md`, 'utf8')

it('the example of the README does what it says', async () => {
  const [, code = ''] = /```ts\n(.*?)```/s.exec(readme) ?? []
  const lines = code.trimEnd().split('\n')
  const shown = lines.splice(-3)
  const results = shown.map((line) => line.split(' //')[0])
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor // it has no name of its own
  const run = new AsyncFunction('compileFg', 'fgRequest', `${lines.join('\n')}\nreturn [${results.join(',')}]`)
  const [city, clicks, texts] = await run(compileFg, fgRequest)
  expect(city).toEqual({ dtype: 'int64', shape: [2], data: BigInt64Array.of(33n, 33n) })
  expect(clicks).toEqual({ dtype: 'float32', shape: [2, 1], data: Float32Array.of(3, 0) })
  expect(texts).toEqual(['city:33 | clicks:3.0', 'city:33 | clicks:0.0'])
})

it('the tables of the README are those of the code', () => {
  const [, tables] = /<!-- operators:begin -->\n([\s\S]*)\n<!-- operators:end -->/.exec(readme) ?? []
  expect(tables).toBe(renderOperators())
})
