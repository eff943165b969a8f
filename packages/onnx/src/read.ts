import { Buffer } from 'node:buffer'
import { bytesOf, type ElementType, elementTypes } from './element-type.ts'
import { checkExternalRange } from './external-data.ts'
import type { Attribute, Content, Graph, Initializer, Model, Node, TensorData, ValueInfo } from './model.ts'
import { attributeKind, attributeType, modelType } from './onnx-proto.ts'
import { decodeMessage, type Message, ProtoError } from './proto.ts'

/** Graphs within graphs. */
const maxDepth = 32

/**
 * Reads an ONNX file. Weights stay views of `bytes`; external ones stay where they are, their ranges checked.
 * @throws {ProtoError} When the bytes are not an ONNX model, or say what no model may.
 */
export function readModel(bytes: Uint8Array): Model {
  const m = decodeMessage(modelType, bytes)
  if (!m.graph) throw new ProtoError('the model has no graph')
  return {
    ir_version: m.ir_version ?? 0,
    producer_name: m.producer_name ?? '',
    producer_version: m.producer_version ?? '',
    opset_import: Object.fromEntries(m.opset_import.map((o: Message) => [o.domain ?? '', o.version ?? 0])),
    graph: toGraph(m.graph, 0),
    metadata_props: entries(m.metadata_props),
    functions: m.functions,
  }
}

const entries = (list: readonly Message[]): Record<string, string> =>
  Object.fromEntries(list.map(({ key, value }) => [key ?? '', value ?? '']))

function toGraph(g: Message, depth: number): Graph {
  if (depth > maxDepth) throw new ProtoError(`graphs are nested over ${maxDepth} deep`)
  return {
    name: g.name ?? '',
    node: g.node.map((n: Message) => toNode(n, depth)),
    initializer: g.initializer.map((t: Message): Initializer => ({ name: t.name ?? '', ...toTensor(t) })),
    input: g.input.map(toValueInfo),
    output: g.output.map(toValueInfo),
    value_info: g.value_info.map(toValueInfo),
  }
}

function toNode(n: Message, depth: number): Node {
  const attribute: Record<string, Attribute> = {}
  for (const bytes of n.attribute) {
    const a = decodeMessage(attributeType, bytes)
    attribute[a.name ?? ''] = toAttribute(a, bytes, depth)
  }
  return {
    op_type: n.op_type ?? '',
    domain: n.domain ?? '',
    name: n.name ?? '',
    input: n.input,
    output: n.output,
    attribute,
  }
}

function toAttribute(a: Message, bytes: Uint8Array, depth: number): Attribute {
  const text = (s: Uint8Array): string => Buffer.from(s).toString('utf8')
  switch (a.type) {
    case attributeKind.float:
      return { float: a.f ?? 0 }
    case attributeKind.int:
      return { int: a.i ?? 0 }
    case attributeKind.string:
      return { string: text(a.s ?? new Uint8Array()) }
    case attributeKind.tensor:
      if (!a.t) throw new ProtoError(`attribute ${a.name} is a tensor without one`)
      return { tensor: toTensor(a.t) }
    case attributeKind.graph:
      if (!a.g) throw new ProtoError(`attribute ${a.name} is a graph without one`)
      return { graph: toGraph(a.g, depth + 1) }
    case attributeKind.floats:
      return { floats: a.floats }
    case attributeKind.ints:
      return { ints: a.ints }
    case attributeKind.strings:
      return { strings: a.strings.map(text) }
    default:
      return { other: bytes }
  }
}

const dtypeOfCode = new Map<number, ElementType>(
  Object.entries(elementTypes).map(([dtype, { code }]) => [code, dtype as ElementType]), // keys of that very table
)

function dtypeOf(code: number | undefined, what: string): ElementType {
  const dtype = dtypeOfCode.get(code ?? 0)
  if (!dtype) throw new ProtoError(`${what} has the element type ${code ?? 0}, which is not supported`)
  return dtype
}

function toTensor(t: Message): TensorData {
  const dtype = dtypeOf(t.data_type, 'a tensor')
  const shape: readonly number[] = t.dims
  let size = 1
  for (const d of shape) {
    if (d < 0) throw new ProtoError(`a tensor has a dimension of ${d}`)
    size *= d
  }
  return { dtype, shape, content: toContent(t, dtype, size) }
}

function toContent(t: Message, dtype: ElementType, size: number): Content {
  if (dtype === 'string') return { strings: t.string_data }
  const bytes = bytesOf(dtype) * size
  if (t.data_location === 1) {
    const { location = '', offset = '0', length = `${bytes}` } = entries(t.external_data)
    const external = { location, offset: Number(offset), length: Number(length) }
    try {
      checkExternalRange(external, bytes)
    } catch (error) {
      throw new ProtoError(`${t.name ?? 'a tensor'}: ${(error as Error).message}`) // only RangeErrors come from there
    }
    return { external }
  }
  const raw: Uint8Array = t.raw_data ?? packTyped(t, dtype)
  if (raw.length !== bytes) throw new ProtoError(`${t.name ?? 'a tensor'} holds ${raw.length} bytes, not ${bytes}`)
  return { bytes: raw }
}

/** The typed fields of TensorProto as the bytes `raw_data` would hold. */
function packTyped(t: Message, dtype: ElementType): Uint8Array {
  const bytes = ({ buffer, byteLength }: { buffer: ArrayBufferLike; byteLength: number }): Uint8Array =>
    new Uint8Array(buffer, 0, byteLength)
  switch (dtype) {
    case 'float32':
    case 'complex64':
      return bytes(Float32Array.from(t.float_data as number[]))
    case 'float64':
    case 'complex128':
      return bytes(Float64Array.from(t.double_data as number[]))
    case 'int64':
      return bytes(BigInt64Array.from(t.int64_data as bigint[]))
    case 'uint32':
      return bytes(Uint32Array.from((t.uint64_data as bigint[]).map(Number)))
    case 'uint64':
      return bytes(BigUint64Array.from(t.uint64_data as bigint[]))
    case 'int32':
      return bytes(Int32Array.from(t.int32_data as number[]))
    case 'int16':
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return bytes(Uint16Array.from(t.int32_data as number[]))
    default:
      return bytes(Uint8Array.from((t.int32_data ?? []) as number[]))
  }
}

function toValueInfo(v: Message): ValueInfo {
  const type: Message | undefined = v.type?.tensor_type
  const name: string = v.name ?? ''
  if (!type) throw new ProtoError(`${name} is not a tensor`)
  const dtype = dtypeOf(type.elem_type, name)
  if (!type.shape) return { name, dtype }
  return { name, dtype, shape: type.shape.dim.map((d: Message) => d.dim_value ?? d.dim_param) }
}
