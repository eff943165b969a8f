import { type Dim, dims, emit, refuse, scalar, type Value, vector } from '@eas/onnx'
import { callOperator } from './operator.ts'
import { fromDim, isNumber, toDim } from './scalars.ts'
import { TensorRef } from './tensor-ref.ts'
import { type Grown, isInt, type LeafKind, type ListState, type Py, PyList, RunScalar } from './values.ts'
import { dataAdvice, type Vm } from './vm.ts'

/**
 * Lists whose length only the data tell: a loop that the data end has put its results into them. They are kept as one
 * tensor, and can be counted, indexed, stacked and concatenated.
 */

/** Calls an operator on such a list; undefined when its first argument is another thing. */
export function callOnGrown(
  vm: Vm,
  name: string,
  args: readonly Py[],
  keywords: ReadonlyMap<string, Py>,
): Py | undefined {
  const [list, ...rest] = args
  const grown = list instanceof PyList ? list.state.grown : undefined
  if (!(list instanceof PyList) || !grown) return undefined
  if ('appended' in grown) return grow(vm, name, list, grown.appended, rest)
  if (name === 'append') return push(vm, list, rest[0] ?? null)
  const dim = rest[0] ?? keywords.get('dim') ?? 0n
  if (name === 'len') return fromDim(lengthOf(list.state, grown))
  if (name === '__getitem__') return itemAt(vm, list, rest[0] ?? null)
  if (name === 'stack') return new TensorRef(stacked(vm, wholeOf(vm, list.state).value, dim))
  if (name === 'cat' || name === 'concat') return new TensorRef(concatenated(vm, wholeOf(vm, list.state).value, dim))
  if (name === 'tensor' || name === 'as_tensor') {
    const { value, kind } = wholeOf(vm, list.state)
    const numbers = new TensorRef(kind === 'float' ? emit.cast(vm.g, value, 'float32') : value)
    const dtype = keywords.get('dtype') ?? rest[0] ?? null
    return dtype === null ? numbers : callOperator(vm, 'to', [numbers, dtype], new Map())
  }
  return undefined
}

/** Within the loop a list takes items and gives none. */
function grow(vm: Vm, name: string, list: PyList, appended: Py[], [item = null]: readonly Py[]): Py | undefined {
  if (name === 'append') {
    vm.touch(list)
    appended.push(item)
    return list
  }
  if ((name === 'extend' || name === 'add_') && item instanceof PyList) {
    vm.touch(list)
    appended.push(...item.items)
    return name === 'extend' ? null : list
  }
  return undefined
}

/** Puts an item behind those that only the data count. */
function push(vm: Vm, list: PyList, item: Py): Py {
  const { value, kind } = wholeOf(vm, list.state)
  const row = alone(vm, item)
  if (kindOf(item) !== kind || row.dtype !== value.dtype || !dims.sameShape(row.shape.slice(1), value.shape.slice(1)))
    throw unlike(vm)
  hold(vm, [item, ...list.state.items])
  vm.touch(list)
  list.state = stateOfWhole({ kind, value: emit.concat(vm.g, [value, row], 0) })
  return list
}

/** All items as one tensor, along a first axis. */
export interface Whole {
  readonly kind: LeafKind
  readonly value: Value
}

/** A list of the rows of a tensor. */
export const stateOfWhole = (whole: Whole): ListState => ({
  items: [],
  grown: { slots: [whole], count: whole.value.shape[0] ?? 0 },
})

/** The list has copies of these from here on. */
export function hold(vm: Vm, items: readonly Py[]): void {
  for (const item of items) if (item instanceof TensorRef) vm.journal.hold(item)
}

/** No items of the kind another list has. */
export function emptyWhole(vm: Vm, { kind, value }: Whole): Whole {
  const [, ...shape] = value.shape
  const sizes = shape.map((d) => (vm.g.canRead(d) ? d : 0))
  return { kind, value: emit.full(vm.g, [0, ...sizes], scalar(value.dtype, 0)) }
}

const unlike = (vm: Vm) => refuse('a list of unlike things whose length only the data tell', vm.where, dataAdvice)

