import { EasError } from '@eas/base'
import { at, type NumberBags, type TextBags } from '../bags.ts'
import { numberKeys, reference } from '../common-keys.ts'
import { oneOf } from '../config-key.ts'
import { cellOf, layOut } from '../layout.ts'
import { checkCount, fgLimits } from '../limits.ts'
import { defineOperator } from '../operator.ts'
import { float64s, int32s } from '../pool.ts'

type Terms = readonly string[]

/** Neither list is empty. */
type Method = (query: Terms, title: Terms) => number

function shareOf(terms: Terms, others: Terms): number {
  const known = new Set(others)
  let count = 0
  for (const term of terms) if (known.has(term)) count++
  return count / terms.length
}

/** The first place where `query` stands in `title` as a whole; -1 if nowhere. Knuth, Morris, Pratt: linear. */
function indexOf(query: Terms, title: Terms): number {
  const border = int32s(query.length)
  for (let i = 1, k = 0; i < query.length; i++) {
    while (k > 0 && query[i] !== query[k]) k = at(border, k - 1)
    if (query[i] === query[k]) k++
    border[i] = k
  }
  for (let i = 0, k = 0; i < title.length; i++) {
    while (k > 0 && title[i] !== query[k]) k = at(border, k - 1)
    if (title[i] === query[k]) k++
    if (k === query.length) return i - k + 1
  }
  return -1
}

/** The shortest run of `title` that has every term of `query`; 0 when one is nowhere. */
function minCover(query: Terms, title: Terms): number {
  const needed = new Set(query)
  const counts = new Map<string, number>()
  let best = 0
  for (let start = 0, end = 0; end < title.length; end++) {
    const term = title[end] ?? ''
    if (needed.has(term)) counts.set(term, (counts.get(term) ?? 0) + 1)
    while (counts.size === needed.size) {
      if (best === 0 || end - start + 1 < best) best = end - start + 1
      const first = title[start++] ?? ''
      const count = counts.get(first)
      if (count === 1) counts.delete(first)
      else if (count !== undefined) counts.set(first, count - 1)
    }
  }
  return best
}

/**
 * Distances between the terms of `query` that `title` has: of a pair, that of its closest occurrences (Tao and Zhai, "An
 * Exploration of Proximity Measures in Information Retrieval", 2007). Without a pair: 0 when the query's only term is
 * there, else `title.length + 1`. That is our reading: the documentation gives ranges only.
 */
function distances(query: Terms, title: Terms, fold: (pairs: readonly number[]) => number): number {
  const places = new Map<string, number[]>()
  for (const term of query) places.set(term, [])
  const terms = places.size
  for (const [i, term] of title.entries()) places.get(term)?.push(i)
  const matched = [...places.values()].filter((list) => list.length > 0)
  if (matched.length > fgLimits.terms) {
    throw new EasError(
      'invalid_request',
      `Cannot generate features: a title has ${matched.length} terms of a query, more than ${fgLimits.terms}`,
    )
  }
  if (matched.length === 0) return title.length + 1
  if (matched.length === 1) return terms === 1 ? 0 : title.length + 1
  const pairs: number[] = []
  for (const [i, a] of matched.entries()) for (const b of matched.slice(i + 1)) pairs.push(closest(a, b))
  return fold(pairs)
}

/** The smallest difference between two ascending lists. */
function closest(a: readonly number[], b: readonly number[]): number {
  let best = Infinity
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const difference = (a[i] ?? 0) - (b[j] ?? 0)
    best = Math.min(best, Math.abs(difference))
    if (difference < 0) i++
    else j++
  }
  return best
}

const methods = {
  query_common_ratio: (query, title) => shareOf(query, title),
  title_common_ratio: (query, title) => shareOf(title, query),
  is_contain: (query, title) => (indexOf(query, title) >= 0 ? 1 : 0),
  is_equal: (query, title) => (query.length === title.length && indexOf(query, title) === 0 ? 1 : 0),
  index_of: indexOf,
  proximity_min_cover: minCover,
  proximity_min_dist: (query, title) => distances(query, title, (pairs) => pairs.reduce((a, b) => Math.min(a, b))),
  proximity_max_dist: (query, title) => distances(query, title, (pairs) => pairs.reduce((a, b) => Math.max(a, b))),
  proximity_avg_dist: (query, title) =>
    distances(query, title, (pairs) => pairs.reduce((a, b) => a + b, 0) / pairs.length),
} as const satisfies { readonly [name: string]: Method }

/** Names of the methods. `common_word` and the like, which give texts, belong to an older generator and are refused. */
const methodNames = Object.keys(methods) as (keyof typeof methods)[] // the table's own keys

/** `overlap_feature`: how the terms of a query lie in a title. A missing side gives 0. */
export const overlapFeature = defineOperator({
  feature_type: 'overlap_feature',
  summary: 'How the terms of a query and a title overlap; 0 when one is missing.',
  keys: {
    query: reference('The query.'),
    title: reference('The title.'),
    method: oneOf(methodNames, 'query_common_ratio', 'What is computed.', { required: true }),
    ...numberKeys,
  },
  compile(config, build) {
    const [queryRef, titleRef] = build.refs([config.query, config.title])
    if (!queryRef || !titleRef) return undefined
    const queries = build.texts(queryRef, config.separator)
    const titles = build.texts(titleRef, config.separator)
    const method = methods[config.method]
    const normalize = build.normalizer(config.normalizer)
    const finish = build.numberOutput({
      defaults: [0],
      value_dim: 1,
      bucketizer: build.bucketizer(config, ''),
      normalize,
    })
    return (frame) => finish(frame, overlap(queries(frame), titles(frame), method, build.entry.name))
  },
})

function overlap(queries: TextBags, titles: TextBags, method: Method, name: string): NumberBags {
  const layout = layOut([queries, titles])
  const { rows, steps, cells } = layout
  const [queryCells, titleCells] = layout.inputs
  const numbers = float64s(cells)
  const offsets = int32s(cells + 1)
  let compared = 0
  for (let cell = 0; cell < cells; cell++) {
    const query = termsOf(queries, queryCells ? cellOf(queryCells, cell) : -1)
    const title = termsOf(titles, titleCells ? cellOf(titleCells, cell) : -1)
    compared += query.length + title.length
    checkCount(compared, fgLimits.comparedTerms, name, 'terms to compare')
    numbers[cell] = query.length > 0 && title.length > 0 ? method(query, title) : 0
    offsets[cell + 1] = cell + 1
  }
  return { kind: 'numbers', rows, steps, offsets, malformed: 0, numbers }
}

const termsOf = (bags: TextBags, cell: number): Terms =>
  cell < 0 ? [] : bags.texts.slice(at(bags.offsets, cell), at(bags.offsets, cell + 1))
