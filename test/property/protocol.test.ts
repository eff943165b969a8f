import { fromHalf, sizeOf, type Tensor } from '@eas/base'
import {
  type DataType,
  type DataTypes,
  DecodeError,
  easyrecPredict,
  pbLogData,
  tfDataTypes,
  tfPredict,
  torchDataTypes,
  torchPredict,
  torchrecPredict,
} from '@eas/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as json from '../support/protobuf-json.ts'
import { decodeWith, encodeWith, protobufType } from '../support/protobufjs.ts'
import { bytesField, floatField, floats, message, varintField, varints, type WireBytes } from '../support/wire-bytes.ts'

// Messages are generated in protobuf's JSON, which protobufjs and the vectors both speak.

const edges64 = [
  '0',
  '-1',
  '127',
  '128',
  '9223372036854775807',
  '-9223372036854775808',
  '9007199254740993',
  '4294967296',
]
const int64 = fc.oneof(fc.constantFrom(...edges64), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String))
const int32 = fc.oneof(fc.constantFrom(0, -1, 127, 128, 2 ** 31 - 1, -(2 ** 31)), fc.integer())
const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 24 }),
  fc.constantFrom('constructor', 'hasOwnProperty', 'toString', '\ufeffx', '\ufffd', 'é'.repeat(40)),
)
const float = fc.float()
const double = fc.double()

/** Objects whose keys protobufjs can hold: it refuses `__proto__`, which has a test of its own. */
const mapOf = (key: fc.Arbitrary<string>, value: fc.Arbitrary<unknown>) =>
  fc
    .array(fc.tuple(key, value), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries.filter(([name]) => name !== '__proto__')))

/** What implementations leave out when it holds the default. */
const orAbsent = (value: fc.Arbitrary<unknown>, absent: unknown) => value.map((v) => (v === absent ? undefined : v))

const narrowRanges: Readonly<Record<string, readonly [number, number]>> = {
  DT_INT8: [-128, 127],
  DT_QINT8: [-128, 127],
  DT_UINT8: [0, 255],
  DT_QUINT8: [0, 255],
  DT_INT16: [-32768, 32767],
  DT_QINT16: [-32768, 32767],
  DT_UINT16: [0, 65535],
  DT_QUINT16: [0, 65535],
}

function valueIn({ name, field }: DataType): fc.Arbitrary<unknown> {
  if (name === 'DT_BOOL') return field === 'bool_val' ? fc.boolean() : fc.integer({ min: 0, max: 1 })
  if (name === 'DT_HALF') return fc.integer({ min: 0, max: 0x7bff }).map(fromHalf)
  if (name === 'DT_BFLOAT16') return fc.constantFrom(0, 0.75, -1.5, 2 ** 100, Number.NEGATIVE_INFINITY)
  const range = narrowRanges[name]
  if (range) return fc.integer({ min: range[0], max: range[1] })
  if (field === 'int_val') return int32
  if (field === 'int64_val') return int64
  if (field === 'float_val') return float
  if (field === 'double_val') return double
  return fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('base64'))
}

const tensor = (types: DataTypes) =>
  fc
    .tuple(fc.constantFrom(...types.rows), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }))
    .chain(([type, shape]) => {
      const count = (sizeOf(shape) ?? 0) * (type.name.startsWith('DT_COMPLEX') ? 2 : 1)
      return fc.array(valueIn(type), { minLength: count, maxLength: count }).map((values) => ({
        dtype: type.name,
        array_shape: { dim: shape.map(String) },
        [type.field]: type.name === 'DT_BOOL' && type.field === 'int_val' ? values.map(Number) : values,
      }))
    })

const scalars = { int: int32, long: int64, string: text, float, double }
const keys = { int: int32.map(String), long: int64, string: text }
const kindsOf = (names: readonly (keyof typeof scalars)[]) =>
  names.map((name) => scalars[name].map((value) => ({ [`${name}_feature`]: value })))

