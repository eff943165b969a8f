import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tensor } from '@eas/base'
import { fgRequest } from '@eas/fg'
import type { PBFeature } from '@eas/protocol'
import { afterAll, describe, expect, it } from 'vitest'
import type { ModelValue } from '../model-io.ts'
import type { FgLibrary } from './fg-document.ts'
import { openEasyrec, takesFields } from './open.ts'

const folder = mkdtempSync(join(tmpdir(), 'eas-easyrec-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Case {
  readonly features: readonly object[]
  /** pipeline.config; none when it is absent. */
  readonly config?: string
  readonly inputs?: readonly ModelValue[]
  readonly library?: FgLibrary
}

/** An export with these features, and an input of a text for each of them unless the case says otherwise. */
function open({ features, config, inputs, library = 'rtp' }: Case) {
  const path = mkdtempSync(join(folder, 'model-'))
  mkdirSync(join(path, 'assets'))
  writeFileSync(join(path, 'saved_model.pb'), '')
  writeFileSync(join(path, 'assets/fg.json'), JSON.stringify({ features }))
  if (config !== undefined) writeFileSync(join(path, 'assets/pipeline.config'), config)
  const names = features.map((feature) => String((feature as { feature_name?: string }).feature_name)) // as cases write it
  return openEasyrec(path, { inputs: inputs ?? names.map((name) => textInput(name)), outputs: [] }, library, {})
}

const textInput = (name: string): ModelValue => ({ name, dtype: 'string', shape: [''] })
const text = (value: string): PBFeature => ({ kind: 'string_feature', value })

type Row = Readonly<Record<string, string | readonly string[]>>

/** The model's inputs for a user and items: a field of one text is the user's, one of several the items'. */
async function inputsOf(one: Case, row: Row) {
  const { generator, texts } = await open(one)
  const entries = Object.entries(row)
  const [, first = []] = entries.find(([, value]) => typeof value !== 'string') ?? []
  const item_ids = Array.from(first, (_, i) => `i${i}`)
  const request = fgRequest({
    user_features: new Map(
      entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, text(value)]] : [])),
    ),
    item_ids,
    context_features: new Map(),
    item_features: new Map(
      entries.flatMap(([name, value]) => (typeof value === 'string' ? [] : [[name, value.map(text)]])),
    ),
  })
  return new Map([...texts.tensors(generator.generate(request))].map(([name, tensor]) => [name, plain(tensor)]))
}

const decoder = new TextDecoder()
const plain = ({ dtype, data }: Tensor): readonly unknown[] =>
  dtype === 'string' ? data.map((bytes) => decoder.decode(bytes)) : Array.from<number | bigint>(data as never) // of numbers

const id = (feature_name: string, expression: string, more = {}) => ({
  ...{ feature_type: 'id_feature', feature_name, expression },
  ...more,
})
const feature = (fields: string) => `feature_config { features { ${fields} embedding_dim: 4 } }\n`
const field = (fields: string) => `data_config { input_fields { ${fields} } }\n`
const hashed = (name: string) => feature(`input_names: "${name}" hash_bucket_size: 10 separator: "\\003"`)

