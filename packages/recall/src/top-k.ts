/** Float32's lowest value, negated as FAISS fills distances that are not there. C++: `std::numeric_limits<float>::lowest()`. */
export const lowestScore = -3.4028234663852886e38

/**
 * What a search found for one query, best first. A position says where in the index a row is; what id that row has,
 * only the index knows (`labelOf`).
 */
export interface Hits {
  /** Rows found: `k`, or fewer. */
  readonly count: number
  readonly scores: Float32Array
  readonly positions: Float64Array
}

/**
 * Collects the best of many candidates. A candidate enters only with a score above `threshold`, so that a caller's loop
 * can skip the rest without a call. A score that is not a number never enters.
 */
export interface Collector {
  readonly threshold: number
  /** Offers a candidate whose score is above `threshold`; gives the threshold from now on. */
  add(score: number, position: number): number
  /** The best, best first. The collector is spent. */
  finish(): Hits
}

/** Whether the row at position `a` is kept, and listed, before the row at `b` when both have the same score. */
export type TieBreak = (a: number, b: number) => boolean

/**
 * FAISS's binary heap: the worst of the kept on top, to be replaced. Of equal scores the one that came first stays; where
 * one of several equal ones must go, `tieBreak` says which.
 *
 * @see https://github.com/facebookresearch/faiss/blob/v1.9.0/faiss/utils/Heap.h `heap_replace_top`, `heap_reorder`
 */
export class TopK implements Collector {
  threshold = lowestScore
  private readonly k: number
  private readonly tieBreak: TieBreak
  private count = 0
  private readonly scores: Float32Array
  private readonly positions: Float64Array

  constructor(k: number, tieBreak: TieBreak) {
    this.k = k
    this.tieBreak = tieBreak
    this.scores = new Float32Array(k)
    this.positions = new Float64Array(k)
  }

  add(score: number, position: number): number {
    if (this.count < this.k) this.siftUp(this.count++, score, position)
    else this.siftDown(0, this.k, score, position)
    if (this.count === this.k) this.threshold = this.scores[0] as number // k is at least 1
    return this.threshold
  }

  finish(): Hits {
    const { count, scores, positions } = this
    for (let end = count - 1; end > 0; end--) {
      const [score, position] = [scores[end] as number, positions[end] as number] // end < count
      scores[end] = scores[0] as number
      positions[end] = positions[0] as number
      this.siftDown(0, end, score, position)
    }
    return { count, scores: scores.subarray(0, count), positions: positions.subarray(0, count) }
  }

  /** Whether the candidate belongs nearer to the top, among the worst, than what is at `node`. */
  private isWorse(score: number, position: number, node: number): boolean {
    const other = this.scores[node] as number // a node of the heap
    return score < other || (score === other && !this.tieBreak(position, this.positions[node] as number))
  }

  private place(node: number, score: number, position: number): void {
    this.scores[node] = score
    this.positions[node] = position
  }

  private move(from: number, to: number): void {
    this.place(to, this.scores[from] as number, this.positions[from] as number) // a node of the heap
  }

  private siftUp(from: number, score: number, position: number): void {
    let node = from
    while (node > 0) {
      const parent = (node - 1) >> 1
      if (!this.isWorse(score, position, parent)) break
      this.move(parent, node)
      node = parent
    }
    this.place(node, score, position)
  }

  private siftDown(from: number, size: number, score: number, position: number): void {
    let node = from
    for (;;) {
      let child = 2 * node + 1
      if (child >= size) break
      const right = child + 1
      if (right < size && this.isWorse(this.scores[right] as number, this.positions[right] as number, child))
        child = right
      if (this.isWorse(score, position, child)) break
      this.move(child, node)
      node = child
    }
    this.place(node, score, position)
  }
}
