import type { Frame } from '../evaluator.ts'
import { type FunctionDef, type NodeDef, parseReference } from '../graph-def.ts'
import { outputIndex } from '../output-args.ts'

/** Outputs of each node that other nodes use. */
const uses = new WeakMap<ReadonlyMap<string, NodeDef>, ReadonlyMap<string, ReadonlySet<number>>>()

function usesIn(nodes: ReadonlyMap<string, NodeDef>): ReadonlyMap<string, ReadonlySet<number>> {
  const known = uses.get(nodes)
  if (known) return known
  const found = new Map<string, Set<number>>()
  for (const node of nodes.values()) for (const text of node.inputs) addUse(nodes, found, text)
  uses.set(nodes, found)
  return found
}

function addUse(nodes: ReadonlyMap<string, NodeDef>, found: Map<string, Set<number>>, text: string): void {
  const { node: name, arg, index, isControl } = parseReference(text)
  if (isControl) return
  const node = nodes.get(name)
  const at = arg !== undefined && node ? outputIndex(node, arg) + index : index
  const set = found.get(name)
  if (set) set.add(at)
  else found.set(name, new Set([at]))
}

/** Variables of a While whose last value is used, or that what is used, or the condition, depends on. */
export function neededVariables(frame: Frame, node: NodeDef, condition: FunctionDef, body: FunctionDef): Set<number> {
  const needed = new Set(usesIn(frame.nodes).get(node.name))
  const leaving = new Map<string, Set<number>>()
  for (const text of frame.results) addUse(frame.nodes, leaving, text)
  for (const i of leaving.get(node.name) ?? []) needed.add(i)
  for (const i of argumentsOf(condition, condition.outputs)) needed.add(i)
  const open = [...needed]
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    const output = body.outputs[i]
    if (output === undefined) continue
    for (const arg of argumentsOf(body, [output])) {
      if (needed.has(arg)) continue
      needed.add(arg)
      open.push(arg)
    }
  }
  return needed
}

/** Positions of the arguments that outputs of a function depend on. */
export function argumentsOf(f: FunctionDef, outputs: readonly string[]): number[] {
  const seen = new Set<string>()
  const open = outputs.map((o) => parseReference(f.ret.get(o) ?? o).node)
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue
    seen.add(name)
    for (const text of f.nodes.get(name)?.inputs ?? []) {
      const { node, isControl } = parseReference(text)
      if (!isControl) open.push(node)
    }
  }
  return f.args.flatMap((a, i) => (seen.has(a) ? [i] : []))
}
