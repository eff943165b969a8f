import type { DType, Tensor } from '@eas/base'
import type { OutputType } from '@eas/onnx'
import type { Op } from '../op.ts'
import { fingerprint64, fingerprintCat } from './fingerprint.ts'
import type { HostAttrs, HostTable } from './program.ts'
import {
  allocate,
  bigints,
  boolAttr,
  bytesOf,
  dtypeAttr,
  fresh,
  invalid,
  latin1,
  numberAttr,
  numbers,
  numericTensor,
  pick,
  scalars,
  sizeOfShape,
  strides,
  strings,
  stringTensor,
  typed,
} from './values.ts'

/** Sparse and ragged tensors whose values may be strings. TF: core/ops/sparse_ops.cc, ragged_conversion_ops.cc (2.16). */

/** Rows of an index matrix. */
function rowsOf(tensor: Tensor | undefined): number[][] {
  const [n = 0, rank = 0] = tensor?.shape ?? []
  const flat = numbers(tensor)
  return Array.from({ length: n }, (_, i) => flat.slice(i * rank, (i + 1) * rank))
}

const indexTensor = (rows: readonly (readonly number[])[], rank: number): Tensor =>
  numericTensor('int64', rows.flat(), [rows.length, rank])

const dtypeOfInput = (op: Op, i: number): DType => op.tensor(i).dtype

function fillEmptyRows([indices, values, shape, fallback]: readonly Tensor[]): Tensor[] {
  const rows = rowsOf(indices)
  const rank = indices?.shape[1] ?? 2
  const count = allocate(numbers(shape)[0] ?? 0)
  if (!values || !fallback) return []
  const byRow = new Map<number, number[]>()
  for (const [i, r] of rows.entries()) {
    const list = byRow.get(r[0] ?? 0)
    if (list) list.push(i)
    else byRow.set(r[0] ?? 0, [i])
  }
  const joined = concatFlat([values, fallback])
  const [order, outRows, empty] = [[] as number[], [] as number[][], [] as number[]]
  const back = new Array<number>(rows.length).fill(0)
  for (let row = 0; row < count; row++) {
    const list = byRow.get(row)
    empty.push(list ? 0 : 1)
    for (const i of list ?? []) {
      back[i] = order.length
      order.push(i)
      outRows.push(rows[i] ?? [])
    }
    if (!list) {
      order.push(rows.length)
      outRows.push([row, ...new Array<number>(rank - 1).fill(0)])
    }
  }
  return [
    indexTensor(outRows, rank),
    pick(joined, order, [order.length]),
    numericTensor('bool', empty),
    numericTensor('int64', back),
  ]
}

/** Elements of tensors of one type, one after the other. */
export function concatFlat(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors
  if (first?.dtype === 'string') return stringTensor(tensors.flatMap((t) => [...strings(t)]))
  const all = tensors.flatMap(scalars)
  return numericTensor(first?.dtype ?? 'float32', all)
}

function sparseToDense([indices, shape, values, fallback]: readonly Tensor[]): Tensor[] {
  if (!values || !fallback) return []
  const size = numbers(shape)
  const total = allocate(sizeOfShape(size))
  const step = strides(size)
  const flat = numbers(indices)
  const rank = indices?.shape.length === 2 ? (indices.shape[1] ?? 1) : size.length
  const count = rank === 0 ? 1 : flat.length / rank
  const order = new Array<number>(total).fill(0)
  for (let i = 0; i < count; i++) {
    let at = 0
    for (let k = 0; k < rank; k++) {
      const index = flat[i * rank + k] ?? 0
      if (index < 0 || index >= (size[k] ?? 1))
        throw invalid(
          `indices[${i}] = [${flat.slice(i * rank, (i + 1) * rank)}] is out of bounds: need 0 <= index < [${size}]`,
        )
      at += index * (step[k] ?? 1)
    }
    order[at] = values.shape.length === 0 ? 1 : i + 1
  }
  return [pick(concatFlat([fallback, values]), order, size)]
}

