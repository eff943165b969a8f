import { type Dim, dims, emit, ImportRefusal, refuse, type Scope, scalar, type Value } from '@eas/onnx'
import { emptyWhole, hold, stateOfWhole, type Whole, wholeOf } from '../grown-list.ts'
import { contentsOf, type Effects, type Mutable } from '../journal.ts'
import { assignedNames, readNames } from '../live.ts'
import { fromDim, scalarValue, truth } from '../scalars.ts'
import type { Statement } from '../script/ast.ts'
import { isMereView, TensorRef } from '../tensor-ref.ts'
import { type ListState, Poison, type Py, PyDict, PyList, PyObject, RunScalar, uninitialized } from '../values.ts'
import { dataAdvice, type Frame, Raised, type Returned, type Vm } from '../vm.ts'
import { collectLeaves, type Leaf, type LeafType, rebuild, Snapshot, sameLeaf, typeOfLeaf } from './leaves.ts'
import { blank, placeholder } from './placeholder.ts'
import { replace } from './replace.ts'

/**
 * A loop that only the data end becomes a Loop. Its body is looked at, and undone, until what it carries from one iteration
 * to the next has settled: which variables and objects change, which of their parts, and which of the sizes of those. Lists
 * that do nothing but grow become outputs with one entry per iteration.
 */

type For = Extract<Statement, { kind: 'for' }>
type While = Extract<Statement, { kind: 'while' }>

export function dynamicFor(vm: Vm, s: For, count: Dim, frame: Frame): Returned {
  return new LoopMaker(vm, frame, s.body, { count, variable: s.variable }).run()
}

export function dynamicWhile(vm: Vm, s: While, condition: RunScalar, frame: Frame): Returned {
  return new LoopMaker(vm, frame, s.body, { condition, again: s }).run()
}

type LoopHead =
  | { readonly count: Dim; readonly variable: string }
  | { readonly condition: RunScalar; readonly again: While }

/** Something a loop carries from one iteration to the next: a variable, or what an object holds. */
type Cell = { readonly variable: string } | { readonly object: Mutable }

/** The parts of a cell, by place, as they were at one time. */
type Leaves = ReadonlyMap<string, Leaf>
const none: Leaves = new Map()

/** A look at the body. */
interface Round {
  readonly scope: Scope
  readonly effects: Effects
  /** Parts of each cell before the loop, and at the end of the body. */
  readonly initial: readonly Leaves[]
  readonly end: readonly Leaves[]
  /** What the variables were at the end of the body. */
  readonly variables: ReadonlyMap<string, Py>
  readonly condition: Value
}

/** How often a loop's body is looked at until what it carries has settled. */
const maxRounds = 12

class LoopMaker {
  private readonly vm: Vm
  private readonly frame: Frame
  private readonly body: readonly Statement[]
  private readonly head: LoopHead
  private readonly cells: Cell[] = []
  /** Leaves that change from one iteration to the next, by cell and place: what they are made to be. */
  private readonly carried = new Map<string, LeafType>()
  /** Lists that each iteration puts something into, with an item of it. */
  private readonly growing = new Map<PyList, { readonly scope: Scope; readonly item: Py }>()
  /** Lists that some iterations put something into: carried as one tensor, of this kind and shape but for its rows. */
  private readonly collected = new Map<Mutable, Whole>()
  /** Variables that the loop gives their first value: nests of nothing. */
  private readonly blanks = new Map<string, Py>()

  constructor(vm: Vm, frame: Frame, body: readonly Statement[], head: LoopHead) {
    this.vm = vm
    this.frame = frame
    this.body = body
    this.head = head
    const read = readNames(frame.definition)
    for (const name of assignedNames(body)) {
      const value = frame.variables.get(name)
      if (value === undefined || (value instanceof Poison && value !== uninitialized) || !read.has(name)) continue
      this.cells.push({ variable: name })
    }
  }

  run(): Returned {
    for (let i = 0; i < maxRounds; i++) {
      const round = this.lookOnce()
      if (!round) continue
      if (!this.settles(round)) continue
      this.emit(round)
      return undefined
    }
    throw refuse('a loop whose variables change their shape or kind without end', this.vm.where, dataAdvice)
  }

