import { dims, emit, refuse, scalar, type Value } from '@eas/onnx'
import type { Lowering, Op, OpTable } from '../op.ts'
import { binary, compare, num, unary, where } from './elementwise.ts'
import { flipped } from './linalg.ts'

/**
 * Systems of linear equations, a column at a time for all matrices of a batch at once. TF: core/ops/linalg_ops.cc (2.16).
 * ONNX has Det alone.
 */

/** Rows of the largest matrix whose elimination is written out, a dozen nodes each. */
const maxRows = 128

interface Matrix {
  readonly x: Value
  /** Rows; known. */
  readonly n: number
  /** Axes of rows and columns. */
  readonly rows: number
  readonly columns: number
}

function matrix(op: Op, i: number): Matrix {
  const x = op.x(i)
  const rank = x.shape.length
  const n = x.shape[rank - 2]
  if (typeof n !== 'number' || n > maxRows)
    throw refuse(`a matrix of ${n} rows`, op.node.name, `Fix the number of its rows, at most ${maxRows}`)
  if (x.dtype !== 'float32' && x.dtype !== 'float64') throw refuse(`matrices of ${x.dtype}`, op.node.name, 'Use floats')
  return { x, n, rows: rank - 2, columns: rank - 1 }
}

/** Row or column `k`, its axis kept. */
const line = (op: Op, x: Value, axis: number, k: number): Value => emit.slice(op.g, x, axis, k, k + 1)

/** `[n, 1]`: whether a row stands in the given relation to row `k`. */
const whereRow = (op: Op, n: number, is: 'Equal' | 'Greater' | 'Less', k: number): Value =>
  compare(op, is, op.g.numbers('int64', [n, 1], [...new Array(n).keys()]), scalar('int64', k))

interface Eliminated {
  /** What the columns beyond the first `n` have become: the solutions. */
  readonly solution: Value | undefined
  /** `[…, 1, 1]` for each row. */
  readonly pivots: readonly Value[]
  /** Whether rows changed places for it, `[…, 1, 1]`, for each row. */
  readonly swaps: readonly Value[]
}

/** Gauss and Jordan's elimination of `[…, n, n + m]`, rows chosen by the largest of a column. */
function eliminate(op: Op, augmented: Value, { n, rows, columns }: Matrix): Eliminated {
  const { g } = op
  const pivots: Value[] = []
  const swaps: Value[] = []
  let x = augmented
  const places = g.numbers('int64', [n, 1], [...new Array(n).keys()])
  for (let k = 0; k < n; k++) {
    const isRow = whereRow(op, n, 'Equal', k)
    const size = where(op, whereRow(op, n, 'Less', k), num(x, -1), unary(op, 'Abs', line(op, x, columns, k)))
    const best = g.one('ArgMax', [size], 'int64', size.shape.with(rows, 1), { axis: rows, keepdims: 1 })
    const isBest = compare(op, 'Equal', places, best)
    const [here, there] = [
      line(op, x, rows, k),
      emit.reduce(g, 'ReduceSum', where(op, isBest, x, num(x, 0)), [rows], true),
    ]
    x = where(op, isRow, there, where(op, isBest, here, x))
    const pivot = line(op, line(op, x, rows, k), columns, k)
    const row = binary(op, 'Div', line(op, x, rows, k), pivot)
    const factors = where(op, isRow, num(x, 0), line(op, x, columns, k))
    x = where(op, isRow, row, binary(op, 'Sub', x, binary(op, 'Mul', factors, row)))
    pivots.push(pivot)
    swaps.push(compare(op, 'Equal', best, scalar('int64', k)))
  }
  const width = x.shape[columns] ?? n
  return { solution: width === n ? undefined : emit.slice(g, x, columns, n, width), pivots, swaps }
}

/** Both are of one batch. */
function solved(op: Op, a: Matrix, b: Value): Value {
  return eliminate(op, emit.concat(op.g, [a.x, b], a.columns), a).solution ?? b
}

const adjointOf = (op: Op, a: Matrix, isAdjoint: boolean): Matrix => ({ ...a, x: flipped(op, a.x, isAdjoint) })

function identity(op: Op, { x, n }: Matrix): Value {
  const ones = Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0))
  return op.g.numbers(x.dtype, [n, n], ones)
}

