import { dims, type GraphBuilder, ImportRefusal, type RefusalReason, refuse, Sym, scalar, type Value } from '@eas/onnx'
import type { Archive } from './archive.ts'
import { callBuiltin, callMethodOf, display, getAttributeOf, isBuiltin } from './builtins.ts'
import { Facts } from './facts.ts'
import { itemAt } from './grown-list.ts'
import { Journal, type Mutable } from './journal.ts'
import { limits } from './limits.ts'
import { complexOf } from './lower/complex-pair.ts'
import { callOperator } from './operator.ts'
import { dottedName, type Program } from './program.ts'
import { dynamicIf } from './regions/branch.ts'
import { dynamicFor, dynamicWhile } from './regions/loop.ts'
import { toIndex, toNumber, truth } from './scalars.ts'
import type { ClassDef, Expr, FunctionDef, Statement } from './script/ast.ts'
import type { Complex } from './script/tokens.ts'
import { readTensor, TensorRef, writeTensor } from './tensor-ref.ts'
import {
  keyOf,
  now,
  Poison,
  type Py,
  PyClass,
  PyDict,
  PyFunction,
  PyList,
  PyMethod,
  PyObject,
  PyTuple,
  RunScalar,
  Unknown,
  unknown,
} from './values.ts'

/** The code itself raised: what it said. */
export class Raised extends Error {}

/** Variables of a call under way. */
export interface Frame {
  readonly definition: FunctionDef
  readonly variables: Map<string, Py>
  /** Loops around the statement being run, in this function. */
  loops: number
}

/** What `return` gave; absent when a block ran to its end. */
export type Returned = { readonly value: Py } | undefined

/** Advice where the code asks for contents of tensors that only a run will know. */
export const dataAdvice = 'Export a model whose control flow and shapes do not depend on the values of tensors'

/**
 * Runs TorchScript for the sake of the graph it would compute: Python values are computed, tensors are followed by element
 * type and shape while their operators are emitted.
 */
export class Vm {
  readonly archive: Archive
  readonly g: GraphBuilder
  readonly journal = new Journal()
  readonly program: Program
  readonly facts = new Facts()
  /** Operators met. */
  readonly ops = new Set<string>()
  readonly reasons: RefusalReason[] = []
  readonly constants: readonly Py[]
  private readonly frames: Frame[] = []
  private readonly lines: number[] = []
  private readonly dotted = new WeakMap<Expr, { readonly name: string | undefined }>()
  private readonly changes = new Map<Mutable, Map<string, string>>()
  /** Tensors that count as Python numbers: so torch takes the constants of an archive that have no dimensions. */
  readonly numbers = new WeakSet<object>()
  /** Ints that are sizes of tensors. */
  readonly sizes = new WeakSet<Sym>()
  /** Tensors that nothing but `settle` has changed. */
  readonly settled = new Set<TensorRef>()
  /** What is older is the archive's. */
  private restored = Number.NEGATIVE_INFINITY
  private statements = 0
  private work = 0

  constructor(archive: Archive, g: GraphBuilder, program: Program) {
    this.archive = archive
    this.g = g
    this.program = program
    this.constants = archive.constants()
    for (const constant of this.constants) {
      if (constant instanceof TensorRef && constant.shape.length === 0) this.numbers.add(constant)
      this.restoreObjects(constant)
    }
  }

  /** Where the statement being run stands. */
  get where(): string {
    const { definition } = this.frames.at(-1) ?? {}
    return definition ? `code/${definition.file}:${this.lines.at(-1) ?? definition.line}, in ${definition.name}` : ''
  }

  /** Counts work done, so that an archive cannot ask for any amount of it. @throws {ImportRefusal} */
  spend(amount: number): void {
    this.work += amount
    if (this.work > limits.work)
      throw refuse('the code takes too long to look at', this.where, 'Shorten or vectorise the loops of the model')
  }

