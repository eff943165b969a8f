import { EasError, type Tensor } from '@eas/base'
import { describe, expect, it } from 'vitest'
import {
  bytesField,
  floatField,
  floats,
  message,
  textField,
  varintField,
  varints,
  type WireBytes,
} from '../../../test/support/wire-bytes.ts'
import { tfPredict, torchPredict } from './index.ts'

const dtype = (number: number): WireBytes => varintField(1, number)
const shape = (...dims: readonly (number | bigint)[]): WireBytes => bytesField(2, bytesField(1, varints(...dims)))
const torchInput = (...array: readonly WireBytes[]) =>
  torchPredict.decodeRequest(message(bytesField(1, ...array))).inputs[0]
const tfInput = (...array: readonly WireBytes[]) =>
  tfPredict.decodeRequest(message(bytesField(2, textField(1, 'x'), bytesField(2, ...array)))).inputs.get('x')

describe('an ArrayProto becomes a tensor', () => {
  it.each<readonly [string, readonly WireBytes[], Tensor | undefined]>([
    ['that is empty', [], undefined],
    [
      'without shape: a scalar',
      [dtype(1), floatField(3, 2)],
      { dtype: 'float32', shape: [], data: Float32Array.of(2) },
    ],
    [
      'with an empty shape',
      [dtype(1), bytesField(2), floatField(3, 2)],
      { dtype: 'float32', shape: [], data: Float32Array.of(2) },
    ],
    ['with no elements', [dtype(1), shape(0, 4)], { dtype: 'float32', shape: [0, 4], data: new Float32Array() }],
    [
      'with no elements of many',
      [dtype(1), shape(2 ** 32 - 1, 0, 9)],
      { dtype: 'float32', shape: [2 ** 32 - 1, 0, 9], data: new Float32Array() },
    ],
    [
      'DT_UINT8',
      [dtype(4), shape(2), bytesField(5, varints(0, 255))],
      { dtype: 'uint8', shape: [2], data: Uint8Array.of(0, 255) },
    ],
    [
      'DT_INT8',
      [dtype(6), shape(2), bytesField(5, varints(-128, 127))],
      { dtype: 'int8', shape: [2], data: Int8Array.of(-128, 127) },
    ],
    [
      'DT_BOOL of int_val',
      [dtype(10), shape(3), bytesField(5, varints(0, 7, -1))],
      { dtype: 'bool', shape: [3], data: Uint8Array.of(0, 1, 1) },
    ],
    [
      'DT_HALF',
      [dtype(19), shape(2), bytesField(3, floats(0.5, -2))],
      { dtype: 'float16', shape: [2], data: Uint16Array.of(0x3800, 0xc000) },
    ],
    [
      'DT_BFLOAT16',
      [dtype(14), shape(1), bytesField(3, floats(0.75))],
      { dtype: 'bfloat16', shape: [1], data: Uint16Array.of(0x3f40) },
    ],
    [
      'DT_COMPLEX64',
      [dtype(8), shape(1), bytesField(3, floats(1, 2))],
      { dtype: 'complex64', shape: [1], data: Float32Array.of(1, 2) },
    ],
    [
      'DT_STRING',
      [dtype(7), shape(2), bytesField(6, [0xff]), bytesField(6)],
      { dtype: 'string', shape: [2], data: [Uint8Array.of(0xff), new Uint8Array()] },
    ],
    [
      'whose shape comes in parts',
      [bytesField(2, varintField(1, 2)), dtype(1), shape(1), bytesField(3, floats(1, 2))],
      { dtype: 'float32', shape: [2, 1], data: Float32Array.of(1, 2) },
    ],
    [
      'with values of other fields beside its own',
      [dtype(1), bytesField(5, varints(1, 2)), bytesField(3, floats(1))],
      { dtype: 'float32', shape: [], data: Float32Array.of(1) },
    ],
  ])('%s', (_name, array, expected) => {
    expect(torchInput(...array)).toEqual(expected)
  })

  it('of TensorFlow, DT_BOOL of bool_val', () => {
    const bools = [dtype(10), shape(4), bytesField(8, [1, 0, 1]), varintField(8, 1)]
    expect(tfInput(...bools)).toEqual({ dtype: 'bool', shape: [4], data: Uint8Array.of(1, 0, 1, 1) })
  })

  it('that views floats where they are aligned and copies them where not', () => {
    const bytes = torchPredict.encodeRequest({
      inputs: [{ dtype: 'float32', shape: [64], data: new Float32Array(64).fill(0.5) }],
      output_filter: [],
      map_inputs: new Map(),
      debug_level: 0,
    })
    const views = [0, 1, 2, 3].map((offset) => {
      const moved = new Uint8Array(bytes.length + offset).subarray(offset)
      moved.set(bytes)
      const data = torchPredict.decodeRequest(moved).inputs[0]?.data
      expect(data).toEqual(new Float32Array(64).fill(0.5))
      return ArrayBuffer.isView(data) && data.buffer === moved.buffer
    })
    expect(views.filter((isView) => isView)).toHaveLength(1)
  })
})

