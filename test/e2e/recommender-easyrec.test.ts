import { join } from 'node:path'
import type { Processor } from '@eas/processor'
import { type EasyrecRequest, easyrecPredict, easyrecStatus, type PBFeature, torchrecPredict } from '@eas/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { processorOf } from '../support/processor.ts'
import { ask, golden, recommender } from '../support/recommender.ts'

let processor: Processor
const config = { fg_mode: 'normal', item_empty_score: -1 }
beforeAll(async () => {
  const easyrec = (name: string, model?: string, more = {}) => {
    const service = recommender(model, {})
    return {
      ...service,
      name,
      json: { ...service.json, processor: 'easyrec-3.0', model_config: { ...config, ...more } },
    }
  }
  processor = await processorOf([
    recommender(),
    easyrec('easyrec'),
    easyrec('ordered', undefined, { outputs: 'probs_cvr,probs_ctr' }),
    easyrec('recall', join(golden, 'recall')),
  ])
})
afterAll(() => processor.close())

const text = (value: string): PBFeature => ({ kind: 'string_feature', value })
const request: EasyrecRequest = {
  debug_level: 0,
  user_features: new Map<string, PBFeature>([
    ['user_id', text('u001d')],
    ['age', { kind: 'int_feature', value: 33 }],
    ['city', text('hangzhou')],
    ['weight', { kind: 'float_feature', value: 61.5 }],
    ['history', text('item_0003;item_0004')],
    ['history__ts', text('0.5;0.25')],
  ]),
  item_ids: ['item_0001', 'no such item', 'item_0002'],
  context_features: new Map([['hour', [9, 10, 11].map((value): PBFeature => ({ kind: 'int_feature', value }))]]),
  faiss_neigh_num: 0,
  item_features: new Map(),
  meta_data: new Map(),
}

async function easyrec(change: Partial<EasyrecRequest> | Uint8Array, service = 'easyrec') {
  const body = change instanceof Uint8Array ? change : easyrecPredict.encodeRequest({ ...request, ...change })
  const response = await processor.handle({ method: 'POST', target: `/api/predict/${service}`, headers: {}, body })
  return {
    status: response.status,
    answer: response.status === 200 ? easyrecPredict.decodeResponse(response.body) : undefined,
  }
}

describe('the EasyRec message', () => {
  it('is answered with the scores that the TorchEasyRec message gets', async () => {
    const { answer: torch } = await ask(processor, torchrecPredict.encodeRequest(request))
    const { status, answer } = await easyrec({})
    expect(status).toBe(200)
    expect(answer).toMatchObject({ status_code: easyrecStatus.OK, error_msg: '', item_ids: request.item_ids })
    expect(answer?.outputs).toEqual([...torch.map_outputs.keys()])
    for (const [row, id] of request.item_ids.entries()) {
      expect([...(answer?.results.get(id) ?? [])]).toEqual([...torch.map_outputs.values()].map(({ data }) => data[row]))
    }
    expect([...(answer?.results.get('no such item') ?? [])]).toEqual([-1, -1, -1, -1])
  })

  it('has features of every kind, and of items, when PAI-Rec sends it', async () => {
    const user_features = new Map(request.user_features)
      .set('weight', { kind: 'double_feature', value: 61.5 })
      .set('raw_3', { kind: 'double_list', value: Float64Array.of(0.25, 0.5, 0.75, 1) })
      .set('click', { kind: 'float_lists', value: [Float32Array.of(0.5, 0.25), Float32Array.of(0.75, 1)] })
    const price: PBFeature = { kind: 'double_feature', value: 7.5 }
    const sent = { ...request, user_features, item_features: new Map([['price', [price, price, price]]]) }
    const { answer: torch } = await ask(processor, torchrecPredict.encodeRequest(sent))
    const { answer } = await easyrec(sent)
    for (const [row, id] of request.item_ids.entries()) {
      expect([...(answer?.results.get(id) ?? [])]).toEqual([...torch.map_outputs.values()].map(({ data }) => data[row]))
    }
    const { answer: told } = await easyrec({ ...sent, debug_level: 1 })
    for (const feature of ['weight:61.5', 'raw_3:0.25,0.5,0.75,1', 'price:7.5'])
      expect(told?.raw_features.get('item_0001')).toContain(feature)
  })

  it('has scores in the order of outputs', async () => {
    const { answer } = await easyrec({}, 'ordered')
    const { answer: all } = await easyrec({})
    expect(answer?.outputs).toEqual(['probs_cvr', 'probs_ctr'])
    const place = (name: string) => all?.outputs.indexOf(name) ?? -1
    const scores = all?.results.get('item_0001')
    expect([...(answer?.results.get('item_0001') ?? [])]).toEqual([
      scores?.[place('probs_cvr')],
      scores?.[place('probs_ctr')],
    ])
  })

  it('is told features by its debug levels', async () => {
    const { answer } = await easyrec({ debug_level: 1 })
    expect(answer?.results.get('item_0001')).toHaveLength(0)
    expect(answer?.generate_features.get('item_0002')).toContain('hour:11')
    expect(answer?.raw_features.get('item_0001')).toContain('history__ts:0.5;0.25')
  })

  it('recalls', async () => {
    const { answer } = await easyrec({ item_ids: [], faiss_neigh_num: 3 }, 'recall')
    expect(answer?.item_ids).toHaveLength(3)
    expect(answer?.outputs).toEqual(['match_item_scores'])
    expect(answer?.results.get(answer.item_ids[0] ?? '')).toHaveLength(1)
  })

  it('tells of failures in its own status_code', async () => {
    const [short] = [...request.context_features.values()] as [PBFeature[]] // the one above
    const { status, answer } = await easyrec({ context_features: new Map([['hour', short.slice(1)]]) })
    expect(status).toBe(200)
    expect(answer).toMatchObject({
      status_code: easyrecStatus.EXCEPTION,
      error_msg: 'Cannot use context_features["hour"]: it has 2 values for 3 item_ids',
    })
    expect((await easyrec({ item_ids: [], context_features: new Map() })).answer).toMatchObject({
      status_code: easyrecStatus.INPUT_EMPTY,
      error_msg: 'The request has no item_ids',
    })
  })

  it('that cannot be read is refused by HTTP', async () => {
    expect((await easyrec(Uint8Array.of(0x0a, 200))).status).toBe(400)
  })
})