  /** Work done so far. */
  get spent(): number {
    return this.work
  }

  /** Notes what cannot be lowered and goes on, so that the rest is looked at too. */
  refused(reasons: readonly RefusalReason[]): Unknown {
    for (const reason of reasons) {
      const where = reason.where || this.where
      if (this.reasons.length < 200 && !this.reasons.some((r) => r.what === reason.what && r.where === where))
        this.reasons.push({ ...reason, where })
    }
    return unknown
  }

  read(ref: TensorRef): Value {
    return readTensor(ref, this.journal.touch)
  }

  write(ref: TensorRef, value: Value): void {
    writeTensor(ref, value, this.touch)
  }

  /** Writes what writing it once more would leave as it is: the next call computes the same from it. */
  settle(ref: TensorRef, value: Value): void {
    let root = ref
    while (root.state.link) root = root.state.link.base
    const isOnly = !this.changes.has(root)
    this.write(ref, value)
    if (isOnly) this.changes.delete(root)
    if (isOnly) this.settled.add(root)
  }

  /** To be called before `object` changes. */
  readonly touch = (object: Mutable): void => {
    this.journal.touch(object)
    this.noteChange(object, '')
  }

  /** Remembers where something that the archive brought was changed first. */
  private noteChange(object: Mutable, attribute: string): void {
    if (object.born > this.restored) return
    if (object instanceof TensorRef) this.settled.delete(object)
    const places = this.changes.get(object) ?? new Map<string, string>()
    this.changes.set(object, places)
    if (!places.has(attribute)) places.set(attribute, this.where)
  }

  /** Where the code changed an attribute, or something of what it holds, first. */
  changedAt(contents: readonly unknown[], holder: readonly [object: PyObject, attribute: string] | undefined): string {
    const inPlace = contents.find((item) => this.changes.get(item as Mutable)?.has('')) // what else there is, is in no map
    return (
      this.changes.get(inPlace as Mutable)?.get('') ?? (holder && this.changes.get(holder[0])?.get(holder[1])) ?? ''
    )
  }

  /** Runs `__setstate__` of every object that was saved with a state of its own. */
  restoreObjects(value: Py, seen = new Set<Py>(), depth = 0): void {
    if (depth > limits.depth) throw refuse('objects of the archive are nested too deep')
    if (seen.has(value)) return
    if (value instanceof PyObject) {
      seen.add(value)
      for (const item of value.attributes.values()) this.restoreObjects(item, seen, depth + 1)
      if (value.state === undefined) return
      const { state } = value
      this.restoreObjects(state, seen, depth + 1)
      const method = this.program.class(value.type)?.methods.get('__setstate__')
      if (method) this.call(method, [value, state])
    } else if (value instanceof PyTuple || value instanceof PyList) {
      seen.add(value)
      for (const item of value.items) this.restoreObjects(item, seen, depth + 1)
    } else if (value instanceof PyDict) {
      seen.add(value)
      for (const [, item] of value.entries.values()) this.restoreObjects(item, seen, depth + 1)
    }
  }

  /** Calls a method of the model itself: what it changes from here on it changes for the next call. */
  callModel(root: PyObject, name: string, args: readonly Py[]): Py {
    this.restored = now()
    return this.callMethod(root, name, args)
  }

  /** Calls a method of an object. Hooks of modules stand in the code of those that call them. */
  callMethod(self: Py, name: string, args: readonly Py[], keywords: ReadonlyMap<string, Py> = new Map()): Py {
    if (self instanceof Unknown) return unknown
    if (!(self instanceof PyObject)) return callMethodOf(this, self, name, args, keywords)
    const definition = this.classOf(self.type)
    const method = definition.methods.get(name)
    if (!method) throw refuse(`${self.type} has no method ${name}`, this.where)
    return this.call(method, [self, ...args], keywords)
  }

