import { type Dim, dims, refuse, Sym, type Value } from '@eas/onnx'
import { isNumber } from '../scalars.ts'
import { TensorRef } from '../tensor-ref.ts'
import { isInt, type LeafKind, type Py, PyDict, PyList, PyObject, PyTuple, RunScalar } from '../values.ts'
import { dataAdvice, type Vm } from '../vm.ts'

/** Parts of the variables and objects that a loop may change from one iteration to the next. */

/** A tensor's contents at one time, or a value that is no nest of others. */
export type Leaf = Py | Snapshot

/** What a tensor held at the time. */
export class Snapshot {
  readonly value: Value
  constructor(value: Value) {
    this.value = value
  }
}

/** Leaves of a nest of lists, tuples, dictionaries and objects, by their place in it. */
export function collectLeaves(vm: Vm, v: Py, found: Map<string, Leaf>, place = ''): Map<string, Leaf> {
  vm.spend(1)
  const inside = (item: Py, name: number | string): unknown => collectLeaves(vm, item, found, `${place}/${name}`)
  if (v instanceof PyList) {
    v.state.items.forEach(inside)
    const { grown } = v.state
    if (grown && 'slots' in grown)
      for (const [i, { value }] of grown.slots.entries()) found.set(`${place}/+${i}`, new Snapshot(value))
  } else if (v instanceof PyTuple) v.items.forEach(inside)
  else if (v instanceof PyDict) for (const [key, [, item]] of v.entries) inside(item, key)
  else if (v instanceof PyObject) {
    for (const [name, item] of v.attributes) if (!(item instanceof PyObject)) inside(item, name)
  } else found.set(place, v instanceof TensorRef ? new Snapshot(vm.read(v)) : v)
  return found
}

/** The same nest with some leaves exchanged; what holds none of them stays itself. */
export function rebuild(v: Py, changes: ReadonlyMap<string, Py>, place = ''): Py {
  const change = changes.get(place)
  if (change !== undefined) return change
  if (![...changes.keys()].some((key) => key.startsWith(`${place}/`))) return v
  const inside = (item: Py, name: number | string): Py => rebuild(item, changes, `${place}/${name}`)
  if (v instanceof PyList) return new PyList(v.items.map(inside))
  if (v instanceof PyTuple) return new PyTuple(v.items.map(inside), v.names)
  if (v instanceof PyDict)
    return new PyDict(new Map([...v.entries].map(([name, [key, item]]) => [name, [key, inside(item, name)]])))
  if (v instanceof PyObject)
    return new PyObject(v.type, new Map([...v.attributes].map(([name, item]) => [name, inside(item, name)])))
  return v
}

export function sameLeaf(a: Leaf, b: Leaf): boolean {
  if (a instanceof Snapshot && b instanceof Snapshot) return a.value === b.value
  return a === b || (a instanceof Sym && b instanceof Sym && dims.same(a, b))
}

/** What a leaf is as a value of the graph. */
export interface LeafType {
  readonly kind: LeafKind
  readonly dtype: Value['dtype']
  readonly shape: readonly Dim[]
}

export function typeOfLeaf(vm: Vm, leaf: Leaf): LeafType {
  if (leaf instanceof Snapshot) {
    if (leaf.value.quant) throw refuse('a quantised tensor that changes in a loop', vm.where, dataAdvice)
    return { kind: 'tensor', dtype: leaf.value.dtype, shape: leaf.value.shape }
  }
  if (!isNumber(leaf))
    throw refuse('a variable that changes in a loop and is neither a number nor a tensor', vm.where, dataAdvice)
  if (isInt(leaf)) return { kind: 'int', dtype: 'int64', shape: [] }
  const isBool = typeof leaf === 'boolean' || (leaf instanceof RunScalar && leaf.kind === 'bool')
  return isBool ? { kind: 'bool', dtype: 'bool', shape: [] } : { kind: 'float', dtype: 'float64', shape: [] }
}
