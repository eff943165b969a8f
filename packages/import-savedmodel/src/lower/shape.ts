import { type Dim, dims, emit, maxElements, refuse, scalar, type Value, vector } from '@eas/onnx'
import type { TensorItem } from '../item.ts'
import type { Lowering, Op, OpTable } from '../op.ts'
import { toValue } from '../tensor-proto.ts'
import { binary } from './elementwise.ts'
import { firstAxis, fromChannelsFirst } from './layout.ts'

/** Shapes and where elements stand. TF: core/ops/array_ops.cc (2.16). ONNX: opset 20. */

const sizesAs = (op: Op, x: readonly Dim[], attr = 'out_type'): Value => vector(x, op.dtype(attr, 'int32'))

/** The target of a Reshape with its -1 worked out. */
function reshapeTarget(op: Op, x: Value, target: readonly Dim[]): readonly Dim[] {
  const open = target.indexOf(-1)
  if (open < 0) return target
  const rest = dims.product(target.filter((_, i) => i !== open))
  const size = dims.product(x.shape)
  if (rest === 0) return target.map((d) => (d === -1 ? 0 : d))
  const quotient = dims.floorDiv(size, rest)
  // A division that does not come out even leaves a formula nobody can simplify: the result tells its own size.
  const isExact = dims.same(dims.mul(quotient, rest), size)
  return target.map((d, i) => (i === open ? (isExact ? quotient : op.g.freshDim('r')) : d))
}

const reshape: Lowering = (op) => {
  const item = op.tensor(0)
  const target = op.x(1)
  const x = item.value
  if (!target.elements && target.shape.length === 1 && typeof target.shape[0] === 'number') {
    const open = Array.from({ length: target.shape[0] }, () => op.g.freshDim('r'))
    return op.one('Reshape', [x, emit.cast(op.g, target, 'int64')], x.dtype, open)
  }
  return reshapeTo(op, x, reshapeTarget(op, x, op.dims(1)))
}

/** A Reshape to sizes of which one may be told by the result only. */
function reshapeTo(op: Op, x: Value, shape: readonly Dim[]): Value {
  const unknown = shape.map((d, i) => (isUnread(op, d) ? i : -1)).filter((i) => i >= 0)
  if (unknown.length === 0) return isAmbiguous(x, shape) ? exactly(op, x, shape) : emit.reshape(op.g, x, shape)
  const target = shape.map((d, i) => (i === unknown[0] ? -1 : d))
  return op.one('Reshape', [x, vector(target)], x.dtype, shape)
}

/**
 * Whether a size that is computed, and lies where another was, may be 0: ONNX takes that for a size to be copied, unless it
 * is told otherwise. A single one is left for the runtime to infer, where no other can be 0.
 */
function isAmbiguous(x: Value, shape: readonly Dim[]): boolean {
  const isMoved = (d: Dim, i: number): boolean =>
    typeof d !== 'number' && !(x.shape[i] !== undefined && dims.same(d, x.shape[i]))
  const moved = shape.filter(isMoved)
  if (x.elements || x.content || !moved.some((d) => dims.bounds(d)[0] < 1)) return false
  return moved.length > 1 || shape.some((d, i) => !isMoved(d, i) && dims.bounds(d)[0] < 1)
}

const exactly = (op: Op, x: Value, shape: readonly Dim[]): Value =>
  op.one('Reshape', [x, vector(shape)], x.dtype, shape, { allowzero: 1 })

/** Whether nothing tells a size yet: it was made for a result that is still to come. */
function isUnread(op: Op, d: Dim): boolean {
  if (typeof d === 'number') return false
  const atom = d.terms.length === 1 ? d.terms[0]?.atoms[0] : undefined
  if (!atom || atom.of || !atom.name.startsWith('r#')) return false
  try {
    op.g.sourceOf(atom)
    return false
  } catch {
    return true
  }
}

