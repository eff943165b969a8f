import { emit, type ImportedOutput, isComplex, type OutputStructure, refuse, Sym, type Value } from '@eas/onnx'
import { limits } from './limits.ts'
import { dequantise } from './operator.ts'
import { numberTensor } from './python-ops.ts'
import { TensorRef } from './tensor-ref.ts'
import { Poison, type Py, PyDict, PyEnum, PyList, PyObject, PyTuple, RunScalar, SymFloat, Unknown } from './values.ts'
import { dataAdvice, type Vm } from './vm.ts'

export interface FlatOutputs {
  readonly values: { readonly name: string; readonly value: Value }[]
  readonly structure: OutputStructure
}

/** Levels of lists within dictionaries within tuples. */
const maxDepth = 32

/** What the model returns as a row of tensors, and how they nest. Dictionary entries and named fields give their names. */
export function flattenOutputs(vm: Vm, result: Py, taken: ReadonlySet<string>): FlatOutputs {
  const values: { name: string; value: Value }[] = []
  const names = new Set(taken)
  let visited = 0
  const push = (value: Value, name: string | undefined): OutputStructure => {
    const wanted = name ?? `output_${values.length}`
    let unique = wanted
    for (let i = 1; names.has(unique); i++) unique = `${wanted}_${i}`
    names.add(unique)
    values.push({ name: unique, value })
    return { kind: 'tensor', output: values.length - 1 }
  }
  const visit = (v: Py, name: string | undefined, depth: number): OutputStructure => {
    if (depth > maxDepth) throw refuse('the output is nested too deep')
    if (++visited > limits.outputs) throw refuse(`the model returns over ${limits.outputs} values`)
    const inner = (item: Py, key: string | undefined): OutputStructure =>
      visit(item, key === undefined ? name && `${name}_${values.length}` : name ? `${name}.${key}` : key, depth + 1)
    if (v === null) return { kind: 'none' }
    if (typeof v === 'boolean' || typeof v === 'string') return { kind: 'constant', value: v }
    if (typeof v === 'number' || typeof v === 'bigint') return { kind: 'constant', value: Number(v) }
    if (v instanceof TensorRef) {
      const value = vm.read(v)
      if (isComplex(value.dtype))
        throw refuse('a complex output', 'the output of the model', 'Give its parts: torch.view_as_real')
      return push(value.quant ? dequantise(vm, value) : value, name)
    }
    if (v instanceof Sym || v instanceof SymFloat || v instanceof RunScalar) return push(numberTensor(vm, v), name)
    if (v instanceof PyDict) {
      const entries = [...v.entries.values()].map(([key, item]) => [String(key), inner(item, String(key))] as const)
      return { kind: 'dict', entries }
    }
    if (v instanceof PyTuple) return { kind: 'tuple', items: v.items.map((item, i) => inner(item, v.names?.[i])) }
    if (v instanceof PyList) return { kind: 'list', items: v.items.map((item) => inner(item, undefined)) }
    if (v instanceof PyObject) {
      const entries = [...v.attributes].map(([key, item]) => [key, inner(item, key)] as const)
      return { kind: 'dict', entries }
    }
    if (v instanceof PyEnum) return visit(v.value, name, depth + 1)
    if (v instanceof Unknown) return { kind: 'none' }
    if (v instanceof Poison) throw refuse(v.reason, 'the output of the model', dataAdvice)
    throw refuse('an output that is no tensor', 'the output of the model')
  }
  const structure = visit(result, undefined, 0)
  return {
    values: values.map(({ name, value }) => ({
      name,
      value: value.dtype === 'bfloat16' ? emit.cast(vm.g, value, 'float32') : value,
    })),
    structure,
  }
}

export const describeOutput = ({ name, value }: { readonly name: string; readonly value: Value }): ImportedOutput => ({
  name,
  dtype: value.dtype,
  shape: value.shape.map((d) => (typeof d === 'number' ? d : d.key)),
})
