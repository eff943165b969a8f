import type { Tensor } from '@eas/base'
import { tfPredict, torchPredict } from '@eas/protocol'
import { describe, expect, it } from 'vitest'
import { messageKinds, recogniseRequest } from './predict-message.ts'
import type { Signature } from './signature.ts'

const one: Tensor = { dtype: 'float32', shape: [1], data: Float32Array.of(1) }
const two: Tensor = { dtype: 'float32', shape: [1], data: Float32Array.of(2) }
const value = (name: string) => ({ name, dtype: 'float32', shape: [] }) as const
const signature: Signature = { inputs: [value('x')], outputs: [value('a'), value('b')], signature_name: 'sign' }
const ask = { inputs: new Map([['x', one]]), output_filter: ['b'], signature_name: undefined, debug_level: 0 }

describe('messageKinds', () => {
  it('torch sends inputs by position and filters by index', () => {
    const request = torchPredict.decodeRequest(messageKinds.torch.encode({ ...ask, debug_level: 3 }, signature))
    expect(request).toEqual({ inputs: [one], output_filter: [1], map_inputs: new Map(), debug_level: 3 })
  })

  it('torch-map sends them by name', () => {
    const request = torchPredict.decodeRequest(messageKinds['torch-map'].encode(ask, signature))
    expect(request.map_inputs).toEqual(ask.inputs)
    expect(request.inputs).toEqual([])
  })

  it('tf names the signature of the service, unless told another', () => {
    const encoded = messageKinds.tf.encode({ ...ask, output_filter: ['1'] }, signature)
    expect(tfPredict.decodeRequest(encoded)).toEqual({
      signature_name: 'sign',
      inputs: ask.inputs,
      output_filter: ['b'],
    })
    const told = messageKinds.tf.encode({ ...ask, signature_name: 'other' }, signature)
    expect(tfPredict.decodeRequest(told).signature_name).toBe('other')
  })

  it.each(['torch', 'torch-map'] as const)('%s has something in it where the model takes no inputs', (kind) => {
    const nothing = { ...ask, inputs: new Map(), output_filter: [] }
    const request = torchPredict.decodeRequest(messageKinds[kind].encode(nothing, signature))
    expect(request.output_filter).toEqual([0, 1])
  })

  it('sends uint64, which no message has, as int64', () => {
    const inputs = new Map<string, Tensor>([
      ['x', { dtype: 'uint64', shape: [1], data: BigUint64Array.of(2n ** 64n - 1n) }],
    ])
    const request = torchPredict.decodeRequest(messageKinds.torch.encode({ ...ask, inputs }, signature))
    expect(request.inputs[0]).toEqual({ dtype: 'int64', shape: [1], data: BigInt64Array.of(-1n) })
  })

  it.each([
    [['c'], signature, 'Unknown output c: the service gives 0 a, 1 b'],
    [['2'], signature, 'Unknown output 2: the service gives 0 a, 1 b'],
    [['a'], undefined, 'Unknown output a: without the signature only indexes can be sent'],
  ])('refuses to filter by %j', (output_filter, of, message) => {
    expect(() => messageKinds.torch.encode({ ...ask, output_filter }, of)).toThrow(message)
  })

  it('names positional outputs by the signature, in the order of the filter', () => {
    const answer = torchPredict.encodeResponse({ outputs: [two, one], map_outputs: new Map() })
    const { decode } = messageKinds.torch
    expect([...decode(answer, ['b', 'a'], signature)]).toEqual([
      ['b', two],
      ['a', one],
    ])
    expect([...decode(answer, ['1', '0'], undefined).keys()]).toEqual(['outputs[1]', 'outputs[0]'])
    expect([...decode(answer, [], undefined).keys()]).toEqual(['outputs[0]', 'outputs[1]'])
  })
})

describe('recogniseRequest()', () => {
  it('tells the messages apart', () => {
    expect(recogniseRequest(messageKinds.torch.encode(ask, signature))).toBe('torch')
    expect(recogniseRequest(messageKinds['torch-map'].encode(ask, signature))).toBe('torch')
    expect(recogniseRequest(messageKinds.tf.encode(ask, signature))).toBe('tf')
    expect(recogniseRequest(new TextEncoder().encode('hello'))).toBeUndefined()
  })

  const tensor = (
    dtype: 'float32' | 'int64' | 'string',
    shape: readonly number[],
    values: readonly number[],
  ): Tensor =>
    dtype === 'string'
      ? { dtype, shape, data: values.map((value) => Buffer.from(`text ${value}`)) }
      : dtype === 'int64'
        ? { dtype, shape, data: BigInt64Array.from(values, BigInt) }
        : { dtype, shape, data: Float32Array.from(values) }

  it.each([
    ['ids', tensor('int64', [3], [1, 2, 300])],
    ['texts', tensor('string', [2], [1, 2])],
    ['zeros', tensor('float32', [2, 2], [0, 0, 0, 0])],
    ['ones', tensor('float32', [4], [1, 1, 1, 1])],
    ['nothing', tensor('float32', [0, 4], [])],
  ])(
    'takes %s under a name for TensorFlow, though their bytes are also an output_filter of PyTorch',
    (_what, input) => {
      const inputs = new Map([['x', input]])
      const request = tfPredict.encodeRequest({ signature_name: '', inputs, output_filter: [] })
      expect(torchPredict.isRequest(request)).toBe(true)
      expect(recogniseRequest(request)).toBe('tf')
      for (const kind of ['torch', 'torch-map'] as const) {
        expect(recogniseRequest(messageKinds[kind].encode({ ...ask, inputs, output_filter: [] }, signature))).toBe(
          'torch',
        )
      }
    },
  )
})
