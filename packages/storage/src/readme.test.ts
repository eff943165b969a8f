import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { expect, it } from 'vitest'
import { DiskCache, download, openStore, unpack } from './index.ts'

it('the example of the README does what it says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eas-readme-'))
  const tar = pack()
  tar.entry({ name: 'resnet.onnx' }, 'a model')
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar as AsyncIterable<unknown> as AsyncIterable<Buffer>) chunks.push(chunk) // tar-stream does not say so
  await writeFile(join(folder, 'resnet.tar.gz'), gzipSync(Buffer.concat(chunks)))

  const readme = await readFile(`${import.meta.dirname}/../README.md`, 'utf8')
  const [, code = ''] = /```ts\n(.*?)```/s.exec(readme) ?? []
  const local = code.replaceAll('/mnt/models', folder).replaceAll('/tmp/models', join(folder, 'cache'))
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor // of which there is no global
  const run = new AsyncFunction(
    'openStore',
    'DiskCache',
    'download',
    'unpack',
    `${local.replace(': StoreSettings', '')}\nreturn folder`,
  )
  const unpacked = await run(openStore, DiskCache, download, unpack)
  expect(await readFile(join(unpacked, 'resnet.onnx'), 'utf8')).toBe('a model')
  await rm(folder, { recursive: true })
})
