import { type Dim, dims, emit, type GraphBuilder, refuse, type Value } from '@eas/onnx'
import type { Call, Lower, OpTable } from '../call.ts'
import { floatType, resultType } from '../promote.ts'
import { asFloat, isWhole, like, promoted } from './helpers.ts'
import { norm } from './reduce.ts'

/** Products of matrices. Torch: aten/src/ATen/native/{Linear,LinearAlgebra}.cpp (2.4). */

const { binary, matmul } = emit

const scaled = (g: GraphBuilder, x: Value, by: number): Value => (by === 1 ? x : binary(g, 'Mul', x, like(x, by)))

/** `x · weightᵀ + bias`. */
export function linear(g: GraphBuilder, x: Value, weight: Value, bias: Value | undefined): Value {
  if (x.shape.length === 2 && weight.shape.length === 2) return emit.gemm(g, x, weight, bias, { transB: true })
  const product = matmul(g, x, weight.shape.length === 1 ? weight : emit.transpose(g, weight, [1, 0]))
  return bias ? binary(g, 'Add', product, bias) : product
}

/** `beta · self + alpha · product`. */
const addedTo =
  (first: string, second: string, sum = false): Lower =>
  (c) => {
    const [a, b] = [c.tensor(first), c.tensor(second)]
    const [alpha, beta] = [c.optionalFloat('alpha') ?? 1, c.optionalFloat('beta') ?? 1]
    const self = c.tensor('self')
    // ONNX Runtime forgets `beta` where there is nothing to sum over.
    if (!sum && a.shape.length === 2 && b.shape.length === 2 && self.shape.length <= 2 && a.shape[1] !== 0) {
      return beta === 0 ? emit.gemm(c.g, a, b, undefined, { alpha }) : emit.gemm(c.g, a, b, self, { alpha, beta })
    }
    const product = matmul(c.g, a, b)
    const total = sum ? emit.reduce(c.g, 'ReduceSum', product, [0]) : product
    return beta === 0
      ? scaled(c.g, total, alpha)
      : binary(c.g, 'Add', scaled(c.g, self, beta), scaled(c.g, total, alpha))
  }

const product: Lower = (c) => {
  const other = c.has('mat2') ? 'mat2' : c.has('vec') ? 'vec' : c.has('tensor') ? 'tensor' : 'other'
  const operands = [c.operand('self'), c.operand(other)]
  const [a, b] = operands.map(({ value }) => emit.cast(c.g, value, resultType(operands))) as [Value, Value] // two operands
  return matmul(c.g, a, b)
}

/**
 * Rows of groups, each with a matrix of its own: what mixtures of experts compute.
 * `offs`, `[G]`: where each group of rows ends; with it `self` is `[N, K]` and `mat2` `[G, K, M]`.
 */
const groupedMm: Lower = (c) => {
  const { g } = c
  const [x, matrices, offs] = [c.tensor('self'), c.tensor('mat2'), c.optionalTensor('offs')]
  if (c.optionalTensor('bias')) throw refuse('aten::_grouped_mm with a bias')
  if (!offs) return matmul(g, x, matrices)
  if (x.shape.length !== 2 || matrices.shape.length !== 3) throw refuse('aten::_grouped_mm of groups of columns')
  const ends = emit.cast(g, offs, 'int64')
  let start: Dim = 0
  const parts = Array.from({ length: c.fixed(matrices.shape[0] ?? 1) }, (_, i) => {
    const end = g.scalarDim(emit.select(g, ends, 0, i), 0)
    const rows = emit.slice(g, x, 0, start, end)
    start = end
    return matmul(g, rows, emit.select(g, matrices, 0, i))
  })
  return g.one('Concat', parts, x.dtype, [x.shape[0] ?? 1, matrices.shape[2] ?? 1], { axis: 0 })
}

const outer: Lower = (c) => {
  const [a, b] = [c.tensor('self'), c.tensor(c.has('vec2') ? 'vec2' : 'other')]
  return binary(c.g, 'Mul', emit.unsqueeze(c.g, a, [1]), emit.unsqueeze(c.g, b, [0]))
}

