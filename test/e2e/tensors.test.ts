import type { DataOf, NumericDType, Tensor } from '@eas/base'
import type { Processor } from '@eas/processor'
import { tfPredict, torchPredict } from '@eas/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { graphs } from '../support/models.ts'
import { message, onnxModel, scratch } from '../support/onnx.ts'
import { processorOf } from '../support/processor.ts'
import { floats, longs, texts, tfBody, torchBody, torchMapBody } from '../support/requests.ts'

const files = scratch('tensors')
const names = ['echo', 'add', 'casts', 'fixed', 'unnamed', 'gather', 'parse'] as const
let processor: Processor

beforeAll(async () => {
  processor = await processorOf(
    names.flatMap((name) => {
      const model = files.write(`${name}.onnx`, onnxModel(graphs[name]))
      return [
        { name, model },
        { name: `${name}_tf`, model, kind: 'tf' as const },
      ]
    }),
  )
  expect(processor.readiness().services.filter(({ state }) => state !== 'ready')).toEqual([])
})
afterAll(() => {
  processor.close()
  files.remove()
})

async function predict(service: string, body: Uint8Array) {
  return processor.handle({ method: 'POST', target: `/api/predict/${service}`, headers: {}, body })
}
async function torch(service: string, body: Uint8Array) {
  const response = await predict(service, body)
  expect(response.status, Buffer.from(response.body).toString()).toBe(200)
  return torchPredict.decodeResponse(response.body)
}
async function tf(service: string, body: Uint8Array) {
  const response = await predict(service, body)
  expect(response.status, Buffer.from(response.body).toString()).toBe(200)
  return tfPredict.decodeResponse(response.body).outputs
}
/** Status and text of a refusal. */
async function refusal(service: string, body: Uint8Array) {
  const response = await predict(service, body)
  return `${response.status} ${Buffer.from(response.body).toString()}`
}

const tensor = <D extends NumericDType>(dtype: D, data: DataOf<D>, shape = [data.length]) =>
  ({ dtype, shape, data }) as unknown as Tensor // the array is the one of the dtype

/** Every dtype a model can take, at its bounds. */
const values: Readonly<Record<string, Tensor>> = {
  in_float32: tensor('float32', Float32Array.of(-0, 1.5, Number.NaN, Number.NEGATIVE_INFINITY, 1e-45)),
  in_float64: tensor('float64', Float64Array.of(0.1, -1e308, 5e-324)),
  in_float16: tensor('float16', Uint16Array.of(0x3c00, 0x7bff, 0x8001)),
  in_int8: tensor('int8', Int8Array.of(-128, -1, 0, 127)),
  in_int16: tensor('int16', Int16Array.of(-32768, -1, 32767)),
  in_int32: tensor('int32', Int32Array.of(-(2 ** 31), -1, 2 ** 31 - 1)),
  in_int64: longs([6], -(2n ** 63n), -1, 0, 2n ** 53n + 1n, 9007199254740993n, 2n ** 63n - 1n),
  in_uint8: tensor('uint8', Uint8Array.of(0, 128, 255)),
  in_uint16: tensor('uint16', Uint16Array.of(0, 65535)),
  in_bool: tensor('bool', Uint8Array.of(1, 0, 1)),
  in_string: texts([4], '', 'plain', '你好 \u0001 line\nfeed', '👩‍🔬'),
  in_uint32: tensor('int64', BigInt64Array.of(0n, 2n ** 32n - 1n)),
  in_uint64: longs([2], 2n ** 63n - 1n, -1),
  in_scalar: floats([], 42),
}
const echoInputs = graphs.echo.inputs.map(({ name }) => values[name])

/** What each comes back as, where the message has no field for its dtype. */
const asFloat32 = tensor('float32', Float32Array.of(1, 65504, -(2 ** -24)))
const torchOutputs: Readonly<Record<string, Tensor>> = {
  in_float16: asFloat32,
  in_bool: tensor('uint8', Uint8Array.of(1, 0, 1)),
  in_uint16: tensor('int32', Int32Array.of(0, 65535)),
}
const tfOutputs: Readonly<Record<string, Tensor>> = { in_float16: asFloat32 }

