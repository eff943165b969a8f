import { dtypes, type Tensor } from '@eas/base'
import { elementOf, textOrBytes } from './tensor-text.ts'

/**
 * Any value of a message as JSON: maps become objects, typed arrays lists, integers of 64 bits numbers with all their
 * digits, NaN and the infinities the strings `NaN`, `Infinity` and `-Infinity`, bytes that are no text
 * `{"base64": …}`. Read back by `parseJsonInput`.
 */
export function toJson(value: unknown, indent = ''): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : `"${value}"`
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Uint8Array) return bytesJson(value)
  if (isTensor(value)) return toJson(tensorContent(value), indent)
  if (value instanceof Nested) return value.text
  if (value instanceof Map)
    return block(
      [...value].map(([key, item]) => [String(key), item]),
      indent,
    )
  if (Array.isArray(value)) {
    const inner = `${indent}  `
    return value.some((item) => typeof item === 'object' && item !== null)
      ? `[\n${value.map((item) => inner + toJson(item, inner)).join(',\n')}\n${indent}]`
      : `[${value.map((item) => toJson(item)).join(', ')}]`
  }
  if (ArrayBuffer.isView(value)) {
    return `[${Array.from(value as unknown as Iterable<number | bigint>, (item) => toJson(item)).join(', ')}]` // no DataView is
  }
  return block(Object.entries(value), indent)
}

function block(entries: readonly (readonly [string, unknown])[], indent: string): string {
  const inner = `${indent}  `
  const lines = entries
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => `${inner}${JSON.stringify(key)}: ${toJson(item, inner)}`)
  return lines.length > 0 ? `{\n${lines.join(',\n')}\n${indent}}` : '{}'
}

function bytesJson(bytes: Uint8Array): string {
  const text = textOrBytes(bytes)
  return typeof text === 'string' ? JSON.stringify(text) : `{"base64": "${Buffer.from(text).toString('base64')}"}`
}

/** JSON already made. */
class Nested {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export const isTensor = (value: unknown): value is Tensor =>
  typeof value === 'object' &&
  value !== null &&
  'dtype' in value &&
  'shape' in value &&
  'data' in value &&
  !(value.data instanceof Nested)

/** `dtype`, `shape`, and the values in nested lists. */
export function tensorContent(tensor: Tensor): { dtype: string; shape: readonly number[]; data: unknown } {
  return { dtype: tensor.dtype, shape: tensor.shape, data: new Nested(nestedLists(tensor)) }
}

function nestedLists(tensor: Tensor): string {
  const { dtype, shape } = tensor
  // The axes before an empty one may be of any length; the shape says them.
  if (shape.includes(0)) return '[]'
  const axes = dtype !== 'string' && dtypes[dtype].perElement === 2 ? [...shape, 2] : shape
  const render = (axis: number, offset: number): string => {
    const dim = axes[axis]
    if (dim === undefined) return toJson(elementOf(tensor, offset))
    const parts: string[] = []
    for (let i = 0; i < dim; i++) parts.push(render(axis + 1, offset * dim + i))
    return `[${parts.join(',')}]`
  }
  return render(0, 0)
}
