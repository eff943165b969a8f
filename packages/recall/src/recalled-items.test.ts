import { expect, it } from 'vitest'
import { openIdMapping } from './id-mapping.ts'
import { recalledItems } from './recalled-items.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const mapping = await openIdMapping(bytes('a\nb\r\nc\n\nä'))

it('openIdMapping() gives each line as it is, whatever ends it', () => {
  expect([0n, 1n, 2n, 3n, 4n].map(mapping.itemId)).toEqual(['a', 'b', 'c', '', 'ä'])
  expect(() => mapping.itemId(5n)).toThrow('Cannot name item 5: id_mapping has 5 lines')
  expect(() => mapping.itemId(-1n)).toThrow('Cannot name item -1')
})

it('openIdMapping() of nothing has no lines', async () => {
  expect((await openIdMapping(bytes(''))).count).toBe(0)
})

it('openIdMapping() of a file that is not there says so without its path', async () => {
  await expect(openIdMapping('/nowhere/id_mapping')).rejects.toThrow(/^Cannot read id_mapping: ENOENT$/)
})

it.each([
  ['ip', [9, 7, 5, 8, 7, -3e38], ['a', 'c', 'b'], [9, 8, 7]],
  ['l2', [1, 2, 3, 2.5, 2.75, 3e38], ['a', 'b', 'c'], [1, 2, 2.5]],
] as const)(
  'recalledItems() drops -1, merges interests by the best %s score',
  (metric, scores, item_ids, match_item_scores) => {
    const ids = BigInt64Array.of(0n, 1n, 2n, 2n, 1n, -1n)
    const answer = recalledItems({ ids, scores: Float32Array.from(scores) }, { k: 5, metric, idMapping: mapping })
    expect(answer).toEqual({ item_ids, match_item_scores: Float32Array.from(match_item_scores) })
  },
)

it('recalledItems() keeps k at most, and tells ids as numbers without a mapping', () => {
  const ids = BigInt64Array.of(5n, -7n, 6n)
  const { item_ids, match_item_scores } = recalledItems(
    { ids, scores: Float32Array.of(3, 3, 3) },
    { k: 2, metric: 'ip' },
  )
  expect(item_ids).toEqual(['5', '-7'])
  expect(match_item_scores).toEqual(Float32Array.of(3, 3))
})
