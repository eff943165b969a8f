import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { EasError, sizeOf } from './index.ts'

it('the example of the README does what it says', () => {
  const readme = readFileSync(`${import.meta.dirname}/../README.md`, 'utf8')
  const [, code = ''] = /```ts\n(.*?)```/s.exec(readme) ?? []
  const [tensor, size, status] = code.trim().split('\n')
  const run = new Function(
    'EasError',
    'sizeOf',
    `${tensor?.replace(': Tensor', '')}\nreturn [${size?.split(' //')[0]}, ${status?.split(' //')[0]}]`,
  )
  expect(run(EasError, sizeOf)).toEqual([6, 450])
})
