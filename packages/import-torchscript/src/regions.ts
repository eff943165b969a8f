import { type Dim, dims, emit, type OutputType, refuse, type Scope, Sym, scalar, type Value } from '@eas/onnx'
import { type Contents, contentsOf, type Effects, type Mutable } from './journal.ts'
import { assignedNames, raises, readNames } from './live.ts'
import { compareNumbers, fromDim, isNumber, scalarValue, truth } from './scalars.ts'
import type { Statement } from './script/ast.ts'
import { TensorRef, type TensorState } from './tensor-ref.ts'
import {
  isInt,
  Poison,
  type Py,
  PyDict,
  PyList,
  PyObject,
  PyTuple,
  RunScalar,
  Unknown,
  uninitialized,
  unknown,
} from './values.ts'
import { dataAdvice, type Frame, Raised, type Returned, type Vm } from './vm.ts'

/**
 * Branches and loops that only the data decide become If and Loop. Everything such a region changes, variables and what they
 * hold, is undone after it was looked at and becomes an output of the node; what does not fit an output is poisoned, so that
 * using it is refused.
 */

type If = Extract<Statement, { kind: 'if' }>
type For = Extract<Statement, { kind: 'for' }>
type While = Extract<Statement, { kind: 'while' }>

/** One side of a branch, run and undone. */
interface Side {
  readonly scope: Scope
  readonly variables: ReadonlyMap<string, Py>
  readonly effects: Effects
  readonly since: number
}

/** An output of a node in the making: what each side gives for it. */
interface Joined {
  readonly whenTrue: Value
  readonly whenFalse: Value
  readonly value: Value
}

export function dynamicIf(vm: Vm, s: If, condition: RunScalar, frame: Frame): Returned {
  const assume = (holds: boolean): Returned => {
    vm.g.assumptions.add(`${vm.where}: the condition ${holds ? 'holds' : 'does not hold'}, or the model would fail`)
    return vm.run(holds ? s.whenTrue : s.whenFalse, frame)
  }
  if (raises(s.whenTrue)) return assume(false)
  if (raises(s.whenFalse)) return assume(true)
  const then = side(vm, s.whenTrue, frame)
  if (!then) return assume(false)
  const otherwise = side(vm, s.whenFalse, frame)
  if (!otherwise) return assume(true)

  const join = new Joiner(vm, then, otherwise)
  const needed = readNames(frame.definition, frame.loops > 0 ? undefined : s)
  const variables = new Map<string, Py>()
  for (const name of new Set([...assignedNames(s.whenTrue), ...assignedNames(s.whenFalse)])) {
    if (needed.has(name))
      variables.set(
        name,
        join.join(then.variables.get(name) ?? uninitialized, otherwise.variables.get(name) ?? uninitialized),
      )
  }
  const changed = new Map<Mutable, Contents>()
  for (const object of new Set([...then.effects.keys(), ...otherwise.effects.keys()]))
    changed.set(object, join.contents(object))
  if (join.poisoned && condition.ifAny !== undefined) {
    vm.g.assumptions.add(`${vm.where}: there is at least one`)
    return vm.run(condition.ifAny ? s.whenTrue : s.whenFalse, frame)
  }
  join.emit(condition.value)
  for (const [object, contents] of changed) replace(vm, object, contents)
  for (const [name, value] of variables) frame.variables.set(name, value)
  return undefined
}

/** Runs one side; undefined when it raises, and so is never taken. */
function side(vm: Vm, block: readonly Statement[], frame: Frame): Side | undefined {
  const before = new Map(frame.variables)
  try {
    const { scope, result } = vm.g.nested(() =>
      vm.journal.record(() => {
        if (vm.run(block, frame)) throw refuse('a return from a branch that data decide', vm.where, dataAdvice)
        return new Map(frame.variables)
      }),
    )
    return { scope, variables: result.result, effects: result.effects, since: result.since }
  } catch (error) {
    if (error instanceof Raised) return undefined
    throw error
  } finally {
    frame.variables.clear()
    for (const [name, value] of before) frame.variables.set(name, value)
  }
}

