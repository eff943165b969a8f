import { gzipSync } from 'node:zlib'
import {
  createLogger,
  createProcessor,
  machineOf,
  type Processor,
  prepareBeside,
  settingsFromEnv,
} from '@eas/processor'
import { torchPredict } from '@eas/protocol'
import type { StoreSettings } from '@eas/storage'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { graphs } from '../support/models.ts'
import { onnxModel, scratch } from '../support/onnx.ts'
import { specsOf } from '../support/processor.ts'
import { type S3Server, startS3Server, testKeys } from '../support/storage/s3-server.ts'

const files = scratch('object-storage')
const add = onnxModel(graphs.add)
/** `y = a - b`: the node's name is as long. */
const subtract = Buffer.from(Buffer.from(add).toString('latin1').replace('Add', 'Sub'), 'latin1')

let s3: S3Server
let stores: StoreSettings
let bucket = ''
let count = 0
beforeAll(async () => {
  s3 = await startS3Server()
  stores = { s3: { endpoint: s3.endpoint, credentials: () => testKeys, region: 'us-east-1' } }
})
beforeEach(() => {
  bucket = `bucket-${count++}`
})
afterAll(async () => {
  await s3?.close()
  files.remove()
})

const env = (more: Readonly<Record<string, string>> = {}) => ({
  EAS_ISOLATION: 'inline',
  EAS_CACHE_DIR: `${files.folder}/cache-${bucket}`,
  EAS_LOAD: 'lazy',
  ...more,
})

function serving(model_path: string, json: Readonly<Record<string, unknown>> = {}, more = {}): Processor {
  const all = env(more)
  return createProcessor({
    services: specsOf([{ name: 'add', model: model_path, json }], all, stores),
    settings: settingsFromEnv(all),
    log: createLogger('silent', false),
  })
}

const tensor = (rows: number, ...data: number[]) =>
  ({
    dtype: 'float32',
    shape: [rows, 2],
    data: Float32Array.from({ length: rows * 2 }, (_, i) => data[i % 2] ?? 0),
  }) as const
const bodyOf = (rows = 1) =>
  torchPredict.encodeRequest({
    inputs: [tensor(rows, 1, 2), tensor(rows, 10, 20)],
    map_inputs: new Map(),
    output_filter: [],
    debug_level: 0,
  })

async function ask(processor: Processor, rows = 1): Promise<string> {
  const { status, body } = await processor.handle({
    method: 'POST',
    target: '/api/predict/add',
    headers: {},
    body: bodyOf(rows),
  })
  if (status !== 200) return `${status} ${Buffer.from(body).toString()}`
  return [...(torchPredict.decodeResponse(body).outputs[0]?.data ?? [])].join()
}

async function answerOf(model_path: string, json: Readonly<Record<string, unknown>> = {}, more = {}) {
  const processor = serving(model_path, json, more)
  try {
    return await ask(processor)
  } finally {
    await processor.close()
  }
}

async function tarOf(entries: Readonly<Record<string, Uint8Array>>): Promise<Buffer> {
  const tar = pack()
  for (const [name, bytes] of Object.entries(entries)) tar.entry({ name }, Buffer.from(bytes))
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar) chunks.push(chunk as Buffer) // no encoding is set
  return Buffer.concat(chunks)
}

