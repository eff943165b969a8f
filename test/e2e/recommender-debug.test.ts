import { join } from 'node:path'
import type { Processor } from '@eas/processor'
import { type PBFeature, torchrecPredict } from '@eas/protocol'
import { debugLevels } from '@eas/torcheasyrec'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { processorOf } from '../support/processor.ts'
import { ask, changed, type Expected, example, readJson, recommender, requestOf } from '../support/recommender.ts'

const cases: readonly Expected[] = readJson(join(example, 'expected.json')).requests
const page = cases.find(({ name }) => name === 'page') as Expected // it is there
let processor: Processor
beforeAll(async () => {
  processor = await processorOf([
    recommender(),
    { ...recommender(undefined, { outputs: 'probs_cvr,probs_ctr' }), name: 'two' },
    { ...recommender(undefined, { outputs: 'probs_nothing' }), name: 'none' },
    { ...recommender(undefined, {}, null), name: 'without_items' },
  ])
})
afterAll(() => processor.close())

const body = requestOf(page)
const at = (debug_level: number) => changed(body, () => ({ debug_level }))
const outputs = Object.keys(page.outputs)
const inputs = Object.keys(page.inputs ?? {})

describe('debug_level', () => {
  it.each([
    [0, outputs, false, false],
    [1, [], true, true],
    [2, [...inputs, ...outputs], true, true],
    [3, [], false, true],
    [100, outputs, false, false],
    [102, [...inputs, ...outputs], true, true],
    [903, outputs, false, false],
    [904, outputs, false, false],
    [7, outputs, false, false],
  ])('%i answers with what the table says', async (level, names, raw, generated) => {
    const { status, answer } = await ask(processor, at(level))
    expect(status).toBe(200)
    expect([...answer.map_outputs.keys()].sort()).toEqual([...names].sort())
    expect([...answer.raw_features.keys()]).toEqual(raw ? page.item_ids : [])
    expect([...answer.generate_features.keys()]).toEqual(generated ? page.item_ids : [])
    expect(answer.item_ids).toEqual(page.item_ids)
  })

  it('has a row for each published level', () => {
    expect(debugLevels.map(({ level }) => level)).toEqual([0, 1, 2, 3, 100, 102, 903, 904])
  })

  it('1 shows features as TorchEasyRec dumps them', async () => {
    const { answer } = await ask(processor, at(1))
    const generated = answer.generate_features.get('item_0001')?.split(' | ') ?? []
    const values = page.inputs?.['user_id.values']?.data ?? []
    expect(generated[0]).toBe(`user_id:${values[0]}`)
    expect(generated.map((part) => part.slice(0, part.indexOf(':')))).toEqual([
      ...['user_id', 'age', 'city', 'weight', 'raw_3', 'click'],
      ...['history__category', 'history__price', 'history__ts', 'history__tags'],
      ...['item_id', 'category', 'tags', 'price', 'city_x_category', 'affinity', 'price_by_age', 'hour'],
    ])
    expect(generated).toContain('click:0.94433516,0.49145547;0.94433516,0.49145597')
    expect(answer.raw_features.get('item_0001')).toContain('user_id:u001d | age:12 | ')
    expect(answer.raw_features.get('item_0001')).toContain('item_id:item_0001')
  })
})

describe('outputs', () => {
  it('are those that the configuration names', async () => {
    const { answer } = await ask(processor, body, 'two')
    expect([...answer.map_outputs.keys()].sort()).toEqual(['probs_ctr', 'probs_cvr'])
  })

  it('that the model does not have keep the service from being ready', async () => {
    const { status, text } = await ask(processor, body, 'none')
    expect([status, text]).toEqual([
      503,
      'Cannot load the model: outputs names probs_nothing, and the model has logits_ctr, probs_ctr, logits_cvr, probs_cvr',
    ])
  })
})