  classOf(type: string): ClassDef {
    const definition = this.program.class(type)
    if (!definition)
      throw refuse(
        `the class ${type} has no code in the archive`,
        this.where,
        'Custom C++ classes cannot be lowered; export the model without them',
      )
    return definition
  }

  /** Runs a function. @param around Variables of the function it is defined in. */
  call(
    definition: FunctionDef,
    args: readonly Py[],
    keywords: ReadonlyMap<string, Py> = new Map(),
    around?: ReadonlyMap<string, Py>,
  ): Py {
    if (this.frames.length >= limits.calls) throw refuse(`calls are nested over ${limits.calls} deep`, this.where)
    const variables = new Map(around)
    const frame: Frame = { definition, variables, loops: 0 }
    for (const [i, parameter] of definition.parameters.entries()) {
      const value = i < args.length ? args[i] : keywords.get(parameter.name)
      if (value !== undefined) variables.set(parameter.name, value)
      else if (parameter.default) variables.set(parameter.name, this.evaluate(parameter.default, frame))
      else throw refuse(`${definition.name} is called without ${parameter.name}`, this.where)
    }
    this.frames.push(frame)
    this.lines.push(definition.line)
    try {
      return this.run(definition.body, frame)?.value ?? null
    } finally {
      this.frames.pop()
      this.lines.pop()
    }
  }

  run(block: readonly Statement[], frame: Frame): Returned {
    for (const statement of block) {
      if (++this.statements > limits.statements)
        throw refuse(
          `the code runs over ${limits.statements} statements`,
          this.where,
          'Shorten or vectorise the loops of the model',
        )
      this.lines[this.lines.length - 1] = statement.line
      const returned = this.execute(statement, frame)
      if (returned) return returned
    }
    return undefined
  }

  private execute(s: Statement, frame: Frame): Returned {
    switch (s.kind) {
      case 'assign': {
        const value = this.evaluateLoosely(s.value, frame)
        if (!s.unpack) this.assign(s.targets[0], value, frame)
        else this.unpack(s.targets, value, frame)
        return undefined
      }
      case 'field':
        if (s.value) frame.variables.set(s.name, this.evaluate(s.value, frame))
        return undefined
      case 'expression':
        this.evaluate(s.value, frame)
        return undefined
      case 'if': {
        const condition = truth(this, this.evaluate(s.condition, frame))
        if (condition instanceof RunScalar) return dynamicIf(this, s, condition, frame)
        return this.run(condition ? s.whenTrue : s.whenFalse, frame)
      }
      case 'for':
        return this.loop(frame, () => this.for(s, frame))
      case 'while':
        return this.loop(frame, () => this.while(s, frame))
      case 'with':
        return this.with(s, frame)
      case 'return':
        return { value: s.value ? this.evaluate(s.value, frame) : null }
      case 'def':
        frame.variables.set(s.function.name, new PyFunction(s.function, frame.variables))
        return undefined
      case 'pass':
        return undefined
    }
  }

  private loop(frame: Frame, body: () => Returned): Returned {
    frame.loops++
    try {
      return body()
    } finally {
      frame.loops--
    }
  }

  private for(s: Extract<Statement, { kind: 'for' }>, frame: Frame): Returned {
    const over = this.evaluate(s.over, frame)
    if (over instanceof Unknown) {
      frame.variables.set(s.variable, unknown)
      return this.run(s.body, frame)
    }
    if (over instanceof Sym) {
      const count = this.g.guards.pin(over)
      if (count === undefined) return dynamicFor(this, s, over, frame)
      return this.repeat(s, BigInt(count), frame)
    }
    if (typeof over === 'bigint') return this.repeat(s, over, frame)
    const items = over instanceof PyList || over instanceof PyTuple ? over.items : undefined
    if (!items) throw refuse('a loop over something that is no list', this.where)
    for (const item of items) {
      frame.variables.set(s.variable, item)
      const returned = this.run(s.body, frame)
      if (returned) return returned
    }
    return undefined
  }