/** Puts what the sides of a region left behind in the place of what was there. */
function replace(vm: Vm, object: Mutable, contents: Contents): void {
  vm.touch(object)
  // Contents are of the kind the object has: `Joiner.contents` and `Cells` made them from it.
  if (object instanceof TensorRef) {
    const { value } = contents as TensorState
    const { link, version } = object.state
    // A view takes its contents from its base again.
    object.state = { value, link, version: version + 1, seen: -1 }
  } else if (object instanceof PyList) object.items = [...(contents as readonly Py[])]
  else if (object instanceof PyDict) object.entries = new Map(contents as ReadonlyMap<string, readonly [Py, Py]>)
  else object.attributes = new Map(contents as ReadonlyMap<string, Py>)
}

class Joiner {
  private readonly vm: Vm
  private readonly whenTrue: Side
  private readonly whenFalse: Side
  private readonly outputs: Joined[] = []
  /** Whether something did not go together. */
  poisoned = false

  constructor(vm: Vm, whenTrue: Side, whenFalse: Side) {
    this.vm = vm
    this.whenTrue = whenTrue
    this.whenFalse = whenFalse
  }

  join(a: Py, b: Py): Py {
    if (a === b) return a
    if (a === uninitialized) return b
    if (b === uninitialized) return a
    if (a instanceof Poison) return a
    if (b instanceof Poison) return b
    if (a instanceof Unknown || b instanceof Unknown) return unknown
    if (a instanceof TensorRef && b instanceof TensorRef) {
      const value = this.value(this.contentsIn(this.whenTrue, a), this.contentsIn(this.whenFalse, b))
      if (value instanceof Poison) return value
      const shared = a.olderThan(this.whenTrue.since) || b.olderThan(this.whenFalse.since)
      return new TensorRef(value, shared ? { frozen: 'one of two tensors, depending on data' } : {})
    }
    if (isNumber(a) && isNumber(b)) return this.number(a, b)
    if (a instanceof PyTuple && b instanceof PyTuple && a.items.length === b.items.length) {
      return new PyTuple(
        a.items.map((item, i) => this.join(item, b.items[i] ?? null)),
        a.names,
      )
    }
    if (a instanceof PyList && b instanceof PyList) {
      const [x, y] = [this.itemsIn(this.whenTrue, a), this.itemsIn(this.whenFalse, b)]
      if (x.length === y.length) {
        const list = new PyList(x.map((item, i) => this.join(item, y[i] ?? null)))
        list.frozen = a.born <= this.whenTrue.since || b.born <= this.whenFalse.since
        return list
      }
    }
    if (a instanceof PyDict && b instanceof PyDict && a.born > this.whenTrue.since && b.born > this.whenFalse.since) {
      const entries = this.entries(a.entries, b.entries)
      if (entries) return new PyDict(entries)
    }
    if (
      a instanceof PyObject &&
      b instanceof PyObject &&
      a.type === b.type &&
      a.born > this.whenTrue.since &&
      b.born > this.whenFalse.since
    ) {
      const attributes = new Map<string, Py>()
      for (const name of new Set([...a.attributes.keys(), ...b.attributes.keys()])) {
        attributes.set(
          name,
          this.join(a.attributes.get(name) ?? uninitialized, b.attributes.get(name) ?? uninitialized),
        )
      }
      return new PyObject(a.type, attributes)
    }
    return this.poison('a value that is of one kind or another, depending on the values of tensors')
  }

  private poison(reason: string): Poison {
    this.poisoned = true
    return new Poison(reason)
  }

  private number(a: Py, b: Py): Py {
    if (typeof a === typeof b && typeof a !== 'object' && compareNumbers(this.vm, a, '==', b) === true) return a
    if (a instanceof Sym && b instanceof Sym && dims.same(a, b)) return a
    const [x, y] = [
      this.vm.g.within(this.whenTrue.scope, () => scalarValue(this.vm, a)),
      this.vm.g.within(this.whenFalse.scope, () => scalarValue(this.vm, b)),
    ]
    const value = this.value(x, y)
    if (value instanceof Poison) return value
    return value.dtype === 'int64'
      ? fromDim(this.vm.g.scalarDim(value))
      : new RunScalar(value.dtype === 'bool' ? 'bool' : 'float', value)
  }