function sparseReshape([indices, from, to]: readonly Tensor[]): Tensor[] {
  const [before, wanted] = [numbers(from), numbers(to)]
  const size = sizeOfShape(before)
  const rest = wanted.filter((d) => d >= 0).reduce((a, b) => a * b, 1)
  const after = wanted.map((d) => (d < 0 ? (rest === 0 ? 0 : size / rest) : d))
  if (sizeOfShape(after) !== size)
    throw invalid(`a sparse tensor of shape [${before}] cannot have the shape [${wanted}]`)
  const [a, b] = [strides(before), strides(after)]
  const rows = rowsOf(indices).map((row) => {
    const flat = row.reduce((sum, d, k) => sum + d * (a[k] ?? 1), 0)
    return after.map((d, k) => Math.floor(flat / (b[k] ?? 1)) % d)
  })
  return [indexTensor(rows, after.length), numericTensor('int64', after)]
}

function compareRows(a: readonly number[], b: readonly number[]): number {
  for (const [k, x] of a.entries()) if (x !== b[k]) return x - (b[k] ?? 0)
  return 0
}

function reordered(rows: readonly (readonly number[])[], values: Tensor, rank: number): Tensor[] {
  const order = rows.map((_, i) => i).sort((i, j) => compareRows(rows[i] ?? [], rows[j] ?? []) || i - j)
  return [
    indexTensor(
      order.map((i) => rows[i] ?? []),
      rank,
    ),
    pick(values, order, [order.length]),
  ]
}

function sparseSlice([indices, values, , start, size]: readonly Tensor[], shape: readonly number[]): Tensor[] {
  if (!values) return []
  const [from, count] = [numbers(start), numbers(size)]
  const outShape = shape.map((d, k) => Math.max(0, Math.min(count[k] ?? 0, d - (from[k] ?? 0))))
  const kept: number[] = []
  const rows: number[][] = []
  for (const [i, row] of rowsOf(indices).entries()) {
    if (!row.every((d, k) => d >= (from[k] ?? 0) && d < (from[k] ?? 0) + (outShape[k] ?? 0))) continue
    kept.push(i)
    rows.push(row.map((d, k) => d - (from[k] ?? 0)))
  }
  return [indexTensor(rows, shape.length), pick(values, kept, [kept.length]), numericTensor('int64', outShape)]
}

function sparseConcat(inputs: readonly Tensor[], attrs: HostAttrs): Tensor[] {
  const n = inputs.length / 3
  const shapes = inputs.slice(2 * n).map(numbers)
  const rank = shapes[0]?.length ?? 0
  const given = numberAttr(attrs, 'concat_dim', 0)
  const axis = given < 0 ? given + rank : given
  let offset = 0
  const rows = inputs.slice(0, n).flatMap((t, i) => {
    const shifted = rowsOf(t).map((row) => row.map((d, k) => (k === axis ? d + offset : d)))
    offset += shapes[i]?.[axis] ?? 0
    return shifted
  })
  const [ids, values] = reordered(rows, concatFlat(inputs.slice(n, 2 * n)), rank)
  const shape = (shapes[0] ?? []).map((d, k) => (k === axis ? offset : Math.max(d, ...shapes.map((s) => s[k] ?? 0))))
  return ids && values ? [ids, values, numericTensor('int64', shape)] : []
}

/** One input of a cross: the features of each row. */
type Column = (row: number) => readonly (Uint8Array | bigint)[]

