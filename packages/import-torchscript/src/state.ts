import type { Value } from '@eas/onnx'
import { TensorRef } from './tensor-ref.ts'
import { type Py, PyDict, PyList, PyObject } from './values.ts'
import type { Vm } from './vm.ts'

/** What the attributes of a model's modules are, by their paths: `encoder.cache`. */
export type State = ReadonlyMap<string, Py | Value | readonly Py[]>

/** Attributes of a module and of those within it. */
export function stateOf(vm: Vm, root: PyObject): State {
  const state = new Map<string, Py | Value | readonly Py[]>()
  const seen = new Set<PyObject>()
  const visit = (module: PyObject, path: string): void => {
    if (seen.has(module)) return
    seen.add(module)
    for (const [name, value] of module.attributes) {
      const place = path === '' ? name : `${path}.${name}`
      if (value instanceof PyObject) visit(value, place)
      else state.set(place, contentsOf(vm, value))
    }
  }
  visit(root, '')
  return state
}

/** What is the same as long as the attribute is. */
function contentsOf(vm: Vm, value: Py): Py | Value | readonly Py[] {
  if (value instanceof TensorRef) return vm.read(value)
  if (value instanceof PyList) return [...value.state.items]
  return value instanceof PyDict ? [...value.entries.values()].map(([, item]) => item) : value
}

/** Paths of the attributes that are other than they were. */
export function changedSince(vm: Vm, before: State, root: PyObject): string[] {
  return [...stateOf(vm, root)].flatMap(([path, now]) => (same(before.get(path), now) ? [] : [path]))
}

const same = (a: unknown, b: unknown): boolean =>
  a === b || (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => item === b[i]))
