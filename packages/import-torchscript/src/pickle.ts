import type { Buffer } from 'node:buffer'
import { refuse } from '@eas/onnx'
import { limits } from './limits.ts'
import { keyOf, type Py, PyDevice, PyDict, PyEnum, PyList, PyObject, PyTuple, Unknown } from './values.ts'

/**
 * The pickles of a TorchScript archive. Nothing is ever called: a global is one of a list, and each of those means a value.
 * @see https://github.com/pytorch/pytorch/blob/v2.4.0/torch/csrc/jit/serialization/pickler.h the opcodes torch writes
 */

/** Elements of tensors in one file. `folder` is the archive's for the pickle at hand. */
export interface Storage {
  readonly type: string
  readonly key: string
  readonly count: number
}

/** A tensor as the pickle describes it; sizes in elements. */
export interface PickledTensor {
  readonly storage: Storage
  readonly offset: number
  readonly shape: readonly number[]
  readonly stride: readonly number[]
  /** `(qscheme, …)` of a quantised tensor. */
  readonly quantizer?: readonly Py[]
}

export interface PickleHost {
  /** The value a tensor becomes. */
  tensor(t: PickledTensor): Py
}

class Mark {
  readonly mark = true
}
class Global {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}
class StorageItem {
  readonly storage: Storage
  constructor(storage: Storage) {
    this.storage = storage
  }
}
type Item = Py | Mark | Global | StorageItem

const bad = (facts: string) =>
  refuse(`a pickle of the archive is damaged: ${facts}`, '', 'Save the model again with torch.jit.save')

/** @throws {ImportRefusal} For opcodes and globals that torch.jit.save does not write, and past every bound. */
export function readPickle(bytes: Buffer, host: PickleHost): Py {
  return new Machine(bytes, host).run()
}

const mark = new Mark()

class Machine {
  private readonly bytes: Buffer
  private readonly host: PickleHost
  private pos = 0
  private readonly stack: Item[] = []
  private readonly memo = new Map<number, Item>()
  private made = 0

  constructor(bytes: Buffer, host: PickleHost) {
    this.bytes = bytes
    this.host = host
  }

  run(): Py {
    for (;;) {
      const op = this.byte()
      if (op === 0x2e) return this.value(this.pop()) // STOP
      const step = opcodes[op]
      if (!step) throw bad(`opcode 0x${op.toString(16)} at ${this.pos - 1} is not one torch writes`)
      step(this)
      if (++this.made > limits.pickleValues || this.stack.length > limits.pickleValues)
        throw refuse(`a pickle holds over ${limits.pickleValues} values`)
    }
  }

