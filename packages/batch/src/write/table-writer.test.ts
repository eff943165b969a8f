import type { Tensor } from '@eas/base'
import { tableFromIPC } from 'apache-arrow'
import { parquetReadObjects } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import type { ScoredBatch } from '../engine/score-rows.ts'
import { FineTime } from '../read/exact-values.ts'
import { JsonText } from '../rows/batch-builder.ts'
import { arrowOutput } from './arrow.ts'
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

async function written(batches: readonly ScoredBatch[], parsers = {}): Promise<readonly Record<string, unknown>[]> {
  const writer = parquetOutput.writer(new Map([['scores', 'scores']]))
  for (const batch of batches) writer.write(batch)
  const bytes = await writer.end()
  return bytes ? await parquetReadObjects({ file: new Uint8Array(bytes).buffer, parsers }) : []
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

  it('loses no digit of unsigned integers and of times, and no byte', async () => {
    const id = [2n ** 64n - 1n, 12n, null]
    const time = [new FineTime(1577836814814, 804_999), new Date(1577836814814), null]
    const kept = { id, json: ['18446744073709551615', '5', 'null'].map((text) => new JsonText(text)), time }
    const bytes = [Uint8Array.of(12, 255), null, null]
    const nested = [{ a: 1n, b: 2n ** 60n }, null, null]
    const batch = batchOf(0, { ...kept, bytes, nested }, 3)
    const [parquet] = await written([batch])
    const texts = {
      id: '18446744073709551615',
      json: '18446744073709551615',
      bytes: 'DP8=',
      nested: '{"a":1,"b":"1152921504606846976"}',
    }
    expect(parquet).toMatchObject(texts)
    const writer = arrowOutput.writer(new Map([['scores', 'scores']]))
    writer.write(batch)
    const table = tableFromIPC((await writer.end()) ?? [])
    expect(table.get(0)?.toJSON()).toMatchObject(texts)
    const times = [1577836814814804n, 1577836814814000n, null]
    expect(Array.from(table.getChild('time')?.data[0]?.values.subarray(0, 2))).toEqual(times.slice(0, 2))
    expect(table.getChild('time')?.get(2)).toBe(null)
    const micros = { timestampFromMicroseconds: (count: bigint) => count }
    expect((await written([batch], micros)).map((row) => row.time)).toEqual(times)
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
