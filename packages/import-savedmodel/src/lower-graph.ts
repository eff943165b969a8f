import type { DType } from '@eas/base'
import {
  type Dim,
  dims,
  emit,
  GraphBuilder,
  type ImportedInput,
  type ImportedModel,
  ImportRefusal,
  type LabelledShape,
  type Model,
  refuse,
  type Value,
  writeModel,
} from '@eas/onnx'
import { Evaluator } from './evaluator.ts'
import { type GraphDef, parseReference } from './graph-def.ts'
import { NoGuards } from './guards.ts'
import { HostProgram, type Prologue } from './host/program.ts'
import { poison, TensorItem } from './item.ts'
import { publicNames } from './public-names.ts'
import { changedBy } from './state.ts'
import { elementType, isElementType } from './tensor-proto.ts'
import type { Weights } from './weights.ts'

/** A tensor that is fed or fetched. */
export interface Port {
  /** What requests call it. */
  readonly name: string
  /** Reference to it in the graph. */
  readonly tensor: string
  readonly dtype?: DType | undefined
  /** Sizes, -1 where they are free, equal labels for equal ones; undefined when even the rank is unknown. */
  readonly shape?: LabelledShape | undefined
}

/** An `ImportedModel` with what may have to run in front of it. */
export interface LoweredGraph extends ImportedModel {
  /** Computes feeds of the ONNX model from the tensors of a request; absent when those are the feeds. */
  readonly prologue?: Prologue
}

/** Of this importer; changes when the same model would become another graph. */
export const importerVersion = '5'

/** The file the graph was read from, whose large constants stay in it. */
export interface GraphFile {
  readonly bytes: Uint8Array
  /** Where it lies, relative to the ONNX file. */
  readonly location: string
}

/** Bytes from which a constant is worth a reference into the file. */
const minReferenceBytes = 1024

/**
 * Lowers what computes `outputs` from `inputs`.
 * @throws {ImportRefusal} With every reason found why it cannot be.
 */
export function lowerGraph(
  graph: GraphDef,
  weights: Weights,
  inputs: readonly Port[],
  outputs: readonly Port[],
  file?: GraphFile,
): LoweredGraph {
  const g = new GraphBuilder(new NoGuards())
  const host = new HostProgram()
  const e = new Evaluator(
    g,
    graph,
    host,
    weights,
    outputs.map((o) => o.tensor),
  )
  const names = publicNames(inputs, outputs)
  for (const input of inputs) feed(e, input, names.inner(input.name))
  const items = outputs.map(({ tensor }) => e.demand(e.root, tensor))
  const values: { name: string; value: Value }[] = []
  for (const [i, item] of items.entries()) {
    const output = outputs[i]
    if (!output || item.kind === 'poison') continue
    if (item.kind === 'variable')
      values.push({ name: names.innerOutput(output.name), value: e.variable(item, output.tensor).value })
    else if (item instanceof TensorItem) values.push({ name: names.innerOutput(output.name), value: item.value })
    else e.refuse(`the output is a ${item.kind}, not a tensor`, output.tensor, 'Choose an output that is a tensor')
  }
  for (const [key, node] of changedBy(
    graph,
    outputs.map((o) => o.tensor),
  )) {
    if (weights.isRead(key))
      e.refuse(
        `the model changes ${JSON.stringify(key.slice(0, 100))} while it predicts`,
        node,
        'Export a signature that does not',
      )
  }
  if (e.reasons.size > 0) throw new ImportRefusal([...e.reasons.values()])
  const given = values.map(({ name, value }) => ({
    name,
    value: value.dtype === 'bfloat16' ? emit.cast(g, value, 'float32') : value,
  }))
  const built = placed(g.finish(given, { name: 'eas-functions', version: importerVersion }), file)
  const used = usedNames(built)
  const isPrologueInput = new Set(host.finish((name) => used.has(name), [])?.inputs.map((i) => i.name) ?? [])
  const kept = built.graph.input.filter(
    ({ name }) => used.has(name) || (names.isInput(name) && !isPrologueInput.has(names.outer(name))),
  )
  const model = names.apply({ ...built, graph: { ...built.graph, input: kept } })
  const passed = model.graph.input.map((i) => i.name).filter((name) => inputs.some((p) => p.name === name))
  const prologue = host.finish((name) => used.has(name), passed)
  return {
    model: writeModel(model),
    externalData: locationsOf(model),
    inputs: model.graph.input.map(
      (input, i): ImportedInput => ({
        name: input.name,
        dtype: input.dtype,
        shape: labelled(input.shape ?? []),
        position: i,
      }),
    ),
    outputs: model.graph.output.map((o) => ({ name: o.name, dtype: o.dtype, shape: labelled(o.shape ?? []) })),
    structure: { kind: 'dict', entries: outputs.map((o, i) => [o.name, { kind: 'tensor', output: i }] as const) },
    guards: g.guards.all,
    assumptions: [...g.assumptions],
    warnings: [...g.warnings],
    isRandom: g.isRandom,
    ops: [...e.ops].sort(),
    ...(prologue ? { prologue } : {}),
  }
}

