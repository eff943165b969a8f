import type { Run } from '../file-cursor.ts'
import { corrupt } from '../recall-error.ts'
import type { VectorIndex } from '../vector-index.ts'

/** Gives the rows of another index ids of their own: the i64 at place `n` of `ids` is that of row `n`. */
export function idMapIndex(file: DataView, nested: VectorIndex, ids: Run): VectorIndex {
  return {
    type: `IndexIDMap of ${nested.type}`,
    d: nested.d,
    ntotal: nested.ntotal,
    metric: nested.metric,
    search: nested.search,
    labelOf(position) {
      const label = nested.labelOf(position)
      if (label < 0n || label >= BigInt(ids.count)) throw corrupt(`it has no id for row ${label} of ${ids.count}`)
      return file.getBigInt64(ids.offset + Number(label) * 8, true)
    },
  }
}
