import { dims, type GraphBuilder, ImportRefusal, type RefusalReason, refuse, type Scope, type Value } from '@eas/onnx'
import { type FunctionDef, type GraphDef, type NodeDef, parseReference } from './graph-def.ts'
import type { HostProgram } from './host/program.ts'
import { type Item, opaque, poison, type TableItem, TensorItem } from './item.ts'
import { lowerNode } from './lower-node.ts'
import { outputIndex } from './output-args.ts'
import { type Body, type Origin, type Restored, resolve, restoredFrom } from './resources.ts'
import type { Weights } from './weights.ts'

/** Calls within calls and control flow within control flow; deeper is a cycle or an attack. */
const maxDepth = 48
/** Nodes evaluated, each call and branch counted anew: functions that call functions twice would double without end. */
const maxEvaluations = 200_000

/**
 * Where nodes are evaluated: the graph, the body of a function, or a branch or loop of the old kind, which shares the nodes
 * around it and evaluates some of them anew.
 */
export class Frame {
  readonly nodes: ReadonlyMap<string, NodeDef>
  /** Graph of the ONNX model that its nodes go to. */
  readonly scope: Scope
  readonly depth: number
  /** Distinguishes bodies of functions in names of resources; empty for the graph. */
  readonly path: string
  readonly memo = new Map<string, readonly Item[]>()
  readonly open = new Set<string>()
  readonly parent: Frame | undefined
  /** Nodes that are evaluated here rather than in `parent`. */
  readonly owns: ((name: string) => boolean) | undefined
  /** The side each predicate, a reference, is taken to have in an old-style branch. */
  readonly assumed: ReadonlyMap<string, boolean>
  /** References whose values leave the frame. */
  readonly results: readonly string[]

  constructor(
    nodes: ReadonlyMap<string, NodeDef>,
    scope: Scope,
    options: {
      depth?: number
      path?: string
      parent?: Frame
      owns?: (name: string) => boolean
      assumed?: ReadonlyMap<string, boolean>
      results?: readonly string[]
    } = {},
  ) {
    this.nodes = nodes
    this.scope = scope
    this.depth = options.depth ?? 0
    this.path = options.path ?? ''
    this.parent = options.parent
    this.owns = options.owns
    this.assumed = options.assumed ?? new Map()
    this.results = options.results ?? options.parent?.results ?? []
    if (this.depth > maxDepth)
      throw refuse(
        `functions or control flow are nested over ${maxDepth} deep`,
        this.path,
        'Call no function from within itself',
      )
  }

  /** The frame that evaluates a node. */
  homeOf(name: string): Frame {
    let frame: Frame = this
    while (frame.parent && frame.owns && !frame.memo.has(name) && !frame.owns(name)) frame = frame.parent
    return frame
  }
}

/** Thrown to have nodes evaluated before the one that asked is tried again; so chains of any length need no deep stack. */
export class Need {
  readonly wants: readonly { readonly frame: Frame; readonly name: string }[]

  constructor(wants: Need['wants']) {
    this.wants = wants
  }
}

/** Evaluates nodes on demand, each once per frame, and remembers what cannot be lowered instead of stopping at it. */
export class Evaluator {
  readonly g: GraphBuilder
  readonly graph: GraphDef
  readonly host: HostProgram
  private readonly weights: Weights
  readonly reasons = new Map<string, RefusalReason>()
  readonly ops = new Set<string>()
  readonly root: Frame
  private evaluations = 0
  private readonly broadcasts = new Map<
    string,
    { readonly d: dims.Dim; readonly of: ReadonlySet<string>; readonly scope: Scope }
  >()

  constructor(g: GraphBuilder, graph: GraphDef, host: HostProgram, weights: Weights, results: readonly string[]) {
    this.g = g
    this.graph = graph
    this.host = host
    this.weights = weights
    this.root = new Frame(graph.nodes, g.root, { results })
  }

  /** The item a reference stands for; evaluates what it needs. */
  demand(frame: Frame, text: string): Item {
    const { node } = parseReference(text)
    this.run([{ frame, name: node }])
    return this.get(frame, text)
  }

  demandAll(frame: Frame, texts: readonly string[]): Item[] {
    this.run(texts.filter((t) => t !== '').map((t) => ({ frame, name: parseReference(t).node })))
    return texts.map((t) => (t === '' ? opaque : this.get(frame, t)))
  }

