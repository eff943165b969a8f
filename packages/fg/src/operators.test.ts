import type { PBFeature } from '@eas/protocol'
import { describe, expect, it } from 'vitest'
import { type CustomOperator, compileFg, FgConfigError, type FgOptions } from './index.ts'

type Raw = string | number | bigint | null | readonly string[] | ReadonlyMap<string, number>

function feature(value: Raw): PBFeature | undefined {
  if (value === null) return undefined
  if (typeof value === 'string') return { kind: 'string_feature', value }
  if (typeof value === 'number') return { kind: 'double_feature', value }
  if (typeof value === 'bigint') return { kind: 'long_feature', value }
  return value instanceof Map
    ? { kind: 'string_double_map', value }
    : { kind: 'string_list', value: value as readonly string[] } // all that is left
}

/** One feature of one row, as text. */
async function generate(
  keys: object,
  inputs: { readonly [name: string]: Raw },
  options: FgOptions = {},
): Promise<string> {
  const generator = await compileFg({ features: [{ feature_name: 'f', ...keys }] }, options)
  const columns = new Map(Object.entries(inputs))
  const generated = generator.generate({
    rows: 1,
    column: ({ name }) => ({ form: 'features', values: [feature(columns.get(name) ?? null)] }),
  })
  return generated.generateFeatures().join('\n')
}

type Case = readonly [object, { readonly [name: string]: Raw }, string]

const id = { feature_type: 'id_feature', expression: 'user:x', value_dim: 0 }
const raw = { feature_type: 'raw_feature', expression: 'user:x' }
const lookup = { feature_type: 'lookup_feature', map: 'user:m', key: 'user:k', hash: undefined }
const table = 'a:1\u001db:2\u001dc:5'
const match = { feature_type: 'match_feature', user: 'user:m', category: 'user:c', item: 'user:i' }
const nested = 'ca^ba:1,bb:2|cb^ba:3,bb:4|ALL^ba:20'
const overlap = { feature_type: 'overlap_feature', query: 'user:q', title: 'user:t', separator: ',' }
const title = 'high,quality,fiberglass,tube,for,golf,high,bag'

