import { blockRows, type Kernel, type Metric } from '../kernel/kernel.ts'
import type { Collector } from '../top-k.ts'
import { exhaustiveCollector, type VectorIndex } from '../vector-index.ts'

/** `ntotal` rows of `d` floats, end to end from byte `offset` on; every one is compared. */
export function flatIndex(kernel: Kernel, metric: Metric, d: number, ntotal: number, offset: number): VectorIndex {
  return {
    type: metric === 'ip' ? 'IndexFlatIP' : 'IndexFlatL2',
    d,
    ntotal,
    metric,
    search(query, k) {
      kernel.setQuery(query)
      const best = exhaustiveCollector(Math.min(k, Math.max(ntotal, 1)), metric)
      collectRows(kernel, { metric, d, offset, count: ntotal }, best, 0, 1)
      return best.finish()
    },
    labelOf: BigInt,
    reconstruct: (position) => readRow(kernel.file, offset + position * d * 4, d),
  }
}

export interface Rows {
  readonly metric: Metric
  readonly d: number
  /** Byte of the first row. */
  readonly offset: number
  readonly count: number
}

/** Scores rows against the kernel's query, block by block. Row `i` has position `firstPosition + i * step`. */
export function collectRows(kernel: Kernel, rows: Rows, best: Collector, firstPosition: number, step: number): void {
  const { scores } = kernel
  let threshold = best.threshold
  for (let start = 0; start < rows.count; start += blockRows) {
    const count = Math.min(blockRows, rows.count - start)
    kernel.score(rows.metric, rows.offset + start * rows.d * 4, count, rows.d)
    for (let i = 0; i < count; i++) {
      const score = scores[i] as number // i < blockRows
      if (score > threshold) threshold = best.add(score, firstPosition + (start + i) * step)
    }
  }
}

function readRow(file: DataView, offset: number, d: number): Float32Array {
  return Float32Array.from({ length: d }, (_, i) => file.getFloat32(offset + 4 * i, true))
}
