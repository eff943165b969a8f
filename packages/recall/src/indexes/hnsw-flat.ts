import type { Kernel, Metric } from '../kernel/kernel.ts'
import { TopK } from '../top-k.ts'
import { tieBreakByPosition, type VectorIndex } from '../vector-index.ts'
import { Candidates } from './hnsw-candidates.ts'
import type { HnswGraph } from './hnsw-graph.ts'

/** Where the rows of the graph's nodes are. */
export interface Storage {
  readonly metric: Metric
  readonly d: number
  readonly ntotal: number
  readonly offset: number
}

/**
 * A walk through a graph of neighbours: greedily down the upper levels, then best first on the lowest, keeping
 * `max(efSearch, k)` candidates.
 *
 * @see https://github.com/facebookresearch/faiss/blob/v1.9.0/faiss/impl/HNSW.cpp `HNSW::search`, `search_from_candidates`
 */
export function hnswFlatIndex(kernel: Kernel, graph: HnswGraph, storage: Storage): VectorIndex {
  const { file, scores, rows } = kernel
  const { metric, d, ntotal } = storage
  const visited = visitedTable(ntotal)

  /** Scores the neighbours of `node` on `level` that `wants` accepts; they are in the kernel's `rows`. Gives their count. */
  function scoreNeighbors(node: number, level: number, wants: (neighbor: number) => boolean): number {
    const first = graph.offsets[node] as number // a node of the graph
    const end = first + (graph.below[level + 1] ?? 0)
    let count = 0
    for (let place = first + (graph.below[level] ?? 0); place < end; place++) {
      const neighbor = file.getInt32(graph.neighbors.offset + 4 * place, true)
      if (neighbor < 0) break
      if (wants(neighbor)) rows[count++] = neighbor
    }
    kernel.scoreAt(metric, storage.offset, count, d)
    return count
  }

  /** The node where no neighbour is nearer, on the lowest of the upper levels. */
  function descend(): { node: number; score: number } {
    let node = graph.entryPoint
    rows[0] = node
    kernel.scoreAt(metric, storage.offset, 1, d)
    let score = scores[0] as number // just written
    for (let level = graph.maxLevel; level >= 1; level--) {
      for (let start = -1; start !== node; ) {
        start = node
        const count = scoreNeighbors(start, level, () => true)
        for (let i = 0; i < count; i++) {
          if ((scores[i] as number) > score) [node, score] = [rows[i] as number, scores[i] as number] // i < count
        }
      }
    }
    return { node, score }
  }

  return {
    type: 'IndexHNSWFlat',
    d,
    ntotal,
    metric,
    search(query, k, params) {
      kernel.setQuery(query)
      const best = new TopK(Math.min(k, Math.max(ntotal, 1)), tieBreakByPosition(metric))
      if (ntotal === 0) return best.finish()
      const efSearch = params.efSearch ?? graph.efSearch
      const candidates = new Candidates(Math.min(Math.max(efSearch, k), ntotal), metric === 'ip')
      visited.clear()
      let threshold = best.threshold
      const consider = (node: number, score: number) => {
        if (score > threshold) threshold = best.add(score, node)
        candidates.push(node, score)
      }
      const entry = descend()
      visited.add(entry.node)
      consider(entry.node, entry.score)
      for (let node = candidates.popBest(efSearch); node !== undefined; node = candidates.popBest(efSearch)) {
        const count = scoreNeighbors(node, 0, visited.add)
        for (let i = 0; i < count; i++) consider(rows[i] as number, scores[i] as number) // i < count
      }
      return best.finish()
    },
    labelOf: BigInt,
  }
}

/** Which nodes a search has seen. Cleared by counting up instead of writing; `add` says whether the node is new. */
function visitedTable(ntotal: number): { clear(): void; add(node: number): boolean } {
  const seen = new Uint8Array(ntotal)
  let round = 0
  return {
    clear() {
      round = (round + 1) & 0xff
      if (round !== 0) return
      seen.fill(0)
      round = 1
    },
    add(node) {
      if (seen[node] === round) return false
      seen[node] = round
      return true
    },
  }
}