describe('A model in object storage', () => {
  it('is served as a file, a folder, an archive and through a mount', async () => {
    s3.put(`${bucket}/a/model.onnx`, add)
    s3.put(`${bucket}/packed.tar.gz`, gzipSync(await tarOf({ 'top/model.onnx': subtract })))
    expect(await answerOf(`s3://${bucket}/a/model.onnx`)).toBe('11,22')
    expect(await answerOf(`s3://${bucket}/a/`)).toBe('11,22')
    expect(await answerOf(`s3://${bucket}/a`)).toBe('11,22')
    expect(await answerOf(`s3://${bucket}/packed.tar.gz`)).toBe('-9,-18')
    const storage = [{ mount_path: '/data', oss: { path: `oss://old-bucket/` } }]
    const moved = { EAS_BUCKETS: `oss://old-bucket=s3://${bucket}` }
    expect(await answerOf('/data/a/model.onnx', { storage }, moved)).toBe('11,22')
    expect(await answerOf('oss://old-bucket/a', {}, moved)).toBe('11,22')
  })

  it('is fetched once, and not again by the next start', async () => {
    s3.put(`${bucket}/model.onnx`, add)
    const fetches = () =>
      s3.requests.filter((line) => line.startsWith(`GET /${bucket}/model.onnx`) && !line.includes('.eas/')).length
    const processor = serving(`s3://${bucket}/model.onnx`)
    expect(new Set(await Promise.all(Array.from({ length: 100 }, () => ask(processor))))).toEqual(new Set(['11,22']))
    await processor.close()
    expect(fetches()).toBe(1)
    expect(await answerOf(`s3://${bucket}/model.onnx`)).toBe('11,22')
    expect(fetches()).toBe(1)
    s3.put(`${bucket}/model.onnx`, subtract)
    expect(await answerOf(`s3://${bucket}/model.onnx`)).toBe('-9,-18')
  })

  it('that is not there, or may not be read, is 503 and says so', async () => {
    expect(await answerOf(`s3://${bucket}/none.onnx`)).toMatch(/^503 Cannot load s3:.*there is nothing there$/)
    const denied = { s3: { endpoint: s3.endpoint, credentials: () => ({ ...testKeys, secretAccessKey: 'wrong' }) } }
    s3.put(`${bucket}/model.onnx`, add)
    const all = env()
    const processor = createProcessor({
      services: specsOf([{ name: 'add', model: `s3://${bucket}/model.onnx` }], all, denied),
      settings: settingsFromEnv(all),
      log: createLogger('silent', false),
    })
    const answer = await ask(processor)
    expect(answer).toMatch(/^503 Cannot load/)
    expect(answer).not.toContain('wrong')
    await processor.close()
  })

  it('has versions: the highest folder, or what a pointer names', async () => {
    s3.put(`${bucket}/m/9/model.onnx`, add)
    s3.put(`${bucket}/m/10/model.onnx`, subtract)
    expect(await answerOf(`s3://${bucket}/m`)).toBe('-9,-18')
    s3.put(`${bucket}/m.version`, Buffer.from('m/9\n'))
    expect(await answerOf(`s3://${bucket}/m.version`)).toBe('11,22')
    s3.put(`${bucket}/dt=20260101 a/add.onnx`, add)
    for (const [written, meant] of [
      ['./m/9/\r\n', '11,22'],
      ['\ufeff m/9 ', '11,22'],
      ['dt=20260101 a/add.onnx', '11,22'],
    ] as const) {
      s3.put(`${bucket}/m.version`, Buffer.from(written))
      expect(await answerOf(`s3://${bucket}/m.version`)).toBe(meant)
    }
    for (const outside of [
      '../other/m',
      'm/../../other',
      '/m/9',
      's3://other/m',
      'm/9\nm/8',
      '',
      '.',
      'm?x',
      'm.version',
    ]) {
      s3.put(`${bucket}/m.version`, Buffer.from(outside))
      expect(await answerOf(`s3://${bucket}/m.version`)).toMatch(/^503 |^404 /)
    }
    s3.put(`${bucket}/m.version`, Buffer.from('../other/m'))
    expect(await answerOf(`s3://${bucket}/m.version`)).toMatch(/^503 .*no path below it$/)
  })

  it('is replaced by a newer version without a failed request', async () => {
    s3.put(`${bucket}/m/1/model.onnx`, add)
    const processor = serving(`s3://${bucket}/m`, {}, { EAS_REFRESH_S: '1' })
    const seen = [await ask(processor)]
    s3.put(`${bucket}/m/2/model.onnx`, subtract)
    for (const end = Date.now() + 20_000; Date.now() < end && seen.at(-1) !== '-9,-18'; ) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      seen.push(await ask(processor))
    }
    expect([...new Set(seen)]).toEqual(['11,22', '-9,-18'])
    await processor.close()
  })
})