const lengthOf = ({ items }: ListState, { slots, count }: Grown): Dim =>
  dims.add(items.length, dims.mul(count, slots.length))

/** @throws {ImportRefusal} When the items are unlike each other, or there are none. */
export function wholeOf(vm: Vm, state: ListState): Whole {
  if (state.grown && 'appended' in state.grown)
    throw refuse('a list is read in the loop that fills it', vm.where, dataAdvice)
  const { g } = vm
  const before = state.items.map((item) => ({ kind: kindOf(item), value: alone(vm, item) }))
  const grown = state.grown && 'slots' in state.grown ? state.grown : undefined
  const rounds = grown?.slots ?? []
  const [first] = [...rounds, ...before]
  const all = [...before, ...rounds]
  const fits = ({ kind, value }: (typeof all)[number]): boolean =>
    kind === first?.kind &&
    value.dtype === first.value.dtype &&
    dims.sameShape(value.shape.slice(1), first.value.shape.slice(1))
  if (!first || !all.every(fits)) throw unlike(vm)
  const parts = before.map(({ value }) => value)
  if (grown) parts.push(interleaved(vm, grown))
  return { kind: first.kind, value: emit.concat(g, parts, 0) }
}

/** The items of one iteration after those of the one before. */
function interleaved(vm: Vm, { slots, count }: Grown): Value {
  const [first] = slots
  if (slots.length === 1 && first) return first.value
  const shape = first?.value.shape.slice(1) ?? []
  const sideBySide = emit.concat(
    vm.g,
    slots.map(({ value }) => emit.unsqueeze(vm.g, value, [1])),
    1,
  )
  return emit.reshape(vm.g, sideBySide, [dims.mul(count, slots.length), ...shape])
}

function kindOf(item: Py): LeafKind {
  if (item instanceof TensorRef) return 'tensor'
  if (isInt(item)) return 'int'
  return typeof item === 'boolean' || (item instanceof RunScalar && item.kind === 'bool') ? 'bool' : 'float'
}

/** One item as a row of the whole. */
function alone(vm: Vm, item: Py): Value {
  if (item instanceof TensorRef) return emit.unsqueeze(vm.g, vm.read(item), [0])
  if (isInt(item)) return vector([toDim(vm, item)])
  if (isNumber(item)) return emit.unsqueeze(vm.g, scalarOf(item), [0])
  throw refuse('a list of things that are neither tensors nor numbers, whose length only the data tell', vm.where)
}

const scalarOf = (item: Py): Value => {
  if (item instanceof RunScalar) return item.value
  return typeof item === 'boolean' ? scalar('bool', Number(item)) : scalar('float64', Number(item))
}

/**
 * An item at a place that may be known to a run only.
 * @throws {ImportRefusal} When items are unlike each other.
 */
export function itemAt(vm: Vm, list: PyList, index: Py): Py {
  if (list.state.grown && 'appended' in list.state.grown) list.wasRead = true
  const { value, kind } = wholeOf(vm, list.state)
  const item = emit.gather(vm.g, value, scalar('int64', toDim(vm, index)), 0)
  if (kind === 'tensor') return new TensorRef(item)
  return kind === 'int' ? fromDim(vm.g.scalarDim(item)) : new RunScalar(kind, item)
}

function stacked(vm: Vm, whole: Value, dim: Py): Value {
  const rank = whole.shape.length
  const axis = emit.axisOf(Number(toDim(vm, dim)), rank)
  return emit.transpose(vm.g, whole, moved(rank, axis))
}

function concatenated(vm: Vm, whole: Value, dim: Py): Value {
  const rank = whole.shape.length
  const axis = emit.axisOf(Number(toDim(vm, dim)), rank - 1)
  const [count = 0, ...shape] = whole.shape
  const merged = shape.map((d, i) => (i === axis ? dims.mul(count, d) : d))
  return emit.reshape(vm.g, emit.transpose(vm.g, whole, moved(rank, axis)), merged)
}

/** Axes with the first moved to a place. */
function moved(rank: number, to: number): number[] {
  const others = Array.from({ length: rank - 1 }, (_, i) => i + 1)
  return [...others.slice(0, to), 0, ...others.slice(to)]
}
