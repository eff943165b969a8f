import { type Dim, dims, type ElementType, emit, refuse, type Scope, scalar, type Value } from '@eas/onnx'
import { type Item, type ListItem, poison, TensorItem } from '../item.ts'
import type { Op } from '../op.ts'
import { elementType } from '../tensor-proto.ts'
import { dimOf, lengthOf, stacked, stackOf } from './lists.ts'

/** A loop: what its variables begin as, and what becomes of them. */
export interface LoopSpec {
  readonly initial: readonly Item[]
  readonly condition: (variables: readonly Item[]) => Item
  readonly body: (variables: readonly Item[]) => readonly Item[]
  /** Positions of variables that are seen to stay as they are: a constant among them is one within the body too. */
  readonly fixed?: ReadonlySet<number>
  /** The results by an operator that does all turns at once; undefined when the loop is not one there is an operator for. */
  readonly fused?: (turns: Dim, kinds: readonly LoopKind[]) => Item[] | undefined
}

/** How a variable goes through a loop: as it is, as a tensor or list, or as a list that each turn adds to. */
export type LoopKind = 'fixed' | 'tensor' | 'list' | 'scanned'

/**
 * How a variable goes through an ONNX Loop. `fixed` ones do not change and stay outside; `scanned` lists get one element a
 * turn and become an output of the Loop without being carried; the rest is carried.
 */
type Mode =
  | { readonly is: 'fixed' }
  | { readonly is: 'carried'; readonly dtype: ElementType; readonly shape: readonly Dim[]; readonly isList: boolean }
  | { readonly is: 'scanned' }

interface Run {
  readonly scope: Scope
  readonly variables: readonly Item[]
  readonly next: readonly Item[]
  readonly read: ReadonlySet<number>
  readonly nextCondition: Item
  readonly condition: Item
}

/** Sizes settle after two turns; a size that depends on another that changes takes one more. */
const maxTurns = 8

/** Lowers a loop to an ONNX Loop. The body is evaluated until it is known what changes in it. */
export function loop(op: Op, spec: LoopSpec): Item[] {
  if (spec.initial.some((i) => i.kind === 'poison')) return spec.initial.map(() => poison)
  const first = spec.condition(spec.initial)
  if (first instanceof TensorItem && first.value.elements?.[0] === 0) return [...spec.initial]
  let modes = spec.initial.map((item, i): Mode => (spec.fixed?.has(i) ? { is: 'fixed' } : firstMode(op, item)))
  for (let turn = 0; turn < maxTurns; turn++) {
    const run = evaluateBody(op, spec, modes)
    if (run.next.some((i) => i.kind === 'poison') || run.nextCondition.kind === 'poison' || first.kind === 'poison')
      return spec.initial.map(() => poison)
    const after = modes.map((mode, i) => nextMode(op, spec, run, mode, i))
    if (after.every((mode, i) => sameMode(mode, modes[i]))) return emitLoop(op, spec, modes, run, first)
    modes = after
  }
  throw refuse('the sizes of a loop do not settle', op.node.name, 'Give the loop shape_invariants')
}

function firstMode(op: Op, item: Item): Mode {
  if (item instanceof TensorItem) return { is: 'carried', dtype: item.dtype, shape: item.value.shape, isList: false }
  if (item.kind === 'list') {
    if (item.state.is === 'pieces') return { is: 'fixed' }
    if (item.state.is === 'reserved' && !item.elementShape?.every((d) => d >= 0)) return { is: 'scanned' }
    const x = stackOf(op, item)
    return { is: 'carried', dtype: x.dtype, shape: x.shape, isList: true }
  }
  return { is: 'fixed' }
}

/** Evaluates the body once, in a graph that is thrown away unless nothing has to change. */
function evaluateBody(op: Op, spec: LoopSpec, modes: readonly Mode[]): Run {
  const { g } = op
  const read = new Set<number>()
  const { scope, result } = g.nested(() => {
    g.input(g.fresh('turn'), 'int64', [])
    g.input(g.fresh('going'), 'bool', [])
    const variables = modes.map((mode, i): Item => {
      const item = spec.initial[i] ?? poison
      if (mode.is === 'fixed') return item
      if (mode.is === 'carried' && !mode.isList) return op.e.tensor(g.input(g.fresh('carried'), mode.dtype, mode.shape))
      const list = item as ListItem // lists are scanned, or carried as such
      const value = mode.is === 'carried' ? op.e.tensor(g.input(g.fresh('carried'), mode.dtype, mode.shape)) : undefined
      const length = list.state.is === 'reserved' && !value ? list.state.length : undefined
      const readList = (): TensorItem => {
        read.add(i)
        if (value) return value
        return op.e.tensor(unknownElements(op, list))
      }
      return { ...list, state: { is: 'carried', loop: { read: readList, length } } }
    })
    const condition = spec.condition(variables)
    const next = spec.body(variables)
    return { variables, condition, next, nextCondition: spec.condition(next) }
  })
  return { scope, read, ...result }
}