describe('The PyTorch processor', () => {
  it('gives back every dtype exactly, or as what its clients can read', async () => {
    const { outputs, map_outputs } = await torch('echo', torchBody(echoInputs))
    expect(map_outputs.size).toBe(0)
    expect(outputs).toHaveLength(echoInputs.length)
    for (const [i, { name }] of graphs.echo.inputs.entries()) {
      expect(outputs[i], name).toEqual(torchOutputs[name] ?? values[name])
    }
  })

  it('answers named inputs with named outputs', async () => {
    const { outputs, map_outputs } = await torch('echo', torchMapBody(values))
    expect(outputs).toEqual([])
    expect([...map_outputs.keys()].sort()).toEqual(graphs.echo.outputs.map(({ name }) => name).sort())
    for (const name of Object.keys(values)) {
      expect(map_outputs.get(name.replace('in_', 'out_')), name).toEqual(torchOutputs[name] ?? values[name])
    }
  })

  it('takes the dtypes of its outputs as inputs too', async () => {
    const { outputs } = await torch('echo', torchMapBodyWith(torchOutputs))
    expect(outputs).toEqual([])
  })

  it('sends half as DT_FLOAT, bool as DT_UINT8, uint16 as DT_INT32, unsigned 32 and 64 bits as DT_INT64', async () => {
    const { outputs } = await torch('casts', torchBody([longs([3], 0, 1, 65504)]))
    expect(outputs).toEqual([
      floats([3], 0, 1, 65504),
      tensor('uint8', Uint8Array.of(0, 1, 1)),
      tensor('int32', Int32Array.of(0, 1, 65504)),
      longs([3], 0, 1, 65504),
      longs([3], 0, 1, 65504),
      longs([], 65504),
    ])
  })

  it('writes array_shape of a scalar as an empty message', async () => {
    const { body } = await predict('casts', torchBody([longs([1], 7)], [5]))
    expect(body).toEqual(new Uint8Array(message([1, message([1, 9], [2, message()], [7, Uint8Array.of(7)])])))
  })

  it.each([[[0]], [[1]], [[1, 0]], [[5, 0, 3]]])(
    'returns the outputs of output_filter %j, in its order',
    async (filter) => {
      const all = (await torch('casts', torchBody([longs([2], 3, 4)]))).outputs
      const { outputs } = await torch('casts', torchBody([longs([2], 3, 4)], filter))
      expect(outputs).toEqual(filter.map((i) => all[i]))
    },
  )

  it('takes a batch of no rows', async () => {
    const { outputs } = await torch('add', torchBody([floats([0, 2]), floats([0, 2])]))
    expect(outputs.map(({ shape, data }) => [shape, data.length])).toEqual([
      [[0, 2], 0],
      [[0], 0],
    ])
  })

  it('takes any length of a dimension without a name', async () => {
    const { outputs } = await torch('unnamed', torchBody([floats([3, 2], 1, 2, 3, 4, 5, 6)]))
    expect(outputs).toEqual([floats([3, 2], -1, -2, -3, -4, -5, -6)])
  })

  const row = floats([1, 2], 1, 2)
  const noShape = message([1, message([1, 1], [3, new Uint8Array(new Float32Array([1, 2]).buffer)])])
  it.each([
    ['one input too few', 'add', torchBody([row]), 'Missing inputs[1] (b): it has no values'],
    ['an input left out', 'add', torchBody([undefined, row]), 'Missing inputs[0] (a): it has no values'],
    ['one too many', 'add', torchBody([row, row, row]), 'Too many inputs: the model has 2, got 3'],
    [
      'another dtype',
      'add',
      torchBody([row, longs([1, 2], 1, 2)]),
      'Cannot use inputs[1] (b): expected float32 [N,2], got int64',
    ],
    [
      'another rank',
      'add',
      torchBody([row, floats([2], 1, 2)]),
      'Cannot use inputs[1] (b): expected float32 [N,2], got [2]',
    ],
    [
      'another length of a fixed dimension',
      'add',
      torchBody([row, floats([1, 3], 1, 2, 3)]),
      'Cannot use inputs[1] (b): expected float32 [N,2], got [1,3]',
    ],
    [
      'another shape than a fixed one',
      'fixed',
      torchBody([floats([3, 2], 1, 2, 3, 4, 5, 6)]),
      'Cannot use inputs[0] (x): expected float32 [2,3], got [3,2]',
    ],
    [
      'values that do not fill the shape',
      'add',
      message([1, message([1, 1], [2, message([1, 1], [1, 2])], [3, new Uint8Array(4)])]),
      'Cannot decode inputs[0] as [1,2]: float_val holds 1 values',
    ],
    ['values without a shape', 'add', noShape, 'Cannot decode inputs[0] as []: float_val holds 2 values'],
    [
      'a negative dimension',
      'add',
      message([1, message([1, 1], [2, message([1, -1])])]),
      'Cannot decode inputs[0].array_shape.dim[0]: -1 is not a size',
    ],
    [
      'dimensions whose product overflows',
      'add',
      message([1, message([1, 1], [2, message([1, 2 ** 4], [1, 2 ** 52 + 2])], [3, new Uint8Array(128)])]),
      'Cannot decode inputs[0] as [16,4503599627370498]: the shape has too many elements',
    ],
    [
      'int8 values called float',
      'add',
      message([1, message([1, 1], [2, message([1, 2])], [5, Uint8Array.of(1, 2)])]),
      'Cannot decode inputs[0] as [2]: float_val holds 0 values, int_val 2',
    ],
    ['an unknown name', 'add', torchMapBody({ a: row, b: row, c: row }), 'Unknown input c: the model has a, b'],
    ['a missing name', 'add', torchMapBody({ a: row }), 'Missing input b: expected float32 [N,2]'],
    ['names of Object', 'add', torchMapBody({ ['__proto__']: row }), 'Missing input a: expected float32 [N,2]'],
    [
      'both kinds of inputs',
      'add',
      Buffer.concat([torchBody([row]), torchMapBody({ a: row })]),
      'Cannot use both inputs and map_inputs: the request must have one of them',
    ],
    ['an output that is not', 'add', torchBody([row, row], [2]), 'Unknown output 2 in output_filter: the model has 2'],
    [
      'an output before the first',
      'add',
      torchBody([row, row], [-1]),
      'Unknown output -1 in output_filter: the model has 2',
    ],
    ['an output twice', 'add', torchBody([row, row], [0, 0]), 'Output 0 stands twice in output_filter'],
    ['bytes that are no message', 'add', Buffer.from('garbage'), /^Cannot decode PredictRequest: /],
    [
      'text that is not UTF-8',
      'parse',
      torchBody([texts([2], '1', Uint8Array.of(0xff))]),
      'Cannot use input text: element 1 is not UTF-8',
    ],
    [
      'text that ONNX Runtime would cut short',
      'parse',
      torchBody([texts([2], '1', '2\u0000')]),
      'Cannot use input text: element 1 holds a NUL',
    ],
  ] as const)('refuses %s', async (_, service, body, text) => {
    const answer = await refusal(service, body)
    if (typeof text === 'string') expect(answer).toBe(`400 ${text}`)
    else expect(answer.replace(/^400 /, '')).toMatch(text)
  })

  it('answers 400 for an index that the request holds and the model has nothing at', async () => {
    expect(await refusal('gather', torchBody([longs([2], 1, 9)]))).toBe(
      '400 Cannot use input index: element 1 is 9; Gather node: indices element out of data bounds, idx=9 must be within the inclusive range [-4,3]',
    )
  })

  it('answers 500 without control characters when the model quotes what it was given', async () => {
    const answer = await refusal('parse', torchBody([texts([1], 'x\u001b[31m\r\nX-Injected: 1\u009b')]))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
    expect(answer).toMatch(/^500 Prediction failed: [^\u0000-\u001f\u007f]+$/)
  })

  function torchMapBodyWith(replaced: Readonly<Record<string, Tensor>>) {
    return torchMapBody({ ...values, ...replaced })
  }
})