const listOf = (value: fc.Arbitrary<unknown>) => fc.record({ features: fc.array(value, { maxLength: 4 }) })
const feature: fc.Arbitrary<unknown> = fc.oneof(
  fc.constant({}),
  ...kindsOf(['int', 'long', 'string', 'float', 'double']),
  ...Object.entries(keys).flatMap(([key, keyOf]) =>
    Object.entries(scalars).map(([of, value]) =>
      mapOf(keyOf, value).map((map_field) => ({ [`${key}_${of}_map`]: { map_field } })),
    ),
  ),
  ...Object.entries(scalars).map(([of, value]) => listOf(value).map((list) => ({ [`${of}_list`]: list }))),
  ...Object.entries(scalars).map(([of, value]) =>
    fc.array(listOf(value), { maxLength: 3 }).map((lists) => ({ [`${of}_lists`]: { lists } })),
  ),
)
const contextOf = (of: fc.Arbitrary<unknown>) =>
  mapOf(
    text,
    fc.array(of, { maxLength: 4 }).map((features) => ({ features })),
  )
const textMap = mapOf(text, text)
const texts = fc.array(text, { maxLength: 4 })

const torchrecRequest = fc.record({
  debug_level: orAbsent(int32, 0),
  user_features: mapOf(text, feature),
  item_ids: texts,
  context_features: contextOf(feature),
  faiss_neigh_num: orAbsent(int32, 0),
  item_features: contextOf(feature),
  meta_data: textMap,
})

/** Stands in where there is no `isRequest`. */
const isAnything = () => true

const processor = 'com.alibaba.pairec.processor'
const row = <M>(
  name: string,
  type: ReturnType<typeof protobufType>,
  arbitrary: fc.Arbitrary<unknown>,
  of: (json: unknown) => M,
  decode: (bytes: Uint8Array) => M,
  encode: (message: M) => Uint8Array,
  isRequest: (bytes: Uint8Array) => boolean = isAnything,
) => ({
  name,
  type,
  arbitrary,
  of,
  decode,
  encode: (value: unknown) => encode(of(value)),
  isRequest,
})

const messages = [
  row(
    'torch PredictRequest',
    protobufType('pytorch_predict', 'pytorch.eas.PredictRequest'),
    fc.record({
      inputs: fc.array(fc.oneof(tensor(torchDataTypes), fc.constant({})), { maxLength: 3 }),
      output_filter: fc.array(int32, { maxLength: 3 }),
      map_inputs: mapOf(text, tensor(torchDataTypes)),
      debug_level: orAbsent(int32, 0),
    }),
    json.torchRequestOf,
    torchPredict.decodeRequest,
    torchPredict.encodeRequest,
    torchPredict.isRequest,
  ),
  row(
    'torch PredictResponse',
    protobufType('pytorch_predict', 'pytorch.eas.PredictResponse'),
    fc.record({
      outputs: fc.array(tensor(torchDataTypes), { maxLength: 3 }),
      map_outputs: mapOf(text, tensor(torchDataTypes)),
    }),
    json.torchResponseOf,
    torchPredict.decodeResponse,
    torchPredict.encodeResponse,
  ),
  row(
    'tf PredictRequest',
    protobufType('tf_predict', 'PredictRequest'),
    fc.record({
      signature_name: orAbsent(text, ''),
      inputs: mapOf(text, tensor(tfDataTypes)),
      output_filter: texts,
    }),
    json.tfRequestOf,
    tfPredict.decodeRequest,
    tfPredict.encodeRequest,
    tfPredict.isRequest,
  ),
  row(
    'tf PredictResponse',
    protobufType('tf_predict', 'PredictResponse'),
    fc.record({ outputs: mapOf(text, tensor(tfDataTypes)) }),
    json.tfResponseOf,
    tfPredict.decodeResponse,
    tfPredict.encodeResponse,
  ),
  row(
    'torchrec PBRequest',
    protobufType('torchrec_predict', `${processor}.PBRequest`),
    torchrecRequest,
    json.torchrecRequestOf,
    torchrecPredict.decodeRequest,
    torchrecPredict.encodeRequest,
    torchrecPredict.isRequest,
  ),
  row(
    'torchrec PBResponse',
    protobufType('torchrec_predict', `${processor}.PBResponse`),
    fc.record({
      map_outputs: mapOf(text, tensor(torchDataTypes)),
      generate_features: textMap,
      raw_features: textMap,
      item_ids: texts,
      pass_through_data: textMap,
    }),
    json.torchrecResponseOf,
    torchrecPredict.decodeResponse,
    torchrecPredict.encodeResponse,
  ),
  row(
    'PBLogData',
    protobufType('torchrec_predict', `${processor}.PBLogData`),
    fc.record({ request: torchrecRequest, raw_features: textMap, generate_features: textMap }),
    json.pbLogDataOf,
    pbLogData.decode,
    pbLogData.encode,
  ),
  row(
    'easyrec PBRequest',
    protobufType('easyrec_predict', `${processor}.easyrec.PBRequest`),
    torchrecRequest,
    json.torchrecRequestOf,
    easyrecPredict.decodeRequest,
    easyrecPredict.encodeRequest,
    easyrecPredict.isRequest,
  ),
  row(
    'easyrec PBResponse',
    protobufType('easyrec_predict', `${processor}.easyrec.PBResponse`),
    fc.record({
      results: mapOf(
        text,
        fc.array(double, { maxLength: 4 }).map((scores) => ({ scores })),
      ),
      item_features: textMap,
      generate_features: textMap,
      context_features: contextOf(feature),
      error_msg: orAbsent(text, ''),
      status_code: orAbsent(fc.constantFrom(0, 1, 2), 0),
      item_ids: texts,
      outputs: texts,
      raw_features: textMap,
      tf_outputs: mapOf(text, tensor(tfDataTypes)),
    }),
    json.easyrecResponseOf,
    easyrecPredict.decodeResponse,
    easyrecPredict.encodeResponse,
  ),
] as const

