import { fromBytes, toBytes } from './bytes.ts'
import { type Atom, atom, atomsOf, type Dim, type Sym } from './dim.ts'
import { bytesOf, type ElementType, elementTypes } from './element-type.ts'
import { Guards } from './guards.ts'
import { refuse } from './importer.ts'
import { keepPadsBeforePools } from './kernel-bugs.ts'
import { emitDims } from './materialise.ts'
import type { Attribute, Content, Graph, Initializer, Model, Node, ValueInfo } from './model.ts'
import { maxElements, type Value } from './value.ts'

/** An attribute as one writes it: whole numbers, strings and lists stand for themselves, the rest names its kind. */
export type AttributeValue = number | string | readonly number[] | readonly string[] | Attribute
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>

/** Element type and shape of an output. */
export type OutputType = Pick<Value, 'dtype' | 'shape' | 'quant'>

/** Nodes of one graph: the model's own, or a branch's or loop's body. */
export class Scope {
  readonly parent: Scope | undefined
  readonly node: Node[] = []
  readonly input: ValueInfo[] = []
  /** Names of what was emitted before and can be used again, by what it computes. */
  readonly memo = new Map<string, string>()
  /** Outputs of nodes, by what they compute. */
  readonly values = new Map<string, Value[]>()

  constructor(parent?: Scope) {
    this.parent = parent
  }

  /** Whether values of `other` can be used here: it is this graph or one around it. */
  sees(other: Scope): boolean {
    for (let scope: Scope | undefined = this; scope; scope = scope.parent) if (scope === other) return true
    return false
  }
}

/** Elements of a tensor of fixed shape. Largest known: embedding tables of 10^10 numbers. */
const maxTensorElements = 2 ** 36

/** Bytes of constants made while lowering; weights stay where they are. */
const maxConstantBytes = 256 * 1024 * 1024

/** Nodes of the largest graphs known: 20,000 for unrolled recurrent networks. */
const maxNodes = 400_000

/** Operators that take any type. */
const anyType: ReadonlySet<string> = new Set(['Cast', 'If', 'Loop'])

/**
 * Puts a graph together. Shapes and element types are the caller's to say (`emit` does for the operators it knows);
 * names, constants, sizes as tensors, nested graphs and leaving out what no output needs are taken care of here.
 */
export class GraphBuilder {
  readonly guards: Guards
  /** Taken for granted about data. */
  readonly assumptions = new Set<string>()
  readonly warnings = new Set<string>()
  /** Whether numbers are drawn: what a graph computes of equal inputs differs from run to run. */
  isRandom = false
  readonly root = new Scope()
  scope: Scope = this.root
  private readonly names = new WeakMap<Value, string>()
  private readonly scopes = new Map<string, Scope>()
  private readonly initializers = new Map<string, Initializer>()
  private readonly atomSources = new Map<string, { readonly value: Value; readonly axis?: number }>()
  private readonly scalarDims = new WeakMap<Value, Sym>()
  private readonly inputNames = new Set<string>()
  private readonly producers = new Map<string, Node>()
  private counter = 0
  private nodeCount = 0
  private constantBytes = 0
  private freshCount = 0
  private readonly contentIds = new WeakMap<Content, number>()

  constructor(guards = new Guards()) {
    this.guards = guards
  }

  /** An input of the current graph. Labels in its shape become sizes that can be computed with. */
  input(name: string, dtype: ElementType, shape: readonly Dim[]): Value {
    const value: Value = { dtype, shape }
    this.inputNames.add(name)
    this.scope.input.push({ name, dtype, shape: shape.map(label) })
    this.own(value, name)
    return value
  }

