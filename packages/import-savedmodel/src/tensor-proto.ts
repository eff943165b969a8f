import { type DType, dtypes } from '@eas/base'
import {
  bytesOf,
  type ElementType,
  elementTypes,
  type GraphBuilder,
  isComplex,
  type Message,
  refuse,
  toBytes,
  type Value,
} from '@eas/onnx'
import { dataTypeName, dtypeOf } from './dtype.ts'
import { toShape } from './graph-def.ts'

/** Bytes of one constant. A file of 2 GB is the most protobuf allows; a repeated value can stand for any size. */
const maxConstantBytes = 2 ** 31

/** Elements that one value repeated may have before it is left to the graph to repeat it. */
const maxRepeats = 4096

export const isElementType = (dtype: DType | undefined): dtype is ElementType =>
  dtype !== undefined && Object.hasOwn(elementTypes, dtype)

/** Whole numbers that stand for others of a range, by the type that holds them: the operators around them know the range. */
const heldAs: Partial<Record<DType, ElementType>> = {
  qint8: 'int8',
  quint8: 'uint8',
  qint16: 'int16',
  quint16: 'uint16',
  qint32: 'int32',
}
const plain = (dtype: DType | undefined): DType | undefined => (dtype && heldAs[dtype]) ?? dtype

/** @throws {ImportRefusal} For an element type that ONNX does not have. */
export function elementType(named: DType | undefined, where = ''): ElementType {
  const dtype = plain(named)
  if (isElementType(dtype)) return dtype
  const what = named ? `the element type ${named}` : 'what is a resource, a float of 8 bits or an integer of 4'
  throw refuse(`${what} cannot be computed with`, where)
}

/**
 * A `TensorProto` as a value: bytes as they lie in the file, or the listed values, of which the last stands for all that
 * are missing.
 * @throws {ImportRefusal} When the values do not fit the shape, or the type or size cannot be had.
 * @see https://github.com/tensorflow/tensorflow/blob/v2.16.1/tensorflow/core/framework/tensor.proto
 */
export function toValue(g: GraphBuilder, proto: Message, where: string): Value {
  const code: number = proto.dtype ?? 0
  const dtype = plain(dtypeOf(code))
  if (!isElementType(dtype) || isComplex(dtype))
    throw refuse(`a constant of type ${dataTypeName(code)} is not supported`, where)
  const shape = toShape(proto.tensor_shape ?? { dim: [] }) ?? []
  const size = shape.reduce((a, b) => a * b, 1)
  if (shape.some((d) => d < 0) || size * Math.max(bytesOf(dtype), 1) > maxConstantBytes)
    throw refuse(`a constant of shape [${shape}] is too large`, where)
  if (dtype === 'string') return stringValue(proto, shape, size, where)
  const content: Uint8Array | undefined = proto.tensor_content
  if (content && content.length > 0) {
    if (content.length !== size * bytesOf(dtype))
      throw refuse(`a constant of shape [${shape}] has ${content.length} bytes`, where)
    return g.constant(dtype, shape, { bytes: content })
  }
  return listedValue(g, dtype, shape, size, listed(dtype, proto), where)
}

function stringValue(proto: Message, shape: readonly number[], size: number, where: string): Value {
  const listed: readonly Uint8Array[] = proto.string_val
  if (listed.length > size || (listed.length === 0 && size > 0) || size > 2 ** 24)
    throw refuse(`a constant of shape [${shape}] has ${listed.length} strings`, where)
  const strings = Array.from({ length: size }, (_, i) => listed[Math.min(i, listed.length - 1)] ?? new Uint8Array())
  return { dtype: 'string', shape, content: { strings } }
}

function listedValue(
  g: GraphBuilder,
  dtype: ElementType,
  shape: readonly number[],
  size: number,
  bytes: Uint8Array,
  where: string,
): Value {
  const width = bytesOf(dtype)
  const count = bytes.length / width
  if (count > size) throw refuse(`a constant of shape [${shape}] has ${count} values`, where)
  if (count === size) return g.constant(dtype, shape, { bytes })
  const last = count > 0 ? bytes.subarray((count - 1) * width) : new Uint8Array(width)
  if (count <= 1 && size > maxRepeats) {
    const tensor = { dtype, shape: [1], content: { bytes: last.slice() } }
    return g.one('ConstantOfShape', [g.numbers('int64', [shape.length], shape)], dtype, shape, { value: { tensor } })
  }
  const all = new Uint8Array(size * width)
  all.set(bytes)
  for (let i = count; i < size; i++) all.set(last, i * width)
  return g.constant(dtype, shape, { bytes: all })
}

/** The listed values as the bytes they would have in `tensor_content`. */
function listed(dtype: ElementType, proto: Message): Uint8Array {
  switch (dtype) {
    case 'float32':
      return toBytes(dtype, proto.float_val)
    case 'float64':
      return toBytes(dtype, proto.double_val)
    case 'float16':
    case 'bfloat16':
      return new Uint8Array(Uint16Array.from(proto.half_val).buffer)
    case 'int64':
      return new Uint8Array(BigInt64Array.from(proto.int64_val).buffer)
    case 'uint64':
      return new Uint8Array(BigUint64Array.from(proto.uint64_val).buffer)
    case 'uint32':
      return toBytes(dtype, proto.uint32_val)
    case 'bool':
      return Uint8Array.from(proto.bool_val, Number)
    default:
      return new Uint8Array(new dtypes[dtype as 'int32'].array(proto.int_val).buffer) // the rest are integers of up to 32 bits
  }
}
