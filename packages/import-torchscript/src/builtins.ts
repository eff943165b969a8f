import { dims, refuse, Sym } from '@eas/onnx'
import { limits } from './limits.ts'
import { callOperator } from './operator.ts'
import { typeText } from './program.ts'
import { elementsOf, floatOf, fromDim, intOf, isNumber, numberOf, toDim, toNumber, toWhole, truth } from './scalars.ts'
import type { Expr } from './script/ast.ts'
import { TensorRef } from './tensor-ref.ts'
import {
  isInt,
  Poison,
  type Py,
  PyClass,
  PyDevice,
  PyDict,
  PyEnum,
  PyFunction,
  PyList,
  PyMethod,
  PyObject,
  PyTuple,
  RunScalar,
  SymFloat,
  Unknown,
  uninitialized,
  unknown,
} from './values.ts'
import type { Frame, Vm } from './vm.ts'

/** Functions that the printed source calls by their bare names, and methods and attributes of what is no object. */

type CallExpr = Extract<Expr, { kind: 'call' }>

const builtins: Readonly<Record<string, (vm: Vm, e: CallExpr, frame: Frame) => Py>> = {
  annotate: (vm, e, frame) => converted(vm, typeText(e.args[0]), argument(vm, e, 1, frame)),
  unchecked_cast: (vm, e, frame) => argument(vm, e, 1, frame),
  uninitialized: () => uninitialized,
  isinstance: (vm, e, frame) => isInstance(vm, argument(vm, e, 0, frame), e.args[1]),
  int: (vm, e, frame) => toInt(vm, argument(vm, e, 0, frame)),
  float: (vm, e, frame) => toFloat(vm, argument(vm, e, 0, frame)),
  bool: (vm, e, frame) => truthOf(vm, argument(vm, e, 0, frame)),
  str: (vm, e, frame) => textOf(vm, argument(vm, e, 0, frame)),
  getattr: (vm, e, frame) => vm.getAttribute(argument(vm, e, 0, frame), String(argument(vm, e, 1, frame))),
  range: (vm, e, frame) =>
    range(
      vm,
      e.args.map((a) => vm.evaluate(a, frame)),
    ),
  print: () => null,
  sorted: (vm, e, frame) => sorted(vm, argument(vm, e, 0, frame)),
  fork: (vm, e, frame) => {
    const [target = null, ...args] = e.args.map((a) => vm.evaluate(a, frame))
    return vm.callValue(target, args, new Map(e.keywords.map(([name, value]) => [name, vm.evaluate(value, frame)])))
  },
  awaitable: (vm, e, frame) => {
    const [target = null, ...args] = e.args.map((a) => vm.evaluate(a, frame))
    return vm.callValue(target, args)
  },
  wait: (vm, e, frame) => argument(vm, e, 0, frame),
  len: (vm, e, frame) => callOperator(vm, 'len', [argument(vm, e, 0, frame)], new Map()),
}

export const isBuiltin = (name: string): boolean => Object.hasOwn(builtins, name)

export function callBuiltin(vm: Vm, e: CallExpr, name: string, frame: Frame): Py {
  return vm.attempt(() => (builtins[name] as (typeof builtins)[string])(vm, e, frame)) // isBuiltin was asked
}

function argument(vm: Vm, e: CallExpr, at: number, frame: Frame): Py {
  const expr = e.args[at]
  if (!expr) throw refuse('an argument is missing', vm.where)
  return vm.evaluate(expr, frame)
}

/** `annotate(int, tensor)` converts; every other annotation only names what the value already is. */
function converted(vm: Vm, type: string, value: Py): Py {
  if (value instanceof TensorRef) {
    if (type === 'int') return intOf(vm, value)
    if (type === 'float') return floatOf(vm, value)
    if (type === 'number' || type === 'bool') return numberOf(vm, value)
  }
  if (type === 'float' && typeof value === 'bigint') return Number(value)
  return value
}

export function toInt(vm: Vm, v: Py): Py {
  if (v instanceof Unknown) return unknown
  if (v instanceof TensorRef) return intOf(vm, v)
  if (typeof v === 'string') return BigInt(v)
  if (v instanceof RunScalar && v.kind === 'bool') return fromDim(vm.g.scalarDim(v.value, 0, 1))
  return toWhole(vm, v, 'trunc')
}

