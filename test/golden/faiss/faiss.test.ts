import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openIdMapping, openIndex, RecallError } from '@eas/recall'
import { describe, expect, it } from 'vitest'
import { compare, type FaissCase, readCases, rounding, searchCase } from './compare.ts'

const generated = join(import.meta.dirname, 'generated')
const demo = join(import.meta.dirname, 'demo')

describe.each(['wasm', 'js'] as const)('an index that FAISS wrote, searched by the %s kernel', (kernel) => {
  it.each(readCases(generated))('gives what FAISS finds: $file, k=$k, $params', async (test) => {
    const { wrongIds, scoreError } = compare(test, await searchCase(generated, test, kernel))
    expect(wrongIds).toBe(0)
    expect(scoreError).toBeLessThanOrEqual(test.exact ? 0 : rounding)
  })

  it.each(demoCases())('gives what FAISS finds: $file, $params', async (test) => {
    const { wrongIds, scoreError } = compare(test, await searchCase(demo, test, kernel))
    expect(wrongIds).toBe(0)
    expect(scoreError).toBeLessThanOrEqual(rounding)
  })
})

it('An id_mapping that TorchEasyRec wrote names every row of its index', async () => {
  const mapping = await openIdMapping(join(demo, 'id_mapping'))
  const index = await openIndex(join(demo, 'ivfflat_ip.faiss'))
  expect(mapping.count).toBe(index.count)
  expect([0n, 7n, 499n].map(mapping.itemId)).toEqual(['item_0', 'item_7', 'item_499'])
})

describe('A damaged index', () => {
  // One of every layout; the largest has 38 kB.
  const files = [
    'flat_ip_d3',
    'flat_l2_d17',
    'ivf_ip_many',
    'ivf_l2_idmap',
    'ivf_l2_hnsw',
    'hnsw_ip',
    'ivfpq_l2',
    'ivfpq_ip_bits5',
    'opq_l2',
    'pca_ip',
    'norm_l2',
    'center_ip',
    'remap_ip',
    'empty_hnsw_l2',
  ].map((name) => [name, readFileSync(join(generated, `${name}.faiss`))] as const)

  it.each(files)('is refused wherever it is cut: %s', async (_, bytes) => {
    for (const end of places(bytes.length)) {
      await expect(openIndex(bytes.subarray(0, end), { kernel: 'js' }), `cut at ${end}`).rejects.toThrow(RecallError)
    }
  })

  it.each(files)('is refused when more follows it: %s', async (_, bytes) => {
    await expect(openIndex(Buffer.concat([bytes, Buffer.alloc(1)]))).rejects.toMatchObject({ code: 'corrupt_index' })
  })

  // The js kernel reads the file through a DataView of exactly its bytes, so it would notice any step outside.
  it.each(files)('with a flipped bit is refused, or searched within its bytes: %s', async (_, bytes) => {
    for (const at of places(bytes.length)) {
      for (const bit of [0, 3, 7]) {
        const damaged = Buffer.from(bytes)
        damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << bit), at)
        await searchOrRefuse(damaged)
      }
    }
  })

  it('that lists every node as the neighbour of every other is searched to an end', async () => {
    const bytes = readFileSync(join(generated, 'hnsw_ip.faiss'))
    await searchOrRefuse(bytes.map((byte, i) => (i > 5000 && i % 4 !== 0 ? 0 : byte)))
  })
})

async function searchOrRefuse(bytes: Uint8Array): Promise<void> {
  try {
    const index = await openIndex(bytes, { kernel: 'js' })
    const params = { nprobe: 100, efSearch: 30 }
    const { ids } = index.search(new Float32Array(index.dimension).fill(0.5), 1, 10, params)
    expect(ids).toHaveLength(10)
  } catch (error) {
    expect(error).toBeInstanceOf(RecallError)
    expect((error as RecallError).message).toMatch(/^Cannot (read|search) FAISS index: [^\n]{1,250}$/)
  }
}

/** The first kilobyte, where the fields are, the last bytes, and some in between. */
function places(size: number): readonly number[] {
  const all = Array.from({ length: size }, (_, i) => i)
  return all.filter((i) => i < 300 || i >= size - 40 || i % 211 === 0)
}

/** The demo's cases, recorded apart, in the form of the generated ones. */
function demoCases(): readonly FaissCase[] {
  const { d, n, k, queries, cases } = JSON.parse(readFileSync(join(demo, 'expected.json'), 'utf8'))
  type Recorded = { file: string; nprobe: number | null; D: number[][]; I: number[][] }
  return (cases as Recorded[]).map(({ file, nprobe, D, I }) => ({
    ...{ file, d, n, k, exact: false, metric: file.includes('l2') ? 'l2' : 'ip' },
    params: nprobe === null ? {} : { nprobe },
    queries: queries.flat(),
    D: D.flat(),
    I: I.flat().map(String),
  }))
}

it('Every generated file is searched by a case', () => {
  const searched = new Set(readCases(generated).map(({ file }) => file))
  expect(readdirSync(generated).filter((name) => name.endsWith('.faiss') && !searched.has(name))).toEqual([])
})