  private value(then: Value, otherwise: Value): Value | Poison {
    if (then === otherwise) return then
    if (then.dtype !== otherwise.dtype || then.shape.length !== otherwise.shape.length) {
      return this.poison('a tensor whose type or number of dimensions depends on the values of tensors')
    }
    if (then.quant || otherwise.quant) return new Poison('a quantised tensor that depends on a branch')
    const shape = then.shape.map((d, i) => this.dim(d, otherwise.shape[i] ?? d))
    const value: Value = { dtype: then.dtype, shape }
    this.outputs.push({ whenTrue: then, whenFalse: otherwise, value })
    return value
  }

  private dim(a: Dim, b: Dim): Dim {
    if (dims.same(a, b)) return a
    return this.vm.g.freshDim(
      'either',
      Math.min(dims.bounds(a)[0], dims.bounds(b)[0]),
      Math.max(dims.bounds(a)[1], dims.bounds(b)[1]),
    )
  }

  /** Contents of a tensor at the end of a side. */
  private contentsIn(s: Side, t: TensorRef): Value {
    const state = s.effects.get(t) as TensorState | undefined // of a tensor, its state
    return state ? state.value : this.vm.g.within(s.scope, () => this.vm.read(t))
  }

  private itemsIn(s: Side, list: PyList): readonly Py[] {
    return (s.effects.get(list) as readonly Py[] | undefined) ?? list.items // of a list, its items
  }

  /** What a changed object holds after the branch. */
  contents(object: Mutable): Contents {
    const a = this.whenTrue.effects.get(object) ?? contentsOf(object)
    const b = this.whenFalse.effects.get(object) ?? contentsOf(object)
    if (object instanceof TensorRef) return this.tensorState(object, a as TensorState, b as TensorState)
    if (object instanceof PyList) {
      const [x, y] = [a as readonly Py[], b as readonly Py[]] // of a list, its items
      if (x.length !== y.length) return [this.poison('a list whose length depends on the values of tensors')]
      return x.map((item, i) => this.join(item, y[i] ?? null))
    }
    if (object instanceof PyDict) {
      const entries = this.entries(
        a as ReadonlyMap<string, readonly [Py, Py]>,
        b as ReadonlyMap<string, readonly [Py, Py]>,
      )
      if (!entries) throw refuse('a dictionary whose keys depend on the values of tensors', this.vm.where, dataAdvice)
      return entries
    }
    const [x, y] = [a as ReadonlyMap<string, Py>, b as ReadonlyMap<string, Py>] // of an object, its attributes
    return new Map(
      [...new Set([...x.keys(), ...y.keys()])].map((name) => [
        name,
        this.join(x.get(name) ?? uninitialized, y.get(name) ?? uninitialized),
      ]),
    )
  }

  private tensorState(object: TensorRef, a: TensorState, b: TensorState): TensorState {
    // A view's contents follow from its base's, which changed as well.
    if (object.state.link) return a
    const value = this.value(a.value, b.value)
    if (value instanceof Poison) throw refuse(value.reason, this.vm.where, dataAdvice)
    return { ...a, value }
  }

  private entries(
    a: ReadonlyMap<string, readonly [Py, Py]>,
    b: ReadonlyMap<string, readonly [Py, Py]>,
  ): Map<string, readonly [Py, Py]> | undefined {
    if (a.size !== b.size) return undefined
    const entries = new Map<string, readonly [Py, Py]>()
    for (const [name, [key, value]] of a) {
      const other = b.get(name)
      if (!other) return undefined
      entries.set(name, [key, this.join(value, other[1])])
    }
    return entries
  }

  /** The If itself, once all its outputs are known. */
  emit(condition: Value): void {
    if (this.outputs.length === 0) return
    const { g } = this.vm
    const attributes = {
      then_branch: g.subgraph(
        this.whenTrue.scope,
        this.outputs.map((o) => o.whenTrue),
      ),
      else_branch: g.subgraph(
        this.whenFalse.scope,
        this.outputs.map((o) => o.whenFalse),
      ),
    }
    g.nodeInto(
      'If',
      [condition],
      this.outputs.map((o) => o.value),
      attributes,
    )
  }
}

