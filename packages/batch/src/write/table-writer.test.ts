import type { Tensor } from '@eas/base'
import { parquetReadObjects } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import type { ScoredBatch } from '../engine/score-rows.ts'
import { parquetOutput } from './parquet.ts'

/** Rows from `first` on, each with its number as the score. */
function batchOf(first: number, kept: Readonly<Record<string, readonly unknown[]>>, count: number): ScoredBatch {
  const numbers = Float32Array.from({ length: 2 * count }, (_, i) => first + (i >> 1) + (i % 2) / 2)
  const scores: Tensor = { dtype: 'float32', shape: [count, 2], data: numbers }
  const outputs = new Map([['scores', scores]])
  return {
    batch: { count, positions: [], kept: new Map(Object.entries(kept)), groups: [] },
    runs: [{ row: 0, count, outputs, index: 0 }],
    failures: [],
  }
}

const numbered = (first: number, count: number, value: (row: number) => unknown) =>
  Array.from({ length: count }, (_, i) => value(first + i))

async function written(batches: readonly ScoredBatch[]): Promise<readonly Record<string, unknown>[]> {
  const writer = parquetOutput.writer(new Map([['scores', 'scores']]))
  for (const batch of batches) writer.write(batch)
  const bytes = await writer.end()
  return bytes ? await parquetReadObjects({ file: new Uint8Array(bytes).buffer }) : []
}

describe('tableWriter()', () => {
  it('writes rows in their order, over several groups, and nothing for none', async () => {
    const batches = [0, 3000, 6000].map((first) => batchOf(first, { id: numbered(first, 3000, BigInt) }, 3000))
    const rows = await written(batches)
    expect(rows).toHaveLength(9000)
    for (const [i, row] of rows.entries()) expect(row).toEqual({ id: BigInt(i), scores: [i, i + 0.5] })
    expect(await written([])).toEqual([])
  })

  it('gives a column whose later rows are of another type the type that all have in common', async () => {
    const rows = await written([
      batchOf(0, { id: numbered(0, 5000, (row) => row), only: numbered(0, 5000, () => null) }, 5000),
      batchOf(5000, { id: numbered(5000, 5000, (row) => row + 0.5), late: numbered(5000, 5000, String) }, 5000),
      batchOf(10_000, { id: numbered(10_000, 1, () => 'x'), lists: [[1, 2]] }, 1),
    ])
    expect(rows).toHaveLength(10_001)
    expect(rows[4999]).toMatchObject({ id: '4999', late: null, only: null, scores: [4999, 4999.5] })
    expect(rows[5000]).toMatchObject({ id: '5000.5', late: '5000' })
    expect(rows[10_000]).toMatchObject({ id: '"x"', late: null, lists: '[1,2]' })
  })

  it('goes on with a column of which a later group has no value', async () => {
    const rows = await written([batchOf(0, { id: numbered(0, 5000, BigInt) }, 5000), batchOf(5000, {}, 5000)])
    expect(rows).toHaveLength(10_000)
    expect(rows[9999]).toEqual({ id: null, scores: [9999, 9999.5] })
  })

  it('writes the same bytes however the rows come in batches', async () => {
    const id = (first: number, count: number) => ({ id: numbered(first, count, BigInt) })
    const one = parquetOutput.writer(new Map([['scores', 'scores']]))
    one.write(batchOf(0, id(0, 9000), 9000))
    const many = parquetOutput.writer(new Map([['scores', 'scores']]))
    for (let first = 0; first < 9000; first += 100) many.write(batchOf(first, id(first, 100), 100))
    expect(await many.end()).toEqual(await one.end())
  })
})
