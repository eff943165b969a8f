import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parquetReadObjects } from 'hyparquet'
import { compressors as portable } from 'hyparquet-compressors'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, it } from 'vitest'
import { BatchError } from '../batch-error.ts'
import { BatchBuilder } from '../rows/batch-builder.ts'
import { planRows, type RowPlan } from '../rows/mapping.ts'
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

const sourceOf = (bytes: Uint8Array): ReadableSource => ({
  info: { key: 'a.parquet', size: bytes.length, version: '1' },
  isPlain: true,
  read: async (start, end) => bytes.slice(start, end),
  async *stream() {},
  async *content() {},
})

/** The rows that the format gives to whoever builds tensors of them. */
async function rowsOf(bytes: Uint8Array, offset = 0, keep?: readonly string[]): Promise<Row[]> {
  const plan: RowPlan = {
    inputs: [],
    targets: new Map(),
    keep: keep && new Set(keep),
    outputs: new Map(),
    written: new Set(),
    csv: {},
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
  for await (const block of parquet.blocks(sourceOf(bytes), offset, plan)) {
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

  it('gives rows of several inputs at once what each row by itself is given', async () => {
    const count = 3000
    const rowOf = (i: number) => ({
      id: BigInt(i),
      // Rows that cannot be taken at once stand between those that can.
      x: i % 701 === 3 ? [i, null, 2] : [i, i / 4, -i],
      ids: i % 997 === 5 ? [1n] : [i, i + 1, 2, 3, i * i].map(BigInt),
    })
    const rows = Array.from({ length: count }, (_, i) => rowOf(i))
    const list = (name: string, type: 'FLOAT' | 'INT64') => [
      { name, converted_type: 'LIST', repetition_type: 'REQUIRED', num_children: 1 } as const,
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 } as const,
      { name: 'element', type, repetition_type: 'OPTIONAL' } as const,
    ]
    const file = parquetWriteBuffer({
      columnData: (['id', 'x', 'ids'] as const).map((name) => ({ name, data: rows.map((row) => row[name]) })),
      schema: [
        { name: 'root', num_children: 3 },
        { name: 'id', type: 'INT64', repetition_type: 'REQUIRED' },
        ...list('x', 'FLOAT'),
        ...list('ids', 'INT64'),
      ],
      rowGroupSize: 1300,
      pageSize: 2000,
    })
    const plan = planRows(
      {},
      {
        inputs: [
          { name: 'x', dtype: 'float32', shape: [-1, 3] },
          { name: 'ids', dtype: 'int64', shape: [-1, 5] },
        ],
        outputs: [{ name: 'y', dtype: 'float32', shape: [-1] }],
        version: '1',
      },
    )
    const builder = new BatchBuilder(plan)
    const refused: number[] = []
    let position = 0
    let atOnce = 0
    for await (const block of parquet.blocks(sourceOf(new Uint8Array(file)), 0, plan)) {
      for (let i = 0; i < block.count; ) {
        let added = block.addMany?.(i, 97, builder, position) ?? 0
        atOnce += added
        try {
          if (added === 0) block.add(i, builder, position)
        } catch {
          refused.push(position)
        }
        added ||= 1
        i += added
        position += added
      }
    }
    expect(position).toBe(count)
    expect(refused).toEqual([...rows.keys()].filter((i) => i % 701 === 3 || i % 997 === 5))
    expect(atOnce).toBeGreaterThan(count / 2)
    const good = rows.filter((_, i) => !refused.includes(i))
    const { positions, kept, groups } = builder.take()
    expect(positions).toEqual([...rows.keys()].filter((i) => !refused.includes(i)))
    expect(kept.get('id')).toEqual(good.map(({ id }) => id))
    expect(groups[0]?.feeds.get('x')?.data).toEqual(Float32Array.from(good.flatMap(({ x }) => x as number[])))
    expect(groups[0]?.feeds.get('ids')?.data).toEqual(BigInt64Array.from(good.flatMap(({ ids }) => ids)))
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
  }, 600_000)
})
