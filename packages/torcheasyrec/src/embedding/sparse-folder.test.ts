import { copyFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openSparseFolder } from './sparse-folder.ts'
import { dynamicTable } from './table.ts'

const golden = join(import.meta.dirname, '../../../../test/golden/recommender/distributed')
const folder = mkdtempSync(join(tmpdir(), 'eas-sparse-'))
afterAll(() => rmSync(folder, { recursive: true }))

const rowOf = (table: { readonly dimension: number; addRow: (...a: [bigint, number, Float32Array, number]) => void }) =>
  function row(id: bigint) {
    const into = new Float32Array(table.dimension)
    table.addRow(id, 1, into, 0)
    return into
  }

it('joins the rows of several ranks', async () => {
  cpSync(golden, folder, { recursive: true })
  const sparse = join(folder, 'sparse')
  copyFileSync(join(sparse, 'sparse_embeddings-00-of-01.npz'), join(sparse, 'sparse_embeddings-01-of-02.npz'))
  const [one, two] = await Promise.all([openSparseFolder(golden), openSparseFolder(folder)])
  // Five ages, and as many again.
  const [age, ages] = [one, two].map((opened) => opened?.lookups.get('age__ebc')?.table)
  if (!age || !ages) throw new Error('there is no table of ages')
  expect(rowOf(ages)(5n + 3n)).toEqual(rowOf(age)(3n))
  expect(rowOf(age)(5n + 3n)).toEqual(rowOf(age)(0n))
  expect(rowOf(age)(3n)).not.toEqual(rowOf(age)(0n))
})

it('a table that grows may have no rows yet', () => {
  const none = { shape: [0, 2], data: new Float32Array() }
  const keys = { shape: [0], data: new BigInt64Array() }
  expect(rowOf(dynamicTable('t', keys, none, undefined, 2))(7n)).toEqual(Float32Array.of(0, 0))
  const fallback = { shape: [1, 2], data: Float32Array.of(3, 4) }
  expect(rowOf(dynamicTable('t', keys, none, fallback, 2))(7n)).toEqual(Float32Array.of(3, 4))
})
