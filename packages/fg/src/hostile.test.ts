import { EasError } from '@eas/base'
import type { PBFeature } from '@eas/protocol'
import { describe, expect, it } from 'vitest'
import { compileFg, FgConfigError, type FgRequest, type Generated } from './index.ts'

/** What a document or a request may do at worst: a value or an error, soon. The test runner's timeout is the clock. */

const of = (keys: object) => ({ features: [{ feature_name: 'f', ...keys }] })

async function generate(keys: object, inputs: { readonly [name: string]: PBFeature }, rows = 1): Promise<Generated> {
  const generator = await compileFg(of(keys))
  const columns = new Map(Object.entries(inputs))
  return generator.generate({ rows, column: ({ name }) => ({ form: 'features', values: [columns.get(name)] }) })
}

const text = (value: string): PBFeature => ({ kind: 'string_feature', value })
const list = (value: string[]): PBFeature => ({ kind: 'string_list', value })
const many = (count: number, make: (i: number) => string): string[] => Array.from({ length: count }, (_, i) => make(i))

describe('a hostile document', () => {
  it.each([
    [
      'a formula of a million characters',
      { feature_type: 'expr_feature', variables: ['user:a'], expression: 'a+'.repeat(500_000) },
    ],
    [
      'a formula of many parentheses',
      { feature_type: 'expr_feature', variables: ['user:a'], expression: '('.repeat(500_000) },
    ],
    [
      'a pattern of a million characters',
      { feature_type: 'regex_replace_feature', expression: 'user:a', regex_pattern: 'a?'.repeat(500_000) },
    ],
    [
      'a pattern of many parentheses',
      { feature_type: 'regex_replace_feature', expression: 'user:a', regex_pattern: '('.repeat(4000) },
    ],
    [
      'a formula for a normalizer',
      {
        feature_type: 'raw_feature',
        expression: 'user:a',
        normalizer: `method=expression,expr=${'-'.repeat(100_000)}`,
      },
    ],
    ['a pattern that is none', { feature_type: 'regex_replace_feature', expression: 'user:a', regex_pattern: '(' }],
    [
      'a pattern too large',
      { feature_type: 'regex_replace_feature', expression: 'user:a', regex_pattern: '(a{1000}){1000}' },
    ],
    [
      'boundaries that are no numbers',
      { feature_type: 'raw_feature', expression: 'user:a', boundaries: [1, Number.NaN, 'x'] },
    ],
  ])('with %s is refused', async (_name, keys) => {
    await expect(compileFg(of(keys))).rejects.toThrow(FgConfigError)
  })

  it('nested too deep is refused, as text and as a value', async () => {
    let nested: unknown = []
    for (let i = 0; i < 100_000; i++) nested = [nested]
    await expect(compileFg({ features: nested })).rejects.toThrow(FgConfigError)
    await expect(compileFg(`{"features":${'['.repeat(1e6)}${']'.repeat(1e6)}}`)).rejects.toThrow(FgConfigError)
  })

  it('may use the names of object properties', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
    const features = names.map((name) => ({
      feature_type: 'id_feature',
      feature_name: name,
      expression: `user:${name}`,
      vocab_dict: JSON.parse('{"__proto__": 5, "constructor": 6}'),
    }))
    const generator = await compileFg(JSON.stringify({ features }))
    const generated = generator.generate({
      rows: 1,
      column: () => ({ form: 'texts', texts: ['__proto__\u001dtoString'] }),
    })
    expect(generated.generateFeatures()).toEqual([names.map((name) => `${name}:5,1`).join(' | ')])
  })

  it('may have a chain of ten thousand features', async () => {
    const features = many(10_000, (i) => `f${i}`).map((feature_name, i) => ({
      feature_type: 'id_feature',
      feature_name,
      expression: i === 0 ? 'user:x' : `feature:f${i - 1}`,
      stub_type: i < 9_999,
    }))
    const generator = await compileFg({ features: features.reverse() })
    const generated = generator.generate({ rows: 1, column: () => ({ form: 'texts', texts: ['deep'] }) })
    expect(generated.generateFeatures()).toEqual(['f9999:deep'])
  })

  it('may have a text of a million quoted characters and long numbers in it', async () => {
    const word = '12345678901234567890\\"'.repeat(50_000)
    const generator = await compileFg(
      `{"features":[{"feature_type":"id_feature","feature_name":"f","expression":"user:x","default_value":"${word}"}]}`,
    )
    const generated = generator.generate({ rows: 1, column: () => undefined })
    expect(generated.generateFeatures()[0]).toBe(`f:${word.replaceAll('\\"', '"')}`)
  })
})

