import { type Dim, dims, type ElementType, emit, isComplex, isFloat, refuse, scalar, type Value } from '@eas/onnx'
import type { Call, Lower, OpTable, Result } from '../call.ts'
import { promoteTypes, resultType } from '../promote.ts'
import { elementsOf, fromDim, isNumber, scalarValue } from '../scalars.ts'
import { TensorRef } from '../tensor-ref.ts'
import { type Py, PyList, PyTuple } from '../values.ts'
import { complexFrom, complexFull } from './complex-pair.ts'
import { like, segmentOf } from './helpers.ts'

/** New tensors from sizes, numbers and other tensors. Torch: aten/src/ATen/native/TensorFactories.cpp (2.4). */

/** Tensors as one type, as `cat` and `stack` promote them. */
function together(c: Call, values: readonly Value[]): Value[] {
  const dtype = resultType(values.map((value) => ({ value, isNumber: false })))
  return values.map((v) => emit.cast(c.g, v, dtype))
}

const cat: Lower = (c) => {
  const given = c.tensors('tensors')
  // Torch takes an empty tensor of one dimension for no tensor at all.
  const kept = given.filter((t) => !(t.shape.length === 1 && t.shape[0] === 0))
  const [first] = kept
  if (!first) return given[0] as Value // all are empty
  return emit.concat(c.g, together(c, kept), c.axis('dim', first.shape.length))
}

export function stacked(c: Call, values: readonly Value[], axis: number): Value {
  return emit.concat(
    c.g,
    together(c, values).map((v) => emit.unsqueeze(c.g, v, [axis])),
    axis,
  )
}

const stack: Lower = (c) => {
  const values = c.tensors('tensors')
  return stacked(c, values, emit.axisOf(c.int('dim'), (values[0]?.shape.length ?? 0) + 1))
}

/** Sequences made as long as the longest, by a number behind or before them. */
const padSequence: Lower = (c) => {
  const sequences = c.tensors('sequences')
  const lengths = sequences.map(({ shape }) => shape[0] ?? 0)
  const longest = lengths.reduce<Dim>(dims.max, 0)
  const atEnd = !c.has('padding_side') || c.string('padding_side') === 'right'
  const padded = sequences.map((x, i) => {
    const zeros = x.shape.map((): Dim => 0)
    const missing = [dims.sub(longest, lengths[i] ?? 0), ...zeros.slice(1)]
    const value = scalar(x.dtype, c.float('padding_value'))
    return emit.pad(c.g, x, atEnd ? zeros : missing, atEnd ? missing : zeros, 'constant', value)
  })
  return stacked(c, padded, c.bool('batch_first') ? 0 : 1)
}

/** A tensor filled with one number. */
const filled =
  (value: (c: Call) => number | undefined, sizes: (c: Call) => Dim[]): Lower =>
  (c) => {
    const base = c.has('self') ? c.tensor('self') : undefined
    const number = value(c)
    const fill = number === undefined ? c.operand('fill_value').value : undefined
    const dtype = c.dtype('dtype') ?? base?.dtype ?? (fill && c.vm.archive.version >= 5 ? factoryType(fill) : 'float32')
    if (isComplex(dtype) && !fill) return complexFull(c.g, sizes(c), number ?? 0, dtype)
    if (fill && isComplex(fill.dtype))
      throw refuse(`aten::${c.name} of a complex number`, '', 'Multiply a tensor of ones')
    if (isComplex(dtype))
      return complexFrom(c.g, emit.full(c.g, sizes(c), emit.reshape(c.g, fill ?? scalar('float32', 0), [])), dtype)
    const content = fill ? emit.reshape(c.g, emit.cast(c.g, fill, dtype), []) : scalar(dtype, number ?? 0)
    const whole = emit.full(c.g, sizes(c), content)
    const [known] = content.elements ?? []
    return typeof known === 'number' && !Number.isNaN(known) ? c.vm.facts.noteNumbers(whole) : whole
  }

/** Python floats make float32 tensors. */
const factoryType = (v: Value): ElementType => (v.dtype === 'float64' ? 'float32' : v.dtype)

