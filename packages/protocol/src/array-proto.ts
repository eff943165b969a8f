import { assert, EasError, formatShape, limits, oneLine, sizeOf, type Tensor } from '@eas/base'
import type { DataTypes, ValueField } from './data-type.ts'
import { Fault, inField } from './decode-error.ts'
import { Runs } from './runs.ts'
import { countValues, type NumericData, perElement, valueCodec } from './value-codec.ts'
import { type Reader, type Sizes, sizeOfLength, sizeOfUint53, type Writer } from './wire.ts'

/**
 * `ArrayProto` ⇄ `Tensor`, of the torch and of the TensorFlow kind: the two differ in `bool_val`.
 * @see proto/pytorch_predict.proto, proto/tf_predict.proto
 */

/** What has been read of one `ArrayProto`. One serves a whole request. */
export class ArrayState {
  readonly types: DataTypes
  dtype = 0
  hasShape = false
  shape: number[] = []
  readonly float_val = new Runs()
  readonly double_val = new Runs()
  readonly int_val = new Runs()
  readonly int64_val = new Runs()
  readonly bool_val = new Runs()
  string_val: Uint8Array[] = []
  /** Tensors of the request so far. */
  private tensors = 0

  constructor(types: DataTypes) {
    this.types = types
  }

  begin(reader: Reader): void {
    if (++this.tensors > limits.tensors) throw reader.fault(`the message has over ${limits.tensors} tensors`)
    this.dtype = 0
    this.hasShape = false
    this.shape = []
    this.float_val.clear()
    this.double_val.clear()
    this.int_val.clear()
    this.int64_val.clear()
    this.bool_val.clear()
    this.string_val = []
  }
}

/** Reads one `ArrayProto` into `state`; a second one of the same field is merged with the first. */
export function readArrayProto(reader: Reader, state: ArrayState): void {
  const outer = reader.enter()
  let tag = 0
  try {
    while (reader.pos < reader.end) {
      tag = 0
      tag = reader.tag()
      switch (tag) {
        case 0x08:
          state.dtype = reader.int32()
          break
        case 0x12:
          readArrayShape(reader, state)
          break
        case 0x1a:
          state.float_val.addPackedFixed(reader, 4)
          break
        case 0x1d:
          state.float_val.addFixed(reader, 4)
          break
        case 0x22:
          state.double_val.addPackedFixed(reader, 8)
          break
        case 0x21:
          state.double_val.addFixed(reader, 8)
          break
        case 0x2a:
          state.int_val.addPackedVarints(reader)
          break
        case 0x28:
          state.int_val.addVarint(reader)
          break
        case 0x32:
          state.string_val.push(reader.view())
          break
        case 0x3a:
          state.int64_val.addPackedVarints(reader)
          break
        case 0x38:
          state.int64_val.addVarint(reader)
          break
        case 0x42:
          if (state.types.hasBoolVal) state.bool_val.addPackedVarints(reader)
          else reader.skip(tag)
          break
        case 0x40:
          if (state.types.hasBoolVal) state.bool_val.addVarint(reader)
          else reader.skip(tag)
          break
        default:
          reader.skip(tag)
      }
    }
  } catch (thrown) {
    const name = fieldNames[tag >>> 3]
    throw name ? inField(thrown, name) : thrown
  }
  reader.end = outer
}

const fieldNames = [
  '',
  'dtype',
  'array_shape',
  'float_val',
  'double_val',
  'int_val',
  'string_val',
  'int64_val',
  'bool_val',
] as const

function readArrayShape(reader: Reader, state: ArrayState): void {
  const outer = reader.enter()
  state.hasShape = true
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x08) readDim(reader, state)
    else if (tag === 0x0a) {
      const rest = reader.enter()
      while (reader.pos < reader.end) readDim(reader, state)
      reader.end = rest
    } else reader.skip(tag)
  }
  reader.end = outer
}

function readDim(reader: Reader, state: ArrayState): void {
  const { shape } = state
  if (shape.length === limits.rank) throw reader.fault(`over ${limits.rank} dimensions`)
  try {
    shape.push(reader.size())
  } catch (thrown) {
    throw inField(thrown, 'dim', shape.length)
  }
}

/** ONNX Runtime for Node takes no larger one. Beside a 0 no values bound it. */
const dimMax = 2 ** 32 - 1

/** The tensor that `state` holds; `undefined` for an `ArrayProto` with nothing in it. */
export function toTensor(reader: Reader, state: ArrayState): Tensor | undefined {
  const { dtype: number, shape } = state
  const type = state.types.byNumber(number)
  if (!type) {
    if (number === 0 && !state.hasShape && heldValues(reader, state) === '') return undefined
    throw new Fault(`dtype is ${unsupportedTypes[number] ?? number}, which holds no values`, reader.pos, '', 'dtype')
  }
  const { dtype, field } = type
  const size = sizeOf(shape)
  if (size === undefined)
    throw new Fault('the shape has too many elements', reader.pos, formatShape(shape), 'array_shape')
  if (size === 0 && shape.some((dim) => dim > dimMax))
    throw new Fault(`a dimension is over ${dimMax}`, reader.pos, formatShape(shape), 'array_shape')
  if (field === 'string_val') {
    if (state.string_val.length !== size) throw miscount(reader, state, field)
    return { dtype: 'string', shape, data: state.string_val }
  }
  const codec = valueCodec(dtype)
  assert(codec, `a codec for ${dtype}`)
  const runs = state[field]
  const { start, end } = runs
  const count = size * perElement(dtype)
  // A varint takes a byte at least, so no more is made than eight times what came.
  const fits = codec.fixedSize === 0 ? count <= end - start : count * codec.fixedSize === end - start
  const data = fits ? codec.decode(runs.bytesOf(reader), start, end, count) : undefined
  if (data === undefined) throw miscount(reader, state, field)
  if ('index' in data) {
    const facts = `${field}[${data.index}] is ${data.value}, out of range`
    throw new Fault(facts, reader.pos, type.name, field)
  }
  // The row of a dtype names the codec that makes the array of that dtype.
  return { dtype, shape, data } as Tensor
}

