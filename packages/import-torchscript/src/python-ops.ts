import { dims, emit, isComplex, isFloat, refuse, Sym, scalar, vector } from '@eas/onnx'
import { sorted, textOf, toFloat, toInt, truthOf } from './builtins.ts'
import { limits } from './limits.ts'
import { nestedOps } from './nested.ts'
import { callOperator } from './operator.ts'
import {
  arithmetic,
  compareNumbers,
  fromDim,
  fromSize,
  isNumber,
  numberFunction,
  numberOf,
  pinned,
  scalarValue,
  toDim,
  toNumber,
  truth,
} from './scalars.ts'
import { stringOps } from './string-ops.ts'
import { TensorRef } from './tensor-ref.ts'
import {
  isInt,
  keyOf,
  Poison,
  type Py,
  PyDevice,
  PyDict,
  PyEnum,
  PyList,
  PyObject,
  PyTuple,
  RunScalar,
  SymFloat,
  scalarTypeOf,
} from './values.ts'
import { dataAdvice, Raised, sliceItems, type Vm } from './vm.ts'

/** Operators on Python values: they run while the model is lowered and emit nothing. `undefined`: not for these arguments. */
type PythonOp = (vm: Vm, args: readonly Py[], keywords: ReadonlyMap<string, Py>) => Py | undefined

const binary =
  (op: string): PythonOp =>
  (vm, [a = null, b = null]) =>
    arithmetic(vm, op, a, b) ?? (isNumber(a) && isNumber(b) ? ofRun(vm, op, a, b) : undefined)

const unary =
  (op: string): PythonOp =>
  (vm, [x = null]) =>
    numberFunction(vm, op, x) ?? (isNumber(x) ? ofRun(vm, op, x) : undefined)

/** A function of floats that only a run knows, by the operator of tensors that computes it. */
function ofRun(vm: Vm, op: string, ...numbers: readonly Py[]): Py {
  const tensors = numbers.map((x) => new TensorRef(emit.cast(vm.g, scalarValue(vm, x), 'float64')))
  const result = callOperator(vm, tensorNames[op] ?? op, tensors, new Map())
  return result instanceof TensorRef ? numberOf(vm, result) : result
}

const tensorNames: Readonly<Record<string, string>> = { degrees: 'rad2deg', radians: 'deg2rad' }

/** How many items of a list equal one. */
const countIn = (vm: Vm, [list, item = null]: readonly Py[]): Py | undefined =>
  list instanceof PyList
    ? equalities(vm, list.items, item).reduce<Py>((n, isEqual) => arithmetic(vm, 'add', n, toInt(vm, isEqual)) ?? n, 0n)
    : undefined

const listOf = (v: Py | undefined): PyList | undefined => (v instanceof PyList ? v : undefined)

function equal(vm: Vm, a: Py, b: Py): boolean | RunScalar | undefined {
  if (a instanceof TensorRef || b instanceof TensorRef) return undefined
  vm.spend(2)
  if (isNumber(a) && isNumber(b)) return compareNumbers(vm, a, '==', b)
  if ((a instanceof PyList && b instanceof PyList) || (a instanceof PyTuple && b instanceof PyTuple)) {
    if (a.items.length !== b.items.length) return false
    return combine(
      vm,
      'And',
      a.items.map((item, i) => equal(vm, item, b.items[i] ?? null) ?? item === b.items[i]),
    )
  }
  if (a instanceof PyDevice && b instanceof PyDevice) return a.type === b.type
  if (a instanceof PyEnum && b instanceof PyEnum) return a.type === b.type && a.value === b.value
  return a === b
}

/** Which items are equal to one. @throws {ImportRefusal} Where that compares the contents of tensors. */
const equalities = (vm: Vm, items: readonly Py[], item: Py): (boolean | RunScalar)[] =>
  items.map((i) => {
    const isEqual = equal(vm, i, item)
    if (isEqual === undefined) throw refuse('a list of tensors that is searched for one', vm.where, dataAdvice)
    return isEqual
  })

const not = (vm: Vm, v: boolean | RunScalar): boolean | RunScalar =>
  typeof v === 'boolean'
    ? !v
    : new RunScalar('bool', emit.not(vm.g, v.value), v.ifAny === undefined ? undefined : !v.ifAny)

const isOfData = (v: Py): boolean => v instanceof Sym && !dims.fromInputs(v)