  take(size: number): number {
    const at = this.pos
    if (size > this.bytes.length - at) throw bad(`it is cut off at ${at}`)
    this.pos = at + size
    return at
  }
  byte(): number {
    return this.bytes.readUInt8(this.take(1))
  }
  uint16(): number {
    return this.bytes.readUInt16LE(this.take(2))
  }
  int32(): number {
    return this.bytes.readInt32LE(this.take(4))
  }
  uint32(): number {
    return this.bytes.readUInt32LE(this.take(4))
  }
  double(): number {
    return this.bytes.readDoubleBE(this.take(8))
  }
  long(size: number): bigint {
    if (size > 16) throw bad(`an int of ${size} bytes`)
    const at = this.take(size)
    let value = 0n
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[at + i] ?? 0)
    return BigInt.asIntN(size * 8, value)
  }
  text(size: number): string {
    const at = this.take(size)
    return this.bytes.toString('utf8', at, at + size)
  }
  line(): string {
    const end = this.bytes.indexOf(10, this.pos)
    if (end < 0) throw bad('a name does not end')
    const text = this.text(end - this.pos)
    this.pos = end + 1
    return text
  }

  push(item: Item): void {
    this.stack.push(item)
  }
  pop(): Item {
    const item = this.stack.pop()
    if (item === undefined || item instanceof Mark) throw bad('a value is missing')
    return item
  }
  top(): Item {
    const item = this.stack.at(-1)
    if (item === undefined) throw bad('a value is missing')
    return item
  }
  /** Values pushed since the last mark. */
  sinceMark(): Py[] {
    const at = this.stack.lastIndexOf(mark)
    if (at < 0) throw bad('a mark is missing')
    const items = this.stack.splice(at)
    return items.slice(1).map((item) => this.inner(item))
  }
  /** Values of a container; the parts of a storage's id and classes may stand in tuples. */
  private inner(item: Item): Py {
    if (item instanceof Global || item instanceof StorageItem) return hide(item)
    return this.value(item)
  }
  popInner(): Py {
    return this.inner(this.pop())
  }
  value(item: Item): Py {
    if (item instanceof Mark || item instanceof Global || item instanceof StorageItem)
      throw bad('a class stands where a value should')
    return item
  }
  remember(at: number): void {
    this.memo.set(at, this.top())
  }
  get memoSize(): number {
    return this.memo.size
  }
  recall(at: number): void {
    const item = this.memo.get(at)
    if (item === undefined) throw bad(`memo ${at} is empty`)
    this.push(item)
  }

  reduce(): void {
    const args = this.pop()
    const callee = this.pop()
    if (callee instanceof Global && callee.name.startsWith('__torch__.') && !(args instanceof PyTuple)) {
      // A member of an enum, by its value.
      this.push(new PyEnum(callee.name, '', this.value(args)))
      return
    }
    if (!(callee instanceof Global) || !(args instanceof PyTuple)) throw bad('something that is no class is called')
    this.push(this.call(callee.name, args.items))
  }

  private call(name: string, args: readonly Py[]): Item {
    const [first = null] = args
    const special = globals[name]
    if (special) return special(args, this.host)
    if (name.startsWith('__torch__.') && args.length === 1) return new PyEnum(name, '', first)
    throw refusedGlobal(name)
  }

  build(): void {
    const state = this.value(this.pop())
    const object = this.top()
    if (!(object instanceof PyObject)) throw bad('state without an object')
    if (!(state instanceof PyDict)) {
      object.state = state
      return
    }
    for (const [key, value] of state.entries.values()) {
      if (typeof key === 'string') object.attributes.set(key, value)
      else object.state = state
    }
  }

  persistent(): void {
    const id = this.pop()
    if (!(id instanceof PyTuple)) throw bad('a storage without an id')
    const [kind, type, key, , count] = id.items
    const global = type && hidden.get(type as object) // only hidden items are in there
    if (kind !== 'storage' || !(global instanceof Global) || typeof key !== 'string' || typeof count !== 'bigint')
      throw bad('a storage is not one')
    this.push(new StorageItem({ type: global.name, key, count: sizeOf(count) }))
  }

  fill(items: readonly Py[], dict: Item): void {
    if (!(dict instanceof PyDict) || items.length % 2 !== 0) throw bad('entries without a dictionary')
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i] ?? null
      const name = keyOf(key) ?? (key instanceof Object ? `o${dict.entries.size}` : undefined)
      if (name === undefined) throw bad('a key that is none')
      dict.entries.set(name, [key, items[i + 1] ?? null])
    }
  }

  append(items: readonly Py[]): void {
    const list = this.top()
    if (!(list instanceof PyList)) throw bad('items without a list')
    for (const item of items) list.items.push(item)
  }
}

/** Stand-ins for what is no value but is carried in a tuple: a class, a storage. */
const hidden = new WeakMap<object, Global | StorageItem>()
function hide(item: Global | StorageItem): Unknown {
  const standIn = new Unknown()
  hidden.set(standIn, item)
  return standIn
}

function sizeOf(value: bigint): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) throw bad(`a size of ${value}`)
  return Number(value)
}

function sizes(value: Py | undefined): number[] {
  if (!(value instanceof PyTuple) || value.items.length > 64) throw bad('a tensor without a shape')
  return value.items.map((d) => (typeof d === 'bigint' ? sizeOf(d) : sizeOf(-1n)))
}

const refusedGlobal = (name: string) =>
  refuse(
    `the pickle asks for ${name.slice(0, 200)}, which is no part of a TorchScript archive`,
    'data.pkl',
    'Export the model with torch.jit.trace or torch.jit.script and torch.jit.save',
  )

const firstOf = (args: readonly Py[]): Py => args[0] ?? null

function tensorOf(args: readonly Py[], quantizer: readonly Py[] | undefined, host: PickleHost): Py {
  const storage = args[0] instanceof Unknown ? hidden.get(args[0]) : undefined
  if (!(storage instanceof StorageItem) || typeof args[1] !== 'bigint') throw bad('a tensor without a storage')
  const tensor = { storage: storage.storage, offset: sizeOf(args[1]), shape: sizes(args[2]), stride: sizes(args[3]) }
  if (tensor.shape.length !== tensor.stride.length) throw bad('a tensor whose strides do not fit its shape')
  return host.tensor(quantizer ? { ...tensor, quantizer } : tensor)
}

