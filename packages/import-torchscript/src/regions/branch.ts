import { type Dim, dims, emit, ImportRefusal, isComplex, refuse, type Scope, Sym, type Value } from '@eas/onnx'
import { emptyWhole, hold, stateOfWhole, type Whole, wholeOf } from '../grown-list.ts'
import { type Contents, contentsOf, type Effects, type Mutable } from '../journal.ts'
import { assignedNames, raises, readNames } from '../live.ts'
import { compareNumbers, fromDim, isNumber, scalarValue } from '../scalars.ts'
import type { Statement } from '../script/ast.ts'
import { isMereView, TensorRef, type TensorState } from '../tensor-ref.ts'
import {
  type ListState,
  Poison,
  type Py,
  PyDevice,
  PyDict,
  PyEnum,
  PyList,
  PyObject,
  PyTuple,
  RunScalar,
  SymFloat,
  Unknown,
  uninitialized,
  unknown,
} from '../values.ts'
import { dataAdvice, type Frame, Raised, type Returned, type Vm } from '../vm.ts'
import { placeholder } from './placeholder.ts'
import { replace } from './replace.ts'

/**
 * A branch that only the data decide becomes an If. Everything its sides change, variables and what they hold, is undone
 * after it was looked at and becomes an output of the node; what does not fit an output is poisoned, so that using it is
 * refused.
 */

type If = Extract<Statement, { kind: 'if' }>

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
  const { ifAny } = condition
  const assumeAny = (): Returned => {
    vm.g.assumptions.add(`${vm.where}: there is at least one`)
    return vm.run(ifAny ? s.whenTrue : s.whenFalse, frame)
  }
  const then = side(vm, s.whenTrue, frame, ifAny === false)
  if (then === 'raises') return assume(false)
  if (then === 'refused') return assumeAny()
  const otherwise = side(vm, s.whenFalse, frame, ifAny === true)
  if (otherwise === 'raises') return assume(true)
  if (otherwise === 'refused') return assumeAny()

  const join = new Joiner(vm, condition.value, then, otherwise)
  const needed = readNames(frame.definition, frame.loops > 0 ? undefined : s)
  const variables = new Map<string, Py>()
  for (const name of new Set([...assignedNames(s.whenTrue), ...assignedNames(s.whenFalse)])) {
    if (needed.has(name))
      variables.set(name, join.join(then.variables.get(name) ?? oneSided, otherwise.variables.get(name) ?? oneSided))
  }
  const changed = new Map<Mutable, Contents>()
  for (const object of new Set([...then.effects.keys(), ...otherwise.effects.keys()]))
    changed.set(object, join.contents(object))
  if (join.poisoned && ifAny !== undefined) return assumeAny()
  join.emit()
  for (const [object, contents] of changed) replace(vm, object, contents)
  for (const [name, value] of variables) frame.variables.set(name, value)
  return undefined
}

/** A variable of one side only: nothing that torch compiled reads it before it is set again. */
const oneSided = new Poison('a variable that is set on one side of a branch only')

/**
 * Runs one side.
 * @param isForNone Taken where there is nothing: what cannot be lowered then is no reason to refuse the model.
 * @returns `raises` when it does, and so is never taken.
 */
function side(vm: Vm, block: readonly Statement[], frame: Frame, isForNone: boolean): Side | 'raises' | 'refused' {
  const before = new Map(frame.variables)
  const { length } = vm.reasons
  const refused = (): 'refused' => {
    vm.reasons.length = length
    return 'refused'
  }
  try {
    const { scope, result } = vm.g.nested(() =>
      vm.journal.record(() => {
        if (vm.run(block, frame)) throw refuse('a return from a branch that data decide', vm.where, dataAdvice)
        return new Map(frame.variables)
      }),
    )
    if (isForNone && vm.reasons.length > length) return refused()
    return { scope, variables: result.result, effects: result.effects, since: result.since }
  } catch (error) {
    if (error instanceof Raised) return 'raises'
    if (isForNone && error instanceof ImportRefusal) return refused()
    throw error
  } finally {
    frame.variables.clear()
    for (const [name, value] of before) frame.variables.set(name, value)
  }
}

class Joiner {
  private readonly vm: Vm
  private readonly whenTrue: Side
  private readonly whenFalse: Side
  private readonly condition: Value
  private readonly outputs: Joined[] = []
  /** Whether something did not go together. */
  poisoned = false

  constructor(vm: Vm, condition: Value, whenTrue: Side, whenFalse: Side) {
    this.vm = vm
    this.condition = condition
    this.whenTrue = whenTrue
    this.whenFalse = whenFalse
  }

