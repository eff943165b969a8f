/**
 * Merges of two neighbours that could be done, by score, the best first and of equals the leftmost: a binary heap in typed
 * arrays. A merge is the place of the left one, and what tells whether it still can be done.
 */
export class MergeQueue {
  #lefts = new Int32Array(256)
  #results = new Int32Array(256)
  #scores = new Float64Array(256)
  #length = 0
  /** Of the merge that `pop` took. */
  left = 0
  result = 0

  push(left: number, result: number, score: number): void {
    if (this.#length === this.#lefts.length) this.#grow()
    let at = this.#length++
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#isBehind(parent, left, score)) break
      this.#move(parent, at)
      at = parent
    }
    this.#place(at, left, result, score)
  }

  /** Takes the first one; false when there is none. */
  pop(): boolean {
    if (this.#length === 0) return false
    this.left = this.#lefts[0] as number // the heap is not empty; indices below are within it
    this.result = this.#results[0] as number
    const last = --this.#length
    const left = this.#lefts[last] as number
    const score = this.#scores[last] as number
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= last) break
      const other = child + 1
      if (other < last && this.#isBehind(child, this.#lefts[other] as number, this.#scores[other] as number))
        child = other
      if (this.#isBehind(child, left, score)) break
      this.#move(child, at)
      at = child
    }
    this.#place(at, left, this.#results[last] as number, score)
    return true
  }

  /** Whether the entry at `at` comes after a merge of that place and score. */
  #isBehind(at: number, left: number, score: number): boolean {
    const own = this.#scores[at] as number
    return own < score || (own === score && (this.#lefts[at] as number) > left)
  }

  #move(from: number, to: number): void {
    this.#place(to, this.#lefts[from] as number, this.#results[from] as number, this.#scores[from] as number)
  }

  #place(at: number, left: number, result: number, score: number): void {
    this.#lefts[at] = left
    this.#results[at] = result
    this.#scores[at] = score
  }

  #grow(): void {
    const [lefts, results, scores] = [this.#lefts, this.#results, this.#scores]
    const length = lefts.length * 2
    this.#lefts = new Int32Array(length)
    this.#results = new Int32Array(length)
    this.#scores = new Float64Array(length)
    this.#lefts.set(lefts)
    this.#results.set(results)
    this.#scores.set(scores)
  }
}