  /**
   * Emits a node and gives its outputs. An absent optional input is undefined.
   * @throws {ImportRefusal} When the graph grows beyond all reason.
   */
  node(
    op: string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly OutputType[],
    attributes: Attributes = {},
    domain = '',
  ): Value[] {
    const values = outputs.map((type): Value => ({ ...type }))
    const key = this.nodeKey(op, inputs, outputs, attributes, domain)
    const known = key === undefined ? undefined : this.knownNode(key)
    if (known) {
      // Unknown sizes of the wanted outputs are those of the outputs that are there.
      for (const [i, value] of values.entries()) this.bindSizes(value.shape, known[i] as Value) // as many were asked for before
      return known
    }
    this.nodeInto(op, inputs, values, attributes, domain)
    if (key !== undefined) this.scope.values.set(key, values)
    return values
  }

  /** Emits a node whose outputs are values made before. */
  nodeInto(
    op: string,
    inputs: readonly (Value | undefined)[],
    values: readonly Value[],
    attributes: Attributes = {},
    domain = '',
  ): void {
    if (!anyType.has(op) && [...inputs, ...values].some((v) => v?.dtype === 'bfloat16')) {
      this.throughFloats(op, inputs, values, attributes, domain)
      return
    }
    if (++this.nodeCount > maxNodes)
      throw refuse(`the graph has over ${maxNodes} nodes`, '', 'Fix the length of unrolled loops')
    for (const { shape } of values) checkSize(shape)
    const input = inputs.map((x) => (x ? this.nameOf(x) : ''))
    while (input.at(-1) === '') input.pop()
    const output = values.map((value) => {
      const name = this.fresh()
      this.own(value, name)
      return name
    })
    const node = { op_type: op, domain, name: '', input, output, attribute: toAttributes(attributes) }
    this.scope.node.push(node)
    for (const name of output) this.producers.set(name, node)
  }

  /** ONNX Runtime computes with no bfloat16 on CPUs; torch too computes with floats there, and rounds each result. */
  private throughFloats(
    op: string,
    inputs: readonly (Value | undefined)[],
    values: readonly Value[],
    attributes: Attributes,
    domain: string,
  ): void {
    const floats = (v: Value): Value => (v.dtype === 'bfloat16' ? { ...v, dtype: 'float32' } : v)
    const given = inputs.map((x) =>
      x?.dtype === 'bfloat16' ? this.one('Cast', [x], 'float32', x.shape, { to: elementTypes.float32.code }) : x,
    )
    const results = values.map(floats)
    this.nodeInto(op, given, results, attributes, domain)
    for (const [i, value] of values.entries()) {
      const result = results[i] as Value // one for each
      if (result === value) continue
      this.nodeInto('Cast', [result], [value], { to: elementTypes.bfloat16.code })
    }
  }

  /** What a node computes, as text; undefined when two of a kind are not the same. */
  private nodeKey(
    op: string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly OutputType[],
    attributes: Attributes,
    domain: string,
  ): string | undefined {
    if (op.startsWith('Random') || op === 'Bernoulli' || op === 'Multinomial' || outputs.some((o) => o.quant))
      return undefined
    const given = Object.entries(attributes)
    if (
      given.some(
        ([, value]) => typeof value === 'object' && !Array.isArray(value) && ('graph' in value || 'tensor' in value),
      )
    ) {
      return undefined
    }
    const names = inputs.map((x) => (x ? this.nameOf(x) : ''))
    return `${domain}.${op}(${names})${outputs.length}${JSON.stringify(given)}`
  }

  private knownNode(key: string): Value[] | undefined {
    for (let scope: Scope | undefined = this.scope; scope; scope = scope.parent) {
      const known = scope.values.get(key)
      if (known) return known
    }
    return undefined
  }

  /** A node with one output. */
  one(
    op: string,
    inputs: readonly (Value | undefined)[],
    dtype: ElementType,
    shape: readonly Dim[],
    attributes: Attributes = {},
    domain = '',
  ): Value {
    const [value] = this.node(op, inputs, [{ dtype, shape }], attributes, domain)
    return value as Value // one type was given
  }

