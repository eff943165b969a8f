import { type Dim, type ElementType, emit, type GraphBuilder, refuse, type Value } from '@eas/onnx'
import type { Operand } from './promote.ts'
import { numberTensor } from './python-ops.ts'
import { elementsOf, isNumber, pinned, scalarValue, toDim, toNumber, truth } from './scalars.ts'
import { TensorRef, type ViewLink } from './tensor-ref.ts'
import { type Py, PyDict, PyList, PyTuple, RunScalar, SymFloat, scalarTypes } from './values.ts'
import { dataAdvice, type Vm } from './vm.ts'

/** What a lowering gives: values become tensors, arrays lists, `tuple` tuples, and the rest is a Python value already. */
export type Result = Py | Value | readonly Result[]

/** Lowers one operator: reads its arguments, emits nodes, gives its result. */
export type Lower = (c: Call) => Result

/** Operators by name, as code calls them without `aten::`. */
export type OpTable = Readonly<Record<string, Lower>>

/** An operator being lowered: its arguments by their names in the schema. */
export class Call {
  readonly vm: Vm
  readonly g: GraphBuilder
  readonly name: string
  /** Overload of the schema that fits. */
  readonly overload: string
  private readonly args: ReadonlyMap<string, Py>

  constructor(vm: Vm, name: string, overload: string, args: ReadonlyMap<string, Py>) {
    this.vm = vm
    this.g = vm.g
    this.name = name
    this.overload = overload
    this.args = args
  }

  /** The same call with other arguments. */
  mapped(change: (v: Py, name: string) => Py): Call {
    const inside = (v: Py, name: string): Py =>
      v instanceof PyList ? new PyList(v.items.map((item) => inside(item, name))) : change(v, name)
    const args = new Map([...this.args].map(([name, v]) => [name, inside(v, name)]))
    return new Call(this.vm, this.name, this.overload, args)
  }

  /** Whether the schema has the argument. */
  has(name: string): boolean {
    return this.args.has(name)
  }

  /** The argument as it is; null when it is None, or the schema has none of that name. */
  py(name: string): Py {
    return this.args.get(name) ?? null
  }

  ref(name: string): TensorRef {
    const v = this.py(name)
    if (v instanceof TensorRef) return v
    throw refuse(`${name} of ${this.name} is no tensor`)
  }

  /** Contents of a tensor argument; a number becomes a tensor without dimensions. */
  tensor(name: string): Value {
    const value = this.optionalTensor(name)
    if (!value) throw refuse(`${this.name} without ${name}`)
    return value
  }

  optionalTensor(name: string): Value | undefined {
    const v = this.py(name)
    if (v === null) return undefined
    return v instanceof TensorRef ? this.vm.read(v) : numberTensor(this.vm, v)
  }

  tensors(name: string): Value[] {
    return this.items(name).map((v) => {
      if (v instanceof TensorRef) return this.vm.read(v)
      throw refuse(`${name} of ${this.name} holds something that is no tensor`)
    })
  }

  items(name: string): readonly Py[] {
    const v = this.py(name)
    if (v instanceof PyList || v instanceof PyTuple) return v.items
    if (v instanceof PyDict) return [...v.entries.values()].map(([, value]) => value)
    return v === null ? [] : [v]
  }

  /** A tensor or Python number, with which of the two it is. */
  operand(name: string): Operand {
    const v = this.py(name)
    return v instanceof TensorRef
      ? { value: this.vm.read(v), isNumber: this.vm.numbers.has(v) }
      : { value: scalarValue(this.vm, v), isNumber: true }
  }