const cases: readonly Case[] = [
  // id_feature: the documentation's table of forms.
  [{ ...id, need_prefix: true }, { x: 100n }, 'f:f_100'],
  [{ ...id, need_prefix: true }, { x: 5.2 }, 'f:f_5.2'],
  [{ ...id, need_prefix: true }, { x: 'abc\u001dbcd' }, 'f:f_abc,f_bcd'],
  [id, { x: '123\u001d456' }, 'f:123,456'],
  [{ ...id, value_dim: 1 }, { x: '123\u001d456' }, 'f:123'],
  [{ ...id, value_dim: null, value_dimension: 2 }, { x: ['a', 'b', 'c'] }, 'f:a,b'],
  [{ ...id, value_type: 'Integer' }, { x: '9007199254740993' }, 'f:9007199254740993'],
  [
    { ...id, value_type: 'int64' },
    { x: '-3\u001d-9007199254740993\u001d9223372036854775807\u001d9223372036854775808\u001dz' },
    'f:-3,-9007199254740993,9223372036854775807,0,0',
  ],
  [{ ...id, num_buckets: 10 }, { x: '3\u001d10\u001d-1\u001dz\u001d9' }, 'f:3,0,0,0,9'],
  [{ ...id, num_buckets: '9223372036854775807' }, { x: 9223372036854775806n }, 'f:9223372036854775806'],
  [{ ...id, boundaries: [1, 2] }, { x: '1\u001d0.5\u001d2' }, 'f:1,0,2'],
  [{ ...id, weighted: true, num_buckets: 9 }, { x: '1:0.5\u001d2' }, 'f:1:0.5,2:1.0'],
  [{ ...id, default_value: 'z\u001dy' }, { x: '' }, 'f:z,y'],
  [id, { x: 'a\u001d\u001db' }, 'f:a,b'],
  [{ ...id, expression: 'const:1' }, {}, 'f:1'],
  [{ ...id, hash_bucket_size: 100 }, { x: ['ü', '日本'] }, 'f:74,73'],
  // raw_feature
  [raw, { x: '2.5\u001d3' }, 'f:2.5'],
  [{ ...raw, value_dim: 2, default_value: '7' }, { x: '1' }, 'f:7.0,7.0'],
  [{ ...raw, value_dim: 2 }, { x: '1\u001d2\u001d3' }, 'f:1.0,2.0'],
  [raw, { x: 'abc' }, 'f:0.0'],
  [raw, { x: Number.NaN }, 'f:0.0'],
  [{ ...raw, default_value: '' }, { x: '' }, 'f:0.0'],
  [{ ...raw, default_value: '3\u001d4' }, { x: '' }, 'f:3.0'],
  [{ ...raw, normalizer: 'method=expression,expr=min(x,2)' }, { x: 5 }, 'f:2.0'],
  [{ ...raw, normalizer: 'method=minmax,min=0,max=4', default_value: '9' }, { x: null }, 'f:9.0'],
  [{ ...raw, bucketize_boundaries: [0, 5, 10] }, { x: 0 }, 'f:1'],
  [{ ...raw, boundaries: [0.05, 0.1, 0.15] }, { x: 0.1 }, 'f:2'],
  [raw, { x: 1e-5 }, 'f:1e-05'],
  // combo_feature
  [
    { feature_type: 'combo_feature', expression: ['user:a', 'user:b', 'user:c'] },
    { a: 'x\u001dy', b: '1', c: ['p', 'q'] },
    'f:x_1_p,x_1_q,y_1_p,y_1_q',
  ],
  [
    { feature_type: 'combo_feature', expression: ['user:a', 'user:b'], value_dim: 3 },
    { a: 'x\u001dy', b: ['1', '2'] },
    'f:x_1,x_2,y_1',
  ],
  [{ feature_type: 'combo_feature', expression: ['user:a', 'const:k'], need_prefix: true }, { a: 'x' }, 'f:f_x_k'],
  // lookup_feature
  [{ ...lookup, combiner: 'mean' }, { m: table, k: ['a', 'b', 'zz'] }, 'f:1.5'],
  [{ ...lookup, combiner: 'min' }, { m: table, k: ['b', 'c'] }, 'f:2.0'],
  [{ ...lookup, combiner: 'max' }, { m: table, k: ['b', 'c'] }, 'f:5.0'],
  [{ ...lookup, combiner: 'count' }, { m: table, k: ['b', 'c', 'd'] }, 'f:2.0'],
  [{ ...lookup, combiner: 'avg' }, { m: new Map([['b', 2.5]]), k: 'b' }, 'f:2.5'],
  [{ ...lookup, separator: ',' }, { m: table, k: 'a,b' }, 'f:3.0'],
  [{ ...lookup, needDiscrete: true, needKey: true }, { m: table, k: 'b' }, 'f:b_2'],
  [{ ...lookup, need_discrete: true, need_key: true, need_prefix: true }, { m: table, k: 'b' }, 'f:f_b_2'],
  [{ ...lookup, needDiscrete: true }, { m: 'a:1:2', k: 'a' }, 'f:1:2'],
  [{ ...lookup, needWeighting: true }, { m: table, k: ['c', 'a'] }, 'f:a:1.0,c:5.0'],
  [{ ...lookup, vocab_list: ['1', '2'], default_bucketize_value: 7 }, { m: table, k: ['a', 'b', 'c'] }, 'f:0,1,7'],
  [{ ...lookup, normalizer: 'method=zscore,mean=1,standard_deviation=1' }, { m: table, k: ['b', 'c'] }, 'f:5.0'],
  [{ ...lookup, need_weighting: true, num_buckets: 10 }, { m: '7:0.5\u001d8:2', k: ['7', '9'] }, 'f:7:0.5'],
  // match_feature
  [{ ...match }, { m: nested, c: 'cb', i: 'bb' }, 'f:4.0'],
  [{ ...match, needDiscrete: true }, { m: nested, c: 'ca', i: 'bb' }, 'f:2'],
  [
    { ...match, needDiscrete: true, show_category: true, show_item: true },
    { m: nested, c: 'ca', i: 'bb' },
    'f:ca_bb_2',
  ],
  [{ ...match, category: 'ALL' }, { m: nested, i: 'ba' }, 'f:20.0'],
  [{ ...match, category: 'ALL', matchType: 'multihit' }, { m: nested, i: 'bb' }, 'f:6.0'],
  [{ ...match, item: 'ALL', matchType: 'multihit', combiner: 'max' }, { m: nested, c: 'cb' }, 'f:4.0'],
  [{ ...match, default_value: '9' }, { m: nested, c: 'cb', i: 'zz' }, 'f:9.0'],
  [
    { feature_type: 'match_feature', nested_map: 'user:m', pkey: 'user:c', skey: 'user:i' },
    { m: 'a^x:1|a^y:2', c: 'a', i: 'y' },
    'f:2.0',
  ],
  [
    { ...match, match_type: 'hit', show_pkey: true, show_skey: true, vocab_dict: { ca_bb_2: 5 } },
    { m: nested, c: 'ca', i: 'bb' },
    'f:5',
  ],
  [{ ...match, default_value: 'z', hash_bucket_size: 100 }, { m: nested, c: '', i: 'bb' }, 'f:54'],
  // expr_feature
  [
    { feature_type: 'expr_feature', variables: ['user:a', 'user:b'], expression: 'a == b ? 1 : 0' },
    { a: 3, b: '3' },
    'f:1.0',
  ],
  [
    { feature_type: 'expr_feature', variables: ['user:a'], expression: 'log(a)', default_value: '5' },
    { a: -1 },
    'f:5.0',
  ],
  [
    { feature_type: 'expr_feature', variables: ['user:a', 'user:b'], expression: 'a+b', fill_missing: 2 },
    { a: 1 },
    'f:3.0',
  ],
  [
    { feature_type: 'expr_feature', variables: ['user:a', 'user:b'], expression: 'a*b', value_dim: 2 },
    { a: '1\u001d2', b: 3 },
    'f:3.0,6.0',
  ],
  [
    { feature_type: 'expr_feature', variables: ['user:a'], expression: 'a*2', boundaries: [3] },
    { a: '1\u001d2' },
    'f:0,1',
  ],
  // overlap_feature: the older documentation's example, and windows counted by hand.
  [{ ...overlap, method: 'query_common_ratio' }, { q: 'high,high2,fiberglass,abc', t: title }, 'f:0.5'],
  [{ ...overlap, method: 'title_common_ratio' }, { q: 'high,high2,fiberglass,abc', t: title }, 'f:0.375'],
  [{ ...overlap, method: 'is_contain' }, { q: 'tube,for', t: title }, 'f:1.0'],
  [{ ...overlap, method: 'is_contain' }, { q: 'for,tube', t: title }, 'f:0.0'],
  [{ ...overlap, method: 'is_equal' }, { q: 'a,b', t: 'a,b' }, 'f:1.0'],
  [{ ...overlap, method: 'index_of' }, { q: 'a,a,b', t: 'a,a,a,b' }, 'f:1.0'],
  [{ ...overlap, method: 'index_of' }, { q: 'zz', t: title }, 'f:-1.0'],
  [{ ...overlap, method: 'proximity_min_cover' }, { q: 'bag,high', t: title }, 'f:2.0'],
  [{ ...overlap, method: 'proximity_min_cover' }, { q: 'bag,zz', t: title }, 'f:0.0'],
  [{ ...overlap, method: 'proximity_min_dist' }, { q: 'high,tube,golf', t: title }, 'f:1.0'],
  [{ ...overlap, method: 'proximity_max_dist' }, { q: 'high,tube,golf', t: title }, 'f:3.0'],
  [{ ...overlap, method: 'proximity_avg_dist' }, { q: 'high,tube,golf', t: title }, 'f:2.0'],
  [{ ...overlap, method: 'proximity_avg_dist' }, { q: 'zz', t: title }, 'f:9.0'],
  [{ ...overlap, method: 'proximity_avg_dist' }, { q: 'bag', t: title }, 'f:0.0'],
  // kv_dot_product: the documentation's table.
  [
    { feature_type: 'kv_dot_product', query: 'user:q', document: 'user:d', separator: '|' },
    { q: 'a:0.5|b:0.5', d: 'd:0.5|b:0.5' },
    'f:0.25',
  ],
  [
    { feature_type: 'kv_dot_product', query: 'user:q', document: 'user:d', separator: '|' },
    { q: ['a', 'b', 'c'], d: 'a|b|d' },
    'f:2.0',
  ],
  [
    { feature_type: 'kv_dot_product', query: 'user:q', document: 'user:d' },
    {
      q: ['a', 'b', 'c'],
      d: new Map([
        ['a', 0.5],
        ['b', 0.5],
      ]),
    },
    'f:1.0',
  ],
  [
    { feature_type: 'kv_dot_product', query: 'user:q', document: 'user:d', kv_delimiter: '=' },
    { q: ['a=2'], d: ['a=3'] },
    'f:6.0',
  ],
  // bool_mask_feature: the documentation's table.
  [
    { feature_type: 'bool_mask_feature', expression: ['user:a', 'user:b'], separator: ',' },
    { a: '123,456,90,80', b: 'true,false,true,false' },
    'f:123,90',
  ],
  [
    { feature_type: 'bool_mask_feature', expression: ['user:a', 'user:b'], separator: ',' },
    { a: ['1', '2', '3'], b: ['1', '0'] },
    'f:1',
  ],
  [
    { feature_type: 'bool_mask_feature', expression: ['user:a', 'user:b'], default_value: 'd' },
    { a: 'x', b: 'false' },
    'f:d',
  ],
  // combine_feature
  [
    { feature_type: 'combine_feature', expression: 'user:x', value_map: { a: 1, b: 2.5 } },
    { x: ['a', 'b', 'zz'] },
    'f:3.5',
  ],
  [
    { feature_type: 'combine_feature', expression: 'user:x', value_map: { a: 1 }, default_value: '4' },
    { x: 'zz' },
    'f:4.0',
  ],
  [
    { feature_type: 'combine_feature', expression: 'user:x', combiner: 'max', num_buckets: 10 },
    { x: '1.9\u001d0' },
    'f:1',
  ],
  [
    { feature_type: 'combine_feature', expression: 'user:x', normalizer: 'method=zscore,mean=1,standard_deviation=2' },
    { x: '4\u001d5' },
    'f:4.0',
  ],
  // regex_replace_feature
  [
    { feature_type: 'regex_replace_feature', expression: 'user:x', regex_pattern: '[0-9]+', replacement: '#' },
    { x: 'a12b3' },
    'f:a#b#',
  ],
  [
    {
      feature_type: 'regex_replace_feature',
      expression: 'user:x',
      regex_pattern: '[0-9]+',
      replacement: '#',
      replace_all: false,
    },
    { x: 'a12b3' },
    'f:a#b3',
  ],
  [
    {
      feature_type: 'regex_replace_feature',
      expression: 'user:x',
      regex_pattern: '(A)(b)',
      replacement: '\\2\\1',
      icase: true,
    },
    { x: 'xaB' },
    'f:xBa',
  ],
  [
    { feature_type: 'regex_replace_feature', expression: 'user:x', regex_pattern: 'd', default_value: 'd' },
    { x: '' },
    'f:d',
  ],
  [
    { feature_type: 'regex_replace_feature', expression: 'user:x', regex_pattern: '[!?]+', default_value: 'none' },
    { x: '?!' },
    'f:none', // nothing is left: no value
  ],
  [
    {
      feature_type: 'regex_replace_feature',
      expression: 'user:x',
      regex_pattern: '[!?]+',
      is_sequence: true,
      need_prefix: true,
    },
    { x: 'a!;?;!\u001db' },
    'f:f_a;0;f_b',
  ],
  [
    {
      feature_type: 'regex_replace_feature',
      expression: 'user:x',
      regex_pattern: 'a',
      replacement: 'b',
      is_sequence: true,
    },
    { x: 'a;ca;' },
    'f:b;cb;0',
  ],
  // text_normalizer
  [{ feature_type: 'text_normalizer', expression: 'user:x', parameter: 4 }, { x: 'ABC Efg' }, 'f:abc efg'],
  [{ feature_type: 'text_normalizer', expression: 'user:x', parameter: 2, remove_space: true }, { x: 'a b' }, 'f:AB'],
  [{ feature_type: 'text_normalizer', expression: 'user:x', parameter: 4, max_length: 3 }, { x: 'ABCD' }, 'f:ABCD'],
  [{ feature_type: 'text_normalizer', expression: 'user:x', parameter: 8 + 16 }, { x: 'Ａ繁體' }, 'f:A繁体'],
  [{ feature_type: 'text_normalizer', expression: 'user:x', parameter: 512 }, { x: 'a你好' }, 'f:a 你 好'],
  [
    { feature_type: 'text_normalizer', expression: 'user:x', parameter: 32, default_value: 'none' },
    { x: '，！' },
    'f:none',
  ],
  // keys that say nothing
  [{ ...id, vocab_list: [], vocab_dict: {}, boundaries: [], hash_bucket_size: 10 }, { x: '3' }, 'f:3'],
  // custom_feature
  [
    {
      feature_type: 'custom_feature',
      operator_name: 'EditDistance',
      expression: ['user:a', 'user:b'],
      encoding: 'utf-8',
    },
    { a: '裙子', b: '连衣裙' },
    'f:3.0',
  ],
  [
    { feature_type: 'custom_feature', operator_name: 'EditDistance', expression: ['user:a', 'user:b'] },
    { a: 'kitten', b: 'sitting' },
    'f:3.0',
  ],
  [
    {
      feature_type: 'custom_feature',
      operator_name: 'RegexReplace',
      expression: ['user:a'],
      regex_patten: 'k',
      replacement: 'K',
    },
    { a: 'kk' },
    'f:KK',
  ],
  [
    {
      feature_type: 'custom_feature',
      operator_name: 'SeqExpr',
      expression: ['user:now', 'item:ts'],
      formula: 'now-ts',
      is_sequence: true,
    },
    { now: 10, ts: '2;3;;4' },
    'f:8.0;7.0;0.0;6.0',
  ],
  // sequences
  ...[
    { sequence_delim: '|', sequence_length: 3 },
    { sequence_delim: '|' },
    { is_sequence: true, sequence_delim: '|' },
  ].map(
    // What TorchEasyRec writes for `sequence_bool_mask_feature` is the first of these.
    (keys): Case => [
      {
        feature_type: 'bool_mask_feature',
        expression: ['user:x', 'user:m'],
        hash_bucket_size: 10,
        value_dim: 0,
        ...keys,
      },
      { x: '1\u001d3|5|1', m: 'true\u001dtrue|0|1' },
      'f:5,3|6|5',
    ],
  ),
  [
    { feature_type: 'bool_mask_feature', expression: ['user:x', 'user:m'], sequence_delim: ';', is_sequence: false },
    { x: 'a\u001db', m: '0\u001d1' },
    'f:b',
  ],
  [{ ...id, feature_type: 'sequence_id_feature', sequence_length: 2, sequence_delim: '|' }, { x: 'a|b|c' }, 'f:a|b'],
  [
    { ...id, feature_type: 'sequence_id_feature', value_dim: undefined, default_value: 'z' },
    { x: 'a\u001db;;c' },
    'f:a;z;c',
  ],
  [{ ...raw, feature_type: 'sequence_raw_feature', sequence_length: '2' }, { x: ['1', '2', '3'] }, 'f:1.0;2.0'],
  [
    { feature_type: 'sequence_lookup_feature', map: 'user:m', key: 'user:k' },
    { m: table, k: 'a;zz;c' },
    'f:1.0;0.0;5.0',
  ],
  [{ feature_type: 'sequence_combo_feature', expression: ['user:u', 'item:i'] }, { u: 'x', i: 'a;b' }, 'f:x_a;x_b'],
  [
    { feature_type: 'sequence_expr_feature', variables: ['user:u', 'item:i'], expression: 'u-i' },
    { u: 9, i: '1;2' },
    'f:8.0;7.0',
  ],
  [
    { feature_type: 'sequence_kv_dot_product', query: 'user:q', document: 'item:d', separator: '|' },
    { q: 'a:2', d: 'a:3;b;a' },
    'f:6.0;0.0;2.0',
  ],
  [
    { ...overlap, feature_type: 'sequence_overlap_feature', title: 'item:t', method: 'is_equal' },
    { q: 'a', t: 'a;b' },
    'f:1.0;0.0',
  ],
]