  private repeat(s: Extract<Statement, { kind: 'for' }>, count: bigint, frame: Frame): Returned {
    if (count > BigInt(limits.unrolled))
      throw refuse(`a loop runs ${count} times, over ${limits.unrolled}`, this.where, 'Vectorise the loop')
    for (let i = 0n; i < count; i++) {
      frame.variables.set(s.variable, i)
      const returned = this.run(s.body, frame)
      if (returned) return returned
    }
    return undefined
  }

  private while(s: Extract<Statement, { kind: 'while' }>, frame: Frame): Returned {
    for (let i = 0; ; i++) {
      const evaluated = this.evaluate(s.condition, frame)
      const condition = evaluated instanceof Unknown ? i === 0 : truth(this, evaluated)
      if (condition instanceof RunScalar) return dynamicWhile(this, s, condition, frame)
      if (!condition) return undefined
      if (i >= limits.unrolled)
        throw refuse(`a loop runs over ${limits.unrolled} times`, this.where, 'Vectorise the loop')
      const returned = this.run(s.body, frame)
      if (returned) return returned
    }
  }

  /** The contexts torch has (no_grad, a profiler's) change nothing here; objects of the source may. */
  private with(s: Extract<Statement, { kind: 'with' }>, frame: Frame): Returned {
    const context = this.evaluate(s.context, frame)
    const isOwn = context instanceof PyObject && this.program.class(context.type)?.methods.has('__enter__')
    const entered = isOwn ? this.callMethod(context, '__enter__', []) : context
    if (s.name) frame.variables.set(s.name, entered)
    const returned = this.run(s.body, frame)
    if (isOwn) this.callMethod(context, '__exit__', [null, null, null])
    return returned
  }

  private assign(
    target: (Statement & { kind: 'assign' })['targets'][number] | undefined,
    value: Py,
    frame: Frame,
  ): void {
    if (target?.kind === 'name') frame.variables.set(target.name, value)
    else if (target) this.setAttribute(this.evaluate(target.of, frame), target.name, value)
  }

  private unpack(targets: (Statement & { kind: 'assign' })['targets'], value: Py, frame: Frame): void {
    if (value instanceof Unknown) {
      for (const target of targets) this.assign(target, unknown, frame)
      return
    }
    let items: readonly Py[] | undefined
    if (value instanceof PyTuple || value instanceof PyList) items = value.items
    if (items?.length !== targets.length)
      throw refuse(`${targets.length} values are expected, ${items?.length ?? 'none'} given`, this.where)
    for (const [i, target] of targets.entries()) this.assign(target, items[i] ?? null, frame)
  }

  setAttribute(object: Py, name: string, value: Py): void {
    if (object instanceof Unknown) return
    if (!(object instanceof PyObject))
      throw refuse(`an attribute ${name} is set on something that has none`, this.where)
    this.journal.touch(object)
    this.noteChange(object, name)
    object.attributes.set(name, value)
  }

  getAttribute(object: Py, name: string): Py {
    if (object instanceof Unknown) return unknown
    if (!(object instanceof PyObject)) return getAttributeOf(this, object, name)
    const value = object.attributes.get(name)
    if (value !== undefined) return this.usable(value)
    const definition = this.classOf(object.type)
    if (definition.methods.has(name)) return new PyMethod(object, name)
    for (const field of definition.fields) {
      if (field.kind === 'field' && field.name === name && field.value)
        return this.evaluateConstant(field.value, definition)
    }
    throw refuse(`${object.type} has no attribute ${name}`, this.where)
  }

  evaluateConstant(e: Expr, definition: ClassDef): Py {
    const none: FunctionDef = {
      name: definition.name,
      parameters: [],
      returns: undefined,
      body: [],
      file: definition.file,
      line: 1,
    }
    return this.evaluate(e, { definition: none, variables: new Map(), loops: 0 })
  }