function unknownElements(op: Op, list: ListItem): Value {
  return stackOf(op, list)
}

function nextMode(op: Op, spec: LoopSpec, run: Run, mode: Mode, i: number): Mode {
  const [before, after] = [run.variables[i], run.next[i]]
  if (mode.is === 'fixed' || before === after || before === undefined || after === undefined) return { is: 'fixed' }
  if (after instanceof TensorItem && mode.is === 'carried') {
    return { ...mode, shape: widened(op, mode.shape, after.value.shape) }
  }
  if (after.kind !== 'list') throw refuse('a variable of a loop changes its kind', op.node.name)
  if (isScan(spec, run, i)) return { is: 'scanned' }
  if (mode.is === 'carried') {
    const x = op.g.within(run.scope, () => stackOf(op, after))
    return { ...mode, shape: widened(op, mode.shape, x.shape) }
  }
  // A list without known elements that is not simply filled in order: its elements are like those written.
  const element = elementOf(after)
  if (!element)
    throw refuse('the elements of a list have no known shape', op.node.name, 'Give the list an element_shape')
  const initial = spec.initial[i] as ListItem // the mode was of a list
  return {
    is: 'carried',
    dtype: elementType(initial.dtype, op.node.name),
    // Sizes that only the body tells are the loop's own: before the first turn they are 1.
    shape: [lengthOf(op, initial), ...element.shape.map((d) => (op.g.canRead(d) ? d : op.g.freshDim('loop')))],
    isList: true,
  }
}

/** An element that a list was given. */
function elementOf(list: ListItem): TensorItem | undefined {
  for (let at: ListItem | undefined = list; at; ) {
    const { state }: ListItem = at
    if (state.is === 'set' || state.is === 'pushed') return state.element
    at = undefined
  }
  return undefined
}

/** Whether element `i` is written in turn `i`, and nothing is read. */
function isScan(spec: LoopSpec, run: Run, i: number): boolean {
  const after = run.next[i]
  const initial = spec.initial[i]
  if (after?.kind !== 'list' || initial?.kind !== 'list' || initial.state.is !== 'reserved' || run.read.has(i))
    return false
  if (after.state.is === 'pushed')
    return after.state.base === run.variables[i] && initial.state.length.value.elements?.[0] === 0
  return after.state.is === 'set' && after.state.base === run.variables[i] && isCounter(spec, run, after.state.index)
}

/** Whether a scalar is 0 in the first turn, and one more in each after it. */
function isCounter(spec: LoopSpec, run: Run, item: TensorItem): boolean {
  const at = run.variables.indexOf(item)
  const initial = spec.initial[at]
  const after = run.next[at]
  return (
    initial instanceof TensorItem &&
    initial.value.elements?.[0] === 0 &&
    after instanceof TensorItem &&
    after.facts?.successorOf === item
  )
}

function widened(op: Op, before: readonly Dim[], after: readonly Dim[]): Dim[] {
  if (before.length !== after.length) throw refuse('a variable of a loop changes its rank', op.node.name)
  return before.map((d, i) => (dims.same(d, after[i] ?? -1) ? d : isOwn(d) ? d : op.g.freshDim('loop')))
}

/** A size that was made for a loop, and may change in each turn. */
const isOwn = (d: Dim): boolean => typeof d !== 'number' && /^loop#\d+$/.test(d.key)

const sameMode = (a: Mode, b: Mode | undefined): boolean => {
  if (a.is !== b?.is) return false
  return a.is !== 'carried' || b.is !== 'carried' || dims.sameShape(a.shape, b.shape)
}

