import { type DType, dtypes, type Tensor } from '@eas/base'
import { parquetReadObjects } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import { parquetOutput } from './parquet.ts'
import { isPlain } from './plain-column.ts'

/** A tensor of these rows, of numbers that tell where they are. */
function tensorOf(dtype: Exclude<DType, 'string'>, rowShape: readonly number[], rows: number): Tensor {
  const size = rowShape.reduce((product, dim) => product * dim, 1)
  const data = new dtypes[dtype].array(rows * size)
  for (let i = 0; i < data.length; i++) {
    const value = dtype === 'float32' || dtype === 'float64' ? i / 3 : i % 120
    data[i] = (typeof data[i] === 'bigint' ? BigInt(value) : value) as never // of its kind
  }
  return { dtype, shape: [rows, ...rowShape], data } as Tensor // the array of the dtype
}

/** Rows of a tensor as nested lists. */
function rowsOf({ shape, data }: Tensor): unknown[] {
  const listed = (from: number, dim: number): unknown => {
    if (dim === shape.length) return data[from]
    const step = shape.slice(dim + 1).reduce((product, size) => product * size, 1)
    return Array.from({ length: shape[dim] ?? 0 }, (_, i) => listed(from + i * step, dim + 1))
  }
  return listed(0, 0) as unknown[] // of a tensor that has rows
}

async function writtenAndRead(tensors: Readonly<Record<string, Tensor>>, kept: Readonly<Record<string, unknown[]>>) {
  const count = Object.values(tensors)[0]?.shape[0] ?? 0
  const outputs = new Map(Object.entries(tensors))
  const writer = parquetOutput.writer(new Map([...outputs.keys()].map((name) => [name, name])))
  // In two calls, of which the first lies across groups of rows.
  const batch = (from: number, to: number) => ({
    batch: {
      count: to - from,
      positions: [],
      kept: new Map(Object.entries(kept).map(([name, values]) => [name, values.slice(from, to)])),
      groups: [],
    },
    runs: [{ row: 0, count: to - from, outputs, index: from }],
    failures: [],
  })
  const middle = Math.ceil(count * 0.7)
  writer.write(batch(0, middle))
  writer.write(batch(middle, count))
  const bytes = (await writer.end()) ?? new Uint8Array()
  return await parquetReadObjects({ file: new Uint8Array(bytes).buffer })
}

const shapes = [[], [1], [3], [8], [1, 1], [2, 3], [5, 1], [2, 2, 3], [1, 4, 1, 2]] as const

describe('parquetOutput', () => {
  it.each([
    'float32',
    'float64',
    'int8',
    'int16',
    'int32',
    'uint8',
    'uint16',
    'int64',
    'uint64',
    'bool',
    'uint32',
  ] as const)('writes rows of %s of any shape, beside what is kept', async (dtype) => {
    const tensors = Object.fromEntries(shapes.map((shape) => [`of ${shape}`, tensorOf(dtype, shape, 23)]))
    const id = Array.from({ length: 23 }, (_, i) => (i === 5 ? null : `row ${i}`))
    const rows = await writtenAndRead(tensors, { id })
    const expected = Object.entries(tensors).map(([name, tensor]) => [name, rowsOf(tensor)] as const)
    const asRead = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(asRead)
      if (dtype === 'bool') return value !== 0
      return dtype === 'uint32' ? BigInt(value as number) : value // of such a tensor
    }
    expect(rows).toHaveLength(23)
    for (const [i, row] of rows.entries()) {
      expect(row.id).toBe(id[i])
      for (const [name, values] of expected) expect(row[name]).toEqual(asRead(values[i]))
    }
  })

  it('writes several groups, each of several pages, without a kept column', async () => {
    const wide = tensorOf('float32', [80], 6000)
    const rows = await writtenAndRead({ wide }, {})
    expect(rows).toHaveLength(6000)
    expect(rows.map(({ wide: values }) => values)).toEqual(rowsOf(wide))
  })

  it('writes outputs of which the library takes one, in the order of the schema', async () => {
    const tensors = { a: tensorOf('int32', [2], 10), b: tensorOf('bool', [2], 10), c: tensorOf('float32', [], 10) }
    const rows = await writtenAndRead(tensors, {})
    expect(rows[9]).toEqual({ a: [18, 19], b: [true, true], c: 3 })
  })
})

describe('isPlain()', () => {
  it('leaves to the library what has to be looked at', () => {
    expect(isPlain('float32', [3])).toBe(true)
    expect(isPlain('float32', undefined)).toBe(false)
    expect(isPlain('float32', [0])).toBe(false)
    expect(isPlain('float16', [3])).toBe(false)
    expect(isPlain('string', [3])).toBe(false)
  })
})
