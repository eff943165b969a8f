import { type DType, dtypes, type Tensor, toBfloat16, toHalf } from '@eas/base'
import { type DataTypes, type FeatureKind, type PBFeature, tfDataTypes, torchDataTypes } from '@eas/protocol'

/**
 * Messages in protobuf's JSON, as the vectors record them, to the values our codecs speak. Written apart from the codecs,
 * so that they can be held against it.
 */
type Json = Readonly<Record<string, unknown>>

// The vectors are protobuf's JSON of known messages, so a member that is there has the type its field gives it.
const object = (json: unknown): Json => (json ?? {}) as Json
const list = (json: unknown): readonly unknown[] => (json ?? []) as readonly unknown[]
const text = (json: unknown): string => (json ?? '') as string

const texts = (json: unknown): string[] => list(json).map(text)
const mapOf = <V>(json: unknown, value: (json: unknown) => V): Map<string, V> =>
  new Map(Object.entries(object(json)).map(([key, entry]) => [key, value(entry)]))

export function tensorOf(json: unknown, types: DataTypes): Tensor {
  const proto = object(json)
  const type = types.byName(text(proto.dtype))
  if (!type) throw new Error(`No data type ${proto.dtype}`)
  const shape = list(object(proto.array_shape).dim).map(Number)
  // The pairing of dtype and array is the table's.
  return { dtype: type.dtype, shape, data: elementsOf(type.dtype, list(proto[type.field])) } as Tensor
}

function elementsOf(dtype: DType, values: readonly unknown[]): Tensor['data'] {
  if (dtype === 'string') return values.map((value) => new Uint8Array(Buffer.from(text(value), 'base64')))
  if (dtype === 'int64') return BigInt64Array.from(values, (value) => BigInt(text(value)))
  if (dtype === 'float16') return Uint16Array.from(values, (value) => toHalf(Number(value)))
  if (dtype === 'bfloat16') return Uint16Array.from(values, (value) => toBfloat16(Number(value)))
  const { array } = dtypes[dtype]
  // int64 is dealt with above, uint64 has no data type: what is left takes numbers.
  return (array as Float32ArrayConstructor).from(values, Number)
}

const isEmpty = (json: unknown): boolean => Object.keys(object(json)).length === 0
const torchTensor = (json: unknown) => tensorOf(json, torchDataTypes)
const tfTensor = (json: unknown) => tensorOf(json, tfDataTypes)

const int = Number
const long = (json: unknown) => BigInt(text(json))
const features = (of: (json: unknown) => unknown) => (json: unknown) => list(object(json).features).map(of)
const numbers = (from: (values: readonly unknown[]) => unknown) => (json: unknown) => from(list(object(json).features))
const lists = (of: (json: unknown) => unknown) => (json: unknown) => list(object(json).lists).map(of)
const keyed = (key: (json: string) => unknown, value: (json: unknown) => unknown) => (json: unknown) =>
  new Map(Object.entries(object(object(json).map_field)).map(([k, v]) => [key(k), value(v)]))

const intList = numbers((values) => Int32Array.from(values, Number))
const longList = numbers((values) => BigInt64Array.from(values, long))
const floatList = numbers((values) => Float32Array.from(values, Number))
const doubleList = numbers((values) => Float64Array.from(values, Number))
const float = (json: unknown) => Math.fround(Number(json))

const featureValues: Readonly<Record<FeatureKind, (json: unknown) => unknown>> = {
  int_feature: int,
  long_feature: long,
  string_feature: text,
  float_feature: float,
  double_feature: Number,
  long_string_map: keyed(long, text),
  long_int_map: keyed(long, int),
  long_long_map: keyed(long, long),
  long_float_map: keyed(long, float),
  long_double_map: keyed(long, Number),
  string_string_map: keyed(text, text),
  string_int_map: keyed(text, int),
  string_long_map: keyed(text, long),
  string_float_map: keyed(text, float),
  string_double_map: keyed(text, Number),
  int_string_map: keyed(int, text),
  int_int_map: keyed(int, int),
  int_long_map: keyed(int, long),
  int_float_map: keyed(int, float),
  int_double_map: keyed(int, Number),
  int_list: intList,
  long_list: longList,
  string_list: features(text),
  float_list: floatList,
  double_list: doubleList,
  int_lists: lists(intList),
  long_lists: lists(longList),
  string_lists: lists(features(text)),
  float_lists: lists(floatList),
  double_lists: lists(doubleList),
}

export function featureOf(json: unknown): PBFeature {
  const [member] = Object.entries(object(json))
  if (!member) return { kind: undefined, value: undefined }
  const kind = member[0] as FeatureKind // One of the oneof's names, as it is a PBFeature.
  return { kind, value: featureValues[kind](member[1]) } as PBFeature // The table pairs the two.
}

const contextFeatures = (json: unknown) => list(object(json).features).map(featureOf)

export const torchRequestOf = (json: unknown) => ({
  inputs: list(object(json).inputs).map((input) => (isEmpty(input) ? undefined : torchTensor(input))),
  output_filter: list(object(json).output_filter).map(Number),
  map_inputs: mapOf(object(json).map_inputs, torchTensor),
  debug_level: Number(object(json).debug_level ?? 0),
})

export const torchResponseOf = (json: unknown) => ({
  outputs: list(object(json).outputs).map(torchTensor),
  map_outputs: mapOf(object(json).map_outputs, torchTensor),
})

export const tfRequestOf = (json: unknown) => ({
  signature_name: text(object(json).signature_name),
  inputs: mapOf(object(json).inputs, tfTensor),
  output_filter: texts(object(json).output_filter),
})

export const tfResponseOf = (json: unknown) => ({ outputs: mapOf(object(json).outputs, tfTensor) })

export const torchrecRequestOf = (json: unknown) => ({
  debug_level: Number(object(json).debug_level ?? 0),
  user_features: mapOf(object(json).user_features, featureOf),
  item_ids: texts(object(json).item_ids),
  context_features: mapOf(object(json).context_features, contextFeatures),
  faiss_neigh_num: Number(object(json).faiss_neigh_num ?? 0),
  item_features: mapOf(object(json).item_features, contextFeatures),
  meta_data: mapOf(object(json).meta_data, text),
})

export const torchrecResponseOf = (json: unknown) => ({
  map_outputs: mapOf(object(json).map_outputs, torchTensor),
  generate_features: mapOf(object(json).generate_features, text),
  raw_features: mapOf(object(json).raw_features, text),
  item_ids: texts(object(json).item_ids),
  pass_through_data: mapOf(object(json).pass_through_data ?? object(json)[passThroughData], text),
})

/** The vector that has the field carries a remark in its name. */
const passThroughData = 'pass_through_data (field 5, Java>=2.0.30 only)'

export const pbLogDataOf = (json: unknown) => ({
  request: torchrecRequestOf(object(json).request),
  raw_features: mapOf(object(json).raw_features, text),
  generate_features: mapOf(object(json).generate_features, text),
})

export const easyrecResponseOf = (json: unknown) => ({
  results: mapOf(object(json).results, (entry) => Float64Array.from(list(object(entry).scores), Number)),
  item_features: mapOf(object(json).item_features, text),
  generate_features: mapOf(object(json).generate_features, text),
  context_features: mapOf(object(json).context_features, contextFeatures),
  error_msg: text(object(json).error_msg),
  status_code: Number(object(json).status_code ?? 0),
  item_ids: texts(object(json).item_ids),
  outputs: texts(object(json).outputs),
  raw_features: mapOf(object(json).raw_features, text),
  tf_outputs: mapOf(object(json).tf_outputs, tfTensor),
})