/** As `toTensor`, where an `ArrayProto` with nothing in it has no meaning. */
export function toSomeTensor(reader: Reader, state: ArrayState): Tensor {
  const tensor = toTensor(reader, state)
  if (!tensor) throw new Fault('it is empty: no dtype, no shape and no values', reader.pos)
  return tensor
}

/** Rows of `ArrayDataType` that name no values. */
const unsupportedTypes: Readonly<Record<number, string>> = { 0: 'DT_INVALID', 20: 'DT_RESOURCE', 21: 'DT_VARIANT' }

function miscount(reader: Reader, state: ArrayState, field: ValueField): Fault {
  const facts = `${field} holds ${countOf(reader, state, field)} values`
  const held = countOf(reader, state, field) === 0 ? heldValues(reader, state) : ''
  const each = perElement(state.types.byNumber(state.dtype)?.dtype ?? 'string') === 2 ? ', two for each element' : ''
  return new Fault(facts + each + (held && `, ${held}`), reader.pos, formatShape(state.shape), field)
}

const valueFields: readonly ValueField[] = ['float_val', 'double_val', 'int_val', 'string_val', 'int64_val', 'bool_val']

/** The first field that does hold values, for a message that looked in another. */
function heldValues(reader: Reader, state: ArrayState): string {
  const held = valueFields.find((field) => countOf(reader, state, field) > 0)
  return held ? `${held} ${countOf(reader, state, held)}` : ''
}

function countOf(reader: Reader, state: ArrayState, field: ValueField): number {
  if (field === 'string_val') return state.string_val.length
  const runs = state[field]
  const fixedSize = field === 'float_val' ? 4 : field === 'double_val' ? 8 : 0
  return countValues(fixedSize, runs.bytesOf(reader), runs.start, runs.end)
}

/**
 * Bytes of a tensor as an `ArrayProto`, without its own length. `field` and `key` say whose it is, should it have none.
 * @throws {EasError} `internal` for a dtype that `ArrayDataType` has no number for: `uint32` and `uint64`.
 */
export function sizeOfArrayProto(
  tensor: Tensor,
  types: DataTypes,
  sizes: Sizes,
  field: string,
  key: string | number,
): number {
  const { dtype, shape, data } = tensor
  if (!types.byDType(dtype)) {
    const name = typeof key === 'number' ? key : JSON.stringify(oneLine(key))
    throw new EasError('internal', `Cannot encode ${field}[${name}]: EAS messages have no data type for ${dtype}`)
  }
  assert(data.length === (sizeOf(shape) ?? -1) * perElement(dtype), `${data.length} values fill ${formatShape(shape)}`)
  // One byte of tag and one of number: the largest is DT_HALF, 19.
  let size = 2
  const place = sizes.reserve()
  let dims = 0
  for (const dim of shape) dims += sizeOfUint53(dim)
  size += 1 + sizes.set(place, dims === 0 ? 0 : 1 + sizes.add(dims))
  if (dtype === 'string') {
    for (const element of data) size += 1 + sizeOfLength(element.length) + element.length
    return size
  }
  const codec = valueCodec(dtype)
  assert(codec, `a codec for ${dtype}`)
  return data.length === 0 ? size : size + 1 + sizes.add(codec.size(data))
}

/** Always with `array_shape`, an empty one for a scalar: the Go SDK panics without. */
export function writeArrayProto(writer: Writer, tensor: Tensor, types: DataTypes): void {
  const { dtype, shape, data } = tensor
  const type = types.byDType(dtype)
  assert(type, `${dtype} was measured`)
  writer.byte(0x08)
  writer.byte(type.number)
  writer.byte(0x12)
  if (writer.length() > 0) {
    writer.byte(0x0a)
    writer.length()
    for (const dim of shape) writer.uint53(dim)
  }
  if (dtype === 'string') {
    for (const element of data) {
      writer.byte(0x32)
      writer.uint32(element.length)
      writer.raw(element)
    }
    return
  }
  const codec = valueCodec(dtype)
  assert(codec, `a codec for ${dtype}`)
  if (data.length === 0) return
  writer.byte(valueTags[type.field])
  writer.length()
  codec.write(writer, data satisfies NumericData)
}

/** Tags of the packed forms. */
const valueTags: Readonly<Record<ValueField, number>> = {
  float_val: 0x1a,
  double_val: 0x22,
  int_val: 0x2a,
  string_val: 0x32,
  int64_val: 0x3a,
  bool_val: 0x42,
}