/** Ints that only a run knows, as an operator on tensors computes them. */
const onTensors = (vm: Vm, name: string, a: Py, b: Py): Py =>
  toInt(vm, callOperator(vm, name, [new TensorRef(numberTensor(vm, a)), new TensorRef(numberTensor(vm, b))], new Map()))

function logical(op: 'And' | 'Or' | 'Xor'): PythonOp {
  return (vm, [a = null, b = null]) => {
    if (isInt(a) && isInt(b)) {
      if (isOfData(a) || isOfData(b)) return onTensors(vm, `bitwise_${op.toLowerCase()}`, a, b)
      const [x, y] = [BigInt(toNumber(vm, a)), BigInt(toNumber(vm, b))]
      return op === 'And' ? x & y : op === 'Or' ? x | y : x ^ y
    }
    if (!isBool(a) || !isBool(b)) return undefined
    if (typeof a === 'boolean' && typeof b === 'boolean') return op === 'And' ? a && b : op === 'Or' ? a || b : a !== b
    return new RunScalar('bool', emit.compare(vm.g, op, scalarValue(vm, a), scalarValue(vm, b)))
  }
}

const shift =
  (left: boolean): PythonOp =>
  (vm, [a = null, b = null]) => {
    if (!isInt(a) || !isInt(b)) return undefined
    if (isOfData(a) || isOfData(b)) return onTensors(vm, left ? '__lshift__' : '__rshift__', a, b)
    const [x, by] = [BigInt(toNumber(vm, a)), toNumber(vm, b)]
    if (by < 0 || by > 63) throw refuse(`a shift by ${by} bits`, vm.where)
    return left ? BigInt.asIntN(64, x << BigInt(by)) : x >> BigInt(by)
  }

const isBool = (v: Py): v is boolean | RunScalar =>
  typeof v === 'boolean' || (v instanceof RunScalar && v.kind === 'bool')

const comparison =
  (op: '<' | '<=', swap: boolean): PythonOp =>
  (vm, [a = null, b = null]) => {
    if (typeof a === 'string' && typeof b === 'string')
      return op === '<' ? (swap ? b < a : a < b) : swap ? b <= a : a <= b
    if (!isNumber(a) || !isNumber(b)) return undefined
    return swap ? compareNumbers(vm, b, op, a) : compareNumbers(vm, a, op, b)
  }

function extreme(op: 'max' | 'min'): PythonOp {
  return (vm, args) => {
    const items = args.length === 1 && args[0] instanceof PyList ? args[0].items : args
    if (items.length === 0 || !items.every(isNumber)) return undefined
    return items.reduce<Py | undefined>((a, b) => (a === undefined ? undefined : arithmetic(vm, op, a, b)), items[0])
  }
}

/** `any` and `all` of a list. */
function anyOf(all: boolean): PythonOp {
  return (vm, [list]) => {
    if (!(list instanceof PyList)) return undefined
    return combine(
      vm,
      all ? 'And' : 'Or',
      list.items.map((item) => truth(vm, item)),
    )
  }
}

/** Conditions joined; known ones settle it where they can. */
function combine(vm: Vm, op: 'And' | 'Or', conditions: readonly (boolean | RunScalar)[]): boolean | RunScalar {
  const settles = op === 'Or'
  if (conditions.includes(settles)) return settles
  const open = conditions.filter((c): c is RunScalar => c instanceof RunScalar)
  const [first, ...rest] = open
  if (!first) return !settles
  return rest.reduce((a, b) => new RunScalar('bool', emit.compare(vm.g, op, a.value, b.value)), first)
}

/** Where a list has an item first. */
function placeOf(vm: Vm, list: PyList, item: Py): number {
  const found = equalities(vm, list.items, item)
  const place = found.findIndex((isEqual) => isEqual !== false)
  if (place < 0) throw new Raised('ValueError: the list does not have the item')
  if (found[place] !== true) throw refuse('a place in a list that only a run knows', vm.where, dataAdvice)
  return place
}

/** `obj[key] = value`, of a list or dictionary. */
const setItem: PythonOp = (vm, [of, key = null, value = null]) => {
  if (of instanceof PyList) {
    const at = toNumber(vm, key)
    vm.touch(of)
    const index = at < 0 ? at + of.items.length : at
    if (index < 0 || index >= of.items.length) throw new Raised('IndexError: list assignment index out of range')
    of.items[index] = value
    return null
  }
  if (!(of instanceof PyDict)) return undefined
  vm.touch(of)
  of.entries.set(vm.keyOf(key), [key, value])
  return null
}