  /** Refuses what has no one value. */
  private usable(value: Py): Py {
    return value instanceof Poison ? this.refused([{ what: value.reason, where: '', remedy: dataAdvice }]) : value
  }

  evaluate(e: Expr, frame: Frame): Py {
    this.spend(1)
    switch (e.kind) {
      case 'constant':
        return e.value
      case 'name': {
        const value = frame.variables.get(e.name)
        if (value === undefined) throw refuse(`the name ${e.name} is not defined`, this.where)
        return value instanceof Poison ? this.usable(value) : value
      }
      case 'complex':
        return this.complex(e.value)
      case 'tuple':
        return new PyTuple(e.items.map((item) => this.evaluateLoosely(item, frame)))
      case 'list':
        return new PyList(e.items.map((item) => this.evaluate(item, frame)))
      case 'dict':
        return this.dict(e, frame)
      case 'attribute':
        return this.attribute(e, frame)
      case 'call':
        return this.callExpression(e, frame)
      case 'index':
        return this.index(
          this.evaluate(e.of, frame),
          e.index.map((i) => this.evaluate(i, frame)),
        )
      case 'slice':
        return this.slice(e, frame)
      case 'negative': {
        const value = this.evaluate(e.of, frame)
        return callOperator(this, 'neg', [value], new Map())
      }
    }
  }

  /** A complex number: a tensor that counts as one. */
  private complex(parts: Complex): TensorRef {
    const number = new TensorRef(complexOf(this.g.numbers('float64', [2], parts)))
    this.numbers.add(number)
    return number
  }

  /** Part of a tuple, or what is assigned: what has no one value may pass through, as long as nobody uses it. */
  private evaluateLoosely(e: Expr, frame: Frame): Py {
    const value = e.kind === 'name' ? frame.variables.get(e.name) : undefined
    return value instanceof Poison ? value : this.evaluate(e, frame)
  }

  private dict(e: Extract<Expr, { kind: 'dict' }>, frame: Frame): PyDict {
    const dict = new PyDict()
    for (const [keyExpr, valueExpr] of e.entries) {
      const key = this.evaluate(keyExpr, frame)
      dict.entries.set(this.keyOf(key), [key, this.evaluate(valueExpr, frame)])
    }
    return dict
  }

  /** `torch.add`, `__torch__.a.f`: the dotted name, unless it begins with a variable. */
  private globalName(e: Expr, frame: Frame): string | undefined {
    let known = this.dotted.get(e)
    if (!known) {
      const name = dottedName(e)
      known = { name: name && /^(?:torch|ops|__torch__|CONSTANTS)\./.test(name) ? name : undefined }
      this.dotted.set(e, known)
    }
    const { name } = known
    return name && !frame.variables.has(name.slice(0, name.indexOf('.'))) ? name : undefined
  }

  private attribute(e: Extract<Expr, { kind: 'attribute' }>, frame: Frame): Py {
    const name = this.globalName(e, frame)
    if (name?.startsWith('CONSTANTS.c')) {
      const constant = this.constants[Number(name.slice('CONSTANTS.c'.length))]
      if (constant === undefined) throw refuse(`${name} is not in the archive`, this.where)
      return constant
    }
    if (name?.startsWith('__torch__.')) return this.global(name)
    return this.getAttribute(this.evaluate(e.of, frame), e.name)
  }

  private global(name: string): Py {
    const definition = this.program.class(name)
    if (definition) return new PyClass(name, definition)
    const f = this.program.function(name)
    if (f) return new PyFunction(f)
    // `__torch__.Color.RED`
    const dot = name.lastIndexOf('.')
    const outer = this.program.class(name.slice(0, dot))
    if (outer) return getAttributeOf(this, new PyClass(name.slice(0, dot), outer), name.slice(dot + 1))
    throw refuse(
      `${name} has no code in the archive`,
      this.where,
      'Export the model without custom C++ classes and functions',
    )
  }

