import { type Dim, dims, type ElementType, emit, isComplex, refuse, type Value } from '@eas/onnx'
import { Call, type Lower, type Result, toPy } from './call.ts'
import { callOnGrown } from './grown-list.ts'
import { limits } from './limits.ts'
import { complexTakers, isElementwise, lowerings, quantisedLowerings } from './lower/index.ts'
import { fixedQuant, passageOf, quantisedTakers } from './lower/quantized.ts'
import { pythonOps } from './python-ops.ts'
import { isUnknown } from './scalars.ts'
import { type Parameter, type Schema, schemasOf } from './schema/schema.ts'
import { TensorRef } from './tensor-ref.ts'
import {
  isInt,
  Poison,
  type Py,
  PyDevice,
  PyDict,
  PyList,
  PyTuple,
  RunScalar,
  SymFloat,
  Unknown,
  unknown,
} from './values.ts'
import { dataAdvice, type Vm } from './vm.ts'

/** Calls an operator: on Python values at once, on tensors by lowering it. What cannot be lowered is noted and unknown. */
export function callOperator(vm: Vm, name: string, args: readonly Py[], keywords: ReadonlyMap<string, Py>): Py {
  return vm.attempt(() => {
    for (const a of args) if (a instanceof PyList) vm.spend(a.state.items.length / 4)
    if (args.some((a) => isUnknown(a)) || [...keywords.values()].some((a) => isUnknown(a)))
      return onUnknown(vm, name, args, keywords)
    const poison = args.find((a) => a instanceof Poison)
    if (poison) return texts.has(name) ? poison : vm.refused([{ what: poison.reason, where: '', remedy: dataAdvice }])
    const outs = outsOf(name, keywords)
    if (outs) return intoOuts(vm, outs, name, args, keywords)
    const python = callOnGrown(vm, name, args, keywords) ?? pythonOps[name]?.(vm, args, keywords)
    if (python !== undefined) return bounded(vm, python)
    vm.ops.add(name.includes('::') ? name : `aten::${name}`)
    const lower = lowerings[name]
    if (lower) return placed(vm, name, args, toPy(vm, run(vm, name, lower, args, keywords)))
    const base = name.endsWith('_') && !name.endsWith('__') ? name.slice(0, -1) : undefined
    const outOfPlace = base === undefined ? undefined : lowerings[base]
    if (base !== undefined && outOfPlace) return inPlace(vm, base, outOfPlace, args, keywords)
    throw refuse(`${name.includes('::') ? name : `aten::${name}`} is not supported`, '', advice(name))
  })
}

/** A new tensor of elements of another: their axes lie in memory as those of the first operand of the same sizes do. */
function placed(vm: Vm, name: string, args: readonly Py[], result: Py): Py {
  if (!(result instanceof TensorRef) || result.state.link || !isElementwise(name)) return result
  const first = args.find((a): a is TensorRef => a instanceof TensorRef && dims.sameShape(a.shape, result.shape))
  if (!first || first === result || !vm.facts.isPermuted(first)) return result
  return vm.facts.notePermuted(new TensorRef(vm.read(result), { dense: false }), vm.facts.orderOf(first))
}

/** Operators that make texts of others: what cannot be told of one cannot be told of them. */
const texts = new Set(['add', 'format', 'percentFormat', 'str'])

/** Lists and strings, of a size that code may ask for. */
function bounded(vm: Vm, v: Py): Py {
  if (v instanceof PyList) {
    const { length } = v.state.items
    if (length > limits.listItems) throw refuse(`a list of over ${limits.listItems} items`)
    vm.spend(length)
  } else if (typeof v === 'string') {
    if (v.length > limits.stringChars) throw refuse(`a string of over ${limits.stringChars} characters`)
    vm.spend(v.length / 8)
  }
  return v
}

function advice(name: string): string {
  if (/^(?:poisson|binomial|_standard_gamma|_sample_dirichlet|cauchy_|log_normal_|geometric_)/.test(name))
    return 'Draw from torch.rand, randn, normal, bernoulli or multinomial, or export the model in eval mode'
  if (/mkldnn|tensorrt|_nnc|prepacked|mkl/i.test(name))
    return 'Export the model before optimize_for_inference or a compiler rewrites it'
  if (name.startsWith('autograd')) return 'Export the forward pass only'
  return name.includes('::')
    ? 'Export the model without custom operators'
    : 'Rewrite this part of the model with other operators'
}

/** Sizes and kinds of unknown tensors are unknown too; lists and dictionaries take them in. */
function onUnknown(vm: Vm, name: string, args: readonly Py[], keywords: ReadonlyMap<string, Py>): Py {
  const [first] = args
  const isContainer = first instanceof PyList || first instanceof PyDict || first instanceof PyTuple
  if (/^__is(?:not)?__$/.test(name) || isContainer) return pythonOps[name]?.(vm, args, keywords) ?? unknown
  return unknown
}