const bySize = (c: Call): Dim[] => c.dims('size')
const bySelf = (c: Call): Dim[] => [...c.tensor('self').shape]
const zero = () => 0
const one = () => 1
const given = () => undefined

const arange: Lower = (c) => {
  const start = c.has('start') ? c.py('start') : 0n
  const [end, step] = [c.py('end'), c.has('step') ? c.py('step') : 1n]
  const whole = [start, end, step].every(
    (v) => typeof v === 'bigint' || (isNumber(v) && scalarValue(c.vm, v).dtype === 'int64'),
  )
  const dtype = c.dtype('dtype') ?? (whole ? 'int64' : 'float32')
  if (whole) {
    const [from, by] = [c.has('start') ? c.dim('start') : 0, c.has('step') ? c.dim('step') : 1]
    const ramp = steps(c, from, c.dim('end'), by)
    return emit.cast(c.g, from === 0 ? c.vm.facts.noteSteps(ramp, by) : ramp, dtype)
  }
  const [from, to, by] = [c.has('start') ? c.float('start') : 0, c.float('end'), c.has('step') ? c.float('step') : 1]
  const count = Math.max(0, Math.ceil((to - from) / by))
  if (count > 10_000_000) throw refuse(`aten::arange of ${count} numbers`)
  return emit.cast(
    c.g,
    c.g.numbers(
      dtype,
      [count],
      Array.from({ length: count }, (_, i) => from + i * by),
    ),
    dtype,
  )
}

/** Whole numbers from `from` to before `to`, in steps that may be a size where they end exactly there. */
function steps(c: Call, from: Dim, to: Dim, by: Dim): Value {
  if (typeof by === 'number') return emit.range(c.g, from, to, by)
  const count = dims.floorDiv(dims.sub(to, from), by)
  if (!dims.same(dims.mul(count, by), dims.sub(to, from))) return emit.range(c.g, from, to, c.fixed(by))
  const multiples = emit.binary(c.g, 'Mul', emit.range(c.g, 0, count), scalar('int64', by))
  return emit.binary(c.g, 'Add', multiples, scalar('int64', from))
}

const linspace: Lower = (c) => {
  const steps = c.optionalDim('steps') ?? 100
  const isKnown = (v: Py): boolean => typeof v === 'bigint' || typeof v === 'number' || typeof v === 'boolean'
  if (typeof steps !== 'number' || ![c.py('start'), c.py('end')].every(isKnown)) return spaced(c, steps)
  const [start, end] = [c.float('start'), c.float('end')]
  if (steps > 10_000_000) throw refuse(`aten::linspace of ${steps} numbers`)
  const by = steps > 1 ? (end - start) / (steps - 1) : 0
  // As torch does, from both ends to the middle.
  const at = (i: number): number => (i < steps / 2 ? start + by * i : end - by * (steps - i - 1))
  const base = c.name === 'logspace' ? c.float('base') : undefined
  return c.g.numbers(
    c.dtype('dtype') ?? 'float32',
    [steps],
    Array.from({ length: steps }, (_, i) => (base === undefined ? at(i) : base ** at(i))),
  )
}

/** `linspace` and `logspace` of as many numbers as sizes say, or between numbers that a run computes. */
function spaced(c: Call, steps: Dim): Value {
  const { g } = c
  const dtype = c.dtype('dtype') ?? 'float32'
  const kind: ElementType = dtype === 'float64' || !isFloat(dtype) ? 'float64' : 'float32'
  const [start, end] = ['start', 'end'].map((name) => emit.cast(g, c.operand(name).value, kind)) as [Value, Value] // two names
  const number = (d: Dim): Value => emit.cast(g, scalar('int64', d), kind)
  const gaps = number(dims.max(dims.sub(steps, 1), 1))
  const by = emit.binary(g, 'Div', emit.binary(g, 'Sub', end, start), gaps)
  const place = emit.iota(g, steps, 0, 1, kind)
  const upwards = emit.binary(g, 'Add', start, emit.binary(g, 'Mul', place, by))
  const downwards = emit.binary(g, 'Sub', end, emit.binary(g, 'Mul', emit.binary(g, 'Sub', gaps, place), by))
  const isFirstHalf = emit.compare(g, 'Less', emit.binary(g, 'Add', place, place), number(steps))
  const numbers = emit.where(g, isFirstHalf, upwards, downwards)
  if (c.name === 'linspace') return emit.cast(g, numbers, dtype)
  return emit.cast(g, emit.binary(g, 'Pow', scalar(kind, c.float('base')), numbers), dtype)
}

