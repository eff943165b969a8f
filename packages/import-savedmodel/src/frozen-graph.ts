import {
  decodeMessage,
  type ImportedOutput,
  type InputSpec,
  type Message,
  type ModelSource,
  ProtoError,
  refuse,
} from '@eas/onnx'
import { checked } from './checked.ts'
import { dataTypeOf, dtypeOf } from './dtype.ts'
import { type GraphDef, parseReference, toGraphDef } from './graph-def.ts'
import { lowerGraph, type Port } from './lower-graph.ts'
import { graphType } from './messages.ts'
import { findResources } from './resources.ts'
import type { LoweredSignature } from './saved-model.ts'
import { asRequested, type Signature, type SignatureTensor } from './signature.ts'
import { parseMessage } from './text-format.ts'
import { Weights } from './weights.ts'

/** Bytes of one graph file: what protobuf can hold at most. */
const maxGraphBytes = 2 ** 31 - 1

export interface ImportFrozenGraphOptions {
  /** Nodes that requests feed, by name or with what the graph does not say of them. Default: the placeholders needed. */
  readonly inputs?: readonly (string | InputSpec)[]
  /** Nodes that are answered with, `node` or `node:k`, as `output_filter` names them. Default: those nothing uses. */
  readonly outputs?: readonly string[]
  /** Where the graph's file lies, relative to the ONNX file. When given, large constants stay in it. */
  readonly location?: string
}

/** A frozen graph that is read; it can be lowered for any inputs and outputs. */
export interface FrozenGraph {
  /** Its placeholders, by name. */
  readonly placeholders: ReadonlyMap<string, SignatureTensor>
  /** Names of the nodes whose outputs nothing uses. */
  readonly ends: readonly string[]
  /** @throws {ImportRefusal} With every reason found why it cannot be lowered. */
  lower(options?: Omit<ImportFrozenGraphOptions, 'location'>): LoweredSignature
}

/**
 * Reads a frozen graph, binary or as text: a `GraphDef` whose variables are constants.
 * @param location Where its file lies, relative to ONNX files; without it, constants become part of those.
 * @throws {ImportRefusal} When the file is no graph.
 */
export async function openFrozenGraph(source: ModelSource, location?: string): Promise<FrozenGraph> {
  const { graph, bytes } = await readGraphDef(source)
  const file = location === undefined ? undefined : { bytes, location }
  const resources = findResources(graph, [])
  const placeholders = [...graph.nodes.values()].filter((n) => n.op === 'Placeholder')
  return {
    placeholders: new Map(placeholders.map((n) => [n.name, toTensor(n.name, toPort(graph, n.name, undefined))])),
    ends: endsOf(graph),
    lower({ inputs, outputs } = {}) {
      const fetched = portsOut(graph, outputs)
      const fed = portsIn(graph, inputs, fetched)
      const lowered = lowerGraph(graph, new Weights(resources, undefined, () => ''), fed, fetched, file)
      const types = new Map(fetched.map((port, i) => [port.name, toTensor(port.tensor, ofOutput(lowered.outputs[i]))]))
      const signature: Signature = {
        name: '',
        method: '',
        inputs: new Map(fed.map((port) => [port.name, toTensor(port.tensor, port)])),
        outputs: types,
      }
      return { ...lowered, signature: asRequested(signature) }
    },
  }
}

/**
 * Lowers a frozen graph. Inputs and outputs go by the names of their nodes, as in a `TFRequest` for such a model.
 * @throws {ImportRefusal} With every reason found.
 */
export async function importFrozenGraph(
  source: ModelSource,
  { location, ...options }: ImportFrozenGraphOptions = {},
): Promise<LoweredSignature> {
  return (await openFrozenGraph(source, location)).lower(options)
}

const toTensor = (tensor: string, { dtype = 'float32', shape }: Pick<Port, 'dtype' | 'shape'>): SignatureTensor => ({
  tensor,
  dtype,
  type: dataTypeOf(dtype),
  shape: shape?.map((d) => (typeof d === 'number' ? d : -1)),
})

const ofOutput = (output: ImportedOutput | undefined): Pick<Port, 'dtype' | 'shape'> => ({
  dtype: output?.dtype,
  shape: output?.shape,
})

/** @throws {ImportRefusal} When the file is no graph, binary or text. */
export async function readGraphDef(source: ModelSource): Promise<{ graph: GraphDef; bytes: Uint8Array }> {
  if (source.size > maxGraphBytes)
    throw refuse(`the graph has ${source.size} bytes`, '', 'Save the weights beside the graph, as a SavedModel')
  const bytes = await source.read(0, source.size)
  return { graph: checked(() => toGraphDef(decodeGraph(bytes))), bytes }
}

/** Text begins with the name of a field; in binary a length follows the first tag, which no text has there. */
const textStart = /^\s*(#[^\n]*\n\s*)*(node|library|versions|version)\s*[:{]/

function decodeGraph(bytes: Uint8Array): Message {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 4096)).toString('latin1')
  const message = textStart.test(head)
    ? parseMessage(graphType, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
    : decodeMessage(graphType, bytes)
  if (message.node.length === 0) throw new ProtoError('it has no nodes')
  return message
}

function portsIn(graph: GraphDef, wanted: ImportFrozenGraphOptions['inputs'], outputs: readonly Port[]): Port[] {
  if (wanted)
    return wanted.map((w) => (typeof w === 'string' ? toPort(graph, w, undefined) : toPort(graph, String(w.input), w)))
  const needed = ancestorsOf(graph, outputs)
  return [...graph.nodes.values()]
    .filter((n) => n.op === 'Placeholder' && needed.has(n.name))
    .map((n) => toPort(graph, n.name, undefined))
}

function ancestorsOf(graph: GraphDef, outputs: readonly Port[]): ReadonlySet<string> {
  const seen = new Set<string>()
  const open = outputs.map((o) => parseReference(o.tensor).node)
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue
    seen.add(name)
    for (const input of graph.nodes.get(name)?.inputs ?? []) open.push(parseReference(input).node)
  }
  return seen
}

function toPort(graph: GraphDef, name: string, spec: InputSpec | undefined): Port {
  const node = graph.nodes.get(parseReference(name).node)
  if (!node) throw refuse(`the graph has no node ${JSON.stringify(name.slice(0, 100))}`, '', 'Name a node of the graph')
  const code: number | undefined = node.attrs.get('dtype')?.type ?? node.attrs.get('T')?.type
  const dtype = code === undefined ? spec?.dtype : dtypeOf(code)
  return { name, tensor: name, dtype, shape: spec?.shape ?? node.attrs.shape('shape') }
}

/** Operators that give nothing to fetch. */
const silent = new Set(
  `NoOp Assert Const Placeholder PlaceholderWithDefault SaveV2 RestoreV2 MergeV2Checkpoints PrintV2 HashTableV2
   LookupTableImportV2 InitializeTableV2 Switch`.split(/\s+/),
)

function portsOut(graph: GraphDef, wanted: readonly string[] | undefined): Port[] {
  const names = wanted && wanted.length > 0 ? wanted : endsOf(graph)
  if (names.length === 0) throw refuse('the graph has no node that nothing uses', '', 'Name the outputs')
  return names.map((name) => toPort(graph, name, undefined))
}

function endsOf(graph: GraphDef): string[] {
  const used = new Set<string>()
  for (const node of graph.nodes.values()) for (const i of node.inputs) used.add(parseReference(i).node)
  return [...graph.nodes.values()].filter((n) => !used.has(n.name) && !silent.has(n.op)).map((n) => n.name)
}