const squeeze: Lowering = (op) => {
  const x = op.x(0)
  const named = op.attr.ints('squeeze_dims', op.attr.ints('axis')).map((a) => op.axis(a, x.shape.length))
  const axes = named.length > 0 ? named : x.shape.map((d, i) => (d === 1 ? i : -1)).filter((i) => i >= 0)
  if (named.length === 0 && x.shape.some((d) => typeof d !== 'number'))
    throw refuse('which dimensions are 1 depends on the request', op.node.name, 'Name the dimensions to squeeze')
  return emit.squeeze(op.g, x, axes)
}

const expandDims: Lowering = (op) => {
  const x = op.x(0)
  const axis = op.int(1)
  return emit.unsqueeze(op.g, x, [axis < 0 ? axis + x.shape.length + 1 : axis])
}

const transpose: Lowering = (op) => {
  const item = op.tensor(0)
  const perm = op.ints(1).map((p) => op.axis(p, item.shape.length))
  if (item.channelsFirst && perm.join() === [0, perm.length - 1, ...perm.slice(1, -1).map((_, i) => i + 1)].join())
    return item.channelsFirst
  return emit.transpose(op.g, item.value, perm)
}

function concat(op: Op, items: readonly TensorItem[], axis: number): Value | TensorItem {
  const rank = items[0]?.shape.length ?? 0
  if (items.every((i) => i.channelsFirst)) {
    const values = items.map((i) => i.channelsFirst as Value) // just asked
    return fromChannelsFirst(op, emit.concat(op.g, values, firstAxis(op.axis(axis, rank), rank)))
  }
  const values = items.map((i) => i.value)
  return emit.concat(op.g, values, op.axis(axis, rank))
}

const tensors = (op: Op, from: number, to: number): TensorItem[] =>
  Array.from({ length: to - from }, (_, i) => op.tensor(from + i))

function split(op: Op, item: TensorItem, axis: number, sizes: readonly Dim[]): (Value | TensorItem)[] {
  const rank = item.shape.length
  const first = item.channelsFirst
  const x = first ?? item.value
  const at = first ? firstAxis(axis, rank) : axis
  let start: Dim = 0
  return sizes.map((size) => {
    const end = dims.add(start, size)
    const part = emit.slice(op.g, x, at, start, end)
    start = end
    return first ? fromChannelsFirst(op, part) : part
  })
}

const splitEven: Lowering = (op) => {
  const item = op.tensor(1)
  const axis = op.axis(op.int(0), item.shape.length)
  const count = op.attr.int('num_split', 1)
  const size = dims.floorDiv(item.shape[axis] ?? 1, count)
  return split(op, item, axis, new Array<Dim>(count).fill(size))
}

const splitSizes: Lowering = (op) => {
  const item = op.tensor(0)
  const axis = op.axis(op.int(2), item.shape.length)
  const sizes = op.sizes(1)
  const rest = dims.sub(item.shape[axis] ?? 1, dims.sum(sizes.filter((s) => s !== -1)))
  return split(
    op,
    item,
    axis,
    sizes.map((s) => (s === -1 ? rest : s)),
  )
}

const pack: Lowering = (op) => {
  const values = op.xs()
  const rank = (values[0]?.shape.length ?? 0) + 1
  const axis = op.axis(op.attr.int('axis', 0), rank)
  // A -1 among sizes means all that is left: it is to be seen although the sizes beside it are computed.
  if (rank === 1 && isWhole(values) && values.some((v) => v.elements?.[0] === -1)) {
    const elements = values.map((v) => v.elements?.[0] ?? op.g.scalarDim(v))
    return { dtype: values[0]?.dtype ?? 'int32', shape: [values.length], elements }
  }
  return emit.concat(
    op.g,
    values.map((v) => (v.elements && rank === 1 ? { ...v, shape: [1] } : emit.unsqueeze(op.g, v, [axis]))),
    axis,
  )
}