describe('a hostile request', () => {
  it('combining too many values is refused', async () => {
    const keys = { feature_type: 'combo_feature', expression: ['user:a', 'user:b', 'user:c'], hash_bucket_size: 10 }
    const values = list(many(10_000, String))
    await expect(generate(keys, { a: values, b: values, c: values })).rejects.toThrow(EasError)
    const kept = await generate({ ...keys, value_dim: 2 }, { a: values, b: values, c: values })
    expect(kept.tensors().get('f.values')?.shape).toEqual([2])
  })

  it('with maps of a hundred thousand entries is answered', async () => {
    const entries = many(100_000, (i) => `k${i}`)
    const map = new Map(entries.map((key, i) => [key, i]))
    const lookup = { feature_type: 'lookup_feature', map: 'user:m', key: 'user:k' }
    const found = await generate(lookup, { m: { kind: 'string_int_map', value: map }, k: list(entries) })
    expect(found.generateFeatures()).toEqual(['f:4999950000.0'])
    const dot = { feature_type: 'kv_dot_product', query: 'user:m', document: 'user:k', separator: ',' }
    const product = await generate(dot, { m: text(entries.join(',')), k: text(entries.join(',')) })
    expect(product.generateFeatures()).toEqual(['f:100000.0'])
    const nested = text(entries.map((key) => `p^${key}:1`).join('|'))
    const match = { feature_type: 'match_feature', user: 'user:m', category: 'user:p', item: 'user:s' }
    expect((await generate(match, { m: nested, p: text('p'), s: text('k99999') })).generateFeatures()).toEqual([
      'f:1.0',
    ])
  })

  it.each(['is_contain', 'index_of', 'proximity_min_cover', 'query_common_ratio', 'is_equal'])(
    'with a title made against %s is answered',
    async (method) => {
      const keys = { feature_type: 'overlap_feature', query: 'user:q', title: 'user:t', method }
      const query = list([...many(20_000, () => 'a'), 'b'])
      const generated = await generate(keys, { q: query, t: list(many(100_000, () => 'a')) })
      expect(generated.generateFeatures()).toHaveLength(1)
    },
  )

  const numbered = (count: number, separator: string) => text(many(count, String).join(separator))

  it.each<[string, object, PBFeature, (i: number) => PBFeature | undefined]>([
    [
      'terms',
      { feature_type: 'overlap_feature', query: 'user:u', title: 'item:i', method: 'query_common_ratio' },
      numbered(20_000, '\u001d'),
      () => text('a'),
    ],
    [
      'characters, combined',
      { feature_type: 'combo_feature', expression: ['user:u', 'item:i'], hash_bucket_size: 10 },
      text('x'.repeat(1_000_000)),
      () => text('a'),
    ],
    [
      'characters, looked up',
      { feature_type: 'lookup_feature', map: 'user:u', key: 'item:i', needDiscrete: true, hash_bucket_size: 10 },
      text(`a:${'x'.repeat(1_000_000)}\u001db:y`),
      (i) => text(i % 2 === 0 ? 'a' : 'b'),
    ],
    [
      'values, matched',
      {
        feature_type: 'match_feature',
        ...{ user: 'user:u', category: 'ALL', item: 'item:i', matchType: 'multihit', combiner: '', boundaries: [0] },
      },
      text(many(10_000, (i) => `p${i}^a:1`).join('|')),
      () => text('a'),
    ],
    [
      'values of a formula',
      { feature_type: 'expr_feature', variables: ['user:u', 'item:i'], expression: 'u+i', boundaries: [0] },
      numbered(200_000, '\u001d'),
      () => text('1'),
    ],
    [
      'steps of a sequence',
      { feature_type: 'sequence_combo_feature', expression: ['user:u', 'item:i'], sequence_fields: ['u'] },
      numbered(20_000, ';'),
      () => text('1'),
    ],
    ['values', { feature_type: 'raw_feature', expression: 'item:i', value_dim: 65_536 }, text('1'), () => undefined],
    [
      'steps of an operator',
      {
        feature_type: 'custom_feature',
        ...{ operator_name: 'EditDistance', expression: ['user:u', 'item:i'] },
      },
      text('ab'.repeat(1_000_000)),
      () => text('ba'.repeat(5_000)),
    ],
  ])('that would come to too many %s for many items is refused', async (_name, keys, user, item) => {
    const generator = await compileFg(of(keys))
    const values = Array.from({ length: 1024 }, (_, i) => item(i))
    const request: FgRequest = {
      rows: 1024,
      column: ({ side }) => ({ form: 'features', values: side === 'user' ? [user] : values }),
    }
    expect(() => generator.generate(request)).toThrow(EasError)
  })

  it('whose values repeated for every item are too many is refused', async () => {
    const wide = { feature_type: 'raw_feature', expression: 'user:u', value_dim: 65_536 }
    const generator = await compileFg(of(wide))
    const generated = generator.generate({ rows: 1024, column: () => undefined })
    expect(() => generated.tensors()).toThrow(EasError)
    const texts = await compileFg(of({ feature_type: 'id_feature', expression: 'user:u', hash_bucket_size: 10 }))
    const long = texts.generate({ rows: 1024, column: () => ({ form: 'texts', texts: ['x'.repeat(100_000)] }) })
    expect(long.tensors().get('f.values')?.shape).toEqual([1024])
    expect(() => long.rawFeatures()).toThrow(EasError)
  })

  it.each(['(a+)+$', '(a|aa)*$', '(x*)*y', '[ab]{1,50}$', '\\w+\\s'])(
    'whose text is made against the pattern %s is answered',
    async (regex_pattern) => {
      const keys = { feature_type: 'regex_replace_feature', expression: 'user:x', regex_pattern, hash_bucket_size: 9 }
      const generated = await generate(keys, { x: text(`${'a'.repeat(100_000)}!`) })
      expect(generated.tensors().get('f.values')?.shape).toEqual([1])
    },
  )

  it('whose text is too long for a large pattern is refused', async () => {
    const keys = { feature_type: 'regex_replace_feature', expression: 'user:x', regex_pattern: '[ab]{1,100}$' }
    await expect(generate(keys, { x: text('a'.repeat(3_000_000)) })).rejects.toThrow(EasError)
  })

  it('whose title has too many terms to pair is refused', async () => {
    const keys = { feature_type: 'overlap_feature', query: 'user:q', title: 'user:q', method: 'proximity_avg_dist' }
    await expect(generate(keys, { q: list(many(5_000, String)) })).rejects.toThrow(EasError)
  })

  it.each([Number.NaN, Infinity, -Infinity, 1e308, -0, 5e-324])('with the number %d is answered', async (value) => {
    for (const keys of [
      { feature_type: 'raw_feature', expression: 'user:x', normalizer: 'method=log10' },
      { feature_type: 'raw_feature', expression: 'user:x', boundaries: [0, 1] },
      { feature_type: 'raw_feature', expression: 'user:x', num_buckets: 10 },
      { feature_type: 'id_feature', expression: 'user:x', hash_bucket_size: 10 },
      { feature_type: 'expr_feature', variables: ['user:x'], expression: 'x-x' },
    ]) {
      const generated = await generate(keys, { x: { kind: 'double_feature', value } })
      expect(Array.from(generated.tensors().get('f.values')?.data as ArrayLike<number>, Number)).not.toContain(
        Number.NaN,
      )
    }
  })

  it('whose text is long and full of separators is answered', async () => {
    const keys = { feature_type: 'sequence_id_feature', expression: 'user:x', hash_bucket_size: 10, sequence_length: 5 }
    const generated = await generate(keys, { x: text(';'.repeat(1_000_000)) })
    expect(generated.tensors().get('f.lengths')?.data).toEqual(Int32Array.of(5))
    const all = await generate({ ...keys, sequence_length: 0 }, { x: text(';'.repeat(100_000)) })
    expect(all.tensors().get('f.lengths')?.data).toEqual(Int32Array.of(100_001))
  })

  it('with texts of digits without end is answered', async () => {
    for (const keys of [{ num_buckets: 10 }, { value_type: 'int64' }, { boundaries: [1] }]) {
      const generated = await generate(
        { feature_type: 'id_feature', expression: 'user:x', ...keys },
        { x: text('9'.repeat(1_000_000)) },
      )
      expect(generated.tensors().get('f.values')?.shape).toEqual([1])
    }
  })

  it('with halves of characters is hashed text by text', async () => {
    const keys = { feature_type: 'id_feature', expression: 'user:x', hash_bucket_size: 1000 }
    const both = await generate(keys, { x: list(['\ud83d', '\ude00']) })
    const alone = await generate(keys, { x: list(['\ud83d']) })
    const [first] = both.tensors().get('f.values')?.data ?? []
    expect([first]).toEqual([...(alone.tensors().get('f.values')?.data ?? [])])
  })
})
