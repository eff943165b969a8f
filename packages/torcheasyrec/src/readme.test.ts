import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tensor } from '@eas/base'
import { torchrecPredict } from '@eas/protocol'
import { expect, it } from 'vitest'
import { openRecommender } from './index.ts'

const example = join(import.meta.dirname, '../../cli/examples/recommender')

it('the example of the README answers a request, with a model that stands for the real one', async () => {
  const model = {
    inputs: [{ name: 'age.values', dtype: 'int64', shape: ['n'] }],
    outputs: [{ name: 'probs_ctr', dtype: 'float32', shape: ['items'] }],
  } as const
  const recommender = await openRecommender({
    folder: join(example, 'model'),
    model,
    config: { outputs: ['probs_ctr'], item_empty_score: 0, faiss_neigh_num: 1, faiss_nprobe: 800, itemIdsMax: 10_000 },
    env: {},
    passThrough: new Map([['model_version', '20260316']]),
  })
  const body = readFileSync(join(example, 'requests/page.pb'))
  const recommendation = recommender.begin(torchrecPredict.decodeRequest(body), model, undefined)
  expect([...recommendation.feeds.keys()]).toEqual(['age.values'])
  const scores: Tensor = { dtype: 'float32', shape: [3], data: Float32Array.of(0.25, 0.5, 0.75) }
  const answer = recommendation.finish(new Map(recommendation.fetches.map((name) => [name, scores])))
  expect(torchrecPredict.decodeResponse(torchrecPredict.encodeResponse(answer))).toMatchObject({
    map_outputs: new Map([['probs_ctr', scores]]),
    item_ids: ['item_0001', 'item_0002', 'item_0003'],
    pass_through_data: new Map([['model_version', '20260316']]),
  })
})