const isWhole = (values: readonly Value[]): boolean =>
  values.length <= maxElements && values.every(({ dtype }) => dtype === 'int32' || dtype === 'int64')

const unpack: Lowering = (op) => {
  const x = op.x(0)
  const axis = op.axis(op.attr.int('axis', 0), x.shape.length)
  return Array.from({ length: op.attr.int('num', 0) }, (_, i) => emit.select(op.g, x, axis, i))
}

/** `begin` and `size` per axis; a size of -1 is the rest. */
const slice: Lowering = (op) => {
  let x = op.x(0)
  const begin = op.sizes(1)
  const size = op.sizes(2)
  for (const [axis, length] of x.shape.entries()) {
    const from = begin[axis] ?? 0
    const count = size[axis] ?? -1
    x = emit.slice(op.g, x, axis, from, count === -1 ? length : dims.add(from, count))
  }
  return x
}

/** One entry of the index `x[…]`: what it does to the next axis of the input. */
type Entry =
  | { readonly is: 'new' }
  | { readonly is: 'all' }
  | { readonly is: 'at'; readonly index: Dim }
  | { readonly is: 'from'; readonly begin: Dim | undefined; readonly end: Dim | undefined; readonly step: number }

/**
 * Python's index with its five masks, bit `i` for entry `i`.
 * @see https://www.tensorflow.org/api_docs/python/tf/strided_slice
 */
function indexEntries(op: Op, rank: number): Entry[] {
  const mask = (name: string, i: number): boolean => ((op.attr.int(name, 0) >> i) & 1) === 1
  const begin = op.sizes(1)
  const end = op.sizes(2)
  const steps = op.ints(3)
  const entries: Entry[] = []
  const used = steps.filter((_, i) => !mask('ellipsis_mask', i) && !mask('new_axis_mask', i)).length
  for (const [i, step] of steps.entries()) {
    if (mask('ellipsis_mask', i)) for (let k = used; k < rank; k++) entries.push({ is: 'all' })
    else if (mask('new_axis_mask', i)) entries.push({ is: 'new' })
    else if (mask('shrink_axis_mask', i)) entries.push({ is: 'at', index: begin[i] ?? 0 })
    else
      entries.push({
        is: 'from',
        begin: mask('begin_mask', i) ? undefined : begin[i],
        end: mask('end_mask', i) ? undefined : end[i],
        step,
      })
  }
  return entries
}

const stridedSlice: Lowering = (op) => {
  let x = op.x(0)
  const added: number[] = []
  const gone: number[] = []
  let axis = 0
  let out = 0
  for (const entry of indexEntries(op, x.shape.length)) {
    if (entry.is === 'new') {
      added.push(out++)
      continue
    }
    if (axis >= x.shape.length) throw refuse(`an index of more than ${x.shape.length} dimensions`, op.node.name)
    if (entry.is === 'at') {
      x = oneAt(op, x, axis, entry.index)
      gone.push(axis)
    } else {
      if (entry.is === 'from') x = strided(op, x, axis, entry.begin, entry.end, entry.step)
      out++
    }
    axis++
  }
  return emit.unsqueeze(op.g, emit.squeeze(op.g, x, gone), added)
}

/** The index alone, its axis kept. */
function oneAt(op: Op, x: Value, axis: number, index: Dim): Value {
  const length = x.shape[axis] ?? 1
  const known = typeof index === 'number' || dims.bounds(index)[0] >= 0
  if (known && x.elements && typeof index === 'number') {
    const place = index < 0 && typeof length === 'number' ? index + length : index
    return emit.slice(op.g, x, axis, place, place + 1)
  }
  const shape = x.shape.map((d, i) => (i === axis ? 1 : d))
  // Gather takes negative indices as Python does.
  return op.one('Gather', [x, vector([index])], x.dtype, shape, { axis })
}

