import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatColumnType, inferSchema, parseColumnType } from './column-type.ts'
import { ItemStore } from './item-store.ts'
import { requestItems } from './request-items.ts'

const store = (key: 'string' | 'int64', types: Record<string, string>) =>
  new ItemStore({ key, columns: Object.entries(types).map(([name, type]) => ({ name, type: parseColumnType(type) })) })

describe('ItemStore', () => {
  it.each([
    ['int32', [1, -2, null, '7', true], [1, -2, undefined, 7, 1]],
    [
      'int64',
      [1, 2n ** 63n - 1n, null, '-9223372036854775808', new Date(5)],
      [1n, 2n ** 63n - 1n, undefined, -(2n ** 63n), 5n],
    ],
    ['float', [0.5, '1e3', null, Number.NaN, 7n], [0.5, 1000, undefined, undefined, 7]],
    ['double', [0.1, '.5', undefined, -1, false], [0.1, 0.5, undefined, -1, 0]],
    ['string', ['a', 'ä€😀', null, 5, Buffer.from('b')], ['a', 'ä€😀', undefined, '5', 'b']],
    ['list<int64>', [[1, 2n], [], null, ['3'], new Int32Array([4])], [[1n, 2n], undefined, undefined, [3n], [4n]]],
    ['list<string>', [['a', ''], [], null, ['ß'], ['x']], [['a', ''], undefined, undefined, ['ß'], ['x']]],
    ['lists<float>', [[[1], []], [], null, [[0.5, 2]], [[3]]], [[[1], []], undefined, undefined, [[0.5, 2]], [[3]]]],
    [
      'map<string,double>',
      [{ a: 1 }, {}, null, new Map([['b', 2]]), [['c', 3]]],
      [[['a', 1]], undefined, undefined, [['b', 2]], [['c', 3]]],
    ],
    [
      'map<int64,string>',
      [{ 5: 'x' }, {}, null, [{ key: 6n, value: 'y' }], [[7, 'z']]],
      [[[5n, 'x']], undefined, undefined, [[6n, 'y']], [[7n, 'z']]],
    ],
  ])('keeps %s as it came', (type, values, expected) => {
    const items = store('int64', { c: type })
    items.add({ keys: [1, 2, 3, 4, 5], columns: [values] })
    const view = items.view()
    const rows = view.entriesOf(['1', '2', '3', '4', '5'])
    const plain = (value: unknown): unknown => {
      if (value instanceof Map) return [...value]
      if (ArrayBuffer.isView(value)) return [...(value as unknown as Iterable<unknown>)]
      return Array.isArray(value) ? value.map(plain) : value
    }
    expect([...rows].map((row) => plain(view.value('c', row)))).toEqual(expected)
  })

  it.each([
    ['int32', 2 ** 31],
    ['int32', 1.5],
    ['int64', '9223372036854775808'],
    ['int64', 2 ** 53],
    ['int64', ''],
    ['double', '1,5'],
    ['double', ''],
    ['string', { a: 1 }],
    ['list<int32>', 5],
    ['list<int32>', [1, 'x']],
    ['map<string,int32>', 5],
    ['map<int32,int32>', { x: 1 }],
  ])('refuses what is no %s: %j, and keeps the rest as it was', (type, value) => {
    const items = store('string', { before: type, c: type })
    expect(() =>
      items.add({
        keys: ['a', 'b'],
        columns: [
          [null, null],
          [null, value],
        ],
      }),
    ).toThrow(/^Cannot load items: c of row 1: /)
    expect(items.rows).toBe(0)
    items.add({ keys: ['a'], columns: [[null], [null]] })
    expect([...items.view().entriesOf(['a', 'b'])]).toEqual([0, -1])
  })

  it('finds every id that it was given, and no other', () => {
    const id = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.string({ maxLength: 3 }),
      fc.nat(2000).map(String),
    )
    fc.assert(
      fc.property(
        fc.uniqueArray(
          id.filter((text) => text !== '' && Buffer.from(text).toString() === text),
          { maxLength: 300 },
        ),
        fc.array(id),
        (ids, others) => {
          const items = store('string', {})
          items.add({ keys: ids, columns: [] })
          expect([...items.view().entriesOf(ids)]).toEqual(ids.map((_, i) => i))
          expect([...items.view().entriesOf(others)]).toEqual(others.map((other) => ids.indexOf(other)))
        },
      ),
      { numRuns: process.env.EAS_FULL ? 500 : 15 }, // making different texts takes longer than finding them
    )
  })

  it('finds thousands of ids at once, the longest and none at all among them', () => {
    const long = 'é'.repeat(2048)
    const ids = Array.from({ length: 3000 }, (_, i) => (i % 100 === 0 ? `${i}${long}`.slice(-2048) : `item_${i}`))
    const kept = [...new Set(ids)]
    const items = store('string', {})
    items.add({ keys: kept, columns: [] })
    const asked = ids.flatMap((id, i) => [id, `item_${i}x`, '', `${id}${long}x`])
    const expected = ids.flatMap((id) => [kept.indexOf(id), -1, -1, -1])
    expect([...items.view().entriesOf(asked)]).toEqual(expected)
  })

  it('finds whole-number ids by their usual text only', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), (ids) => {
        const items = store('int64', {})
        items.add({ keys: ids, columns: [] })
        expect([...items.view().entriesOf(ids.map(String))]).toEqual(ids.map((_, i) => i))
      }),
    )
    const items = store('int64', {})
    items.add({ keys: [7, 0], columns: [] })
    expect([...items.view().entriesOf(['07', '7.0', ' 7', '+7', '-0', '7e0', '', '18446744073709551623'])]).toEqual(
      new Array(8).fill(-1),
    )
  })

  it('finds whole-number ids of any length, up to the ends of int64', () => {
    const ends = [0n, 1n, 10n ** 9n, 10n ** 10n, 10n ** 18n, 2n ** 31n, 2n ** 32n, 2n ** 48n, 2n ** 53n, 2n ** 63n - 1n]
    const near = ends.flatMap((end) => [end - 1n, end, end + 1n]).flatMap((end) => [end, -end, -end - 1n])
    const ids = [...new Set(near)].filter((id) => BigInt.asIntN(64, id) === id)
    const outside = [2n ** 63n, -(2n ** 63n) - 1n, 2n ** 64n - 1n, 2n ** 64n, 10n ** 19n - 1n]
    const items = store('int64', {})
    items.add({ keys: ids, columns: [] })
    expect(ids).toContain(-(2n ** 63n))
    expect([...items.view().entriesOf(ids.map(String))]).toEqual(ids.map((_, i) => i))
    expect([...items.view().entriesOf(outside.map(String))]).toEqual(outside.map(() => -1))
    expect([...items.view().entriesOf(['x', '-', '1-1', '12345678901x', '1234567890123456789x'])]).toEqual([
      -1, -1, -1, -1, -1,
    ])
  })

  it('finds the last row of each id, however many there are of it', () => {
    const items = store('string', { a: 'int32' })
    const count = 140_000
    const keys = Array.from({ length: count }, (_, i) => `item_${i % 7}`)
    items.add({ keys, columns: [Int32Array.from({ length: count }, (_, i) => i)] })
    const ids = keys.slice(0, 7)
    expect([...items.view().entriesOf(ids)]).toEqual(ids.map((id) => keys.lastIndexOf(id)))
    expect(items.view().items).toBe(7)
  })

  it('takes little more than the bytes of its columns', () => {
    const items = store('int64', { a: 'int64', b: 'double', c: 'int32', d: 'string', e: 'double', f: 'double' })
    const count = 50_000
    const keys = BigInt64Array.from({ length: count }, (_, i) => BigInt(i))
    const texts = Array.from({ length: count }, (_, i) => `a text of item ${i}`)
    items.add({ keys, columns: [keys, new Float64Array(count), new Int32Array(count), texts, keys, keys] })
    const raw = count * (5 * 8 + 4) + texts.join('').length
    expect(items.bytes / raw).toBeLessThan(1.5)
  })

  it('shares what it holds with whoever reads it', () => {
    const items = store('string', { a: 'int64', t: 'string' })
    items.add({
      keys: ['x', 'y'],
      columns: [
        [1, 2],
        ['p', 'q'],
      ],
    })
    const view = items.view()
    const column = view.column('a')
    expect(column?.form === 'numbers' && column.data).toEqual(BigInt64Array.of(1n, 2n))
    expect(view.column('nothing')).toBeUndefined()
    expect(view.value('nothing', 0)).toBeUndefined()
    expect(view.value('a', -1)).toBeUndefined()
  })
})

