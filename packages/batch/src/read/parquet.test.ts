import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parquetReadObjects } from 'hyparquet'
import { compressors as portable } from 'hyparquet-compressors'
import { describe, expect, it } from 'vitest'
import { BatchError } from '../batch-error.ts'
import type { BatchBuilder } from '../rows/batch-builder.ts'
import type { RowPlan } from '../rows/mapping.ts'
import { pageCompressors } from './parquet/index.ts'
import { parquet } from './parquet.ts'
import type { ReadableSource } from './row-block.ts'

const names = [
  'nested-v1-snappy',
  'nested-v2-zstd',
  'nested-v1-none-pages',
  'nested-v2-none-pages',
  'nested-v1-gzip-index',
  'nested-v2-brotli-delta',
  'nested-v1-lz4-old-lists',
] as const
const golden = (name: string) =>
  readFileSync(join(import.meta.dirname, `../../../../test/golden/batch/${name}.parquet`))

type Row = Readonly<Record<string, unknown>>

/** The rows that the format gives to whoever builds tensors of them. */
async function rowsOf(bytes: Uint8Array, offset = 0, keep?: readonly string[]): Promise<Row[]> {
  const source: ReadableSource = {
    info: { key: 'a.parquet', size: bytes.length, version: '1' },
    isPlain: true,
    csv: {},
    read: async (start, end) => bytes.slice(start, end),
    async *stream() {},
    async *content() {},
  }
  const plan: RowPlan = {
    inputs: [],
    targets: new Map(),
    keep: keep && new Set(keep),
    outputs: new Map(),
    fixedRows: undefined,
  }
  const rows: Row[] = []
  const recorder: Pick<BatchBuilder, 'addValues'> = {
    addValues(columns, read, position) {
      expect(position).toBe(offset + rows.length)
      rows.push(Object.fromEntries(columns.map((name, i) => [name, plain(read(i))])))
    },
  }
  let next = offset
  for await (const block of parquet.blocks(source, offset, plan)) {
    for (let i = 0; i < block.count; i++) {
      block.add(i, recorder as BatchBuilder, next) // all that blocks of tables call
      next = block.endOf(i)
    }
  }
  return rows
}

/** Arrays of numbers as lists, what is not there as null. */
function plain(value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (value instanceof Date || typeof value !== 'object') return value
  if (Array.isArray(value) || ArrayBuffer.isView(value))
    return Array.from(value as unknown as ArrayLike<unknown>, plain) // of either
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]))
}

const compressors = pageCompressors(portable)

/** As the library assembles them, which goes about it in another way: value by value. */
async function assembled(bytes: Uint8Array, columns?: string[]): Promise<unknown> {
  const file = new Uint8Array(bytes).buffer
  return plain(await parquetReadObjects({ file, compressors, geoparquet: false, ...(columns && { columns }) }))
}

describe('parquet.blocks()', () => {
  it.each(names)('gives the values and lists of %s as the library assembles them', async (name) => {
    const rows = await rowsOf(golden(name))
    expect(rows).toHaveLength(150)
    expect(rows).toEqual(await assembled(golden(name)))
  })

  it.each(names)('goes on in the middle of %s', async (name) => {
    const columns = ['floats', 'int64s', 'words', 'long_rows', 'row', 'word']
    const all = await assembled(golden(name), columns)
    for (const offset of [1, 59, 60, 61, 107, 149]) {
      expect(await rowsOf(golden(name), offset, columns)).toEqual((all as Row[]).slice(offset)) // its rows
    }
  })

  it('gives what is damaged a reason, or rows', async () => {
    let seed = 7
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
      return (seed >>> 8) % below
    }
    let refused = 0
    const count = process.env.EAS_FULL ? 5000 : 250
    for (let i = 0; i < count; i++) {
      const bytes = new Uint8Array(golden(names[i % names.length] ?? ''))
      for (let flips = random(4) + 1; flips > 0; flips--) bytes[random(bytes.length)] = random(256)
      const cut = random(4) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes
      try {
        await rowsOf(cut, 0, ['floats', 'int64s', 'words', 'float', 'int64', 'truths'])
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(BatchError)
        refused++
      }
    }
    expect(refused).toBeGreaterThan(count / 10)
  })
})
