import type { PBFeature } from '@eas/protocol'
import { describe, expect, it } from 'vitest'
import {
  compileEncoded,
  compileFg,
  encodedFeaturesOf,
  fgRequest,
  type ItemTable,
  type RequestFeatures,
} from './index.ts'

const text = (value: string): PBFeature => ({ kind: 'string_feature', value })
const none: PBFeature = { kind: undefined, value: undefined }

const ids = ['i1', 'i2', 'i3']
const items: ItemTable = {
  entriesOf: (wanted) => Int32Array.from(wanted, (id) => ids.indexOf(id)),
  column(name) {
    if (name === 'cate') return { form: 'texts', texts: ['1\u001d7', '2', null] }
    return name === 'price' ? { form: 'numbers', data: Float32Array.of(1.5, 2.5, Number.NaN) } : undefined
  },
}
const request = (given: Partial<RequestFeatures>): RequestFeatures => ({
  user_features: new Map(),
  item_ids: ['i2', 'i9', 'i1'],
  context_features: new Map(),
  ...given,
})

const group = {
  features: [
    {
      sequence_name: 'click',
      sequence_length: 3,
      sequence_delim: ';',
      features: [
        {
          feature_type: 'id_feature',
          feature_name: 'cate',
          expression: 'item:cate',
          num_buckets: 100,
          default_value: '9',
        },
        { feature_type: 'raw_feature', feature_name: 'price', expression: 'item:price' },
        { feature_type: 'raw_feature', feature_name: 'ts', expression: 'user:ts' },
      ],
    },
    { feature_type: 'id_feature', feature_name: 'cate', expression: 'item:cate', num_buckets: 100 },
    { feature_type: 'raw_feature', feature_name: 'score', expression: 'context:score' },
  ],
}