describe('A prepared model in object storage', () => {
  const prepared = async (model: string) => {
    const settings = settingsFromEnv(env())
    return prepareBeside(model, '/', machineOf(settings, stores))
  }

  it('is used instead of the model, of the version it was made of', async () => {
    s3.put(`${bucket}/model.onnx`, add)
    const { folder } = await prepared(`s3://${bucket}/model.onnx`)
    const seen = s3.requests.length
    expect(await answerOf(`s3://${bucket}/model.onnx`, {}, { EAS_CACHE_DIR: `${files.folder}/fresh-${bucket}` })).toBe(
      '11,22',
    )
    const asked = s3.requests.slice(seen)
    expect(asked.some((line) => line.includes('.eas/') && /\/model\.onnx(?:\?|$)/.test(line))).toBe(true)
    expect(asked.some((line) => new RegExp(`^GET /${bucket}/model.onnx(?:\\?|$)`).test(line))).toBe(false)
    expect(folder).toContain(`s3://${bucket}/model.onnx.eas/`)

    s3.put(`${bucket}/model.onnx`, subtract)
    expect(await answerOf(`s3://${bucket}/model.onnx`)).toBe('-9,-18')
  })

  it('is written by the first start that finds none, where that is asked for', async () => {
    s3.put(`${bucket}/model.onnx`, add)
    const manifest = () => [...s3.objects.keys()].some((key) => key.startsWith(bucket) && key.endsWith('manifest.json'))
    const processor = serving(`s3://${bucket}/model.onnx`, {}, { EAS_PREPARE: 'on' })
    expect(await ask(processor)).toBe('11,22')
    await expect.poll(manifest, { timeout: 20_000 }).toBe(true)
    await processor.close()
    const seen = s3.requests.length
    const more = { EAS_CACHE_DIR: `${files.folder}/next-${bucket}` }
    expect(await answerOf(`s3://${bucket}/model.onnx`, {}, more)).toBe('11,22')
    const asked = s3.requests.slice(seen)
    expect(asked.some((line) => new RegExp(`^GET /${bucket}/model.onnx(?:\\?|$)`).test(line))).toBe(false)
  })

  it('lies beside a model in the root of a bucket', async () => {
    s3.put(`${bucket}/model.onnx`, add)
    const { folder } = await prepared(`s3://${bucket}`)
    expect(folder).toContain(`s3://${bucket}/.eas/`)
    const seen = s3.requests.length
    const more = { EAS_CACHE_DIR: `${files.folder}/root-${bucket}` }
    expect(await answerOf(`s3://${bucket}/`, {}, more)).toBe('11,22')
    const asked = s3.requests.slice(seen)
    expect(asked.some((line) => line.startsWith(`GET /${bucket}/.eas/`) && line.includes('/model.onnx'))).toBe(true)
  })

  it('lies beside a model whose bucket is written with its endpoint', async () => {
    s3.put(`${bucket}/model.onnx`, add)
    const settings = settingsFromEnv(env())
    const oss = { oss: { endpoint: s3.endpoint, credentials: () => testKeys } }
    const model = `oss://${bucket}.oss-us-east-1.aliyuncs.com/model.onnx`
    const { folder } = await prepareBeside(model, '/', machineOf(settings, oss))
    expect(folder).toContain(`oss://${bucket}/model.onnx.eas/`)
    expect([...s3.objects.keys()].filter((key) => key.startsWith(`${bucket}/model.onnx.eas/`))).not.toEqual([])
  })

  it('that is damaged is left, and the model itself is served', async () => {
    s3.put(`${bucket}/model.onnx`, add)
    await prepared(`s3://${bucket}/model.onnx`)
    const path = [...s3.objects.keys()].find(
      (key) => key.startsWith(`${bucket}/model.onnx.eas/`) && key.endsWith('/model.onnx'),
    )
    expect(path).toBeDefined()
    const bytes = Buffer.from(s3.objects.get(path ?? '')?.bytes ?? [])
    // 1,000 of them with EAS_FULL=1, which is more than it has bytes.
    const places = process.env.EAS_FULL
      ? Array.from({ length: 1000 }, (_, i) => i % bytes.length)
      : [0, 20, bytes.length >> 1, bytes.length - 1]
    for (const [trial, at] of places.entries()) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ (1 << ((trial / bytes.length) & 7))
      s3.put(path ?? '', flipped)
      const more = { EAS_CACHE_DIR: `${files.folder}/flip-${bucket}-${trial}` }
      expect(await answerOf(`s3://${bucket}/model.onnx`, {}, more), `byte ${at}`).toBe('11,22')
    }
  })
})

describe('Warm-up requests in object storage', () => {
  it('are replayed from a folder', async () => {
    s3.put(`${bucket}/model.onnx`, add)
    s3.put(`${bucket}/warm/a.bin`, bodyOf(1))
    s3.put(`${bucket}/warm/b.bin`, bodyOf(3))
    const processor = serving(
      `s3://${bucket}/model.onnx`,
      { warm_up_data_path: `s3://${bucket}/warm/` },
      { EAS_LOAD: 'eager' },
    )
    await processor.load()
    expect(processor.readiness().services[0]?.warm_up).toMatchObject({ requests: 2, failed: 0, skipped: 0 })
    await processor.close()
  })

  it('are kept by the first start of TorchEasyRec, once for each shape, and replayed by the next', async () => {
    s3.put(`${bucket}/model.onnx`, add)
    const json = {
      processor: 'easyrec-torch-1.5',
      storage: [{ mount_path: '/mnt/', oss: { path: `oss://warm/` } }],
      model_config: { fg_mode: 'bypass', warmup_data_path: '/mnt/warm', warmup_pb_files_count: 3 },
    }
    const more = { EAS_BUCKETS: `oss://warm=s3://${bucket}` }
    const first = serving(`s3://${bucket}/model.onnx`, json, more)
    for (const rows of [1, 1, 2, 1, 3, 4, 5]) {
      expect(await ask(first, rows)).not.toMatch(/^\d+ /)
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
    await first.close()
    const kept = [...s3.objects.keys()].filter((key) => key.startsWith(`${bucket}/warm/`)).sort()
    expect(kept).toEqual([0, 1, 2].map((i) => `${bucket}/warm/${i}.pb`))
    expect(s3.objects.get(kept[1] ?? '')?.bytes.equals(bodyOf(2))).toBe(true)

    const second = serving(`s3://${bucket}/model.onnx`, json, { ...more, EAS_LOAD: 'eager' })
    await second.load()
    expect(second.readiness().services[0]?.warm_up).toMatchObject({ requests: 3, failed: 0, skipped: 0 })
    expect(await ask(second)).toBe('11,22')
    await second.close()
    expect([...s3.objects.keys()].filter((key) => key.startsWith(`${bucket}/warm/`))).toHaveLength(3)
  })
})