/** The functions a pickle may name, and what they mean. */
const globals: Readonly<Record<string, (args: readonly Py[], host: PickleHost) => Item>> = {
  'torch._utils._rebuild_tensor_v2': (args, host) => tensorOf(args, undefined, host),
  'torch._utils._rebuild_qtensor': (args, host) => {
    const quantizer = args[4]
    if (!(quantizer instanceof PyTuple)) throw bad('a quantised tensor without parameters')
    const items = quantizer.items.map((item) => {
      const global = item instanceof Unknown ? hidden.get(item) : undefined
      return global instanceof Global ? global.name : item
    })
    return tensorOf(args, items, host)
  },
  'torch._utils._rebuild_parameter': firstOf,
  'torch._tensor._rebuild_from_type_v2': () => {
    throw refusedGlobal('torch._tensor._rebuild_from_type_v2')
  },
  'torch._utils._rebuild_sparse_tensor': () => {
    throw refuse('a sparse tensor among the weights', 'data.pkl', 'Make the tensor dense before exporting')
  },
  'collections.OrderedDict': () => new PyDict(),
  'torch.device': (args) => new PyDevice(`${args[0]}`),
  'builtins.complex': () => new Unknown(),
  'torch.jit._pickle.build_intlist': firstOf,
  'torch.jit._pickle.build_tensorlist': firstOf,
  'torch.jit._pickle.build_doublelist': firstOf,
  'torch.jit._pickle.build_boollist': firstOf,
  'torch.jit._pickle.restore_type_tag': firstOf,
}

/** Constants a pickle may name: classes of storages, and schemes of quantisation. */
const constants =
  /^(?:torch\.[A-Za-z0-9]+Storage|torch\.per_(?:tensor|channel)_(?:affine|symmetric)(?:_float_qparams)?)$/

function global(name: string): Item {
  if (Object.hasOwn(globals, name) || constants.test(name) || name.startsWith('__torch__.')) return new Global(name)
  throw refusedGlobal(name)
}

const ints = (m: Machine, value: number): void => m.push(BigInt(value))

/** What each opcode does. @see https://github.com/python/cpython/blob/3.12/Lib/pickletools.py */
const opcodes: Readonly<Record<number, (m: Machine) => void>> = {
  128: (m) => void m.byte(), // PROTO
  149: (m) => void m.take(8), // FRAME
  40: (m) => m.push(mark), // MARK
  78: (m) => m.push(null), // NONE
  136: (m) => m.push(true), // NEWTRUE
  137: (m) => m.push(false), // NEWFALSE
  74: (m) => ints(m, m.int32()), // BININT
  75: (m) => ints(m, m.byte()), // BININT1
  77: (m) => ints(m, m.uint16()), // BININT2
  138: (m) => m.push(m.long(m.byte())), // LONG1
  71: (m) => m.push(m.double()), // BINFLOAT
  88: (m) => m.push(m.text(m.uint32())), // BINUNICODE
  140: (m) => m.push(m.text(m.byte())), // SHORT_BINUNICODE
  93: (m) => m.push(new PyList([])), // EMPTY_LIST
  108: (m) => m.push(new PyList(m.sinceMark())), // LIST
  97: (m) => m.append([m.popInner()]), // APPEND
  101: (m) => m.append(m.sinceMark()), // APPENDS
  41: (m) => m.push(new PyTuple([])), // EMPTY_TUPLE
  116: (m) => m.push(new PyTuple(m.sinceMark())), // TUPLE
  133: (m) => m.push(new PyTuple([m.popInner()])), // TUPLE1
  134: (m) => m.push(new PyTuple([m.popInner(), m.popInner()].reverse())), // TUPLE2
  135: (m) => m.push(new PyTuple([m.popInner(), m.popInner(), m.popInner()].reverse())), // TUPLE3
  125: (m) => m.push(new PyDict()), // EMPTY_DICT
  100: (m) => {
    const dict = new PyDict()
    m.fill(m.sinceMark(), dict)
    m.push(dict)
  }, // DICT
  115: (m) => {
    const value = m.popInner()
    const key = m.popInner()
    m.fill([key, value], m.top())
  }, // SETITEM
  117: (m) => m.fill(m.sinceMark(), m.top()), // SETITEMS
  113: (m) => m.remember(m.byte()), // BINPUT
  114: (m) => m.remember(m.uint32()), // LONG_BINPUT
  148: (m) => m.remember(m.memoSize), // MEMOIZE
  104: (m) => m.recall(m.byte()), // BINGET
  106: (m) => m.recall(m.uint32()), // LONG_BINGET
  99: (m) => {
    const module = m.line()
    m.push(global(`${module}.${m.line()}`))
  }, // GLOBAL
  147: (m) => {
    const name = m.value(m.pop())
    m.push(global(`${m.value(m.pop())}.${name}`))
  }, // STACK_GLOBAL
  129: (m) => {
    const args = m.pop()
    const type = m.pop()
    if (!(type instanceof Global) || !type.name.startsWith('__torch__.') || !(args instanceof PyTuple))
      throw bad('an object without a class')
    m.push(new PyObject(type.name))
  }, // NEWOBJ
  82: (m) => m.reduce(), // REDUCE
  98: (m) => m.build(), // BUILD
  81: (m) => m.persistent(), // BINPERSID
}
