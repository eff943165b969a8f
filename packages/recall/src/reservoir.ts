import { type Collector, type Hits, lowestScore, type TieBreak, TopK } from './top-k.ts'

/** FAISS keeps a reservoir instead of a heap from this many neighbours on: `distance_compute_min_k_reservoir`. */
export const minReservoirK = 100

/**
 * FAISS's other collector: room for twice as many candidates, thinned out whenever it is full. It is faster than a heap
 * for a large `k`, and which of several equal scores on the verge stay depends on it; hence the same steps here.
 *
 * @see https://github.com/facebookresearch/faiss/blob/v1.9.0/faiss/impl/ResultHandler.h `ReservoirTopN`
 * @see https://github.com/facebookresearch/faiss/blob/v1.9.0/faiss/utils/partitioning.cpp `partition_fuzzy_median3`
 */
export class Reservoir implements Collector {
  threshold = lowestScore
  private readonly k: number
  private readonly tieBreak: TieBreak
  private count = 0
  private readonly scores: Float32Array
  private readonly positions: Float64Array

  constructor(k: number, tieBreak: TieBreak) {
    const capacity = (2 * k + 15) & ~15
    this.k = k
    this.tieBreak = tieBreak
    this.scores = new Float32Array(capacity)
    this.positions = new Float64Array(capacity)
  }

  add(score: number, position: number): number {
    if (this.count === this.scores.length) this.thin()
    this.scores[this.count] = score
    this.positions[this.count++] = position
    return this.threshold
  }

  finish(): Hits {
    const best = new TopK(this.k, this.tieBreak)
    for (let i = 0; i < this.count; i++) {
      const score = this.scores[i] as number // i < count
      if (score > best.threshold) best.add(score, this.positions[i] as number)
    }
    return best.finish()
  }

  /** Keeps between `k` and halfway to the capacity of the best, in the order in which they came. */
  private thin(): void {
    const { scores, k } = this
    const most = (scores.length + k) >> 1
    let [above, below] = [-lowestScore, lowestScore]
    let threshold = median(value(scores, 0), value(scores, scores.length >> 1), value(scores, scores.length - 1))
    let [better, keep] = [0, 0]
    for (let round = 0; round < 200; round++) {
      let equal = 0
      better = 0
      for (const score of scores) {
        if (score > threshold) better++
        else if (score === threshold) equal++
      }
      if (better <= k) {
        keep = k
        if (better + equal >= k) break
        keep = 0
        above = threshold
      } else if (better <= most) {
        keep = better
        break
      } else below = threshold
      const next = this.sample(above, below)
      if (next === above) break // nothing lies between the two
      threshold = next
    }
    this.compress(threshold, Math.max(keep - better, 0), most)
    this.threshold = threshold
  }

  /** The median of three scores between the bounds, taken from all over the reservoir; `above` when there are none. */
  private sample(above: number, below: number): number {
    const bigPrime = 6_700_417
    const found: number[] = []
    for (let i = 0; i < this.scores.length && found.length < 3; i++) {
      const score = value(this.scores, (i * bigPrime) % this.scores.length)
      if (score < above && score > below) found.push(score)
    }
    const [first = above, second, third] = found
    return second === undefined || third === undefined ? first : median(first, second, third)
  }

  /** `most` bounds what is kept when infinite scores, for which no threshold can be sampled, outnumber it. */
  private compress(threshold: number, equals: number, most: number): void {
    const { scores, positions } = this
    let [kept, equalsLeft] = [0, equals]
    for (let i = 0; i < scores.length && kept < most; i++) {
      const score = value(scores, i)
      if (score < threshold || (score === threshold && equalsLeft-- <= 0)) continue
      scores[kept] = score
      positions[kept++] = positions[i] as number // i < length
    }
    this.count = kept
  }
}

/** For an index known to be inside. */
const value = (scores: Float32Array, i: number): number => scores[i] as number

const median = (a: number, b: number, c: number): number => Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