// Which inputs are sequences, when the document says it.
const fields: readonly Case[] = [
  [
    { feature_type: 'sequence_combo_feature', expression: ['user:u', 'item:i'], sequence_fields: ['u'] },
    { u: 'a;b', i: 'x;y' },
    'f:a_x;y;b_x;y',
  ],
  [
    { feature_type: 'sequence_lookup_feature', map: 'user:m', key: 'user:k', sequence_fields: ['k'] },
    { m: table, k: 'a;b' },
    'f:1.0;2.0',
  ],
]

const nameOf = ([keys, inputs, expected]: Case): string =>
  `${JSON.stringify({ ...keys, ...inputs }, (_, value) => (typeof value === 'bigint' ? String(value) : value))} is ${expected}`

describe('a feature', () => {
  it.each([...cases, ...fields].map((row) => [nameOf(row), ...row] as const))(
    '%s',
    async (_name, keys, inputs, expected) => {
      expect(await generate(keys, inputs)).toBe(expected)
    },
  )
})

describe('an operator of the caller', () => {
  const initials: CustomOperator = {
    output: 'texts',
    compile({ upper }) {
      if (typeof upper !== 'boolean') throw new Error('upper is missing')
      return ([words = []]) => words.map((word) => (upper ? word.charAt(0).toUpperCase() : word.charAt(0)))
    },
  }
  const keys = { feature_type: 'custom_feature', operator_name: 'Initials', expression: ['user:x'], value_dim: 0 }
  const operators = new Map([['Initials', initials]])

  it('sees the values of each input and its own keys', async () => {
    expect(await generate({ ...keys, upper: true }, { x: 'ab\u001dcd' }, { operators })).toBe('f:A,C')
  })

  it('says what is wrong with its keys', async () => {
    await expect(generate(keys, {}, { operators })).rejects.toThrow('features[0] "f": upper is missing')
  })
})

