import { type Dim, dims, emit, refuse, scalar, type Value } from '@eas/onnx'
import { type Call, type Lower, type OpTable, tuple } from '../call.ts'
import { asFloat, isWhole, like, segmentOf } from './helpers.ts'
import { norm } from './reduce.ts'

/** Order statistics, histograms and running differences. Torch: aten/src/ATen/native/{Sorting,SummaryOps,Integration}.cpp (2.4). */

const { binary, cast, compare, reduce, unary, where } = emit

const along = (x: Value, axis: number): Dim => x.shape[axis] ?? 1

/** Elements of an axis but the first, or but the last. */
const rest = (c: Call, x: Value, axis: number): Value => emit.slice(c.g, x, axis, 1, along(x, axis))
const init = (c: Call, x: Value, axis: number): Value => emit.slice(c.g, x, axis, 0, dims.sub(along(x, axis), 1))

const diff: Lower = (c) => {
  let x = c.tensor('self')
  if (c.int('n') === 0) return x
  const axis = c.axis('dim', x.shape.length)
  const edges = ['prepend', 'append'].map((name) => c.optionalTensor(name))
  if (edges.some(Boolean))
    x = emit.concat(
      c.g,
      [edges[0], x, edges[1]].filter((v) => v !== undefined),
      axis,
    )
  for (let i = 0; i < c.int('n'); i++) {
    x =
      x.dtype === 'bool'
        ? compare(c.g, 'Xor', rest(c, x, axis), init(c, x, axis))
        : binary(c.g, 'Sub', rest(c, x, axis), init(c, x, axis))
  }
  return x
}

/** Areas under each pair of neighbours. */
function trapezoids(c: Call): { areas: Value; axis: number } {
  const y = asFloat(c, 'y')
  const axis = c.axis('dim', y.shape.length)
  const sums = binary(c.g, 'Mul', binary(c.g, 'Add', rest(c, y, axis), init(c, y, axis)), like(y, 0.5))
  if (!c.has('x')) return { areas: binary(c.g, 'Mul', sums, like(y, c.has('dx') ? c.float('dx') : 1)), axis }
  const x = emit.cast(c.g, c.tensor('x'), y.dtype)
  const own = x.shape.length === 1 ? 0 : axis
  const widths = binary(c.g, 'Sub', rest(c, x, own), init(c, x, own))
  const shaped =
    x.shape.length === 1
      ? emit.reshape(
          c.g,
          widths,
          y.shape.map((_, i) => (i === axis ? along(widths, 0) : 1)),
        )
      : widths
  return { areas: binary(c.g, 'Mul', sums, shaped), axis }
}

const trapezoid: Lower = (c) => {
  const { areas, axis } = trapezoids(c)
  return reduce(c.g, 'ReduceSum', areas, [axis])
}

/** Where a quantile lies between its neighbours `i` and `i + 1`, by how it is interpolated. */
const interpolations: Readonly<Record<string, (c: Call, fraction: Value) => Value>> = {
  linear: (_, fraction) => fraction,
  lower: (_, fraction) => like(fraction, 0),
  higher: (c, fraction) => unary(c.g, 'Ceil', fraction),
  midpoint: (c, fraction) => binary(c.g, 'Mul', unary(c.g, 'Ceil', fraction), like(fraction, 0.5)),
}

/**
 * The sorted elements read at places that need not be whole. NaNs sort last; where one is, the quantile is NaN, or what the
 * others give (`nanquantile`).
 */
const quantile: Lower = (c) => {
  const { g } = c
  const given = asFloat(c)
  const whole = c.py('dim') === null || given.shape.length === 0
  const x = whole ? emit.flat(g, given) : given
  const rank = x.shape.length
  const perm = emit.swapped(rank, whole ? 0 : c.axis('dim', rank), rank - 1)
  const last = emit.transpose(g, x, perm)
  const isNumber = compare(g, 'Equal', last, last)
  const n = along(last, rank - 1)
  const numbers = where(g, isNumber, last, like(x, Number.POSITIVE_INFINITY))
  const [sorted] = emit.topK(g, numbers, n, rank - 1, { largest: false })
  const counted = reduce(g, 'ReduceSum', emit.cast(g, isNumber, x.dtype), [rank - 1], true)
  const q = emit.cast(g, c.operand('q').value, x.dtype)
  // A row of quantiles for each row of elements: [..., Q].
  const row = emit.reshape(g, q, [dims.product(q.shape)])
  const place = binary(g, 'Mul', row, binary(g, 'Sub', counted, like(x, 1)))
  const how = c.string('interpolation')
  const floor = unary(g, how === 'nearest' ? 'Round' : 'Floor', place)
  const fraction = interpolations[how]?.(c, binary(g, 'Sub', place, floor)) ?? like(x, 0)
  const at = (p: Value): Value =>
    emit.gatherElements(
      g,
      sorted,
      emit.expand(g, emit.cast(g, emit.clip(g, p, like(x, 0), undefined), 'int64'), place.shape),
      rank - 1,
    )
  const [below, above] = [at(floor), at(unary(g, 'Ceil', place))]
  const between = where(
    g,
    compare(g, 'Equal', fraction, like(x, 0)),
    below,
    binary(g, 'Add', below, binary(g, 'Mul', binary(g, 'Sub', above, below), fraction)),
  )
  const enough = c.name === 'nanquantile' ? like(x, 1) : emit.cast(g, scalar('int64', n), x.dtype)
  const y = where(g, compare(g, 'Less', counted, enough), like(x, Number.NaN), between)
  return quantilesFirst(c, y, given, perm, q.shape.length === 0, whole)
}

