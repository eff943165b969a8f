import { type DType, fromBfloat16, fromHalf, type Tensor } from '@eas/base'
import { JsonText } from '../rows/batch-builder.ts'
import { JsonBytes } from './json-bytes.ts'
import { rowSizeOf } from './row-writer.ts'

export type Element = number | bigint | boolean | string

/** An element as a value: numbers as numbers, 64-bit integers as `bigint`, truths as `boolean`, texts as `string`. */
export function elementOf({ dtype, data }: Tensor, i: number): Element {
  const element = data[i]
  if (element instanceof Uint8Array)
    return Buffer.from(element.buffer, element.byteOffset, element.byteLength).toString('utf8')
  if (dtype === 'bool') return element !== 0
  if (dtype === 'float16') return fromHalf(Number(element))
  if (dtype === 'bfloat16') return fromBfloat16(Number(element))
  return element ?? 0
}

/** JSON of a number; what JSON has no number for is null, as `JSON.stringify` has it. */
export function jsonOf(value: Element): string {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null'
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

/** JSON of a row of an output: nested lists by its shape behind the first dimension. */
export function jsonOfRow(tensor: Tensor, index: number): string {
  writeRow(scratch, tensor, index)
  return scratch.takeText()
}

const scratch = new JsonBytes()

/** As `jsonOfRow`, behind what has been written. */
export function writeRow(json: JsonBytes, tensor: Tensor, index: number): void {
  const size = rowSizeOf(tensor)
  writeNested(json, tensor, index * size, size, 1)
}

function writeNested(json: JsonBytes, tensor: Tensor, from: number, size: number, dim: number): void {
  const { shape, dtype } = tensor
  if (dim >= shape.length) {
    writeElement(json, tensor, from)
    return
  }
  const length = shape[dim] ?? 0
  json.byte(openBracket)
  if (dim === shape.length - 1 && dtype === 'float32') {
    json.float32s(tensor.data, from, length) // what nearly every output is
  } else {
    const step = length === 0 ? 0 : size / length
    for (let i = 0; i < length; i++) {
      if (i > 0) json.byte(comma)
      writeNested(json, tensor, from + i * step, step, dim + 1)
    }
  }
  json.byte(closeBracket)
}

function writeElement(json: JsonBytes, tensor: Tensor, i: number): void {
  if (tensor.dtype === 'float32') json.float32s(tensor.data, i, 1)
  else json.text(jsonOf(elementOf(tensor, i)))
}

const openBracket = 0x5b
const closeBracket = 0x5d
const comma = 0x2c

/** A row of an output as a value, or as nested lists of them. */
export function nestedRow(tensor: Tensor, index: number, convert?: (element: Element) => unknown): unknown {
  const size = rowSizeOf(tensor)
  const from = index * size
  if (tensor.shape.length === 2 && plainArrays.has(tensor.dtype) && !convert) return listOf(tensor.data, from, size)
  const listed = (at: number, length: number, dim: number): unknown => {
    if (dim >= tensor.shape.length) return convert ? convert(elementOf(tensor, at)) : elementOf(tensor, at)
    const count = tensor.shape[dim] ?? 0
    const step = count === 0 ? 0 : length / count
    return Array.from({ length: count }, (_, i) => listed(at + i * step, step, dim + 1))
  }
  return listed(from, size, 1)
}

/** Types whose elements are values as they are. */
const plainArrays: ReadonlySet<DType> = new Set([
  'float32',
  'float64',
  'int8',
  'int16',
  'int32',
  'uint8',
  'uint16',
  'uint32',
])

function listOf(data: Tensor['data'], from: number, size: number): unknown[] {
  const list: unknown[] = new Array(size)
  for (let i = 0; i < size; i++) list[i] = data[from + i]
  return list
}

/** JSON of a kept value: as it came, or of what a table has in its columns. */
export function jsonOfKept(value: unknown): string {
  if (value instanceof JsonText) return value.text
  return typeof value === 'bigint' ? String(value) : (JSON.stringify(plain(value)) ?? 'null')
}

/** What JSON can hold: 64-bit integers as numbers where those are exact, else as texts; bytes as base64. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (value instanceof Date || value === null || typeof value !== 'object') return value
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(value as ArrayLike<unknown>, plain) // a list or numbers
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]))
}