const changed =
  (change: (vm: Vm, list: PyList, args: readonly Py[]) => Py): PythonOp =>
  (vm, [of, ...args]) => {
    if (!(of instanceof PyList)) return undefined
    const [added] = args
    const most = of.items.length + (added instanceof PyList ? added.items.length : 1)
    if (most > limits.listItems) throw refuse(`a list of over ${limits.listItems} items`, vm.where)
    vm.touch(of)
    return change(vm, of, args)
  }

/** Of a float that only a run knows, as the operator of tensors tells it. */
const onFloat =
  (name: string, f: (x: number) => boolean): PythonOp =>
  (vm, [x]) => {
    if (typeof x === 'number') return f(x)
    if (isInt(x) || x instanceof SymFloat) return f(0)
    if (!(x instanceof RunScalar)) return undefined
    return numberOf(vm, callOperator(vm, name, [new TensorRef(x.value)], new Map()) as TensorRef) // it gives a tensor
  }

const onDict =
  (f: (dict: PyDict, args: readonly Py[], vm: Vm) => Py): PythonOp =>
  (vm, [dict, ...args]) =>
    dict instanceof PyDict ? f(dict, args, vm) : undefined

const strings = (items: readonly string[]): PyList => new PyList([...items])
const no: PythonOp = () => false
const none: PythonOp = () => null
const yes: PythonOp = () => true
const ofTensor =
  (f: (vm: Vm, t: TensorRef) => Py): PythonOp =>
  (vm, [t]) =>
    t instanceof TensorRef ? f(vm, t) : undefined

const shapeOf = (vm: Vm, t: TensorRef): PyList => new PyList(t.shape.map((d) => fromSize(vm, d)))

const getItem: PythonOp = (vm, [of = null, ...index]) => vm.index(of, index)