/** From `[..., Q]` of elements turned by `perm` to what torch gives: the quantiles before all other axes. */
function quantilesFirst(
  c: Call,
  y: Value,
  given: Value,
  perm: readonly number[],
  single: boolean,
  whole: boolean,
): Value {
  const { g } = c
  const rank = y.shape.length
  const keep = c.bool('keepdim')
  const count = y.shape[rank - 1] ?? 1
  // The axis in whose place the quantiles stand comes back as one of length 1.
  const front = emit.transpose(g, emit.unsqueeze(g, y, [rank]), [
    rank - 1,
    ...perm.map((p) => (p === rank - 1 ? rank : p)),
  ])
  const axis = perm.indexOf(rank - 1)
  const kept =
    keep && whole
      ? given.shape.map(() => 1)
      : keep
        ? front.shape.slice(1)
        : front.shape.slice(1).filter((_, i) => i !== axis)
  return emit.reshape(g, front, single ? kept : [count, ...kept])
}

/** The lower middle of the numbers there are. */
const nanMedian: Lower = (c) => {
  const { g } = c
  const given = c.tensor('self')
  const whole = !c.has('dim')
  if (given.shape.length === 0) return whole ? given : tuple(c.vm, given, scalar('int64', 0))
  const x = whole ? emit.flat(g, given) : given
  const rank = x.shape.length
  const axis = whole ? 0 : c.axis('dim', rank)
  const isNumber = compare(g, 'Equal', x, x)
  const numbers = isWhole(x) ? x : where(g, isNumber, x, like(x, Number.POSITIVE_INFINITY))
  const both = emit.topK(g, numbers, along(x, axis), axis, { largest: false })
  const counted = reduce(g, 'ReduceSum', emit.cast(g, isNumber, 'int64'), [axis], true)
  const last = emit.clip(g, binary(g, 'Sub', counted, scalar('int64', 1)), scalar('int64', 0), undefined)
  const place = binary(g, 'Div', last, scalar('int64', 2))
  const [values, indices] = both.map((v) => emit.gatherElements(g, v, place, axis)) as [Value, Value] // two in, two out
  const none = compare(g, 'Equal', counted, scalar('int64', 0))
  const result = isWhole(x) ? values : where(g, none, like(x, Number.NaN), values)
  if (whole) return emit.reshape(g, result, [])
  const keep = (v: Value): Value => (c.bool('keepdim') ? v : emit.squeeze(g, v, [axis]))
  return tuple(c.vm, keep(result), keep(indices))
}

/** Counts in `bins` equal parts of `min … max`; the last takes its upper end too. */
const histc: Lower = (c) => {
  const { g } = c
  const x = emit.flat(g, c.tensor('self'))
  const bins = c.int('bins')
  const [least, most] = [c.float('min'), c.float('max')]
  const isOpen = least === most
  const [low, high] = isOpen
    ? [reduce(g, 'ReduceMin', x, [0]), reduce(g, 'ReduceMax', x, [0])]
    : [like(x, least), like(x, most)]
  // Where all elements are one, the bins reach one to either side.
  const same = cast(g, compare(g, 'Equal', low, high), x.dtype)
  const [from, to] = isOpen ? [binary(g, 'Sub', low, same), binary(g, 'Add', high, same)] : [low, high]
  const scaled = binary(
    g,
    'Div',
    binary(g, 'Mul', binary(g, 'Sub', x, from), like(x, bins)),
    binary(g, 'Sub', to, from),
  )
  const place = emit.clip(g, unary(g, 'Floor', scaled), like(x, 0), like(x, bins - 1))
  const inside = compare(g, 'And', compare(g, 'GreaterOrEqual', x, from), compare(g, 'LessOrEqual', x, to))
  const counts = emit.full(g, [bins], scalar('int64', 0))
  const ones = cast(g, inside, 'int64')
  return cast(g, emit.scatterElements(g, counts, cast(g, place, 'int64'), ones, 0, 'add'), x.dtype)
}

