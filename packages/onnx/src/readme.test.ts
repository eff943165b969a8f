import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import * as onnx from './index.ts'

it('the example of the README makes the nodes that it says', async () => {
  const readme = await readFile(`${import.meta.dirname}/../README.md`, 'utf8')
  const [, code = ''] = /```ts\n(.*?)```/s.exec(readme) ?? []
  const [, names = ''] = /^import \{ (.*) \} from '@eas\/onnx'$/m.exec(code) ?? []
  const [, last = '', said = ''] = /^(readModel.*) \/\/ (.*)$/m.exec(code) ?? []
  const body = code.replace(/^import .*$/m, '').replace(last, `return ${last}`)
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor // of which there is no global
  const run = new AsyncFunction(...names.split(', '), body)
  const exported = new Map<string, unknown>(Object.entries(onnx))
  expect(await run(...names.split(', ').map((name) => exported.get(name)))).toEqual(
    JSON.parse(said.replaceAll("'", '"')),
  )
})