describe.each(messages)('$name', ({ type, arbitrary, of, decode, encode, isRequest }) => {
  it('is encoded to the bytes of protobufjs, and decoded from them', () => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        const bytes = encodeWith(type, value)
        expect(Buffer.from(encode(value)).equals(bytes)).toBe(true)
        expect(decode(bytes)).toEqual(of(value))
        expect(isRequest(bytes)).toBe(true)
      }),
    )
  })

  it('owns the whole of its buffer when encoded', () => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        const bytes = encode(value)
        expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, bytes.length])
      }),
      { numRuns: 10 },
    )
  })

  it('skips unknown fields, which are none of a request', () => {
    const unknown = fc.constantFrom<WireBytes>(
      varintField(99, 2n ** 64n - 1n),
      bytesField(536870911, [1, 2, 3]),
      floatField(98, 1),
      bytesField(20000, bytesField(1, bytesField(1))),
    )
    fc.assert(
      fc.property(arbitrary, unknown, unknown, (value, before, after) => {
        const bytes = Buffer.concat([Uint8Array.from(before), encodeWith(type, value), Uint8Array.from(after)])
        expect(decode(bytes)).toEqual(of(value))
        expect(isRequest(bytes)).toBe(isRequest === isAnything)
      }),
      { numRuns: 30 },
    )
  })

  it('gives a value or a DecodeError for any prefix and any flipped byte', () => {
    const survives = (bytes: Uint8Array) => {
      isRequest(bytes)
      try {
        decode(bytes)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        expect(error.message).toMatch(/^Cannot decode .*: /)
        expect(error.message).not.toMatch(/[\n\r]/)
        expect(error.offset).toBeLessThanOrEqual(bytes.length)
      }
    }
    fc.assert(
      fc.property(arbitrary, fc.integer({ min: 1, max: 255 }), (value, flip) => {
        const bytes = encodeWith(type, value)
        const step = 1 + Math.floor(bytes.length / 64)
        for (let at = 0; at < bytes.length; at += step) {
          survives(bytes.subarray(0, at))
          const flipped = bytes.slice()
          flipped[at] = (flipped[at] ?? 0) ^ flip
          survives(flipped)
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('a repeated number', () => {
  /** `values` over one or more runs of a field, packed and not. */
  const runsOf = <V>(
    values: readonly V[],
    cuts: readonly number[],
    one: (value: V) => WireBytes,
    run: (values: readonly V[]) => WireBytes,
  ) => {
    const parts: WireBytes[] = []
    let at = 0
    for (const cut of [...cuts, values.length]) {
      const taken = values.slice(at, at + cut)
      parts.push(...(cut === 1 ? taken.map(one) : [run(taken)]))
      parts.push(varintField(77, at))
      at += cut
    }
    return parts.flat()
  }
  const cuts = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 8 })
  const type = protobufType('pytorch_predict', 'pytorch.eas.PredictRequest')

  const agrees = (array: WireBytes, expected: Tensor) => {
    const bytes = message(bytesField(1, array))
    expect(torchPredict.decodeRequest(bytes).inputs).toEqual([expected])
    expect(json.torchRequestOf(decodeWith(type, bytes)).inputs).toEqual([expected])
  }

  it('of floats is joined from any runs', () => {
    fc.assert(
      fc.property(fc.array(float), cuts, (values, at) => {
        const run = runsOf(
          values,
          at,
          (v) => floatField(3, v),
          (vs) => bytesField(3, floats(...vs)),
        )
        const shape = bytesField(2, varintField(1, values.length))
        agrees([...run, ...varintField(1, 1), ...shape], {
          dtype: 'float32',
          shape: [values.length],
          data: Float32Array.from(values),
        })
      }),
    )
  })

  it('of int64 is joined from any runs', () => {
    fc.assert(
      fc.property(fc.array(int64.map(BigInt)), cuts, (values, at) => {
        const run = runsOf(
          values,
          at,
          (v) => varintField(7, v),
          (vs) => bytesField(7, varints(...vs)),
        )
        const shape = bytesField(2, bytesField(1, varints(values.length)))
        agrees([...run, ...varintField(1, 9), ...shape], {
          dtype: 'int64',
          shape: [values.length],
          data: BigInt64Array.from(values),
        })
      }),
    )
  })

  it('of int32 is joined from any runs', () => {
    fc.assert(
      fc.property(fc.array(int32), cuts, (values, at) => {
        const run = runsOf(
          values,
          at,
          (v) => varintField(5, v),
          (vs) => bytesField(5, varints(...vs)),
        )
        const shape = [...bytesField(2, varintField(1, 1)), ...bytesField(2, varintField(1, values.length))]
        const bytes = message(bytesField(1, [...varintField(1, 3), ...shape, ...run]))
        expect(torchPredict.decodeRequest(bytes).inputs).toEqual([
          { dtype: 'int32', shape: [1, values.length], data: Int32Array.from(values) },
        ])
      }),
    )
  })
})

it('a oneof keeps its last member, merged with what came right before of the same member', () => {
  const type = protobufType('torchrec_predict', `${processor}.PBFeature`)
  fc.assert(
    fc.property(fc.array(feature, { maxLength: 6 }), (parts) => {
      const bytes = parts.map((part) => [...encodeWith(type, part)])
      const request = message(bytesField(2, bytesField(1, [...Buffer.from('x')]), bytesField(2, ...bytes)))
      const apart = message(
        bytesField(2, bytesField(1, [...Buffer.from('x')]), ...bytes.map((part) => bytesField(2, part))),
      )
      const expected = new Map([['x', parts.map(json.featureOf).reduce(merged, json.featureOf({}))]])
      expect(torchrecPredict.decodeRequest(request).user_features).toEqual(expected)
      expect(torchrecPredict.decodeRequest(apart).user_features).toEqual(expected)
    }),
    { numRuns: 300 },
  )
})

type Feature = ReturnType<typeof json.featureOf>

/** What protobuf's rules make of `next` after `before`: scalars replace, messages merge, repeated fields append. */
function merged(before: Feature, next: Feature): Feature {
  if (next.kind === undefined) return before
  if (before.kind !== next.kind) return next
  const [a, b]: readonly unknown[] = [before.value, next.value]
  if (a instanceof Map && b instanceof Map) return { kind: next.kind, value: new Map([...a, ...b]) } as Feature // Same kind.
  if (Array.isArray(a) && Array.isArray(b)) return { kind: next.kind, value: [...a, ...b] } as Feature // Same kind.
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) {
    const bytes = Buffer.concat([a, b].map((view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)))
    const own = new Uint8Array(bytes).buffer
    return { kind: next.kind, value: Reflect.construct(a.constructor, [own]) } as Feature // Same kind.
  }
  return next
}
