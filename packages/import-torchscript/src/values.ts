import { type Dim, type ElementType, refuse, Sym, type Value } from '@eas/onnx'
import type { ClassDef, FunctionDef } from './script/ast.ts'
import type { TensorRef } from './tensor-ref.ts'

/**
 * What a variable of TorchScript can hold while its code runs for the sake of lowering: everything Python knows is known,
 * except the contents of tensors and sizes that requests decide.
 */
export type Py =
  | null
  | boolean
  /** An int. */
  | bigint
  /** A float. */
  | number
  | string
  /** An int that sizes decide. */
  | Sym
  | SymFloat
  | RunScalar
  | TensorRef
  | PyTuple
  | PyList
  | PyDict
  | PyObject
  | PyDevice
  | PyFunction
  | PyClass
  | PyMethod
  | PyEnum
  | Unknown
  | Poison

let clock = 0
/** Order in which things come to be: what is older than a branch is what the branch may change for the rest. */
export const now = (): number => clock
export const tick = (): number => ++clock

export class PyTuple {
  readonly items: readonly Py[]
  /** Names of the items of a NamedTuple. */
  readonly names: readonly string[] | undefined
  constructor(items: readonly Py[], names?: readonly string[]) {
    this.items = items
    this.names = names
  }
}

/** What a list holds. */
export interface ListState {
  readonly items: Py[]
  /** Items behind those, which a loop puts there that only the data end. */
  readonly grown?: Growing | Grown
}

/** Within the loop: what the iteration looked at has put into the list. The loop must not read the list. */
export interface Growing {
  readonly appended: Py[]
}

/** After the loop. */
export interface Grown {
  /** Per item of an iteration, those of all iterations: a tensor with one more dimension at the front. */
  readonly slots: readonly { readonly kind: LeafKind; readonly value: Value }[]
  /** Iterations. */
  readonly count: Dim
}

/** What a value of the graph is to the code. */
export type LeafKind = 'tensor' | 'int' | 'float' | 'bool'

export class PyList {
  readonly born = tick()
  state: ListState
  /** Stands for one of two lists: what is put into it would have to show in that one. */
  frozen = false
  /** Whether a loop that fills it was seen to read it as well: then it has to be carried whole. */
  wasRead = false
  constructor(items: Py[]) {
    this.state = { items }
  }

  /** @throws {ImportRefusal} When only the data count them. */
  get items(): Py[] {
    const { items, grown } = this.state
    if (!grown) return items
    if ('appended' in grown) this.wasRead = true
    throw refuse('a list that grows in a loop whose length only the data tell is used in this way', '', listAdvice)
  }
  set items(items: Py[]) {
    this.state = { items }
  }
}

const listAdvice = 'Append one tensor of a fixed shape in each iteration, then stack or concatenate the list'

export class PyDict {
  readonly born = tick()
  /** By `keyOf` the key. */
  entries: Map<string, readonly [key: Py, value: Py]>
  constructor(entries = new Map<string, readonly [Py, Py]>()) {
    this.entries = entries
  }
}

export class PyObject {
  readonly born = tick()
  readonly type: string
  attributes: Map<string, Py>
  /** State that waits for `__setstate__`. */
  state: Py | undefined
  constructor(type: string, attributes = new Map<string, Py>()) {
    this.type = type
    this.attributes = attributes
  }
}

export class PyDevice {
  readonly type: string
  constructor(type: string) {
    this.type = type
  }
}

/** A function of the source, or a nested one with the variables around it. */
export class PyFunction {
  readonly definition: FunctionDef
  readonly variables: ReadonlyMap<string, Py> | undefined
  constructor(definition: FunctionDef, variables?: ReadonlyMap<string, Py>) {
    this.definition = definition
    this.variables = variables
  }
}

export class PyClass {
  readonly name: string
  readonly definition: ClassDef
  constructor(name: string, definition: ClassDef) {
    this.name = name
    this.definition = definition
  }
}

export class PyMethod {
  readonly self: Py
  readonly name: string
  constructor(self: Py, name: string) {
    this.self = self
    this.name = name
  }
}

export class PyEnum {
  readonly type: string
  readonly name: string
  readonly value: Py
  constructor(type: string, name: string, value: Py) {
    this.type = type
    this.name = name
    this.value = value
  }
}

/** A float that sizes decide: a size times a number, divided by another. */
export class SymFloat {
  readonly size: Sym
  readonly scale: number
  readonly divisor: number
  constructor(size: Sym, scale = 1, divisor = 1) {
    this.size = size
    this.scale = scale
    this.divisor = divisor
  }

  /** Its value for a size, rounded as Python rounds on the way. */
  at(size: number): number {
    return (size * this.scale) / this.divisor
  }
}

/** A float or bool that a run computes, as a tensor without dimensions. Counts as a Python number in promotion. */
export class RunScalar {
  readonly kind: 'float' | 'bool'
  readonly value: Value
  /** Of a comparison of a size with zero: what it comes to where there is something. */
  readonly ifAny: boolean | undefined
  constructor(kind: 'float' | 'bool', value: Value, ifAny?: boolean) {
    this.kind = kind
    this.value = value
    this.ifAny = ifAny
  }
}

/** What an operator that cannot be lowered would give: lets the rest be looked at, so that all reasons are found. */
export class Unknown {
  readonly unknown = true
}
export const unknown = new Unknown()

/** A variable whose two possible values do not go together, or has none yet; reading it is what is refused. */
export class Poison {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}
export const uninitialized = new Poison('a variable is read before it has a value')

export const isInt = (v: Py | undefined): v is bigint | Sym => typeof v === 'bigint' || v instanceof Sym

/** Key under which a dictionary keeps an entry. */
export function keyOf(key: Py): string | undefined {
  if (typeof key === 'string') return `s${key}`
  if (typeof key === 'bigint' || typeof key === 'boolean') return `i${BigInt(key)}`
  if (typeof key === 'number') return `f${key}`
  if (key instanceof PyEnum) return `e${key.type}.${key.name}`
  return undefined
}

/** Scalar types as `torch.dtype` numbers them. @see c10/core/ScalarType.h */
export const scalarTypes: readonly (ElementType | undefined)[] = [
  'uint8',
  'int8',
  'int16',
  'int32',
  'int64',
  'float16',
  'float32',
  'float64',
  undefined, // complex32
  'complex64',
  'complex128',
  'bool',
  'int8', // qint8
  'uint8', // quint8
  'int32', // qint32
  'bfloat16',
]
export const scalarTypeOf = (dtype: ElementType): number => scalarTypes.indexOf(dtype)
