import { Buffer } from 'node:buffer'
import { joinBytes } from '@eas/base'
import { elementTypes } from './element-type.ts'
import type { Attribute, Graph, Initializer, Model, Node, TensorData, ValueInfo } from './model.ts'
import { attributeKind, attributeType, modelType } from './onnx-proto.ts'
import { type Chunks, encodeMessage, type Message } from './proto.ts'

/** Writes an ONNX file as pieces in order; weights are handed over as they are, never copied. */
export function writeModel(model: Model): Chunks {
  return encodeMessage(modelType, {
    ...model,
    opset_import: Object.entries(model.opset_import).map(([domain, version]) => ({ domain, version })),
    graph: fromGraph(model.graph),
    metadata_props: toEntries(model.metadata_props),
  })
}

/** The pieces as one array. */
export const joinChunks = ({ chunks, size }: Chunks): Uint8Array => joinBytes(chunks, size)

const toEntries = (record: Readonly<Record<string, string | number>>): Message[] =>
  Object.entries(record).map(([key, value]) => ({ key, value: `${value}` }))

const fromGraph = (g: Graph): Message => ({
  name: g.name,
  node: g.node.map(fromNode),
  initializer: g.initializer.map((t: Initializer) => ({ ...fromTensor(t), name: t.name })),
  input: g.input.map(fromValueInfo),
  output: g.output.map(fromValueInfo),
  value_info: g.value_info.map(fromValueInfo),
})

const fromNode = (n: Node): Message => ({
  ...n,
  name: n.name || undefined,
  domain: n.domain || undefined,
  attribute: Object.entries(n.attribute).map(([name, value]) =>
    'other' in value ? value.other : joinChunks(encodeMessage(attributeType, { name, ...fromAttribute(value) })),
  ),
})

function fromAttribute(a: Exclude<Attribute, { other: Uint8Array }>): Message {
  if ('int' in a) return { type: attributeKind.int, i: a.int }
  if ('float' in a) return { type: attributeKind.float, f: a.float }
  if ('string' in a) return { type: attributeKind.string, s: Buffer.from(a.string) }
  if ('ints' in a) return { type: attributeKind.ints, ints: a.ints }
  if ('floats' in a) return { type: attributeKind.floats, floats: a.floats }
  if ('strings' in a) return { type: attributeKind.strings, strings: a.strings.map((s) => Buffer.from(s)) }
  if ('tensor' in a) return { type: attributeKind.tensor, t: fromTensor(a.tensor) }
  return { type: attributeKind.graph, g: fromGraph(a.graph) }
}

function fromTensor({ dtype, shape, content }: TensorData): Message {
  const type = { dims: shape, data_type: elementTypes[dtype].code }
  if ('bytes' in content) return { ...type, raw_data: content.bytes }
  if ('strings' in content) return { ...type, string_data: content.strings }
  return { ...type, external_data: toEntries({ ...content.external }), data_location: 1 }
}

function fromValueInfo({ name, dtype, shape }: ValueInfo): Message {
  const dim = shape?.map((d) => (typeof d === 'number' ? { dim_value: d } : { dim_param: d }))
  return { name, type: { tensor_type: { elem_type: elementTypes[dtype].code, shape: dim && { dim } } } }
}