  join(a: Py, b: Py): Py {
    if (a === b) return a
    this.vm.spend(1)
    if (a === uninitialized) return this.onOneSide(b, this.whenFalse, this.whenTrue)
    if (b === uninitialized) return this.onOneSide(a, this.whenTrue, this.whenFalse)
    if (a instanceof Poison) return a
    if (b instanceof Poison) return b
    if (a instanceof Unknown || b instanceof Unknown) return unknown
    if (a instanceof TensorRef && b instanceof TensorRef) {
      return this.tensor(a, b)
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
      if (x && x.length === y?.length) {
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

  private tensor(a: TensorRef, b: TensorRef): TensorRef | Poison {
    const [then, otherwise] = [this.contentsIn(this.whenTrue, a), this.contentsIn(this.whenFalse, b)]
    const value = this.value(then, otherwise)
    if (value instanceof Poison) return value
    const [first, second] = [a.olderThan(this.whenTrue.since), b.olderThan(this.whenFalse.since)]
    if (!first && !second) return new TensorRef(value)
    const fits = first !== second && dims.sameShape(then.shape, otherwise.shape) && !isComplex(value.dtype)
    if (!fits) return new TensorRef(value, { frozen: 'one of two tensors, depending on data' })
    // On one side it is a tensor that is there already, and what changes in place changes in that one too.
    const { g } = this.vm
    const choose = (older: Value, own: Value): Value =>
      first ? emit.where(g, this.condition, older, own) : emit.where(g, this.condition, own, older)
    const link = {
      base: first ? a : b,
      replay: choose,
      scatter: (older: Value, written: Value) => choose(written, older),
      hasOwn: true,
    }
    return new TensorRef(value, { link })
  }

  /** What one side gives and the other leaves uninitialized: there, an output of the same kind is made up. */
  private onOneSide(v: Py, given: Side, missing: Side): Py {
    this.vm.spend(1)
    const inside = (item: Py): Py => this.onOneSide(item, given, missing)
    if (v instanceof PyTuple) return new PyTuple(v.items.map(inside), v.names)
    if (v instanceof PyList) {
      const items = this.itemsIn(given, v)
      if (items && v.born > given.since) return new PyList(items.map(inside))
    }
    if (v instanceof TensorRef) return new TensorRef(this.alone(this.contentsIn(given, v), given, missing))
    if (v instanceof Sym || v instanceof SymFloat || v instanceof RunScalar) {
      const value = this.alone(
        this.vm.g.within(given.scope, () => scalarValue(this.vm, v)),
        given,
        missing,
      )
      return this.asNumber(value)
    }
    return isKnown(v) ? v : this.poison('a variable that is left without a value, depending on the values of tensors')
  }

  private alone(value: Value, given: Side, missing: Side): Value {
    const { g } = this.vm
    const made = g.within(missing.scope, () => placeholder(g, value))
    const shape = value.shape.map((d) => (g.canRead(d) ? d : g.freshDim('either')))
    const result: Value = { dtype: value.dtype, shape }
    const [whenTrue, whenFalse] = given === this.whenTrue ? [value, made] : [made, value]
    this.outputs.push({ whenTrue, whenFalse, value: result })
    return result
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
    return value instanceof Poison ? value : this.asNumber(value)
  }

  private asNumber(value: Value): Py {
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

  /** Items of a list at the end of a side; undefined when only the data count them. */
  private itemsIn(s: Side, list: PyList): readonly Py[] | undefined {
    const { items, grown } = (s.effects.get(list) as ListState | undefined) ?? list.state // of a list, its state
    return grown ? undefined : items
  }

  /** What a changed object holds after the branch. */
  contents(object: Mutable): Contents {
    const a = this.whenTrue.effects.get(object) ?? contentsOf(object)
    const b = this.whenFalse.effects.get(object) ?? contentsOf(object)
    if (object instanceof TensorRef) return this.tensorState(object, a as TensorState, b as TensorState)
    if (object instanceof PyList) {
      const [x, y] = [a as ListState, b as ListState] // of a list, its state
      return this.listState(x, y) ?? { items: [this.poison('a list whose length depends on the values of tensors')] }
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

  private listState(x: ListState, y: ListState): ListState | undefined {
    const both = (a: readonly Py[], b: readonly Py[]) => a.map((item, i) => this.join(item, b[i] ?? null))
    if (!x.grown && !y.grown && x.items.length === y.items.length) return { items: both(x.items, y.items) }
    const [p, q] = [x.grown, y.grown]
    if (p && q && 'appended' in p && 'appended' in q && p.appended.length === q.appended.length)
      return { items: x.items, grown: { appended: both(p.appended, q.appended) } }
    return (p && 'appended' in p) || (q && 'appended' in q) ? undefined : this.filtered(x, y)
  }

  /** A list that has items on one side that it has not on the other: as one tensor, of as many rows as there are items. */
  private filtered(x: ListState, y: ListState): ListState | undefined {
    const [a, b] = [this.wholeIn(this.whenTrue, x), this.wholeIn(this.whenFalse, y)]
    const some = a ?? b
    const isEmpty = (list: ListState) => list.items.length === 0 && !list.grown
    if (!some || (!a && !isEmpty(x)) || (!b && !isEmpty(y))) return undefined
    const { g } = this.vm
    const then = a ?? g.within(this.whenTrue.scope, () => emptyWhole(this.vm, some))
    const otherwise = b ?? g.within(this.whenFalse.scope, () => emptyWhole(this.vm, some))
    if (then.kind !== otherwise.kind) return undefined
    const value = this.value(then.value, otherwise.value)
    if (value instanceof Poison) return undefined
    hold(this.vm, [...x.items, ...y.items])
    return stateOfWhole({ kind: then.kind, value })
  }

  /** Undefined when there are no items, or they are unlike each other. */
  private wholeIn(s: Side, state: ListState): Whole | undefined {
    if (state.items.length === 0 && !state.grown) return undefined
    try {
      return this.vm.g.within(s.scope, () => wholeOf(this.vm, state))
    } catch (error) {
      if (error instanceof ImportRefusal) return undefined
      throw error
    }
  }

  private tensorState(object: TensorRef, a: TensorState, b: TensorState): TensorState {
    // A view's contents follow from its base's, which changed as well.
    if (isMereView(object)) return a
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
  emit(): void {
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
      [this.condition],
      this.outputs.map((o) => o.value),
      attributes,
    )
  }
}

/** Whether a value is the same wherever it is read: no part of it is computed by the graph. */
const isKnown = (v: Py): boolean => v === null || typeof v !== 'object' || v instanceof PyEnum || v instanceof PyDevice
