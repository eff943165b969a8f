import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

const log = new URL('./log.ts', import.meta.url).href
const script = `import(${JSON.stringify(log)}).then(({ createLogger }) => createLogger('info', false).warn({ service: 'a' }, 'late'))`

it.each([
  ['as pino has it', {}, { level: 'warn', service: 'a', msg: 'late' }],
  [
    'as Cloud Logging reads it on Cloud Run',
    { K_SERVICE: 'a' },
    { severity: 'WARNING', service: 'a', message: 'late' },
  ],
])('a line says how grave it is %s', (_, env, expected) => {
  const { K_SERVICE: _none, ...rest } = process.env
  const args = ['--import', 'tsx', '--eval', script]
  const line = execFileSync(process.execPath, args, { env: { ...rest, ...env }, encoding: 'utf8' })
  expect(JSON.parse(line)).toEqual({ ...expected, time: expect.any(String) })
})
