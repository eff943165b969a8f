/** A merge of two neighbours that could be done: the place of the left one, and what tells whether it still can. */
export interface Merge {
  readonly left: number
  readonly result: number
  readonly score: number
}

/** Merges by score, the best first and of equals the leftmost: a binary heap. */
export class MergeQueue {
  readonly #heap: Merge[] = []

  push(merge: Merge): void {
    let at = this.#heap.push(merge) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = this.#heap[parent] as Merge // indices of the heap, here and below
      if (!isBefore(merge, above)) break
      this.#heap[at] = above
      at = parent
    }
    this.#heap[at] = merge
  }

  pop(): Merge | undefined {
    const [first] = this.#heap
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= this.#heap.length) break
      if (child + 1 < this.#heap.length && isBefore(this.#heap[child + 1] as Merge, this.#heap[child] as Merge)) child++
      const below = this.#heap[child] as Merge
      if (!isBefore(below, last)) break
      this.#heap[at] = below
      at = child
    }
    this.#heap[at] = last
    return first
  }
}

const isBefore = (a: Merge, b: Merge): boolean => a.score > b.score || (a.score === b.score && a.left < b.left)