  /** The item of a reference whose node is evaluated. @throws {Need} When it is not. */
  get(frame: Frame, text: string): Item {
    const { node, arg, index } = parseReference(text)
    const home = frame.homeOf(node)
    const items = home.memo.get(node)
    if (!items) throw new Need([{ frame, name: node }])
    const def = home.nodes.get(node)
    const at = arg !== undefined && def ? outputIndex(def, arg) + index : index
    const item = items[at]
    if (item) return item
    if (items[0]?.kind === 'poison') return poison
    // Outputs that only training uses are not made.
    this.refuse(`output ${at} of ${def?.op ?? 'the node'} is not available`, node, 'Export the graph for serving')
    return poison
  }

  /** The node a reference names, where it is of the frame's own graph. */
  nodeOf(frame: Frame, text: string): NodeDef | undefined {
    const { node } = parseReference(text)
    return frame.homeOf(node).nodes.get(node)
  }

  isKnown(frame: Frame, name: string): boolean {
    return frame.homeOf(name).memo.has(name)
  }

  /** @throws {Need} When nodes are missing, naming all of them. */
  want(frame: Frame, texts: readonly string[]): void {
    const wants = texts
      .map((t) => ({ frame, name: parseReference(t).node }))
      .filter((w) => !this.isKnown(frame, w.name))
    if (wants.length > 0) throw new Need(wants)
  }

  private run(wants: readonly { readonly frame: Frame; readonly name: string }[]): void {
    const stack = wants.map(({ frame, name }) => ({ home: frame.homeOf(name), name }))
    const opened: { home: Frame; name: string }[] = []
    try {
      for (let top = stack.at(-1); top; top = stack.at(-1)) {
        const { home, name } = top
        if (home.memo.has(name)) {
          stack.pop()
          continue
        }
        if (!home.open.has(name)) {
          home.open.add(name)
          opened.push(top)
        }
        const missing = this.tryNode(home, name)
        for (const want of missing) {
          const at = want.frame.homeOf(want.name)
          if (at.open.has(want.name)) throw refuse('the graph goes in a circle', want.name, 'Export the graph again')
          stack.push({ home: at, name: want.name })
        }
        if (missing.length === 0) home.open.delete(name)
      }
    } finally {
      for (const { home, name } of opened) home.open.delete(name)
    }
  }

  /** Evaluates a node if its inputs are there; else gives the nodes that have to come first. */
  private tryNode(home: Frame, name: string): Need['wants'] {
    const node = home.nodes.get(name)
    if (!node) {
      this.refuse(`there is no node ${JSON.stringify(name.slice(0, 100))}`, '', 'Name a node of the graph')
      home.memo.set(name, [poison])
      return []
    }
    try {
      const items = this.g.within(home.scope, () => lowerNode(this, home, node))
      home.memo.set(name, items)
    } catch (error) {
      if (error instanceof Need) return error.wants
      // Inputs that are missing or of another rank than the operator's: TensorFlow writes none such.
      const refusal =
        error instanceof TypeError || error instanceof RangeError ? refuse('its inputs do not fit it') : error
      if (!(refusal instanceof ImportRefusal)) throw error
      for (const { what, where, remedy } of refusal.reasons) this.refuse(`${node.op}: ${what}`, where || name, remedy)
      home.memo.set(name, [poison])
    }
    if (++this.evaluations > maxEvaluations)
      throw refuse(`over ${maxEvaluations} nodes were evaluated`, name, 'Export a smaller graph')
    return []
  }

  /** Records that something cannot be lowered. */
  refuse(what: string, where: string, remedy = ''): PoisonResult {
    if (this.reasons.size < maxReasons) this.reasons.set(`${what} ${where}`, { what, where, remedy })
    return [poison]
  }

  /**
   * Evaluates the body of a function on arguments, in the current graph.
   * @param outputs Which of its outputs; the others are nothing.
   */
  call(f: FunctionDef, args: readonly Item[], from: Frame, outputs?: ReadonlySet<number>): Item[] {
    const results = f.outputs.map((o) => f.ret.get(o) ?? o)
    return this.within(
      f,
      args,
      from,
      outputs === undefined ? results : results.map((r, i) => (outputs.has(i) ? r : '')),
    )
  }

