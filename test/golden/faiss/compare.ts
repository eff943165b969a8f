import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openIndex, type SearchParams, type SearchResult } from '@eas/recall'

/** One search that FAISS made, as `generate.py` writes it. */
export interface FaissCase {
  readonly file: string
  readonly metric: 'ip' | 'l2'
  /** Scores are whole numbers, so that ids must agree to the last tie. */
  readonly exact: boolean
  readonly n: number
  readonly d: number
  readonly k: number
  readonly params: SearchParams
  /** `[n queries, d]` */
  readonly queries: readonly number[]
  /** `[n queries, k]` */
  readonly D: readonly number[]
  readonly I: readonly string[]
}

export const readCases = (folder: string): readonly FaissCase[] =>
  JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')).cases

/** How far a result is from FAISS's. */
export interface Difference {
  /** Ids that differ though no score near theirs could have taken their place. */
  readonly wrongIds: number
  /** Ids that differ between scores which are the same up to rounding. */
  readonly swapped: number
  /** Largest error of a score, relative to the larger of 1 and the score. */
  readonly scoreError: number
}

/** What float32 sums of some tens of terms in another order can differ by. */
export const rounding = 2e-6

export async function searchCase(
  folder: string,
  test: FaissCase,
  kernel: 'wasm' | 'js' = 'wasm',
): Promise<SearchResult> {
  const index = await openIndex(join(folder, test.file), { kernel })
  return index.search(Float32Array.from(test.queries), test.queries.length / test.d, test.k, test.params)
}

export function compare(test: FaissCase, { ids, scores }: SearchResult): Difference {
  let [wrongIds, swapped, scoreError] = [0, 0, 0]
  test.I.forEach((id, i) => {
    const [expected, score] = [test.D[i] ?? Number.NaN, scores[i] ?? Number.NaN]
    const error = Math.abs(score - expected) / Math.max(1, Math.abs(expected))
    if (!(error <= scoreError)) scoreError = error
    if (String(ids[i]) === id) return
    if (!test.exact && error <= rounding) swapped++
    else wrongIds++
  })
  return { wrongIds, swapped, scoreError }
}