function strided(op: Op, x: Value, axis: number, begin: Dim | undefined, end: Dim | undefined, step: number): Value {
  const length = x.shape[axis] ?? 1
  if (step === 0) throw refuse('a slice steps by 0', op.node.name)
  if (step > 0 && mayBeNegative(begin)) return computedSlice(op, x, axis, begin, end, step)
  if (step > 0 && mayBeNegative(end)) return computedSlice(op, x, axis, begin, end, step)
  if (step > 0) {
    const [from, to] = emit.clampSlice(op.g, length, begin ?? 0, end ?? emit.sliceToEnd)
    return emit.slice(op.g, x, axis, from, to, step)
  }
  if (x.elements && isNumber(length) && isNumber(begin ?? 0) && isNumber(end ?? 0)) {
    const elements = [...indicesOf(length, begin, end, step)].map((i) => x.elements?.[i] ?? 0)
    return { dtype: x.dtype, shape: [elements.length], elements }
  }
  return computedSlice(op, x, axis, begin, end, step)
}

const isNumber = (d: Dim): d is number => typeof d === 'number'

function* indicesOf(length: number, begin: Dim | undefined, end: Dim | undefined, step: number): Generator<number> {
  const place = (d: Dim | undefined, otherwise: number): number =>
    typeof d === 'number' ? Math.max(-1, Math.min(length - 1, d < 0 ? d + length : d)) : otherwise
  for (let i = place(begin, length - 1); i > place(end, -1); i += step) yield i
}

/** Whether a size computed at run time may count from the back. */
const mayBeNegative = (d: Dim | undefined): boolean => d !== undefined && typeof d !== 'number' && dims.bounds(d)[0] < 0

/** A slice whose ends the runtime clamps: ONNX reads negative ends as Python does. */
function computedSlice(
  op: Op,
  x: Value,
  axis: number,
  begin: Dim | undefined,
  end: Dim | undefined,
  step: number,
): Value {
  const length = x.shape[axis] ?? 1
  const from = begin ?? (step > 0 ? 0 : emit.sliceToEnd)
  const to = end ?? (step > 0 ? emit.sliceToEnd : -emit.sliceToEnd)
  const count =
    typeof length === 'number' && isNumber(from) && isNumber(to) && step < 0
      ? [...indicesOf(length, begin, end, step)].length
      : (reversedAll(length, begin, end, step) ?? op.g.freshDim('s'))
  const shape = x.shape.map((d, i) => (i === axis ? count : d))
  return op.one('Slice', [x, vector([from]), vector([to]), vector([axis]), vector([step])], x.dtype, shape)
}

const reversedAll = (length: Dim, begin: Dim | undefined, end: Dim | undefined, step: number): Dim | undefined =>
  step === -1 && begin === undefined && end === undefined ? length : undefined

const tile: Lowering = (op) => {
  const x = op.x(0)
  const repeats = op.sizes(1)
  if (repeats.every((r) => r === 1)) return x
  const shape = x.shape.map((d, i) => dims.mul(d, repeats[i] ?? 1))
  // Where every repeated axis is 1, repeating is broadcasting, for which there are kernels of every type.
  if (x.shape.every((d, i) => d === 1 || repeats[i] === 1)) return emit.expand(op.g, x, shape)
  return emit.tile(op.g, x, repeats)
}

function pad(op: Op, mode: string, value?: Value): Value | TensorItem {
  const item = op.tensor(0)
  const flat = op.x(1).shape.length === 2 ? flatSizes(op, 1) : op.dims(1)
  const rank = item.shape.length
  const before = Array.from({ length: rank }, (_, i) => flat[2 * i] ?? 0)
  const after = Array.from({ length: rank }, (_, i) => flat[2 * i + 1] ?? 0)
  if (item.channelsFirst) {
    const turn = (p: readonly Dim[]): Dim[] => [p[0] ?? 0, p[rank - 1] ?? 0, ...p.slice(1, -1)]
    return fromChannelsFirst(op, padded(op, item.channelsFirst, turn(before), turn(after), mode, value))
  }
  return padded(op, item.value, before, after, mode, value)
}

