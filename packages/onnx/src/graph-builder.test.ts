import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import {
  dims,
  emit,
  GraphBuilder,
  guardsHold,
  joinChunks,
  readModel,
  scalar,
  type Value,
  vector,
  writeModel,
} from './index.ts'

const producer = { name: 'test', version: '1' }

async function run(g: GraphBuilder, value: Value, feeds: Record<string, Tensor>) {
  const bytes = joinChunks(writeModel(g.finish([{ name: 'y', value }], producer)))
  const session = await InferenceSession.create(bytes)
  const { y } = await session.run(feeds)
  return { dims: y?.dims, data: Array.from(y?.data as Float32Array) } // every case below gives numbers
}

const floats = (...shape: number[]) =>
  new Tensor(
    'float32',
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
    shape,
  )

describe('GraphBuilder', () => {
  const batch = dims.atom('batch', 'input')
  const length = dims.atom('length', 'input')

  it('emits a graph that runs at other sizes than one', async () => {
    const g = new GraphBuilder()
    const x = g.input('x', 'float32', [batch, length, 2])
    const y = emit.reshape(g, emit.transpose(g, x, [1, 0, 2]), [length, dims.mul(batch, 2)])
    expect(await run(g, emit.binary(g, 'Mul', y, scalar('float32', 2)), { x: floats(2, 3, 2) })).toEqual({
      dims: [3, 4],
      data: [0, 2, 12, 14, 4, 6, 16, 18, 8, 10, 20, 22],
    })
    expect(g.root.node.map((n) => n.op_type)).not.toContain('Shape')
  })

  it('computes sizes as tensors where a node needs them', async () => {
    const g = new GraphBuilder()
    g.input('x', 'float32', [batch, length])
    const size = dims.floorDiv(dims.add(dims.mul(batch, length), -9), 4)
    const y = emit.cast(g, vector([size, dims.mod(length, 2), dims.max(batch, length), 7]), 'float32')
    expect(await run(g, y, { x: floats(2, 3) })).toEqual({ dims: [4], data: [-1, 1, 3, 7] })
  })

  it('leaves out what no output needs, in branches too', async () => {
    const g = new GraphBuilder()
    const x = g.input('x', 'float32', [2])
    const condition = emit.compare(g, 'Greater', emit.reduce(g, 'ReduceSum', x, [0]), scalar('float32', 0))
    emit.unary(g, 'Exp', x)
    const side = (k: number) => {
      const { scope, result } = g.nested(() => {
        emit.unary(g, 'Cos', x)
        return emit.binary(g, 'Add', x, scalar('float32', k))
      })
      return g.subgraph(scope, [result])
    }
    const attributes = { then_branch: side(1), else_branch: side(-1) }
    const y = g.one('If', [condition], 'float32', [2], attributes)
    expect(await run(g, y, { x: floats(2) })).toEqual({ dims: [2], data: [1, 2] })
    const model = readModel(joinChunks(writeModel(g.finish([{ name: 'y', value: y }], producer))))
    expect(JSON.stringify(model.graph)).not.toMatch(/Exp|Cos/)
  })

  it('refuses a value outside the branch that computes it', () => {
    const g = new GraphBuilder()
    const x = g.input('x', 'float32', [2])
    const { result } = g.nested(() => emit.unary(g, 'Exp', x))
    expect(() => emit.unary(g, 'Sin', result)).toThrow('outside the branch')
  })

  it('gives an output of its own to inputs, constants and values given twice', async () => {
    const g = new GraphBuilder()
    const x = g.input('x', 'float32', [2])
    const bytes = writeModel(
      g.finish(
        [
          { name: 'a', value: x },
          { name: 'b', value: x },
          { name: 'c', value: vector([1, 2]) },
        ],
        producer,
      ),
    )
    const session = await InferenceSession.create(joinChunks(bytes))
    const { a, b, c } = await session.run({ x: floats(2) })
    expect([a?.data, b?.data, c?.data].map((d) => Array.from(d as Float32Array, Number))).toEqual([
      [0, 1],
      [0, 1],
      [1, 2],
    ]) // numbers, all
  })
})

it('GraphBuilder.finish() keeps the zeros of a Pad from becoming minus infinity in the MaxPool behind it', async () => {
  const g = new GraphBuilder()
  const x = g.input('x', 'float32', [1, 1, 4])
  const padded = emit.pad(g, x, [0, 0, 0], [0, 0, 1])
  const y = g.one('MaxPool', [padded], 'float32', [1, 1, 2], { kernel_shape: [3], strides: [2] })
  const model = joinChunks(writeModel(g.finish([{ name: 'y', value: y }], producer)))
  const session = await InferenceSession.create(model)
  const feed = new Tensor('float32', Float32Array.of(-1, -2, -3, -4), [1, 1, 4])
  expect((await session.run({ x: feed })).y?.data).toEqual(Float32Array.of(-1, 0))
})

describe('Guards', () => {
  it('settle a comparison by the example and hold for the requests it is true of', () => {
    const g = new GraphBuilder()
    const height = dims.atom('height', 'input')
    expect(g.guards.decide(dims.mod(height, 4), '==', 0)).toBe(true)
    expect(g.guards.decide(height, '<', 5)).toBe(false)
    const guards = JSON.parse(JSON.stringify(g.guards.all))
    expect(g.guards.all.map((x) => x.text)).toEqual(['mod(height,4) == 0', '5 <= height'])
    const holds = (h: number, w: number) => guardsHold(guards, [[1, 'height'], ['width']], [[1, h], [w]])
    expect([holds(8, 1), holds(6, 1), holds(4, 1), holds(8, 0)]).toEqual([true, false, false, false])
    expect(guardsHold(guards, [['height'], ['height']], [[8], [12]])).toBe(false)
  })
})
