import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { catalogue, catalogueTypes, type Item } from '../../../../test/support/databases/catalogue.ts'
import { ByIdCache } from '../by-id-cache.ts'
import { ItemCache } from '../item-cache.ts'
import { type FeastOptions, feastSource } from './feast.ts'

/** What a Feast feature server was asked and answered: see record_feast.py. */
interface Call {
  readonly name: string
  readonly request: object
  readonly status: number
  readonly body: string
}
const golden = join(import.meta.dirname, '../../../../test/golden/feature-store')
const { calls } = JSON.parse(readFileSync(join(golden, 'feast.json'), 'utf8')) as { readonly calls: readonly Call[] }

const { weights: _, ...types } = catalogueTypes
const features = Object.keys(types).map((name) => `items:${name}`)
const items = catalogue()
const ids = [...items.map(({ item_id }) => item_id), 'nobody']

let server: Server
let url: string
/** Instead of what was recorded. */
let answer: string | undefined
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const call = calls.find((each) => JSON.stringify(each.request) === JSON.stringify(JSON.parse(body)))
    if (request.url !== '/get-online-features' || !call) return void response.writeHead(404).end()
    response.writeHead(call.status, { 'content-type': 'application/json' }).end(answer ?? call.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/` // it listens on TCP
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  answer = undefined
})

const open = (options: Partial<FeastOptions>) => feastSource({ url, types, ...options })

describe('feastSource(), against what a Feast server answered', () => {
  it.each<[string, Partial<FeastOptions>]>([
    ['features', { features }],
    ['a service', { service: 'ranking' }],
  ])('fetches %s by id', async (_, options) => {
    const view = await new ByIdCache(open(options)).view(ids)
    expect(view.items).toBe(items.length)
    const rows = view.entriesOf(ids)
    expect(rows.at(-1)).toBe(-1)
    items.forEach((item, i) => {
      for (const [name, type] of Object.entries(types)) {
        const value = view.value(name, rows[i] ?? -1)
        const plain = ArrayBuffer.isView(value) ? [...(value as unknown as Iterable<unknown>)] : value
        expect(plain, `${name} of ${item.item_id}`).toEqual(expected(item[name as keyof Item], type))
      }
    })
  })

  it('tells what the server refuses', async () => {
    const cache = new ByIdCache(open({ features: ['items:nothing'] }))
    await expect(cache.view(['item_0'])).rejects.toThrow(
      `Cannot read items from Feast: it answers 500 "'Feature nothing not found in projection items'"`,
    )
  })

  it.each([
    ['', 'something that is no JSON'],
    ['null', 'something else than columns of 51 values'],
    ['{"metadata":{"feature_names":["a"]},"results":[]}', 'something else than columns'],
    [
      '{"metadata":{"feature_names":["a"]},"results":[{"values":[1],"statuses":["PRESENT"]}]}',
      'something else than columns',
    ],
    ['{"metadata":{"feature_names":["a"]},"results":[null]}', 'something else than columns'],
  ])('refuses an answer that is not one: %s', async (text, message) => {
    answer = text
    const cache = new ByIdCache(open({ features }))
    await expect(cache.view(ids)).rejects.toThrow(`Cannot load items: Feast answers with ${message}`)
  })

  it('cannot list items', () => {
    expect(() => new ItemCache(open({ features }))).toThrow('Cannot load all items of feast items')
  })
})

function expected(value: unknown, type: string): unknown {
  if (value === null) return undefined
  if (type === 'float') return Math.fround(Number(value))
  return type === 'list<float>' ? (value as number[]).map(Math.fround) : value
}
