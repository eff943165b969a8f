import { type ItemView, parseColumnType, type Schema } from '@eas/feature-store'
import { expect } from 'vitest'

/** A small catalogue with a value of every type, for suites that load the same items from different stores. */

/** Columns by name; every store that knows no types is told these. */
export const catalogueTypes = {
  age: 'int32',
  clicks: 'int64',
  ctr: 'float',
  price: 'double',
  title: 'string',
  tags: 'list<string>',
  sizes: 'list<int64>',
  vector: 'list<float>',
  weights: 'map<string,double>',
} as const

export type ColumnName = keyof typeof catalogueTypes
export type Item = { readonly item_id: string } & { readonly [name in ColumnName]: unknown }

export const catalogueSchema: Schema = {
  key: 'string',
  columns: Object.entries(catalogueTypes).map(([name, type]) => ({ name, type: parseColumnType(type) })),
}

/** Whole numbers past 2^53, text beyond ASCII, quotes and line ends, and items that have almost nothing. */
export function catalogue(count = 50): readonly Item[] {
  return Array.from({ length: count }, (_, i) => {
    const has = (nth: number) => i % nth !== 0
    return {
      item_id: i % 10 === 3 ? `物品-${i}` : `item_${i}`,
      age: has(7) ? i - 20 : null,
      clicks: has(5) ? 9_007_199_254_740_993n * BigInt(i % 2 ? 1 : -1) + BigInt(i) : null,
      ctr: has(6) ? i / 8 : null,
      price: has(4) ? i * 1.1 : null,
      title: has(3) ? `title "${i}", ✓\nsecond line` : null,
      tags: has(8) ? ['new', `tag,${i}`] : null,
      sizes: has(9) ? [1n, -5n, BigInt(i)] : null,
      vector: has(11) ? [0.5, -i / 4] : null,
      weights: has(5) ? { a: 0.5, [`k${i}`]: i } : null,
    }
  })
}

/** JSON that keeps whole numbers past 2^53, as stores and files hold it. */
export function toJson(value: unknown): string {
  const marked = JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `\u0001${each}` : each)) ?? 'null'
  return marked.replace(/"\\u0001(-?\d+)"/g, '$1')
}

/** Checks that a view has exactly these items with exactly these values. */
export function expectItems(view: ItemView | undefined, items: readonly Item[]): void {
  if (!view) throw new Error('There are no items')
  expect(view.items).toBe(items.length)
  expect(view.schema.columns.map(({ name }) => name).sort()).toEqual(Object.keys(catalogueTypes).sort())
  const rows = view.entriesOf(items.map(({ item_id }) => item_id))
  items.forEach((item, i) => {
    const row = rows[i] ?? -1
    expect(row, item.item_id).toBeGreaterThanOrEqual(0)
    for (const [name, type] of Object.entries(catalogueTypes)) {
      const value = view.value(name, row)
      expect(plain(value), `${name} of ${item.item_id}`).toEqual(expected(item[name as ColumnName], type))
    }
  })
  expect([...view.entriesOf(['item_', 'nobody', '', 'item_00'])]).toEqual([-1, -1, -1, -1])
}

const plain = (value: unknown): unknown => {
  if (ArrayBuffer.isView(value)) return [...(value as unknown as Iterable<unknown>)]
  return value instanceof Map ? Object.fromEntries(value) : value
}

function expected(value: unknown, type: string): unknown {
  if (value === null) return undefined
  if (type === 'float') return Math.fround(Number(value))
  return type === 'list<float>' ? (value as number[]).map(Math.fround) : value
}
