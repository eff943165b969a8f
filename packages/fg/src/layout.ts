import { at, type Bags, cellsOf } from './bags.ts'
import { checkCount, fgLimits } from './limits.ts'
import { int32s } from './pool.ts'

/** How the cells of several inputs meet: which cell of each input belongs to each cell of the output. */
export interface Layout {
  readonly rows: number
  readonly steps: Int32Array | undefined
  readonly cells: number
  readonly inputs: readonly Aligned[]
}

/** The cells of one input, by cell of the output. */
export interface Aligned {
  /** Cell `c` of the output is cell `index[c]` here; -1 is missing. Without it, cell `c * stride`. */
  readonly index: Int32Array | undefined
  /** 0 when one cell stands for all. */
  readonly stride: 0 | 1
}

/** The input's cell of an output cell; -1 when it is missing. */
export const cellOf = (aligned: Aligned, cell: number): number =>
  aligned.index ? at(aligned.index, cell) : cell * aligned.stride

const same: Aligned = { index: undefined, stride: 1 }
const one: Aligned = { index: undefined, stride: 0 }

/**
 * Lays inputs side by side: an input of one row stands for every row, one that is no sequence for every step of its row,
 * and so does a sequence of one step. A row has as many steps as its longest sequence.
 */
export function layOut(inputs: readonly Bags[]): Layout {
  let rows = 1
  let flat = true
  for (const input of inputs) {
    if (input.rows !== 1) rows = input.rows
    if (input.steps) flat = false
  }
  if (flat) {
    return { rows, steps: undefined, cells: rows, inputs: inputs.map((input) => (input.rows === rows ? same : one)) }
  }
  const steps = stepsOf(
    inputs.filter((input) => input.steps),
    rows,
  )
  const cells = at(steps, rows)
  return { rows, steps, cells, inputs: inputs.map((input) => align(input, rows, steps)) }
}

function stepsOf(sequences: readonly Bags[], rows: number): Int32Array {
  const [first] = sequences
  if (first?.steps && sequences.length === 1 && first.rows === rows) return first.steps
  const steps = int32s(rows + 1)
  for (let row = 0; row < rows; row++) {
    let longest = 0
    for (const { steps: own, rows: ownRows } of sequences) {
      if (!own) continue
      const r = ownRows === 1 ? 0 : row
      longest = Math.max(longest, at(own, r + 1) - at(own, r))
    }
    const end = at(steps, row) + longest
    checkCount(end, fgLimits.values, 'features', 'steps of a sequence')
    steps[row + 1] = end
  }
  return steps
}

function align(input: Bags, rows: number, steps: Int32Array): Aligned {
  if (input.steps === steps) return same
  if (cellsOf(input) === 1) return one
  const index = int32s(at(steps, rows))
  for (let row = 0; row < rows; row++) {
    const r = input.rows === 1 ? 0 : row
    const first = input.steps ? at(input.steps, r) : r
    const count = input.steps ? at(input.steps, r + 1) - first : 1
    const start = at(steps, row)
    const end = at(steps, row + 1)
    for (let cell = start; cell < end; cell++) {
      const step = cell - start
      if (count === 1) index[cell] = first
      else index[cell] = step < count ? first + step : -1
    }
  }
  return { index, stride: 1 }
}