/** `torch.tensor` of nested lists of numbers, some of which may be computed by a run. */
const fromList: Lower = (c) => {
  const data = c.has('data') ? c.py('data') : c.py('t')
  if (data instanceof TensorRef) {
    const x = c.vm.read(data)
    return emit.cast(c.g, x, c.dtype('dtype') ?? x.dtype)
  }
  const shape: number[] = []
  for (let v: Py = data; v instanceof PyList || v instanceof PyTuple; v = v.items[0] ?? null) {
    shape.push(v.items.length)
    if (v.items.length === 0) break
  }
  const leaves: Value[] = []
  const visit = (v: Py): void => {
    if (v instanceof PyList || v instanceof PyTuple) for (const item of v.items) visit(item)
    else leaves.push(v instanceof TensorRef ? emit.reshape(c.g, c.vm.read(v), []) : scalarValue(c.vm, v))
  }
  visit(data)
  const dtype =
    c.dtype('dtype') ??
    (leaves.length === 0
      ? 'float32'
      : factoryType({ ...(leaves[0] as Value), dtype: leaves.map((l) => l.dtype).reduce(promoteTypes) }))
  const cast = leaves.map((l) => emit.cast(c.g, l, dtype))
  if (cast.every((l) => l.elements)) {
    const elements = cast.flatMap((l) => l.elements ?? [])
    if (elements.every((e) => typeof e === 'number')) return c.g.numbers(dtype, shape, elements as number[]) // just checked
    if (elements.length <= 64) return { dtype, shape, elements }
  }
  return emit.reshape(
    c.g,
    emit.concat(
      c.g,
      cast.map((l) => emit.reshape(c.g, l, [1])),
      0,
    ),
    shape,
  )
}

const eye: Lower = (c) => {
  const n = c.dim('n')
  const m = c.has('m') ? c.dim('m') : n
  const dtype = c.dtype('dtype') ?? 'float32'
  const same = emit.compare(c.g, 'Equal', emit.iota(c.g, n, 0, 2), emit.iota(c.g, m, 1, 2))
  return isComplex(dtype) ? complexFrom(c.g, same, dtype) : emit.cast(c.g, same, dtype)
}

/** The triangle of the last two axes; the rest is zero. */
const triangle =
  (upper: boolean): Lower =>
  (c) => {
    const x = c.tensor('self')
    const kernel = emit.kernelType('Trilu', x.dtype)
    const y = c.g.one('Trilu', [emit.cast(c.g, x, kernel), scalar('int64', c.int('diagonal'))], kernel, x.shape, {
      upper: Number(upper),
    })
    const value = emit.cast(c.g, y, x.dtype)
    return c.vm.facts.isNumbers(x) ? c.vm.facts.noteNumbers(value) : value
  }

const triangleIndices =
  (upper: boolean): Lower =>
  (c) => {
    const [rows, columns, offset] = [c.int('row'), c.int('col'), c.int('offset')]
    const pairs: [number, number][] = []
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) if (upper ? j - i >= offset : j - i <= offset) pairs.push([i, j])
    return c.g.numbers(
      c.dtype('dtype') ?? 'int64',
      [2, pairs.length],
      [...pairs.map(([i]) => i), ...pairs.map(([, j]) => j)],
    )
  }

const repeat: Lower = (c) => {
  const x = c.tensor('self')
  const repeats = c.has('repeats') ? c.dims('repeats') : c.dims('dims')
  const rank = Math.max(x.shape.length, repeats.length)
  const shape = [...new Array<Dim>(rank - x.shape.length).fill(1), ...x.shape]
  return emit.tile(c.g, emit.reshape(c.g, x, shape), [...new Array<Dim>(rank - repeats.length).fill(1), ...repeats])
}