function run(vm: Vm, name: string, lower: Lower, args: readonly Py[], keywords: ReadonlyMap<string, Py>): Result {
  const call = bind(vm, name, args, keywords)
  if (args.some(hasComplex)) {
    const complex = complexTakers[name]
    if (complex) return complex(call)
    throw refuse(`complex numbers in aten::${name}`, '', 'Compute with real and imaginary parts')
  }
  if (quantisedLowerings.has(name) || !args.some(isQuantised)) return lower(call)
  return quantisedTakers[name]?.(call) ?? throughFloats(vm, call, lower, args)
}

const isQuantised = (v: Py): boolean =>
  (v instanceof TensorRef && v.state.value.quant !== undefined) || (v instanceof PyList && v.items.some(isQuantised))
const hasComplex = (v: Py): boolean =>
  (v instanceof TensorRef && isComplex(v.dtype)) || (v instanceof PyList && v.items.some(hasComplex))

/** An operator that knows nothing of quantised tensors works on their numbers; its result is quantised like its operand. */
function throughFloats(vm: Vm, call: Call, lower: Lower, args: readonly Py[]): Result {
  const first = args.find((a): a is TensorRef => a instanceof TensorRef && a.state.value.quant !== undefined)
  const { floats, integers } = passageOf(call)
  const plain = call.mapped((v) =>
    v instanceof TensorRef && v.state.value.quant ? new TensorRef(floats(call, vm.read(v))) : v,
  )
  const result = toPy(vm, lower(plain))
  const dtype = first?.dtype ?? 'uint8'
  const quant = fixedQuant(call.name, dtype) ?? first?.state.value.quant
  const again = (v: Py): Py => {
    if (v instanceof PyList) return new PyList(v.items.map(again))
    return v instanceof TensorRef && quant && quant.axis === undefined && v.dtype === 'float32'
      ? new TensorRef(integers(call, vm.read(v), quant, dtype))
      : v
  }
  return again(result)
}

export function dequantise(vm: Vm, x: Value): Value {
  if (!x.quant) return x
  const { scale, zeroPoint, axis } = x.quant
  const plain: Value = x.content ? { dtype: x.dtype, shape: x.shape, content: x.content } : x
  return vm.g.one(
    'DequantizeLinear',
    [plain, emit.cast(vm.g, scale, 'float32'), emit.cast(vm.g, zeroPoint, x.dtype)],
    'float32',
    x.shape,
    axis === undefined ? {} : { axis },
  )
}

export function quantise(vm: Vm, x: Value, quant: NonNullable<Value['quant']>, dtype: ElementType): Value {
  const inputs = [x, emit.cast(vm.g, quant.scale, 'float32'), emit.cast(vm.g, quant.zeroPoint, dtype)]
  const [value] = vm.g.node(
    'QuantizeLinear',
    inputs,
    [{ dtype, shape: x.shape, quant }],
    quant.axis === undefined ? {} : { axis: quant.axis },
  )
  return value as Value // one type was given
}

/** `add_`: the result of `add` in the place of its first operand, whose shape and type stay. */
function inPlace(vm: Vm, base: string, lower: Lower, args: readonly Py[], keywords: ReadonlyMap<string, Py>): Py {
  const [self] = args
  if (!(self instanceof TensorRef)) throw refuse(`aten::${base}_ on something that is no tensor`)
  const result = toPy(vm, run(vm, base, lower, args, keywords))
  if (!(result instanceof TensorRef)) return result
  if (result === self) return self
  if (reshaping.has(base)) {
    if (self.state.link) throw refuse(`aten::${base}_ on a view`)
    vm.touch(self)
    self.state = { ...self.state, value: vm.read(result), version: self.state.version + 1 }
    return self
  }
  const value = vm.read(result)
  const fitted = self.state.value.quant ? value : emit.expand(vm.g, emit.cast(vm.g, value, self.dtype), self.shape)
  // Torch keeps the shape; sizes that were only labelled may be better known now.
  vm.write(self, fitted)
  return self
}

/** Arguments that operators of several results put them into, in the order of the results. */
const outNames = new Map<string, readonly string[]>([
  ['max', ['max', 'max_values']],
  ['min', ['min', 'min_indices']],
  ['aminmax', ['min', 'max']],
  ['max_pool2d_with_indices', ['out', 'indices']],
  ['adaptive_max_pool2d', ['out', 'indices']],
  ...['sort', 'topk', 'kthvalue', 'median', 'nanmedian', 'mode', 'cummax', 'cummin'].map(
    (op) => [op, ['values', 'indices']] as const,
  ),
])

/** The tensors that results are to be put into, by the names of the arguments; undefined where there are none. */
function outsOf(name: string, keywords: ReadonlyMap<string, Py>): ReadonlyMap<string, TensorRef> | undefined {
  if (keywords.size === 0) return undefined
  for (const names of [outNames.get(name) ?? [], ['out']]) {
    const outs = new Map(
      names.flatMap((key) => {
        const out = keywords.get(key)
        return out instanceof TensorRef ? [[key, out] as const] : []
      }),
    )
    if (outs.size > 0 && outs.size === names.length) return outs
  }
  return undefined
}