const einsum: Lower = (c) => einsumOf(c, c.tensors('tensors'))

/** Letters of the equation; `...` becomes letters that no operand uses. */
export function einsumOf(c: Call, given: readonly Value[]): Value {
  const equation = c.string('equation').replaceAll(' ', '')
  const operands = given.map((value) => ({ value, isNumber: false }))
  const values = given.map((v) => emit.cast(c.g, v, resultType(operands)))
  const [left = '', right] = equation.split('->')
  const free = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'].filter((l) => !equation.includes(l))
  const terms = left.split(',')
  if (terms.length !== values.length)
    throw refuse(`aten::einsum of ${values.length} tensors by ${equation.slice(0, 80)}`)
  const ellipsis = Math.max(
    0,
    ...terms.map((t, i) => (t.includes('...') ? (values[i]?.shape.length ?? 0) - t.length + 3 : 0)),
  )
  const letters = free.slice(0, ellipsis)
  const spelled = terms.map((t, i) => {
    const count = (values[i]?.shape.length ?? 0) - t.length + 3
    return t.replace('...', letters.slice(ellipsis - count).join(''))
  })
  const counts = new Map<string, number>()
  for (const l of spelled.join('')) counts.set(l, (counts.get(l) ?? 0) + 1)
  const implied = [...counts]
    .filter(([l, n]) => n === 1 && !letters.includes(l))
    .map(([l]) => l)
    .sort()
  const output = right === undefined ? `${letters.join('')}${implied.join('')}` : right.replace('...', letters.join(''))
  // Sums of integers are int64; of one tensor there is nothing but a sum.
  const [first] = values
  const isSum =
    values.length === 1 && first && isWhole(first) && [...(spelled[0] ?? '')].some((l) => !output.includes(l))
  return contract(c.g, spelled, isSum ? [emit.cast(c.g, first, 'int64')] : values, output)
}

/** Pairs of operands as products of matrices where they are; ONNX's own operator for the rest. */
function contract(g: GraphBuilder, terms: readonly string[], values: readonly Value[], output: string): Value {
  const sizes = new Map<string, Dim>()
  for (const [i, term] of terms.entries()) {
    for (const [axis, l] of [...term].entries()) {
      const d = values[i]?.shape[axis] ?? 1
      if (sizes.get(l) === undefined || sizes.get(l) === 1) sizes.set(l, d)
    }
  }
  const shape = [...output].map((l) => sizes.get(l) ?? 1)
  const [a, b] = terms
  const [x, y] = values
  const simple =
    terms.length === 2 &&
    a !== undefined &&
    b !== undefined &&
    x &&
    y &&
    new Set(a).size === a.length &&
    new Set(b).size === b.length
  if (
    simple &&
    values.every((v, i) => [...(terms[i] ?? '')].every((l, axis) => dims.same(v.shape[axis] ?? 1, sizes.get(l) ?? 1)))
  ) {
    return contractPair(g, [a, x], [b, y], output, sizes)
  }
  const kernel = emit.kernelType('Einsum', values[0]?.dtype ?? 'float32')
  const inputs = values.map((v) => emit.cast(g, v, kernel))
  return emit.cast(
    g,
    g.one('Einsum', inputs, kernel, shape, { equation: `${terms.join(',')}->${output}` }),
    values[0]?.dtype ?? 'float32',
  )
}

