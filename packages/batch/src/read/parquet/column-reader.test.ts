import fc from 'fast-check'
import type { PageHeader, SchemaTree } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import type { RawPage } from './chunk-pages.ts'
import { ColumnReader } from './column-reader.ts'
import { type Leaf, leafOf } from './leaf.ts'

type Row = readonly (number | null)[] | null

const element = (name: string, repetition_type: 'REQUIRED' | 'OPTIONAL' | 'REPEATED', more = {}) => ({
  name,
  repetition_type,
  ...more,
})
const node = (tree: Omit<SchemaTree, 'count' | 'path'>, path: string[]): SchemaTree => ({ count: 1, path, ...tree })

/** An optional list of optional floats, uncompressed. */
const leaf = ((): Leaf => {
  const entry = node({ element: element('element', 'OPTIONAL', { type: 'FLOAT' }), children: [] }, ['x', 'l', 'e'])
  const list = node({ element: element('list', 'REPEATED'), children: [entry] }, ['x', 'l'])
  const column = node({ element: element('x', 'OPTIONAL', { converted_type: 'LIST' }), children: [list] }, ['x'])
  const root = node({ element: { name: 'root' }, children: [column] }, [])
  const metadata = { type: 'FLOAT', codec: 'UNCOMPRESSED' } as Parameters<typeof leafOf>[2] // all that is looked at
  return leafOf(root, column, metadata, {}) as Leaf // a list of values
})()

interface Entry {
  readonly repetition: number
  readonly definition: number
  readonly value: number
}

function entriesOf(rows: readonly Row[]): Entry[] {
  return rows.flatMap((row): Entry[] => {
    if (row === null) return [{ repetition: 0, definition: 0, value: 0 }]
    if (row.length === 0) return [{ repetition: 0, definition: 1, value: 0 }]
    return row.map((value, i) => ({ repetition: i > 0 ? 1 : 0, definition: value === null ? 2 : 3, value: value ?? 0 }))
  })
}

/** Levels as one group of packed bits, or in runs. */
function levels(values: readonly number[], width: number, packed: boolean): Buffer {
  if (!packed) {
    const bytes: number[] = []
    for (let at = 0, end = 0; at < values.length; at = end) {
      while (end < values.length && values[end] === values[at]) end++
      bytes.push((end - at) << 1, values[at] ?? 0)
    }
    return Buffer.from(bytes)
  }
  const groups = Math.ceil(values.length / 8)
  const bytes = Buffer.alloc(groups * width)
  for (const [i, value] of values.entries()) {
    for (let bit = 0; bit < width; bit++) {
      const at = i * width + bit
      bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (((value >> bit) & 1) << (at & 7))
    }
  }
  const header = (groups << 1) | 1
  return Buffer.concat([Buffer.from(header < 128 ? [header] : [(header & 127) | 128, header >> 7]), bytes])
}

function pageOf(entries: readonly Entry[], packed: boolean, isV2: boolean): RawPage {
  const repetitions = levels(
    entries.map(({ repetition }) => repetition),
    1,
    packed,
  )
  const definitions = levels(
    entries.map(({ definition }) => definition),
    2,
    packed,
  )
  const present = entries.filter(({ definition }) => definition === 3)
  const values = Buffer.from(Float32Array.from(present, ({ value }) => value).buffer)
  const sized = (bytes: Buffer) => {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(bytes.length)
    return isV2 ? bytes : Buffer.concat([size, bytes])
  }
  const bytes = Buffer.concat([sized(repetitions), sized(definitions), values])
  const head = { num_values: entries.length, encoding: 'PLAIN' as const }
  const header: PageHeader = {
    type: isV2 ? 'DATA_PAGE_V2' : 'DATA_PAGE',
    uncompressed_page_size: bytes.length,
    compressed_page_size: bytes.length,
    ...(isV2
      ? {
          data_page_header_v2: {
            ...head,
            num_nulls: entries.length - present.length,
            num_rows: entries.filter(({ repetition }) => repetition === 0).length,
            definition_levels_byte_length: definitions.length,
            repetition_levels_byte_length: repetitions.length,
            is_compressed: false,
          },
        }
      : { data_page_header: { ...head, definition_level_encoding: 'RLE', repetition_level_encoding: 'RLE' } }),
  }
  return { header, bytes: new Uint8Array(bytes) }
}