/** Each result in the place of its `out`. */
function intoOuts(
  vm: Vm,
  outs: ReadonlyMap<string, TensorRef>,
  name: string,
  args: readonly Py[],
  keywords: ReadonlyMap<string, Py>,
): Py {
  const others = new Map([...keywords].filter(([key]) => !outs.has(key)))
  const result = callOperator(vm, name, args, others)
  const results = result instanceof PyTuple || result instanceof PyList ? result.items : [result]
  if (results.length !== outs.size || !results.every((r) => r instanceof TensorRef)) return result
  const placed = [...outs.values()].map((out, i) => intoOut(vm, out, name, results[i] as TensorRef)) // as many, and all tensors
  return outs.size === 1 ? (placed[0] ?? null) : new PyTuple(placed)
}

/** The result in the place of `out`, of its type; what does not have the size of the result takes it. */
function intoOut(vm: Vm, out: TensorRef, name: string, result: TensorRef): TensorRef {
  const value = emit.cast(vm.g, vm.read(result), out.dtype)
  // What a run has to tell is taken to fit a view, whose memory cannot grow.
  const isView = out.state.link !== undefined
  const fits = (d: Dim, i: number): boolean => vm.g.guards.decide(d, '==', value.shape[i] ?? 1) ?? isView
  if (out.shape.length === value.shape.length && out.shape.every(fits))
    vm.write(out, emit.expand(vm.g, value, out.shape))
  else if (isView) throw refuse(`aten::${name} whose out is a view of another size`)
  else {
    vm.touch(out)
    out.state = { ...out.state, value, version: out.state.version + 1 }
  }
  return out
}

/** In-place operators that change the shape of what they are called on. */
const reshaping = new Set(['unsqueeze', 'squeeze', 'transpose', 't', 'swapaxes', 'swapdims'])

/** Fits arguments to the first overload that takes them. */
function bind(vm: Vm, name: string, args: readonly Py[], keywords: ReadonlyMap<string, Py>): Call {
  const schemas = schemasOf(name)
  // Older and newer releases say where and how a tensor lies in overloads of their own; here it changes nothing.
  const whatever = new Map([...keywords].filter(([key]) => !placement.has(key)))
  for (const named of whatever.size < keywords.size ? [keywords, whatever] : [keywords]) {
    for (const schema of schemas) {
      const bound = fit(schema, args, named)
      if (bound) return new Call(vm, name, schema.overload, bound)
    }
  }
  if (schemas.length === 0) throw refuse(`aten::${name} is not supported`)
  throw refuse(`aten::${name} with these arguments is not supported`)
}

const placement = new Set(['layout', 'device', 'pin_memory', 'memory_format', 'non_blocking'])

function fit(schema: Schema, args: readonly Py[], keywords: ReadonlyMap<string, Py>): Map<string, Py> | undefined {
  const bound = new Map<string, Py>()
  let position = 0
  let named = 0
  for (const parameter of schema.parameters) {
    let value: Py | undefined
    if (!parameter.keywordOnly && position < args.length) value = args[position++]
    else {
      value = keywords.get(parameter.name)
      if (value !== undefined) named++
    }
    if (value === undefined) {
      if (parameter.default === undefined) return undefined
      bound.set(parameter.name, fromDefault(parameter.default))
    } else if (takes(parameter.type, value)) bound.set(parameter.name, value)
    else return undefined
  }
  return position === args.length && named === keywords.size ? bound : undefined
}

function fromDefault(value: Parameter['default']): Py {
  return Array.isArray(value) ? new PyList(value.map(fromDefault)) : ((value ?? null) as Py) // not a list, so a plain value
}

/** Whether a parameter of a type takes a value. */
function takes(type: string, v: Py): boolean {
  if (type.endsWith('?')) return v === null || takes(type.slice(0, -1), v)
  if (type.endsWith('[]')) {
    const item = type.slice(0, -2)
    if (v instanceof PyList || v instanceof PyTuple) return v.items.every((i) => takes(item, i))
    return item === 'i' || item === 'f' ? takes(item, v) && !(v instanceof TensorRef) : false
  }
  switch (type) {
    case 'T':
      return v instanceof TensorRef || v instanceof Unknown
    case 'n':
      return (
        isInt(v) || typeof v === 'number' || typeof v === 'boolean' || v instanceof SymFloat || v instanceof RunScalar
      )
    case 'i':
      return isInt(v) || typeof v === 'boolean' || (v instanceof TensorRef && v.shape.length === 0)
    case 'f':
      return (
        typeof v === 'number' || v instanceof SymFloat || (v instanceof RunScalar && v.kind === 'float') || isInt(v)
      )
    case 'b':
      return typeof v === 'boolean' || (v instanceof RunScalar && v.kind === 'bool')
    case 's':
      return typeof v === 'string'
    case 'd':
      return v instanceof PyDevice || typeof v === 'string'
    case 'g':
      return v === null
    default:
      return true
  }
}