/** Something a loop carries from one iteration to the next: a variable, or what an object holds. */
type Cell = { readonly variable: string } | { readonly object: Mutable }

export function dynamicFor(vm: Vm, s: For, count: Dim, frame: Frame): Returned {
  return new LoopMaker(vm, frame, s.body, { count, variable: s.variable }).run()
}

export function dynamicWhile(vm: Vm, s: While, condition: RunScalar, frame: Frame): Returned {
  return new LoopMaker(vm, frame, s.body, { condition, again: s }).run()
}

type LoopHead =
  | { readonly count: Dim; readonly variable: string }
  | { readonly condition: RunScalar; readonly again: While }

/** How often a loop's body is looked at until what it carries has settled. */
const maxRounds = 12

class LoopMaker {
  private readonly vm: Vm
  private readonly frame: Frame
  private readonly body: readonly Statement[]
  private readonly head: LoopHead
  private readonly cells: Cell[] = []
  /** Leaves that change from one iteration to the next, by cell and place: what they are made to be. */
  private readonly carried = new Map<string, OutputType>()

  constructor(vm: Vm, frame: Frame, body: readonly Statement[], head: LoopHead) {
    this.vm = vm
    this.frame = frame
    this.body = body
    this.head = head
    const read = readNames(frame.definition)
    for (const name of assignedNames(body)) {
      const value = frame.variables.get(name)
      if (value !== undefined && !(value instanceof Poison) && read.has(name)) this.cells.push({ variable: name })
    }
  }

  run(): Returned {
    for (let round = 0; round < maxRounds; round++) {
      const settled = this.round()
      if (settled) return undefined
    }
    throw refuse('a loop whose variables change their shape or kind without end', this.vm.where, dataAdvice)
  }

  /** Runs the body once; emits the Loop when it carried all that has to be. */
  private round(): boolean {
    const { vm, frame } = this
    const before = new Map(frame.variables)
    const initial = this.cells.map((cell) => this.leaves(cell))
    const placeholders = new Map<string, Value>()
    let end: { cells: Map<string, Py>[]; condition: Value } | undefined
    let effects: Effects = new Map()
    let scope: Scope
    try {
      const nested = vm.g.nested(() =>
        vm.journal.record(() => {
          const iteration = vm.g.input(vm.g.fresh('i'), 'int64', [])
          vm.g.input(vm.g.fresh('p'), 'bool', [])
          for (const [key, type] of this.carried)
            placeholders.set(key, vm.g.input(vm.g.fresh('l'), type.dtype, type.shape))
          for (const [i, cell] of this.cells.entries()) this.put(cell, i, initial[i] ?? new Map(), placeholders)
          if ('count' in this.head) frame.variables.set(this.head.variable, fromDim(vm.g.scalarDim(iteration, 0)))
          if (vm.run(this.body, frame)) throw refuse('a return from a loop that data decide', vm.where, dataAdvice)
          const condition = this.again()
          end = { cells: this.cells.map((cell) => this.leaves(cell)), condition }
        }),
      )
      scope = nested.scope
      effects = nested.result.effects
    } catch (error) {
      if (error instanceof Raised) throw refuse('a loop that raises', vm.where)
      throw error
    } finally {
      frame.variables.clear()
      for (const [name, value] of before) frame.variables.set(name, value)
    }
    if (!end) throw refuse('a loop without an end', vm.where)
    let settled = true
    for (const object of effects.keys()) {
      if (object instanceof TensorRef && object.state.link) continue
      if (!this.cells.some((c) => 'object' in c && c.object === object)) {
        this.cells.push({ object })
        settled = false
      }
    }
    if (!settled) return false
    for (const [i] of this.cells.entries())
      if (!this.compare(i, initial[i] ?? new Map(), end.cells[i] ?? new Map(), placeholders)) settled = false
    if (settled) this.emit(scope, initial, end)
    return settled
  }

  private again(): Value {
    if ('count' in this.head) return scalar('bool', 1)
    const condition = truth(this.vm, this.vm.evaluate(this.head.again.condition, this.frame))
    return scalarValue(this.vm, condition)
  }