/** Elements of a matrix, row by row, known or not. */
function flatSizes(op: Op, i: number): readonly Dim[] {
  const x = op.x(i)
  if (x.elements) return x.elements
  const size = dims.product(x.shape)
  if (typeof size !== 'number' || size > 64) throw refuse(`input ${i} has to have a known shape`, op.node.name)
  const row = emit.reshape(op.g, x, [size])
  return Array.from({ length: size }, (_, k) => op.g.scalarDim(emit.select(op.g, row, 0, k), 0))
}

function padded(op: Op, x: Value, before: readonly Dim[], after: readonly Dim[], mode: string, value?: Value): Value {
  if (mode === 'symmetric') return symmetric(op, x, before, after)
  if (x.dtype === 'string') return paddedStrings(op, x, before, after, value)
  return emit.pad(op.g, x, before, after, mode, value)
}

/** Strings are put around others one axis after the other. */
function paddedStrings(op: Op, x: Value, before: readonly Dim[], after: readonly Dim[], value?: Value): Value {
  const fill: Value = value ?? { dtype: 'string', shape: [], content: { strings: [new Uint8Array()] } }
  return x.shape.reduce<Value>((result, _, axis) => {
    const margin = (size: Dim | undefined): Value[] =>
      size === undefined || size === 0 ? [] : [emit.full(op.g, result.shape.with(axis, size), fill)]
    return emit.concat(op.g, [...margin(before[axis]), result, ...margin(after[axis])], axis)
  }, x)
}

/** Mirrors that repeat the edge, which ONNX has no mode for: the reversed margins are put around. */
function symmetric(op: Op, x: Value, before: readonly Dim[], after: readonly Dim[]): Value {
  let result = x
  for (const axis of x.shape.keys()) {
    const length = result.shape[axis] ?? 1
    const parts: Value[] = []
    const [left = 0, right = 0] = [before[axis], after[axis]]
    if (left !== 0) parts.push(reversed(op, emit.slice(op.g, result, axis, 0, left), axis))
    parts.push(result)
    if (right !== 0) parts.push(reversed(op, emit.slice(op.g, result, axis, dims.sub(length, right), length), axis))
    result = emit.concat(op.g, parts, axis)
  }
  return result
}

export const reversed = (op: Op, x: Value, axis: number): Value =>
  op.one('Slice', [x, vector([-1]), vector([-emit.sliceToEnd]), vector([axis]), vector([-1])], x.dtype, x.shape)

const reverse = (op: Op, axes: readonly number[]): Value => axes.reduce((x, axis) => reversed(op, x, axis), op.x(0))

const fill: Lowering = (op) => {
  const value = op.x(1)
  const target = op.x(0)
  if (!target.elements && typeof target.shape[0] !== 'number')
    throw refuse('the rank of the result is not known', op.node.name)
  const item = op.e.tensor(emit.full(op.g, op.sizes(0), value))
  item.facts = { isZero: op.e.listOf(value)?.every((v) => Number(v) === 0) ?? false }
  return item
}

const like =
  (value: number): Lowering =>
  (op) => {
    const { dtype, shape } = op.tensor(0)
    if (dtype === 'string')
      return emit.full(op.g, shape, { dtype, shape: [], content: { strings: [new Uint8Array()] } })
    return emit.full(op.g, shape, scalar(dtype, value))
  }

