import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLogger, createProcessor, loadServices, settingsFromEnv } from '@eas/processor'
import { expect, it } from 'vitest'
import { createHttpServer } from './index.ts'

const packages = join(import.meta.dirname, '../..')
const exampleOf = (name: string) =>
  /```ts\n(.*?)```/s.exec(readFileSync(join(packages, name, 'README.md'), 'utf8'))?.[1] ?? ''

it('the examples of the READMEs of processor and http-server do what they say', async () => {
  const names = {
    createHttpServer,
    createLogger,
    createProcessor,
    loadServices,
    settingsFromEnv,
    readFile,
    path: join(packages, 'cli/examples/digits/service.json'),
    process: { env: { EAS_ISOLATION: 'inline', EAS_LOG_LEVEL: 'silent' } },
    none: new Uint8Array(),
  }
  const code = `${exampleOf('processor')}\n${exampleOf('http-server')}\nreturn { processor, response, http, port }`
  const run = new Function(...Object.keys(names), `return (async () => { ${code} })()`)
  const { processor, response, http, port } = await run(...Object.values(names))
  expect(response.status).toBe(200)
  const answer = await fetch(`http://127.0.0.1:${port}/api/predict/digits`)
  expect(await answer.text()).toBe(Buffer.from(response.body).toString())
  await http.drain(1000)
  await processor.close()
})
