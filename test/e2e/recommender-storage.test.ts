import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLogger, createProcessor, type Processor, type ServiceSpec, settingsFromEnv } from '@eas/processor'
import { pbLogData } from '@eas/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { scratch } from '../support/onnx.ts'
import { specsOf } from '../support/processor.ts'
import { ask, changed, type Expected, example, readJson, recommender, requestOf } from '../support/recommender.ts'
import { type S3Server, startS3Server, testKeys } from '../support/storage/s3-server.ts'

const cases: readonly Expected[] = readJson(join(example, 'expected.json')).requests
const [page] = cases as [Expected]
const files = scratch('recommender-storage')
let s3: S3Server
beforeAll(async () => {
  s3 = await startS3Server()
  for (const folder of ['model', 'items']) {
    for (const name of readdirSync(join(example, folder))) {
      s3.put(`shop/${folder}/${name}`, readFileSync(join(example, folder, name)))
    }
  }
})
afterAll(async () => {
  await s3?.close()
  files.remove()
})

const env = () => ({
  ...{ EAS_ISOLATION: 'inline', EAS_CACHE_DIR: join(files.folder, 'cache'), EAS_BUCKETS: 'oss://shop=s3://shop' },
  EAS_ITEM_FEATURES: '/home/admin/features/',
})

/** A service as PAI-EAS configures one: everything is behind a mount of OSS. */
function specs(model_config: Readonly<Record<string, unknown>>): ServiceSpec[] {
  const mount = (mount_path: string, path: string) => ({ mount_path, oss: { path, readOnly: false } })
  const service = recommender('unused', model_config, null)
  const json = {
    ...service.json,
    model_path: undefined,
    storage: [
      mount('/home/admin/docker_ml/workspace/model/', 'oss://shop/model/'),
      mount('/home/admin/features/', 'oss://shop/items/'),
      mount('/request_log', 'oss://shop/logs/requests/'),
      mount('/warmup', 'oss://shop/warmup/'),
    ],
  }
  const stores = { s3: { endpoint: s3.endpoint, credentials: () => testKeys, region: 'us-east-1' } }
  return specsOf([{ ...service, json }], env(), stores)
}

async function serve(model_config: Readonly<Record<string, unknown>>): Promise<Processor> {
  const processor = createProcessor({
    services: specs(model_config),
    settings: settingsFromEnv(env()),
    log: createLogger('silent', false),
  })
  await processor.load()
  return processor
}

const keys = (prefix: string) => [...s3.objects.keys()].filter((key) => key.startsWith(prefix))

it('serves, logs and keeps requests where everything is in object storage', async () => {
  const config = { request_log_path: '/request_log', long_request_threshold: 0, save_long_request: true }
  const processor = await serve(config)
  try {
    for (const expected of cases) {
      const { status, text, answer } = await ask(processor, requestOf(expected))
      expect([status, text]).toEqual([200, ''])
      for (const [name, values] of Object.entries(expected.outputs)) {
        for (const [i, value] of values.entries()) expect(answer.map_outputs.get(name)?.data[i]).toBeCloseTo(value, 4)
      }
    }
    // Answered means written: an instance may be frozen, or gone, as soon as it has answered.
    expect(keys('shop/model/torch_req/')).toHaveLength(cases.length)
    // What is kept beside the model is no other version of it.
    const [{ version } = { version: '' }] = processor.readiness().services
    expect(await specs(config)[0]?.origin.newest()).toBe(version)
    await ask(
      processor,
      changed(requestOf(page), () => ({ debug_level: 100, meta_data: new Map([['request_id', 'r1']]) })),
    )
    const [key = ''] = keys('shop/logs/requests/')
    expect(key).toMatch(/^shop\/logs\/requests\/\d{8}_\d{2}\/r1_[0-9a-f]{12}\.pb$/)
    const kept = pbLogData.decode(s3.objects.get(key)?.bytes ?? new Uint8Array())
    expect([...kept.generate_features.keys()]).toEqual(page.item_ids)
  } finally {
    await processor.close()
  }
})

it('keeps requests for the next start, which replays them', async () => {
  const config = { warmup_data_path: '/warmup', warmup_cnt_per_file: 2, warmup_pb_files_count: 3 }
  const first = await serve(config)
  for (const expected of cases) await ask(first, requestOf(expected))
  await first.close()
  expect(keys('shop/warmup/').length).toBeGreaterThan(0)
  const second = await serve(config)
  expect(second.readiness()).toMatchObject({
    ready: true,
    services: [{ warm_up: { failed: 0, skipped: 0, requests: 3 } }],
  })
  await second.close()
})