describe('an ArrayProto is refused', () => {
  it.each<readonly [string, readonly WireBytes[], string, string]>([
    [
      'too few',
      [dtype(1), shape(1, 784), bytesField(3, floats(...new Array(783).fill(0)))],
      'inputs[0] as [1,784]: float_val holds 783 values',
      'float_val',
    ],
    [
      'too many',
      [dtype(9), shape(2), bytesField(7, varints(1, 2, 3))],
      'inputs[0] as [2]: int64_val holds 3 values',
      'int64_val',
    ],
    [
      'in another field',
      [dtype(3), shape(2), bytesField(3, floats(1, 2))],
      'inputs[0] as [2]: int_val holds 0 values, float_val 2',
      'int_val',
    ],
    [
      'half a complex number',
      [dtype(18), shape(1), bytesField(4, [0, 0, 0, 0, 0, 0, 0, 0])],
      'inputs[0] as [1]: double_val holds 1 values, two for each element',
      'double_val',
    ],
    [
      'out of range',
      [dtype(6), shape(2), bytesField(5, varints(1, 300))],
      'inputs[0] as DT_INT8: int_val[1] is 300, out of range',
      'int_val',
    ],
    [
      'bool_val, which torch has not',
      [dtype(10), shape(1), bytesField(8, [1])],
      'inputs[0] as [1]: int_val holds 0 values',
      'int_val',
    ],
    [
      'DT_INVALID with values',
      [bytesField(3, floats(1))],
      'inputs[0]: dtype is DT_INVALID, which holds no values',
      'dtype',
    ],
    ['DT_INVALID with a shape', [bytesField(2)], 'inputs[0]: dtype is DT_INVALID, which holds no values', 'dtype'],
    ['DT_RESOURCE', [dtype(20)], 'inputs[0]: dtype is DT_RESOURCE, which holds no values', 'dtype'],
    ['DT_VARIANT', [dtype(21)], 'inputs[0]: dtype is DT_VARIANT, which holds no values', 'dtype'],
    ['a dtype without number', [dtype(-1)], 'inputs[0]: dtype is -1, which holds no values', 'dtype'],
    [
      'a negative dimension',
      [dtype(1), shape(3, -1)],
      'inputs[0].array_shape.dim[1]: -1 is not a size',
      'array_shape.dim[1]',
    ],
    [
      'a dimension over 2^53',
      [dtype(1), shape(2n ** 53n)],
      'inputs[0].array_shape.dim[0]: 9007199254740992 is not a size',
      'array_shape.dim[0]',
    ],
    [
      'a product over 2^64',
      [dtype(1), shape(16, 2n ** 50n, 2n ** 50n)],
      'inputs[0] as [16,1125899906842624,1125899906842624]: the shape has too many elements',
      'array_shape',
    ],
    [
      'no elements along a dimension of 2^32',
      [dtype(1), shape(0, 2 ** 32)],
      'inputs[0] as [0,4294967296]: a dimension is over 4294967295',
      'array_shape',
    ],
    [
      '65 dimensions',
      [dtype(1), shape(...new Array(65).fill(1))],
      'inputs[0].array_shape: over 64 dimensions',
      'array_shape',
    ],
    [
      'a large shape of few bytes',
      [dtype(9), shape(2 ** 40), bytesField(7, [1])],
      'inputs[0] as [1099511627776]: int64_val holds 1 values',
      'int64_val',
    ],
  ])('for %s', (_name, array, expected, field) => {
    expect(() => torchInput(...array)).toThrow(
      expect.objectContaining({ message: `Cannot decode ${expected}`, field: `inputs[0].${field}`, status: 400 }),
    )
  })

  it('for being empty under a name', () => {
    expect(() => tfInput()).toThrow('Cannot decode inputs["x"]: it is empty: no dtype, no shape and no values')
  })

  it('as one of too many', () => {
    const inputs = message(new Array(65_537).fill([0x0a, 0]).flat())
    expect(() => torchPredict.decodeRequest(inputs)).toThrow('the message has over 65536 tensors')
  })
})

describe('a tensor is encoded', () => {
  const encoded = (output: Tensor) => [...torchPredict.encodeResponse({ outputs: [output], map_outputs: new Map() })]

  it('with an empty shape when it is a scalar', () => {
    expect(encoded({ dtype: 'float32', shape: [], data: Float32Array.of(1) })).toEqual([
      ...bytesField(1, [0x08, 1, 0x12, 0, 0x1a, 4, 0, 0, 0x80, 0x3f]),
    ])
  })

  it('from the part of a buffer it views', () => {
    const data = Float32Array.of(9, 1, 2, 9).subarray(1, 3)
    const again = encoded({ dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) })
    expect(encoded({ dtype: 'float32', shape: [2], data })).toEqual(again)
  })

  it('unless no message has a number for its dtype', () => {
    const output: Tensor = { dtype: 'uint32', shape: [1], data: Uint32Array.of(1) }
    const encode = () => torchPredict.encodeResponse({ outputs: [], map_outputs: new Map([['y', output]]) })
    expect(encode).toThrow(EasError)
    expect(encode).toThrow('Cannot encode map_outputs["y"]: EAS messages have no data type for uint32')
  })

  it('unless its values do not fill its shape', () => {
    expect(() => encoded({ dtype: 'float32', shape: [3], data: Float32Array.of(1) })).toThrow('1 values fill [3]')
  })
})
