import type { IdMapping } from './id-mapping.ts'
import type { Metric } from './kernel/kernel.ts'
import type { SearchResult } from './open-index.ts'

/** What a recall service answers with: `PBResponse.item_ids`, and the output `match_item_scores` of shape `[1, k]`. */
export interface RecalledItems {
  /** Nearest first. */
  readonly item_ids: readonly string[]
  /** The score of each, `[item_ids.length]`: inner products falling, or squared distances rising. */
  readonly match_item_scores: Float32Array
}

/**
 * The answer to one user from the neighbours of his interests, of which a multi-interest model has several. Ids of -1 are
 * dropped from both lists; an item that several interests recall counts once, with its best score; at most `k` are kept.
 * Of equal scores the one that an earlier interest, or a better rank, found comes first.
 *
 * @param idMapping Item ids of rows. Without one, ids are told as decimal numbers.
 * @throws {RecallError} `corrupt_index` when `idMapping` does not know an id.
 */
export function recalledItems(
  { ids, scores }: SearchResult,
  options: { readonly k: number; readonly metric: Metric; readonly idMapping?: IdMapping },
): RecalledItems {
  const { k, metric, idMapping } = options
  const isBetter = metric === 'ip' ? (a: number, b: number) => a > b : (a: number, b: number) => a < b
  const best = new Map<bigint, number>()
  ids.forEach((id, i) => {
    const score = scores[i] as number // one per id
    const known = best.get(id)
    if (id !== -1n && (known === undefined || isBetter(score, known))) best.set(id, score)
  })
  const ranked = [...best].sort(([, a], [, b]) => (isBetter(a, b) ? -1 : isBetter(b, a) ? 1 : 0)).slice(0, k)
  return {
    item_ids: ranked.map(([id]) => (idMapping ? idMapping.itemId(id) : String(id))),
    match_item_scores: Float32Array.from(ranked, ([, score]) => score),
  }
}
