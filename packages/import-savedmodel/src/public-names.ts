import type { Graph, Model, Node } from '@eas/onnx'

/**
 * Names that requests use, kept apart from those of nodes while a graph is built: a model may well call its input `v1`.
 * An output that is called as an input is gets a name of its own.
 */
export function publicNames(
  inputs: readonly { readonly name: string }[],
  outputs: readonly { readonly name: string }[],
) {
  const inner = (name: string): string => `in/${name}`
  const innerOutput = (name: string): string => `out/${name}`
  const fromInner = new Map<string, string>()
  const taken = new Set<string>()
  for (const { name } of inputs) {
    fromInner.set(inner(name), name)
    taken.add(name)
  }
  for (const { name } of outputs) {
    let own = name
    while (taken.has(own)) own = `${own}/output`
    fromInner.set(innerOutput(name), own)
    taken.add(own)
  }
  const outer = (name: string): string => fromInner.get(name) ?? (taken.has(name) ? `${name}/node` : name)
  return {
    inner,
    innerOutput,
    outer,
    isInput: (name: string): boolean => name.startsWith('in/') && fromInner.has(name),
    apply: (model: Model): Model => ({ ...model, graph: renamed(model.graph, outer) }),
  }
}

function renamed(graph: Graph, rename: (name: string) => string): Graph {
  const at = (names: readonly string[]): string[] => names.map((n) => (n === '' ? '' : rename(n)))
  return {
    ...graph,
    node: graph.node.map(
      (n): Node => ({
        ...n,
        input: at(n.input),
        output: at(n.output),
        attribute: Object.fromEntries(
          Object.entries(n.attribute).map(([k, a]) => [k, 'graph' in a ? { graph: renamed(a.graph, rename) } : a]),
        ),
      }),
    ),
    initializer: graph.initializer.map((i) => ({ ...i, name: rename(i.name) })),
    input: graph.input.map((i) => ({ ...i, name: rename(i.name) })),
    output: graph.output.map((o) => ({ ...o, name: rename(o.name) })),
  }
}