  /** A look at the body; undefined when it read a list that it fills, which is carried whole from now on. */
  private lookOnce(): Round | undefined {
    const { reasons } = this.vm
    const { length } = reasons
    try {
      const round = this.look()
      if (!this.carriesWhatIsRead()) return round
    } catch (error) {
      if (!(error instanceof ImportRefusal) || !this.carriesWhatIsRead()) throw error
    }
    reasons.length = length
    return undefined
  }

  /** Runs the body once. */
  private look(): Round {
    const { vm, frame } = this
    const before = new Map(frame.variables)
    for (const [name, value] of this.blanks) frame.variables.set(name, value)
    const initial = this.cells.map((cell) => this.leaves(cell))
    try {
      const { scope, result } = vm.g.nested(() => vm.journal.record(() => this.iteration(initial)))
      return { scope, effects: result.effects, initial, ...result.result }
    } catch (error) {
      if (error instanceof Raised) throw refuse('a loop that raises', vm.where)
      throw error
    } finally {
      frame.variables.clear()
      for (const [name, value] of before) frame.variables.set(name, value)
    }
  }

  private iteration(initial: readonly Leaves[]): Pick<Round, 'end' | 'variables' | 'condition'> {
    const { vm, frame } = this
    const index = vm.g.input(vm.g.fresh('i'), 'int64', [])
    vm.g.input(vm.g.fresh('p'), 'bool', [])
    const values = new Map<string, Value>()
    for (const [key, { dtype, shape }] of this.carried) values.set(key, vm.g.input(vm.g.fresh('l'), dtype, shape))
    for (const [i, cell] of this.cells.entries())
      if (!this.isGrowing(cell)) this.put(cell, i, initial[i] ?? none, values)
    for (const list of this.growing.keys()) {
      vm.touch(list)
      list.state = { items: list.state.items, grown: { appended: [] } }
    }
    if ('count' in this.head) frame.variables.set(this.head.variable, fromDim(vm.g.scalarDim(index, 0)))
    if (vm.run(this.body, frame)) throw refuse('a return from a loop that data decide', vm.where, dataAdvice)
    const condition = this.again()
    return { end: this.cells.map((cell) => this.leaves(cell)), variables: new Map(frame.variables), condition }
  }

  private again(): Value {
    if ('count' in this.head) return scalar('bool', 1)
    const condition = truth(this.vm, this.vm.evaluate(this.head.again.condition, this.frame))
    return scalarValue(this.vm, condition)
  }

  private leaves(cell: Cell): Leaves {
    const whole = 'object' in cell ? this.collected.get(cell.object) : undefined
    if (whole && 'object' in cell && cell.object instanceof PyList)
      return new Map([['', new Snapshot(this.rowsOf(cell.object.state, whole).value)]])
    if ('object' in cell) return collectLeaves(this.vm, cell.object, new Map())
    return collectLeaves(this.vm, this.frame.variables.get(cell.variable) ?? uninitialized, new Map())
  }

  private rowsOf(state: ListState, like: Whole): Whole {
    return state.items.length === 0 && !state.grown ? emptyWhole(this.vm, like) : wholeOf(this.vm, state)
  }

  /** Puts values in the places of what changes, within the body and after the loop. */
  private put(cell: Cell, index: number, initial: Leaves, values: ReadonlyMap<string, Value>): void {
    const whole = 'object' in cell ? this.collected.get(cell.object) : undefined
    if (whole && 'object' in cell) {
      const value = values.get(`${index}`)
      if (value) replace(this.vm, cell.object, stateOfWhole({ kind: whole.kind, value }))
      return
    }
    const changes = new Map<string, Py>()
    for (const place of initial.keys()) {
      const key = `${index}${place}`
      const [value, type] = [values.get(key), this.carried.get(key)]
      if (value && type) changes.set(place, this.asLeaf(value, type))
    }
    if (changes.size === 0) return
    if ('variable' in cell) {
      const now = this.blanks.get(cell.variable) ?? this.frame.variables.get(cell.variable) ?? null
      this.frame.variables.set(cell.variable, rebuild(now, changes))
    } else if (cell.object instanceof TensorRef) {
      const value = values.get(`${index}`)
      if (value) replace(this.vm, cell.object, { ...cell.object.state, value })
    } else {
      const rebuilt = rebuild(cell.object, changes)
      replace(this.vm, cell.object, contentsOf(rebuilt as Mutable)) // of the kind it was rebuilt from
    }
  }