describe('fgRequest()', () => {
  const scores: readonly PBFeature[] = [1, 2, 3].map((value) => ({ kind: 'float_feature', value }))

  it('joins a group with the cache by its ids, and rows by the item ids', async () => {
    const generator = await compileFg(group)
    const generated = generator.generate(
      fgRequest(
        request({
          user_features: new Map([
            ['click', text('i1;i9;i2;i3')],
            ['click__ts', text('5;6;7;8')],
          ]),
          context_features: new Map([['score', scores]]),
        }),
        items,
      ),
    )
    const sequence = 'click__cate:1;9;2 | click__price:1.5;0.0;2.5 | click__ts:5.0;6.0;7.0'
    expect(generated.generateFeatures()).toEqual([
      `${sequence} | cate:2 | score:1.0`,
      `${sequence} | cate: | score:2.0`,
      `${sequence} | cate:1,7 | score:3.0`,
    ])
    expect(generated.rawFeatures()[2]).toBe(
      'click__cate:1,7;;2 | click__price:1.5;;2.5 | click__ts:5;6;7;8 | cate:1,7 | score:3',
    )
    expect(generator.inputs.map(({ side, name, sequence: s }) => [side, name, s?.sequence_pk, s?.field])).toEqual([
      ['item', 'click__cate', 'user:click', 'cate'],
      ['item', 'click__price', 'user:click', 'price'],
      ['user', 'click__ts', 'user:click', 'ts'],
      ['item', 'cate', undefined, undefined],
      ['context', 'score', undefined, undefined],
    ])
  })

  it.each([
    ['no ids', new Map()],
    ['empty ids', new Map([['click', text('')]])],
  ])('gives one missing step for %s', async (_name, user_features) => {
    const generated = (await compileFg(group)).generate(fgRequest(request({ user_features }), items))
    expect(generated.generateFeatures()[1]).toBe('click__cate:9 | click__price:0.0 | click__ts:0.0 | cate: | score:0.0')
  })

  it('takes the items of the request as the steps of the candidate group', async () => {
    const generated = (await compileFg(group)).generate(fgRequest(request({}), items, { candidateSequence: 'click' }))
    expect(generated.generateFeatures()[0]).toContain('click__cate:2;9;1')
  })

  describe('of a model whose candidates are a sequence', () => {
    const raw = (name: string, expression: string) => ({ feature_type: 'raw_feature', feature_name: name, expression })
    const document = {
      features: [
        {
          sequence_name: 'cand',
          sequence_length: 2,
          sequence_delim: '|',
          features: [raw('price', 'item:price'), raw('time', 'context:time'), raw('hour', 'user:hour')],
        },
        {
          sequence_name: 'click',
          sequence_length: 50,
          sequence_delim: '|',
          features: [raw('price', 'item:price'), raw('colour', 'item:colour')],
        },
        raw('age', 'user:age'),
      ],
    }
    const number = (value: number): PBFeature => ({ kind: 'double_feature', value })
    const tensorsOf = async (given: Partial<RequestFeatures>, table?: ItemTable) => {
      const asked = fgRequest(request(given), table, { candidateSequence: 'cand' })
      const tensors = (await compileFg(document)).generate(asked).tensors()
      return Object.fromEntries([...tensors].map(([name, { data }]) => [name, Array.from(data, Number)]))
    }

    it('has one user, and a step for every item, however long its sequences are', async () => {
      const tensors = await tensorsOf(
        {
          user_features: new Map([
            ['click', text('i1|i9|i2|i1')],
            ['age', number(30)],
          ]),
          context_features: new Map([['time', [number(7), number(8), number(9)]]]),
        },
        items,
      )
      expect(tensors).toEqual({
        'cand__price.values': [2.5, 0, 1.5],
        'cand__price.lengths': [3],
        'cand__time.values': [7, 8, 9],
        'cand__time.lengths': [3],
        'cand__hour.values': [0, 0, 0],
        'cand__hour.lengths': [3],
        'click__price.values': [1.5, 0, 2.5, 1.5],
        'click__price.lengths': [4],
        'click__colour.values': [0, 0, 0, 0],
        'click__colour.lengths': [4],
        'age.values': [30],
      })
    })

    it.each([
      ['the name of the field', 'price', 'time'],
      ['the name of the column', 'cand__price', 'cand__time'],
    ])('takes what the request says of its items under %s', async (_what, price, time) => {
      const sent = {
        item_features: new Map([[price, [number(4), number(5), number(6)]]]),
        context_features: new Map([[time, [number(7), number(8), number(9)]]]),
        user_features: new Map([['cand__hour', text('1|2|3')]]),
      }
      expect(await tensorsOf(sent)).toMatchObject({
        'cand__price.values': [4, 5, 6],
        'cand__time.values': [7, 8, 9],
        'cand__hour.values': [1, 2], // a sequence of the user's has its length
      })
    })
  })

  it('has a missing step for every id where no item has the field', async () => {
    const generator = await compileFg(group)
    const asked = request({ user_features: new Map([['click', text('i1;i2')]]) })
    const withoutPrice: ItemTable = { ...items, column: (name) => (name === 'cate' ? items.column(name) : undefined) }
    for (const [table, cates] of [
      [withoutPrice, '1;2'],
      [undefined, '9;9'],
    ] as const) {
      const [first] = generator.generate(fgRequest(asked, table)).generateFeatures()
      expect(first).toContain(`click__cate:${cates} | click__price:0.0;0.0 | `)
    }
  })

  it('prefers what the request carries to the cache', async () => {
    const sent = request({
      user_features: new Map([['click__cate', text('4;5')]]),
      item_features: new Map([['cate', [text('6'), none, text('8')]]]),
    })
    const generated = (await compileFg(group)).generate(fgRequest(sent, items))
    expect(generated.generateFeatures()).toEqual(
      ['6', '', '8'].map((cate) => `click__cate:4;5 | click__price:0.0 | click__ts:0.0 | cate:${cate} | score:0.0`),
    )
  })

  it('takes the cache for items of which the request says nothing', async () => {
    const sent = request({
      item_features: new Map([
        ['cate', [none, text('6'), text('')]],
        ['price', [none, { kind: 'float_feature', value: 4 }, none]],
      ]),
    })
    const price = { feature_type: 'raw_feature', feature_name: 'price', expression: 'item:price' }
    const generator = await compileFg({ features: [group.features[1], price] })
    expect(generator.generate(fgRequest(sent, items)).generateFeatures()).toEqual([
      'cate:2 | price:2.5',
      'cate:6 | price:4.0',
      'cate: | price:1.5',
    ])
  })

  it('has one row when there are no items', async () => {
    const generator = await compileFg(group, { modelAcc: { INPUT_TILE: '2', SPARSE_INT64: '1' } })
    const tensors = generator.generate(fgRequest(request({ item_ids: [] }), items)).tensors()
    expect(tensors.get('batch_size')).toEqual({ dtype: 'int64', shape: [], data: BigInt64Array.of(1n) })
    expect(tensors.get('cate.lengths')).toEqual({ dtype: 'int64', shape: [1], data: BigInt64Array.of(0n) })
  })

  it('refuses columns that disagree about the number of items', async () => {
    const generator = await compileFg(group)
    const short = fgRequest(request({ context_features: new Map([['score', scores.slice(1)]]) }), items)
    expect(() => generator.generate(short)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        message: 'Cannot generate features: context:score has 2 values for 3 items',
      }),
    )
  })
})