describe('The TensorFlow processor', () => {
  it('gives back every dtype exactly, or as what its clients can read', async () => {
    const outputs = await tf('echo_tf', tfBody(values))
    for (const name of Object.keys(values)) {
      expect(outputs.get(name.replace('in_', 'out_')), name).toEqual(tfOutputs[name] ?? values[name])
    }
    expect(outputs.size).toBe(Object.keys(values).length)
  })

  it('takes floats for a half input', async () => {
    const outputs = await tf('echo_tf', tfBody({ ...values, in_float16: asFloat32 }))
    expect(outputs.get('out_float16')).toEqual(asFloat32)
  })

  it('keeps bool and uint16, sends half as DT_FLOAT and larger unsigned integers as DT_INT64', async () => {
    const outputs = await tf('casts_tf', tfBody({ x: longs([2], 0, 65504) }))
    expect(Object.fromEntries(outputs)).toEqual({
      half: floats([2], 0, 65504),
      bool: tensor('bool', Uint8Array.of(0, 1)),
      uint16: tensor('uint16', Uint16Array.of(0, 65504)),
      uint32: longs([2], 0, 65504),
      uint64: longs([2], 0, 65504),
      scalar: longs([], 65504),
    })
  })

  it('keeps 64 bits of an unsigned integer', async () => {
    const outputs = await tf('casts_tf', tfBody({ x: longs([1], -1) }, { output_filter: ['uint64'] }))
    expect(outputs.get('uint64')).toEqual(longs([1], -1))
  })

  it('writes array_shape of a scalar as an empty message', async () => {
    const { body } = await predict('casts_tf', tfBody({ x: longs([1], 7) }, { output_filter: ['scalar'] }))
    const array = message([1, 9], [2, message()], [7, Uint8Array.of(7)])
    expect(body).toEqual(new Uint8Array(message([1, message([1, 'scalar'], [2, array])])))
  })

  it.each([
    [[], ['half', 'bool', 'uint16', 'uint32', 'uint64', 'scalar']],
    [['scalar'], ['scalar']],
    [
      ['uint16', 'half', 'uint16'],
      ['half', 'uint16'],
    ],
  ])('returns the outputs of output_filter %j', async (output_filter, expected) => {
    const outputs = await tf('casts_tf', tfBody({ x: longs([1], 1) }, { output_filter }))
    expect([...outputs.keys()].sort()).toEqual(expected.toSorted())
  })

  it.each(['', 'serving_default'])('knows its signature as %j', async (signature_name) => {
    expect((await tf('fixed_tf', tfBody({ x: floats([2, 3], 1, 2, 3, 4, 5, 6) }, { signature_name }))).size).toBe(1)
  })

  const row = floats([1, 2], 1, 2)
  const both = { a: row, b: row }
  it.each([
    ['an unknown input', tfBody({ ...both, c: row }), 'Unknown input c: the model has a, b'],
    ['a missing input', tfBody({ b: row }), 'Missing input a: expected float32 [N,2]'],
    ['no input', tfBody({}, { signature_name: 'serving_default' }), 'Missing input a: expected float32 [N,2]'],
    [
      'another dtype',
      tfBody({ ...both, b: tensor('float64', Float64Array.of(1, 2), [1, 2]) }),
      'Cannot use input b: expected float32 [N,2], got float64',
    ],
    ['another rank', tfBody({ ...both, b: floats([], 1) }), 'Cannot use input b: expected float32 [N,2], got []'],
    [
      'another signature',
      tfBody(both, { signature_name: 'other\u001b[2J' }),
      'Unknown signature_name other [2J: the model has serving_default',
    ],
    [
      'an output that is not',
      tfBody(both, { output_filter: ['y', 'z\n'] }),
      'Unknown output z  in output_filter: the model has y, row_max',
    ],
    [
      'a name that would forge a line',
      tfBody({ ...both, 'c\r\nSet-Cookie: x\u2028': row }),
      'Unknown input c Set-Cookie: x : the model has a, b',
    ],
    [
      'a name of any length',
      tfBody({ ...both, ['n'.repeat(5000)]: row }),
      `Unknown input ${'n'.repeat(200)}…: the model has a, b`,
    ],
    ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'].map(
      (name) =>
        [`an input ${name}`, tfBody({ ...both, [name]: row }), `Unknown input ${name}: the model has a, b`] as const,
    ),
  ] as const)('refuses %s', async (_, body, text) => {
    expect(await refusal('add_tf', body)).toBe(`400 ${text}`)
    expect({}).not.toHaveProperty('dtype')
  })
})