const range: Lowering = (op) => {
  const [start, limit, delta] = op.xs() as [Value, Value, Value] // Range has three inputs
  const [from, to, step] = [start.elements?.[0], limit.elements?.[0], delta.elements?.[0]]
  const isInt = start.dtype === 'int32' || start.dtype === 'int64'
  if (isInt && from !== undefined && to !== undefined && typeof step === 'number' && step !== 0) {
    const item = op.e.tensor(emit.cast(op.g, emit.range(op.g, from, to, step), start.dtype))
    if (from === 0 && step === 1) item.facts = { rangeTo: to }
    return item
  }
  if (typeof from === 'number' && typeof to === 'number' && typeof step === 'number') {
    const count = Math.max(0, Math.ceil((to - from) / step))
    if (count > 2 ** 24) throw refuse(`a range of ${count} numbers`, op.node.name)
    return op.g.numbers(
      start.dtype,
      [count],
      Array.from({ length: count }, (_, i) => from + i * step),
    )
  }
  const kernel = emit.kernelType('Range', start.dtype)
  const cast = (v: Value): Value => emit.cast(op.g, v, kernel)
  const count = isInt && from === 0 && step === 1 ? op.g.scalarDim(limit, 0) : op.g.freshDim('range')
  const item = op.e.tensor(
    emit.cast(op.g, op.one('Range', [cast(start), cast(limit), cast(delta)], kernel, [count]), start.dtype),
  )
  if (isInt && from === 0 && step === 1) item.facts = { rangeTo: count }
  return item
}

const linSpace: Lowering = (op) => {
  const [start, stop] = [op.x(0), op.x(1)]
  const [count = 1] = op.sizes(2)
  const step = binary(
    op,
    'Div',
    binary(op, 'Sub', stop, start),
    emit.cast(op.g, scalar('int64', dims.max(dims.sub(count, 1), 1)), start.dtype),
  )
  return binary(op, 'Add', start, binary(op, 'Mul', step, emit.iota(op.g, count, 0, 1, start.dtype)))
}

const oneHot: Lowering = (op) => {
  const indices = op.x(0)
  const [on, off] = [op.x(2), op.x(3)]
  const rank = indices.shape.length + 1
  const axis = op.axis(op.attr.int('axis', -1), rank)
  const depth = op.sizes(1)[0] ?? 1
  // ONNX counts negative indices from the back; TensorFlow gives them no place at all. Comparing knows no such thing.
  const wide = emit.unsqueeze(op.g, emit.cast(op.g, indices, 'int64'), [axis])
  const hot = op.one('Equal', [wide, emit.iota(op.g, depth, axis, rank)], 'bool', [
    ...indices.shape.slice(0, axis),
    depth,
    ...indices.shape.slice(axis),
  ])
  if (on.elements?.[0] === 1 && off.elements?.[0] === 0) return emit.cast(op.g, hot, on.dtype)
  return emit.where(op.g, hot, on, off)
}

const broadcastTo: Lowering = (op) => {
  const x = op.x(0)
  const { elements, shape } = op.x(1)
  if (!elements && typeof shape[0] !== 'number') throw refuse('the rank of the result is not known', op.node.name)
  const target = op.sizes(1)
  return emit.expand(op.g, x, target)
}

const broadcastArgs: Lowering = (op) => vector(op.e.broadcast(op.sizes(0), op.sizes(1)), op.x(0).dtype)

const reverseSequence: Lowering = (op) => {
  const x = op.x(0)
  const lengths = emit.cast(op.g, op.x(1), 'int64')
  const time = op.attr.int('seq_dim', 0)
  const batch = op.attr.int('batch_dim', 0)
  if (time + batch === 1)
    return op.one('ReverseSequence', [x, lengths], x.dtype, x.shape, { time_axis: time, batch_axis: batch })
  const perm = [batch, time, ...x.shape.map((_, i) => i).filter((i) => i !== batch && i !== time)]
  const turned = emit.transpose(op.g, x, perm)
  return emit.transpose(
    op.g,
    op.one('ReverseSequence', [turned, lengths], x.dtype, turned.shape, { time_axis: 1, batch_axis: 0 }),
    emit.inverse(perm),
  )
}

