import { bytesOf, type Dim, dims, type ElementType, emit, refuse, scalar, type Value, vector } from '@eas/onnx'
import type { Lowering, Op, OpTable } from '../op.ts'
import { binary, compare, unary, where } from './elementwise.ts'
import { withoutRows, withRows } from './no-rows.ts'

/** Matrices. TF: core/ops/math_ops.cc, linalg_ops.cc, array_ops.cc (2.16). ONNX: opset 20. */

/** Rows and columns changed for each other. */
export const flipped = (op: Op, x: Value, flag: boolean): Value =>
  flag ? emit.transpose(op.g, x, emit.swapped(x.shape.length, x.shape.length - 2, x.shape.length - 1)) : x

/** TF transposes inside MatMul; ONNX wants Transpose nodes of its own. */
const matmul =
  (a: string, b: string): Lowering =>
  (op) => {
    const left = flipped(op, op.x(0), op.attr.bool(a))
    const right = flipped(op, op.x(1), op.attr.bool(b))
    return product(op, left, right, op.dtype('Tout', left.dtype))
  }

/** @param dtype Of the result; whole numbers may be summed in a wider type than theirs. */
export function product(op: Op, a: Value, b: Value, dtype: ElementType = a.dtype): Value {
  const kernel = emit.kernelType('MatMul', bytesOf(dtype) > bytesOf(a.dtype) ? dtype : a.dtype)
  const shape = [
    ...op.e.broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)),
    a.shape.at(-2) ?? 1,
    b.shape.at(-1) ?? 1,
  ]
  return emit.cast(
    op.g,
    op.one('MatMul', [emit.cast(op.g, a, kernel), emit.cast(op.g, b, kernel)], kernel, shape),
    dtype,
  )
}

/** Grappler's fusion of a matrix product with what follows it. @see core/ops/math_ops.cc _FusedMatMul */
const fusedMatMul: Lowering = (op) =>
  fused(
    op,
    product(op, flipped(op, op.x(0), op.attr.bool('transpose_a')), flipped(op, op.x(1), op.attr.bool('transpose_b'))),
  )

/** What grappler fused behind a product or convolution, with channels last. */
export function fused(op: Op, x: Value): Value {
  let result = x
  let next = 2
  for (const name of op.attr.strings('fused_ops')) {
    if (name === 'BiasAdd') result = binary(op, 'Add', result, op.x(next++))
    else if (name === 'FusedBatchNorm') {
      const [scale, offset, mean, variance] = op.xs(next, next + 4) as [Value, Value, Value, Value] // it takes four
      next += 4
      result = normalized(op, result, scale, offset, mean, variance)
    } else if (name === 'Add') result = binary(op, 'Add', result, op.x(next++))
    else if (name === 'Relu6') result = emit.clip(op.g, result, scalar(x.dtype, 0), scalar(x.dtype, 6))
    else if (name === 'LeakyRelu')
      result = unary(op, 'LeakyRelu', result, { alpha: { float: op.attr.float('leakyrelu_alpha', 0.2) } })
    else if (['Relu', 'Elu', 'Tanh', 'Sigmoid'].includes(name)) result = unary(op, name, result)
    else throw refuse(`the fused operator ${name} is not supported`, op.node.name)
  }
  return result
}

function normalized(op: Op, x: Value, scale: Value, offset: Value, mean: Value, variance: Value): Value {
  const epsilon = scalar(x.dtype, op.attr.float('epsilon', 1e-4))
  const factor = binary(op, 'Div', scale, unary(op, 'Sqrt', binary(op, 'Add', variance, epsilon)))
  return binary(op, 'Add', binary(op, 'Mul', binary(op, 'Sub', x, mean), factor), offset)
}

/**
 * An equation that is a product of matrices, one per place of a batch, as such: ONNX Runtime (1.30) ends the process when an
 * Einsum's batch is empty. Undefined for other equations.
 */
function matrixProduct(op: Op, terms: readonly string[], right: string): Value | undefined {
  const [a, b] = terms
  if (!a || !b || terms.length !== 2) return undefined
  const isPlain = (term: string): boolean => !term.includes('.') && new Set(term).size === term.length
  if (![a, b, right].every(isPlain)) return undefined
  const batch = [...right].filter((l) => a.includes(l) && b.includes(l))
  const summed = [...a].filter((l) => b.includes(l) && !right.includes(l))
  const [rows, columns] = [[...a].filter((l) => !b.includes(l)), [...b].filter((l) => !a.includes(l))]
  if ([rows, columns, summed].some((l) => l.length !== 1) || right.length !== batch.length + 2) return undefined
  const turned = (v: Value, from: string, to: readonly string[]): Value =>
    emit.transpose(
      op.g,
      v,
      to.map((l) => from.indexOf(l)),
    )
  const left = turned(op.x(0), a, [...batch, ...rows, ...summed])
  const result = product(op, left, turned(op.x(1), b, [...batch, ...summed, ...columns]))
  return turned(result, [...batch, ...rows, ...columns].join(''), [...right])
}

