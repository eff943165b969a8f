import { type Graph, type OnnxType, onnxTypes, type Value } from './onnx.ts'

const value = (name: string, dtype: OnnxType, shape: Value['shape']): Value => ({ name, dtype, shape })
const cast = (input: string, output: string, to: OnnxType) => ({
  op: 'Cast',
  inputs: [input],
  outputs: [output],
  attributes: { to: { int: onnxTypes[to] } },
})

const dtypeNames = Object.keys(onnxTypes) as OnnxType[] // the keys of the table are its type

/** Models for tests, by what they do. */
export const graphs = {
  /** `out_<dtype>` is `in_<dtype>`, each of its own length; `out_scalar` is `in_scalar`. */
  echo: {
    nodes: [...dtypeNames, 'scalar'].map((name) => ({
      op: 'Identity',
      inputs: [`in_${name}`],
      outputs: [`out_${name}`],
    })),
    inputs: [...dtypeNames.map((name) => value(`in_${name}`, name, [`n_${name}`])), value('in_scalar', 'float32', [])],
    outputs: [
      ...dtypeNames.map((name) => value(`out_${name}`, name, [`n_${name}`])),
      value('out_scalar', 'float32', []),
    ],
  },
  /** `y = a + b` over rows of two; `row_sum` has one number per row. */
  add: {
    nodes: [
      { op: 'Add', inputs: ['a', 'b'], outputs: ['y'] },
      {
        op: 'ReduceMax',
        inputs: ['y'],
        outputs: ['row_max'],
        attributes: { axes: { ints: [1] }, keepdims: { int: 0 } },
      },
    ],
    inputs: [value('a', 'float32', ['N', 2]), value('b', 'float32', ['N', 2])],
    outputs: [value('y', 'float32', ['N', 2]), value('row_max', 'float32', ['N'])],
  },
  /** As many matrix products as `steps` says: any time one wants. A step is about a quarter of a millisecond. */
  slow: {
    nodes: [
      {
        op: 'Loop',
        inputs: ['steps', 'true', 'start'],
        outputs: ['end'],
        attributes: {
          body: {
            graph: {
              nodes: [
                { op: 'Identity', inputs: ['go'], outputs: ['go_on'] },
                { op: 'MatMul', inputs: ['x', 'weights'], outputs: ['next'] },
              ],
              inputs: [value('i', 'int64', []), value('go', 'bool', []), value('x', 'float32', [128, 128])],
              outputs: [value('go_on', 'bool', []), value('next', 'float32', [128, 128])],
            },
          },
        },
      },
      {
        op: 'ReduceMean',
        inputs: ['end'],
        outputs: ['mean'],
        attributes: { axes: { ints: [0, 1] }, keepdims: { int: 0 } },
      },
    ],
    inputs: [value('steps', 'int64', [1])],
    outputs: [value('mean', 'float32', [])],
    constants: [
      { name: 'true', dtype: 'bool', shape: [], data: Uint8Array.of(1) },
      { name: 'start', dtype: 'float32', shape: [128, 128], data: new Float32Array(128 * 128).fill(1) },
      { name: 'weights', dtype: 'float32', shape: [128, 128], data: new Float32Array(128 * 128).fill(1 / 128) },
    ],
  },
  /** Rows of a table of four; any other index fails while it computes. */
  gather: {
    nodes: [{ op: 'Gather', inputs: ['table', 'index'], outputs: ['row'] }],
    inputs: [value('index', 'int64', ['N'])],
    outputs: [value('row', 'float32', ['N', 2])],
    constants: [
      { name: 'table', dtype: 'float32', shape: [4, 2], data: Float32Array.of(0, 1, 10, 11, 20, 21, 30, 31) },
    ],
  },
  /** The rows that begin with a positive number: how many they are, only the values tell. */
  positive: {
    nodes: [
      { op: 'Gather', inputs: ['x', 'first'], outputs: ['heads'], attributes: { axis: { int: 1 } } },
      { op: 'Greater', inputs: ['heads', 'zero'], outputs: ['keep'] },
      { op: 'Compress', inputs: ['x', 'keep'], outputs: ['rows'], attributes: { axis: { int: 0 } } },
    ],
    inputs: [value('x', 'float32', ['N', 2])],
    outputs: [value('rows', 'float32', ['M', 2])],
    constants: [
      { name: 'first', dtype: 'int64', shape: [], data: BigInt64Array.of(0n) },
      { name: 'zero', dtype: 'float32', shape: [], data: Float32Array.of(0) },
    ],
  },
  /** `y = -x`, and for each row how many rows it was computed with. */
  rows: {
    nodes: [
      { op: 'Neg', inputs: ['x'], outputs: ['y'] },
      { op: 'Shape', inputs: ['x'], outputs: ['shape'] },
      { op: 'Gather', inputs: ['shape', 'first'], outputs: ['n'] },
      { op: 'Expand', inputs: ['n', 'n'], outputs: ['together'] },
    ],
    inputs: [value('x', 'float32', ['N', 'D'])],
    outputs: [value('y', 'float32', ['N', 'D']), value('together', 'int64', ['N'])],
    constants: [{ name: 'first', dtype: 'int64', shape: [1], data: BigInt64Array.of(0n) }],
  },
  /** One row, whatever it is given. */
  mean: {
    nodes: [
      {
        op: 'ReduceMean',
        inputs: ['x'],
        outputs: ['mean'],
        attributes: { axes: { ints: [0] }, keepdims: { int: 1 } },
      },
    ],
    inputs: [value('x', 'float32', ['N', 2])],
    outputs: [value('mean', 'float32', [1, 2])],
  },
  /** Takes `[2, 3]` and nothing else. */
  fixed: {
    nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['y'] }],
    inputs: [value('x', 'float32', [2, 3])],
    outputs: [value('y', 'float32', [2, 3])],
  },
  /** A free dimension without a name. */
  unnamed: {
    nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['y'] }],
    inputs: [value('x', 'float32', ['?', 2])],
    outputs: [value('y', 'float32', ['?', 2])],
  },
  /** One input, given back in the dtypes that EAS messages have no field for, and as a scalar. */
  casts: {
    nodes: [
      cast('x', 'half', 'float16'),
      cast('x', 'bool', 'bool'),
      cast('x', 'uint16', 'uint16'),
      cast('x', 'uint32', 'uint32'),
      cast('x', 'uint64', 'uint64'),
      { op: 'ReduceMax', inputs: ['x'], outputs: ['scalar'], attributes: { keepdims: { int: 0 } } },
    ],
    inputs: [value('x', 'int64', ['N'])],
    outputs: [
      value('half', 'float16', ['N']),
      value('bool', 'bool', ['N']),
      value('uint16', 'uint16', ['N']),
      value('uint32', 'uint32', ['N']),
      value('uint64', 'uint64', ['N']),
      value('scalar', 'int64', []),
    ],
  },
  /** A string that must be a number. */
  parse: {
    nodes: [cast('text', 'number', 'float32')],
    inputs: [value('text', 'string', ['N'])],
    outputs: [value('number', 'float32', ['N'])],
  },
  /** What no client can be given. */
  sequence: {
    nodes: [{ op: 'SequenceConstruct', inputs: ['x'], outputs: ['all'] }],
    inputs: [value('x', 'float32', ['N'])],
    outputs: [{ name: 'all', dtype: 'float32', shape: ['N'], sequence: true }],
  },
} as const satisfies Record<string, Graph>