/** Most frequent element, the least of several: compares all with all. */
const mode: Lower = (c) => {
  const { g } = c
  const x = c.tensor('self')
  const rank = x.shape.length
  if (rank === 0) return tuple(c.vm, x, scalar('int64', 0))
  const axis = c.axis('dim', rank)
  const last = emit.transpose(g, x, emit.swapped(rank, axis, rank - 1))
  const equal = compare(g, 'Equal', emit.unsqueeze(g, last, [rank]), emit.unsqueeze(g, last, [rank - 1]))
  const counts = reduce(g, 'ReduceSum', emit.cast(g, equal, 'int64'), [rank])
  const most = reduce(g, 'ReduceMax', counts, [rank - 1], true)
  const isMode = compare(g, 'Equal', counts, most)
  const greatest = reduce(g, 'ReduceMax', last, [rank - 1], true)
  const values = reduce(g, 'ReduceMin', where(g, isMode, last, greatest), [rank - 1], true)
  const found = compare(g, 'Equal', last, values)
  const indices = reduce(
    g,
    'ReduceMax',
    where(g, found, emit.iota(g, along(last, rank - 1), rank - 1, rank), scalar('int64', 0)),
    [rank - 1],
    true,
  )
  const back = (v: Value): Value => {
    const whole = emit.transpose(g, v, emit.swapped(rank, axis, rank - 1))
    return c.bool('keepdim') ? whole : emit.squeeze(g, whole, [axis])
  }
  return tuple(c.vm, back(values), back(indices))
}

/** Rows are variables, columns observations; a vector is one variable, and so is what comes of it. */
function covariance(c: Call, given: Value, correction: number): Value {
  const { g } = c
  const x = given.shape.length === 2 ? given : emit.reshape(g, given, [1, dims.product(given.shape)])
  const n = along(x, 1)
  const weights = ['fweights', 'aweights'].flatMap((name) => (c.has(name) ? (c.optionalTensor(name) ?? []) : []))
  const [w] =
    weights.length === 2
      ? [binary(g, 'Mul', ...(weights.map((v) => cast(g, v, x.dtype)) as [Value, Value]))]
      : weights.map((v) => cast(g, v, x.dtype))
  const importance = c.has('aweights') ? c.optionalTensor('aweights') : undefined
  const total = w ? reduce(g, 'ReduceSum', w, [0]) : cast(g, scalar('int64', n), x.dtype)
  const weighted = (v: Value): Value => (w ? binary(g, 'Mul', v, w) : v)
  const mean = binary(g, 'Div', reduce(g, 'ReduceSum', weighted(x), [1], true), total)
  const centred = binary(g, 'Sub', x, mean)
  const products = emit.matmul(g, centred, emit.transpose(g, weighted(centred), [1, 0]))
  // Weights of importance are no counts: what they correct by is scaled by their mean.
  const scale =
    w && importance
      ? binary(g, 'Div', reduce(g, 'ReduceSum', binary(g, 'Mul', w, cast(g, importance, x.dtype)), [0]), total)
      : like(x, 1)
  const freedom = binary(g, 'Sub', total, binary(g, 'Mul', scale, like(x, correction)))
  const y = binary(g, 'Div', products, binary(g, 'Max', freedom, like(x, 0)))
  return x.shape[0] === 1 ? emit.reshape(g, y, []) : y
}

/** Rows scaled down to norm `maxnorm`. */
const renorm: Lower = (c) => {
  const x = asFloat(c)
  const axis = c.axis('dim', x.shape.length)
  const p = c.float('p')
  const axes = emit.allAxes(x).filter((a) => a !== axis)
  const size = norm(c, x, p, axes, true)
  const limit = like(x, c.float('maxnorm'))
  const factor = binary(c.g, 'Div', limit, binary(c.g, 'Add', size, like(x, 1e-7)))
  return binary(c.g, 'Mul', x, where(c.g, compare(c.g, 'Greater', size, limit), factor, like(x, 1)))
}

/** What a segment of no rows comes to. */
const ofNothing: Readonly<Record<string, number>> = {
  sum: 0,
  mean: Number.NaN,
  prod: 1,
  max: Number.NEGATIVE_INFINITY,
  min: Number.POSITIVE_INFINITY,
}
const intoSegments = { sum: 'add', mean: 'add', prod: 'mul', max: 'max', min: 'min' } as const

