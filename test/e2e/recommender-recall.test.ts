import { join } from 'node:path'
import type { Processor } from '@eas/processor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { processorOf } from '../support/processor.ts'
import { ask, changed, golden, readJson, recommender, requestOf } from '../support/recommender.ts'

interface Recalled {
  readonly name: string
  readonly item_ids: readonly string[]
  readonly scores: readonly number[]
  readonly user_tower_emb: readonly number[]
}
const expected: { readonly recall: readonly Recalled[]; readonly 'recall-interests': readonly Recalled[] } = readJson(
  join(golden, 'recall.json'),
)
const bodyOf = (recalled: Recalled, debug_level = 0, faiss_neigh_num = 20) =>
  changed(requestOf({ ...recalled, outputs: {} }), () => ({ debug_level, faiss_neigh_num }))
const [first] = expected.recall as [Recalled]

let processor: Processor
beforeAll(async () => {
  const config = { faiss_nprobe: 8, faiss_neigh_num: 5 }
  processor = await processorOf(
    (['recall', 'recall-interests'] as const).map((name) => ({ ...recommender(join(golden, name), config), name })),
  )
})
afterAll(() => processor.close())

describe.each(['recall', 'recall-interests'] as const)('a match model with an index: %s', (service) => {
  it.each(expected[service])('recalls for "$name" what faiss does', async (recalled) => {
    const { status, text, answer } = await ask(processor, bodyOf(recalled), service)
    expect([status, text]).toEqual([200, ''])
    expect(answer.item_ids).toEqual(recalled.item_ids)
    expect([...answer.map_outputs.keys()]).toEqual(['match_item_scores'])
    const scores = answer.map_outputs.get('match_item_scores')
    expect(scores).toMatchObject({ dtype: 'float32', shape: [1, recalled.scores.length] })
    for (const [i, score] of recalled.scores.entries()) expect(scores?.data[i]).toBeCloseTo(score, 5)
  })
})

describe('a recall', () => {
  it('of debug_level 102 also tells the user embedding, the features and the tensors', async () => {
    const { answer } = await ask(processor, bodyOf(first, 102), 'recall')
    expect(answer.item_ids).toEqual(first.item_ids)
    const embedding = answer.map_outputs.get('user_tower_emb')
    expect(embedding?.shape).toEqual([1, 8])
    for (const [i, value] of first.user_tower_emb.entries()) expect(embedding?.data[i]).toBeCloseTo(value, 5)
    expect(answer.map_outputs.has('history__category.values')).toBe(true)
    expect([...answer.generate_features.keys()]).toEqual(['u001d'])
    expect(answer.raw_features.get('u001d')).toContain('user_id:u001d')
  })

  it.each([1, 3])('of debug_level %i recalls nothing', async (debug_level) => {
    const { answer } = await ask(processor, bodyOf(first, debug_level), 'recall')
    expect(answer.map_outputs.size).toBe(0)
    expect(answer.generate_features.size).toBe(1)
  })

  it('is of as many items as the configuration says, where the request does not', async () => {
    const { answer } = await ask(processor, bodyOf(first, 0, 0), 'recall')
    expect(answer.item_ids).toEqual(first.item_ids.slice(0, 5))
  })

  it('drops what the index does not have', async () => {
    const { answer } = await ask(processor, bodyOf(first, 0, 2_000_000_000), 'recall')
    expect(answer.item_ids).toHaveLength(300)
    expect(answer.map_outputs.get('match_item_scores')?.shape).toEqual([1, 300])
    expect(new Set(answer.item_ids).size).toBe(300)
  })

  it('does not care for item ids', async () => {
    const body = changed(bodyOf(first), () => ({ item_ids: ['a', 'b', 'c'] }))
    expect((await ask(processor, body, 'recall')).answer.item_ids).toEqual(first.item_ids)
  })
})
