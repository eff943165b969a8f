import { at, cellsOf, type NumberBags, NumbersBuilder, OffsetsBuilder, type TextBags } from './bags.ts'
import { type FgCounters, tally } from './counters.ts'
import { int32s } from './pool.ts'

/**
 * Gives missing cells the default, which is not prefixed, and keeps the first `keep` values of each (0: all). The same
 * bags come back when there is nothing to do.
 */
export function finishTexts(
  bags: TextBags,
  defaults: readonly string[],
  keep: number,
  counters: FgCounters,
  feature: number,
): TextBags {
  const { offsets } = bags
  const cells = cellsOf(bags)
  let missing = 0
  let long = false
  for (let cell = 0; cell < cells; cell++) {
    const count = at(offsets, cell + 1) - at(offsets, cell)
    if (count === 0) missing++
    else if (keep > 0 && count > keep) long = true
  }
  tally(counters.missing, feature, missing)
  tally(counters.malformed, feature, bags.malformed)
  if (defaults.length > 0) tally(counters.defaults, feature, missing)
  if (!long && (missing === 0 || defaults.length === 0)) return bags
  const texts: string[] = []
  const weights: number[] | undefined = bags.weights && []
  const ends = int32s(cells + 1)
  for (let cell = 0; cell < cells; cell++) {
    const start = at(offsets, cell)
    const end = at(offsets, cell + 1)
    if (start === end) {
      for (const text of defaults) {
        texts.push(text)
        weights?.push(1)
      }
    } else {
      const last = keep > 0 && end - start > keep ? start + keep : end
      for (let i = start; i < last; i++) {
        texts.push(bags.texts[i] ?? '')
        weights?.push(bags.weights?.[i] ?? 1)
      }
    }
    ends[cell + 1] = texts.length
  }
  return { ...bags, offsets: ends, texts, weights: weights && Float32Array.from(weights) }
}

/**
 * Gives missing cells the default and keeps the first `dim` numbers of each (0: all). A cell of fewer numbers, or of one
 * that is NaN, counts as missing.
 */
export function finishNumbers(
  bags: NumberBags,
  defaults: readonly number[],
  dim: number,
  counters: FgCounters,
  feature: number,
): NumberBags {
  const { offsets, numbers } = bags
  const cells = cellsOf(bags)
  let missing = 0
  let short = 0
  let intact = true
  for (let cell = 0; cell < cells && intact; cell++) {
    const start = at(offsets, cell)
    const end = at(offsets, cell + 1)
    if (end === start || (dim > 0 && end - start !== dim)) intact = false
    for (let i = start; i < end; i++) if (Number.isNaN(numbers[i])) intact = false
  }
  tally(counters.malformed, feature, bags.malformed)
  if (intact) return bags
  const out = new NumbersBuilder(cells * Math.max(dim, 1))
  const ends = new OffsetsBuilder(cells)
  for (let cell = 0; cell < cells; cell++) {
    const start = at(offsets, cell)
    const end = at(offsets, cell + 1)
    const last = dim > 0 ? Math.min(end, start + dim) : end
    let whole = last > start
    if (whole && last - start < dim) {
      short++
      whole = false
    }
    for (let i = start; i < last && whole; i++) if (Number.isNaN(numbers[i])) whole = false
    if (whole) for (let i = start; i < last; i++) out.push(at(numbers, i))
    else {
      missing++
      for (const value of defaults) out.push(value)
    }
    ends.end(out.length)
  }
  tally(counters.malformed, feature, short)
  tally(counters.missing, feature, missing)
  if (defaults.length > 0) tally(counters.defaults, feature, missing)
  return { ...bags, offsets: ends.finish(), numbers: out.finish() }
}
