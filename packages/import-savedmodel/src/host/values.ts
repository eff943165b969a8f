import {
  type DType,
  dtypes,
  EasError,
  fromBfloat16,
  fromHalf,
  type NumericDType,
  sizeOf,
  type Tensor,
  toBfloat16,
  toHalf,
} from '@eas/base'
import type { Dim, OutputType } from '@eas/onnx'
import type { Op } from '../op.ts'
import { elementType } from '../tensor-proto.ts'
import type { HostAttrs } from './program.ts'

/** Tensors as the host's operators take and make them. */

/** A value of a request cannot be taken. */
export const invalid = (what: string): EasError => new EasError('invalid_request', `Cannot predict: ${what}`)

/** Elements one operator may make from a request. */
const maxElements = 2 ** 26

export function allocate(count: number): number {
  if (!(count <= maxElements)) throw invalid(`a tensor of ${count} elements would be made`)
  return count
}

export const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
export const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
export const bytesOf = (value: string, encoding: 'utf8' | 'latin1' = 'utf8'): Uint8Array => {
  const buffer = Buffer.from(value, encoding)
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

export function strings(tensor: Tensor | undefined): readonly Uint8Array[] {
  if (tensor?.dtype !== 'string') throw invalid(`strings are meant, where ${tensor?.dtype ?? 'nothing'} is given`)
  return tensor.data
}

/** Elements as they are, whole numbers of 64 bits as such. */
export function scalars(tensor: Tensor | undefined): readonly (number | bigint)[] {
  if (!tensor || tensor.dtype === 'string')
    throw invalid(`numbers are meant, where ${tensor?.dtype ?? 'nothing'} is given`)
  if (tensor.dtype === 'float16') return Array.from(tensor.data, fromHalf)
  if (tensor.dtype === 'bfloat16') return Array.from(tensor.data, fromBfloat16)
  return Array.from(tensor.data as ArrayLike<number | bigint>)
}

/** Elements as numbers; whole numbers beyond 2^53 lose digits. */
export const numbers = (tensor: Tensor | undefined): readonly number[] => scalars(tensor).map(Number)

export const number = (tensor: Tensor | undefined): number => numbers(tensor)[0] ?? 0

export function bigints(tensor: Tensor | undefined): readonly bigint[] {
  if (!tensor || tensor.dtype === 'string') throw invalid('whole numbers are meant, where strings are given')
  return Array.from(tensor.data as ArrayLike<number | bigint>, BigInt)
}

export const stringTensor = (data: readonly Uint8Array[], shape: readonly number[] = [data.length]): Tensor => ({
  dtype: 'string',
  shape,
  data,
})

export function numericTensor(
  dtype: DType,
  values: readonly (number | bigint)[],
  shape: readonly number[] = [values.length],
): Tensor {
  if (dtype === 'string') throw invalid('numbers cannot be strings')
  const { array } = dtypes[dtype as NumericDType]
  const data = new array(values.length)
  for (const [i, v] of values.entries()) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array)
      data[i] = typeof v === 'bigint' ? v : BigInt(Math.trunc(v))
    else if (dtype === 'float16') data[i] = toHalf(Number(v))
    else if (dtype === 'bfloat16') data[i] = toBfloat16(Number(v))
    // Arrays keep the low bits of a number, and of a wide one those that a number can hold.
    else data[i] = Number(typeof v === 'bigint' && !isFractional(dtype) ? BigInt.asIntN(32, v) : v)
  }
  return { dtype, shape, data } as Tensor // the array of the dtype's own row
}

/** Whether numbers of a type have places behind the point. */
export const isFractional = (dtype: DType): boolean => dtype.startsWith('float') || dtype === 'bfloat16'

/** Elements in another order: for each of the result, which of the source. */
export function pick(tensor: Tensor, order: readonly number[], shape: readonly number[]): Tensor {
  const source = tensor.data as ArrayLike<unknown>
  if (tensor.dtype === 'string')
    return { dtype: 'string', shape, data: order.map((i) => tensor.data[i] ?? new Uint8Array()) }
  const data = new dtypes[tensor.dtype].array(order.length)
  for (const [k, i] of order.entries()) (data as unknown as unknown[])[k] = source[i] // elements of one array for those of its like
  return { dtype: tensor.dtype, shape, data } as Tensor // the array of the dtype's own row
}

/** Sizes to multiply coordinates with, row-major. */
export function strides(shape: readonly number[]): number[] {
  const result = new Array<number>(shape.length).fill(1)
  for (let i = shape.length - 2; i >= 0; i--) result[i] = (result[i + 1] ?? 1) * (shape[i + 1] ?? 1)
  return result
}

export function sizeOfShape(shape: readonly number[]): number {
  const size = sizeOf(shape)
  if (size === undefined) throw invalid(`a tensor of shape [${shape}] would be made`)
  return size
}

/** The shape of operands broadcast against each other. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1]
    if (x !== y && x !== 1 && y !== 1) throw invalid(`Incompatible shapes: [${a}] vs. [${b}]`)
    return x === 1 ? y : x
  })
}

/** For each element of a broadcast result, which of the operand. */
export function placesIn(from: readonly number[], to: readonly number[]): number[] {
  const [a, b] = [strides(from), strides(to)]
  const offset = to.length - from.length
  return Array.from({ length: allocate(sizeOfShape(to)) }, (_, n) => {
    let at = 0
    for (const [k, size] of from.entries())
      if (size !== 1) at += (Math.floor(n / (b[k + offset] ?? 1)) % (to[k + offset] ?? 1)) * (a[k] ?? 1)
    return at
  })
}

/** Attributes of a step. */
export const stringAttr = (attrs: HostAttrs, name: string, otherwise = ''): string =>
  typeof attrs[name] === 'string' ? attrs[name] : otherwise
export function numberAttr(attrs: HostAttrs, name: string, otherwise: number): number {
  const value = attrs[name]
  return typeof value === 'number' ? value : otherwise
}
export const boolAttr = (attrs: HostAttrs, name: string, otherwise = false): boolean =>
  typeof attrs[name] === 'boolean' ? attrs[name] : otherwise
export const listAttr = (attrs: HostAttrs, name: string): readonly unknown[] =>
  Array.isArray(attrs[name]) ? attrs[name] : []
export const dtypeAttr = (attrs: HostAttrs, name: string, otherwise: DType): DType =>
  stringAttr(attrs, name, otherwise) as DType // Attrs.plain gives types by these names

/** Types of outputs, for those without a lowering. */
export const like =
  (dtype: DType, input = 0) =>
  (op: Op): OutputType[] => [{ dtype: elementType(dtype), shape: op.tensor(input).shape }]
export const fresh = (op: Op): Dim => op.g.freshDim('p')
export const typed = (dtype: DType | undefined, shape: readonly Dim[]): OutputType => ({
  dtype: elementType(dtype),
  shape,
})