const inverse: Lowering = (op) => {
  const a = matrix(op, 0)
  const ones = emit.expand(op.g, identity(op, a), a.x.shape)
  return solved(op, adjointOf(op, a, op.attr.bool('adjoint')), ones)
}

const solve: Lowering = (op) => solved(op, adjointOf(op, matrix(op, 0), op.attr.bool('adjoint')), op.x(1))

/** A row after the other, each taken off those behind it; what lies beyond the diagonal is not looked at. */
const triangularSolve: Lowering = (op) => {
  const isAdjoint = op.attr.bool('adjoint')
  const a = adjointOf(op, matrix(op, 0), isAdjoint)
  const isLower = op.attr.bool('lower', true) !== isAdjoint
  const order = [...new Array(a.n).keys()]
  if (!isLower) order.reverse()
  let rest = op.x(1)
  const found: Value[] = []
  for (const k of order) {
    const column = line(op, a.x, a.columns, k)
    const row = binary(op, 'Div', line(op, rest, rest.shape.length - 2, k), line(op, column, a.rows, k))
    rest = binary(op, 'Sub', rest, binary(op, 'Mul', column, row))
    found[k] = row
  }
  const [first] = found
  return first ? emit.concat(op.g, found, first.shape.length - 2) : rest
}

/** Columns of the lower triangle; only that of the input is looked at. */
const cholesky: Lowering = (op) => {
  const { x, n, rows, columns } = matrix(op, 0)
  let rest = x
  const found: Value[] = []
  for (let k = 0; k < n; k++) {
    const column = line(op, rest, columns, k)
    const root = unary(op, 'Sqrt', line(op, column, rows, k))
    const scaled = where(op, whereRow(op, n, 'Less', k), num(x, 0), binary(op, 'Div', column, root))
    rest = binary(op, 'Sub', rest, binary(op, 'Mul', scaled, flipped(op, scaled, true)))
    found.push(scaled)
  }
  return found.length > 0 ? emit.concat(op.g, found, columns) : x
}

/** Sign of the determinant, and the logarithm of its size. */
const logDeterminant: Lowering = (op) => {
  const a = matrix(op, 0)
  const { pivots, swaps } = eliminate(op, a.x, a)
  const batch = a.x.shape.slice(0, -2)
  const one = emit.expand(op.g, num(a.x, 1), [...batch, 1, 1])
  const signs = pivots.map((p, k) =>
    where(op, swaps[k] as Value, unary(op, 'Sign', p), unary(op, 'Neg', unary(op, 'Sign', p))),
  ) // one for each pivot
  const logs = pivots.map((p) => unary(op, 'Log', unary(op, 'Abs', p)))
  const zero = binary(op, 'Sub', one, one)
  const both = [
    signs.reduce((x, y) => binary(op, 'Mul', x, y), one),
    logs.reduce((x, y) => binary(op, 'Add', x, y), zero),
  ]
  return both.map((v) => emit.reshape(op.g, v, batch))
}

/** A band of three diagonals, above, on and below, times a matrix. */
const tridiagonalProduct: Lowering = (op) => {
  const [above, on, below, x] = op.xs(0, 4) as [Value, Value, Value, Value] // the operator has four inputs
  const rows = x.shape.length - 2
  const n = x.shape[rows] ?? 1
  const turned = (v: Value): Value => flipped(op, v, true) // […, 1, n] → […, n, 1]
  const none = x.shape.map(() => 0)
  const up = emit.pad(op.g, emit.slice(op.g, x, rows, 1, n), none, none.with(rows, 1))
  const down = emit.pad(op.g, emit.slice(op.g, x, rows, 0, dims.sub(n, 1)), none.with(rows, 1), none)
  const parts = [
    [above, up],
    [on, x],
    [below, down],
  ] as const
  return parts.map(([d, v]) => binary(op, 'Mul', turned(d), v)).reduce((a, b) => binary(op, 'Add', a, b))
}

export const solveOps: OpTable = {
  MatrixInverse: inverse,
  MatrixSolve: solve,
  MatrixTriangularSolve: triangularSolve,
  Cholesky: cholesky,
  LogMatrixDeterminant: logDeterminant,
  TridiagonalMatMul: tridiagonalProduct,
}