it('requestItems() gives the feature generator numbers in place, and of the rest the rows that were asked for', () => {
  const items = store('string', {
    n: 'int32',
    t: 'string',
    l: 'list<float>',
    m: 'map<string,int64>',
    ll: 'lists<int64>',
  })
  items.add({
    keys: ['x', 'y', 'z'],
    columns: [
      [1, null, 3],
      ['a', '', 'c'],
      [[0.5], null, [1.5]],
      [{ k: 1 }, null, null],
      [[[1]], null, null],
    ],
  })
  const view = items.view()
  const table = requestItems(view)
  const [texts, lists] = [table.column('t'), table.column('l')]
  expect([...table.entriesOf(['z', 'nobody', 'x'])]).toEqual([2, -1, 0])
  const [maps, nested] = [table.column('m'), table.column('ll')]
  expect(table.column('n')).toEqual(view.column('n'))
  expect(texts?.form === 'texts' && Object.entries(texts.texts)).toEqual([
    ['0', 'a'],
    ['2', 'c'],
  ])
  expect(lists?.form === 'features' && lists.values[2]).toEqual({ kind: 'float_list', value: Float32Array.of(1.5) })
  expect(maps?.form === 'features' && maps.values[0]).toEqual({ kind: 'string_long_map', value: new Map([['k', 1n]]) })
  expect(nested?.form === 'features' && nested.values[0]).toEqual({ kind: 'long_lists', value: [BigInt64Array.of(1n)] })
  expect(table.column('nothing')).toBeUndefined()
  expect([...table.entriesOf(['y'])]).toEqual([1])
  expect(texts?.form === 'texts' && 1 in texts.texts && texts.texts[1]).toBeUndefined()
})