function columnsOf(inputs: readonly Tensor[], n: number): { columns: Column[]; batch: number } {
  let batch = -1
  const columns: Column[] = []
  for (let i = 0; i < n; i++) {
    const rows = new Map<number, (Uint8Array | bigint)[]>()
    const values = elementsOf(inputs[n + i])
    for (const [k, row] of rowsOf(inputs[i]).entries()) {
      const list = rows.get(row[0] ?? 0) ?? []
      list.push(values[k] ?? 0n)
      rows.set(row[0] ?? 0, list)
    }
    batch = Math.max(batch, numbers(inputs[2 * n + i])[0] ?? 0)
    columns.push((row) => rows.get(row) ?? [])
  }
  for (const dense of inputs.slice(3 * n)) {
    const [rows = 0, width = 1] = dense.shape
    const values = elementsOf(dense)
    batch = Math.max(batch, rows)
    columns.push((row) => values.slice(row * width, (row + 1) * width))
  }
  return { columns, batch: Math.max(batch, 0) }
}

const elementsOf = (t: Tensor | undefined): readonly (Uint8Array | bigint)[] =>
  t?.dtype === 'string' ? t.data : bigints(t)

/** Every combination of a feature per column, the last column's changing fastest. */
function* combinations(lists: readonly (readonly (Uint8Array | bigint)[])[]): Generator<(Uint8Array | bigint)[]> {
  if (lists.some((l) => l.length === 0)) return
  const at = lists.map(() => 0)
  for (;;) {
    yield lists.map((l, i) => l[at[i] ?? 0] ?? 0n)
    let k = lists.length - 1
    for (; k >= 0; k--) {
      at[k] = (at[k] ?? 0) + 1
      if ((at[k] ?? 0) < (lists[k]?.length ?? 0)) break
      at[k] = 0
    }
    if (k < 0) return
  }
}

function crossed(
  inputs: readonly Tensor[],
  n: number,
  combine: (features: readonly (Uint8Array | bigint)[]) => Uint8Array | bigint,
): Tensor[] {
  const { columns, batch } = columnsOf(inputs, n)
  const rows: number[][] = []
  const values: (Uint8Array | bigint)[] = []
  let most = 0
  for (let row = 0; row < batch; row++) {
    let count = 0
    for (const features of combinations(columns.map((c) => c(row)))) {
      rows.push([row, count++])
      values.push(combine(features))
      allocate(values.length)
    }
    most = Math.max(most, count)
  }
  const isText = values.some((v) => typeof v !== 'bigint')
  const data = isText
    ? stringTensor(values.map((v) => (typeof v === 'bigint' ? bytesOf(String(v)) : v)))
    : numericTensor(
        'int64',
        values.map((v) => (typeof v === 'bigint' ? v : 0n)),
      )
  return [indexTensor(rows, 2), data, numericTensor('int64', [batch, most])]
}

const maxInt64 = 2n ** 63n - 1n

/** @see core/kernels/sparse_cross_op.cc HashCrosser, StringCrosser */
function sparseCross(inputs: readonly Tensor[], attrs: HostAttrs): Tensor[] {
  const n = numberAttr(attrs, 'N', 0)
  if (!boolAttr(attrs, 'hashed_output')) return crossed(inputs, n, (features) => joinFeatures(features, '_X_'))
  const buckets = BigInt(numberAttr(attrs, 'num_buckets', 0))
  const key = BigInt(numberAttr(attrs, 'hash_key', 0))
  return crossed(inputs, n, (features) => {
    const hash = features.reduce<bigint>((h, f) => fingerprintCat(h, typeof f === 'bigint' ? f : fingerprint64(f)), key)
    return hash % (buckets > 0n ? buckets : maxInt64)
  })
}

const joinFeatures = (features: readonly (Uint8Array | bigint)[], separator: string): Uint8Array =>
  bytesOf(features.map((f) => (typeof f === 'bigint' ? String(f) : latin1(f))).join(separator), 'latin1')

const crossTypes = (op: Op): OutputType[] => {
  const n = fresh(op)
  return [
    typed('int64', [n, 2]),
    typed(op.attr.dtype('out_type') ?? (op.node.op === 'SparseCrossHashed' ? 'int64' : 'string'), [n]),
    typed('int64', [2]),
  ]
}