/** Letters of both and the output are a batch; of both only, summed over; of one only, its own. */
function contractPair(
  g: GraphBuilder,
  [a, x]: readonly [string, Value],
  [b, y]: readonly [string, Value],
  output: string,
  sizes: ReadonlyMap<string, Dim>,
): Value {
  const size = (l: string): Dim => sizes.get(l) ?? 1
  const alone = (term: string, other: string, v: Value): readonly [string, Value] => {
    const gone = [...term].filter((l) => !other.includes(l) && !output.includes(l))
    if (gone.length === 0) return [term, v]
    const axes = gone.map((l) => term.indexOf(l))
    return [[...term].filter((l) => !gone.includes(l)).join(''), emit.reduce(g, 'ReduceSum', v, axes)]
  }
  const [p, u] = alone(a, b, x)
  const [q, w] = alone(b, a, y)
  const batch = [...p].filter((l) => q.includes(l) && output.includes(l))
  const summed = [...p].filter((l) => q.includes(l) && !output.includes(l))
  const rows = [...p].filter((l) => !q.includes(l))
  const columns = [...q].filter((l) => !p.includes(l))
  const arranged = (term: string, v: Value, order: readonly string[]): Value =>
    emit.transpose(
      g,
      v,
      order.map((l) => term.indexOf(l)),
    )
  const count = (letters: readonly string[]): Dim => dims.product(letters.map(size))
  const first = emit.reshape(g, arranged(p, u, [...batch, ...rows, ...summed]), [
    ...batch.map(size),
    count(rows),
    count(summed),
  ])
  const second = emit.reshape(g, arranged(q, w, [...batch, ...summed, ...columns]), [
    ...batch.map(size),
    count(summed),
    count(columns),
  ])
  const product = matmul(g, first, second)
  const order = [...batch, ...rows, ...columns]
  const result = emit.reshape(g, product, order.map(size))
  return emit.transpose(
    g,
    result,
    [...output].map((l) => order.indexOf(l)),
  )
}

/** Tensors contracted over pairs of axes. */
const tensordot: Lower = (c) => {
  const [a, b] = [c.tensor('self'), c.tensor('other')]
  const alphabet = [...'abcdefghijklmnopqrstuvwxyz']
  const first = a.shape.map(() => alphabet.shift() ?? '')
  const second = b.shape.map(() => alphabet.shift() ?? '')
  const [left, right] = [c.ints('dims_self'), c.ints('dims_other')]
  for (const [i, axis] of left.entries())
    second[emit.axisOf(right[i] ?? 0, second.length)] = first[emit.axisOf(axis, first.length)] ?? ''
  const output = [...first, ...second].filter((l) => !(first.includes(l) && second.includes(l)))
  return contract(c.g, [first.join(''), second.join('')], [a, b], output.join(''))
}

const cosineSimilarity: Lower = (c) => {
  const [a, b] = [asFloat(c, 'x1'), asFloat(c, 'x2')]
  const shape = emit.broadcastShapes(c.g, a.shape, b.shape)
  const axes = shape.length === 0 ? [] : [c.axis('dim', shape.length)]
  const [x, y] = [emit.expand(c.g, a, shape), emit.expand(c.g, b, shape)]
  const length = (v: Value): Value => binary(c.g, 'Max', norm(c, v, 2, axes, true), like(v, c.float('eps')))
  const unit = (v: Value): Value => binary(c.g, 'Div', v, length(v))
  return emit.reduce(c.g, 'ReduceSum', binary(c.g, 'Mul', unit(x), unit(y)), axes)
}

const pairwiseDistance: Lower = (c) => {
  // Integers are subtracted as such, and wrap around.
  const [a, b] = promoted(c, 'x1', 'x2') as [Value, Value] // two names were given
  const apart = binary(c.g, 'Sub', a, b)
  const float = emit.cast(c.g, apart, floatType(apart.dtype))
  const difference = binary(c.g, 'Add', float, like(float, c.float('eps')))
  return norm(c, difference, c.float('p'), [difference.shape.length - 1], c.bool('keepdim'))
}

const cdist: Lower = (c) => {
  const [a, b] = [asFloat(c, 'x1'), asFloat(c, 'x2')]
  const rank = a.shape.length
  const difference = binary(
    c.g,
    'Sub',
    emit.unsqueeze(c.g, a, [rank - 1]),
    emit.unsqueeze(c.g, b, [b.shape.length - 2]),
  )
  return norm(c, difference, c.float('p'), [difference.shape.length - 1], false)
}