  private asLeaf(value: Value, { kind }: LeafType): Py {
    if (kind === 'tensor') return new TensorRef(value, { frozen: 'a tensor that a loop carries under two names' })
    return kind === 'int' ? fromDim(this.vm.g.scalarDim(value)) : new RunScalar(kind, value)
  }

  /** Whether the body ends with what it began with, or with what is carried; otherwise more is carried from now on. */
  private settles(round: Round): boolean {
    let settled = true
    for (const object of round.effects.keys()) {
      if (object instanceof TensorRef && isMereView(object)) continue
      if (this.cells.some((c) => 'object' in c && c.object === object)) continue
      this.cells.push({ object })
      settled = false
    }
    if (!settled) return false
    for (const [i, cell] of this.cells.entries()) if (!this.cellSettles(cell, i, round)) settled = false
    return settled
  }

  private cellSettles(cell: Cell, index: number, round: Round): boolean {
    if (this.isGrowing(cell)) return true
    const initial = round.initial[index] ?? none
    const end = round.end[index] ?? none
    if ('variable' in cell) {
      const [from, to] = [this.frame.variables.get(cell.variable), round.variables.get(cell.variable)]
      // What the object itself holds is another cell's to carry.
      if (from === to && isMutable(from)) return true
      if (from === uninitialized && !this.blanks.has(cell.variable) && to !== undefined && to !== uninitialized) {
        this.blanks.set(cell.variable, blank(this.vm, to))
        return false
      }
    }
    if ('object' in cell && cell.object instanceof PyList && !this.collected.has(cell.object)) {
      const state = round.effects.get(cell.object) as ListState | undefined // of a list, its state
      if (state?.grown && 'slots' in state.grown) {
        this.collect(cell.object, round.scope, state)
        return false
      }
    }
    if (initial.size !== end.size) {
      if (!('object' in cell && cell.object instanceof PyList && end.size > initial.size))
        throw refuse('a nest of lists that changes its form in a loop that data end', this.vm.where, dataAdvice)
      const state = round.effects.get(cell.object) as ListState | undefined // of a list, its state
      this.growing.set(cell.object, { scope: round.scope, item: state?.items.at(-1) ?? null })
      return false
    }
    let settled = true
    for (const [place, from] of initial)
      if (!this.leafSettles(`${index}${place}`, from, end.get(place) ?? null)) settled = false
    return settled
  }

  /** Carries a list as one tensor from now on. @param like A list in a graph whose items are of the same kind and shape. */
  private collect(list: PyList, scope: Scope, like: ListState): void {
    hold(this.vm, list.state.items)
    this.collected.set(
      list,
      this.vm.g.within(scope, () => wholeOf(this.vm, like)),
    )
    const index = this.cells.findIndex((c) => 'object' in c && c.object === list)
    for (const key of [...this.carried.keys()]) if (key.startsWith(`${index}/`)) this.carried.delete(key)
  }

  /** Whether a list turned out to be read by the body that fills it; it is carried whole from now on. */
  private carriesWhatIsRead(): boolean {
    let found = false
    for (const [list, { scope, item }] of this.growing) {
      if (!list.wasRead) continue
      this.collect(list, scope, { items: [item] })
      this.growing.delete(list)
      found = true
    }
    return found
  }

  private isGrowing(cell: Cell): boolean {
    return 'object' in cell && cell.object instanceof PyList && this.growing.has(cell.object)
  }

  private leafSettles(key: string, from: Leaf, to: Leaf): boolean {
    const { vm } = this
    const known = this.carried.get(key)
    if (!known) {
      if (sameLeaf(from, to)) return true
      const type = typeOfLeaf(vm, from === uninitialized ? to : from)
      const shape = type.shape.map((d) => (vm.g.canRead(d) ? d : vm.g.freshDim('carried')))
      this.carried.set(key, { ...type, shape })
      return false
    }
    if (to === uninitialized) return true
    const type = typeOfLeaf(vm, to)
    if (type.dtype !== known.dtype || type.shape.length !== known.shape.length) {
      if (type.kind === 'tensor' || known.kind === 'tensor')
        throw refuse('a tensor whose type or number of dimensions changes in a loop', vm.where, dataAdvice)
      // An int that becomes a float, or the other way round.
      if (known.dtype === 'float64') return true
      this.carried.set(key, { kind: 'float', dtype: 'float64', shape: [] })
      return false
    }
    let settled = true
    const shape = known.shape.map((d, axis) => {
      const other = type.shape[axis] ?? d
      if (dims.same(d, other) || isFresh(d)) return d
      settled = false
      return vm.g.freshDim('carried')
    })
    this.carried.set(key, { ...known, shape })
    return settled
  }

