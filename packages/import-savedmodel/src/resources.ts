import { refuse } from '@eas/onnx'
import { type Attrs, type FunctionDef, type GraphDef, type NodeDef, parseReference } from './graph-def.ts'

/**
 * What restoring and initialising a model would do, read off the operators that would do it: which tensor of the checkpoint
 * each variable gets, and what each table is filled with. TensorFlow 1 and 2 differ in where these operators are, not in
 * what they are.
 */
export interface Resources {
  /** Key of a variable → its tensor in the checkpoint. */
  readonly variables: ReadonlyMap<string, Restored>
  /** Key of a variable → the reference to the value it is assigned without a checkpoint. */
  readonly assigned: ReadonlyMap<string, Origin>
  readonly tables: ReadonlyMap<string, TableFill>
}

export interface Restored {
  readonly key: string
  /** `100 8 0,50:0,8`: shape and the slice of it; empty for the whole. */
  readonly slice: string
}

/** A reference and where it is one. */
export interface Origin {
  readonly body: Body
  readonly text: string
}

export type TableFill =
  | { readonly from: 'tensors'; readonly keys: Origin; readonly values: Origin }
  | { readonly from: 'file'; readonly file: Origin; readonly attrs: Attrs }

/** Nodes of the graph, or of a function with what it is called with. */
export interface Body {
  readonly nodes: ReadonlyMap<string, NodeDef>
  readonly args: ReadonlyMap<string, Origin>
  readonly depth: number
}

/** Nodes looked at while following what a model does when it is loaded. */
const maxSteps = 1_000_000
/** Calls within calls that are followed. */
export const maxCallDepth = 32

const calls = new Set(['PartitionedCall', 'StatefulPartitionedCall'])
const passing = new Set([
  'Identity',
  'ReadVariableOp',
  'StopGradient',
  'Reshape',
  'Cast',
  'DisableCopyOnRead',
  'ExpandDims',
])

/** Key of a variable or table: what is shared has a name for it, else the node's own. */
export const resourceKey = (node: NodeDef): string => node.attrs.string('shared_name') || node.name

export const rootBody = (graph: GraphDef): Body => ({ nodes: graph.nodes, args: new Map(), depth: 0 })

/**
 * @param starts Nodes that restore and initialise: `saver_def.restore_op_name`, main and legacy init operators.
 * @throws {ImportRefusal} When following them has no end.
 */
export function findResources(graph: GraphDef, starts: readonly string[]): Resources {
  const variables = new Map<string, Restored>()
  const assigned = new Map<string, Origin>()
  const tables = new Map<string, TableFill>()
  let steps = 0

  const visit = (body: Body, first: readonly string[]): void => {
    const seen = new Set<string>()
    const open = [...first]
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (seen.has(name)) continue
      seen.add(name)
      if (++steps > maxSteps) throw refuse(`restoring takes over ${maxSteps} steps`, name)
      const node = body.nodes.get(name)
      if (!node) continue
      for (const input of node.inputs) open.push(parseReference(input).node)
      record(body, node)
      const f = calledBy(graph, node)
      if (f && body.depth < maxCallDepth) visit(bodyOf(f, node, body), [...f.nodes.keys()])
    }
  }

  const record = (body: Body, node: NodeDef): void => {
    const [target, value, more] = node.inputs
    if (target === undefined || value === undefined) return
    if (node.op === 'Assign' || node.op === 'AssignVariableOp') {
      const handle = resolve(graph, { body, text: target })
      const source = resolve(graph, { body, text: value })
      if (!handle) return
      const restored = source && restoredFrom(graph, source.origin)
      if (restored) variables.set(resourceKey(handle.node), restored)
      else assigned.set(resourceKey(handle.node), { body, text: value })
      return
    }
    if (/^InitializeTable(V2)?$|^LookupTableImport(V2)?$/.test(node.op) && more !== undefined) {
      const handle = resolve(graph, { body, text: target })
      if (handle)
        tables.set(resourceKey(handle.node), {
          from: 'tensors',
          keys: { body, text: value },
          values: { body, text: more },
        })
    } else if (/^InitializeTableFromTextFile(V2)?$/.test(node.op)) {
      const handle = resolve(graph, { body, text: target })
      if (handle) tables.set(resourceKey(handle.node), { from: 'file', file: { body, text: value }, attrs: node.attrs })
    }
  }

  const root = rootBody(graph)
  // A graph that was cut out of its model still has the nodes that fill its tables, if not the one that leads to them.
  const loose = [...graph.nodes.values()]
    .filter((n) => /^InitializeTable|^LookupTableImport/.test(n.op))
    .map((n) => n.name)
  visit(root, [...starts.filter((s) => s !== ''), ...loose])
  return { variables, assigned, tables }
}

export const calledBy = (graph: GraphDef, node: NodeDef): FunctionDef | undefined =>
  graph.functions.get(calls.has(node.op) ? node.attrs.func('f') : node.op)

export function bodyOf(f: FunctionDef, node: NodeDef, outer: Body): Body {
  const inputs = node.inputs.filter((i) => !i.startsWith('^'))
  const args = new Map(f.args.map((name, i) => [name, { body: outer, text: inputs[i] ?? '' }] as const))
  return { nodes: f.nodes, args, depth: outer.depth + 1 }
}

/** The node a reference comes from, arguments and operators that pass things on left behind. */
export function resolve(
  graph: GraphDef,
  from: Origin,
): { readonly node: NodeDef; readonly origin: Origin } | undefined {
  let origin = from
  for (let step = 0; step < 10_000; step++) {
    const { node: name } = parseReference(origin.text)
    const outer = origin.body.args.get(name)
    if (outer) {
      origin = outer
      continue
    }
    const node = origin.body.nodes.get(name)
    if (!node) return undefined
    const [input] = node.inputs
    if (passing.has(node.op) && input !== undefined) {
      origin = { body: origin.body, text: input }
      continue
    }
    const f = calledBy(graph, node)
    if (f && origin.body.depth < maxCallDepth) {
      // A function that only passes on what it was given, such as one that reads what was restored.
      const { index } = parseReference(origin.text)
      const ret = f.ret.get(f.outputs[index] ?? '')
      if (ret !== undefined) {
        origin = { body: bodyOf(f, node, origin.body), text: ret }
        continue
      }
    }
    return { node, origin }
  }
  return undefined
}

/** The tensor of the checkpoint that an output of a restoring operator is. */
export function restoredFrom(graph: GraphDef, origin: Origin): Restored | undefined {
  const found = resolve(graph, origin)
  if (!found) return undefined
  const { index } = parseReference(found.origin.text)
  const { node } = found
  const name = (i: number, at: number): string | undefined =>
    constantString(graph, { body: found.origin.body, text: node.inputs[i] ?? '' }, at)
  if (node.op === 'RestoreV2') {
    const key = name(1, index)
    return key === undefined ? undefined : { key, slice: name(2, index) ?? '' }
  }
  if (node.op === 'Restore' || node.op === 'RestoreSlice') {
    const key = name(1, 0)
    return key === undefined ? undefined : { key, slice: node.op === 'Restore' ? '' : (name(2, 0) ?? '') }
  }
  return undefined
}

/** One of a constant's strings. */
export function constantString(graph: GraphDef, origin: Origin, index: number): string | undefined {
  const found = resolve(graph, origin)
  const tensor = found?.node.op === 'Const' ? found.node.attrs.get('value')?.tensor : undefined
  const value: Uint8Array | undefined = tensor?.string_val[index]
  return value && Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8')
}