describe('a request', () => {
  it('without items is answered with no rows', async () => {
    const { status, answer } = await ask(processor, new Uint8Array([0x08, 0]))
    expect(status).toBe(200)
    expect(answer.map_outputs.get('probs_ctr')?.shape).toEqual([0])
  })

  it('may send what is known of its items, where there is no catalogue', async () => {
    const text = (value: string): PBFeature => ({ kind: 'string_feature', value })
    const { status, answer } = await ask(
      processor,
      changed(body, ({ item_ids }) => ({ item_features: new Map([['category', item_ids.map(() => text('books'))]]) })),
      'without_items',
    )
    expect(status).toBe(200)
    expect(answer.map_outputs.get('probs_ctr')?.shape).toEqual([3])
  })

  it.each([
    ['context_features', 2, 'Cannot use context_features["hour"]: it has 2 values for 3 item_ids'],
    ['context_features', 4, 'Cannot use context_features["hour"]: it has 4 values for 3 item_ids'],
    ['item_features', 1, 'Cannot use item_features["price"]: it has 1 values for 3 item_ids'],
    ['item_features', 0, 'Cannot use item_features["price"]: it has 0 values for 3 item_ids'],
  ] as const)('whose %s are %i for three items is refused', async (field, count, message) => {
    const feature: PBFeature = { kind: 'int_feature', value: 1 }
    const name = field === 'context_features' ? 'hour' : 'price'
    const lists = new Map([[name, Array.from({ length: count }, () => feature)]])
    const answered = await ask(
      processor,
      changed(body, () => ({ [field]: lists })),
    )
    expect([answered.status, answered.text]).toEqual([400, message])
  })

  it('may have lists of any length that nothing reads', async () => {
    const feature: PBFeature = { kind: 'double_list', value: Float64Array.of(0.2) }
    const answered = await ask(
      processor,
      changed(body, () => ({ context_features: new Map([['id_2', [feature, feature]]]) })),
    )
    expect(answered.status).toBe(200)
  })

  it.each([
    [100_000, 400],
    [10_000, 200],
  ])('of %i items is answered %i', async (count, status) => {
    const item_ids = Array.from({ length: count }, (_, i) => `item_${String(i % 300).padStart(4, '0')}`)
    const answered = await ask(
      processor,
      changed(body, () => ({ item_ids })),
    )
    expect(answered.status).toBe(status)
    if (status === 200) expect(answered.answer.map_outputs.get('probs_ctr')?.shape).toEqual([count])
    else expect(answered.text).toBe(`Too many item_ids: ${count}, at most 10000`)
  })

  it('with values of every kind in every place is answered or refused with a reason', async () => {
    const values: PBFeature[] = [
      { kind: 'int_feature', value: -1 },
      { kind: 'long_feature', value: -(2n ** 63n) },
      { kind: 'string_feature', value: '\u0000;\u001d:|' },
      { kind: 'float_feature', value: Number.NaN },
      { kind: 'double_feature', value: Number.NEGATIVE_INFINITY },
      { kind: 'long_string_map', value: new Map([[1n, 'x']]) },
      { kind: 'string_double_map', value: new Map([['', Number.NaN]]) },
      { kind: 'int_list', value: Int32Array.of(1, 2, 3) },
      { kind: 'string_list', value: ['', 'x'] },
      { kind: 'float_lists', value: [new Float32Array(), Float32Array.of(1, Number.NaN)] },
      { kind: 'string_lists', value: [[], ['a', '']] },
      { kind: undefined, value: undefined },
    ]
    const request = torchrecPredict.decodeRequest(body)
    const users = ['user_id', 'age', 'city', 'weight', 'raw_3', 'map_1', 'click', 'history', 'history__ts']
    const items = ['price', 'category', 'tags', 'category_id', 'item_id']
    for (const value of values) {
      const per = request.item_ids.map(() => value)
      const { status, text, answer } = await ask(
        processor,
        torchrecPredict.encodeRequest({
          ...request,
          user_features: new Map(users.map((name) => [name, value])),
          context_features: new Map([['hour', per]]),
          item_features: new Map(items.map((name) => [name, per])),
        }),
      )
      expect([200, 400], `${value.kind}: ${text}`).toContain(status)
      if (status === 200) expect(answer.map_outputs.get('probs_ctr')?.shape).toEqual([3])
    }
  })

  it('that is cut anywhere is answered or refused', async () => {
    for (let end = 1; end < body.length; end += 3) {
      expect([200, 400]).toContain((await ask(processor, body.subarray(0, end))).status)
    }
  })
})