  /** A constant. Small ones of numbers are known to later arithmetic. */
  constant(dtype: ElementType, shape: readonly number[], content: Content): Value {
    if ('bytes' in content && dtype !== 'string') {
      const { length } = content.bytes
      const elements =
        length > 0 && length <= maxElements * bytesOf(dtype) ? fromBytes(dtype, content.bytes) : undefined
      if (elements && dtype !== 'complex64' && dtype !== 'complex128') return { dtype, shape, elements }
    }
    return { dtype, shape, content }
  }

  /** A constant of numbers. */
  numbers(dtype: ElementType, shape: readonly number[], values: readonly number[]): Value {
    if (values.length <= maxElements) return { dtype, shape, elements: values }
    return { dtype, shape, content: { bytes: toBytes(dtype, values) } }
  }

  /** A size that only a run will tell. It belongs to the first output that is given it as a dimension. */
  freshDim(hint = 'n', low = 0, high = Number.POSITIVE_INFINITY): Sym {
    return atom(`${hint}#${this.freshCount++}`, 'data', low, high)
  }

  /** A whole number that a run computes: the contents of an integer scalar. */
  scalarDim(value: Value, low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY): Dim {
    const [known] = value.elements ?? []
    if (known !== undefined) return known
    const same = this.scalarDims.get(value)
    if (same) return same
    const d = this.freshDim('s', low, high)
    this.atomSources.set(d.key, { value })
    this.scalarDims.set(value, d)
    return d
  }

  /** Where an unknown is to be read from: an axis of a value's shape, or a scalar. */
  sourceOf(a: Atom): { readonly value: Value; readonly axis?: number } {
    const source = this.atomSources.get(a.name)
    if (!source)
      throw refuse(
        `the size ${a.name} is used where it is not known`,
        '',
        'Report this model: the importer lost track of a size',
      )
    return source
  }

  /** Whether the current graph can compute a size: all it is made of is known in it. */
  canRead(d: Dim): boolean {
    return [...atomsOf(d).keys()].every((name) => {
      const value = this.atomSources.get(name)?.value
      const home = value && this.scopes.get(this.names.get(value) ?? '')
      return home !== undefined && this.scope.sees(home)
    })
  }

  /** The name by which a node of the current graph can use `value`; emits it if it has none yet. */
  nameOf(value: Value): string {
    if (value.elements) return emitDims(this, value)
    if (value.content) return this.initializer(value.dtype, value.shape as readonly number[], value.content) // constants have fixed shapes
    const name = this.names.get(value)
    if (name === undefined) throw new Error('a value belongs to no graph')
    this.checkVisible(name)
    return name
  }

  /** The node that computes what has this name; undefined for an input or a constant. */
  producerOf(name: string): Node | undefined {
    return this.producers.get(name)
  }

  isInput(name: string): boolean {
    return this.inputNames.has(name)
  }

  private checkVisible(name: string): void {
    const home = this.scopes.get(name)
    if (home && !this.scope.sees(home)) {
      throw refuse(
        `${name} is used outside the branch or loop that computes it`,
        '',
        'Report this model: the importer lost track of a value',
      )
    }
  }

  /** Gives the value a name; sizes in its shape that have no source yet are read from it. */
  private own(value: Value, name: string): void {
    this.names.set(value, name)
    this.scopes.set(name, this.scope)
    this.bindSizes(value.shape, value)
  }

  /** Unknowns in `shape` that have no source yet are read from the shape of `value`. */
  private bindSizes(shape: readonly Dim[], value: Value): void {
    for (const [axis, d] of shape.entries()) {
      const term = typeof d === 'number' ? undefined : d.terms.length === 1 ? d.terms[0] : undefined
      const [a] = term?.atoms ?? []
      if (a && !a.of && term?.coefficient === 1 && term.atoms.length === 1 && !this.atomSources.has(a.name)) {
        this.atomSources.set(a.name, { value, axis })
      }
    }
  }

  /** A constant of the model, kept once however often it is used. */
  initializer(dtype: ElementType, shape: readonly number[], content: Content): string {
    const key = this.contentKey(dtype, shape, content)
    const known = this.initializers.get(key)
    if (known) return known.name
    if ('bytes' in content) this.constantBytes += content.bytes.length
    if (this.constantBytes > maxConstantBytes) throw refuse(`constants of over ${maxConstantBytes} bytes`)
    const name = this.fresh('c')
    this.initializers.set(key, { name, dtype, shape, content })
    return name
  }

