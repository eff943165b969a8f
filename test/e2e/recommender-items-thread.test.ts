import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { torchrecPredict } from '@eas/protocol'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { serviceJson } from '../support/processor.ts'
import { exchange, post } from '../support/raw-http.ts'
import { type Expected, example, golden, readJson, recommender, requestOf } from '../support/recommender.ts'
import { type RunningServer, serve } from '../support/server.ts'
import { type S3Server, startS3Server, testKeys } from '../support/storage/s3-server.ts'

const first: readonly Expected[] = readJson(join(example, 'expected.json')).requests
const { swapped }: { readonly swapped: readonly Expected[] } = readJson(join(golden, 'expected.json'))
const folder = mkdtempSync(join(tmpdir(), 'eas-items-thread-'))
let s3: S3Server
let server: RunningServer

/** Its manifest last, as whoever writes snapshots must. */
function upload(from: string): void {
  const names = readdirSync(from).filter((name) => name !== 'manifest.json')
  for (const name of [...names, 'manifest.json']) s3.put(`shop/items/${name}`, readFileSync(join(from, name)))
}

beforeAll(async () => {
  s3 = await startS3Server()
  upload(join(example, 'items'))
  const path = join(folder, 'service.json')
  writeFileSync(path, serviceJson(recommender(undefined, {}, 's3://shop/items')))
  server = await serve({
    args: [path],
    env: {
      ...{ EAS_S3_ENDPOINT: s3.endpoint, AWS_REGION: 'us-east-1', EAS_ITEM_REFRESH_S: '1' },
      ...{ AWS_ACCESS_KEY_ID: testKeys.accessKeyId, AWS_SECRET_ACCESS_KEY: testKeys.secretAccessKey },
    },
  })
})
afterAll(async () => {
  await server?.stop()
  await s3?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function isScored(expected: Expected): Promise<boolean> {
  const response = await exchange(server.port, post('/api/predict/recommender', requestOf(expected)))
  expect(response?.status).toBe(200)
  const { map_outputs } = torchrecPredict.decodeResponse(response?.body ?? new Uint8Array())
  return Object.entries(expected.outputs).every(([name, values]) =>
    values.every((value, i) => Math.abs(Number(map_outputs.get(name)?.data[i]) - value) < 2e-5),
  )
}

const all = async (cases: readonly Expected[]) => (await Promise.all(cases.map(isScored))).every(Boolean)

it('a server loads its items on a thread of their own, from a store whose credentials it keeps to itself', async () => {
  expect(await all(first)).toBe(true)
})

it('and the catalogue that takes their place', async () => {
  upload(join(golden, 'items-swapped'))
  await vi.waitFor(async () => expect(await all(swapped)).toBe(true), { timeout: 25_000, interval: 100 })
})