const roll: Lowering = (op) => {
  let x = op.x(0)
  const shifts = op.sizes(1)
  for (const [i, a] of op.ints(2).entries()) {
    const axis = op.axis(a, x.shape.length)
    const length = x.shape[axis] ?? 1
    const cut = dims.mod(dims.neg(shifts[i] ?? 0), dims.max(length, 1))
    x = emit.concat(op.g, [emit.slice(op.g, x, axis, cut, length), emit.slice(op.g, x, axis, 0, cut)], axis)
  }
  return x
}

const invertPermutation: Lowering = (op) => {
  const x = op.x(0)
  if (x.elements) {
    const inverse = emit.inverse(op.ints(0))
    return vector(inverse, x.dtype)
  }
  const [, indices] = emit.topK(op.g, x, x.shape[0] ?? 1, 0, { largest: false })
  return emit.cast(op.g, indices, x.dtype)
}

/** Blocks of space moved to the batch: pad, split each axis in two, bring the inner halves to the front. */
const spaceToBatch =
  (block: (op: Op) => readonly number[], padsAt: number): Lowering =>
  (op) => {
    const shape = block(op)
    const pads = flatSizes(op, padsAt)
    const rank = op.x(0).shape.length
    const side = (k: number): Dim[] =>
      Array.from({ length: rank }, (_, i) => (i >= 1 && i <= shape.length ? (pads[2 * (i - 1) + k] ?? 0) : 0))
    const x = padded(op, op.x(0), side(0), side(1), 'constant')
    const spread: Dim[] = [x.shape[0] ?? 1]
    for (const [i, b] of shape.entries()) spread.push(dims.floorDiv(x.shape[i + 1] ?? 1, b), b)
    const rest = x.shape.slice(shape.length + 1)
    const inner = shape.map((_, i) => 2 * i + 2)
    const outer = shape.map((_, i) => 2 * i + 1)
    const perm = [...inner, 0, ...outer, ...rest.map((_, i) => 2 * shape.length + 1 + i)]
    const moved = emit.transpose(op.g, emit.reshape(op.g, x, [...spread, ...rest]), perm)
    const batch = dims.mul(x.shape[0] ?? 1, dims.product(shape))
    return emit.reshape(op.g, moved, [batch, ...outer.map((o) => spread[o] ?? 1), ...rest])
  }

const batchToSpace =
  (block: (op: Op) => readonly number[], cropsAt: number): Lowering =>
  (op) => {
    const shape = block(op)
    const crops = flatSizes(op, cropsAt)
    const x = op.x(0)
    const n = shape.length
    const batch = dims.floorDiv(x.shape[0] ?? 1, dims.product(shape))
    const rest = x.shape.slice(n + 1)
    const spread = emit.reshape(op.g, x, [...shape, batch, ...x.shape.slice(1)])
    const perm = [n, ...shape.flatMap((_, i) => [n + 1 + i, i]), ...rest.map((_, i) => 2 * n + 1 + i)]
    let result = emit.reshape(op.g, emit.transpose(op.g, spread, perm), [
      batch,
      ...shape.map((b, i) => dims.mul(x.shape[i + 1] ?? 1, b)),
      ...rest,
    ])
    for (const i of shape.keys()) {
      const length = result.shape[i + 1] ?? 1
      result = emit.slice(op.g, result, i + 1, crops[2 * i] ?? 0, dims.sub(length, crops[2 * i + 1] ?? 0))
    }
    return result
  }

const square = (op: Op): readonly number[] => [op.attr.int('block_size', 2), op.attr.int('block_size', 2)]

