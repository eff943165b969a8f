import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { renderIndexFormats } from './docs.ts'
import { openIdMapping } from './id-mapping.ts'
import { maxResults, openIndex, type RecallIndex } from './open-index.ts'
import { recalledItems } from './recalled-items.ts'

const golden = join(import.meta.dirname, '../../../test/golden/faiss/demo')

describe('search()', () => {
  let index: RecallIndex
  beforeAll(async () => {
    index = await openIndex(join(golden, 'ivfflat_ip.faiss'))
  })

  it.each([
    [new Float32Array(7), 1, 5, {}, '7 floats are not 1 queries of dimension 8'],
    [new Float32Array(8), 0.5, 5, {}, '8 floats are not 0.5 queries of dimension 8'],
    [new Float32Array(8), 1, 0, {}, 'k is 0, not a whole number from 1 on'],
    [new Float32Array(8), 1, 5, { nprobe: -1 }, 'nprobe is -1, not a whole number from 1 on'],
    [new Float32Array(8), 1, 5, { efSearch: Number.NaN }, 'efSearch is NaN, not a whole number from 1 on'],
    [new Float32Array(16), 2, maxResults, {}, '2 queries of 1000000 neighbours are more than 1000000 in all'],
  ])('refuses what makes no sense: case %#', (queries, n, k, params, facts) => {
    expect(() => index.search(queries, n, k, params)).toThrow(`Cannot search: ${facts}`)
  })

  it('gives nothing for no queries, and -1 for a query that is not a number', () => {
    expect(index.search(new Float32Array(0), 0, 5)).toEqual({ ids: new BigInt64Array(0), scores: new Float32Array(0) })
    expect(index.search(new Float32Array(8).fill(Number.NaN), 1, 2).ids).toEqual(BigInt64Array.of(-1n, -1n))
  })
})

it('openIndex() of a file that is not there says so without its path', async () => {
  await expect(openIndex('/nowhere/faiss_index')).rejects.toThrow(/^Cannot read FAISS index: ENOENT$/)
})

it.each([
  ['IxSQ', 'it is IndexScalarQuantizer (IxSQ): build IndexFlat, '],
  ['[0.1', 'it is of the unknown type [0.1: build IndexFlat, '],
])('openIndex() names a type that it does not search, as %s', async (type, facts) => {
  const bytes = Buffer.concat([Buffer.from(type), Buffer.alloc(100)])
  await expect(openIndex(bytes)).rejects.toMatchObject({
    code: 'unsupported_index',
    message: expect.stringContaining(`Cannot search FAISS index: ${facts}`),
  })
})

it('the example of the README does what it says', async () => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
  const [, code = ''] = /```ts\n(.*?)```/s.exec(readme) ?? []
  const names = { openIndex, openIdMapping, recalledItems, userEmbedding: new Float32Array(8).fill(0.1) }
  const directory = (path: string) => ({ faiss_index: 'ivfflat_ip.faiss', id_mapping: 'id_mapping' })[path]
  const located = code.replace(/'(faiss_index|id_mapping)'/g, (_, path) =>
    JSON.stringify(join(golden, directory(path) ?? '')),
  )
  const run = new Function(...Object.keys(names), `return (async () => {${located}\nreturn { index, answer } })()`)
  const { index, answer } = await run(...Object.values(names))
  expect(index.count).toBe(500)
  expect(answer.item_ids).toHaveLength(3)
  expect(readme).toContain(renderIndexFormats())
})