  private contentKey(dtype: ElementType, shape: readonly number[], content: Content): string {
    const type = `${dtype}[${shape}]`
    if ('external' in content) return `${type}@${content.external.location}:${content.external.offset}`
    // Bytes that are yet to be read are empty, and like no others.
    if ('bytes' in content && content.bytes.length > 0 && content.bytes.length <= 1024)
      return `${type}=${Buffer.from(content.bytes).toString('latin1')}`
    let id = this.contentIds.get(content)
    if (id === undefined) {
      id = this.counter++
      this.contentIds.set(content, id)
    }
    return `${type}#${id}`
  }

  /** Name of a constant 0, 1, … for all axes of what is padded by the constant `pads`. */
  private axesOfPads(pads: string): string | undefined {
    const constant = [...this.initializers.values()].find(({ name }) => name === pads)
    if (!constant) return undefined
    const rank = (constant.shape[0] ?? 0) / 2
    const axes = Array.from({ length: rank }, (_, axis) => axis)
    return this.initializer('int64', [rank], { bytes: toBytes('int64', axes) })
  }

  /** Remembers, within the current graph and those inside it, what computes the same. */
  memoised(key: string, emit: () => string): string {
    for (let scope: Scope | undefined = this.scope; scope; scope = scope.parent) {
      const known = scope.memo.get(key)
      if (known !== undefined) return known
    }
    const name = emit()
    this.scope.memo.set(key, name)
    return name
  }

  /** Emits by names, for what lies below values. */
  raw(op: string, input: readonly string[], attributes: Attributes = {}): string {
    if (++this.nodeCount > maxNodes) throw refuse(`the graph has over ${maxNodes} nodes`)
    const name = this.fresh()
    this.scopes.set(name, this.scope)
    this.scope.node.push({
      op_type: op,
      domain: '',
      name: '',
      input,
      output: [name],
      attribute: toAttributes(attributes),
    })
    return name
  }

  /** A name that no input has. */
  fresh(prefix = 'v'): string {
    for (;;) {
      const name = `${prefix}${this.counter++}`
      if (!this.inputNames.has(name)) return name
    }
  }

  /** Runs `build` with a graph of its own as the current one. */
  nested<T>(build: (scope: Scope) => T): { readonly scope: Scope; readonly result: T } {
    const outer = this.scope
    const scope = new Scope(outer)
    this.scope = scope
    try {
      return { scope, result: build(scope) }
    } finally {
      this.scope = outer
    }
  }

  /** Runs `build` with a graph made before as the current one. */
  within<T>(scope: Scope, build: () => T): T {
    const outer = this.scope
    this.scope = scope
    try {
      return build()
    } finally {
      this.scope = outer
    }
  }

  /** A nested graph as an attribute. Outputs get nodes of their own where they are not computed in it. */
  subgraph(scope: Scope, outputs: readonly Value[]): Attribute {
    return this.within(scope, () => {
      const output = outputs.map((value): ValueInfo => {
        const name = this.raw('Identity', [this.nameOf(value)])
        return { name, dtype: value.dtype, shape: value.shape.map(label) }
      })
      const { node, input } = scope
      const graph: Graph = { name: this.fresh('g'), node, initializer: [], input, output, value_info: [] }
      return { graph }
    })
  }

