import { countVarints, type Runs, readInt32s, readInt64s, viewFloat32, viewFloat64 } from './runs.ts'
import { sizeOfInt64s, writeInt64s } from './value-codec.ts'
import { type FieldForm, form } from './well-formed.ts'
import { type Reader, type Sizes, sizeOfInt32, sizeOfInt64, sizeOfUtf8, type Writer, wireType } from './wire.ts'

/** The five types that features are made of, under the names their messages give them. */
export type ScalarType = 'int' | 'long' | 'string' | 'float' | 'double'
export type Scalar = number | bigint | string
export type Numbers = Int32Array | BigInt64Array | Float32Array | Float64Array

/** How one of the types goes on the wire. Each method takes values of its own type only; the rows of members see to it. */
interface ScalarCodec {
  readonly wire: 0 | 1 | 2 | 5
  readonly form: FieldForm
  readonly zero: Scalar
  size(value: Scalar, sizes: Sizes): number
  write(writer: Writer, value: Scalar): void
  /** The numbers of a list. */
  numbers(reader: Reader, runs: Runs): Numbers
  sizeOfRun(numbers: Numbers): number
  writeRun(writer: Writer, numbers: Numbers): void
}

const notNumbers = (): never => {
  throw new TypeError('A list of strings holds no numbers')
}

export const scalars: Readonly<Record<ScalarType, ScalarCodec>> = {
  int: {
    wire: wireType.varint,
    form: form.varint,
    zero: 0,
    size: (value) => sizeOfInt32(Number(value)),
    write: (writer, value) => writer.int32(Number(value)),
    numbers(reader, runs) {
      const bytes = runs.bytesOf(reader)
      const numbers = new Int32Array(countVarints(bytes, runs.start, runs.end))
      readInt32s(bytes, runs.start, runs.end, numbers)
      return numbers
    },
    sizeOfRun(numbers) {
      let size = 0
      for (let i = 0; i < numbers.length; i++) size += sizeOfInt32(Number(numbers[i]))
      return size
    },
    writeRun(writer, numbers) {
      for (let i = 0; i < numbers.length; i++) writer.int32(Number(numbers[i]))
    },
  },
  long: {
    wire: wireType.varint,
    form: form.varint,
    zero: 0n,
    size: (value) => sizeOfInt64(BigInt(value)),
    write: (writer, value) => writer.int64(BigInt(value)),
    numbers(reader, runs) {
      const bytes = runs.bytesOf(reader)
      const numbers = new BigInt64Array(countVarints(bytes, runs.start, runs.end))
      readInt64s(bytes, runs.start, runs.end, numbers)
      return numbers
    },
    sizeOfRun: (numbers) => sizeOfInt64s(numbers),
    writeRun: (writer, numbers) => writeInt64s(writer, numbers),
  },
  string: {
    wire: wireType.bytes,
    form: form.text,
    zero: '',
    size: (value, sizes) => sizes.add(sizeOfUtf8(String(value))),
    write: (writer, value) => writer.string(String(value)),
    numbers: notNumbers,
    sizeOfRun: notNumbers,
    writeRun: notNumbers,
  },
  float: {
    wire: wireType.fixed32,
    form: form.fixed32,
    zero: 0,
    size: () => 4,
    write: (writer, value) => writer.float(Number(value)),
    numbers: (reader, runs) => viewFloat32(runs.bytesOf(reader), runs.start, runs.end),
    sizeOfRun: (numbers) => numbers.byteLength,
    writeRun: (writer, numbers) => writer.raw(numbers),
  },
  double: {
    wire: wireType.fixed64,
    form: form.fixed64,
    zero: 0,
    size: () => 8,
    write: (writer, value) => writer.double(Number(value)),
    numbers: (reader, runs) => viewFloat64(runs.bytesOf(reader), runs.start, runs.end),
    sizeOfRun: (numbers) => numbers.byteLength,
    writeRun: (writer, numbers) => writer.raw(numbers),
  },
}

/** One value. A switch rather than a row's method: the compiler sees through it. */
export function readScalar(reader: Reader, type: ScalarType): Scalar {
  switch (type) {
    case 'int':
      return reader.int32()
    case 'long':
      return reader.int64()
    case 'string':
      return reader.string()
    case 'float':
      return reader.float()
    case 'double':
      return reader.double()
  }
}