/** ONNX's Einsum reads the same equations; capital letters are letters of their own in both. */
const einsum: Lowering = (op) => {
  const equation = op.attr.string('equation').replaceAll(' ', '')
  const [left = '', right = ''] = equation.split('->')
  const terms = left.split(',')
  const inputs = op.xs()
  const matrices = matrixProduct(op, terms, right)
  if (matrices) return matrices
  const sizes = new Map<string, Dim>()
  let batch: Dim[] = []
  for (const [i, term] of terms.entries()) {
    const shape = inputs[i]?.shape ?? []
    const dots = term.indexOf('...')
    const letters = term.replace('...', '')
    const extra = shape.length - letters.length
    const at = (k: number): number => (dots >= 0 && k >= dots ? k + extra : k)
    for (const [k, letter] of [...letters].entries()) {
      const known = sizes.get(letter)
      const d = shape[at(k)] ?? 1
      sizes.set(letter, known === undefined ? d : op.e.broadcastDim(known, d))
    }
    if (dots >= 0) batch = op.e.broadcast(batch, shape.slice(dots, dots + extra))
  }
  const dots = right.indexOf('...')
  const shape: Dim[] = [...right.replace('...', '')].map((letter) => sizes.get(letter) ?? 1)
  if (dots >= 0) shape.splice(dots, 0, ...batch)
  const kernel = emit.kernelType('Einsum', inputs[0]?.dtype ?? 'float32')
  // Letters of a batch: the process ends where one of them is empty. Dots stand for axes that have no letter.
  const sizesOf = (l: string): Dim[] =>
    terms.flatMap((t, i) => (t.includes(l) ? [inputs[i]?.shape[t.indexOf(l)] ?? 1] : []))
  const isShared = ([size = 1, ...more]: readonly Dim[]): boolean =>
    more.length > 0 && more.every((d) => dims.same(d, size))
  const shared = dots >= 0 ? [] : [...right].filter((l) => isShared(sizesOf(l)))
  const axesIn = (term: string): number[] => shared.map((l) => term.indexOf(l)).filter((axis) => axis >= 0)
  const given = inputs.map((x, i) => withRows(op.g, emit.cast(op.g, x, kernel), axesIn(terms[i] ?? '')))
  const padded = shape.map((d, axis) => {
    const letter = right[axis] ?? ''
    const i = terms.findIndex((t) => shared.includes(letter) && t.includes(letter))
    return i < 0 ? d : (given[i]?.shape[terms[i]?.indexOf(letter) ?? 0] ?? d)
  })
  const result = withoutRows(op.g, op.one('Einsum', given, kernel, padded, { equation }), shape)
  return emit.cast(op.g, result, inputs[0]?.dtype ?? kernel)
}

/** 1 within a band around the diagonal of the last two axes, by comparing rows with columns. */
const bandPart: Lowering = (op) => {
  const x = op.x(0)
  const [rows = 1, columns = 1] = x.shape.slice(-2)
  const difference = binary(op, 'Sub', emit.iota(op.g, rows, 0, 2), emit.iota(op.g, columns, 1, 2))
  const [lower, upper] = [emit.cast(op.g, op.x(1), 'int64'), emit.cast(op.g, op.x(2), 'int64')]
  const zero = scalar('int64', 0)
  const isBelow = compare(op, 'Or', compare(op, 'Less', lower, zero), compare(op, 'LessOrEqual', difference, lower))
  const isAbove = compare(
    op,
    'Or',
    compare(op, 'Less', upper, zero),
    compare(op, 'LessOrEqual', unary(op, 'Neg', difference), upper),
  )
  const inside = compare(op, 'And', isBelow, isAbove)
  if (x.dtype === 'bool') return compare(op, 'And', x, inside)
  return where(op, inside, x, scalar(x.dtype, 0))
}

/** Ones on the diagonal `[n, n]`. */
const isDiagonal = (op: Op, rows: Dim, columns: Dim): Value =>
  compare(op, 'Equal', emit.iota(op.g, rows, 0, 2), emit.iota(op.g, columns, 1, 2))