/** Depth and space, channels last or first: in both the block's position is the slower part of the channel. */
function depthSpace(op: Op, toDepth: boolean): Value {
  const b = op.attr.int('block_size', 2)
  const isFirst = op.attr.string('data_format', 'NHWC') === 'NCHW'
  const x = isFirst ? emit.transpose(op.g, op.x(0), [0, 2, 3, 1]) : op.x(0)
  const [n = 1, h = 1, w = 1, c = 1] = x.shape
  const half = (d: Dim): Dim => dims.floorDiv(d, b)
  const spread = toDepth ? [n, half(h), b, half(w), b, c] : [n, h, w, b, b, dims.floorDiv(c, b * b)]
  const perm = [0, 1, 3, 2, 4, 5]
  const target = toDepth
    ? [n, half(h), half(w), dims.mul(c, b * b)]
    : [n, dims.mul(h, b), dims.mul(w, b), dims.floorDiv(c, b * b)]
  const result = emit.reshape(op.g, emit.transpose(op.g, emit.reshape(op.g, x, spread), perm), target)
  return isFirst ? emit.transpose(op.g, result, [0, 3, 1, 2]) : result
}

const constant: Lowering = (op) => toValue(op.g, op.attr.get('value')?.tensor ?? {}, op.node.name)

/** Elements as other types of the same width; there is no such operator in ONNX. */
const bitcast: Lowering = (op) => {
  if (op.dtype('type') === op.tensor(0).dtype) return op.tensor(0)
  throw refuse('bits cannot be read as another type', op.node.name, 'Use a cast')
}

export const shapeOps: OpTable = {
  Const: constant,
  Shape: (op) => sizesAs(op, op.tensor(0).shape),
  ShapeN: (op) => op.inputs.map((_, i) => sizesAs(op, op.tensor(i).shape)),
  Size: (op) => scalar(op.dtype('out_type', 'int32'), dims.product(op.tensor(0).shape)),
  Rank: (op) => scalar('int32', op.tensor(0).shape.length),
  Reshape: reshape,
  Squeeze: squeeze,
  ExpandDims: expandDims,
  Transpose: transpose,
  ConjugateTranspose: transpose,
  ConcatV2: (op) => concat(op, tensors(op, 0, op.count - 1), op.int(op.count - 1)),
  Concat: (op) => concat(op, tensors(op, 1, op.count), op.int(0)),
  ConcatOffset: (op) => {
    const axis = op.int(0)
    let at: Dim = 0
    return op.inputs.slice(1).map((_, i) => {
      const shape = op.dims(i + 1)
      const offset = vector(
        shape.map((_, k) => (k === axis ? at : 0)),
        'int32',
      )
      at = dims.add(at, shape[axis] ?? 0)
      return offset
    })
  },
  Split: splitEven,
  SplitV: splitSizes,
  Pack: pack,
  ParallelConcat: (op) => emit.concat(op.g, op.xs(), 0),
  Unpack: unpack,
  Slice: slice,
  StridedSlice: stridedSlice,
  Tile: tile,
  Pad: (op) => pad(op, 'constant'),
  PadV2: (op) => pad(op, 'constant', op.x(2)),
  MirrorPad: (op) => pad(op, op.attr.string('mode').toLowerCase()),
  Fill: fill,
  Empty: (op) => emit.full(op.g, op.sizes(0), scalar(op.dtype('dtype'), 0)),
  ZerosLike: like(0),
  OnesLike: like(1),
  Range: range,
  LinSpace: linSpace,
  OneHot: oneHot,
  BroadcastTo: broadcastTo,
  BroadcastArgs: broadcastArgs,
  ReverseV2: (op) =>
    reverse(
      op,
      op.ints(1).map((a) => op.axis(a, op.x(0).shape.length)),
    ),
  Reverse: (op) =>
    reverse(
      op,
      op.ints(1).flatMap((flag, axis) => (flag ? [axis] : [])),
    ),
  ReverseSequence: reverseSequence,
  Roll: roll,
  InvertPermutation: invertPermutation,
  SpaceToBatchND: spaceToBatch((op) => op.ints(1), 2),
  SpaceToBatch: spaceToBatch(square, 1),
  BatchToSpaceND: batchToSpace((op) => op.ints(1), 2),
  BatchToSpace: batchToSpace(square, 1),
  SpaceToDepth: (op) => depthSpace(op, true),
  DepthToSpace: (op) => depthSpace(op, false),
  Bitcast: bitcast,
}
