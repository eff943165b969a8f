import type { DType, Tensor } from '@eas/base'
import type { Op } from '../op.ts'
import type { HostAttrs, HostOp, HostTable } from './program.ts'
import {
  allocate,
  bigints,
  boolAttr,
  fresh,
  invalid,
  latin1,
  numberAttr,
  numbers,
  numericTensor,
  pick,
  sizeOfShape,
  stringAttr,
  typed,
} from './values.ts'

/** Rows as sets, and how often each value is in a row. TF: core/ops/set_ops.cc, count_ops.cc (2.16). */

/** A batch of sets: the last axis of a dense tensor, or of a sparse one, holds the members. */
interface Sets {
  readonly values: Tensor
  /** Sizes but the last. */
  readonly batch: readonly number[]
  /** Positions in `values` of the members of each set, row by row of the batch. */
  readonly members: readonly (readonly number[])[]
}

function denseSets(x: Tensor | undefined): Sets {
  if (!x || x.shape.length < 2) throw invalid('sets are rows of a tensor of two axes or more')
  const batch = x.shape.slice(0, -1)
  const width = x.shape.at(-1) ?? 0
  const rows = allocate(sizeOfShape(batch))
  return {
    values: x,
    batch,
    members: Array.from({ length: rows }, (_, r) => Array.from({ length: width }, (_, k) => r * width + k)),
  }
}

function sparseSets(indices: Tensor | undefined, values: Tensor | undefined, shape: Tensor | undefined): Sets {
  const batch = numbers(shape).slice(0, -1)
  const rank = batch.length + 1
  if (!values || rank < 2) throw invalid('sets are rows of a tensor of two axes or more')
  const members: number[][] = Array.from({ length: allocate(sizeOfShape(batch)) }, () => [])
  const at = numbers(indices)
  for (let i = 0; i * rank < at.length; i++) {
    const row = batch.reduce((sum, size, k) => sum * size + (at[i * rank + k] ?? 0), 0)
    const set = members[row]
    if (!set) throw invalid(`a set of row ${row} of ${members.length}`)
    set.push(i)
  }
  return { values, batch, members }
}

type Key = string | number | bigint
const keysOf = (t: Tensor): readonly Key[] =>
  t.dtype === 'string' ? t.data.map(latin1) : Array.from<number | bigint>(t.data)
const inOrder = (a: Key, b: Key): number => (a < b ? -1 : a > b ? 1 : 0)

const operations: Readonly<Record<string, (inA: boolean, inB: boolean) => boolean>> = {
  'a-b': (inA, inB) => inA && !inB,
  'b-a': (inA, inB) => inB && !inA,
  intersection: (inA, inB) => inA && inB,
  union: () => true,
}

/** A sparse tensor of the sets that come of two, each in order. */
function combine(a: Sets, b: Sets, attrs: HostAttrs): Tensor[] {
  const keep = operations[stringAttr(attrs, 'set_operation')]
  if (!keep) throw invalid(`no operation on sets is called ${stringAttr(attrs, 'set_operation')}`)
  if (a.batch.join() !== b.batch.join()) throw invalid(`sets of shape [${a.batch}] do not go with [${b.batch}]`)
  const [ofA, ofB] = [keysOf(a.values), keysOf(b.values)]
  const rows = a.members.map((members, row) => {
    const where = new Map<Key, { readonly a?: number; readonly b?: number }>()
    for (const i of members) where.set(ofA[i] ?? 0, { a: i })
    for (const i of b.members[row] ?? []) where.set(ofB[i] ?? 0, { ...where.get(ofB[i] ?? 0), b: i })
    return [...where].filter(([, at]) => keep(at.a !== undefined, at.b !== undefined)).sort(([x], [y]) => inOrder(x, y))
  })
  const found = rows.flat().map(([, at]) => at)
  const count = a.values.shape.length === 0 ? 0 : sizeOfShape(a.values.shape)
  // Members of either, as elements of both tensors laid end to end.
  const both = joined(a.values, b.values)
  const values = pick(
    both,
    found.map(({ a: i, b: j }) => i ?? count + (j ?? 0)),
    [found.length],
  )
  const widest = rows.reduce((most, row) => Math.max(most, row.length), 0)
  return sparseOf(
    a.batch,
    rows.map((row) => row.map((_, k) => k)),
    widest,
    values,
  )
}

function joined(a: Tensor, b: Tensor): Tensor {
  if (a.dtype === 'string' && b.dtype === 'string')
    return { dtype: 'string', shape: [a.data.length + b.data.length], data: [...a.data, ...b.data] }
  if (a.dtype !== b.dtype) throw invalid(`sets of ${a.dtype} do not go with sets of ${b.dtype}`)
  return numericTensor(a.dtype, [...bigintsOrNumbers(a), ...bigintsOrNumbers(b)])
}

const bigintsOrNumbers = (t: Tensor): readonly (number | bigint)[] =>
  t.dtype === 'int64' || t.dtype === 'uint64' ? bigints(t) : numbers(t)

/** Indices, values and shape of a sparse tensor whose rows have values in the columns given. */
function sparseOf(
  batch: readonly number[],
  columns: readonly (readonly number[])[],
  width: number,
  values: Tensor,
): Tensor[] {
  const rank = batch.length + 1
  const indices = columns.flatMap((row, r) => row.flatMap((k) => [...coordinates(r, batch), k]))
  return [
    numericTensor('int64', indices, [indices.length / rank, rank]),
    values,
    numericTensor('int64', [...batch, width]),
  ]
}

function coordinates(row: number, batch: readonly number[]): number[] {
  const result: number[] = []
  let rest = row
  for (const size of batch.toReversed()) {
    result.unshift(rest % size)
    rest = Math.floor(rest / size)
  }
  return result
}

