import { assert, dtypes, fromBfloat16, fromHalf, oneLine, sizeOf, type Tensor } from '@eas/base'

/** Tensors with more values are shortened. NumPy starts at 1000, which fills more than a screen. */
const shortenFrom = 64
/** Values shown at each end of a shortened axis, by rank; more axes have to do with one. */
const edgeCounts = [3, 3, 3, 2]
const lineChars = 100

/**
 * The values of a tensor in nested brackets, as NumPy prints them: floats to six digits, long axes with `...`.
 *
 * @param marksLargest Whether each shown row of a float `[n, classes]` ends with the index of its largest value, as `→ 7`.
 */
export function formatValues(tensor: Tensor, marksLargest = false): string {
  const { shape } = tensor
  const size = sizeOf(shape) ?? 0
  if (size === 0) return '[]'
  // More axes than a person can follow are shown as one.
  const axes = shape.length > 6 ? [size] : shape
  const edge = size > shortenFrom ? (edgeCounts[axes.length] ?? 1) : size
  const shown = new Map<number, string>()
  const format = elementText(tensor)
  const collect = (axis: number, offset: number) => {
    if (axis === axes.length) return void shown.set(offset, format(offset))
    for (const i of indexes(axes[axis] ?? 0, edge)) if (i >= 0) collect(axis + 1, offset * (axes[axis] ?? 0) + i)
  }
  collect(0, 0)
  const width = Math.max(...[...shown.values()].map((text) => text.length))
  const cell = (offset: number) => {
    const text = shown.get(offset) ?? ''
    return tensor.dtype === 'string' ? text.padEnd(width) : text.padStart(width)
  }
  const largest = marksLargest && axes.length === 2 ? largestOfRow(tensor) : undefined

  const render = (axis: number, offset: number): string => {
    if (axis === axes.length) return (shown.get(offset) ?? '').trim()
    const dim = axes[axis] ?? 0
    const indent = ' '.repeat(axis + 1)
    const at = (i: number) => offset * dim + i
    if (axis === axes.length - 1) {
      const cells = [...indexes(dim, edge)].map((i) => (i < 0 ? '...' : cell(at(i))))
      const row = `[${wrap(cells, indent)}]`
      return largest ? `${row}\0${largest(offset)}` : row
    }
    const parts = [...indexes(dim, edge)].map((i) => (i < 0 ? '...' : render(axis + 1, at(i))))
    const gap = '\n'.repeat(axes.length - axis - 1) + indent
    return `[${parts.join(gap)}]`
  }
  // What is said of a row stands after the brackets that close behind it.
  return render(0, 0).replace(/\0(\d*)(\]*)/g, (_, index: string, brackets: string) =>
    index === '' ? brackets : `${brackets}  → ${index}`,
  )
}

/** Indexes of an axis to show, -1 for those left out. */
function* indexes(dim: number, edge: number) {
  for (let i = 0; i < dim; i++) {
    if (i >= edge && i < dim - edge) {
      yield -1
      i = dim - edge
    }
    yield i
  }
}

function wrap(cells: readonly string[], indent: string): string {
  let text = ''
  let column = indent.length
  for (const [i, cell] of cells.entries()) {
    if (i > 0 && column + 1 + cell.length > lineChars) {
      text += `\n${indent}${cell}`
      column = indent.length + cell.length
    } else {
      text += i > 0 ? ` ${cell}` : cell
      column += cell.length + (i > 0 ? 1 : 0)
    }
  }
  return text
}

/** The index of the largest value of each row of a float `[n, classes]` with two classes or more. */
function largestOfRow(tensor: Tensor): ((row: number) => number | '') | undefined {
  const { dtype, shape } = tensor
  const [, classes = 0] = shape
  if (shape.length !== 2 || classes < 2) return undefined
  if (dtype !== 'float32' && dtype !== 'float64' && dtype !== 'float16' && dtype !== 'bfloat16') return undefined
  return (row) => {
    let best: number | '' = ''
    let most = Number.NEGATIVE_INFINITY
    for (let i = 0; i < classes; i++) {
      const value = numberAt(tensor, row * classes + i)
      if (value > most) {
        most = value
        best = i
      }
    }
    return best
  }
}

/** An element of a float tensor. */
function numberAt({ dtype, data }: Tensor, i: number): number {
  const value = data[i]
  assert(typeof value === 'number', 'an element of a float tensor')
  return dtype === 'float16' ? fromHalf(value) : dtype === 'bfloat16' ? fromBfloat16(value) : value
}

/** What one element is: a number, or a text when its bytes are UTF-8. `i` counts parts of a complex value. */
export function elementOf(tensor: Tensor, i: number): number | bigint | boolean | string | Uint8Array {
  const { dtype, data } = tensor
  const value = data[i]
  assert(value !== undefined, `element ${i} of ${data.length}`)
  if (value instanceof Uint8Array) return textOrBytes(value)
  if (typeof value === 'bigint') return value
  if (dtype === 'bool') return value !== 0
  return dtype === 'float16' ? fromHalf(value) : dtype === 'bfloat16' ? fromBfloat16(value) : value
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return utf8.decode(bytes)
  } catch {
    return bytes
  }
}

function elementText(tensor: Tensor): (offset: number) => string {
  const { dtype } = tensor
  if (dtype !== 'string' && dtypes[dtype].perElement === 2) {
    return (offset) => {
      const [real, imaginary] = [elementOf(tensor, 2 * offset), elementOf(tensor, 2 * offset + 1)].map(scalarText)
      return `${real}${imaginary?.startsWith('-') ? '' : '+'}${imaginary}j`
    }
  }
  return (offset) => scalarText(elementOf(tensor, offset))
}

/** Six digits tell floats apart for a person; files and `--json` have them all. */
export function scalarText(value: number | bigint | boolean | string | Uint8Array): string {
  if (typeof value === 'number') return numberText(value)
  if (typeof value === 'string') return JSON.stringify(oneLine(value, 60))
  if (!(value instanceof Uint8Array)) return String(value)
  const hex = Buffer.from(value.subarray(0, 16)).toString('hex')
  return `${value.length} bytes ${hex}${value.length > 16 ? '…' : ''}`
}

function numberText(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value)
  const rounded = Number(value.toPrecision(6))
  const magnitude = Math.abs(rounded)
  return magnitude < 1e-4 || magnitude >= 1e6 ? rounded.toExponential() : String(rounded)
}