/** Distances of every pair of rows, the first of which comes first. */
const pairDistances: Lower = (c) => {
  const x = c.tensor('self')
  const n = c.fixed(x.shape[0] ?? 1)
  const [first, second]: [number[], number[]] = [[], []]
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      first.push(i)
      second.push(j)
    }
  }
  const rows = (places: readonly number[]) => emit.gather(c.g, x, c.g.numbers('int64', [places.length], places), 0)
  return norm(c, binary(c.g, 'Sub', rows(first), rows(second)), c.float('p'), [1], false)
}

export const linearOps: OpTable = {
  linear: (c) => {
    const x = c.tensor('input')
    return linear(c.g, x, c.tensor('weight'), c.optionalTensor('bias'))
  },
  matmul: product,
  mm: product,
  bmm: product,
  _bmm: product,
  mv: product,
  dot: product,
  vdot: product,
  inner: (c) => {
    const [a, b] = [c.tensor('self'), c.tensor('other')]
    if (a.shape.length === 0 || b.shape.length === 0) return binary(c.g, 'Mul', a, b)
    return matmul(
      c.g,
      a,
      b.shape.length === 1
        ? b
        : emit.transpose(c.g, b, emit.swapped(b.shape.length, b.shape.length - 1, b.shape.length - 2)),
    )
  },
  outer,
  ger: outer,
  addmm: addedTo('mat1', 'mat2'),
  addmv: addedTo('mat', 'vec'),
  addbmm: addedTo('batch1', 'batch2', true),
  baddbmm: addedTo('batch1', 'batch2'),
  addr: (c) => {
    const product = binary(
      c.g,
      'Mul',
      emit.unsqueeze(c.g, c.tensor('vec1'), [1]),
      emit.unsqueeze(c.g, c.tensor('vec2'), [0]),
    )
    const total = scaled(c.g, product, c.optionalFloat('alpha') ?? 1)
    const beta = c.optionalFloat('beta') ?? 1
    return beta === 0 ? total : binary(c.g, 'Add', scaled(c.g, c.tensor('self'), beta), total)
  },
  chain_matmul: (c) => c.tensors('matrices').reduce((a, b) => matmul(c.g, a, b)),
  linalg_multi_dot: (c) => c.tensors('tensors').reduce((a, b) => matmul(c.g, a, b)),
  linalg_matmul: product,
  linalg_vecdot: (c) => {
    const [x, y] = promoted(c, 'x', 'y') as [Value, Value] // two names were given
    const product = binary(c.g, 'Mul', x, y)
    return emit.reduce(c.g, 'ReduceSum', product, [c.axis('dim', product.shape.length)])
  },
  einsum,
  _grouped_mm: groupedMm,
  tensordot,
  bilinear: (c) => {
    const letters = 'abcdefghijklmnop'.slice(0, c.tensor('input1').shape.length - 1)
    const y = contract(c.g, [`${letters}y`, 'xyz'], [c.tensor('input1'), c.tensor('weight')], `${letters}xz`)
    const z = contract(c.g, [`${letters}xz`, `${letters}z`], [y, c.tensor('input2')], `${letters}x`)
    const bias = c.optionalTensor('bias')
    return bias ? binary(c.g, 'Add', z, bias) : z
  },
  cosine_similarity: cosineSimilarity,
  pairwise_distance: pairwiseDistance,
  cdist,
  pdist: pairDistances,
  kron: (c) => {
    const [a, b] = [c.tensor('self'), c.tensor('other')]
    const rank = Math.max(a.shape.length, b.shape.length)
    const wide = (v: Value, second: boolean): Value => {
      const shape = [...new Array<Dim>(rank - v.shape.length).fill(1), ...v.shape]
      return emit.reshape(
        c.g,
        v,
        shape.flatMap((d) => (second ? [1, d] : [d, 1])),
      )
    }
    const product = binary(c.g, 'Mul', wide(a, false), wide(b, true))
    const shape = Array.from({ length: rank }, (_, i) =>
      dims.mul(product.shape[2 * i] ?? 1, product.shape[2 * i + 1] ?? 1),
    )
    return emit.reshape(c.g, product, shape)
  },
}
