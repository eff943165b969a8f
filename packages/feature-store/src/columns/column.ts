/**
 * Columns as they are read: typed arrays, a row number away. They are plain data over shared memory and can be posted to
 * another thread, which then reads the same bytes.
 */
export type Column = NumberColumn | TextColumn | ListColumn | MapColumn

export interface NumberColumn {
  readonly form: 'numbers'
  /** A missing float or double is NaN. */
  readonly data: Int32Array | BigInt64Array | Float32Array | Float64Array
  /** 0 where a whole number is missing; without it none is. */
  readonly valid?: Uint8Array
}

/** UTF-8 texts, one after the other: text `i` is `bytes[starts[i]]` up to `starts[i + 1]`. A missing one is empty. */
export interface TextColumn {
  readonly form: 'texts'
  readonly bytes: Uint8Array
  /** `[rows + 1]` */
  readonly starts: Uint32Array
}

/** Row `i` holds the values from `starts[i]` up to `starts[i + 1]`; a missing list is empty. Of lists, values are lists. */
export interface ListColumn {
  readonly form: 'list'
  /** `[rows + 1]` */
  readonly starts: Uint32Array
  readonly values: NumberColumn | TextColumn | ListColumn
}

/** As a list, of pairs. */
export interface MapColumn {
  readonly form: 'map'
  /** `[rows + 1]` */
  readonly starts: Uint32Array
  readonly keys: NumberColumn | TextColumn
  readonly values: NumberColumn | TextColumn
}

/** A value as JavaScript has it. Maps keep the order of their entries. */
export type Value = number | bigint | string | ArrayLike<unknown> | ReadonlyMap<unknown, unknown> | undefined

/** The value of a row; `undefined` when it is missing. Lists of numbers are views of the column. */
export function valueAt(column: Column, row: number): Value {
  switch (column.form) {
    case 'numbers': {
      if (column.valid?.[row] === 0) return undefined
      const value = column.data[row]
      return Number.isNaN(value) ? undefined : value
    }
    case 'texts':
      return textAt(column, row) || undefined
    case 'list': {
      const [start = 0, end = 0] = [column.starts[row], column.starts[row + 1]]
      return start === end ? undefined : slice(column.values, start, end)
    }
    case 'map': {
      const [start = 0, end = 0] = [column.starts[row], column.starts[row + 1]]
      if (start === end) return undefined
      const [keys, values] = [slice(column.keys, start, end), slice(column.values, start, end)]
      return new Map(Array.from(keys, (key, i) => [key, values[i]]))
    }
  }
}

/** The text of a row, `''` when it is missing. */
export function textAt({ bytes, starts }: TextColumn, row: number): string {
  return decode(bytes, starts[row] ?? 0, starts[row + 1] ?? 0)
}

function slice(column: NumberColumn | TextColumn | ListColumn, start: number, end: number): ArrayLike<unknown> {
  if (column.form === 'numbers') return column.data.subarray(start, end)
  if (column.form === 'texts') return Array.from({ length: end - start }, (_, i) => textAt(column, start + i))
  const { starts, values } = column
  return Array.from({ length: end - start }, (_, i) =>
    slice(values, starts[start + i] ?? 0, starts[start + i + 1] ?? 0),
  )
}

/** Node's own decoder: `TextDecoder` takes no shared memory. One `Buffer` is kept per buffer, as making it costs more. */
function decode(bytes: Uint8Array, start: number, end: number): string {
  if (start === end) return ''
  let buffer = buffers.get(bytes.buffer)
  if (!buffer) {
    buffer = Buffer.from(bytes.buffer)
    buffers.set(bytes.buffer, buffer)
  }
  return buffer.toString('utf8', bytes.byteOffset + start, bytes.byteOffset + end)
}

const buffers = new WeakMap<object, Buffer>()
