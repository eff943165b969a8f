import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

it('the README’s example answers, with the bundle that is there', () => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
  const [, example = ''] = /```sh\nnpm run build\n([\s\S]*?)```/.exec(readme) ?? []
  const cwd = join(import.meta.dirname, '../../..')
  const { PATH, HOME } = process.env
  const answer = execFileSync('sh', ['-c', example], { cwd, env: { PATH, HOME }, encoding: 'utf8' })
  expect(answer).toContain('{"ready":true,"services":[{"name":"digits","state":"ready"')
})