const repeatInterleave: Lower = (c) => {
  const flat =
    c.has('dim') && c.py('dim') !== null ? undefined : emit.flat(c.g, c.tensor(c.has('self') ? 'self' : 'repeats'))
  if (!c.has('self')) return repeatedIndices(c, c.tensor('repeats'))
  const x = flat ?? c.tensor('self')
  const axis = flat ? 0 : c.axis('dim', x.shape.length)
  const repeats = c.py('repeats')
  if (repeats instanceof TensorRef && elementsOf(c.vm, c.vm.read(repeats))?.length !== 1) {
    const counts = c.vm.read(repeats)
    // A single count is that of every element.
    const each =
      dims.product(counts.shape) === 1 ? emit.expand(c.g, emit.reshape(c.g, counts, [1]), [x.shape[axis] ?? 1]) : counts
    return emit.gather(c.g, x, repeatedIndices(c, each), axis)
  }
  const times = c.dim('repeats')
  const wide = emit.expand(c.g, emit.unsqueeze(c.g, x, [axis + 1]), [
    ...x.shape.slice(0, axis + 1),
    times,
    ...x.shape.slice(axis + 1),
  ])
  return emit.reshape(
    c.g,
    wide,
    x.shape.map((d, i) => (i === axis ? dims.mul(d, times) : d)),
  )
}

/** `0` as often as the first number says, `1` as often as the second, and so on. */
function repeatedIndices(c: Call, repeats: Value): Value {
  const { g } = c
  const ends = emit.cumSum(g, emit.cast(g, repeats, 'int64'), 0)
  const total = g.scalarDim(emit.reduce(g, 'ReduceSum', emit.cast(g, repeats, 'int64'), [0]), 0)
  return segmentOf(c, emit.slice(g, ends, 0, 0, dims.sub(repeats.shape[0] ?? 1, 1)), total)
}

const flip: Lower = (c) => {
  let x = c.tensor('self')
  // No axes are none here, not all.
  for (const axis of c.ints('dims')) x = reversed(c, x, emit.axisOf(axis, x.shape.length))
  return x
}

export function reversed(c: Call, x: Value, axis: number): Value {
  const n = x.shape[axis] ?? 1
  const places = emit.binary(c.g, 'Sub', scalar('int64', dims.add(n, -1)), emit.iota(c.g, n, 0, 1))
  return emit.gather(c.g, x, places, axis)
}

const roll: Lower = (c) => {
  let x = c.tensor('self')
  const shifts = c.dims('shifts')
  const axes = c.has('dims') ? c.ints('dims') : []
  const rolled = (y: Value, axis: number, shift: Dim): Value => {
    const n = y.shape[axis] ?? 1
    if (n === 0) return y
    const split = dims.mod(dims.neg(shift), n)
    if (split === 0) return y
    return emit.concat(c.g, [emit.slice(c.g, y, axis, split, n), emit.slice(c.g, y, axis, 0, split)], axis)
  }
  if (axes.length === 0) return emit.reshape(c.g, rolled(emit.flat(c.g, x), 0, shifts[0] ?? 0), x.shape)
  for (const [i, axis] of axes.entries()) x = rolled(x, emit.axisOf(axis, x.shape.length), shifts[i] ?? 0)
  return x
}

const meshgrid: Lower = (c) => {
  const axes = c.tensors('tensors').map((t) => emit.flat(c.g, t))
  const byColumn = c.has('indexing') && c.optionalString('indexing') === 'xy' && axes.length > 1
  const order = byColumn ? [axes[1], axes[0], ...axes.slice(2)] : axes
  const shape = order.map((t) => t?.shape[0] ?? 1)
  const place = (i: number): number => (byColumn && i < 2 ? 1 - i : i)
  return axes.map((t, i) =>
    emit.expand(
      c.g,
      emit.reshape(
        c.g,
        t,
        shape.map((d, at) => (at === place(i) ? d : 1)),
      ),
      shape,
    ),
  )
}