  /** An int that has to be known; pinned by a guard where sizes decide it. */
  int(name: string): number {
    return toNumber(this.vm, this.py(name))
  }
  optionalInt(name: string): number | undefined {
    return this.py(name) === null ? undefined : this.int(name)
  }
  /** An int that may be a size. */
  dim(name: string): Dim {
    return toDim(this.vm, this.py(name))
  }
  optionalDim(name: string): Dim | undefined {
    return this.py(name) === null ? undefined : this.dim(name)
  }
  dims(name: string): Dim[] {
    return this.items(name).map((v) => toDim(this.vm, v))
  }
  ints(name: string): number[] {
    return this.items(name).map((v) => toNumber(this.vm, v))
  }
  /** `count` ints; one stands for all. */
  intsOf(name: string, count: number): number[] {
    const given = this.ints(name)
    return given.length === 1 ? new Array<number>(count).fill(given[0] ?? 0) : given
  }

  /** A float that has to be known. */
  float(name: string): number {
    const v = this.optionalFloat(name)
    if (v === undefined) throw refuse(`${this.name} without ${name}`)
    return v
  }
  optionalFloat(name: string): number | undefined {
    return floatOf(this.vm, this.py(name))
  }
  floats(name: string): number[] {
    return this.items(name).map((v) => floatOf(this.vm, v) ?? 0)
  }

  bool(name: string): boolean {
    const v = truth(this.vm, this.py(name))
    if (typeof v === 'boolean') return v
    throw refuse(`${name} of ${this.name} depends on the values of tensors`, '', dataAdvice)
  }
  string(name: string): string {
    const v = this.py(name)
    if (typeof v === 'string') return v
    throw refuse(`${name} of ${this.name} is no string`)
  }
  optionalString(name: string): string | undefined {
    return this.py(name) === null ? undefined : this.string(name)
  }

  /** An element type argument. */
  dtype(name: string): ElementType | undefined {
    const code = this.optionalInt(name)
    if (code === undefined) return undefined
    const dtype = scalarTypes[code]
    if (!dtype) throw refuse(`element type ${code} in ${this.name}`)
    return dtype
  }

  /** An axis counted from the front. */
  axis(name: string, rank: number): number {
    return emit.axisOf(this.int(name), rank)
  }

  /** Axes counted from the front, in order; all of them when none is given. */
  axes(name: string, rank: number): number[] {
    const given = this.py(name) === null ? [] : this.ints(name)
    if (given.length === 0) return Array.from({ length: rank }, (_, i) => i)
    return rank === 0 ? [] : given.map((a) => emit.axisOf(a, rank)).sort((a, b) => a - b)
  }

  /** The size as a number, pinned by a guard where requests decide it. */
  fixed(d: Dim): number {
    return pinned(this.vm, d)
  }

  warn(text: string): void {
    this.g.warnings.add(text)
  }

  /** A view of `self`: `replay` takes it from new contents, `scatter` puts what is written to it back. */
  view(value: Value, replay: ViewLink['replay'], scatter?: ViewLink['scatter'], dense = false): TensorRef {
    const base = this.ref('self')
    return new TensorRef(value, { link: { base, replay, scatter }, dense: dense && base.dense })
  }
}

function floatOf(vm: Vm, v: Py): number | undefined {
  if (v === null) return undefined
  if (typeof v === 'number') return v
  if (typeof v === 'bigint' || typeof v === 'boolean') return Number(v)
  if (v instanceof SymFloat) return v.at(pinned(vm, v.size))
  if (v instanceof RunScalar || !(isNumber(v) || v instanceof TensorRef))
    throw refuse('a number that has to be known depends on the values of tensors', vm.where, dataAdvice)
  if (!(v instanceof TensorRef)) return toNumber(vm, v)
  const [known] = elementsOf(vm, vm.read(v)) ?? []
  return known === undefined ? toNumber(vm, v) : pinned(vm, known)
}

/** Several results. */
export const tuple = (vm: Vm, ...items: readonly Result[]): PyTuple => new PyTuple(items.map((item) => toPy(vm, item)))

/** A result as code sees it. */
export function toPy(vm: Vm, result: Result): Py {
  if (Array.isArray(result)) return new PyList(result.map((item) => toPy(vm, item)))
  if (isValue(result)) return new TensorRef(result)
  return result as Py // what is no list and no value
}

const isValue = (r: Result): r is Value =>
  typeof r === 'object' && r !== null && 'dtype' in r && !(r instanceof TensorRef)
