import { type Dim, dims, emit, refuse, scalar, type Value } from '@eas/onnx'
import { type Call, type Lower, type OpTable, tuple } from '../call.ts'
import { asFloat, like } from './helpers.ts'

/** Order statistics, histograms and running differences. Torch: aten/src/ATen/native/{Sorting,SummaryOps,Integration}.cpp (2.4). */

const { binary, compare, reduce, unary, where } = emit

const along = (x: Value, axis: number): Dim => x.shape[axis] ?? 1

/** Elements of an axis but the first, or but the last. */
const rest = (c: Call, x: Value, axis: number): Value => emit.slice(c.g, x, axis, 1, along(x, axis))
const init = (c: Call, x: Value, axis: number): Value => emit.slice(c.g, x, axis, 0, dims.sub(along(x, axis), 1))

const diff: Lower = (c) => {
  let x = c.tensor('self')
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

/** Linear interpolation between the two nearest of the sorted elements. */
const quantile: Lower = (c) => {
  const given = asFloat(c)
  const whole = c.py('dim') === null
  const x = whole ? emit.flat(c.g, given) : given
  const axis = whole ? 0 : c.axis('dim', x.shape.length)
  if (c.string('interpolation') !== 'linear')
    throw refuse(`aten::quantile by ${c.string('interpolation')} interpolation`)
  const n = c.fixed(along(x, axis))
  const [sorted] = emit.topK(c.g, x, n, axis, { largest: false })
  const number = c.py('q')
  if (typeof number !== 'number') throw refuse('aten::quantile of several or unknown quantiles')
  const place = number * (n - 1)
  const [below, above] = [Math.floor(place), Math.ceil(place)].map((i) => emit.select(c.g, sorted, axis, i)) as [
    Value,
    Value,
  ]
  const y = binary(
    c.g,
    'Add',
    below,
    binary(c.g, 'Mul', binary(c.g, 'Sub', above, below), like(x, place - Math.floor(place))),
  )
  if (!c.bool('keepdim')) return y
  return whole
    ? emit.reshape(
        c.g,
        y,
        given.shape.map(() => 1),
      )
    : emit.unsqueeze(c.g, y, [axis])
}

/** Counts in `bins` equal parts of `min … max`; the last takes its upper end too. */
const histc: Lower = (c) => {
  const { g } = c
  const x = emit.flat(g, c.tensor('self'))
  const bins = c.int('bins')
  const [low, high] = [c.float('min'), c.float('max')]
  if (low === high) throw refuse('aten::histc between the least and the greatest element', '', 'Give min and max')
  const scaled = binary(
    g,
    'Div',
    binary(g, 'Mul', binary(g, 'Sub', x, like(x, low)), like(x, bins)),
    like(x, high - low),
  )
  const place = emit.clip(g, unary(g, 'Floor', scaled), like(x, 0), like(x, bins - 1))
  const inside = compare(
    g,
    'And',
    compare(g, 'GreaterOrEqual', x, like(x, low)),
    compare(g, 'LessOrEqual', x, like(x, high)),
  )
  const counts = emit.full(g, [bins], like(x, 0))
  return emit.scatterElements(g, counts, emit.cast(g, place, 'int64'), emit.cast(g, inside, x.dtype), 0, 'add')
}

/** Most frequent element, the least of several: compares all with all. */
const mode: Lower = (c) => {
  const { g } = c
  const x = c.tensor('self')
  const rank = x.shape.length
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

/** Rows are variables, columns observations. */
function covariance(c: Call, x: Value, correction: number): Value {
  const n = along(x, 1)
  const centred = binary(c.g, 'Sub', x, reduce(c.g, 'ReduceMean', x, [1], true))
  const products = emit.matmul(c.g, centred, emit.transpose(c.g, centred, [1, 0]))
  return binary(c.g, 'Div', products, emit.cast(c.g, scalar('int64', dims.sub(n, correction)), x.dtype))
}

const matrixOf = (c: Call): Value => {
  const x = asFloat(c)
  if (x.shape.length !== 2) throw refuse(`aten::${c.name} of other than a matrix`)
  return x
}

/** Rows scaled down to norm `maxnorm`. */
const renorm: Lower = (c) => {
  const x = asFloat(c)
  const axis = c.axis('dim', x.shape.length)
  const p = c.float('p')
  const axes = emit.allAxes(x).filter((a) => a !== axis)
  const powers = reduce(c.g, 'ReduceSum', binary(c.g, 'Pow', unary(c.g, 'Abs', x), like(x, p)), axes, true)
  const size = binary(c.g, 'Pow', powers, like(x, 1 / p))
  const limit = like(x, c.float('maxnorm'))
  const factor = binary(c.g, 'Div', limit, binary(c.g, 'Add', size, like(x, 1e-7)))
  return binary(c.g, 'Mul', x, where(c.g, compare(c.g, 'Greater', size, limit), factor, like(x, 1)))
}

/** Sums and means of consecutive rows. */
const segmentReduce: Lower = (c) => {
  const { g } = c
  const data = c.tensor('data')
  const how = c.string('reduce')
  const lengths = c.optionalTensor('lengths')
  if (!lengths || lengths.shape.length !== 1 || (how !== 'sum' && how !== 'mean'))
    throw refuse(`aten::segment_reduce by ${how} without lengths`)
  const count = along(lengths, 0)
  // Row r belongs to the number of segments that end at or before it.
  const ends = emit.cumSum(g, emit.cast(g, lengths, 'int64'), 0)
  const rows = emit.iota(g, along(data, 0), 0, 2)
  const passed = compare(g, 'LessOrEqual', emit.unsqueeze(g, ends, [0]), rows)
  const segment = reduce(g, 'ReduceSum', emit.cast(g, passed, 'int64'), [1])
  const zeros = emit.full(g, [count, ...data.shape.slice(1)], like(data, 0))
  const sums = emit.scatterND(g, zeros, emit.unsqueeze(g, segment, [1]), data, 'add')
  if (how === 'sum') return sums
  const shape: Dim[] = [count, ...data.shape.slice(1).map(() => 1)]
  return binary(g, 'Div', sums, emit.reshape(g, emit.cast(g, lengths, data.dtype), shape))
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
  cov: (c) => covariance(c, matrixOf(c), c.int('correction')),
  corrcoef: (c) => {
    const products = covariance(c, matrixOf(c), 1)
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
    const x = c.tensor('self')
    const size = c.dims('size')
    const extra = x.shape.length - size.length
    const axes = x.shape.flatMap((d, i) => (i < extra || (size[i - extra] === 1 && d !== 1) ? [i] : []))
    return emit.reshape(c.g, reduce(c.g, 'ReduceSum', x, axes, true), size)
  },
  cumprod: (c) => {
    const given = c.tensor('self')
    const x = emit.cast(c.g, given, c.dtype('dtype') ?? (given.dtype === 'bool' ? 'int64' : given.dtype))
    const axis = c.axis('dim', x.shape.length)
    const n = c.fixed(along(x, axis))
    const parts = [emit.slice(c.g, x, axis, 0, 1)]
    for (let i = 1; i < n; i++)
      parts.push(binary(c.g, 'Mul', parts[i - 1] as Value, emit.slice(c.g, x, axis, i, i + 1))) // i parts are there
    return emit.concat(c.g, parts, axis)
  },
}