/** One-hot rows; the count is that of the classes, or one more than the greatest. */
const oneHot: Lower = (c) => {
  const x = c.tensor('self')
  const given = c.int('num_classes')
  const classes: Dim =
    given >= 0
      ? given
      : c.g.scalarDim(emit.binary(c.g, 'Add', emit.reduce(c.g, 'ReduceMax', emit.flat(c.g, x), [0]), like(x, 1)), 1)
  const hot = emit.compare(
    c.g,
    'Equal',
    emit.unsqueeze(c.g, x, [x.shape.length]),
    emit.iota(c.g, classes, x.shape.length, x.shape.length + 1, x.dtype),
  )
  return emit.cast(c.g, hot, 'int64')
}

/** The last axis on the diagonals of matrices. */
export function onDiagonal(c: Call, x: Value, offset: number): Value {
  const n = x.shape.at(-1) ?? 1
  const size = dims.add(n, Math.abs(offset))
  const rank = x.shape.length
  const row = emit.iota(c.g, size, rank - 1, rank + 1)
  const column = emit.iota(c.g, size, rank, rank + 1)
  const on = emit.compare(c.g, 'Equal', emit.binary(c.g, 'Sub', column, row), scalar('int64', offset))
  const before = x.shape.map(() => 0)
  const padded = emit.pad(c.g, x, [...before.slice(1), Math.max(0, -offset)], [...before.slice(1), Math.max(0, offset)])
  return emit.where(c.g, on, emit.unsqueeze(c.g, padded, [rank]), like(x, 0))
}

const diagEmbed: Lower = (c) => {
  const y = onDiagonal(c, c.tensor('self'), c.int('offset'))
  const rank = y.shape.length
  const [a, b] = [c.axis('dim1', rank), c.axis('dim2', rank)]
  const rest = emit.allAxes(y).filter((i) => i !== a && i !== b)
  return emit.transpose(c.g, y, emit.inverse([...rest, a, b]))
}

/** A vector on the diagonal of a matrix, or the diagonal of a matrix. */
const diag: Lower = (c) => {
  const x = c.tensor('self')
  const offset = c.int('diagonal')
  if (x.shape.length === 1) return onDiagonal(c, x, offset)
  const [rows = 1, columns = 1] = x.shape
  const [down, right] = [Math.max(0, -offset), Math.max(0, offset)]
  const count = dims.min(dims.sub(rows, down), dims.sub(columns, right))
  const i = emit.iota(c.g, count, 0, 1)
  const places = emit.concat(
    c.g,
    [down, right].map((by) => emit.unsqueeze(c.g, emit.binary(c.g, 'Add', i, scalar('int64', by)), [1])),
    1,
  )
  return emit.gatherND(c.g, x, places)
}

const numberTensorOp: Lower = (c) => {
  const { value } = c.operand(c.has('s') ? 's' : c.has('t') ? 't' : 'a')
  return emit.cast(c.g, emit.reshape(c.g, value, []), c.dtype('dtype') ?? factoryType(value))
}

/** Rows of coordinates of every choice of one from each. */
const cartesian: Lower = (c) => {
  const axes = c.tensors('tensors')
  if (axes.length === 1) return axes[0] as Value // there is one
  const shape = axes.map((t) => t.shape[0] ?? 1)
  const columns = axes.map((t, i) =>
    emit.flat(
      c.g,
      emit.expand(
        c.g,
        emit.reshape(
          c.g,
          t,
          shape.map((d, at) => (at === i ? d : 1)),
        ),
        shape,
      ),
    ),
  )
  return stacked(c, columns, 1)
}

/** Every choice of `r` elements in their order, a row each. */
const combinations: Lower = (c) => {
  const x = c.tensor('self')
  const n = c.fixed(x.shape[0] ?? 1)
  const r = c.int('r')
  const again = c.bool('with_replacement')
  let chosen: number[][] = [[]]
  for (let k = 0; k < r; k++) {
    chosen = chosen.flatMap((row) => {
      const from = row.length === 0 ? 0 : (row[row.length - 1] ?? 0) + (again ? 0 : 1)
      return Array.from({ length: Math.max(0, n - from) }, (_, i) => [...row, from + i])
    })
    if (chosen.length > 100_000) throw refuse('aten::combinations of over 100000 rows', '', 'Choose from fewer')
  }
  return emit.gather(c.g, x, c.g.numbers('int64', [chosen.length, r], chosen.flat()), 0)
}