describe('a document', () => {
  const problemsOf = async (document: unknown): Promise<readonly string[]> => {
    try {
      await compileFg(document)
    } catch (thrown) {
      if (thrown instanceof FgConfigError) return thrown.problems
      throw thrown
    }
    return []
  }

  it('is told everything that is wrong with it at once', async () => {
    const document = {
      features: [
        { feature_name: 'a', ...id, hash_bucket_size: 'many', value_dim: -1, weighted: 'perhaps' },
        { feature_name: 'b', ...id, expression: 'shop:x' },
        { feature_name: 'b', ...id },
        { feature_type: 'bm25_feature', feature_name: 'c' },
        { feature_type: 'magic_feature', feature_name: 'd' },
        { feature_name: 'e', ...raw, normalizer: 'method=cube' },
        { feature_name: 'g', ...id, hash_bucket_size: 5, num_buckets: 5 },
        { feature_name: 'h', feature_type: 'expr_feature', variables: ['user:a'], expression: 'a+' },
        { feature_name: 'i', ...lookup, combiner: 'gap_min' },
        { feature_name: 'j', ...id, vocab_file: 'words.txt' },
        { feature_name: 'k', ...id, expression: 'feature:nobody' },
        { feature_name: 'l', feature_type: 'overlap_feature', query: 'user:q', title: 'user:t', method: 'common_word' },
        'not a feature',
        { feature_type: 'id_feature' },
        { sequence_name: 's', features: [{ feature_name: 'm', ...id, boundaries: [2, 1] }] },
        { feature_name: 'n', ...id, vocab_dict: { ok: 0, bad: -1 }, expression: 'shop:x' },
        { feature_name: 'o', ...id, vocab_list: ['ok', null] },
        { feature_name: 'p', feature_type: 'combo_feature', expression: ['user:a', 'item:b'], num_buckets: 9 },
      ],
    }
    const problems = await problemsOf(document)
    for (const part of [
      'features[0] "a": hash_bucket_size is "many", expected integer from 1 to 2^63 - 1',
      'features[0] "a": value_dim is -1, expected integer from 0 to 65536',
      'features[0] "a": weighted is "perhaps", expected true or false',
      'features[1] "b": input "shop:x" is not <side>:<name> with a side of user, item, context, feature, const',
      'features[2] "b": feature_name is taken by features[1] "b"',
      'features[3] "c": feature_type "bm25_feature" is not supported',
      'features[4] "d": feature_type "magic_feature" is not an operator',
      'features[5] "e": normalizer is "method=cube": method is "cube", expected log10, zscore, minmax, expression',
      'features[6] "g": hash_bucket_size and num_buckets exclude each other',
      'features[8] "i": combiner is "gap_min", expected sum, mean, avg, min, max, count, `""`',
      'features[9] "j": vocab_file "words.txt": there is no place to read it from',
      'features[10] "k": input "feature:nobody" names no feature',
      'features[12] is a string, expected an object',
      'features[13] has no feature_name',
      'features[14].features[0] "s__m": boundaries[1] is 1 after 2, expected ascending numbers',
      'features[15] "n": vocab_dict["bad"] is -1, expected object of integers from 0 up',
      'features[15] "n": input "shop:x" is not <side>:<name> with a side of user, item, context, feature, const',
      'features[16] "o": vocab_list[1] is null, expected list of texts',
      'features[17] "p": num_buckets is of integers, and combinations are texts',
    ]) {
      expect(problems).toContain(part)
    }
    expect(problems.find((problem) => problem.startsWith('features[7] "h": expression: '))).toBeDefined()
    expect(problems.find((problem) => problem.startsWith('features[11] "l": method is "common_word"'))).toBeDefined()
    expect(problems).toHaveLength(21)
  })

  it('may have keys that nobody knows, and old ones', async () => {
    const document = {
      separator: '\u0002',
      model_dir: 'x',
      reserves: ['clk'],
      features: [
        { feature_name: 'a', ...id, group: 'g', embedding_dim: 8, shared_name: 's', __proto__: 1, is_multi: true },
      ],
    }
    expect((await compileFg(document)).reserves).toEqual(['clk'])
  })

  it('names the features of a circle', async () => {
    const circle = ['a', 'b', 'c'].map((name, i, all) => ({
      ...id,
      feature_name: name,
      expression: `feature:${all[(i + 1) % 3]}`,
    }))
    expect(await problemsOf({ features: circle })).toEqual(['features read each other in a circle: a, b, c'])
  })

  it.each([
    ['', 'not valid JSON: Unexpected end of JSON input'],
    ['{"features": [', 'not valid JSON: Unexpected end of JSON input'],
    ['{"features": [],\n "big": 12345678901234567890, "reserves" 3}', 'not valid JSON: line 2, column 42'],
    ['[]', 'the document is a list, expected an object'],
    ['{}', 'features is missing, expected a list'],
    ['['.repeat(100_000), 'nested deeper than 64 levels'],
  ])('%j is refused: %s', async (document, problem) => {
    expect(await problemsOf(document)).toEqual([problem])
  })

  it('keeps 2^63 - 1 buckets exact, from text, from JSON.parse and as JSON.stringify writes it', async () => {
    const text = `{"features": [{"feature_type": "id_feature", "feature_name": "f", "expression": "user:x",
      "hash_bucket_size": 9223372036854775807}]}`
    for (const document of [text, new TextEncoder().encode(text), JSON.parse(text), JSON.stringify(JSON.parse(text))]) {
      const generator = await compileFg(document)
      const generated = generator.generate({ rows: 1, column: () => ({ form: 'texts', texts: ['aho'] }) })
      // std::hash of libstdc++ modulo 2^63 - 1, from `hash-vectors.json`.
      expect(generated.tensors().get('f.values')?.data).toEqual(BigInt64Array.of(8217880203502335071n))
    }
  })

  it('takes what Python writes for numbers that JSON has not', async () => {
    const text = `{"features": [
      {"feature_type": "raw_feature", "feature_name": "NaN, Infinity", "expression": "user:x", "boundaries": [-Infinity, 0.5, Infinity]},
      {"feature_type": "expr_feature", "feature_name": "f", "expression": "isnan(x) ? -1 : x", "variables": ["item:x"], "fill_missing":NaN}
    ]}`
    const generated = (await compileFg(text)).generate({
      rows: 1,
      column: ({ side }) => ({ form: 'texts', texts: [side === 'user' ? '0.7' : ''] }),
    })
    expect(generated.generateFeatures()).toEqual(['NaN, Infinity:2 | f:-1.0'])
    const [problem] = await problemsOf(text.replace('-Infinity', 'NaN'))
    expect(problem).toContain('boundaries[0] is "NaN", expected ascending numbers')
  })
})