describe('counters', () => {
  it('count what happened, by feature', async () => {
    const of = (feature_name: string, keys: object) => ({ feature_name, expression: 'item:x', ...keys })
    const generator = await compileFg({
      features: [
        of('id', { feature_type: 'id_feature', default_value: 'a', vocab_list: ['a', 'b'] }),
        of('small', { feature_type: 'id_feature', num_buckets: 3 }),
        of('raw', { feature_type: 'raw_feature' }),
        of('pair', { feature_type: 'raw_feature', value_dim: 2 }),
      ],
    })
    const { counters } = generator.generate({
      rows: 4,
      column: () => ({ form: 'texts', texts: ['a', '', '7', 'zz'] }),
    })
    expect(counters.missing).toEqual(Uint32Array.of(1, 1, 3, 4))
    expect(counters.defaults).toEqual(Uint32Array.of(1, 0, 3, 4))
    expect(counters.outOfVocabulary).toEqual(Uint32Array.of(2, 0, 0, 0))
    expect(counters.outOfRange).toEqual(Uint32Array.of(0, 3, 0, 0))
    expect(counters.malformed).toEqual(Uint32Array.of(0, 0, 2, 3))
  })
})

describe('tensors()', () => {
  const keys = { feature_type: 'id_feature', feature_name: 'f', expression: 'user:x', num_buckets: 1000, value_dim: 0 }

  it('have the types that the model asks for', async () => {
    const tensorTypes = new Map([
      ['f.values', 'int32'],
      ['f.lengths', 'int64'],
      ['f.key_lengths', 'int64'],
    ] as const)
    const generator = await compileFg({ features: [keys] }, { tensorTypes })
    const tensors = generator.generate({ rows: 1, column: () => ({ form: 'texts', texts: ['5\u001d6'] }) }).tensors()
    expect(Object.fromEntries(tensors)).toEqual({
      'f.values': { dtype: 'int32', shape: [2], data: Int32Array.of(5, 6) },
      'f.lengths': { dtype: 'int64', shape: [1], data: BigInt64Array.of(2n) },
      // Of a feature that is no sequence each id is a step: `tokens_as_sequence`.
      'f.key_lengths': { dtype: 'int64', shape: [2], data: BigInt64Array.of(1n, 1n) },
    })
    expect(generator.outputs.map(({ name, dtype }) => [name, dtype])).toEqual([...tensorTypes])
  })

  it('leave stubs out, and give texts where nothing makes ids of them', async () => {
    const stub = { ...keys, feature_name: 's', num_buckets: undefined, stub_type: true }
    const generator = await compileFg({ features: [stub, { ...stub, feature_name: 't', stub_type: false }] })
    const tensors = generator.generate({ rows: 2, column: () => ({ form: 'texts', texts: ['ü'] }) }).tensors()
    const text = Buffer.from('ü')
    expect([...tensors.keys()]).toEqual(['t.values', 't.lengths'])
    expect(tensors.get('t.values')).toEqual({ dtype: 'string', shape: [2], data: [text, text] })
  })
})

describe('encodedFeaturesOf()', () => {
  it('reads what the generator would have made', async () => {
    const generator = await compileFg({
      features: [
        { feature_type: 'id_feature', feature_name: 'a', expression: 'user:x', default_value: '7', num_buckets: 9 },
        { feature_type: 'raw_feature', feature_name: 'b', expression: 'user:y', value_dim: 2, default_value: '0.5' },
        { feature_type: 'sequence_id_feature', feature_name: 'c', expression: 'user:z', num_buckets: 9 },
      ],
    })
    const columns = new Map([
      ['a', ['1\u00032', null]],
      ['b', ['1\u00032', null]],
      ['c', ['3;4', null]],
    ])
    const reader = compileEncoded(encodedFeaturesOf(generator))
    const tensors = reader.tensors({
      rows: 2,
      column: ({ name }) => ({ form: 'texts', texts: columns.get(name) ?? [] }),
    })
    expect([...tensors].map(([name, { data }]) => [name, Array.from(data as ArrayLike<number>, Number)])).toEqual([
      ['a.values', [1, 2, 7]],
      ['a.lengths', [2, 1]],
      ['b.values', [1, 2, 0.5, 0.5]],
      ['c.values', [3, 4, 0]],
      ['c.lengths', [2, 1]],
    ])
    expect([...tensors.keys()]).toEqual(reader.outputs.map(({ name }) => name))
  })
})
