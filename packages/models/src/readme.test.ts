import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiskCache } from '@eas/storage'
import { afterAll, expect, it } from 'vitest'
import { scratch } from '../../../test/support/onnx.ts'
import { startS3Server, testKeys } from '../../../test/support/storage/s3-server.ts'
import { modelOrigin } from './index.ts'

const { folder, remove } = scratch('models-readme')
afterAll(remove)

it('the example of the README does what it says', async () => {
  const readme = await readFile(`${import.meta.dirname}/../README.md`, 'utf8')
  const [, code = ''] = /```ts\n(.*?)```/s.exec(readme) ?? []
  const server = await startS3Server()
  server.put('models/net.onnx', Buffer.from('a graph'))
  const options = {
    stores: { s3: { endpoint: server.endpoint, credentials: () => testKeys } },
    cache: () => DiskCache.open(join(folder, 'cache')),
    platform: undefined,
    deadlineMs: 20_000,
    baseDir: tmpdir(),
    mounts: [],
  }
  const said: string[] = []
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor // of which there is no global
  const replaced = code.replace('if (', 'replace()\nif (')
  const run = new AsyncFunction('modelOrigin', 'options', 'console', 'replace', `${replaced}\nreturn model`)
  const replace = () => server.put('models/net.onnx', Buffer.from('another'))
  const model = await run(modelOrigin, options, { log: (text: string) => said.push(text) }, replace)
  expect(model).toMatchObject({ format: 'onnx', place: 's3://models/net.onnx', bytes: 7 })
  expect(await readFile(model.path, 'utf8')).toBe('a graph')
  expect(said).toEqual(['there is a newer one'])
  await server.close()
})