  private callExpression(e: Extract<Expr, { kind: 'call' }>, frame: Frame): Py {
    const { callee } = e
    if (callee.kind === 'name' && isBuiltin(callee.name) && !frame.variables.has(callee.name))
      return callBuiltin(this, e, callee.name, frame)
    const name = this.globalName(callee, frame)
    if (name === 'torch.warn') return null
    // The message of an exception that is raised is for people.
    if (name === 'ops.prim.RaiseException')
      throw new Raised(display(e.args[0] ? this.evaluateLoosely(e.args[0], frame) : null))
    if (name && !name.startsWith('__torch__.') && !name.startsWith('CONSTANTS.')) {
      const [args, keywords] = this.arguments(e, frame)
      return callOperator(this, operatorName(name), args, keywords)
    }
    if (name?.endsWith('.__new__')) return new PyObject(name.slice(0, -'.__new__'.length))
    if (callee.kind === 'attribute' && !name) {
      const self = this.evaluate(callee.of, frame)
      const [args, keywords] = this.arguments(e, frame)
      return this.callMethod(self, callee.name, args, keywords)
    }
    const target = this.evaluate(callee, frame)
    const [args, keywords] = this.arguments(e, frame)
    return this.callValue(target, args, keywords)
  }

  callValue(target: Py, args: readonly Py[], keywords: ReadonlyMap<string, Py> = new Map()): Py {
    if (target instanceof Unknown) return unknown
    if (target instanceof PyFunction && target.definition.name === '_detect_is_causal_mask')
      return isCausal(args, keywords)
    if (target instanceof PyFunction) return this.call(target.definition, args, keywords, target.variables)
    if (target instanceof PyMethod) return this.callMethod(target.self, target.name, args, keywords)
    if (target instanceof PyClass) return this.construct(target, args, keywords)
    if (target instanceof PyObject)
      return this.callMethod(
        target,
        this.classOf(target.type).methods.has('__call__') ? '__call__' : 'forward',
        args,
        keywords,
      )
    throw refuse('something that is no function is called', this.where)
  }

  private construct({ name, definition }: PyClass, args: readonly Py[], keywords: ReadonlyMap<string, Py>): Py {
    if (definition.base === 'NamedTuple') {
      const names = definition.fields.flatMap((f) => (f.kind === 'field' ? [f] : []))
      const items = names.map(
        (field, i) =>
          args[i] ?? keywords.get(field.name) ?? (field.value ? this.evaluateConstant(field.value, definition) : null),
      )
      return new PyTuple(
        items,
        names.map((f) => f.name),
      )
    }
    const object = new PyObject(name)
    if (definition.methods.has('__init__')) this.callMethod(object, '__init__', args, keywords)
    return object
  }

  private arguments(e: Extract<Expr, { kind: 'call' }>, frame: Frame): [Py[], Map<string, Py>] {
    const args = e.args.map((a) => this.evaluate(a, frame))
    const keywords = new Map<string, Py>()
    for (const [name, value] of e.keywords) keywords.set(name, this.evaluate(value, frame))
    return [args, keywords]
  }

  index(of: Py, indices: readonly Py[]): Py {
    const [index = null] = indices
    if (of instanceof Unknown || index instanceof Unknown) return unknown
    if (of instanceof PyDict) {
      const entry = of.entries.get(this.keyOf(index))
      if (!entry) throw new Raised(`KeyError: ${String(index)}`)
      return this.usable(entry[1])
    }
    if (of instanceof PyList && (of.state.grown || isOpen(index))) return itemAt(this, of, index)
    if (of instanceof PyTuple || of instanceof PyList) {
      const at = toIndex(this, index)
      const item = of.items[at < 0 ? at + of.items.length : at]
      if (item === undefined) throw new Raised('IndexError: list index out of range')
      return this.usable(item)
    }
    if (of instanceof PyObject) return this.member(of, index)
    if (typeof of === 'string') return of.at(toIndex(this, index)) ?? ''
    if (of instanceof TensorRef) return callOperator(this, 'select', [of, 0n, index], new Map())
    throw refuse('something is indexed that has no items', this.where)
  }