const labelled = (shape: readonly (number | string | undefined)[]): LabelledShape => shape.map((d) => d ?? '?')

/** Puts an input of the model where the graph has the tensor it feeds. */
function feed(e: Evaluator, port: Port, inner: string): void {
  const { node: name, index } = parseReference(port.tensor)
  const node = e.graph.nodes.get(name)
  if (!node)
    throw refuse(
      `the input ${JSON.stringify(port.name.slice(0, 100))} is of a node that is not in the graph`,
      name.slice(0, 100),
    )
  const named = port.dtype ?? node.attrs.dtype('dtype')
  // Requests name quantised numbers by types of their own.
  if (named && !isElementType(named)) throw refuse(`the element type ${named} cannot be fed`, name)
  const dtype = elementType(named, name)
  const shape =
    port.shape ??
    node.attrs.shape('shape') ??
    node.attrs.shapes('_output_shapes')[index] ??
    (dtype === 'string' ? [-1] : undefined)
  if (!shape)
    throw refuse(
      `nothing says what the input ${JSON.stringify(port.name.slice(0, 100))} looks like`,
      name.slice(0, 100),
      'Give its shape, -1 for sizes that are free',
    )
  // Free sizes without a label are the input's own: the graph says where they have to agree.
  const own = port.name.replace(/[^A-Za-z0-9_]/g, '_')
  const sizes = shape.map((d, i): Dim => {
    // A batch may be empty: what holds of a lowered signature holds for every size.
    if (typeof d === 'string') return dims.atom(d, 'input', 0)
    return d < 0 ? dims.atom(`${own}.${i}`, 'input', 0) : d
  })
  // ONNX Runtime takes no bfloat16 from JavaScript, nor gives any: floats come in, and are rounded.
  const value = emit.cast(e.g, e.g.input(inner, dtype === 'bfloat16' ? 'float32' : dtype, sizes), dtype)
  const before = e.root.memo.get(name) ?? []
  const items = Array.from({ length: Math.max(before.length, index + 1) }, (_, i) => before[i] ?? poison)
  items[index] = new TensorItem(value, () => e.host.input(port.name))
  e.root.memo.set(name, items)
}

/** Large constants as ranges of the file their bytes lie in. */
function placed(model: Model, file: GraphFile | undefined): Model {
  if (!file) return model
  const { buffer, byteOffset } = file.bytes
  const initializer = model.graph.initializer.map((i) => {
    if (!('bytes' in i.content)) return i
    const { bytes } = i.content
    if (bytes.buffer !== buffer || bytes.length < minReferenceBytes) return i
    const external = { location: file.location, offset: bytes.byteOffset - byteOffset, length: bytes.length }
    return { ...i, content: { external } }
  })
  return { ...model, graph: { ...model.graph, initializer } }
}

/** Names that nodes or outputs take, nested graphs included. */
function usedNames(model: Model): Set<string> {
  const used = new Set<string>()
  const visit = (graph: Model['graph']): void => {
    for (const n of graph.node) {
      for (const i of n.input) used.add(i)
      for (const a of Object.values(n.attribute)) if ('graph' in a) visit(a.graph)
    }
    for (const o of graph.output) used.add(o.name)
  }
  visit(model.graph)
  return used
}

function locationsOf(model: Model): string[] {
  const locations = new Set<string>()
  for (const { content } of model.graph.initializer) if ('external' in content) locations.add(content.external.location)
  return [...locations].sort()
}