  /** Parts of a cell that may change, by their place in it. */
  private leaves(cell: Cell): Map<string, Py> {
    const found = new Map<string, Py>()
    if ('variable' in cell) collect(this.frame.variables.get(cell.variable) ?? uninitialized, '', found)
    else if (cell.object instanceof TensorRef) found.set('', cell.object)
    else collect(cell.object, '', found)
    for (const [place, leaf] of found)
      if (leaf instanceof TensorRef) found.set(place, new Snapshot(leaf, this.vm.read(leaf)) as unknown as Py) // stays within this class
    return found
  }

  private put(cell: Cell, index: number, initial: ReadonlyMap<string, Py>, values: ReadonlyMap<string, Value>): void {
    const changes = new Map<string, Py>()
    for (const [place, leaf] of initial) {
      const value = values.get(`${index}${place}`)
      if (value) changes.set(place, this.leafOf(leaf, value))
    }
    if (changes.size === 0) return
    if ('variable' in cell)
      this.frame.variables.set(cell.variable, rebuild(this.frame.variables.get(cell.variable) ?? null, '', changes))
    else if (cell.object instanceof TensorRef) {
      const value = values.get(`${index}`)
      if (value) replace(this.vm, cell.object, { ...cell.object.state, value })
    } else {
      const rebuilt = rebuild(cell.object, '', changes)
      replace(this.vm, cell.object, contentsOf(rebuilt as Mutable)) // of the kind it was rebuilt from
    }
  }

  private leafOf(leaf: Py, value: Value): Py {
    if (isSnapshot(leaf)) return new TensorRef(value, { frozen: 'a tensor that a loop carries under two names' })
    if (isInt(leaf)) return fromDim(this.vm.g.scalarDim(value))
    return new RunScalar(value.dtype === 'bool' ? 'bool' : 'float', value)
  }

  /** Whether a cell ends as it was begun, or as what is carried; otherwise carries more of it. */
  private compare(
    index: number,
    initial: ReadonlyMap<string, Py>,
    end: ReadonlyMap<string, Py>,
    placeholders: ReadonlyMap<string, Value>,
  ): boolean {
    if (initial.size !== end.size)
      throw refuse('a list that grows in a loop whose length only the data tell', this.vm.where, dataAdvice)
    let settled = true
    for (const [place, from] of initial) {
      const to = end.get(place) ?? null
      const key = `${index}${place}`
      const known = this.carried.get(key)
      if (!known) {
        if (sameLeaf(from, to)) continue
        this.carried.set(key, this.typeOf(from))
        settled = false
        continue
      }
      const type = this.typeOf(to)
      if (type.dtype !== known.dtype || type.shape.length !== known.shape.length) {
        if (isSnapshot(to) || type.shape.length !== known.shape.length)
          throw refuse('a tensor whose type or number of dimensions changes in a loop', this.vm.where, dataAdvice)
        if (known.dtype === 'float64') continue
        this.carried.set(key, { dtype: 'float64', shape: [] })
        settled = false
        continue
      }
      const shape = known.shape.map((d, axis) => {
        const other = type.shape[axis] ?? d
        if (dims.same(d, other) || isFresh(d)) return d
        settled = false
        return this.vm.g.freshDim('carried')
      })
      this.carried.set(key, { dtype: known.dtype, shape })
      void placeholders
    }
    return settled
  }

  private typeOf(leaf: Py): OutputType {
    if (isSnapshot(leaf)) return { dtype: leaf.value.dtype, shape: leaf.value.shape }
    if (!isNumber(leaf))
      throw refuse('a variable that changes in a loop and is neither a number nor a tensor', this.vm.where, dataAdvice)
    return {
      dtype: isInt(leaf)
        ? 'int64'
        : typeof leaf === 'boolean' || (leaf instanceof RunScalar && leaf.kind === 'bool')
          ? 'bool'
          : 'float64',
      shape: [],
    }
  }

