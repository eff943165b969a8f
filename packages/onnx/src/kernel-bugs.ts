import type { Node } from './model.ts'

/**
 * ONNX Runtime (1.30, PadFusion) moves the zeros of a Pad into the MaxPool behind it, where padding counts as the least
 * number: the maximum of negative numbers and a zero is then negative. A Pad that names its axes is left where it is.
 *
 * @param axesOf Name of a constant with all axes of the tensor that these pads are for; undefined when they are no constant,
 * in which case nothing is moved.
 */
export function keepPadsBeforePools(
  nodes: readonly Node[],
  axesOf: (pads: string) => string | undefined,
): readonly Node[] {
  const pooled = new Set(nodes.flatMap((n) => (n.op_type === 'MaxPool' ? n.input : [])))
  return nodes.map((n): Node => {
    if (n.op_type === 'Pad' && n.output.some((name) => pooled.has(name))) {
      const [data = '', pads = '', value = ''] = n.input
      const axes = axesOf(pads)
      return axes === undefined ? n : { ...n, input: [data, pads, value, axes] }
    }
    const graphs = Object.entries(n.attribute).flatMap(([name, a]) => ('graph' in a ? [[name, a.graph] as const] : []))
    if (graphs.length === 0) return n
    const kept = graphs.map(([name, graph]) => [
      name,
      { graph: { ...graph, node: keepPadsBeforePools(graph.node, axesOf) } },
    ])
    return { ...n, attribute: { ...n.attribute, ...Object.fromEntries(kept) } }
  })
}
