import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { BatchBuilder } from '../rows/batch-builder.ts'
import type { RowPlan } from '../rows/mapping.ts'
import { jsonOfKept } from '../write/values.ts'
import { arrow } from './arrow.ts'
import { decimalOf, timeOf } from './exact-values.ts'
import { parquet } from './parquet.ts'
import type { ReadableSource } from './row-block.ts'

const golden = (name: string) => readFileSync(join(import.meta.dirname, '../../../../test/golden/batch', name))
const plan: RowPlan = {
  inputs: [],
  targets: new Map(),
  keep: undefined,
  outputs: new Map(),
  written: new Set(),
  csv: {},
  fixedRows: undefined,
}

/** The rows of a file as results of text have them. */
async function textsOf(name: string): Promise<Record<string, string>[]> {
  const bytes = golden(name)
  const source: ReadableSource = {
    info: { key: name, size: bytes.length, version: '1' },
    isPlain: true,
    read: async (start, end) => bytes.subarray(start, end),
    async *stream() {},
    async *content() {},
  }
  const rows: Record<string, string>[] = []
  const recorder: Pick<BatchBuilder, 'addValues'> = {
    addValues(columns, read) {
      rows.push(Object.fromEntries(columns.map((column, i) => [column, jsonOfKept(read(i) ?? null)])))
    },
  }
  const format = name.endsWith('.arrow') ? arrow : parquet
  for await (const block of format.blocks(source, 0, plan)) {
    for (let i = 0; i < block.count; i++) block.add(i, recorder as BatchBuilder, i) // all that blocks of tables call
  }
  return rows
}

/** What make_exact.py has written. */
const exact = [
  {
    small: '0.119',
    long: '"12345678901234567.89"',
    date: '"2020-01-13T00:00:00.000Z"',
    s: '"2020-01-01T00:00:14.000Z"',
    ms: '"9999-12-31T23:59:59.999Z"',
    us: '"2020-01-01T00:00:14.814804Z"',
    ns: '"2021-01-01T00:00:14.814814692Z"',
    bytes: '"DP8="',
    rows: '{"a":[1,2],"b":0.5}',
  },
  {
    small: '-4.35',
    long: '-0.01',
    date: '"1969-12-31T00:00:00.000Z"',
    s: '"1969-12-31T23:59:59.000Z"',
    ms: '"1969-12-31T23:59:59.999Z"',
    us: '"1969-12-31T23:59:59.999999Z"',
    ns: '"1969-12-31T23:59:59.999999999Z"',
    rows: '{"a":[],"b":null}',
  },
]
const columns = Object.keys(exact[0] ?? {})

describe('values that doubles, milliseconds and UTF-8 cannot hold', () => {
  it.each(['exact.parquet', 'exact-old.parquet', 'exact.arrow'])('of %s keep their digits', async (name) => {
    const rows = await textsOf(name)
    // The first version knows no nanoseconds.
    const there = ({ ns, ...row }: Record<string, string>) => (name === 'exact-old.parquet' ? row : { ...row, ns })
    expect(rows).toHaveLength(3)
    expect(rows[0]).toEqual(there(exact[0] ?? {}))
    // Bytes that may be a text are one where a Parquet file does not say.
    expect(rows[1]).toEqual(there({ ...exact[1], bytes: name === 'exact.arrow' ? '"dGV4dA=="' : '"text"' }))
    expect(rows[2]).toEqual(there(Object.fromEntries(columns.map((column) => [column, 'null']))))
  })
})

describe('decimalOf()', () => {
  it.each([
    [119n, 3, 0.119],
    [435n, 2, 4.35],
    [-5n, 0, -5],
    [10n ** 15n - 1n, 2, 9_999_999_999_999.99],
    [9_007_199_254_740_989n, 2, '90071992547409.89'],
    [2n ** 53n + 1n, 2, '90071992547409.93'],
    [-(10n ** 20n), 22, '-0.0100000000000000000000'],
    [10n ** 20n, 0, '100000000000000000000'],
    [7n, -3, '7000'],
  ])('%s by ten to the minus %s is %s', (unscaled, scale, expected) => {
    expect(decimalOf(unscaled, scale)).toBe(expected)
  })
})

describe('timeOf()', () => {
  it('gives the count where no date can say it', () => {
    expect(timeOf(2n ** 63n - 1n, 1000n)).toBe(2n ** 63n - 1n)
    expect(timeOf(8_640_000_000_000_000n, 1n)).toEqual(new Date(8.64e15))
  })
})