  private emit(
    scope: Scope,
    initial: readonly ReadonlyMap<string, Py>[],
    end: { readonly cells: readonly ReadonlyMap<string, Py>[]; readonly condition: Value },
  ): void {
    const { g } = this.vm
    const inputs: Value[] = []
    const outputs: Value[] = []
    const results: Value[] = []
    const after = new Map<string, Value>()
    for (const [key, type] of this.carried) {
      const [index, place] = splitKey(key)
      inputs.push(this.asType(initial[index]?.get(place) ?? null, type))
      outputs.push(g.within(scope, () => this.asType(end.cells[index]?.get(place) ?? null, type)))
      // Sizes the loop settles on are unknown outside of it as well, but not the same unknowns.
      const value: Value = { dtype: type.dtype, shape: type.shape.map((d) => (isFresh(d) ? g.freshDim('looped') : d)) }
      results.push(value)
      after.set(key, value)
    }
    const trips = 'count' in this.head ? scalar('int64', this.head.count) : undefined
    const condition = 'count' in this.head ? undefined : this.head.condition.value
    const body = g.subgraph(scope, [end.condition, ...outputs])
    g.nodeInto('Loop', [trips, condition, ...inputs], results.length > 0 ? results : [{ dtype: 'bool', shape: [] }], {
      body,
    })
    for (const [i, cell] of this.cells.entries()) this.putAfter(cell, i, initial[i] ?? new Map(), after)
  }

  private putAfter(
    cell: Cell,
    index: number,
    initial: ReadonlyMap<string, Py>,
    after: ReadonlyMap<string, Value>,
  ): void {
    this.put(cell, index, initial, after)
  }

  private asType(leaf: Py, type: OutputType): Value {
    const value = isSnapshot(leaf) ? leaf.value : scalarValue(this.vm, leaf)
    return emit.cast(this.vm.g, value, type.dtype)
  }
}

const splitKey = (key: string): [number, string] => {
  const [, index = '0', place = ''] = /^(\d+)(.*)$/s.exec(key) ?? []
  return [Number(index), place]
}

/** A tensor and what it held at the time. */
class Snapshot {
  readonly ref: TensorRef
  readonly value: Value
  constructor(ref: TensorRef, value: Value) {
    this.ref = ref
    this.value = value
  }
}
const isSnapshot = (leaf: unknown): leaf is Snapshot => leaf instanceof Snapshot

const isFresh = (d: Dim): boolean => typeof d !== 'number' && /^carried#\d+$/.test(d.key)

function sameLeaf(a: Py, b: Py): boolean {
  if (isSnapshot(a) && isSnapshot(b)) return a.value === b.value
  if (a instanceof Sym && b instanceof Sym) return dims.same(a, b)
  return a === b
}

/** Leaves of a nest of lists, tuples, dictionaries and objects. */
function collect(v: Py, place: string, found: Map<string, Py>): void {
  if (v instanceof PyList || v instanceof PyTuple)
    for (const [i, item] of v.items.entries()) collect(item, `${place}/${i}`, found)
  else if (v instanceof PyDict) for (const [key, [, item]] of v.entries) collect(item, `${place}/${key}`, found)
  else if (v instanceof PyObject)
    for (const [name, item] of v.attributes) {
      if (!(item instanceof PyObject)) collect(item, `${place}/${name}`, found)
    }
  else found.set(place, v)
}

/** The same nest with some leaves exchanged; what holds none of them stays itself. */
function rebuild(v: Py, place: string, changes: ReadonlyMap<string, Py>): Py {
  const change = changes.get(place)
  if (change !== undefined) return change
  const inside = (p: string): boolean => [...changes.keys()].some((key) => key === p || key.startsWith(`${p}/`))
  if (!inside(place)) return v
  if (v instanceof PyList) return new PyList(v.items.map((item, i) => rebuild(item, `${place}/${i}`, changes)))
  if (v instanceof PyTuple)
    return new PyTuple(
      v.items.map((item, i) => rebuild(item, `${place}/${i}`, changes)),
      v.names,
    )
  if (v instanceof PyDict)
    return new PyDict(
      new Map([...v.entries].map(([key, [k, item]]) => [key, [k, rebuild(item, `${place}/${key}`, changes)]])),
    )
  if (v instanceof PyObject)
    return new PyObject(
      v.type,
      new Map([...v.attributes].map(([name, item]) => [name, rebuild(item, `${place}/${name}`, changes)])),
    )
  return v
}
