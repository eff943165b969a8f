import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pbLogData, torchrecPredict } from '@eas/protocol'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { serviceJson } from '../support/processor.ts'
import { exchange, post } from '../support/raw-http.ts'
import { changed, type Expected, example, readJson, recommender, requestOf } from '../support/recommender.ts'
import { type RunningServer, sample, serve, textOf } from '../support/server.ts'

const cases: readonly Expected[] = readJson(join(example, 'expected.json')).requests
const [page] = cases as [Expected]
const body = requestOf(page)
const folder = mkdtempSync(join(tmpdir(), 'eas-request-log-'))
const withId = (debug_level: number, request_id: string) =>
  changed(body, () => ({ debug_level, meta_data: new Map([['request_id', request_id]]) }))

let server: RunningServer
beforeAll(async () => {
  const config = { request_log_path: '/request_log', background_feature_thread_num: 2, save_long_request: true }
  const storage = [{ mount_path: '/request_log', oss: { path: 'oss://logs/recommender/', readOnly: false } }]
  // Slow requests are kept beside the model.
  const model = join(folder, 'model')
  cpSync(join(example, 'model'), model, { recursive: true })
  const write = (name: string, json: string) => {
    const path = join(folder, name)
    writeFileSync(path, json)
    return path
  }
  const quick = { ...recommender(model, { ...config, long_request_threshold: 600_000 }), name: 'quick' }
  const slow = { ...recommender(model, { ...config, long_request_threshold: 0 }), name: 'slow' }
  server = await serve({
    args: [
      write('quick.json', serviceJson({ ...quick, json: { ...quick.json, storage } })),
      write('slow.json', serviceJson({ ...slow, json: { ...slow.json, storage } })),
    ],
    env: { EAS_LOG_LEVEL: 'info', EAS_BUCKETS: `oss://logs=file://${folder}/logs` },
  })
})
afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const ask = (service: string, request: Uint8Array) => exchange(server.port, post(`/api/predict/${service}`, request))
const patience = { timeout: 30_000, interval: 20 }
const lines = (message: string, request_id: string) =>
  server
    .log()
    .split('\n')
    .filter((line) => line.includes(`"msg":"${message}"`) && line.includes(`"request_id":"${request_id}"`))
    .map((line) => JSON.parse(line))

it('debug_level 100 keeps the request with its features, by hour and by its id', async () => {
  const request = withId(100, '../a b/7')
  expect((await ask('quick', request))?.status).toBe(200)
  const logs = join(folder, 'logs/recommender')
  const files = await vi.waitFor(() => {
    const found = readdirSync(logs, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.pb'))
    expect(found).toHaveLength(1)
    return found
  }, patience)
  const [file = ''] = files
  expect(file).toMatch(/^\d{8}_\d{2}\/-a-b-7_[0-9a-f]{12}\.pb$/)
  const kept = pbLogData.decode(readFileSync(join(logs, file)))
  expect(kept.request).toEqual(torchrecPredict.decodeRequest(request))
  expect([...kept.raw_features.keys()]).toEqual(page.item_ids)
  expect([...kept.generate_features.keys()]).toEqual(page.item_ids)
  await vi.waitFor(async () => {
    const metrics = textOf(await exchange(server.port, 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'))
    expect(sample(metrics, 'eas_request_files_total', { service: 'quick', outcome: 'written' })).toBe(1)
  }, patience)
})

it('the line of a request has its id, also where it failed or brought another in a header', async () => {
  const request_id = [['x-request-id', 'of-the-gateway']] as const
  await exchange(server.port, post('/api/predict/quick', withId(0, 'the one that worked'), request_id))
  const wrong = changed(withId(0, 'the one that failed'), () => ({ context_features: new Map([['hour', []]]) }))
  expect((await ask('quick', wrong))?.status).toBe(400)
  await exchange(server.port, post('/api/predict/quick', body, request_id))
  for (const [id, status] of [
    ['the one that worked', 200],
    ['the one that failed', 400],
    ['of-the-gateway', 200],
  ] as const) {
    await vi.waitFor(() => expect(lines('request', id)).toMatchObject([{ service: 'quick', status }]), patience)
  }
})

it('debug_level 903 logs the stages, and 904 what is missing', async () => {
  await ask('quick', withId(903, 'r903'))
  await ask('quick', withId(904, 'r904'))
  await vi.waitFor(() => expect(lines('request lacks features', 'r904')).toHaveLength(1), patience)
  expect(lines('stages of a request', 'r903')).toMatchObject([
    {
      debug_level: 903,
      stages: { queue: expect.any(Number), features: expect.any(Number), compute: expect.any(Number) },
    },
  ])
  expect(lines('request lacks features', 'r904')[0].missing).toEqual([
    ...['user:city', 'item:history__category', 'item:history__price', 'user:history__ts', 'item:history__tags'],
    ...['item:tags (1 of 3 items)', 'context:hour'],
  ])
  expect(lines('request lacks features', 'r903')).toEqual([])
})

it('a long request is logged with its stages and kept beside the model', async () => {
  expect((await ask('slow', withId(0, 'long one')))?.status).toBe(200)
  await vi.waitFor(() => expect(lines('long request', 'long one')).toHaveLength(1), patience)
  const kept = await vi.waitFor(() => {
    const found = readdirSync(join(folder, 'model/torch_req'))
    expect(found).toHaveLength(1)
    return found
  }, patience)
  const bytes = readFileSync(join(folder, 'model/torch_req', kept[0] ?? ''))
  expect(torchrecPredict.decodeRequest(bytes)).toEqual(torchrecPredict.decodeRequest(withId(0, 'long one')))
})
