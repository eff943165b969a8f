import type { Tensor } from '@eas/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RowError } from '../batch-error.ts'
import type { NumberArray, TableColumn } from '../read/table.ts'
import { BatchBuilder } from './batch-builder.ts'
import { type Mapping, planRows } from './mapping.ts'

const names = ['id', 'x', 'ids']
const facts = {
  inputs: [
    { name: 'x', dtype: 'float32', shape: [-1, 2] },
    { name: 'ids', dtype: 'int64', shape: [-1] },
  ],
  outputs: [{ name: 'y', dtype: 'float32', shape: [-1] }],
  version: '1',
} as const

/** A column of rows that lie end to end. */
const columnOf = (numbers: NumberArray, size: number): TableColumn => ({
  at: (i) => (size === 1 ? numbers[i] : numbers.subarray(i * size, (i + 1) * size)),
  numbers: (i, asked, most) => {
    const count = Math.min(most, numbers.length / size - i)
    return asked === size
      ? { count, numbers: numbers.subarray(i * size, (i + count) * size) as NumberArray }
      : undefined
  },
})

const table = (x: NumberArray, xSize = 2, ids: NumberArray = BigInt64Array.of(7n, 8n, 9n)): readonly TableColumn[] => [
  { at: (i) => `row ${i}` },
  columnOf(x, xSize),
  columnOf(ids, 1),
]

const builderOf = (mapping: Mapping = {}) => new BatchBuilder(planRows(mapping, facts))

/** What is in a batch, for comparison. */
function contentOf(builder: BatchBuilder) {
  const { count, positions, kept, groups } = builder.take()
  const feeds = groups.flatMap((group) => [...group.feeds])
  return {
    count,
    positions,
    kept: [...kept],
    feeds: feeds.map(([name, { dtype, shape, data }]: [string, Tensor]) => [
      name,
      dtype,
      shape,
      Array.from<unknown>(data),
    ]),
  }
}

describe('BatchBuilder.addColumns()', () => {
  it.each([
    { what: 'numbers of the input’s own kind', x: Float32Array.of(0.1, 2, 3, 4, Number.NaN, 6) },
    { what: 'wider floats', x: Float64Array.of(0.1, 2, 3, 4, 1e300, -0) },
    { what: 'integers', x: Int16Array.of(1, 2, 3, 4, 5, -6) },
  ])('adds rows as addValues() does one by one: $what', ({ x }) => {
    const columns = table(x)
    const atOnce = builderOf()
    expect(atOnce.addColumns(names, columns, 0, 2, 40)).toBe(2)
    atOnce.addValues(names, (column) => columns[column]?.at(2), 42)
    const oneByOne = builderOf()
    for (const i of [0, 1, 2]) oneByOne.addValues(names, (column) => columns[column]?.at(i), 40 + i)
    expect(atOnce.count).toBe(3)
    expect(atOnce.bytes).toBe(oneByOne.bytes)
    expect(contentOf(atOnce)).toEqual(contentOf(oneByOne))
  })

  it('adds no more than the shortest stretch of all inputs', () => {
    const builder = builderOf()
    expect(builder.addColumns(names, table(Float32Array.of(1, 2, 3, 4), 2, BigInt64Array.of(7n)), 0, 3, 0)).toBe(1)
    const columns = table(Float32Array.of(5, 6), 2, BigInt64Array.of(8n))
    expect(builder.addColumns(names, columns, 0, 3, 1)).toBe(1)
    expect(contentOf(builder).feeds).toEqual([
      ['x', 'float32', [2, 2], [1, 2, 5, 6]],
      ['ids', 'int64', [2], [7n, 8n]],
    ])
  })

  it.each([
    { what: 'rows of another size', columns: table(new Float32Array(6), 3) },
    { what: 'numbers that may not fit', columns: table(new Float32Array(6), 2, new Float64Array(3)) },
    { what: '64-bit integers for floats', columns: table(new BigInt64Array(6)) },
    { what: 'a column without arrays', columns: [{ at: () => 1 }, { at: () => [1, 2] }, { at: () => 1 }] },
    {
      what: 'inputs whose elements stand in columns of their own',
      columns: table(new Float32Array(3), 1),
      slots: true,
    },
    { what: 'no room for a row', columns: table(new Float32Array(6)), most: -1 },
  ])('leaves to addValues() what has to be looked at: $what', ({ columns, slots = false, most = 3 }) => {
    const builder = builderOf(slots ? { inputs: { x: ['x', 'id'] } } : {})
    expect(builder.addColumns(names, columns, 0, most, 0)).toBe(0)
    expect(builder.count).toBe(0)
  })
})

