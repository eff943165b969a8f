import { dims, type GraphBuilder, isComplex, type RefusalReason, Sym, type Value } from '@eas/onnx'
import { limits } from './limits.ts'
import { fromDim, isNumber } from './scalars.ts'
import { TensorRef } from './tensor-ref.ts'
import { Poison, type Py, PyDict, PyList, PyObject, PyTuple, RunScalar } from './values.ts'
import type { Vm } from './vm.ts'

/**
 * What a model keeps from one call to the next: attributes of its modules, and constants of its code. A request here starts
 * from what the file says, so what a call changes may not be what an output is computed from in the next.
 */

/** Something a model keeps, by the path code reaches it under: `encoder.cache`, `CONSTANTS.c0`. */
interface Kept {
  readonly value: Py
  /** The module and the name of the attribute; absent for constants. */
  readonly holder: readonly [module: PyObject, name: string] | undefined
  /** All that it holds, itself first. */
  readonly parts: readonly Py[]
  /** What is the same as long as it is unchanged: contents of tensors, and everything else as itself. */
  readonly contents: readonly (Py | Value)[]
}
export type State = ReadonlyMap<string, Kept>

/** Everything that the model keeps, as it is now. */
export function stateOf(vm: Vm, root: PyObject): State {
  const state = new Map<string, Kept>()
  const seen = new Set<PyObject>()
  const visit = (module: PyObject, path: string): void => {
    if (seen.has(module)) return
    seen.add(module)
    for (const [name, value] of module.attributes) {
      const place = path === '' ? name : `${path}.${name}`
      if (value instanceof PyObject) visit(value, place)
      else state.set(place, keptAs(vm, value, [module, name]))
    }
  }
  visit(root, '')
  for (const [i, value] of vm.constants.entries()) state.set(`CONSTANTS.c${i}`, keptAs(vm, value, undefined))
  return state
}

function keptAs(vm: Vm, value: Py, holder: Kept['holder']): Kept {
  const parts = partsOf(value)
  return { value, holder, parts, contents: parts.map((part) => contentOf(vm, part)) }
}

/** A list that is made anew of the same items is the same list to the next call. */
function contentOf(vm: Vm, part: Py): Py | Value {
  if (part instanceof TensorRef) return vm.read(part)
  if (part instanceof PyTuple) return `${part.items.length} items`
  if (part instanceof PyList) return `${part.state.items.length} items`
  if (part instanceof PyDict) return `the keys ${[...part.entries.keys()]}`
  return part
}

/** All that a value holds, itself first; what is met again is not gone into again. */
function partsOf(value: Py, found: Py[] = [], seen = new Set<Py>(), depth = 0): Py[] {
  found.push(value)
  if (seen.has(value) || depth > limits.depth) return found
  const inside = (items: Iterable<Py>): void => {
    seen.add(value)
    for (const item of items) partsOf(item, found, seen, depth + 1)
  }
  if (value instanceof PyTuple) inside(value.items)
  else if (value instanceof PyList) inside(value.state.items)
  else if (value instanceof PyDict) inside([...value.entries.values()].map(([, item]) => item))
  else if (value instanceof PyObject) inside(value.attributes.values())
  return found
}

/** What a call changes: what it became, and where the code changed it first. */
export interface Change {
  readonly before: Py | undefined
  readonly now: Py
  readonly where: string
}
export type Changes = ReadonlyMap<string, Change>

export function changesSince(vm: Vm, before: State, root: PyObject): Changes {
  const changes = new Map<string, Change>()
  for (const [path, { value, holder, parts, contents }] of stateOf(vm, root)) {
    const then = before.get(path)
    const isSame =
      contents.length === then?.contents.length && contents.every((item, i) => same(item, then.contents[i]))
    if (!isSame && !parts.every((part) => part instanceof TensorRef && vm.settled.has(part)))
      changes.set(path, { before: then?.value, now: value, where: vm.changedAt(parts, holder) })
  }
  return changes
}

/**
 * Refuses in-place updates that would have to show elsewhere: tensors of the archive that lie in the memory of one that was
 * changed. @param before All that the model kept before the call.
 */
