import type { MessageType } from './proto.ts'

/** Messages and field numbers. @see https://github.com/onnx/onnx/blob/v1.16.0/onnx/onnx.proto3 */

const entry: MessageType = { key: [1, 'string'], value: [2, 'string'] }
const opset: MessageType = { domain: [1, 'string'], version: [2, 'int'] }

const tensorType: MessageType = {
  dims: [1, 'int', true],
  data_type: [2, 'int'],
  float_data: [4, 'float', true],
  int32_data: [5, 'int', true],
  string_data: [6, 'bytes', true],
  int64_data: [7, 'int64', true],
  name: [8, 'string'],
  raw_data: [9, 'bytes'],
  double_data: [10, 'double', true],
  uint64_data: [11, 'uint64', true],
  external_data: [13, () => entry, true],
  data_location: [14, 'int'],
}

const dimension: MessageType = { dim_value: [1, 'int'], dim_param: [2, 'string'] }
const shape: MessageType = { dim: [1, () => dimension, true] }
const tensorTypeInfo: MessageType = { elem_type: [1, 'int'], shape: [2, () => shape] }
const typeInfo: MessageType = { tensor_type: [1, () => tensorTypeInfo] }
const valueInfoType: MessageType = { name: [1, 'string'], type: [2, () => typeInfo] }

export const attributeType: MessageType = {
  name: [1, 'string'],
  f: [2, 'float'],
  i: [3, 'int'],
  s: [4, 'bytes'],
  t: [5, () => tensorType],
  g: [6, () => graphType],
  floats: [7, 'float', true],
  ints: [8, 'int', true],
  strings: [9, 'bytes', true],
  type: [20, 'int'],
}

/** `AttributeProto.AttributeType`. */
export const attributeKind = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const

const nodeType: MessageType = {
  input: [1, 'string', true],
  output: [2, 'string', true],
  name: [3, 'string'],
  op_type: [4, 'string'],
  // Kept as bytes: an attribute of an unknown kind is written back as it came.
  attribute: [5, 'bytes', true],
  domain: [7, 'string'],
}

const graphType: MessageType = {
  node: [1, () => nodeType, true],
  name: [2, 'string'],
  initializer: [5, () => tensorType, true],
  input: [11, () => valueInfoType, true],
  output: [12, () => valueInfoType, true],
  value_info: [13, () => valueInfoType, true],
}

export const modelType: MessageType = {
  ir_version: [1, 'int'],
  producer_name: [2, 'string'],
  producer_version: [3, 'string'],
  graph: [7, () => graphType],
  opset_import: [8, () => opset, true],
  metadata_props: [14, () => entry, true],
  functions: [25, 'bytes', true],
}