  /** A module of a list or dictionary of modules: they are attributes named by index or key. */
  private member(of: PyObject, index: Py): Py {
    const name = typeof index === 'string' ? index : String(toIndex(this, index))
    const item = of.attributes.get(name)
    if (item === undefined) throw new Raised(`IndexError: there is no module ${name}`)
    return item
  }

  private slice(e: Extract<Expr, { kind: 'slice' }>, frame: Frame): Py {
    const of = this.evaluate(e.of, frame)
    if (of instanceof Unknown) return unknown
    const bound = (b: Expr | undefined): number | undefined => {
      const value = b && this.evaluate(b, frame)
      return value === undefined || value === null ? undefined : toNumber(this, value)
    }
    const [lower, upper, step = 1] = [bound(e.lower), bound(e.upper), bound(e.step)]
    if (typeof of === 'string') return sliceItems([...of], lower, upper, step).join('')
    if (!(of instanceof PyList) && !(of instanceof PyTuple))
      throw refuse('something is sliced that has no items', this.where)
    const items = sliceItems(of.items, lower, upper, step)
    return of instanceof PyList ? new PyList(items) : new PyTuple(items)
  }

  /** Key under which a dictionary keeps an entry; a size is pinned. @throws {ImportRefusal} When only the data tell. */
  keyOf(key: Py): string {
    const name = keyOf(key instanceof Sym ? BigInt(toNumber(this, key)) : key)
    if (name === undefined) throw refuse('a dictionary key that only a run knows', this.where, dataAdvice)
    return name
  }

  /** A tensor of one known number. */
  known(dtype: Value['dtype'], value: number | Sym): TensorRef {
    return new TensorRef(scalar(dtype, value))
  }

  /** Runs `lower`; what it refuses is noted, and the result unknown. */
  attempt(lower: () => Py): Py {
    try {
      return lower()
    } catch (error) {
      if (error instanceof ImportRefusal) return this.refused(error.reasons)
      throw error
    }
  }
}

/**
 * Whether a mask is the causal one: nn.Transformer asks so that it can leave the mask out, which gives the same numbers as
 * applying it. Without being told, it is applied.
 */
const isCausal = (args: readonly Py[], keywords: ReadonlyMap<string, Py>): Py =>
  (args[1] ?? keywords.get('is_causal') ?? false) === true

/** Whether only the data tell an index. */
const isOpen = (index: Py): boolean => index instanceof Sym && !dims.fromInputs(index)

/** Python's slices of lists and strings. @see https://docs.python.org/3/reference/datamodel.html#slice.indices */
export function sliceItems<T>(
  items: readonly T[],
  lower: number | undefined,
  upper: number | undefined,
  step: number,
): T[] {
  if (step === 0) throw new Raised('ValueError: slice step cannot be zero')
  if (step === 1) return items.slice(lower, upper)
  const { length } = items
  const [least, most] = step > 0 ? [0, length] : [-1, length - 1]
  const place = (bound: number): number => Math.min(Math.max(bound < 0 ? bound + length : bound, least), most)
  const end = upper === undefined ? (step > 0 ? most : least) : place(upper)
  const picked: T[] = []
  for (let i = lower === undefined ? (step > 0 ? least : most) : place(lower); step > 0 ? i < end : i > end; i += step)
    picked.push(items[i] as T) // within the bounds above
  return picked
}

/** `torch.add` → `add`, `ops.quantized.linear` → `quantized::linear`. */
function operatorName(dotted: string): string {
  const [root, ...rest] = dotted.split('.')
  if (root === 'torch') return rest.join('.')
  const [namespace = '', ...name] = rest
  return namespace === 'aten' ? name.join('.') : `${namespace}::${name.join('.')}`
}