/** Pages of these entries, cut where the sizes say: in the middle of rows, too. */
async function* pages(
  entries: readonly Entry[],
  sizes: readonly number[],
  packed: boolean,
  isV2: boolean,
): AsyncGenerator<RawPage, void, void> {
  for (let at = 0, i = 0; at < entries.length; i++) {
    const size = sizes[i % sizes.length] ?? 1
    yield pageOf(entries.slice(at, at + size), packed, isV2)
    at += size
  }
}

const plain = (cell: unknown): unknown => (cell === null ? null : Array.from(cell as ArrayLike<number>)) // a list

const row = fc.option(fc.array(fc.option(fc.integer({ min: -9, max: 9 }), { freq: 6 }), { maxLength: 6 }), { freq: 6 })
const rows = fc.array(row, { minLength: 1, maxLength: 40 })
const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 })

describe('ColumnReader', () => {
  it('gives the rows that went into the pages, wherever these are cut and however many are asked for', async () => {
    await fc.assert(
      fc.asyncProperty(rows, sizes, sizes, fc.boolean(), fc.boolean(), async (all, cuts, steps, packed, isV2) => {
        const reader = new ColumnReader(pages(entriesOf(all), cuts, packed, isV2), leaf)
        const seen: unknown[] = []
        for (let i = 0; seen.length < all.length; i++) {
          const count = Math.min(steps[i % steps.length] ?? 1, all.length - seen.length)
          const column = await reader.take(count)
          for (let row = 0; row < count; row++) seen.push(plain(column.at(row)))
        }
        expect(seen).toEqual(all)
        await expect(reader.take(1)).rejects.toThrow('too few rows')
      }),
      { numRuns: 300 },
    )
  })

  it('goes on behind rows that it passes over', async () => {
    await fc.assert(
      fc.asyncProperty(rows, sizes, fc.nat(), fc.boolean(), async (all, cuts, skipped, packed) => {
        const count = skipped % all.length
        const reader = new ColumnReader(pages(entriesOf(all), cuts, packed, false), leaf)
        await reader.skip(count)
        const column = await reader.take(all.length - count)
        expect(all.slice(count).map((_, i) => plain(column.at(i)))).toEqual(all.slice(count))
      }),
      { numRuns: 300 },
    )
  })

  it('gives the numbers of several rows as those of each, of rows of one size without nulls', async () => {
    const even = fc.array(fc.oneof({ weight: 60, arbitrary: fc.constant([1, 2, 3]) }, { arbitrary: row, weight: 1 }), {
      minLength: 1,
      maxLength: 60,
    })
    let joined = 0
    await fc.assert(
      fc.asyncProperty(even, sizes, fc.constantFrom(3, 3, 3, 1, 0, 2), sizes, async (all, cuts, size, most) => {
        const reader = new ColumnReader(pages(entriesOf(all), cuts, true, true), leaf)
        const column = await reader.take(all.length)
        for (let i = 0, step = 0; i < all.length; step++) {
          const asked = most[step % most.length] ?? 1
          const found = column.numbers?.(i, size, asked)
          if (!found) {
            // Such a row is one that is not of this size, or lies on two pages, or on one that has nulls.
            i++
            continue
          }
          expect(found.count).toBeLessThanOrEqual(asked)
          const each = all.slice(i, i + found.count)
          expect(each.map((values) => values?.length)).toEqual(each.map(() => size))
          expect(Array.from<unknown>(found.numbers)).toEqual(each.flat())
          if (found.count > 1) joined++
          i += found.count
        }
      }),
      { numRuns: 300 },
    )
    expect(joined).toBeGreaterThan(30)
  })

  it('gives lists without nulls as arrays of their numbers', async () => {
    const reader = new ColumnReader(pages(entriesOf([[1, 2], [], [3]]), [3], true, true), leaf)
    const column = await reader.take(3)
    expect([0, 1, 2].map(column.at)).toEqual([Float32Array.of(1, 2), new Float32Array(), Float32Array.of(3)])
  })

  it('refuses a page that begins in the middle of a row that is not there', async () => {
    const reader = new ColumnReader(pages([{ repetition: 1, definition: 3, value: 1 }], [1], true, false), leaf)
    await expect(reader.take(1)).rejects.toThrow('a page begins in the middle of a row')
  })
})