describe('texts of the older generator', () => {
  // IdFeature.md, ComboFeature.md, LookupFeature.md, MatchFeature.md of alibaba/EasyRec, docs/source/feature/fg_docs.
  const brands = '50011740^107287172:0.2,36806676:0.3,122572685:0.5|50006842^16788816:0.1,10122:0.2,29889:0.3,30068:19'
  it.each<[string, object, Row, string]>([
    ['id_feature', id('item_is_main', 'item:is_main'), { is_main: ['100'] }, 'item_is_main_100'],
    ['id_feature', id('item_is_main', 'item:is_main'), { is_main: ['abc'] }, 'item_is_main_abc'],
    [
      'id_feature of several values',
      id('item_is_main', 'item:is_main'),
      { is_main: ['abc\u001dbcd'] },
      'item_is_main_abc\u0003item_is_main_bcd',
    ],
    [
      'id_feature of a numeric type',
      id('item_is_main', 'item:is_main', { value_type: 'Integer', num_buckets: 5 }),
      { is_main: ['123\u001d456'] },
      'item_is_main_123\u0003item_is_main_456',
    ],
    ['need_prefix false', id('item_is_main', 'item:is_main', { need_prefix: false }), { is_main: ['abc'] }, 'abc'],
    [
      'combo_feature',
      {
        feature_type: 'combo_feature',
        feature_name: 'comb_u_age_item',
        expression: ['user:age_class', 'item:item_id'],
      },
      { age_class: 'abc\u001dbcd', item_id: ['12345\u001d45678'] },
      [
        ...['comb_u_age_item_abc_12345', 'comb_u_age_item_abc_45678'],
        ...['comb_u_age_item_bcd_12345', 'comb_u_age_item_bcd_45678'],
      ].join('\u0003'),
    ],
    [
      'lookup_feature',
      {
        ...{ feature_type: 'lookup_feature', feature_name: 'item_match_item', needDiscrete: true },
        ...{ map: 'item:item_attr', key: 'item:item_value' },
      },
      { item_attr: ['k1:v1\u001dk2:v2\u001dk3:v3'], item_value: ['k2'] },
      'item_match_item_k2_v2',
    ],
    [
      'lookup_feature with needWeighting',
      { feature_type: 'lookup_feature', feature_name: 'fg', needWeighting: true, map: 'user:map', key: 'item:key' },
      { map: 'k1:123\u001dk2:234\u001dk3:3', key: ['k1'] },
      'fg_k1\u0005123',
    ],
    [
      'lookup_feature with needDiscrete false',
      { feature_type: 'lookup_feature', feature_name: 'fg', needDiscrete: false, map: 'user:map', key: 'item:key' },
      { map: 'k1:123\u001dk2:234\u001dk3:3', key: ['k1'] },
      '123',
    ],
    [
      'match_feature',
      {
        ...{ feature_type: 'match_feature', feature_name: 'brand_hit', needDiscrete: true, matchType: 'hit' },
        ...{ user: 'user:tags', category: 'item:category', item: 'item:brand_id' },
      },
      { tags: brands, category: ['50006842'], brand_id: ['30068'] },
      'brand_hit_50006842_30068_19',
    ],
    [
      'match_feature of one level',
      {
        ...{ feature_type: 'match_feature', feature_name: 'brand_hit', needDiscrete: true, matchType: 'hit' },
        ...{ user: 'user:tags', category: 'ALL', item: 'item:brand_id' },
      },
      { tags: 'ALL^16788816:40,10122:40,29889:20,30068:20', brand_id: ['30068'] },
      'brand_hit_ALL_30068_20',
    ],
  ])('%s is as its documentation shows', async (_, feature, row, expected) => {
    expect([...(await inputsOf({ features: [feature] }, row)).values()]).toEqual([[expected]])
  })
})

