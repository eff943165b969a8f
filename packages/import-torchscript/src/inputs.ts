import {
  type Dim,
  dims,
  emit,
  type GraphBuilder,
  type ImportedInput,
  type InputSpec,
  isComplex,
  type LabelledShape,
  type RefusalReason,
  refuse,
} from '@eas/onnx'
import { kindOf, toParameter } from './parameters.ts'
import type { FunctionDef } from './script/ast.ts'
import { TensorRef } from './tensor-ref.ts'
import { type Py, PyDevice, PyDict, PyList, PyTuple } from './values.ts'
import type { Vm } from './vm.ts'

/** An input specification with the parameter it belongs to and, for one of several tensors of it, its key or index. */
interface Placed {
  readonly spec: InputSpec
  readonly position: number
  readonly key: string | number | undefined
}

const specAdvice = 'Give dtype and shape of each input, or send a first request'

/**
 * Example sizes by label. A label of two sizes is a mistake of the caller.
 * @throws {ImportRefusal}
 */
export function hintsOf(specs: readonly InputSpec[]): Map<string, number> {
  const hints = new Map<string, number>()
  for (const { input, shape, example } of specs) {
    for (const [axis, label] of shape.entries()) {
      const size = example?.[axis]
      if (typeof label !== 'string' || size === undefined) continue
      if ((hints.get(label) ?? size) !== size)
        throw refuse(`${label} is ${hints.get(label)} and ${size} in the examples`, `input ${input}`)
      hints.set(label, size)
    }
  }
  return hints
}

/** What the archive says its inputs were when it was traced: sizes that agree share a label, as in torch.export. */
export function tracedSpecs(examples: readonly Py[], definition: FunctionDef): InputSpec[] | undefined {
  const specs: InputSpec[] = []
  const parameters = definition.parameters.slice(1)
  const add = (input: string, v: Py): boolean => {
    if (!(v instanceof TensorRef)) return false
    specs.push(labelled(input, v))
    return true
  }
  for (const [i, example] of examples.entries()) {
    const name = parameters[i]?.name ?? `${i}`
    if (example instanceof PyDict) {
      for (const [key, value] of example.entries.values()) if (!add(`${name}.${key}`, value)) return undefined
    } else if (example instanceof PyList || example instanceof PyTuple) {
      for (const [k, value] of example.items.entries()) if (!add(`${name}.${k}`, value)) return undefined
    } else if (!add(name, example)) return undefined
  }
  return specs.length > 0 ? specs : undefined
}

/** The first size is the batch; another size of 1 stays 1; equal sizes share a label. */
function labelled(input: string, t: TensorRef): InputSpec {
  const example = t.shape as readonly number[] // an example has sizes
  const shape = example.map((size, axis) => (axis === 0 && size === 1 ? 'batch' : size <= 1 ? size : `n${size}`))
  return { input, dtype: t.dtype, shape, example }
}

/**
 * Makes the graph's inputs and the values the method is called with.
 * @param prefix Of the names of the graph's inputs.
 * @throws {ImportRefusal} Naming every parameter that no specification belongs to.
 */