const setOperation = (count: readonly [a: 1 | 3, b: 1 | 3], dtypeAt: number): HostOp => {
  const [a, b] = count
  const read = (inputs: readonly (Tensor | undefined)[], from: number, n: 1 | 3): Sets =>
    n === 1 ? denseSets(inputs[from]) : sparseSets(inputs[from], inputs[from + 1], inputs[from + 2])
  return {
    run: (inputs, attrs) => combine(read(inputs, 0, a), read(inputs, a, b), attrs),
    infer: (op) => {
      const rank = a === 1 ? op.tensor(0).shape.length : Number(op.tensor(2).shape[0] ?? 2)
      return sparseTypes(op, op.tensor(dtypeAt).dtype as DType, rank)
    },
  }
}

const sparseTypes = (op: Op, dtype: DType, rank: number) => {
  const n = fresh(op)
  return [typed('int64', [n, rank]), typed(dtype, [n]), typed('int64', [rank])]
}

/** How often each value is in a row, or the sum of its weights, as a sparse tensor. */
function countRows(
  rows: readonly (readonly number[])[],
  isMatrix: boolean,
  weightsOf: (row: number, k: number) => number | undefined,
  attrs: HostAttrs,
  dtype: DType,
): Tensor[] {
  const [least, most] = [numberAttr(attrs, 'minlength', -1), numberAttr(attrs, 'maxlength', -1)]
  const isBinary = boolAttr(attrs, 'binary_output')
  let largest = -1
  const counted = rows.map((row, r) => {
    const counts = new Map<number, number>()
    for (const [k, v] of row.entries()) {
      if (v < 0) throw invalid(`${v} is counted, which is below 0`)
      if (most >= 0 && v >= most) continue
      largest = Math.max(largest, v)
      counts.set(v, isBinary ? 1 : (counts.get(v) ?? 0) + (weightsOf(r, k) ?? 1))
    }
    return [...counts].sort(([a], [b]) => a - b)
  })
  const width = most >= 0 ? most : Math.max(largest + 1, least)
  const values = numericTensor(
    dtype,
    counted.flat().map(([, count]) => count),
  )
  const columns = counted.map((row) => row.map(([v]) => v))
  return sparseOf(isMatrix ? [rows.length] : [], columns, width, values)
}

const countTypes = (weightsAt: number, rank: (op: Op) => number): HostOp['infer'] => {
  return (op) => sparseTypes(op, (op.attr.dtype('output_type') ?? op.tensor(weightsAt).dtype) as DType, rank(op))
}

const weightIn = (weights: Tensor | undefined): readonly number[] =>
  weights && sizeOfShape(weights.shape) > 0 ? numbers(weights) : []

const denseCounts: HostOp = {
  run: ([values, weights], attrs) => {
    const flat = numbers(values)
    const isMatrix = values?.shape.length === 2
    const width = isMatrix ? (values.shape[1] ?? 0) : flat.length
    const count = isMatrix ? (values.shape[0] ?? 0) : 1
    const rows = Array.from({ length: count }, (_, r) => flat.slice(r * width, (r + 1) * width))
    const w = weightIn(weights)
    return countRows(rows, isMatrix, (r, k) => w[r * width + k], attrs, weights?.dtype ?? 'int64')
  },
  infer: countTypes(1, (op) => op.tensor(0).shape.length),
}

const sparseCounts: HostOp = {
  run: ([indices, values, shape, weights], attrs) => {
    const sizes = numbers(shape)
    const isMatrix = sizes.length === 2
    const [at, flat, w] = [numbers(indices), numbers(values), weightIn(weights)]
    const places: number[][] = Array.from({ length: isMatrix ? allocate(sizes[0] ?? 0) : 1 }, () => [])
    for (const i of flat.keys()) places[isMatrix ? (at[2 * i] ?? 0) : 0]?.push(i)
    const rows = places.map((row) => row.map((i) => flat[i] ?? 0))
    return countRows(rows, isMatrix, (r, k) => w[places[r]?.[k] ?? 0], attrs, weights?.dtype ?? 'int64')
  },
  infer: countTypes(3, (op) => Number(op.tensor(2).shape[0] ?? 2)),
}

const raggedCounts: HostOp = {
  run: ([splits, values, weights], attrs) => {
    const [ends, flat, w] = [numbers(splits), numbers(values), weightIn(weights)]
    const rows = ends.slice(1).map((end, r) => flat.slice(ends[r], end))
    return countRows(rows, true, (r, k) => w[(ends[r] ?? 0) + k], attrs, weights?.dtype ?? 'int64')
  },
  infer: countTypes(2, () => 2),
}

export const setOps: HostTable = {
  DenseToDenseSetOperation: setOperation([1, 1], 0),
  DenseToSparseSetOperation: setOperation([1, 3], 0),
  SparseToSparseSetOperation: setOperation([3, 3], 1),
  SetSize: {
    run: ([indices, values, shape]) => {
      const { values: all, members, batch } = sparseSets(indices, values, shape)
      const keys = keysOf(all)
      const sizes = members.map((set) => new Set(set.map((i) => keys[i] ?? 0)).size)
      return [numericTensor('int32', sizes, batch)]
    },
    infer: (op) => {
      const rank = Number(op.tensor(2).shape[0] ?? 2)
      return [
        typed(
          'int32',
          Array.from({ length: rank - 1 }, () => fresh(op)),
        ),
      ]
    },
  },
  DenseCountSparseOutput: denseCounts,
  SparseCountSparseOutput: sparseCounts,
  RaggedCountSparseOutput: raggedCounts,
}
