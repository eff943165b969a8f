import type { FileCursor, Run } from '../file-cursor.ts'
import { blockRows } from '../kernel/kernel.ts'
import { corrupt, unsupported } from '../recall-error.ts'

/**
 * The layers of a navigable small world. The neighbours of a node at a level are the i32s from `start(node, level)` to
 * `end(node, level)`, places in `neighbors`; the first negative one ends the list.
 */
export interface HnswGraph {
  readonly entryPoint: number
  readonly maxLevel: number
  readonly efSearch: number
  readonly neighbors: Run
  /** Place of each node's first neighbour, `[ntotal]`. */
  readonly offsets: Float64Array
  /** Neighbours of a node on all levels below `level`, `[levels + 1]`. */
  readonly below: readonly number[]
}

/** Levels of a graph. One of 10^12 nodes with M = 4 has 20. */
const maxLevels = 128

/**
 * Reads a graph of `ntotal` nodes and follows every edge once, so that no search can leave it.
 *
 * @see https://github.com/facebookresearch/faiss/blob/v1.9.0/faiss/impl/index_write.cpp `write_HNSW`
 */
export function readHnswGraph(cursor: FileCursor, ntotal: number): HnswGraph {
  cursor.vector(8, 'assign_probas')
  const below = readBelow(cursor)
  const levels = cursor.vector(4, 'levels')
  const declaredOffsets = cursor.vector(8, 'offsets')
  const neighbors = cursor.vector(4, 'neighbors')
  const entryPoint = cursor.i32('entry_point')
  const maxLevel = cursor.i32('max_level')
  cursor.skip(4, 'efConstruction')
  const efSearch = cursor.i32('efSearch')
  cursor.skip(4, 'upper_beam')

  if (levels.count !== ntotal) throw corrupt(`it has levels of ${levels.count} of its ${ntotal} nodes`)
  if (declaredOffsets.count !== ntotal + 1) throw corrupt(`it has ${declaredOffsets.count} offsets for ${ntotal} nodes`)
  const { view } = cursor
  const levelsOf = (node: number) => view.getInt32(levels.offset + 4 * node, true)

  const offsets = new Float64Array(ntotal)
  let expected = 0n
  for (let node = 0; node < ntotal; node++) {
    const count = levelsOf(node)
    const size = below[count]
    if (count < 1 || size === undefined) throw corrupt(`node ${node} is on ${count} levels of ${below.length - 1}`)
    checkOffset(view, declaredOffsets, node, expected)
    offsets[node] = Number(expected)
    expected += BigInt(size)
  }
  checkOffset(view, declaredOffsets, ntotal, expected)
  if (expected !== BigInt(neighbors.count)) throw corrupt(`it has ${neighbors.count} neighbours instead of ${expected}`)

  const isEmpty = entryPoint === -1
  if (isEmpty ? ntotal > 0 : entryPoint < 0 || entryPoint >= ntotal) {
    throw corrupt(`its entry point is node ${entryPoint} of ${ntotal}`)
  }
  if (!isEmpty && (maxLevel < 0 || maxLevel >= levelsOf(entryPoint))) {
    throw corrupt(`its entry point is on ${levelsOf(entryPoint)} levels, its highest level is ${maxLevel}`)
  }
  if (efSearch < 1) throw corrupt(`its efSearch is ${efSearch}`)
  checkNeighbors(view, neighbors, { ntotal, below, levelsOf })
  return { entryPoint, maxLevel, efSearch, neighbors, offsets, below }
}

/** `cum_nneighbor_per_level`: starts at 0 and never falls. */
function readBelow(cursor: FileCursor): readonly number[] {
  const run = cursor.vector(4, 'cum_nneighbor_per_level')
  if (run.count < 1 || run.count > maxLevels) throw corrupt(`it has ${run.count - 1} levels`)
  const below = Array.from({ length: run.count }, (_, i) => cursor.view.getInt32(run.offset + 4 * i, true))
  if (below[0] !== 0 || below.some((size, i) => i > 0 && size < (below[i - 1] ?? 0))) {
    throw corrupt(`its neighbours per level are not running totals: ${below.slice(0, 8).join(', ')}`)
  }
  if (below.some((size, i) => size - (below[i - 1] ?? 0) > blockRows)) {
    throw unsupported(`its nodes have more than ${blockRows} neighbours on a level`)
  }
  return below
}

function checkOffset(view: DataView, offsets: Run, node: number, expected: bigint): void {
  const offset = view.getBigInt64(offsets.offset + 8 * node, true)
  if (offset !== expected) throw corrupt(`the neighbours of node ${node} start at ${offset} instead of ${expected}`)
}

interface Nodes {
  readonly ntotal: number
  readonly below: readonly number[]
  readonly levelsOf: (node: number) => number
}

/** Every neighbour is a node that is itself on that level; else its own neighbours there would be another node's. */
function checkNeighbors(view: DataView, neighbors: Run, { ntotal, below, levelsOf }: Nodes): void {
  let at = neighbors.offset
  for (let node = 0; node < ntotal; node++) {
    for (let level = 0; level < levelsOf(node); level++) {
      const size = (below[level + 1] as number) - (below[level] as number) // a node's levels are within `below`
      for (let i = 0; i < size; i++, at += 4) {
        const neighbor = view.getInt32(at, true)
        if (neighbor >= ntotal || (neighbor >= 0 && level > 0 && levelsOf(neighbor) <= level)) {
          throw corrupt(`node ${node} names node ${neighbor} of ${ntotal} as its neighbour on level ${level}`)
        }
      }
    }
  }
}