describe('an input of the model', () => {
  it('is made once of the user and repeated for the items', async () => {
    const features = [id('u', 'user:u'), id('i', 'item:i')]
    const inputs = await inputsOf({ features }, { u: 'x', i: ['1', '', '3'] })
    expect(inputs).toEqual(new Map([['u', ['u_x', 'u_x', 'u_x']], ['i', ['i_1', '', 'i_3']]])) // biome-ignore format: a table
  })

  it('is not bucketized where the graph does it, and has no prefix where the graph reads numbers', async () => {
    const features = [
      id('a', 'item:a', { hash_bucket_size: 10 }),
      id('b', 'item:b', { num_buckets: 9 }),
      { feature_type: 'raw_feature', feature_name: 'c', expression: 'item:c', bucketize_boundaries: '10,20,30' },
      { feature_type: 'raw_feature', feature_name: 'd', expression: 'item:d', boundaries: [10, 20] },
    ]
    const config = [
      hashed('a'),
      feature('input_names: "b" num_buckets: 9'),
      feature('input_names: "c" num_buckets: 4'),
      feature('input_names: "d" feature_type: RawFeature boundaries: [10, 20]'),
    ].join('')
    const row = { a: ['x'], b: ['7'], c: ['20'], d: ['12.5'] }
    expect(await inputsOf({ features, config }, row)).toEqual(
      new Map([['a', ['a_x']], ['b', ['7']], ['c', ['2']], ['d', ['12.5']]]), // biome-ignore format: a table
    )
    // The newer generator bucketizes by itself, unless the graph does.
    const fg = await inputsOf(
      {
        features,
        config: hashed('a') + feature('input_names: "b"') + feature('input_names: "d"') + feature('input_names: "c"'),
        library: 'fg',
      },
      row,
    )
    expect(fg.get('a')).toEqual(['x'])
    expect(fg.get('d')).toEqual(['1'])
  })

  it('has the separators of the feature that reads it', async () => {
    const features = [
      id('tags', 'item:tags', { need_prefix: false }),
      id('weights', 'item:weights', { need_prefix: false, weighted: true }),
      { feature_type: 'raw_feature', feature_name: 'vector', expression: 'item:vector', value_dimension: 2 },
      {
        feature_type: 'sequence_id_feature',
        feature_name: 'steps',
        expression: 'user:steps',
        value_dim: 0,
        need_prefix: false,
      },
    ]
    const config = [
      feature('input_names: "tags" feature_type: TagFeature hash_bucket_size: 9'),
      feature(
        'input_names: "weights" feature_type: TagFeature hash_bucket_size: 9 separator: "," kv_separator: "\\005"',
      ),
      feature('input_names: "vector" feature_type: RawFeature raw_input_dim: 2 separator: "#"'),
      feature(
        'input_names: "steps" feature_type: SequenceFeature hash_bucket_size: 9 separator: ";" seq_multi_sep: "+"',
      ),
    ].join('')
    const row = { tags: ['a\u001db'], weights: ['a:2\u001db:0.1'], vector: ['1.5\u001d2'], steps: 'a\u001db;c' }
    expect(await inputsOf({ features, config }, row)).toEqual(
      new Map([
        ['tags', ['a|b']],
        ['weights', ['a\u00052,b\u00050.1']],
        ['vector', ['1.5#2']],
        ['steps', ['a+b;c']],
      ]),
    )
  })

  it('is of the type of its field, and has its default_val where there is nothing', async () => {
    const features = ['int', 'long', 'float', 'double', 'text'].map((name) => id(name, `item:${name}`))
    const types = { int: 'int32', long: 'int64', float: 'float32', double: 'float64', text: 'string' } as const
    const inputs = Object.entries(types).map(([name, dtype]) => ({ name, dtype, shape: [''] }))
    const config = [
      field('input_name: "int" input_type: INT32'),
      field('input_name: "long" input_type: INT64 default_val: "-7"'),
      field('input_name: "float" input_type: FLOAT default_val: "0.5"'),
      field('input_name: "double" input_type: DOUBLE'),
      field('input_name: "text" default_val: "none"'),
      ...Object.keys(types).map((name) => feature(`input_names: "${name}" num_buckets: 9`)),
    ].join('')
    const row = {
      int: ['3.9', ''],
      long: ['9007199254740993', ''],
      float: ['0.25', ''],
      double: ['1e3', ''],
      text: ['x', ''],
    }
    expect(await inputsOf({ features, config, inputs }, row)).toEqual(
      new Map<string, unknown[]>([
        ['int', [3, 0]],
        ['long', [9007199254740993n, -7n]],
        ['float', [0.25, 0.5]],
        ['double', [1000, 0]],
        ['text', ['x', 'none']],
      ]),
    )
    await expect(inputsOf({ features, config, inputs }, { ...row, int: ['x', ''] })).rejects.toThrow(
      'Cannot use int: "x" is no number',
    )
    await expect(inputsOf({ features, config, inputs }, { ...row, int: ['2147483648', ''] })).rejects.toThrow(
      'Cannot use int: 2147483648 is outside of int32',
    )
  })

  it('of several values is filled up with what lookups skip', async () => {
    const features = [id('a', 'item:a', { need_prefix: false }), id('b', 'item:b'), id('c', 'user:c')]
    const inputs = [
      { name: 'a', dtype: 'string', shape: ['', ''] },
      { name: 'b', dtype: 'int64', shape: ['', ''] },
      { name: 'c', dtype: 'int64', shape: ['', ''] },
    ] as const
    const config = hashed('a') + feature('input_names: "b" num_buckets: 9') + feature('input_names: "c" num_buckets: 9')
    const row = { a: ['x\u001dy', '', 'z'], b: ['1', '2\u001d3', ''], c: '4' }
    expect(await inputsOf({ features, config, inputs }, row)).toEqual(
      new Map<string, unknown[]>([
        ['a', ['x', 'y', '', '', 'z', '']],
        ['b', [1n, -1n, 2n, 3n, -1n, -1n]],
        ['c', [4n, 4n, 4n]],
      ]),
    )
  })

  it('is refused where lists of all items would be too long', async () => {
    const features = [id('a', 'user:a'), id('i', 'item:i')]
    const inputs = [{ name: 'a', dtype: 'string', shape: ['', ''] } as const, textInput('i')]
    const row = { a: 'x\u001d'.repeat(20_000), i: new Array(1000).fill('1') }
    await expect(inputsOf({ features, inputs }, row)).rejects.toThrow(
      'Cannot use a: 1000 items with up to 20000 values are too many',
    )
  })

  it('that is a line holds the effective fields in their order', async () => {
    const features = [id('a', 'item:a'), id('b', 'user:b'), id('unused', 'item:a')]
    const config = `${field('input_name: "label"')}${field('input_name: "b"')}${field('input_name: "unused"')}${field(
      'input_name: "user_id" default_val: "0"',
    )}${field('input_name: "a"')}data_config { label_fields: "label" separator: "\\002" }
      eval_config { metrics_set { gauc { uid_field: "user_id" } } } ${hashed('a')}${hashed('b')}`
    const line = { features, config, inputs: [textInput('features')] }
    expect(await inputsOf(line, { a: ['1', '2'], b: 'x' })).toEqual(
      new Map([['features', ['b_x\u00020\u0002a_1', 'b_x\u00020\u0002a_2']]]),
    )
    const all = { ...line, config: `${config} export_config { filter_inputs: false }` }
    expect((await inputsOf(all, { a: ['1'], b: 'x' })).get('features')).toEqual(['b_x\u0002unused_1\u00020\u0002a_1'])
    await expect(inputsOf(line, { a: ['1\u00022'], b: 'x' })).rejects.toThrow(
      'Cannot use a: it has the separator of fields in it',
    )
  })

  it('may be named as convert_rtp_fg.py names members of a sequence', async () => {
    const member = { ...id('cate', 'user:cate'), need_prefix: false, hash_bucket_size: 10 }
    const features = [{ sequence_name: 'click', sequence_length: 2, features: [member] }]
    const config = feature(
      'input_names: "click_cate" feature_type: SequenceFeature hash_bucket_size: 10 separator: "\\003"',
    )
    const inputs = [textInput('click_cate')]
    expect(await inputsOf({ features, config, inputs }, { click__cate: '5;6;7' })).toEqual(
      new Map([['click_cate', ['5\u00036']]]),
    )
  })
})

