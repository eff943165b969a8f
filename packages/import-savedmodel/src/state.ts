import { refuse } from '@eas/onnx'
import { type GraphDef, parseReference } from './graph-def.ts'
import { type Body, bodyOf, calledBy, maxCallDepth, resolve, resourceKey, rootBody } from './resources.ts'

/** Operators that change what input 0 stands for, and so what later requests are answered. */
const changes =
  /^(Assign|AssignAdd|AssignSub|(Resource)?Scatter(Update|Add|Sub|Mul|Div|Min|Max|Nd\w+)|Assign(Add|Sub)?VariableOp|LookupTableInsert(V2)?|LookupTableRemoveV2)$/

/** Nodes looked at; those of a function count for each of its calls. */
const maxSteps = 1_000_000

/**
 * Variables and tables that computing some outputs would change, by the node that does. Values ask for no such node, order of
 * execution does; what only one side of a condition changes is left out, since that is how training is switched off.
 */
export function changedBy(graph: GraphDef, outputs: readonly string[]): Map<string, string> {
  const changed = new Map<string, string>()
  let steps = 0
  const visit = (body: Body, first: readonly string[]): void => {
    const seen = new Set<string>()
    const open = [...first]
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (seen.has(name)) continue
      seen.add(name)
      if (++steps > maxSteps) throw refuse(`the order of execution takes over ${maxSteps} steps`, name)
      const node = body.nodes.get(name)
      if (!node) continue
      for (const input of node.inputs) open.push(parseReference(input).node)
      const [target = ''] = node.inputs
      const handle = changes.test(node.op) ? resolve(graph, { body, text: target }) : undefined
      if (handle) changed.set(resourceKey(handle.node), node.name)
      const f = calledBy(graph, node)
      if (f && body.depth < maxCallDepth) visit(bodyOf(f, node, body), [...f.nodes.keys()])
    }
  }
  visit(
    rootBody(graph),
    outputs.map((o) => parseReference(o).node),
  )
  return changed
}
