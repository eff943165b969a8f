import type { MessageType } from '@eas/onnx'

/**
 * The messages of a SavedModel, a GraphDef and a checkpoint index, as far as they are read: field names and numbers.
 * @see https://github.com/tensorflow/tensorflow/tree/v2.16.1/tensorflow/core/protobuf (saved_model, meta_graph, saver, tensor_bundle)
 * @see https://github.com/tensorflow/tensorflow/tree/v2.16.1/tensorflow/core/framework (graph, node_def, attr_value, tensor, function)
 */

const mapOf = (value: () => MessageType): (() => MessageType) => {
  const entry: MessageType = { key: [1, 'string'], value: [2, value] }
  return () => entry
}

const dimension: MessageType = { size: [1, 'int'], name: [2, 'string'] }
export const shapeType: MessageType = { dim: [2, () => dimension, true], unknown_rank: [3, 'bool'] }

export const tensorType: MessageType = {
  dtype: [1, 'int'],
  tensor_shape: [2, () => shapeType],
  version_number: [3, 'int'],
  tensor_content: [4, 'bytes'],
  float_val: [5, 'float', true],
  double_val: [6, 'double', true],
  int_val: [7, 'int', true],
  string_val: [8, 'bytes', true],
  scomplex_val: [9, 'float', true],
  int64_val: [10, 'int64', true],
  bool_val: [11, 'bool', true],
  dcomplex_val: [12, 'double', true],
  half_val: [13, 'int', true],
  uint32_val: [16, 'int', true],
  uint64_val: [17, 'uint64', true],
}

const funcType: MessageType = { name: [1, 'string'], attr: [2, mapOf(() => attrType), true] }

const listType: MessageType = {
  s: [2, 'bytes', true],
  i: [3, 'int', true],
  f: [4, 'float', true],
  b: [5, 'bool', true],
  type: [6, 'int', true],
  shape: [7, () => shapeType, true],
  tensor: [8, () => tensorType, true],
  func: [9, () => funcType, true],
}

export const attrType: MessageType = {
  list: [1, () => listType],
  s: [2, 'bytes'],
  i: [3, 'int'],
  f: [4, 'float'],
  b: [5, 'bool'],
  type: [6, 'int'],
  shape: [7, () => shapeType],
  tensor: [8, () => tensorType],
  placeholder: [9, 'string'],
  func: [10, () => funcType],
}

const nodeType: MessageType = {
  name: [1, 'string'],
  op: [2, 'string'],
  input: [3, 'string', true],
  device: [4, 'string'],
  attr: [5, mapOf(() => attrType), true],
}

const argType: MessageType = {
  name: [1, 'string'],
  type: [3, 'int'],
  type_attr: [4, 'string'],
  number_attr: [5, 'string'],
  type_list_attr: [6, 'string'],
}
const signatureOfFunction: MessageType = {
  name: [1, 'string'],
  input_arg: [2, () => argType, true],
  output_arg: [3, () => argType, true],
}
const stringEntry: MessageType = { key: [1, 'string'], value: [2, 'string'] }
const functionType: MessageType = {
  signature: [1, () => signatureOfFunction],
  node_def: [3, () => nodeType, true],
  ret: [4, () => stringEntry, true],
}
const libraryType: MessageType = { function: [1, () => functionType, true] }
const versionsType: MessageType = { producer: [1, 'int'], min_consumer: [2, 'int'] }

export const graphType: MessageType = {
  node: [1, () => nodeType, true],
  library: [2, () => libraryType],
  versions: [4, () => versionsType],
}

const cooSparse: MessageType = {
  values_tensor_name: [1, 'string'],
  indices_tensor_name: [2, 'string'],
  dense_shape_tensor_name: [3, 'string'],
}
export const tensorInfoType: MessageType = {
  name: [1, 'string'],
  dtype: [2, 'int'],
  tensor_shape: [3, () => shapeType],
  coo_sparse: [4, () => cooSparse],
  composite_tensor: [5, 'bytes'],
}
const signatureType: MessageType = {
  inputs: [1, mapOf(() => tensorInfoType), true],
  outputs: [2, mapOf(() => tensorInfoType), true],
  method_name: [3, 'string'],
}
const saverType: MessageType = { filename_tensor_name: [1, 'string'], restore_op_name: [3, 'string'] }
const nodeList: MessageType = { value: [1, 'string', true] }
const bytesList: MessageType = { value: [1, 'bytes', true] }
const anyMessage: MessageType = { value: [2, 'bytes'] }
const anyList: MessageType = { value: [1, () => anyMessage, true] }
const collectionType: MessageType = {
  node_list: [1, () => nodeList],
  bytes_list: [2, () => bytesList],
  any_list: [5, () => anyList],
}
export const assetType: MessageType = { tensor_info: [1, () => tensorInfoType], filename: [2, 'string'] }
const metaInfo: MessageType = { tags: [4, 'string', true], tensorflow_version: [5, 'string'] }

const objectReference: MessageType = { node_id: [1, 'int'], local_name: [2, 'string'] }
const savedVariable: MessageType = { name: [6, 'string'] }
const savedObject: MessageType = { children: [1, () => objectReference, true], variable: [7, () => savedVariable] }
const concreteFunction: MessageType = { bound_inputs: [2, 'int', true] }
const objectGraphType: MessageType = {
  nodes: [1, () => savedObject, true],
  concrete_functions: [2, mapOf(() => concreteFunction), true],
}

const serializedTensor: MessageType = { name: [1, 'string'], checkpoint_key: [3, 'string'] }
const trackable: MessageType = {
  children: [1, () => objectReference, true],
  attributes: [2, () => serializedTensor, true],
}
/** What a checkpoint written by objects keeps beside its tensors. */
export const trackableGraphType: MessageType = { nodes: [1, () => trackable, true] }

const metaGraphType: MessageType = {
  meta_info_def: [1, () => metaInfo],
  graph_def: [2, () => graphType],
  saver_def: [3, () => saverType],
  collection_def: [4, mapOf(() => collectionType), true],
  signature_def: [5, mapOf(() => signatureType), true],
  asset_file_def: [6, () => assetType, true],
  object_graph_def: [7, () => objectGraphType],
}

export const savedModelType: MessageType = {
  saved_model_schema_version: [1, 'int'],
  meta_graphs: [2, () => metaGraphType, true],
}

export const bundleHeaderType: MessageType = { num_shards: [1, 'int'], endianness: [2, 'int'] }
const extentType: MessageType = { start: [1, 'int'], length: [2, 'int'] }
const sliceType: MessageType = { extent: [1, () => extentType, true] }
export const bundleEntryType: MessageType = {
  dtype: [1, 'int'],
  shape: [2, () => shapeType],
  shard_id: [3, 'int'],
  offset: [4, 'int'],
  size: [5, 'int'],
  crc32c: [6, 'fixed32'],
  slices: [7, () => sliceType, true],
}