  /**
   * The model: what the outputs need and nothing else.
   * @param outputs In order, each under a name of its own.
   */
  finish(
    outputs: readonly { readonly name: string; readonly value: Value }[],
    producer: { name: string; version: string },
  ): Model {
    const output: ValueInfo[] = outputs.map(({ name, value }) => ({
      name,
      dtype: value.dtype,
      shape: value.shape.map(label),
    }))
    const taken = new Set<string>()
    const renamed = new Map<string, string>()
    const inputNames = new Set(this.root.input.map((i) => i.name))
    for (const { name, value } of outputs) {
      const source = this.nameOf(value)
      const isNode = !inputNames.has(source) && ![...this.initializers.values()].some((i) => i.name === source)
      if (isNode && !taken.has(source)) renamed.set(source, name)
      else {
        // An input, a constant, or an output given twice: a node of its own.
        renamed.set(this.raw('Identity', [source]), name)
      }
      taken.add(source)
    }
    const live = new Set(renamed.keys())
    const all = keepPadsBeforePools(this.root.node, (pads) => this.axesOfPads(pads))
    const node = liveNodes(all, live).map((n) => renameNode(n, renamed))
    const initializer = [...this.initializers.values()].filter((i) => live.has(i.name))
    return {
      ir_version: 9,
      producer_name: producer.name,
      producer_version: producer.version,
      opset_import: { '': opset, ...domainsOf(node) },
      graph: { name: 'main', node, initializer, input: this.root.input, output, value_info: [] },
      metadata_props: {},
      functions: [],
    }
  }
}

/** First opset with every operator used here (Gelu); its IR version is 9. */
export const opset = 20

const label = (d: Dim): number | string => (typeof d === 'number' ? d : d.key)

function checkSize(shape: readonly Dim[]): void {
  let count = 1
  for (const d of shape) if (typeof d === 'number') count *= Math.max(d, 1)
  if (count > maxTensorElements) throw refuse(`a tensor of [${shape.map(label)}]`, '', 'Make the tensor smaller')
}

function toAttributes(attributes: Attributes): Record<string, Attribute> {
  const result: Record<string, Attribute> = {}
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) result[name] = toAttribute(value)
  return result
}

function toAttribute(value: AttributeValue): Attribute {
  if (typeof value === 'number') return { int: value }
  if (typeof value === 'string') return { string: value }
  if (!Array.isArray(value)) return value as Attribute // what is no number, string or list already names its kind
  return typeof value[0] === 'string' ? { strings: value } : { ints: value }
}

/** Nodes of a graph that `live` names need, in order; adds what those need to `live`. */
function liveNodes(nodes: readonly Node[], live: Set<string>): Node[] {
  const kept: Node[] = []
  for (let i = nodes.length - 1; i >= 0; i--) {
    const n = nodes[i]
    if (!n?.output.some((name) => live.has(name))) continue
    for (const name of n.input) live.add(name)
    kept.push(withLiveGraphs(n, live))
  }
  return kept.reverse()
}

function withLiveGraphs(n: Node, live: Set<string>): Node {
  const graphs = Object.entries(n.attribute).filter(([, a]) => 'graph' in a)
  if (graphs.length === 0) return n
  const attribute = { ...n.attribute }
  for (const [name, a] of graphs) {
    if (!('graph' in a)) continue
    for (const o of a.graph.output) live.add(o.name)
    attribute[name] = { graph: { ...a.graph, node: liveNodes(a.graph.node, live) } }
  }
  return { ...n, attribute }
}

function renameNode(n: Node, renamed: ReadonlyMap<string, string>): Node {
  const rename = (name: string): string => renamed.get(name) ?? name
  const attribute: Record<string, Attribute> = {}
  for (const [name, a] of Object.entries(n.attribute)) {
    attribute[name] =
      'graph' in a ? { graph: { ...a.graph, node: a.graph.node.map((m) => renameNode(m, renamed)) } } : a
  }
  return { ...n, input: n.input.map(rename), output: n.output.map(rename), attribute }
}

/** Versions of the domains beside the default one: `com.microsoft` has had 1 only. */
function domainsOf(nodes: readonly Node[]): Record<string, number> {
  const domains: Record<string, number> = {}
  for (const n of nodes) {
    if (n.domain) domains[n.domain] = n.domain === 'ai.onnx.ml' ? 4 : 1
    for (const a of Object.values(n.attribute)) if ('graph' in a) Object.assign(domains, domainsOf(a.graph.node))
  }
  return domains
}
