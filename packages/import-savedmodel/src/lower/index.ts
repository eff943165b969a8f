import type { OpTable } from '../op.ts'
import { colourOps } from './colour.ts'
import { complexOps } from './complex.ts'
import { controlOps } from './control.ts'
import { convOps } from './conv.ts'
import { elementwiseOps } from './elementwise.ts'
import { imageOps } from './image.ts'
import { indexOps } from './index-ops.ts'
import { linalgOps } from './linalg.ts'
import { listOps } from './lists.ts'
import { plumbingOps } from './plumbing.ts'
import { quantisedOps } from './quantised.ts'
import { raggedOps } from './ragged.ts'
import { reduceOps } from './reduce.ts'
import { resampleOps } from './resample.ts'
import { rnnOps } from './rnn.ts'
import { shapeOps } from './shape.ts'
import { solveOps } from './solve.ts'
import { sparseOps } from './sparse.ts'
import { speechOps } from './speech.ts'
import { tableOps } from './tables.ts'
import { textOps } from './text.ts'

/** The tables by family; a name is in one of them only. */
export const families: Readonly<Record<string, OpTable>> = {
  plumbing: plumbingOps,
  elementwise: elementwiseOps,
  shape: shapeOps,
  reduce: reduceOps,
  linalg: linalgOps,
  solve: solveOps,
  quantised: quantisedOps,
  complex: complexOps,
  conv: convOps,
  image: imageOps,
  colour: colourOps,
  resample: resampleOps,
  index: indexOps,
  sparse: sparseOps,
  ragged: raggedOps,
  control: controlOps,
  lists: listOps,
  rnn: rnnOps,
  tables: tableOps,
  text: textOps,
  speech: speechOps,
}

/** Every operator with a lowering. */
export const lowerings: OpTable = Object.assign({}, ...Object.values(families))
