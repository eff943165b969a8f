import type { DType } from '@eas/base'
import { type OutputRows, rowSizeOf } from './row-writer.ts'

/** Arrays whose bytes are Parquet's plain encoding of outputs of these dtypes: of the type that holds them there. */
const plainArrays: { readonly [D in DType]?: new (length: number) => PlainArray } = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int32Array,
  int16: Int32Array,
  int32: Int32Array,
  uint8: Int32Array,
  uint16: Int32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
}

type PlainArray = Float32Array | Float64Array | Int32Array | BigInt64Array | BigUint64Array

/** Rows of lists of one size, none of them null, as a page of Parquet has them: levels, then values. */
export interface PlainPage {
  readonly rows: number
  readonly entries: number
  readonly repetitions: Uint8Array
  readonly definitions: Uint8Array
  readonly values: Uint8Array
}

/** Bytes of values in a page; a row is never cut. As hyparquet-writer has it. */
const pageBytes = 1024 * 1024

/** Whether `plainPages` knows how to write such an output: numbers, and lists of numbers that are not empty. */
export const isPlain = (dtype: DType, rowShape: readonly number[] | undefined): boolean =>
  dtype in plainArrays && rowShape?.every((dim) => dim > 0) === true

/**
 * The pages of an output that `isPlain`, without taking its rows apart.
 * @see Apache Parquet "Nested Encoding", "Encodings"
 */
export function plainPages(dtype: DType, rowShape: readonly number[], given: readonly OutputRows[]): PlainPage[] {
  const size = rowShape.reduce((product, dim) => product * dim, 1)
  const count = given.reduce((sum, rows) => sum + rows.count, 0)
  const array = plainArrays[dtype] as new (length: number) => Float32Array // it is one of them, and all are set alike
  const numbers = new array(count * size)
  let at = 0
  for (const { tensor, index, count: rows } of given) {
    const rowSize = rowSizeOf(tensor)
    const part = (tensor.data as Float32Array).subarray(index * rowSize, (index + rows) * rowSize) // as above
    numbers.set(part, at)
    at += part.length
  }
  const step = Math.max(1, Math.floor(pageBytes / (size * numbers.BYTES_PER_ELEMENT)))
  const pages: PlainPage[] = []
  for (let from = 0; from < count; from += step) {
    const rows = Math.min(step, count - from)
    const part = numbers.subarray(from * size, (from + rows) * size)
    pages.push({
      rows,
      entries: part.length,
      repetitions: repetitionLevels(rowShape, rows),
      definitions: rowShape.length === 0 ? nothing : run(rowShape.length, part.length),
      values: new Uint8Array(part.buffer, part.byteOffset, part.byteLength),
    })
  }
  return pages
}

const nothing = new Uint8Array()

/** Of each entry: 0 where a row begins, else how deep the list is that it goes on. */
function repetitionLevels(rowShape: readonly number[], rows: number): Uint8Array {
  const rank = rowShape.length
  if (rank === 0) return nothing
  const size = rowShape.reduce((product, dim) => product * dim, 1)
  if (size === 1) return run(0, rows)
  const levels = new Uint8Array(size).fill(rank)
  let step = 1
  for (let dim = rank - 1; dim >= 0; dim--) {
    step *= rowShape[dim] ?? 1
    for (let i = 0; i < size; i += step) levels[i] = dim
  }
  const width = 32 - Math.clz32(rank)
  const groups = Math.ceil((rows * size) / 8)
  const head = varint((groups << 1) | 1)
  const bytes = new Uint8Array(head.length + groups * width)
  bytes.set(head)
  let out = head.length
  let held = 0
  let bits = 0
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < size; i++) {
      held |= (levels[i] as number) << bits // inside
      bits += width
      while (bits >= 8) {
        bytes[out++] = held
        held >>>= 8
        bits -= 8
      }
    }
  }
  if (bits > 0) bytes[out] = held
  return bytes
}

/** One level, so many times. */
function run(level: number, count: number): Uint8Array {
  return Uint8Array.from([...varint(count * 2), level])
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let left = value
  for (; left >= 0x80; left = Math.floor(left / 128)) bytes.push((left & 0x7f) | 0x80)
  return [...bytes, left]
}
