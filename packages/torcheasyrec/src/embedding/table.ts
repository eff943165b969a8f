import { EasError, fromHalf } from '@eas/base'
import type { NpyArray } from './npz.ts'

/** Rows of an embedding, by id. */
export interface EmbeddingTable {
  readonly dimension: number
  /**
   * Adds the rows of ids `start` up to `end`, each times its weight, to `into` from `at` on. Where an id has no row: row 0 of a
   * table of fixed size, as fbgemm's bounds check does; the default or nothing of one that grows.
   *
   * @see fbgemm `bounds_check_indices`, mode WARNING
   */
  addRow(id: bigint, weight: number, into: Float32Array, at: number): void
}

/** Adds one row of a table's storage. */
type AddStored = (row: number, weight: number, into: Float32Array, at: number) => void

/**
 * A table with a row per id.
 * @param name For messages.
 * @throws {EasError} `not_ready` when the rows are not of `dimension`.
 */
export function staticTable(name: string, values: NpyArray, dimension: number): EmbeddingTable {
  const { rows, add } = storedRows(name, values, dimension)
  if (rows === 0) throw wrong(name, 'has no rows')
  return {
    dimension,
    addRow(id, weight, into, at) {
      const row = Number(id)
      add(row >= 0 && row < rows ? row : 0, weight, into, at)
    },
  }
}

/** A table whose rows, if it has any yet, belong to the keys beside them; -1 is no key. */
export function dynamicTable(
  name: string,
  keys: NpyArray,
  values: NpyArray,
  fallback: NpyArray | undefined,
  dimension: number,
): EmbeddingTable {
  const { rows, add } = storedRows(name, values, dimension)
  const { data } = keys
  if (!(data instanceof BigInt64Array) || data.length !== rows)
    throw wrong(name, `has ${data.length} keys for ${rows} rows`)
  const index = new Map<bigint, number>()
  for (const [row, key] of data.entries()) if (key !== -1n) index.set(key, row)
  const missing = fallback && storedRows(`the default of ${name}`, asOneRow(fallback, dimension), dimension).add
  return {
    dimension,
    addRow(id, weight, into, at) {
      const row = index.get(id)
      if (row !== undefined) add(row, weight, into, at)
      else missing?.(0, weight, into, at)
    },
  }
}

const asOneRow = ({ data }: NpyArray, dimension: number): NpyArray => ({
  shape: [data.length / dimension, dimension],
  data,
})

function storedRows(
  name: string,
  { shape, data }: NpyArray,
  dimension: number,
): { readonly rows: number; readonly add: AddStored } {
  const [rows = 0, width = 0] = shape
  if (shape.length !== 2) throw wrong(name, `has the shape [${shape}]`)
  if (data instanceof Float32Array && width === dimension) return { rows, add: floatRows(data, dimension) }
  if (data instanceof Uint8Array && width === dimension + quantBytes) return { rows, add: int8Rows(data, dimension) }
  throw wrong(name, `has rows of ${width} for the dimension ${dimension}`)
}

const wrong = (name: string, facts: string) =>
  new EasError('not_ready', `Cannot load the model: table ${name} ${facts}`)

function floatRows(data: Float32Array, dimension: number): AddStored {
  return (row, weight, into, at) => {
    const start = row * dimension
    for (let i = 0; i < dimension; i++) into[at + i] = (into[at + i] ?? 0) + weight * (data[start + i] ?? 0)
  }
}

/** A scale and an offset behind the codes, both halves. */
const quantBytes = 4

/** `DIST_QUANT=INT8`: a value is its code times the row's scale, plus its offset. `@see` TorchEasyRec, tzrec/utils/export_util.py */
function int8Rows(data: Uint8Array, dimension: number): AddStored {
  const width = dimension + quantBytes
  const half = (at: number) => fromHalf((data[at] ?? 0) | ((data[at + 1] ?? 0) << 8))
  return (row, weight, into, at) => {
    const start = row * width
    const scale = half(start + dimension)
    const offset = half(start + dimension + 2)
    for (let i = 0; i < dimension; i++) {
      into[at + i] = (into[at + i] ?? 0) + weight * Math.fround((data[start + i] ?? 0) * scale + offset)
    }
  }
}
