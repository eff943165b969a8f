import { type Dim, dims, emit, type GraphBuilder, type OutputType, scalar, type Value } from '@eas/onnx'
import { type Py, PyDict, PyList, PyTuple, uninitialized } from '../values.ts'
import type { Vm } from '../vm.ts'

/**
 * Code that returns early, or breaks, leaves variables `uninitialized` on the other way through. Nothing reads them there, but
 * an If or Loop gives each of its outputs on every way.
 */

/** Something of a type, for where nobody looks: of the same sizes as far as they are known there. */
export function placeholder(g: GraphBuilder, { dtype, shape }: OutputType): Value {
  const sizes = shape.map((d): Dim => (typeof d === 'number' || dims.fromInputs(d) ? d : 0))
  return emit.full(g, sizes, scalar(dtype, 0))
}

/** The nest a value is, without its tensors and numbers. */
export function blank(vm: Vm, v: Py): Py {
  vm.spend(1)
  const inside = (item: Py): Py => blank(vm, item)
  if (v instanceof PyTuple) return new PyTuple(v.items.map(inside), v.names)
  if (v instanceof PyList) return new PyList(v.items.map(inside))
  if (v instanceof PyDict)
    return new PyDict(new Map([...v.entries].map(([name, [key, item]]) => [name, [key, inside(item)]])))
  return v === null || typeof v === 'string' ? v : uninitialized
}