describe('BatchBuilder.addJson()', () => {
  const free = [
    { name: 'x', dtype: 'float32', shape: [-1, -1] },
    { name: 'ids', dtype: 'int64', shape: [-1, -1] },
  ] as const

  it.each([
    '{"x":["1","-2.5e0"],"ids":"9223372036854775807"}',
    '{"x":"1 -2.5","ids":["9223372036854775807"]}',
    '{"x":"[1,-2.5]","ids":" 9223372036854775807 "}',
    '{"x":[true,"-2.5"],"ids":9223372036854775807}',
    '{"x":["\\u0031",-2.5],"ids":"9223372036854775807"}',
  ])('takes numbers that are texts, and truths, as columns of tables may have them: %s', (text) => {
    const inputs = [facts.inputs[0], { ...facts.inputs[1], shape: [-1, 1] }]
    const builder = new BatchBuilder(planRows({}, { ...facts, inputs }))
    const line = Buffer.from(text)
    builder.addJson(line, 0, line.length, 0)
    const { feeds } = contentOf(builder)
    expect(feeds.map((feed) => feed.at(-1))).toEqual([[1, -2.5], [9223372036854775807n]])
  })

  it.each([
    ['{"x":["one",2],"ids":1}', 'x: "one" is no number'],
    ['{"x":[{"a":1},2],"ids":1}', 'x takes numbers, got an object'],
    ['{"x":{"a":1},"ids":1}', 'x takes numbers, got an object'],
    ['{"x":[1,2],"ids":"1.5"}', 'ids: 1.5 is no whole number'],
    ['{"x":[1,2],"ids":["9223372036854775808"]}', /^ids: 9223372036854775808 is no whole number from/],
    ['[{"x":[1,2],"ids":1}', 'It is a JSON list; each line takes an object of its own'],
    ['{', 'It is not JSON: it ends, expected " at byte 1'],
    ['{"x":[1,2', 'It is not JSON: it ends, expected ] at byte 9'],
    ['{"x":[tru,2],"ids":1}', 'It is not JSON: a value is none at byte 6'],
  ])('says what is wrong with %s', (text, message) => {
    const builder = new BatchBuilder(planRows({}, { ...facts, inputs: [facts.inputs[0], free[1]] }))
    const line = Buffer.from(text)
    const add = () => builder.addJson(line, 0, line.length, 0)
    expect(add).toThrow(RowError)
    expect(add).toThrow(message)
    expect(builder.count).toBe(0)
  })

  it('takes lists of numbers however they are written', () => {
    const element = fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: -1e9, max: 1e9 }).map(String) },
      { weight: 3, arbitrary: fc.maxSafeInteger().map(String) },
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
      fc.constantFrom('-0', '1.0', '1e3', '12.5e1'),
    )
    const texts = fc.array(element, { maxLength: 12 })
    const separators = fc.constantFrom(',', ', ', ' , ', ',\t')
    fc.assert(
      fc.property(texts, separators, (elements, separator) => {
        const builder = new BatchBuilder(planRows({}, { ...facts, inputs: free }))
        const list = `[${elements.join(separator)}]`
        const line = Buffer.from(`{"x":${list},"ids": ${list}}`)
        builder.addJson(line, 0, line.length, 0)
        const [group] = builder.take().groups
        expect(group?.feeds.get('x')?.data).toEqual(Float32Array.from(elements, Number))
        const exact = elements.map((text) => (/^-?\d+$/.test(text) ? BigInt(text) : BigInt(Number(text))))
        expect(group?.feeds.get('ids')?.data).toEqual(BigInt64Array.from(exact))
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    '[1,2',
    '[1,,2]',
    '[1,]',
    '[,1]',
    '[1 2]',
    '[01]',
    '[1.]',
    '[-]',
    '[1,null]',
    '[1,"two"]',
    '[1,[2]]',
    '[0x1]',
  ])('refuses %s, and leaves no trace', (list) => {
    const builder = new BatchBuilder(planRows({}, { ...facts, inputs: free.slice(0, 1) }))
    const line = Buffer.from(`{"x":${list}}`)
    expect(() => builder.addJson(line, 0, line.length, 0)).toThrow(RowError)
    const right = Buffer.from('{"x":[1,2.5]}')
    builder.addJson(right, 0, right.length, 1)
    expect(builder.take().groups[0]?.feeds.get('x')?.data).toEqual(Float32Array.of(1, 2.5))
  })

  it('says how many rows there is room for in so many bytes', () => {
    const builder = builderOf()
    expect(builder.rowsWithin(160)).toBe(10) // two float32 and an int64 each
    builder.addColumns(names, table(Float32Array.of(1, 2, 3, 4, 5, 6)), 0, 3, 0)
    expect(builder.rowsWithin(160)).toBe(7)
    expect(builder.rowsWithin(1)).toBe(1)
  })
})
