import type { Kernel } from '../kernel/kernel.ts'
import { unsupported } from '../recall-error.ts'
import { TopK } from '../top-k.ts'
import type { VectorIndex } from '../vector-index.ts'
import { type InvertedLists, tieBreakById } from './inverted-lists.ts'
import { type IvfHeader, listNumber, probe } from './ivf.ts'
import { type ProductQuantizer, scoreTable } from './product-quantizer.ts'

/**
 * Codes instead of rows, filed under the nearest centroid; with `byResidual` they stand for what a row differs from it by.
 * A code's score is the sum of `M` looks into a table made for the query, and the list when distances depend on it.
 *
 * @see https://github.com/facebookresearch/faiss/blob/v1.9.0/faiss/IndexIVFPQ.cpp
 */
export function ivfPqIndex(
  kernel: Kernel,
  ivf: IvfHeader,
  byResidual: boolean,
  pq: ProductQuantizer,
  lists: InvertedLists,
): VectorIndex {
  const { d, ntotal, metric, quantizer } = ivf
  const { file } = kernel
  const reconstruct = quantizer.reconstruct
  if (byResidual && !reconstruct) throw unsupported(`IndexIVFPQ of residuals over a quantizer ${quantizer.type}`)
  const tieBreak = tieBreakById(file, metric)
  const table = new Float32Array(pq.M * pq.ksub)
  const code = new Uint32Array(pq.M)

  /** Makes the table for one list. Gives what all of its scores have in common. */
  function prepare(query: Float32Array, position: number): number {
    if (!byResidual || !reconstruct) return 0
    const centroid = reconstruct(position)
    if (metric === 'ip') return dot(query, centroid)
    scoreTable(
      pq,
      query.map((value, i) => value - (centroid[i] ?? 0)),
      metric,
      table,
    )
    return 0
  }

  return {
    type: 'IndexIVFPQ',
    d,
    ntotal,
    metric,
    search(query, k, params) {
      const near = probe(ivf, query, params)
      const best = new TopK(Math.min(k, Math.max(ntotal, 1)), tieBreak)
      if (!byResidual || metric === 'ip') scoreTable(pq, query, metric, table)
      for (const position of near.positions) {
        const list = listNumber(ivf, position)
        const [codes = 0, ids = 0, size = 0] = [lists.codes[list], lists.ids[list], lists.sizes[list]]
        if (size === 0) continue
        const base = prepare(query, position)
        for (let i = 0; i < size; i++) {
          pq.readCode(file, codes + i * pq.codeSize, code)
          let score = base
          for (let m = 0; m < pq.M; m++) score += table[m * pq.ksub + (code[m] as number)] as number // codes are below ksub
          score = Math.fround(score)
          if (score > best.threshold) best.add(score, ids + 8 * i)
        }
      }
      return best.finish()
    },
    labelOf: (position) => file.getBigInt64(position, true),
  }
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