it.each([
  'int32',
  'int64',
  'float',
  'double',
  'string',
  'list<int64>',
  'lists<float>',
  'map<string,double>',
  'map<int64,string>',
])('parseColumnType() and formatColumnType() are each other’s inverse: %s', (text) => {
  expect(formatColumnType(parseColumnType(text))).toBe(text)
  expect(formatColumnType(parseColumnType(` ${text.toUpperCase().replace(',', ', ')}`))).toBe(text)
})

it.each([
  '',
  'int',
  'list',
  'list<>',
  'list<int64',
  'int64>',
  'map<float,int32>',
  'map<int64>',
  'list<a,int64>',
  'list<list<int64>>',
])('parseColumnType() refuses %j', (text) => {
  expect(() => parseColumnType(text)).toThrow(/^Cannot use column type /)
})

it('inferSchema() tells types by what all rows of the sample have', () => {
  const rows = [
    { id: 'a', whole: 1, mixed: 1, text: 'x', flag: true, list: [1], map: { k: 1.5 }, none: null },
    { id: 'b', whole: 2n, mixed: 1.5, text: 5, list: [], lists: [[1.5]], map: {} },
  ]
  const { key, columns } = inferSchema(rows, 'id')
  expect(key).toBe('string')
  expect(Object.fromEntries(columns.map(({ name, type }) => [name, formatColumnType(type)]))).toEqual({
    whole: 'int64',
    mixed: 'double',
    text: 'string',
    flag: 'int32',
    list: 'list<int64>',
    lists: 'lists<double>',
    map: 'map<string,double>',
  })
})