const diagonal: Lowering = (op) => {
  const x = op.x(0)
  if (
    op.count > 1 &&
    op.inputs.length >= 5 &&
    (op.ints(1).some((k) => k !== 0) || op.ints(2)[0] !== -1 || op.ints(3)[0] !== -1)
  )
    throw refuse('diagonals beside the main one are not supported', op.node.name)
  const n = x.shape.at(-1) ?? 1
  const padding = op.count >= 5 ? op.x(4) : scalar(x.dtype, 0)
  return where(op, isDiagonal(op, n, n), emit.unsqueeze(op.g, x, [x.shape.length]), padding)
}

/** The main diagonal of the last two axes. */
const diagonalPart: Lowering = (op) => {
  const x = op.x(0)
  if (op.count > 1 && op.ints(1).some((k) => k !== 0))
    throw refuse('diagonals beside the main one are not supported', op.node.name)
  const rank = x.shape.length
  const [rows = 1, columns = 1] = x.shape.slice(-2)
  const hit = where(op, isDiagonal(op, rows, columns), x, scalar(x.dtype, 0))
  const onDiagonal = emit.reduce(op.g, 'ReduceSum', hit, [dims.less(columns, rows) ? rank - 1 : rank - 2])
  return dims.less(columns, rows)
    ? emit.slice(op.g, onDiagonal, rank - 2, 0, columns)
    : dims.less(rows, columns)
      ? emit.slice(op.g, onDiagonal, rank - 2, 0, rows)
      : onDiagonal
}

const setDiagonal: Lowering = (op) => {
  const x = op.x(0)
  const [rows = 1, columns = 1] = x.shape.slice(-2)
  if (op.count > 2 && op.ints(2).some((k) => k !== 0))
    throw refuse('diagonals beside the main one are not supported', op.node.name)
  return where(op, isDiagonal(op, rows, columns), emit.unsqueeze(op.g, op.x(1), [x.shape.length - 1]), x)
}

const cross: Lowering = (op) => {
  const [a, b] = [op.x(0), op.x(1)]
  const axis = a.shape.length - 1
  const turn = (x: Value, order: number[]): Value => emit.gather(op.g, x, vector(order), axis)
  const mul = (x: Value, y: Value): Value => binary(op, 'Mul', x, y)
  return binary(op, 'Sub', mul(turn(a, [1, 2, 0]), turn(b, [2, 0, 1])), mul(turn(a, [2, 0, 1]), turn(b, [1, 2, 0])))
}

/** A tensor on the diagonal of one of twice as many axes. */
const diag: Lowering = (op) => {
  const x = op.x(0)
  const n = dims.product(x.shape)
  const flat = emit.reshape(op.g, x, [n])
  const square = where(op, isDiagonal(op, n, n), emit.unsqueeze(op.g, flat, [1]), scalar(x.dtype, 0))
  return emit.reshape(op.g, square, [...x.shape, ...x.shape])
}

const diagPart: Lowering = (op) => {
  const x = op.x(0)
  const half = x.shape.slice(0, x.shape.length / 2)
  const n = dims.product(half)
  const hit = where(op, isDiagonal(op, n, n), emit.reshape(op.g, x, [n, n]), scalar(x.dtype, 0))
  return emit.reshape(op.g, emit.reduce(op.g, 'ReduceSum', hit, [0]), half)
}

export const linalgOps: OpTable = {
  MatMul: matmul('transpose_a', 'transpose_b'),
  SparseMatMul: matmul('transpose_a', 'transpose_b'),
  BatchMatMul: matmul('adj_x', 'adj_y'),
  BatchMatMulV2: matmul('adj_x', 'adj_y'),
  BatchMatMulV3: matmul('adj_x', 'adj_y'),
  _FusedMatMul: fusedMatMul,
  Einsum: einsum,
  MatrixBandPart: bandPart,
  MatrixDiag: diagonal,
  MatrixDiagV2: diagonal,
  MatrixDiagV3: diagonal,
  Diag: diag,
  MatrixDiagPart: diagonalPart,
  MatrixDiagPartV2: diagonalPart,
  MatrixDiagPartV3: diagonalPart,
  DiagPart: diagPart,
  MatrixSetDiag: setDiagonal,
  MatrixSetDiagV2: setDiagonal,
  MatrixSetDiagV3: setDiagonal,
  Cross: cross,
  MatrixDeterminant: (op) => op.one('Det', [op.x(0)], op.x(0).dtype, op.x(0).shape.slice(0, -2)),
}