function emitLoop(op: Op, spec: LoopSpec, modes: readonly Mode[], run: Run, first: Item): Item[] {
  const { g } = op
  const carried = modes.flatMap((mode, i) => (mode.is === 'carried' ? [{ mode, i }] : []))
  const scanned = modes.flatMap((mode, i) => (mode.is === 'scanned' ? [i] : []))
  const elements = scanned.map((i) => elementOf(run.next[i] as ListItem)?.value) // scanned are lists that were written
  const bodyOutputs = g.within(run.scope, () => [
    (run.nextCondition as TensorItem).value, // a condition is a tensor
    ...carried.map(({ i }) => valueIn(op, run.next[i] ?? poison)),
    ...elements.map((e) => e as Value),
  ])
  const trips = tripCount(op, spec, run)
  const fused = trips === undefined ? undefined : spec.fused?.(trips, modes.map(kindOf))
  if (fused) return fused
  const inputs = carried.map(({ mode, i }) => initialValue(op, spec.initial[i] ?? poison, mode.shape))
  const turns = trips ?? g.freshDim('turns')
  const types = [
    ...carried.map(({ mode }) => ({
      dtype: mode.dtype,
      shape: mode.shape.map((d) => (isOwn(d) ? g.freshDim('looped') : d)),
    })),
    // Sizes that only the body could tell are told by what the Loop gives.
    ...elements.map((e) => ({
      dtype: (e as Value).dtype,
      shape: [turns, ...(e as Value).shape.map((d) => (g.canRead(d) ? d : g.freshDim('looped')))],
    })),
  ]
  const condition = (first as TensorItem).value
  const outputs = g.node('Loop', [undefined, condition, ...inputs], types, { body: g.subgraph(run.scope, bodyOutputs) })
  const results = [...spec.initial]
  for (const [k, { mode, i }] of carried.entries()) {
    const value = outputs[k] as Value // an output per type
    results[i] = mode.isList ? stacked(value.dtype, value) : op.e.tensor(value)
  }
  for (const [k, i] of scanned.entries()) {
    const value = outputs[carried.length + k] as Value // an output per type
    results[i] = {
      ...(spec.initial[i] as ListItem),
      state: { is: 'stacked', value: op.e.tensor(filled(op, spec.initial[i] as ListItem, value)) },
    } // a list, as its mode says
  }
  return results
}

const kindOf = (mode: Mode): LoopKind => (mode.is !== 'carried' ? mode.is : mode.isList ? 'list' : 'tensor')

/** A list that fewer turns than it has elements have written: the rest is zero. */
export function filled(op: Op, list: ListItem, scan: Value): Value {
  const [turns = 0, ...rest] = scan.shape
  const length = lengthOf(op, list)
  if (length === 0 || dims.same(length, turns)) return scan
  const missing = dims.max(dims.sub(length, turns), 0)
  const more = emit.full(op.g, [missing, ...rest], scalar(scan.dtype, 0))
  return op.one('Concat', [scan, more], scan.dtype, [length, ...rest], { axis: 0 })
}

/** How often the loop runs, when its condition is that a counter is below a limit that does not change. */
function tripCount(op: Op, spec: LoopSpec, run: Run): Dim | undefined {
  const less = run.condition instanceof TensorItem ? run.condition.facts?.less : undefined
  if (!less) return undefined
  const limits = less.map(([counter, limit]) => {
    const isInner = run.scope.node.length > 0 && !isOuter(op, run, limit)
    return isCounter(spec, run, counter) && !isInner ? dims.max(dimOf(op, limit), 0) : undefined
  })
  return limits.reduce<Dim | undefined>(
    (a, b, i) => (i === 0 ? b : a === undefined || b === undefined ? undefined : dims.min(a, b)),
    undefined,
  )
}

/** Whether a value exists outside the loop's body. */
function isOuter(op: Op, run: Run, item: TensorItem): boolean {
  if (item.value.elements || item.value.content)
    return item.value.elements?.every((e) => typeof e === 'number' || !String(e).includes('loop#')) ?? true
  if (run.variables.includes(item)) return false
  try {
    op.g.nameOf(item.value)
    return true
  } catch {
    return false
  }
}

function initialValue(op: Op, item: Item, shape: readonly Dim[]): Value {
  if (item.kind !== 'list') return valueIn(op, item)
  return stackOf(
    op,
    item,
    shape.slice(1).map((d) => (isOwn(d) ? 1 : d)),
  )
}

function valueIn(op: Op, item: Item): Value {
  if (item instanceof TensorItem) return item.value
  if (item.kind === 'list') return stackOf(op, item)
  throw refuse(`a ${item.kind} changes in a loop`, op.node.name)
}