  private emit(round: Round): void {
    const { g } = this.vm
    const inputs: Value[] = []
    const outputs: Value[] = []
    const results: Value[] = []
    const after = new Map<string, Value>()
    for (const [key, type] of this.carried) {
      const [index, place] = splitKey(key)
      inputs.push(this.asType(round.initial[index]?.get(place) ?? null, type))
      outputs.push(g.within(round.scope, () => this.asType(round.end[index]?.get(place) ?? null, type)))
      // Sizes the loop settles on are unknown outside of it as well, but not the same unknowns.
      const value: Value = { dtype: type.dtype, shape: type.shape.map((d) => (isFresh(d) ? g.freshDim('looped') : d)) }
      results.push(value)
      after.set(key, value)
    }
    const count = 'count' in this.head ? dims.max(this.head.count, 0) : g.freshDim('times')
    const lists = [...this.growing.keys()].map((list) => [list, this.slots(round, list, count)] as const)
    for (const [, slots] of lists) {
      outputs.push(...slots.map((slot) => slot.inside))
      results.push(...slots.map((slot) => slot.value))
    }
    const trips = 'count' in this.head ? scalar('int64', this.head.count) : undefined
    // A node ends with its last input that is there, and a Loop has two at least.
    const always = inputs.length === 0 ? scalar('bool', 1) : undefined
    const condition = 'count' in this.head ? always : this.head.condition.value
    const body = g.subgraph(round.scope, [round.condition, ...outputs])
    if (results.length > 0) g.nodeInto('Loop', [trips, condition, ...inputs], results, { body })
    for (const [i, cell] of this.cells.entries())
      if (!this.isGrowing(cell)) this.put(cell, i, round.initial[i] ?? none, after)
    for (const [list, slots] of lists) {
      this.vm.touch(list)
      list.state = { items: list.state.items, grown: { slots, count } }
    }
  }

  /** What each iteration puts into a list, within the body and of all iterations. */
  private slots(round: Round, list: PyList, count: Dim) {
    const { vm } = this
    const state = round.effects.get(list) as ListState | undefined // of a list, its state
    const { grown } = state ?? {}
    if (!grown || !('appended' in grown))
      throw refuse('a list that each iteration of a loop puts another number of items into', vm.where, dataAdvice)
    const { appended } = grown
    return appended.map((item) => {
      if (item instanceof TensorRef) this.hold(item, round)
      const leaf = item instanceof TensorRef ? new Snapshot(vm.g.within(round.scope, () => vm.read(item))) : item
      const type = typeOfLeaf(vm, leaf)
      if (!type.shape.every((d) => vm.g.canRead(d)))
        throw refuse('a list of tensors whose sizes differ from one iteration to the next', vm.where, dataAdvice)
      const inside = vm.g.within(round.scope, () => this.asType(leaf, type))
      const value: Value = { dtype: type.dtype, shape: [count, ...type.shape] }
      return { kind: type.kind, inside, value }
    })
  }

  /** What a list was given must not change later: the list has it as it was then. */
  private hold(item: TensorRef, round: Round): void {
    let root = item
    while (root.state.link) root = root.state.link.base
    if (round.effects.has(root))
      throw refuse('a tensor that a loop puts into a list and changes', this.vm.where, dataAdvice)
    this.vm.journal.hold(root)
  }

  private asType(leaf: Leaf, type: LeafType): Value {
    if (leaf === uninitialized) return placeholder(this.vm.g, type)
    const value = leaf instanceof Snapshot ? leaf.value : scalarValue(this.vm, leaf)
    return emit.cast(this.vm.g, value, type.dtype)
  }
}

const splitKey = (key: string): [number, string] => {
  const [, index = '0', place = ''] = /^(\d+)(.*)$/s.exec(key) ?? []
  return [Number(index), place]
}

const isMutable = (v: Py | undefined): boolean =>
  v instanceof TensorRef || v instanceof PyList || v instanceof PyDict || v instanceof PyObject

const isFresh = (d: Dim): boolean => typeof d !== 'number' && /^carried#\d+$/.test(d.key)