export const pythonOps: Readonly<Record<string, PythonOp>> = {
  add: (vm, [a = null, b = null]) => {
    if (typeof a === 'string' && typeof b === 'string')
      return a.length + b.length > limits.stringChars ? undefined : a + b
    if (a instanceof PyList && b instanceof PyList) return new PyList([...a.items, ...b.items])
    return arithmetic(vm, 'add', a, b)
  },
  add_: (vm, [a, b]) =>
    a instanceof PyList && b instanceof PyList ? pythonOps.extend?.(vm, [a, b], new Map()) === null && a : undefined,
  sub: binary('sub'),
  mul: (vm, [a = null, b = null]) => {
    const list = listOf(a) ?? listOf(b)
    const count = a instanceof PyList ? b : a
    if (!list || !isInt(count)) return arithmetic(vm, 'mul', a, b)
    const times = Math.max(0, toNumber(vm, count))
    if (times * list.items.length > limits.listItems) throw refuse(`a list of over ${limits.listItems} items`, vm.where)
    return new PyList(Array.from({ length: times }, () => list.items).flat())
  },
  div: binary('div'),
  truediv: binary('div'),
  floordiv: binary('floordiv'),
  floor_divide: binary('floordiv'),
  remainder: binary('remainder'),
  pow: binary('pow'),
  atan2: binary('atan2'),
  fmod: binary('fmod'),
  copysign: binary('copysign'),
  gcd: (vm, [a = null, b = null]) =>
    arithmetic(vm, 'gcd', a, b) ?? (isInt(a) && isInt(b) ? onTensors(vm, 'gcd', a, b) : undefined),
  'prim::max': extreme('max'),
  'prim::min': extreme('min'),
  max: extreme('max'),
  min: extreme('min'),
  'prim::abs': unary('abs'),
  ...Object.fromEntries(
    [
      'neg',
      'abs',
      'sqrt',
      'exp',
      'log',
      'log2',
      'log10',
      'log1p',
      'sin',
      'cos',
      'tan',
      'tanh',
      'atan',
      'asin',
      'acos',
      'sinh',
      'cosh',
      'asinh',
      'acosh',
      'atanh',
      'expm1',
      'fabs',
      'degrees',
      'radians',
      'floor',
      'ceil',
      'round',
      'trunc',
    ].map((op) => [op, unary(op)]),
  ),
  isnan: onFloat('isnan', Number.isNaN),
  isinf: onFloat('isinf', (x) => !Number.isNaN(x) && !Number.isFinite(x)),
  isfinite: onFloat('isfinite', Number.isFinite),
  eq: (vm, [a = null, b = null]) => equal(vm, a, b),
  ne: (vm, [a = null, b = null]) => {
    const result = equal(vm, a, b)
    return result === undefined ? undefined : not(vm, result)
  },
  lt: comparison('<', false),
  le: comparison('<=', false),
  gt: comparison('<', true),
  ge: comparison('<=', true),
  __and__: logical('And'),
  __or__: logical('Or'),
  __xor__: logical('Xor'),
  __lshift__: shift(true),
  __rshift__: shift(false),
  __not__: (vm, [v = null]) => not(vm, truth(vm, v)),
  __is__: (_, [a, b]) => (a === b ? true : a === null || b === null ? false : a === b),
  __isnot__: (_, [a, b]) => a !== b,
  __contains__: (vm, [of, item = null]) => {
    if (of instanceof PyDict && keyOf(item) !== undefined) return of.entries.has(keyOf(item) ?? '')
    const items = of instanceof PyDict ? [...of.entries.values()].map(([key]) => key) : listOf(of)?.items
    if (items) return combine(vm, 'Or', equalities(vm, items, item))
    return typeof of === 'string' ? of.includes(String(item)) : undefined
  },
  __getitem__: getItem,
  _set_item: setItem,
  __range_length: (vm, args) => {
    const [start = 0, end = 0, step = 1] = args.map((a) => toDim(vm, a))
    const by = pinned(vm, step)
    const length = by > 0 ? dims.ceilDiv(dims.sub(end, start), by) : dims.ceilDiv(dims.sub(start, end), -by)
    return fromDim(dims.max(length, 0))
  },
  __derive_index: (vm, args) => {
    const [index = 0, start = 0, step = 1] = args.map((a) => toDim(vm, a))
    return fromDim(dims.add(start, dims.mul(index, step)))
  },
  len: (vm, [v]) => {
    if (v instanceof PyList || v instanceof PyTuple) return BigInt(v.items.length)
    if (v instanceof PyDict) return BigInt(v.entries.size)
    if (typeof v === 'string') return BigInt(v.length)
    if (v instanceof PyObject) return BigInt(v.attributes.size)
    return v instanceof TensorRef ? fromSize(vm, v.shape[0] ?? 0) : undefined
  },

  append: changed((_, list, [item = null]) => {
    list.items.push(item)
    return list
  }),
  extend: changed((_, list, [items]) => {
    if (items instanceof PyList || items instanceof PyTuple) list.items = [...list.items, ...items.items]
    return null
  }),
  insert: changed((vm, list, [at, item = null]) => {
    list.items.splice(toNumber(vm, at), 0, item)
    return null
  }),
  pop: (vm, [of, key, fallback]) => {
    if (of instanceof PyDict) {
      const name = vm.keyOf(key ?? null)
      const entry = of.entries.get(name)
      if (!entry && fallback === undefined) throw new Raised(`KeyError: ${String(key)}`)
      if (!entry) return fallback
      vm.touch(of)
      of.entries.delete(name)
      return entry[1]
    }
    if (!(of instanceof PyList)) return undefined
    vm.touch(of)
    const [item] = of.items.splice(key === undefined ? -1 : toNumber(vm, key), 1)
    return item
  },
  clear: (vm, [of]) => {
    if (!(of instanceof PyList) && !(of instanceof PyDict)) return undefined
    vm.touch(of)
    if (of instanceof PyList) of.items = []
    else of.entries = new Map()
    return null
  },
  reverse: changed((_, list) => {
    list.items.reverse()
    return null
  }),
  sort: changed((vm, list, [descending]) => {
    const inOrder = sorted(vm, list) as PyList // a list was given and nothing in it is unknown, or it threw
    list.items = descending === true ? inOrder.items.reverse() : inOrder.items
    return null
  }),
  index: (vm, [list, item = null]) => {
    if (!(list instanceof PyList) || item instanceof PyList) return undefined
    return BigInt(placeOf(vm, list, item))
  },
  remove: changed((vm, list, [item = null]) => {
    list.items.splice(placeOf(vm, list, item), 1)
    return null
  }),
  copy: (_, [v]) =>
    v instanceof PyList ? new PyList([...v.items]) : v instanceof PyDict ? new PyDict(new Map(v.entries)) : undefined,
  list: (_, [v]) =>
    v instanceof PyList || v instanceof PyTuple
      ? new PyList([...v.items])
      : typeof v === 'string'
        ? strings([...v])
        : undefined,
  slice: (vm, [v, start, end, step]) => {
    if (!(v instanceof PyList) && typeof v !== 'string') return undefined
    const bound = (b: Py | undefined): number | undefined =>
      b === undefined || b === null ? undefined : toNumber(vm, b)
    if (typeof v === 'string') return sliceItems([...v], bound(start), bound(end), bound(step) ?? 1).join('')
    return new PyList(sliceItems(v.items, bound(start), bound(end), bound(step) ?? 1))
  },
  sum: (vm, [list], keywords) => {
    if (!(list instanceof PyList) || keywords.size > 0 || !list.items.every(isNumber)) return undefined
    return list.items.reduce<Py | undefined>((a, b) => (a === undefined ? undefined : arithmetic(vm, 'add', a, b)), 0n)
  },

  any: anyOf(false),
  all: anyOf(true),

  dict: (vm, [v]) => {
    const dict = new PyDict(v instanceof PyDict ? new Map(v.entries) : undefined)
    if (v instanceof PyList) {
      for (const item of v.items)
        if (item instanceof PyTuple)
          dict.entries.set(vm.keyOf(item.items[0] ?? null), [item.items[0] ?? null, item.items[1] ?? null])
    }
    return dict
  },
  keys: onDict((d) => new PyList([...d.entries.values()].map(([key]) => key))),
  values: onDict((d) => new PyList([...d.entries.values()].map(([, value]) => value))),
  items: onDict((d) => new PyList([...d.entries.values()].map((entry) => new PyTuple(entry)))),
  get: onDict((d, [key = null, fallback = null], vm) => {
    const entry = d.entries.get(vm.keyOf(key))
    return entry ? entry[1] : fallback
  }),
  setdefault: onDict((d, [key = null, fallback = null], vm) => {
    const name = vm.keyOf(key)
    const known = d.entries.get(name)
    if (known) return known[1]
    vm.touch(d)
    d.entries.set(name, [key, fallback])
    return fallback
  }),
  update: onDict((d, [other], vm) => {
    vm.touch(d)
    if (other instanceof PyDict) for (const [name, entry] of other.entries) d.entries.set(name, entry)
    return null
  }),
  Delete: (vm, [of, key = null]) => {
    if (of instanceof PyDict) {
      vm.touch(of)
      of.entries.delete(vm.keyOf(key))
      return null
    }
    return pythonOps.pop?.(vm, [of ?? null, key], new Map()) === undefined ? undefined : null
  },

  format: (vm, [text, ...args]) => filledIn(vm, /\{[^{}]*\}/g, text, args),
  percentFormat: (vm, [text, ...args]) =>
    filledIn(vm, /%[sdif]/g, text, args[0] instanceof PyTuple ? args[0].items : args),
  str: (vm, [v = null]) => textOf(vm, v),
  ...stringOps,
  /** Of a text or a list. */
  count: (vm, args, keywords) => stringOps.count?.(vm, args, keywords) ?? countIn(vm, args),

  /** Forked functions ran at once. */
  wait: (_, [v]) => v,
  awaitable_wait: (_, [v]) => v,
  'prim::unchecked_cast': (_, [v]) => v,
  _unwrap_optional: (_, [v]) => {
    if (v === null) throw new Raised('AssertionError: Unwrapping null optional')
    return v
  },
  'prim::data': (_, [v]) => v,
  'prim::rpc_async': () => {
    throw refuse('a remote call', '', 'Export the model without torch.distributed')
  },
  'prim::dtype': ofTensor((_, t) => BigInt(scalarTypeOf(t.dtype))),
  'prim::device': (_, [t]) => (t instanceof TensorRef ? new PyDevice('cpu') : undefined),
  'prim::type': (_, [d]) => (d instanceof PyDevice ? d.type : undefined),
  'prim::layout': () => 0n,
  'prim::is_cuda': no,
  'prim::is_cpu': yes,
  ...nestedOps,
  'prim::is_sparse': no,
  'prim::is_sparse_csr': no,
  'prim::is_quantized': ofTensor((_, t) => t.state.value.quant !== undefined),
  'prim::is_mkldnn': no,
  'prim::is_meta': no,
  'prim::is_mps': no,
  'prim::is_xla': no,
  'prim::is_xpu': no,
  'prim::is_vulkan': no,
  'prim::is_ipu': no,
  'prim::is_maia': no,
  'prim::requires_grad': no,
  'prim::grad': none,
  'prim::name': none,
  'prim::index': none,
  'prim::shape': ofTensor(shapeOf),
  'prim::itemsize': ofTensor(() => 4n),
  'prim::id': () => 0n,
  requires_grad_: (_, [t]) => t,
  requires_grad: no,
  is_leaf: yes,
  is_grad_enabled: no,
  is_inference_mode_enabled: yes,
  set_grad_enabled: none,
  is_autocast_enabled: no,
  is_autocast_cpu_enabled: no,
  'prim::is_autocast_enabled': no,
  get_autocast_dtype: () => 6n,
  manual_seed: none,
  has_torch_function: no,
  _has_torch_function: no,
  is_scripting: yes,
  is_tracing: no,
  is_tracing_state: no,
  'cuda::is_available': no,
  device: (_, [d]) => (typeof d === 'string' ? new PyDevice(d) : d instanceof PyDevice ? d : undefined),
  get_device: () => -1n,
  is_contiguous: ofTensor((_, t) => t.dense),
  is_floating_point: ofTensor((_, t) => isFloat(t.dtype)),
  is_complex: ofTensor((_, t) => isComplex(t.dtype)),
  is_signed: ofTensor((_, t) => !t.dtype.startsWith('u') && t.dtype !== 'bool'),
  is_nonzero: ofTensor((vm, t) => truth(vm, numberOf(vm, t))),
  is_same_size: (vm, [a, b]) =>
    a instanceof TensorRef && b instanceof TensorRef
      ? a.shape.length === b.shape.length &&
        a.shape.every((d, i) => vm.g.guards.decide(d, '==', b.shape[i] ?? 0) === true)
      : undefined,

  dim: ofTensor((_, t) => BigInt(t.shape.length)),
  ndimension: ofTensor((_, t) => BigInt(t.shape.length)),
  numel: ofTensor((vm, t) => fromSize(vm, dims.product(t.shape))),
  size: (vm, [t, at], keywords) => {
    if (!(t instanceof TensorRef)) return undefined
    const axis = at ?? keywords.get('dim')
    if (axis === undefined || axis === null) return shapeOf(vm, t)
    return fromSize(vm, t.shape[emit.axisOf(toNumber(vm, axis), t.shape.length)] ?? 1)
  },
  sym_size: (vm, args, keywords) => pythonOps.size?.(vm, args, keywords),
  stride: (vm, [t, at]) => {
    if (!(t instanceof TensorRef)) return undefined
    if (!t.dense) throw refuse('strides of a view', vm.where, 'Ask for the sizes, or make the tensor contiguous first')
    const strides = t.shape.map((_, i) => dims.product(t.shape.slice(i + 1)))
    return at === undefined
      ? new PyList(strides.map(fromDim))
      : fromDim(strides[emit.axisOf(toNumber(vm, at), strides.length)] ?? 1)
  },
  storage_offset: () => 0n,
  item: ofTensor(numberOf),
  Int: (vm, [v = null]) => toInt(vm, v),
  IntImplicit: (vm, [v = null]) => toInt(vm, v),
  Float: (vm, [v = null]) => toFloat(vm, v),
  FloatImplicit: (vm, [v = null]) => toFloat(vm, v),
  Bool: (vm, [v = null]) => truthOf(vm, v),
  ScalarImplicit: ofTensor(numberOf),
  'prim::NumToTensor': (vm, [v = null]) =>
    isNumber(v) ? new TensorRef(numberTensor(vm, v)) : v instanceof TensorRef ? v : undefined,
  _shape_as_tensor: ofTensor((_, t) => new TensorRef(vector(t.shape))),
}

/** A Python number as torch makes a tensor of it: int64, float32, bool. */
export function numberTensor(vm: Vm, v: Py) {
  if (typeof v === 'number') return scalar('float32', v)
  const value = scalarValue(vm, v)
  return value.dtype === 'float64' ? emit.cast(vm.g, value, 'float32') : value
}

/** A text with values in its places. */
function filledIn(vm: Vm, places: RegExp, text: Py | undefined, args: readonly Py[]): Py | undefined {
  if (typeof text !== 'string') return undefined
  const texts = args.map((a) => textOf(vm, a, limits.stringChars / args.length))
  let next = 0
  return texts.find((t) => t instanceof Poison) ?? text.replace(places, () => String(texts[next++] ?? 'None'))
}
