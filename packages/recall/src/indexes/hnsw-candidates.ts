/**
 * The best nodes met so far, at most `capacity`, and which of them have been expanded: a heap with the worst on top, whose
 * best is found by looking at all of it. That is a few hundred numbers in a row, next to thousands of vectors from all over
 * memory. The steps are FAISS's, because in what order equally near nodes are expanded decides what a search meets.
 *
 * @see https://github.com/facebookresearch/faiss/blob/v1.9.0/faiss/impl/HNSW.cpp `HNSW::MinimaxHeap`
 * @see https://github.com/facebookresearch/faiss/blob/v1.9.0/faiss/utils/Heap.h `heap_push`, `heap_pop`
 */
export class Candidates {
  /** -1 where the node has been expanded; it keeps its place until a better one needs it. */
  private readonly nodes: Int32Array
  private readonly scores: Float32Array
  /** Of equal scores the worse is the node with the lower number; else the higher. */
  private readonly lowIsWorse: boolean
  private count = 0
  private open = 0

  constructor(capacity: number, lowIsWorse: boolean) {
    this.nodes = new Int32Array(capacity)
    this.scores = new Float32Array(capacity)
    this.lowIsWorse = lowIsWorse
  }

  /** Adds a node, if there is room or the worst is worse. A score that is not a number counts as the worst. */
  push(node: number, given: number): void {
    const score = Number.isNaN(given) ? Number.NEGATIVE_INFINITY : given
    if (this.count === this.nodes.length) {
      if (!(score > this.scoreAt(0))) return
      if (this.nodeAt(0) !== -1) this.open--
      this.dropWorst()
    }
    let place = this.count++
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!this.isWorse(score, node, parent)) break
      this.move(parent, place)
      place = parent
    }
    this.scores[place] = score
    this.nodes[place] = node
    this.open++
  }

  /** Takes the best node that is not expanded; `undefined` when there is none, or when `efSearch` nodes are better. */
  popBest(efSearch: number): number | undefined {
    if (this.open === 0) return undefined
    const { nodes, scores, count } = this
    let place = -1
    let score = Number.NEGATIVE_INFINITY
    for (let i = 0; i < count; i++) {
      if (nodes[i] === -1 || (scores[i] as number) < score) continue // i < count; the last of equals is taken
      score = scores[i] as number
      place = i
    }
    const node = this.nodeAt(place)
    nodes[place] = -1
    this.open--
    let better = 0
    for (let i = 0; i < count; i++) if ((scores[i] as number) > score) better++
    return better >= efSearch ? undefined : node
  }

  private dropWorst(): void {
    const last = --this.count
    const [score, node] = [this.scoreAt(last), this.nodeAt(last)]
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child > last) break
      const right = child + 1
      if (right <= last && !this.isWorse(this.scoreAt(child), this.nodeAt(child), right)) child = right
      if (this.isWorse(score, node, child)) break
      this.move(child, place)
      place = child
    }
    this.move(last, place)
  }

  private isWorse(score: number, node: number, place: number): boolean {
    const other = this.scoreAt(place)
    if (score !== other) return score < other
    return this.lowIsWorse ? node < this.nodeAt(place) : node > this.nodeAt(place)
  }

  private move(from: number, to: number): void {
    this.scores[to] = this.scoreAt(from)
    this.nodes[to] = this.nodeAt(from)
  }

  /** For a place below `count`, or that `count` has just left. */
  private scoreAt(place: number): number {
    return this.scores[place] as number
  }

  private nodeAt(place: number): number {
    return this.nodes[place] as number
  }
}
