import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EasError } from '@eas/base'
import { afterAll, describe, expect, it } from 'vitest'
import { type Graph, onnxModel, scratch } from '../../../test/support/onnx.ts'
import { createSession } from './session.ts'

const files = scratch('session')
afterAll(() => files.remove())

const float = (name: string, shape: (number | string)[]) => ({ name, dtype: 'float32' as const, shape })
const weights = (name: string, shape: number[]) => ({
  name,
  dtype: 'float32' as const,
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.1),
})
const hidden = { hidden_size: { int: 2 } }

/** Each model, and the shape of an input without rows. */
const deadly: readonly (readonly [op: string, graph: Graph, shape: number[]])[] = [
  [
    'TopK',
    {
      nodes: [{ op: 'TopK', inputs: ['x', 'k'], outputs: ['y', 'i'] }],
      inputs: [float('x', ['N', 4])],
      outputs: [float('y', ['N', 2])],
      constants: [{ name: 'k', dtype: 'int64', shape: [1], data: BigInt64Array.of(2n) }],
    },
    [0, 4],
  ],
  [
    'Einsum',
    {
      nodes: [{ op: 'Einsum', inputs: ['x', 'x'], outputs: ['y'], attributes: { equation: { text: 'bij,bjk->bik' } } }],
      inputs: [float('x', ['N', 3, 3])],
      outputs: [float('y', ['N', 3, 3])],
    },
    [0, 3, 3],
  ],
  [
    'LSTM',
    {
      nodes: [{ op: 'LSTM', inputs: ['x', 'w', 'r'], outputs: ['y'], attributes: hidden }],
      inputs: [float('x', ['T', 'N', 3])],
      outputs: [float('y', ['T', 1, 'N', 2])],
      constants: [weights('w', [1, 8, 3]), weights('r', [1, 8, 2])],
    },
    [5, 0, 3],
  ],
  [
    'GRU',
    {
      nodes: [{ op: 'GRU', inputs: ['x', 'w', 'r'], outputs: ['y'], attributes: hidden }],
      inputs: [float('x', ['T', 'N', 3])],
      outputs: [float('y', ['T', 1, 'N', 2])],
      constants: [weights('w', [1, 6, 3]), weights('r', [1, 6, 2])],
    },
    [5, 0, 3],
  ],
]

const options = { executionProviders: ['cpu'], intraOpNumThreads: 1 }
const x = (shape: number[]) => {
  const count = shape.reduce((a, b) => a * b, 1)
  return new Map([['x', { dtype: 'float32' as const, shape, data: new Float32Array(count).fill(0.5) }]])
}

describe('a session', () => {
  it.each(deadly)('refuses nothing for %s, which would end the process', async (op, graph, shape) => {
    const bytes = onnxModel(graph)
    const path = join(files.folder, `${op}.onnx`)
    writeFileSync(path, bytes)
    for (const onnx of [path, { bytes, folder: files.folder }]) {
      const session = await createSession({ onnx, isOptimised: false }, options)
      expect(session.run(x(shape.map((size) => size || 2)), ['y']).get('y')?.shape).toContain(2)
      expect(() => session.run(x(shape), ['y'])).toThrow(
        `Cannot use input x: its shape is [${shape}], and ONNX Runtime cannot compute ${op} of nothing`,
      )
      session.release()
    }
  })

  it('computes nothing of nothing otherwise', async () => {
    const graph: Graph = {
      nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }],
      inputs: [float('x', ['N', 4])],
      outputs: [float('y', ['N', 4])],
    }
    const onnx = { bytes: onnxModel(graph), folder: files.folder }
    const session = await createSession({ onnx, isOptimised: false }, options)
    expect(session.run(x([0, 4]), ['y']).get('y')).toMatchObject({ shape: [0, 4] })
    session.release()
  })

  it.each([
    ['Add', [2, 3], 'Prediction failed: Add node: Attempting to broadcast an axis by a dimension other than 1. 2 by 3'],
    ['MatMul', [2, 3], 'Prediction failed: MatMul node: MatMul dimension mismatch'],
  ] as const)("says why %s fails, without where in ONNX Runtime's own code", async (op, [n, m], message) => {
    const graph: Graph = {
      nodes: [{ op, inputs: ['a', 'b'], outputs: ['y'] }],
      inputs: [float('a', ['N', 'K']), float('b', ['M', 'L'])],
      outputs: [float('y', ['P', 'Q'])],
    }
    const session = await createSession(
      { onnx: { bytes: onnxModel(graph), folder: files.folder }, isOptimised: false },
      options,
    )
    const feeds = new Map(
      [...x([n, 5])].concat([...x([m, 5])]).map(([, tensor], i) => [i ? 'b' : 'a', tensor] as const),
    )
    expect(() => session.run(feeds, ['y'])).toThrow(new EasError('internal', message))
    session.release()
  })

  it.each([
    [
      'empty',
      Buffer.alloc(0),
      'Cannot load the model: Load model from empty.onnx failed:ModelProto does not have a graph.',
    ],
    [
      'text',
      Buffer.from('hello'),
      'Cannot load the model: Load model from text.onnx failed: it is no ONNX file, or not the whole of one',
    ],
  ])('says what is wrong with a file that is %s', async (name, content, message) => {
    const path = join(files.folder, `${name}.onnx`)
    writeFileSync(path, content)
    await expect(createSession({ onnx: path, isOptimised: false }, options)).rejects.toThrow(
      new EasError('not_ready', message),
    )
  })

  it('answers the tensors of a model that gives something else beside them', async () => {
    const graph: Graph = {
      nodes: [
        { op: 'Relu', inputs: ['x'], outputs: ['y'] },
        { op: 'SequenceConstruct', inputs: ['y'], outputs: ['all'] },
      ],
      inputs: [float('x', ['N', 4])],
      outputs: [{ ...float('all', ['N', 4]), sequence: true }, float('y', ['N', 4])],
    }
    const onnx = { bytes: onnxModel(graph), folder: files.folder }
    const session = await createSession({ onnx, isOptimised: false }, options)
    expect(session.info.outputs.map(({ name }) => name)).toEqual(['y'])
    expect(session.info.warnings).toEqual(['Output all is not a tensor and cannot be answered'])
    expect(session.run(x([2, 4]), ['y']).get('y')).toMatchObject({ shape: [2, 4] })
    session.release()
  })
})
