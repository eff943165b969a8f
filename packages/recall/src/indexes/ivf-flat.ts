import type { Kernel } from '../kernel/kernel.ts'
import { TopK } from '../top-k.ts'
import type { VectorIndex } from '../vector-index.ts'
import { collectRows } from './flat.ts'
import { type InvertedLists, tieBreakById } from './inverted-lists.ts'
import { type IvfHeader, listNumber, probe } from './ivf.ts'

/** Rows as they are, filed under the nearest of `nlist` centroids; the lists of the `nprobe` nearest ones are compared. */
export function ivfFlatIndex(kernel: Kernel, ivf: IvfHeader, lists: InvertedLists): VectorIndex {
  const { d, ntotal, metric } = ivf
  const tieBreak = tieBreakById(kernel.file, metric)
  return {
    type: 'IndexIVFFlat',
    d,
    ntotal,
    metric,
    search(query, k, params) {
      const near = probe(ivf, query, params)
      kernel.setQuery(query) // after the quantizer, which may have looked for another
      const best = new TopK(Math.min(k, Math.max(ntotal, 1)), tieBreak)
      for (const position of near.positions) {
        const list = listNumber(ivf, position)
        const [offset = 0, ids = 0, count = 0] = [lists.codes[list], lists.ids[list], lists.sizes[list]]
        collectRows(kernel, { metric, d, offset, count }, best, ids, 8)
      }
      return best.finish()
    },
    labelOf: (position) => kernel.file.getBigInt64(position, true),
  }
}
