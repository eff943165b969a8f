import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EasError } from '@eas/base'
import { afterAll, expect, it } from 'vitest'
import { joinRows, readNpz } from './npz.ts'

// Written by numpy: packages/cli/examples/recommender/make.py.
const sparse = join(import.meta.dirname, '../../../../test/golden/recommender/distributed/sparse')
const stored = join(sparse, 'sparse_embeddings-00-of-01.npz')
const deflated = join(sparse, 'sparse_dynamic_embedding-00-of-01.npz')
const folder = mkdtempSync(join(tmpdir(), 'eas-npz-'))
afterAll(() => rmSync(folder, { recursive: true }))

const full = (name: string) => `model.embedding_group.emb_impls.__BASE__.ebc.embedding_bags.${name}_emb`

it('reads arrays of every type that tables are of, stored and deflated', async () => {
  const arrays = await readNpz(stored, 'stored')
  expect(arrays.get(full('age'))).toMatchObject({ shape: [5, 8], data: expect.any(Float32Array) })
  expect(arrays.get(full('user_id'))).toMatchObject({ shape: [200, 12], data: expect.any(Uint8Array) })
  expect(arrays.get(full('city_x_category'))).toMatchObject({ shape: [300, 8], data: expect.any(Float32Array) })
  const dynamic = await readNpz(deflated, 'deflated')
  const keys = dynamic.get(`${full('item_id')}.keys`)
  expect(keys?.data).toBeInstanceOf(BigInt64Array)
  expect(dynamic.get(`${full('item_id')}.values`)?.shape).toEqual([keys?.data.length, 8])
})

it.each([
  ['stored', stored],
  ['deflated', deflated],
])('of a damaged file, %s, makes an EasError or arrays', async (name, path) => {
  const whole = readFileSync(path)
  const damaged = join(folder, `${name}.npz`)
  const changes = [
    ...Array.from({ length: 40 }, (_, i) => whole.subarray(0, Math.floor((whole.length * i) / 40))),
    // The directory at the end, where lengths and offsets are, and here and there before it.
    ...Array.from({ length: 100 }, (_, i) => flipped(whole, whole.length - 1 - 3 * i)),
    ...Array.from({ length: 50 }, (_, i) => flipped(whole, Math.floor((whole.length * i) / 50))),
  ]
  for (const bytes of changes) {
    writeFileSync(damaged, bytes)
    try {
      await readNpz(damaged, name)
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(EasError)
      expect(String(thrown)).toMatch(/^EasError: Cannot load the model: /)
    }
  }
})

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 0xff
  return copy
}

it('joins the rows of several files', () => {
  const a = { shape: [1, 2], data: Float32Array.of(1, 2) }
  const b = { shape: [2, 2], data: Float32Array.of(9, 9, 3, 4, 5, 6).subarray(2) }
  expect(joinRows([a, b])).toEqual({ shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) })
  expect(joinRows([{ shape: [1], data: BigInt64Array.of(7n) }])).toEqual({ shape: [1], data: BigInt64Array.of(7n) })
  expect(joinRows([a, { shape: [1, 3], data: Float32Array.of(1, 2, 3) }])).toBeUndefined()
  expect(joinRows([a, { shape: [1, 2], data: Uint8Array.of(1, 2) }])).toBeUndefined()
})
