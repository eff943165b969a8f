import type { OpTable } from '../op.ts'
import { controlOps } from './control.ts'
import { convOps } from './conv.ts'
import { elementwiseOps } from './elementwise.ts'
import { imageOps } from './image.ts'
import { indexOps } from './index-ops.ts'
import { linalgOps } from './linalg.ts'
import { listOps } from './lists.ts'
import { plumbingOps } from './plumbing.ts'
import { reduceOps } from './reduce.ts'
import { rnnOps } from './rnn.ts'
import { shapeOps } from './shape.ts'
import { tableOps } from './tables.ts'

/** The tables by family; a name is in one of them only. */
export const families: Readonly<Record<string, OpTable>> = {
  plumbing: plumbingOps,
  elementwise: elementwiseOps,
  shape: shapeOps,
  reduce: reduceOps,
  linalg: linalgOps,
  conv: convOps,
  image: imageOps,
  index: indexOps,
  control: controlOps,
  lists: listOps,
  rnn: rnnOps,
  tables: tableOps,
}

/** Every operator with a lowering. */
export const lowerings: OpTable = Object.assign({}, ...Object.values(families))
