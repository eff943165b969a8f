import type { FeatureKind, FeatureValues, PBFeature } from '@eas/protocol'
import { describe, expect, it } from 'vitest'
import { compileFg } from '../index.ts'

/** A value of every kind, and its text as `id_feature` and `sequence_id_feature` read it, and in a lookup of key 1. */
const kinds: {
  readonly [K in FeatureKind]: readonly [value: FeatureValues[K], texts: string, steps: string, found?: string]
} = {
  int_feature: [-5, '-5', '-5'],
  long_feature: [9007199254740993n, '9007199254740993', '9007199254740993'],
  string_feature: ['a\u001db;c', 'a,b;c', 'a,b;c'],
  float_feature: [Math.fround(0.1), '0.1', '0.1'],
  double_feature: [0.1, '0.1', '0.1'],
  int_list: [Int32Array.of(1, 2), '1,2', '1;2'],
  long_list: [BigInt64Array.of(1n, 2n), '1,2', '1;2'],
  // Elements of a list are split in a sequence only.
  string_list: [['a\u001db', 'c'], 'a\u001db,c', 'a,b;c'],
  float_list: [Float32Array.of(0.1, 2), '0.1,2', '0.1;2'],
  double_list: [Float64Array.of(0.1, 2), '0.1,2', '0.1;2'],
  int_lists: [[Int32Array.of(1, 2), Int32Array.of(3)], '1,2,3', '1,2;3'],
  long_lists: [[BigInt64Array.of(1n), BigInt64Array.of()], '1', '1;0'],
  string_lists: [[['a', 'b'], ['c']], 'a,b,c', 'a,b;c'],
  float_lists: [[Float32Array.of(0.1)], '0.1', '0.1'],
  double_lists: [[Float64Array.of(0.1), Float64Array.of(2)], '0.1,2', '0.1;2'],
  int_int_map: [new Map([[1, 5]]), '1:5', '1:5', '5.0'],
  int_long_map: [new Map([[1, 5n]]), '1:5', '1:5', '5.0'],
  int_float_map: [new Map([[1, Math.fround(0.1)]]), '1:0.1', '1:0.1', '0.1'],
  int_double_map: [new Map([[1, 0.1]]), '1:0.1', '1:0.1', '0.1'],
  int_string_map: [new Map([[1, '2.5']]), '1:2.5', '1:2.5', '2.5'],
  long_int_map: [new Map([[1n, 5]]), '1:5', '1:5', '5.0'],
  long_long_map: [new Map([[1n, 5n]]), '1:5', '1:5', '5.0'],
  long_float_map: [new Map([[1n, Math.fround(0.1)]]), '1:0.1', '1:0.1', '0.1'],
  long_double_map: [new Map([[1n, 0.1]]), '1:0.1', '1:0.1', '0.1'],
  long_string_map: [new Map([[1n, '2.5']]), '1:2.5', '1:2.5', '2.5'],
  string_int_map: [new Map([['1', 5]]), '1:5', '1:5', '5.0'],
  string_long_map: [new Map([['1', 5n]]), '1:5', '1:5', '5.0'],
  string_float_map: [new Map([['1', Math.fround(0.1)]]), '1:0.1', '1:0.1', '0.1'],
  string_double_map: [new Map([['1', 0.1]]), '1:0.1', '1:0.1', '0.1'],
  string_string_map: [new Map([['1', '2.5']]), '1:2.5', '1:2.5', '2.5'],
}

const document = {
  features: [
    { feature_type: 'id_feature', feature_name: 'texts', expression: 'user:x', value_dim: 0 },
    { feature_type: 'sequence_id_feature', feature_name: 'steps', expression: 'user:x', value_dim: 0 },
    { feature_type: 'lookup_feature', feature_name: 'found', map: 'user:x', key: 'const:1', default_value: '9' },
  ],
}

describe('a column of the request', () => {
  // Each row pairs a kind with its value.
  const rows = Object.entries(kinds) as unknown as [FeatureKind, readonly [unknown, string, string, string?]][]

  it.each(rows)('of the kind %s', async (kind, [value, texts, steps, found = '9.0']) => {
    const generator = await compileFg(document)
    const values = [{ kind, value } as PBFeature]
    const generated = generator.generate({ rows: 1, column: () => ({ form: 'features', values }) })
    const [line = ''] = generated.generateFeatures()
    expect(line).toBe(`texts:${texts} | steps:${steps} | found:${found}`)
  })

  it.each<[string, PBFeature]>([
    ['of no kind', { kind: undefined, value: undefined }],
    ['with an empty text', { kind: 'string_feature', value: '' }],
    ['with an empty list', { kind: 'string_list', value: [] }],
    ['with empty lists', { kind: 'long_lists', value: [] }],
    ['with an empty map', { kind: 'string_int_map', value: new Map() }],
    ['with NaN', { kind: 'double_feature', value: Number.NaN }],
  ])('%s is missing', async (_name, feature) => {
    const generator = await compileFg(document)
    const generated = generator.generate({ rows: 1, column: () => ({ form: 'features', values: [feature] }) })
    expect(generated.generateFeatures()).toEqual(['texts: | steps:0 | found:9.0'])
    expect([...generated.counters.missing]).toEqual([1, 1, 1])
  })
})
