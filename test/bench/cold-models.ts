import { torchPredict } from '@eas/protocol'
import { type Graph, onnxModel } from '../support/onnx.ts'

/** A model of a kind whose cold start is like no other's, and one request for it. */
export interface ColdModel {
  readonly onnx: () => Uint8Array
  readonly request: Uint8Array
  readonly dtype: 'float32' | 'int64'
  readonly shape: readonly number[]
}

const value = (name: string, dtype: 'float32' | 'int64', shape: (number | string)[]) => ({ name, dtype, shape })
const constant = (name: string, shape: readonly number[]) => {
  const count = shape.reduce((product, size) => product * size, 1)
  const data = new Float32Array(count)
  for (let i = 0; i < count; i++) data[i] = ((i * 2654435761) % 2048) / 16384 - 0.0625
  return { name, dtype: 'float32' as const, shape, data }
}

/** A table of so many megabytes, looked up and summed: hardly any arithmetic. */
const embedding = (megabytes: number): Graph => ({
  nodes: [
    { op: 'Gather', inputs: ['table', 'ids'], outputs: ['rows'] },
    { op: 'ReduceMean', inputs: ['rows'], outputs: ['y'], attributes: { axes: { ints: [1] }, keepdims: { int: 0 } } },
  ],
  inputs: [value('ids', 'int64', ['N'])],
  outputs: [value('y', 'float32', ['N'])],
  constants: [constant('table', [Math.round((megabytes * 1e6) / 256), 64])],
})

/** Layers of 1024 × 1024. */
const dense = (layers: number): Graph => ({
  nodes: Array.from({ length: layers }, (_, i) => [
    { op: 'MatMul', inputs: [i === 0 ? 'x' : `r${i - 1}`, `w${i}`], outputs: [`h${i}`] },
    { op: 'Relu', inputs: [`h${i}`], outputs: [i === layers - 1 ? 'y' : `r${i}`] },
  ]).flat(),
  inputs: [value('x', 'float32', ['N', 1024])],
  outputs: [value('y', 'float32', ['N', 1024])],
  constants: Array.from({ length: layers }, (_, i) => constant(`w${i}`, [1024, 1024])),
})

/** Convolutions of 3 × 3 over 56 × 56 positions and 64 channels. */
const convolutional = (layers: number): Graph => ({
  nodes: Array.from({ length: layers }, (_, i) => [
    {
      op: 'Conv',
      inputs: [i === 0 ? 'x' : `r${i - 1}`, `w${i}`],
      outputs: [`h${i}`],
      attributes: { kernel_shape: { ints: [3, 3] }, pads: { ints: [1, 1, 1, 1] } },
    },
    { op: 'Relu', inputs: [`h${i}`], outputs: [i === layers - 1 ? 'y' : `r${i}`] },
  ]).flat(),
  inputs: [value('x', 'float32', ['N', 64, 56, 56])],
  outputs: [value('y', 'float32', ['N', 64, 56, 56])],
  constants: Array.from({ length: layers }, (_, i) => constant(`w${i}`, [64, 64, 3, 3])),
})

function model(graph: () => Graph, dtype: 'float32' | 'int64', shape: readonly number[]): ColdModel {
  const count = shape.reduce((product, size) => product * size, 1)
  const input =
    dtype === 'int64'
      ? ({ dtype, shape, data: BigInt64Array.from({ length: count }, (_, i) => BigInt(i * 7)) } as const)
      : ({ dtype, shape, data: new Float32Array(count).fill(0.5) } as const)
  const request = torchPredict.encodeRequest({
    inputs: [input],
    map_inputs: new Map(),
    output_filter: [],
    debug_level: 0,
  })
  return { onnx: () => onnxModel(graph()), request, dtype, shape }
}

export const coldModels = {
  tiny: model(() => embedding(0.01), 'int64', [4]),
  embedding: model(() => embedding(400), 'int64', [64]),
  dense: model(() => dense(24), 'float32', [1, 1024]),
  convolutional: model(() => convolutional(8), 'float32', [1, 64, 56, 56]),
  /** For loading and unloading: 50 MB. */
  medium: model(() => dense(12), 'float32', [1, 1024]),
} as const satisfies Readonly<Record<string, ColdModel>>
