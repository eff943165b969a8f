import type { FileCursor } from '../file-cursor.ts'
import { type Metric, maxDimension } from '../kernel/kernel.ts'
import { corrupt, unsupported } from '../recall-error.ts'

/** What every index begins with. */
export interface Header {
  readonly d: number
  readonly ntotal: number
  readonly isTrained: boolean
  readonly metric: Metric
}

/** `MetricType` by number: faiss/MetricType.h. The others (L1, Linf, Lp, Canberra, …) carry an argument and are not made by TorchEasyRec. */
const metrics: readonly Metric[] = ['ip', 'l2']

/** @see https://github.com/facebookresearch/faiss/blob/v1.9.0/faiss/impl/index_write.cpp `write_index_header` */
export function readHeader(cursor: FileCursor): Header {
  const d = cursor.i32('the dimension')
  if (d < 1 || d > maxDimension) throw corrupt(`its dimension is ${d}, not between 1 and ${maxDimension}`)
  const ntotal = cursor.count('ntotal')
  cursor.skip(16, 'the header') // two fields no longer in use
  const isTrained = cursor.flag('is_trained')
  const type = cursor.i32('the metric')
  const metric = metrics[type]
  if (!metric) throw unsupported(`its metric is number ${type}, neither inner product (0) nor L2 (1)`)
  return { d, ntotal, isTrained, metric }
}