export function makeInputs(
  vm: Vm,
  definition: FunctionDef,
  specs: readonly InputSpec[],
  given: ReadonlyMap<string, Py>,
  prefix = '',
): { args: Py[]; inputs: ImportedInput[] } {
  const parameters = definition.parameters.slice(1)
  const placed = specs.map((spec) => place(spec, definition))
  const reasons: RefusalReason[] = []
  const inputs: ImportedInput[] = []
  const names = new Set<string>()
  const args: Py[] = []
  for (const [position, parameter] of parameters.entries()) {
    const { type, kind, optional, name } = toParameter(parameter)
    const mine = placed.filter((p) => p.position === position)
    const fixed = given.get(name)
    const tensors = mine.map((p) => makeInput(vm.g, p, name, names, inputs, prefix))
    const keyed = mine.some((p) => p.key !== undefined)
    if (fixed !== undefined) args.push(fixed)
    else if (tensors.length > 0 && !keyed)
      args.push(kind === 'tensor list' ? new PyList(tensors) : (tensors[0] ?? null))
    else if (tensors.length > 0 && mine.every((p) => typeof p.key === 'number'))
      args.push(type.startsWith('Tuple') ? new PyTuple(tensors) : new PyList(tensors))
    else if (tensors.length > 0)
      args.push(new PyDict(new Map(mine.map((p, i) => [`s${p.key}`, [String(p.key), tensors[i] ?? null] as const]))))
    else if (kind === 'other' && type === 'Device') args.push(new PyDevice('cpu'))
    else if (kind === 'other' && type === 'str' && name === 'device') args.push('cpu')
    else if (optional)
      args.push(
        parameter.default
          ? vm.evaluateConstant(parameter.default, { name: '', base: '', fields: [], methods: new Map(), file: '' })
          : null,
      )
    else
      reasons.push({
        what: `nothing says what the input ${name}: ${type} will be`,
        where: `${definition.name} of the model`,
        remedy: specAdvice,
      })
  }
  for (const p of placed) {
    if (p.position < 0 || p.position >= parameters.length)
      reasons.push({ what: `the model has no input ${p.spec.input}`, where: definition.name, remedy: specAdvice })
  }
  vm.refused(reasons)
  return { args, inputs }
}

/** `data.user_id` is the key `user_id` of `data`; a name that is no parameter's is a key of the one that takes a dictionary. */
function place(spec: InputSpec, definition: FunctionDef): Placed {
  const parameters = definition.parameters.slice(1)
  if (typeof spec.input === 'number') {
    const [only] = parameters
    // A single list of tensors takes all positions.
    if (only && parameters.length === 1 && kindOf(toParameter(only).type) === 'tensor list')
      return { spec, position: 0, key: spec.input }
    return { spec, position: spec.input, key: undefined }
  }
  const text = spec.input
  const exact = parameters.findIndex((p) => p.name === text)
  if (exact >= 0) return { spec, position: exact, key: undefined }
  const parent = parameters.findIndex((p) => text.startsWith(`${p.name}.`))
  if (parent >= 0) {
    const key = text.slice((parameters[parent]?.name.length ?? 0) + 1)
    const isList = toParameter(parameters[parent] as (typeof parameters)[number]).kind === 'tensor list' // it was just found
    return { spec, position: parent, key: isList || /^\d+$/.test(key) ? Number(key) : key }
  }
  const dict = parameters.findIndex((p) => toParameter(p).kind === 'tensor dict')
  return { spec, position: dict, key: text }
}

function makeInput(
  g: GraphBuilder,
  { spec, position, key }: Placed,
  parameter: string,
  names: Set<string>,
  inputs: ImportedInput[],
  prefix: string,
): TensorRef {
  if (isComplex(spec.dtype) || spec.dtype === 'string') throw refuse(`an input of ${spec.dtype}`, parameter)
  if (spec.shape.length > 64) throw refuse(`an input of ${spec.shape.length} dimensions`, parameter)
  const shape = spec.shape.map((d): Dim => (typeof d === 'number' ? d : dims.atom(d, 'input')))
  const own = key === undefined ? parameter : typeof key === 'number' ? `${parameter}_${key}` : key
  const name = unique(`${prefix}${own}`, names)
  // ONNX Runtime takes no bfloat16 from JavaScript: floats come in, and are rounded.
  const dtype = spec.dtype === 'bfloat16' ? 'float32' : spec.dtype
  inputs.push({
    name,
    dtype,
    shape: spec.shape as LabelledShape,
    position,
    ...(key === undefined ? {} : { key }),
  })
  return new TensorRef(emit.cast(g, g.input(name, dtype, shape), spec.dtype))
}

function unique(name: string, names: Set<string>): string {
  let candidate = name
  for (let i = 1; names.has(candidate); i++) candidate = `${name}_${i}`
  names.add(candidate)
  return candidate
}
