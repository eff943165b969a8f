import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { dims, emit, GraphBuilder, joinChunks, scalar, type Value, writeModel } from '../index.ts'

const size = dims.atom('n', 'input')

/** A lookup in `[10, 11, 12]` by what `of` makes of the input, as one node more than without the check or none. */
async function lookup(of: (g: GraphBuilder, x: Value) => Value, feed: Tensor) {
  const g = new GraphBuilder()
  const x = g.input('x', feed.type === 'int32' ? 'int32' : 'int64', [size])
  const table = g.numbers('float32', [3], [10, 11, 12])
  const y = emit.gather(g, table, emit.strictIndex(g, of(g, x)), 0)
  const model = g.finish([{ name: 'y', value: y }], { name: 'test', version: '1' })
  const session = await InferenceSession.create(joinChunks(writeModel(model)))
  const run = () => session.run({ x: feed }).then(({ y }) => Array.from(y?.data as Float32Array))
  return { run, isChecked: g.root.node.some(({ op_type }) => op_type === 'BitwiseAnd') }
}

const longs = (...values: number[]) => new Tensor('int64', BigInt64Array.from(values.map(BigInt)), [values.length])
const ints = (...values: number[]) => new Tensor('int32', Int32Array.from(values), [values.length])

describe('strictIndex()', () => {
  it.each([
    ['int64', longs],
    ['int32', ints],
  ] as const)('has an index of %s below zero refused, and no other changed', async (_, of) => {
    const same = (_: GraphBuilder, x: Value) => x
    expect(await (await lookup(same, of(2, 0, 1))).run()).toEqual([12, 10, 11])
    await expect((await lookup(same, of(3))).run()).rejects.toThrow('idx=3 must be within')
    for (const index of [-1, -3, -(2 ** 31), ...(of === longs ? [-(2 ** 62), -(2 ** 63)] : [])]) {
      await expect((await lookup(same, of(0, index))).run()).rejects.toThrow(/out of data bounds/)
    }
  })

  it.each<[string, (g: GraphBuilder, x: Value) => Value, boolean]>([
    ['an input in another shape', (g, x) => emit.unsqueeze(g, x, [0]), true],
    ['a sum', (g, x) => emit.binary(g, 'Sub', x, scalar('int64', 0)), true],
    ['a constant', (g) => g.numbers('int64', [2], [0, 2]), false],
    ['a part of a constant', (g, x) => emit.gather(g, g.numbers('int64', [70], new Array(70).fill(2)), x, 0), false],
    ['places of what is not zero', (g, x) => emit.flat(g, emit.nonZero(g, x)), false],
    ['places of the greatest', (g, x) => emit.topK(g, x, 1, 0)[1], false],
    ['the greatest', (g, x) => emit.topK(g, x, 1, 0)[0], true],
  ])('looks at %s: %#', async (_, of, isChecked) => {
    const { run, isChecked: found } = await lookup(of, longs(0, 2, 1))
    expect(found).toBe(isChecked)
    expect((await run()).every((value) => value >= 10 && value <= 12)).toBe(true)
  })
})