export function toFloat(vm: Vm, v: Py): Py {
  if (v instanceof Unknown) return unknown
  if (v instanceof TensorRef) return floatOf(vm, v)
  if (v instanceof Sym) return new SymFloat(v)
  if (typeof v === 'string')
    return v === 'inf' ? Number.POSITIVE_INFINITY : v === '-inf' ? Number.NEGATIVE_INFINITY : Number(v)
  return typeof v === 'bigint' || typeof v === 'boolean' ? Number(v) : v
}

export function truthOf(vm: Vm, v: Py): Py {
  return v instanceof Unknown ? unknown : truth(vm, v)
}

function range(vm: Vm, args: readonly Py[]): Py {
  if (args.some((a) => a instanceof Unknown)) return unknown
  if (args.length === 1) return fromDim(toDim(vm, args[0]))
  const [start = 0, end = 0, step = 1] = args.map((a) => toNumber(vm, a))
  if (step === 0) throw refuse('a range in steps of 0', vm.where)
  const count = Math.max(0, Math.ceil((end - start) / step))
  if (count > limits.listItems) throw refuse(`a range of ${count} numbers`, vm.where)
  vm.spend(count)
  return new PyList(Array.from({ length: count }, (_, i) => BigInt(start + i * step)))
}

export function sorted(vm: Vm, v: Py): Py {
  if (v instanceof Unknown) return unknown
  if (!(v instanceof PyList)) throw refuse('sorting something that is no list', vm.where)
  if (v.items.every((i) => typeof i === 'bigint' || typeof i === 'number' || typeof i === 'string'))
    return new PyList([...v.items].sort((a, b) => ((a as number) < (b as number) ? -1 : a === b ? 0 : 1))) // just seen to be comparable
  if (!v.items.every(isNumber)) throw refuse('sorting what only a run knows', vm.where)
  const numbers = callOperator(vm, 'tensor', [v], new Map())
  const inOrder = callOperator(vm, 'sort', [numbers], new Map())
  const values = inOrder instanceof PyTuple ? inOrder.items[0] : undefined
  return values instanceof TensorRef ? toList(vm, values) : unknown
}

/** Whether a value is of a type; the types of list items are those the source was compiled with. */
function isInstance(vm: Vm, v: Py, type: Expr | undefined): Py {
  if (v instanceof Unknown) return unknown
  if (type?.kind === 'tuple' || type?.kind === 'list') return type.items.some((t) => isInstance(vm, v, t) === true)
  const text = typeText(type)
  const [, outer = text, inner = ''] = /^([\w.]+)\[(.*)\]$/.exec(text) ?? []
  switch (outer) {
    case 'Tensor':
      return v instanceof TensorRef
    case 'int':
      return isInt(v)
    case 'float':
      return typeof v === 'number' || v instanceof SymFloat || (v instanceof RunScalar && v.kind === 'float')
    case 'number':
      return isNumber(v)
    case 'bool':
      return typeof v === 'boolean' || (v instanceof RunScalar && v.kind === 'bool')
    case 'str':
      return typeof v === 'string'
    case 'NoneType':
    case 'None':
      return v === null
    case 'Device':
      return v instanceof PyDevice
    case 'Any':
      return true
    case 'Optional':
      return v === null || isInstance(vm, v, type?.kind === 'index' ? type.index[0] : undefined)
    case 'Union':
      return type?.kind === 'index' && type.index.some((t) => isInstance(vm, v, t) === true)
    case 'List':
    case 'list':
      if (!(v instanceof PyList)) return false
      return inner === '' || type?.kind !== 'index' || v.items.every((i) => isInstance(vm, i, type.index[0]) === true)
    case 'Tuple':
    case 'tuple':
      if (!(v instanceof PyTuple)) return false
      return (
        type?.kind !== 'index' ||
        (v.items.length === type.index.length && v.items.every((i, at) => isInstance(vm, i, type.index[at]) === true))
      )
    case 'Dict':
    case 'dict':
      return v instanceof PyDict
    default:
      return (v instanceof PyObject && v.type === outer) || (v instanceof PyEnum && v.type === outer)
  }
}

/** Text of a value as code goes on with it, as a key for one: sizes are pinned, and what only a run knows has none. */
export function textOf(vm: Vm, v: Py, longest?: number): string | Poison {
  let isOpen = false
  const text = display(v, longest, (item) => {
    if (item instanceof Sym && dims.fromInputs(item)) return String(toNumber(vm, item))
    if (item instanceof SymFloat && dims.fromInputs(item.size)) return display(item.at(toNumber(vm, item.size)))
    isOpen = true
    return '?'
  })
  return isOpen ? new Poison('a text made of values that only a run knows') : text
}