  /** Items of references within the body of a function that is called with `args`. */
  within(f: FunctionDef, args: readonly Item[], from: Frame, results: readonly string[]): Item[] {
    const frame = new Frame(f.nodes, this.g.scope, { depth: from.depth + 1, path: `${from.path}${f.name}/`, results })
    for (const [i, arg] of f.args.entries()) frame.memo.set(arg, [args[i] ?? poison])
    return this.demandAll(frame, results)
  }

  functionOf(name: string, where: string): FunctionDef {
    const f = this.graph.functions.get(name)
    if (!f) throw refuse(`the function ${JSON.stringify(name.slice(0, 100))} is not in the graph's library`, where)
    return f
  }

  /**
   * The size two sizes have when they are broadcast against each other. Where it cannot be known which of them is 1, it is
   * a size of its own, read off the result.
   */
  broadcastDim(a: dims.Dim, b: dims.Dim): dims.Dim {
    if (a === 1 || dims.same(a, b)) return b
    if (b === 1) return a
    if (typeof a === 'number') return a
    if (typeof b === 'number') return b
    const members = new Set([...this.membersOf(a), ...this.membersOf(b)])
    if (members.size === this.membersOf(a).size) return a
    if (members.size === this.membersOf(b).size) return b
    const key = [...members].sort().join('|')
    const known = this.broadcasts.get(key)
    // What a branch or loop reads off its own values is not to be had outside of it.
    if (known && this.g.scope.sees(known.scope)) return known.d
    const d = this.g.freshDim('b')
    const entry = { d, of: members, scope: this.g.scope }
    this.broadcasts.set(key, entry)
    this.broadcasts.set(d.key, entry)
    return d
  }

  private membersOf(d: dims.Dim): ReadonlySet<string> {
    return this.broadcasts.get(String(d))?.of ?? new Set([String(d)])
  }

  broadcast(...shapes: readonly (readonly dims.Dim[])[]): dims.Dim[] {
    const rank = shapes.reduce((r, s) => Math.max(r, s.length), 0)
    return Array.from({ length: rank }, (_, axis) =>
      shapes.reduce<dims.Dim>((size, shape) => {
        const at = axis - rank + shape.length
        return at >= 0 ? this.broadcastDim(size, shape[at] ?? 1) : size
      }, 1),
    )
  }

  /** The value of the variable that a handle or reference stands for; a tensor stands for itself. */
  variable(item: Item | undefined, where: string): TensorItem {
    if (item instanceof TensorItem) return item
    if (item?.kind !== 'variable') throw refuse('it reads something that is not a variable', where)
    return this.weights.variable(this, item.key, where)
  }

  /** What a table is filled with. */
  table(table: TableItem, where: string): { readonly keys: Value; readonly values: Value } {
    return this.weights.table(this, table, where)
  }

  /** Elements of a constant, each a number, bigint or string; undefined when it is none. */
  listOf(value: Value): readonly (number | bigint | string)[] | undefined {
    return this.host.listOf(value)
  }

  /** The tensor of the checkpoint that a value is restored from. */
  restored(origin: Origin): Restored | undefined {
    return restoredFrom(this.graph, origin)
  }

  /** Evaluates a value that loading the model computes. */
  demandOrigin(origin: Origin): Item {
    return this.demand(this.frameOf(origin.body), origin.text)
  }

  /** Name of the node of the graph that a value comes from. */
  originNode(origin: Origin): string | undefined {
    return resolve(this.graph, origin)?.node.name
  }

  private frameOf(body: Body): Frame {
    if (body.nodes === this.graph.nodes) return this.root
    const frame = new Frame(body.nodes, this.g.root, { depth: body.depth })
    for (const [name, outer] of body.args) frame.memo.set(name, [this.demandOrigin(outer)])
    return frame
  }

  /** A tensor of the graph whose elements, when they are a constant's, the host can have too. */
  tensor(value: Value): TensorItem {
    return new TensorItem(value, () => this.host.constantOf(value))
  }
}

type PoisonResult = [typeof poison]

/** Reasons given at once; thousands of copies of one op say no more. */
const maxReasons = 64
