import { EasError, type Tensor } from '@eas/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RowError } from '../batch-error.ts'
import { systemClock } from '../clock.ts'
import { BatchBuilder } from '../rows/batch-builder.ts'
import { planRows } from '../rows/mapping.ts'
import type { BatchScorer, ModelFacts } from '../scorer.ts'
import { BatchSizer } from './batch-sizer.ts'
import { scoreRows } from './score-rows.ts'

/** Sums each row of `x`; fails for any that holds a negative number. */
function summing(shape: readonly number[], calls: number[][] = []): BatchScorer {
  const facts: ModelFacts = {
    inputs: [{ name: 'x', dtype: 'float32', shape }],
    outputs: [{ name: 'sum', dtype: 'float32', shape: [-1] }],
    version: '1',
  }
  return {
    concurrency: 1,
    facts: async () => facts,
    async run(feeds) {
      const { shape: given, data } = feeds.get('x') as Tensor & { data: Float32Array } // its one input
      calls.push([...given])
      if (data.some((value) => value < 0)) throw new EasError('internal', 'Prediction failed: negative')
      const rows = given[0] ?? 0
      const size = data.length / rows
      const sums = Float32Array.from({ length: rows }, (_, row) =>
        data.subarray(row * size, (row + 1) * size).reduce((sum, value) => sum + value, 0),
      )
      return new Map([['sum', { dtype: 'float32', shape: [rows], data: sums }]])
    },
    predict: async (body) => body,
  }
}

async function score(scorer: BatchScorer, rows: readonly unknown[]) {
  const signal = new AbortController().signal
  const plan = planRows({}, await scorer.facts({ signal }))
  const builder = new BatchBuilder(plan)
  for (const [i, x] of rows.entries()) {
    const line = Buffer.from(JSON.stringify({ x }))
    builder.addJson(line, 0, line.length, 100 + i)
  }
  const { runs, failures } = await scoreRows(builder.take(), { scorer, plan, clock: systemClock, signal })
  const sums: (number | undefined)[] = new Array(rows.length).fill(undefined)
  for (const { row, count, outputs, index } of runs) {
    for (let i = 0; i < count; i++) sums[row + i] = Number(outputs.get('sum')?.data[index + i])
  }
  return { sums, failures }
}