describe('openEasyrec()', () => {
  const lookup = { feature_type: 'lookup_feature', feature_name: 'l', map: 'user:m', key: 'item:k' }
  it.each<[string, Case]>([
    ['the model reads b, and fg.json has no feature of that name', { features: [], inputs: [textInput('b')] }],
    ['lookup_feature l does not say needKey', { features: [lookup], library: 'fg', config: hashed('l') }],
    [
      'which name need_prefix puts into s__a is not published',
      { features: [{ sequence_name: 's', features: [id('a', 'user:a')] }], inputs: [textInput('s__a')] },
    ],
    ['no assets/pipeline.config', { features: [id('a', 'user:a', { hash_bucket_size: 9 })], library: 'fg' }],
    ['no assets/pipeline.config', { features: [id('a', 'user:a')], inputs: [textInput('features')] }],
    [
      'features of the model split a by different separators',
      {
        features: [id('a', 'user:a')],
        config: ['|', ',']
          .map((sep) => feature(`input_names: "a" feature_type: TagFeature separator: "${sep}"`))
          .join(''),
      },
    ],
    [
      'a has weights, and the model no kv_separator',
      {
        features: [id('a', 'user:a', { weighted: true })],
        config: feature('input_names: "a" feature_type: TagFeature'),
      },
    ],
    [
      'input a is bool, which no feature makes',
      { features: [id('a', 'user:a')], inputs: [{ ...textInput('a'), dtype: 'bool' }] },
    ],
    [
      'assets/pipeline.config: the text ends within a message',
      { features: [id('a', 'user:a')], config: 'data_config {' },
    ],
    [
      'overlap_feature o is of another meaning',
      {
        features: [
          { feature_type: 'overlap_feature', feature_name: 'o', query: 'user:q', title: 'item:t', method: 'is_equal' },
        ],
      },
    ],
  ])('says that %s', async (message, one) => {
    await expect(open(one)).rejects.toThrow(message)
    await expect(open(one)).rejects.toMatchObject({ code: 'not_ready' })
  })

  it('finds fg.json in the assets, below custom_fg_lib and in the SavedModel', async () => {
    for (const place of ['assets', 'assets/custom_fg_lib', '.']) {
      const path = mkdtempSync(join(folder, 'place-'))
      mkdirSync(join(path, 'assets/custom_fg_lib'), { recursive: true })
      const io = { inputs: [textInput('a')], outputs: [] }
      await expect(openEasyrec(path, io, 'fg', {})).rejects.toThrow('there is no fg.json in it or its assets')
      writeFileSync(join(path, place, 'fg.json'), JSON.stringify({ features: [id('a', 'user:a')] }))
      expect((await openEasyrec(path, io, 'fg', {})).generator.features).toHaveLength(1)
    }
  })

  it('takes separators only from what splits by them', async () => {
    const config =
      feature('input_names: "a" feature_type: TagFeature separator: ","') +
      feature('input_names: "a" feature_type: RawFeature')
    expect(
      await inputsOf({ features: [id('a', 'user:a', { need_prefix: false })], config }, { a: '1\u001d2' }),
    ).toEqual(new Map([['a', ['1,2']]]))
  })

  it('reads features of the older feature_configs too', async () => {
    const config = 'feature_configs { input_names: "a" feature_type: TagFeature hash_bucket_size: 5 separator: ";" }'
    const features = [id('a', 'user:a', { hash_bucket_size: 5 })]
    expect(await inputsOf({ features, config, library: 'fg' }, { a: 'x\u001dy' })).toEqual(new Map([['a', ['x;y']]]))
  })

  it('is asked where no input has the name of a tensor of TorchEasyRec', () => {
    expect(takesFields({ inputs: [textInput('user_id')], outputs: [] })).toBe(true)
    expect(takesFields({ inputs: [textInput('user_id.values')], outputs: [] })).toBe(false)
    expect(takesFields({ inputs: [textInput('batch_size')], outputs: [] })).toBe(false)
    expect(takesFields({ inputs: [], outputs: [] })).toBe(false)
  })
})