/** Values under nested row splits, as coordinates. */
function raggedToSparse(inputs: readonly Tensor[]): Tensor[] {
  const splits = inputs.slice(0, -1).map(numbers)
  const values = inputs.at(-1)
  if (!values) return []
  const inner = values.shape.slice(1)
  let paths: number[][] = Array.from({ length: (splits[0]?.length ?? 1) - 1 }, (_, i) => [i])
  const sizes = [(splits[0]?.length ?? 1) - 1]
  for (const split of splits) {
    const next: number[][] = []
    let most = 0
    for (const [i, path] of paths.entries()) {
      const count = Math.max(0, (split[i + 1] ?? 0) - (split[i] ?? 0))
      most = Math.max(most, count)
      allocate(next.length + count)
      for (let k = 0; k < count; k++) next.push([...path, k])
    }
    paths = next
    sizes.push(most)
  }
  const step = strides(inner)
  const each = sizeOfShape(inner)
  const rows = paths.flatMap((path) =>
    Array.from({ length: each }, (_, j) => [...path, ...inner.map((d, k) => Math.floor(j / (step[k] ?? 1)) % d)]),
  )
  const shape = [...sizes, ...inner]
  return [indexTensor(rows, shape.length), { ...values, shape: [rows.length] } as Tensor, numericTensor('int64', shape)] // the same elements
}

/** A dense tensor of ragged rows, padded with a default. */
function raggedToTensor(inputs: readonly Tensor[], attrs: HostAttrs): Tensor[] {
  const [shapeTensor, values, fallback, ...partitions] = inputs
  const types = attrs.row_partition_types
  if (!values || !fallback || !Array.isArray(types)) return []
  const kinds = types.map(String)
  const [first] = kinds
  const splits = (first === 'FIRST_DIM_SIZE' ? partitions.slice(1) : partitions).map((p, i) => {
    const kind = kinds[first === 'FIRST_DIM_SIZE' ? i + 1 : i]
    if (kind === 'ROW_SPLITS') return numbers(p)
    if (kind !== 'VALUE_ROWIDS') throw invalid(`row partitions of the type ${kind} are not supported`)
    const ids = numbers(p)
    const rows = first === 'FIRST_DIM_SIZE' && i === 0 ? (numbers(partitions[0])[0] ?? 0) : (ids.at(-1) ?? -1) + 1
    const ends = new Array<number>(allocate(rows) + 1).fill(0)
    for (const id of ids) ends[id + 1] = (ends[id + 1] ?? 0) + 1
    for (let k = 1; k < ends.length; k++) ends[k] = (ends[k] ?? 0) + (ends[k - 1] ?? 0)
    return ends
  })
  const [indices, flat, sizes] = raggedToSparse([...splits.map((s) => numericTensor('int64', s)), values])
  if (!indices || !flat || !sizes) return []
  const wanted = numbers(shapeTensor)
  const size = numbers(sizes).map((d, k) => ((wanted[k] ?? -1) >= 0 ? (wanted[k] ?? d) : d))
  const kept = rowsOf(indices)
    .map((r, i) => [r, i] as const)
    .filter(([r]) => r.every((d, k) => d < (size[k] ?? 0)))
  const shown = pick(
    flat,
    kept.map(([, i]) => i),
    [kept.length],
  )
  return sparseToDense([
    indexTensor(
      kept.map(([r]) => r),
      size.length,
    ),
    numericTensor('int64', size),
    shown,
    fallback,
  ])
}

/** From each start to each limit, one after the other; scalars stand for all rows. */
function raggedRange([starts, limits, deltas]: readonly Tensor[], attrs: HostAttrs): Tensor[] {
  const [from, to, by] = [numbers(starts), numbers(limits), numbers(deltas)]
  const count = [starts, limits, deltas].find((t) => t && t.shape.length > 0)?.data.length ?? 1
  const at = (list: readonly number[], i: number): number => list[list.length === 1 ? 0 : i] ?? 0
  // A float's rounding decides whether there is one step more.
  const round = starts?.dtype === 'float32' ? Math.fround : (v: number) => v
  const values: number[] = []
  const ends = [0]
  for (let i = 0; i < count; i++) {
    const [start, limit, delta] = [at(from, i), at(to, i), at(by, i)]
    if (delta === 0) throw invalid('Requires delta != 0')
    const size = Math.max(0, Math.ceil(round(round(limit - start) / delta)))
    allocate(values.length + size)
    for (let k = 0; k < size; k++) values.push(start + k * delta)
    ends.push(values.length)
  }
  return [numericTensor(dtypeAttr(attrs, 'Tsplits', 'int64'), ends), numericTensor(starts?.dtype ?? 'int32', values)]
}