/** Consecutive rows reduced to one: as many as `lengths` says, or from each of `offsets` to the next. */
const segmentReduce: Lower = (c) => {
  const { g } = c
  const data = c.tensor('data')
  const how = c.string('reduce') as keyof typeof intoSegments // torch takes these five
  const reduction = intoSegments[how]
  const [lengths, offsets] = [c.optionalTensor('lengths'), c.optionalTensor('offsets')]
  const places = lengths ?? offsets
  if (!reduction || places?.shape.length !== 1 || c.int('axis') !== 0)
    throw refuse(
      'aten::segment_reduce along another axis than the first',
      '',
      'Give lengths or offsets of one dimension',
    )
  const given = cast(g, places, 'int64')
  const ends = lengths ? emit.cumSum(g, given, 0) : rest(c, given, 0)
  const sizes = lengths ? given : binary(g, 'Sub', rest(c, given, 0), init(c, given, 0))
  const count = along(ends, 0)
  const segment = segmentOf(c, init(c, ends, 0), along(data, 0))
  const dtype = data.dtype === 'float16' ? 'float32' : data.dtype
  const rows = cast(g, data, dtype)
  const initial = c.optionalFloat('initial')
  const start = initial ?? (how === 'mean' ? 0 : ofNothing[how]) ?? 0
  const shape = [count, ...data.shape.slice(1)]
  const total = emit.scatterND(
    g,
    emit.full(g, shape, like(rows, start)),
    emit.unsqueeze(g, segment, [1]),
    rows,
    reduction,
  )
  if (how !== 'mean') return cast(g, total, data.dtype)
  const by = emit.reshape(g, cast(g, sizes, dtype), [count, ...data.shape.slice(1).map(() => 1)])
  const isEmpty = compare(g, 'Equal', by, like(rows, 0))
  return cast(g, where(g, isEmpty, like(rows, initial ?? Number.NaN), binary(g, 'Div', total, by)), data.dtype)
}

export const statisticsOps: OpTable = {
  diff,
  trapz: trapezoid,
  trapezoid,
  cumulative_trapezoid: (c) => {
    const { areas, axis } = trapezoids(c)
    return emit.cumSum(c.g, areas, axis)
  },
  quantile,
  histc,
  mode,
  renorm,
  segment_reduce: segmentReduce,
  nanquantile: quantile,
  nanmedian: nanMedian,
  cov: (c) => covariance(c, asFloat(c), c.int('correction')),
  corrcoef: (c) => {
    const products = covariance(c, asFloat(c), 1)
    if (products.shape.length === 0) return binary(c.g, 'Div', products, products)
    const [n = 1] = products.shape
    const indices = emit.iota(c.g, n, 0, 1)
    const pairs = emit.unsqueeze(c.g, indices, [1])
    const deviations = unary(c.g, 'Sqrt', emit.gatherND(c.g, products, emit.concat(c.g, [pairs, pairs], 1)))
    const scaled = binary(c.g, 'Div', products, emit.unsqueeze(c.g, deviations, [0]))
    return binary(c.g, 'Div', scaled, emit.unsqueeze(c.g, deviations, [1]))
  },
  nanmean: (c) => {
    const x = asFloat(c)
    const isNumber = compare(c.g, 'Equal', x, x)
    const axes = c.axes('dim', x.shape.length)
    const sum = reduce(c.g, 'ReduceSum', where(c.g, isNumber, x, like(x, 0)), axes, c.bool('keepdim'))
    return binary(c.g, 'Div', sum, reduce(c.g, 'ReduceSum', emit.cast(c.g, isNumber, x.dtype), axes, c.bool('keepdim')))
  },
  sum_to_size: (c) => {
    const given = c.tensor('self')
    const x = isWhole(given) ? cast(c.g, given, 'int64') : given
    const size = c.dims('size')
    const extra = x.shape.length - size.length
    const axes = x.shape.flatMap((d, i) => (i < extra || (size[i - extra] === 1 && d !== 1) ? [i] : []))
    return emit.reshape(c.g, reduce(c.g, 'ReduceSum', x, axes, true), size)
  },
  cumprod: (c) => {
    const given = c.tensor('self')
    const x = emit.cast(c.g, given, c.dtype('dtype') ?? (isWhole(given) ? 'int64' : given.dtype))
    if (x.shape.length === 0) return x
    const axis = c.axis('dim', x.shape.length)
    const n = c.fixed(along(x, axis))
    const parts = [emit.slice(c.g, x, axis, 0, 1)]
    for (let i = 1; i < n; i++)
      parts.push(binary(c.g, 'Mul', parts[i - 1] as Value, emit.slice(c.g, x, axis, i, i + 1))) // i parts are there
    return emit.concat(c.g, parts, axis)
  },
}
