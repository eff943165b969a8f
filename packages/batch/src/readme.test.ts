import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tensor } from '@eas/base'
import { torchPredict } from '@eas/protocol'
import { openStore } from '@eas/storage'
import { expect, it } from 'vitest'
import { createBatch, defaultOptions, type Service, serviceScorer } from './index.ts'

/** Answers with twice what it is asked. */
const service: Service = {
  name: 'double',
  token: '',
  message: 'torch',
  concurrency: 1,
  version: () => '1',
  async handle({ method, body }) {
    const value = { name: 'x', type: 'DT_FLOAT', shape: [-1] }
    if (method === 'GET') {
      return {
        status: 200,
        headers: {},
        body: Buffer.from(JSON.stringify({ inputs: [value], outputs: [{ ...value, name: 'y' }] })),
      }
    }
    const x = torchPredict.decodeRequest(body).map_inputs.get('x') as Tensor & { data: Float32Array } // its one input
    const y: Tensor = { dtype: 'float32', shape: x.shape, data: x.data.map((value) => 2 * value) }
    return {
      status: 200,
      headers: {},
      body: torchPredict.encodeResponse({ outputs: [], map_outputs: new Map([['y', y]]) }),
    }
  },
}

it('the example of the README does what it says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eas-readme-'))
  await mkdir(join(folder, 'in/day=1'), { recursive: true })
  await writeFile(join(folder, 'in/day=1/rows.ndjson'), '{"id":1,"x":4}\n{"id":2,"x":5}\n')
  const readme = await readFile(`${import.meta.dirname}/../README.md`, 'utf8')
  const [, code = ''] = /```ts\n(.*?)```/s.exec(readme) ?? []
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor // of which there is no global
  const names = {
    createBatch,
    serviceScorer,
    service,
    openStore,
    defaultOptions,
    stores: {},
    signal: new AbortController().signal,
  }
  const run = new AsyncFunction(...Object.keys(names), `${code.replaceAll('s3://', `${folder}/`)}\nreturn outcome`)
  const { manifest } = await run(...Object.values(names))
  expect(await readFile(join(folder, 'results', manifest.parts[0].key), 'utf8')).toBe(
    '{"id":1,"y":8}\n{"id":2,"y":10}\n',
  )
  await rm(folder, { recursive: true })
})