/**
 * Text of a value, as `str` and `format` give it. Cut at `longest`.
 * @param open What to say of numbers and tensors that are not known. Default: something for messages.
 */
export function display(
  v: Py,
  longest: number = limits.stringChars,
  open: (v: Sym | SymFloat | RunScalar | TensorRef) => string = (item) => (item instanceof Sym ? String(item) : '?'),
): string {
  if (v === null) return 'None'
  if (typeof v === 'boolean') return v ? 'True' : 'False'
  if (typeof v === 'number') return Number.isInteger(v) ? v.toFixed(1) : String(v)
  if (v instanceof PyDevice) return v.type
  if (v instanceof PyList) return `[${displayAll(v.state.items, longest, open)}]`
  if (v instanceof PyTuple) return `(${displayAll(v.items, longest, open)})`
  if (v instanceof Sym || v instanceof SymFloat || v instanceof RunScalar || v instanceof TensorRef) return open(v)
  if (v instanceof PyObject) return v.type
  return typeof v === 'string' || typeof v === 'bigint' ? String(v).slice(0, longest) : '?'
}

function displayAll(items: readonly Py[], longest: number, open: Parameters<typeof display>[2]): string {
  const texts: string[] = []
  let left = longest
  for (const item of items) {
    if (left <= 2) break
    const text = display(item, left, open)
    texts.push(text)
    left -= text.length + 2
  }
  return texts.join(', ')
}

export function getAttributeOf(vm: Vm, of: Py, name: string): Py {
  if (of instanceof PyTuple) {
    const value = of.items[of.names?.indexOf(name) ?? -1]
    if (value !== undefined) return value
  }
  if (of instanceof PyEnum) {
    if (name === 'value') return of.value
    if (name === 'name') return of.name || enumName(vm, of)
  }
  if (of instanceof PyClass && of.definition.base === 'Enum') {
    for (const field of of.definition.fields) {
      if (field.kind === 'assign' && field.targets.some((t) => t.kind === 'name' && t.name === name)) {
        return new PyEnum(of.name, name, vm.evaluateConstant(field.value, of.definition))
      }
    }
  }
  if (of instanceof PyDevice && name === 'type') return of.type
  if (of instanceof PyDevice && name === 'index') return null
  if (of instanceof TensorRef) return callOperator(vm, tensorAttributes[name] ?? name, [of], new Map())
  if (of instanceof PyList || of instanceof PyDict || typeof of === 'string') return new PyMethod(of, name)
  throw refuse(`an attribute ${name} of something that has none`, vm.where)
}

const tensorAttributes: Readonly<Record<string, string>> = {
  shape: 'size',
  dtype: 'prim::dtype',
  device: 'prim::device',
  T: 'numpy_T',
  mT: 'mT',
}

function enumName(vm: Vm, e: PyEnum): string {
  const definition = vm.program.class(e.type)
  for (const field of definition?.fields ?? []) {
    const target = field.kind === 'assign' ? field.targets[0] : undefined
    if (
      field.kind === 'assign' &&
      target?.kind === 'name' &&
      vm.evaluateConstant(field.value, definition as NonNullable<typeof definition>) === e.value
    )
      return target.name // it has fields, so it is there
  }
  return ''
}

/** Methods are operators whose first argument is the object; a few are not. */
export function callMethodOf(
  vm: Vm,
  self: Py,
  name: string,
  args: readonly Py[],
  keywords: ReadonlyMap<string, Py>,
): Py {
  if (self instanceof PyClass) {
    const method = self.definition.methods.get(name)
    if (method) return vm.call(method, args, keywords)
  }
  if (self instanceof PyFunction && name === 'forward') return vm.callValue(self, args, keywords)
  if (self instanceof TensorRef && name === 'tolist') return vm.attempt(() => toList(vm, self))
  return callOperator(vm, name, [self, ...args], keywords)
}

function toList(vm: Vm, t: TensorRef): Py {
  const x = vm.read(t)
  const elements = elementsOf(vm, x)
  if (x.shape.length === 0) return numberOf(vm, t)
  if (x.shape.length !== 1) throw refuse('tolist of a tensor of several dimensions', vm.where)
  const count = toNumber(vm, fromDim(x.shape[0] ?? 0))
  const items = Array.from({ length: count }, (_, i): Py => {
    const known = elements?.[i]
    if (known !== undefined && x.dtype === 'int64') return fromDim(known)
    return numberOf(vm, callOperator(vm, 'select', [t, 0n, BigInt(i)], new Map()) as TensorRef) // select gives a tensor
  })
  return new PyList(items)
}
