import { type DType, dtypes, fromBfloat16, fromHalf, type Tensor, toBfloat16, toHalf } from '@eas/base'
import { countVarints, readBools, readInt32s, readInt64s, viewFloat32, viewFloat64 } from './runs.ts'
import { sizeOfHalves, sizeOfInt32, sizeOfLength, type Writer } from './wire.ts'

/** What a tensor's elements lie in, strings aside. */
export type NumericData = Exclude<Tensor['data'], readonly Uint8Array[]>

/** A value that does not fit its dtype: where it stands and what it is. */
export interface Misfit {
  readonly index: number
  readonly value: number
}

/** The elements of a dtype as a packed run, and back. */
export interface ValueCodec {
  /** Bytes per value; 0 for varints. */
  readonly fixedSize: 0 | 4 | 8
  /** The `count` values in `[start, end)`, or `undefined` when there are fewer or more. */
  decode(bytes: Uint8Array, start: number, end: number, count: number): NumericData | Misfit | undefined
  /** Bytes of the run. */
  size(data: NumericData): number
  write(writer: Writer, data: NumericData): void
}

const float32s: ValueCodec = {
  fixedSize: 4,
  decode: (bytes, start, end) => viewFloat32(bytes, start, end),
  size: (data) => data.byteLength,
  write: (writer, data) => writer.raw(data),
}

const float64s: ValueCodec = {
  fixedSize: 8,
  decode: (bytes, start, end) => viewFloat64(bytes, start, end),
  size: (data) => data.byteLength,
  write: (writer, data) => writer.raw(data),
}

/** 16-bit floats travel as 32-bit ones. */
const halves = (toBits: (value: number) => number, fromBits: (bits: number) => number): ValueCodec => ({
  fixedSize: 4,
  decode(bytes, start, end, count) {
    const values = viewFloat32(bytes, start, end)
    const data = new Uint16Array(count)
    for (let i = 0; i < count; i++) data[i] = toBits(values[i] ?? 0)
    return data
  },
  size: (data) => data.length * 4,
  write(writer, data) {
    const values = new Float32Array(data.length)
    for (let i = 0; i < values.length; i++) values[i] = fromBits(Number(data[i]))
    writer.raw(values)
  },
})

const int32s: ValueCodec = {
  fixedSize: 0,
  decode(bytes, start, end, count) {
    const data = new Int32Array(count)
    return readInt32s(bytes, start, end, data) === end ? data : undefined
  },
  size(data) {
    const values = asInt32s(data)
    let size = 0
    for (let i = 0; i < values.length; i++) size += sizeOfInt32(values[i] ?? 0)
    return size
  },
  write(writer, data) {
    const values = asInt32s(data)
    for (let i = 0; i < values.length; i++) writer.int32(values[i] ?? 0)
  },
}

/** One loop sees one kind of array; the conversion is native. */
const asInt32s = (data: NumericData): Int32Array =>
  // Only codecs of narrower integers pass anything else, and those convert.
  data instanceof Int32Array ? data : new Int32Array(data as Exclude<NumericData, BigInt64Array | BigUint64Array>)

const narrow = (make: (values: Int32Array) => NumericData, least: number, greatest: number): ValueCodec => ({
  ...int32s,
  decode(bytes, start, end, count) {
    const values = new Int32Array(count)
    if (readInt32s(bytes, start, end, values) !== end) return undefined
    for (let index = 0; index < count; index++) {
      const value = values[index] ?? 0
      if (value < least || value > greatest) return { index, value }
    }
    return make(values)
  },
})

const int8s = narrow((values) => new Int8Array(values), -128, 127)
const uint8s = narrow((values) => new Uint8Array(values), 0, 255)
const int16s = narrow((values) => new Int16Array(values), -32768, 32767)
const uint16s = narrow((values) => new Uint16Array(values), 0, 65535)

const bools: ValueCodec = {
  fixedSize: 0,
  decode(bytes, start, end, count) {
    const data = new Uint8Array(count)
    return readBools(bytes, start, end, data) === end ? data : undefined
  },
  size: (data) => data.length,
  write(writer, data) {
    for (let i = 0; i < data.length; i++) writer.byte(data[i] ? 1 : 0)
  },
}

const int64s: ValueCodec = {
  fixedSize: 0,
  decode(bytes, start, end, count) {
    const data = new BigInt64Array(count)
    return readInt64s(bytes, start, end, data) === end ? data : undefined
  },
  size: (data) => sizeOfInt64s(data),
  write: (writer, data) => writeInt64s(writer, data),
}

export function sizeOfInt64s(data: ArrayBufferView): number {
  const words = new Int32Array(data.buffer, data.byteOffset, data.byteLength / 4)
  let size = 0
  for (let i = 0; i < words.length; i += 2) {
    const low = words[i] ?? 0
    const high = words[i + 1] ?? 0
    size += high === 0 ? sizeOfLength(low >>> 0) : sizeOfHalves(low, high)
  }
  return size
}

export function writeInt64s(writer: Writer, data: ArrayBufferView): void {
  const words = new Int32Array(data.buffer, data.byteOffset, data.byteLength / 4)
  for (let i = 0; i < words.length; i += 2) writer.halves(words[i] ?? 0, words[i + 1] ?? 0)
}

const codecs: Readonly<Partial<Record<DType, ValueCodec>>> = {
  float32: float32s,
  float64: float64s,
  float16: halves(toHalf, fromHalf),
  bfloat16: halves(toBfloat16, fromBfloat16),
  int8: int8s,
  int16: int16s,
  int32: int32s,
  int64: int64s,
  uint8: uint8s,
  uint16: uint16s,
  bool: bools,
  qint8: int8s,
  quint8: uint8s,
  qint16: int16s,
  quint16: uint16s,
  qint32: int32s,
  complex64: float32s,
  complex128: float64s,
}

/** `undefined` for strings, and for dtypes that no message has a number for. */
export const valueCodec = (dtype: DType): ValueCodec | undefined => codecs[dtype]

/** Numbers per element: 2 for complex ones. */
export const perElement = (dtype: DType): number => (dtype === 'string' ? 1 : dtypes[dtype].perElement)

/** How many values `[start, end)` holds. */
export const countValues = (fixedSize: number, bytes: Uint8Array, start: number, end: number): number =>
  fixedSize === 0 ? countVarints(bytes, start, end) : (end - start) / fixedSize