describe('scoreRows()', () => {
  it('finds the rows that fail, and scores all others', async () => {
    const rows = Array.from({ length: 100 }, (_, i) => [i, i % 33 === 7 ? -1 : 1])
    const { sums, failures } = await score(summing([-1, 2]), rows)
    expect(failures).toEqual([107, 140, 173].map((row) => ({ row, error: 'Prediction failed: negative' })))
    expect(sums).toEqual(rows.map(([a = 0, b = 0]) => (b < 0 ? undefined : a + b)))
  })

  it('calls a model of a fixed number of rows with as many, the last repeated', async () => {
    const calls: number[][] = []
    const { sums } = await score(
      summing([4, 2], calls),
      Array.from({ length: 6 }, (_, i) => [i, 1]),
    )
    expect(calls).toEqual([
      [4, 2],
      [4, 2],
    ])
    expect(sums).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('calls for rows of each shape, and gives them back in their order', async () => {
    const calls: number[][] = []
    const { sums } = await score(summing([-1, -1], calls), [[1], [1, 2], [3], [], [4, 5]])
    expect(sums).toEqual([1, 3, 3, 0, 9])
    expect(calls).toEqual([
      [2, 1],
      [2, 2],
      [1, 0],
    ])
  })

  it('passes on what is not the rows’ fault', async () => {
    const scorer = { ...summing([-1, 1]), run: async () => Promise.reject(new EasError('not_implemented', 'No')) }
    await expect(score(scorer, [[1]])).rejects.toThrow(/No/)
  })

  it('refuses outputs without a row for each row', async () => {
    const scorer: BatchScorer = {
      ...summing([-1, 1]),
      run: async () => new Map([['sum', { dtype: 'float32', shape: [1], data: Float32Array.of(1) }]]),
    }
    await expect(score(scorer, [[1], [2]])).rejects.toThrow(/output sum: it is \[1\] for 2 rows/)
  })
})

describe('BatchBuilder', () => {
  const facts: ModelFacts = {
    inputs: [
      { name: 'id', dtype: 'int64', shape: [-1] },
      { name: 'image', dtype: 'uint8', shape: [-1, 2, 2] },
      { name: 'name', dtype: 'string', shape: [-1] },
      { name: 'on', dtype: 'bool', shape: [-1, 1] },
    ],
    outputs: [{ name: 'y', dtype: 'float32', shape: [-1] }],
    version: '1',
  }
  const mapping = { inputs: { image: ['a', 'b', 'c', 'd'] } }
  const add = (builder: BatchBuilder, text: string) => builder.addJson(Buffer.from(text), 0, Buffer.byteLength(text), 0)

  it('puts columns into tensors, exactly, and keeps the others as they are written', () => {
    const builder = new BatchBuilder(planRows(mapping, facts))
    add(builder, '{"id":9223372036854775807,"d":4,"c":3,"b":2,"a":1,"name":"\\u00e9\\"","on":true,"k":{"z":[1.50]}}')
    add(builder, '{"id":-1,"a":5,"b":6,"c":7,"d":8,"name":"","on":[0],"k":null}')
    const { count, groups, kept } = builder.take()
    const feeds = groups[0]?.feeds
    expect(count).toBe(2)
    expect(feeds?.get('id')).toEqual({ dtype: 'int64', shape: [2], data: BigInt64Array.of(2n ** 63n - 1n, -1n) })
    expect(feeds?.get('image')).toEqual({
      dtype: 'uint8',
      shape: [2, 2, 2],
      data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    })
    expect(feeds?.get('name')).toEqual({ dtype: 'string', shape: [2], data: [Buffer.from('é"'), Buffer.from('')] })
    expect(feeds?.get('on')).toEqual({ dtype: 'bool', shape: [2, 1], data: Uint8Array.of(1, 0) })
    expect([...kept]).toEqual([['k', [{ text: '{"z":[1.50]}' }, { text: 'null' }]]])
  })

  it.each([
    [
      '{"id":9223372036854775808,"a":1,"b":1,"c":1,"d":1,"name":"","on":true}',
      /id: 9223372036854775808 is no whole number/,
    ],
    ['{"id":1,"a":256,"b":1,"c":1,"d":1,"name":"","on":true}', /image: 256 is no whole number from 0 to 255/],
    ['{"id":1,"a":1,"b":1,"d":1,"name":"","on":true}', /image has 3 of its 4 columns/],
    ['{"id":1,"id":2,"a":1,"b":1,"c":1,"d":1,"name":"","on":true}', /id stands twice/],
    ['{"id":1,"a":1,"b":1,"c":1,"d":1,"name":7,"on":true}', /name: .*expected "/],
    ['{"id":1,"a":1,"b":1,"c":1,"d":1,"name":"","on":2}', /on: 2 is not true or false/],
    ['[1]', /a JSON list/],
  ])('refuses %s and stays as it was', (text, error) => {
    const builder = new BatchBuilder(planRows(mapping, facts))
    const good = '{"id":1,"a":1,"b":2,"c":3,"d":4,"name":"n","on":true}'
    add(builder, good)
    expect(() => add(builder, text)).toThrow(RowError)
    expect(() => add(builder, text)).toThrow(error)
    add(builder, good)
    const { count, groups } = builder.take()
    expect(count).toBe(2)
    expect(groups[0]?.feeds.get('image')?.data).toEqual(Uint8Array.of(1, 2, 3, 4, 1, 2, 3, 4))
  })
})

it('64-bit integers come out of JSON as they went in', () => {
  const facts: ModelFacts = {
    inputs: [{ name: 'ids', dtype: 'int64', shape: [-1, -1] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [-1] }],
    version: '1',
  }
  const edges = [2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n].flatMap((edge) => [edge - 1n, edge, edge + 1n])
  const inRange = [...edges, ...edges.map((edge) => -edge)].filter((id) => BigInt.asIntN(64, id) === id)
  const id = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constantFrom(...inRange),
    fc.integer().map(BigInt),
  )
  fc.assert(
    fc.property(fc.array(id, { minLength: 1, maxLength: 2000 }), (ids) => {
      const builder = new BatchBuilder(planRows({}, facts))
      const line = Buffer.from(`{"ids":[${ids.join(' , ')}]}`)
      builder.addJson(line, 0, line.length, 0)
      const data = builder.take().groups[0]?.feeds.get('ids')?.data as BigInt64Array // its dtype
      expect(Array.from(data)).toEqual(ids)
    }),
  )
})

describe('BatchSizer', () => {
  it('grows for as long as rows get cheaper by it, and stays', () => {
    const sizer = new BatchSizer(undefined)
    // A call costs 2 ms and each row 10 us.
    for (let call = 0; call < 200; call++) sizer.tell(sizer.rows, 2 + sizer.rows * 0.01)
    expect(sizer.rows).toBeGreaterThanOrEqual(1024)
    expect(sizer.rows).toBeLessThanOrEqual(4096)
  })

  it('stays small where rows do not get cheaper, and where a number is asked for', () => {
    const sizer = new BatchSizer(undefined)
    for (let call = 0; call < 100; call++) sizer.tell(sizer.rows, sizer.rows)
    expect(sizer.rows).toBe(32)
    const fixed = new BatchSizer(100)
    for (let call = 0; call < 100; call++) fixed.tell(100, 100 / (call + 1))
    expect(fixed.rows).toBe(100)
  })
})