export function refuseSharedChanges(vm: Vm, before: State, changes: Changes): void {
  for (const [path, { before: changed }] of changes) {
    const where = vm.changedAt([changed], undefined)
    if (!(changed instanceof TensorRef) || where === '') continue
    const shares = (part: Py): boolean =>
      part instanceof TensorRef && part !== changed && vm.archive.shareMemory(part, changed)
    const [other] = [...before].find(([, { parts }]) => parts.some(shares)) ?? []
    if (other === undefined) continue
    const what = `an in-place update of ${path}, which lies in the memory of ${other}`
    vm.refused([{ what, where, remedy: 'Give each module a tensor of its own, or compute a new one' }])
  }
}

const same = (a: unknown, b: unknown): boolean =>
  Object.is(a, b) || (a instanceof Sym && b instanceof Sym && dims.same(a, b))

/** What a call changes, in the place of which something else was put before it. */
export interface Hidden {
  /** Paths by the inputs of the graph that stand for them. */
  readonly inputs: ReadonlyMap<string, string>
  /** Paths by the lists that may be added to and not read. */
  readonly lists: ReadonlyMap<PyList, string>
  /** Paths by what reading them is refused with. */
  readonly poisons: ReadonlyMap<string, string>
  /** Paths of what nothing can be put in the place of. */
  readonly exposed: readonly string[]
}

/**
 * Puts something that only a run knows in the place of what calls change: a tensor or number becomes an input of the graph. What
 * has no such type now, or will have none after the call, may not be read.
 */
export function hideState(vm: Vm, state: State, changes: Changes): Hidden {
  const [inputs, lists, poisons] = [new Map<string, string>(), new Map<PyList, string>(), new Map<string, string>()]
  const exposed: string[] = []
  for (const [path, change] of changes) {
    const kept = state.get(path)
    if (!kept) continue // made by the call: nothing can have read it before
    const { value, holder } = kept
    const hidden = unknownLike(vm.g, `state:${path}`, value, change.now)
    if (hidden) inputs.set(`state:${path}`, path)
    if (hidden && value instanceof TensorRef)
      value.state = (hidden as TensorRef).state // a tensor stands for a tensor
    else if (hidden) holder?.[0].attributes.set(holder[1], hidden)
    else if (value instanceof PyList && change.now === change.before) {
      lists.set(value, path)
      value.state = { items: [], grown: { appended: [] } }
    } else if (holder) {
      const poison = new Poison(`the model keeps ${path} from one call to the next`)
      poisons.set(poison.reason, path)
      holder[0].attributes.set(holder[1], poison)
    } else exposed.push(path)
  }
  return { inputs, lists, poisons, exposed }
}

function unknownLike(g: GraphBuilder, name: string, value: Py, now: Py): Py | undefined {
  if (value instanceof TensorRef) {
    const { dtype, shape, quant } = value.state.value
    const stays = now instanceof TensorRef && now.dtype === dtype && dims.sameShape(now.shape, shape)
    return stays && !quant && !isComplex(dtype) ? new TensorRef(g.input(name, dtype, shape)) : undefined
  }
  if (!isNumber(now)) return undefined
  if (typeof value === 'boolean') return new RunScalar('bool', g.input(name, 'bool', []))
  if (typeof value === 'number') return new RunScalar('float', g.input(name, 'float64', []))
  return typeof value === 'bigint' ? fromDim(g.scalarDim(g.input(name, 'int64', []))) : undefined
}

/** Paths of what was hidden and yet asked for: all of them where it cannot be told. @param needed Inputs that outputs need. */
export function askedFor(vm: Vm, hidden: Hidden, needed: ReadonlySet<string>): Set<string> {
  const { inputs, lists, poisons, exposed } = hidden
  const asked = new Set(exposed)
  for (const [name, path] of inputs) if (needed.has(name)) asked.add(path)
  for (const [list, path] of lists) if (list.wasRead) asked.add(path)
  for (const { what } of vm.reasons) {
    const path = poisons.get(what)
    if (path) asked.add(path)
  }
  if (vm.reasons.length === 0 || asked.size > 0) return asked
  return new Set([...inputs.values(), ...lists.values(), ...poisons.values()])
}

export const refusalOf = (path: string, { where }: Change): RefusalReason => ({
  what: `the model changes ${path}, and computes outputs of later calls from it`,
  where,
  remedy: 'Take it as an input and return what it becomes, or export the model without it',
})
