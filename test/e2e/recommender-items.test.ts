import {
  copyFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Processor } from '@eas/processor'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { processorOf } from '../support/processor.ts'
import { ask, type Expected, example, golden, readJson, recommender, requestOf } from '../support/recommender.ts'

const first: readonly Expected[] = readJson(join(example, 'expected.json')).requests
const later: { readonly changed: readonly Expected[]; readonly swapped: readonly Expected[] } = readJson(
  join(golden, 'expected.json'),
)
const folders: string[] = []
const processors: Processor[] = []
afterEach(async () => {
  await Promise.all(processors.splice(0).map((processor) => processor.close()))
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function catalogue(from?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'eas-items-'))
  folders.push(folder)
  if (from) cpSync(from, folder, { recursive: true })
  return folder
}

/** Puts another catalogue in the place of this one, its manifest last and at once, as whoever writes snapshots must. */
function replace(folder: string, from: string): void {
  for (const name of readdirSync(from)) if (name !== 'manifest.json') copyFileSync(join(from, name), join(folder, name))
  copyFileSync(join(from, 'manifest.json'), join(folder, 'manifest.next'))
  renameSync(join(folder, 'manifest.next'), join(folder, 'manifest.json'))
}

async function serve(items: string): Promise<Processor> {
  const env = { EAS_ITEM_REFRESH_S: '1' }
  const processor = await processorOf([recommender(undefined, {}, items)], { env })
  processors.push(processor)
  return processor
}

/** Whether the answer is what Python says, and all of it. */
async function isScored(processor: Processor, expected: Expected): Promise<boolean> {
  const { status, answer } = await ask(processor, requestOf(expected))
  expect(status).toBe(200)
  return Object.entries(expected.outputs).every(([name, values]) =>
    values.every((value, i) => Math.abs(Number(answer.map_outputs.get(name)?.data[i]) - value) < 2e-5),
  )
}

const itemsOf = (processor: Processor) => processor.readiness().services[0]?.items
const patience = { timeout: 30_000, interval: 20 }

describe('the catalogue', () => {
  it('follows increments and a new snapshot while it answers, and every answer is of one of them', async () => {
    const items = catalogue(join(example, 'items'))
    const processor = await serve(items)
    for (const [from, expected] of [
      ['items-changed', later.changed],
      ['items-swapped', later.swapped],
    ] as const) {
      const before = itemsOf(processor)?.changedAt
      replace(items, join(golden, from))
      await vi.waitFor(async () => {
        const known = [...first, ...later.changed, ...later.swapped].filter(({ name }) => name === 'unknown items')
        const matches = await Promise.all(known.map((state) => isScored(processor, state)))
        expect(matches).toContain(true)
        expect(itemsOf(processor)?.changedAt).not.toBe(before)
      }, patience)
      // Increments are published as they come; the last of them is there with the position behind it.
      await vi.waitFor(async () => expect(await isScored(processor, expected[0] as Expected)).toBe(true), patience) // there are some
      for (const state of expected) expect(await isScored(processor, state), state.name).toBe(true)
    }
  })

  it('stays when what follows is wrong, and readiness says why', async () => {
    const items = catalogue(join(example, 'items'))
    const processor = await serve(items)
    writeFileSync(join(items, 'manifest.json'), '{"version":"2","files":["nowhere.ndjson"]}')
    await vi.waitFor(async () => {
      await ask(processor, requestOf(first[0] as Expected)) // there are some
      expect(itemsOf(processor)?.failure?.message).toContain('nowhere.ndjson')
    }, patience)
    expect(processor.readiness().ready).toBe(true)
    expect(itemsOf(processor)).toMatchObject({ state: 'ready', version: '1', items: 300 })
    for (const state of first) expect(await isScored(processor, state), state.name).toBe(true)
  })

  it('that is empty keeps the service from being ready, until there is one', async () => {
    const items = catalogue()
    const processor = await serve(items)
    expect(processor.readiness()).toMatchObject({ ready: false, services: [{ state: 'failed' }] })
    const { status, text } = await ask(processor, requestOf(first[0] as Expected)) // there are some
    expect(status).toBe(503)
    expect(text).toContain('Cannot load items')
    replace(items, join(example, 'items'))
    await vi.waitFor(
      async () => expect((await ask(processor, requestOf(first[0] as Expected))).status).toBe(200),
      patience,
    ) // the same
  })

  it('that no words of the configuration lead to is said at start', async () => {
    const refused = (value: string) => processorOf([recommender(undefined, {}, value)])
    await expect(refused('/items/{fs_project}')).rejects.toThrow(
      'Cannot use EAS_ITEM_FEATURES: model_config has no fs_project',
    )
    await expect(refused('/items/{fs_thing}')).rejects.toThrow(
      'Cannot use EAS_ITEM_FEATURES: {fs_thing} is none of region, fs_project',
    )
    await expect(refused('{"type":')).rejects.toThrow('Cannot use EAS_ITEM_FEATURES: it is neither a place nor JSON')
  })

  it('is found by the words that FeatureStore is configured with', async () => {
    const root = catalogue()
    cpSync(join(example, 'items'), join(root, 'shop/rank/item'), { recursive: true })
    const names = { fs_project: 'shop', fs_model: 'rank', fs_entity: 'item', load_feature_from_offlinestore: true }
    const env = {
      EAS_ITEM_FEATURES: 'redis://nowhere',
      EAS_ITEM_FEATURES_OFFLINE: `${root}/{fs_project}/{fs_model}/{fs_entity}`,
    }
    const processor = await processorOf([recommender(undefined, names, null)], { env })
    processors.push(processor)
    for (const state of first) expect(await isScored(processor, state), state.name).toBe(true)
  })
})

/** Answers as Feast's feature server does, for the example's items. */
async function feastServer() {
  const rows = readFileSync(join(example, 'items/items-1.ndjson'), 'utf8').trim().split('\n')
  const items = new Map(rows.map((row) => JSON.parse(row)).map((item) => [item.item_id, item]))
  const asked: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const ids: string[] = JSON.parse(Buffer.concat(chunks).toString()).entities.item_id
      asked.push(...ids)
      const names = ['category', 'category_id', 'tags', 'price']
      const results = names.map((name) => ({
        values: ids.map((id) => items.get(id)?.[name] ?? null),
        statuses: ids.map((id) => (items.has(id) ? 'PRESENT' : 'NOT_FOUND')),
      }))
      response.end(JSON.stringify({ metadata: { feature_names: names }, results }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return { url: `http://127.0.0.1:${port}`, asked, close: () => server.close() }
}

describe('a catalogue that is asked by id', () => {
  const settings = (url: string, byId?: object) =>
    JSON.stringify({
      ...{ type: 'feast', url, service: 'items', byId },
      types: { category: 'string', category_id: 'string', tags: 'list<string>', price: 'double' },
    })

  it('gives the same scores, and is not asked twice', async () => {
    const feast = await feastServer()
    try {
      const processor = await serve(settings(feast.url))
      for (const state of first) expect(await isScored(processor, state), state.name).toBe(true)
      expect(feast.asked).toContain('item_0042')
      expect(new Set(feast.asked).size).toBe(feast.asked.length)
    } finally {
      feast.close()
    }
  })

  it('that does not answer is 503 while nothing is known', async () => {
    const processor = await serve(settings('http://127.0.0.1:9', { timeoutMs: 200 }))
    const { status, text } = await ask(processor, requestOf(first[0] as Expected)) // there are some
    expect(status).toBe(503)
    expect(text).toContain('Feast')
  })
})