export const sparseOps: HostTable = {
  RaggedRange: {
    run: raggedRange,
    infer: (op) => [typed(op.attr.dtype('Tsplits') ?? 'int64', [fresh(op)]), typed(op.tensor(0).dtype, [fresh(op)])],
  },
  SparseFillEmptyRows: {
    run: fillEmptyRows,
    infer: (op) => {
      const n = fresh(op)
      return [
        typed('int64', [n, op.tensor(0).shape[1] ?? 2]),
        typed(dtypeOfInput(op, 1), [n]),
        typed('bool', [fresh(op)]),
        typed('int64', [op.tensor(0).shape[0] ?? 0]),
      ]
    },
  },
  SparseToDense: {
    run: sparseToDense,
    infer: (op) => [
      typed(
        dtypeOfInput(op, 2),
        Array.from({ length: Number(op.tensor(1).shape[0] ?? 1) }, () => fresh(op)),
      ),
    ],
  },
  SparseReshape: {
    run: sparseReshape,
    infer: (op) => {
      const rank = op.tensor(2).shape[0] ?? 1
      return [typed('int64', [op.tensor(0).shape[0] ?? 0, rank]), typed('int64', [rank])]
    },
  },
  SparseReorder: {
    run: ([indices, values]) => (values ? reordered(rowsOf(indices), values, indices?.shape[1] ?? 2) : []),
    infer: (op) => [typed('int64', op.tensor(0).shape), typed(dtypeOfInput(op, 1), op.tensor(1).shape)],
  },
  SparseSlice: {
    run: (inputs) => sparseSlice(inputs, numbers(inputs[2])),
    infer: (op) => {
      const n = fresh(op)
      return [
        typed('int64', [n, op.tensor(0).shape[1] ?? 2]),
        typed(dtypeOfInput(op, 1), [n]),
        typed('int64', op.tensor(2).shape),
      ]
    },
  },
  SparseConcat: {
    run: sparseConcat,
    infer: (op) => {
      const n = fresh(op)
      const count = op.count / 3
      return [
        typed('int64', [n, op.tensor(0).shape[1] ?? 2]),
        typed(dtypeOfInput(op, count), [n]),
        typed('int64', op.tensor(2 * count).shape),
      ]
    },
  },
  SparseCross: { run: sparseCross, infer: crossTypes },
  SparseCrossV2: {
    run: (inputs, attrs) => {
      const separator = latin1(strings(inputs.at(-1))[0] ?? new Uint8Array())
      return crossed(inputs.slice(0, -1), numberAttr(attrs, 'N', 0), (features) => joinFeatures(features, separator))
    },
    infer: crossTypes,
  },
  RaggedTensorToSparse: {
    run: raggedToSparse,
    infer: (op) => {
      const n = fresh(op)
      const values = op.tensor(op.count - 1)
      const rank = op.count - 1 + values.shape.length
      return [typed('int64', [n, rank]), typed(values.dtype, [n]), typed('int64', [rank])]
    },
  },
  RaggedTensorToTensor: {
    run: raggedToTensor,
    infer: (op) => {
      const partitions = op.attr.strings('row_partition_types').filter((t) => t !== 'FIRST_DIM_SIZE').length
      return [
        typed(
          dtypeOfInput(op, 1),
          Array.from({ length: partitions + op.tensor(1).shape.length }, () => fresh(op)),
        ),
      ]
    },
  },
}