const joinedBy =
  (axis: number, rank: number): Lower =>
  (c) => {
    const values = c.tensors('tensors').map((t) => {
      const missing = rank - t.shape.length
      if (missing <= 0) return t
      return emit.reshape(
        c.g,
        t,
        axis === 0
          ? [...new Array<Dim>(missing).fill(1), ...t.shape]
          : [...t.shape, ...new Array<Dim>(missing).fill(1)],
      )
    })
    return emit.concat(c.g, together(c, values), axis === 1 && values[0]?.shape.length === 1 ? 0 : axis)
  }

/** Of sizes alone, without tensors. */
const broadcastSizes: Lower = (c) => emit.broadcastShapes(c.g, c.dims('a'), c.dims('b')).map(fromDim)

export const shapeOps: OpTable = {
  broadcast_shapes: broadcastSizes,
  cat,
  _cat: cat,
  concat: cat,
  concatenate: cat,
  stack,
  _stack: stack,
  combinations,
  pad_sequence: padSequence,
  vstack: joinedBy(0, 2),
  row_stack: joinedBy(0, 2),
  hstack: joinedBy(1, 1),
  column_stack: joinedBy(1, 2),
  zeros: filled(zero, bySize),
  ones: filled(one, bySize),
  empty: filled(zero, bySize),
  empty_strided: filled(zero, bySize),
  new_empty_strided: filled(zero, bySize),
  full: filled(given, bySize),
  zeros_like: filled(zero, bySelf),
  ones_like: filled(one, bySelf),
  empty_like: filled(zero, bySelf),
  full_like: filled(given, bySelf),
  new_zeros: filled(zero, bySize),
  new_ones: filled(one, bySize),
  new_empty: filled(zero, bySize),
  new_full: filled(given, bySize),
  arange,
  linspace,
  logspace: linspace,
  tensor: fromList,
  as_tensor: fromList,
  scalar_tensor: numberTensorOp,
  eye,
  tril: triangle(false),
  triu: triangle(true),
  tril_indices: triangleIndices(false),
  triu_indices: triangleIndices(true),
  repeat,
  tile: repeat,
  repeat_interleave: repeatInterleave,
  flip,
  fliplr: (c) => reversed(c, c.tensor('self'), 1),
  flipud: (c) => reversed(c, c.tensor('self'), 0),
  roll,
  rot90: (c) => {
    const x = c.tensor('self')
    const [a = 0, b = 1] = c.ints('dims').map((d) => emit.axisOf(d, x.shape.length))
    const turns = ((c.int('k') % 4) + 4) % 4
    const swap = (v: Value): Value => emit.transpose(c.g, v, emit.swapped(x.shape.length, a, b))
    if (turns === 1) return swap(reversed(c, x, b))
    if (turns === 2) return reversed(c, reversed(c, x, a), b)
    return turns === 3 ? reversed(c, swap(x), b) : x
  },
  meshgrid,
  one_hot: oneHot,
  diag,
  diag_embed: diagEmbed,
  diagflat: (c) => onDiagonal(c, emit.flat(c.g, c.tensor('self')), c.int('offset')),
  cartesian_prod: cartesian,
  block_diag: (c): Result => {
    const parts = together(c, c.tensors('tensors')).map((p) =>
      p.shape.length < 2 ? emit.reshape(c.g, p, [1, p.shape[0] ?? 1]) : p,
    )
    const columns = parts.reduce<Dim>((n, p) => dims.add(n, p.shape[1] ?? 1), 0)
    let before: Dim = 0
    const rows = parts.map((p) => {
      const left = before
      before = dims.add(before, p.shape[1] ?? 1)
      return emit.pad(c.g, p, [0, left], [0, dims.sub(columns, before)])
    })
    return emit.concat(c.g, rows, 0)
  },
}
