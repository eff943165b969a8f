import type { DType, Tensor } from '@eas/base'
import { JsonText } from '../rows/batch-builder.ts'
import { cellOf, type OutputCell, type RowWriter } from './row-writer.ts'

/** A column of a chunk that is written as a table. */
export type ColumnOut =
  | {
      readonly kind: 'kept'
      readonly name: string
      readonly type: KeptType
      /** Of its type; `null` where a row has none. */
      readonly values: readonly unknown[]
    }
  | {
      readonly kind: 'output'
      readonly name: string
      readonly dtype: DType
      /** Dimensions of a row; `undefined` when rows differ. All of `cells` are of one rank. */
      readonly rowShape: readonly number[] | undefined
      readonly rank: number
      readonly cells: readonly OutputCell[]
    }

/** `json`: texts of whatever has no other type. */
export type KeptType = 'bool' | 'int64' | 'float64' | 'string' | 'time' | 'json'

/** Collects a chunk's rows by column, and has them encoded at its end. */
export function tableWriter(
  outputs: ReadonlyMap<string, string>,
  encode: (columns: readonly ColumnOut[], count: number) => Promise<Uint8Array>,
): RowWriter {
  const kept = new Map<string, unknown[]>()
  const cells = new Map([...outputs.keys()].map((name) => [name, [] as OutputCell[]]))
  const names = new Set(outputs.values())
  let count = 0
  return {
    write({ batch, results }) {
      const first = count
      const rows = results.flatMap((result, row) => (result ? [row] : []))
      for (const [name, values] of batch.kept) {
        if (names.has(name)) continue
        const column = kept.get(name) ?? []
        for (const [i, row] of rows.entries()) column[first + i] = values[row]
        kept.set(name, column)
      }
      for (const row of rows) {
        const result = results[row]
        for (const [name, column] of cells) {
          const tensor = result?.outputs.get(name) as Tensor // asked for
          column.push(cellOf(tensor, result?.index ?? 0))
        }
      }
      count += rows.length
    },
    async end() {
      if (count === 0) return undefined
      return encode(
        [
          ...[...kept].map(([name, values]) => keptColumn(name, values, count)),
          ...[...cells].map(([output, column]) => outputColumn(outputs.get(output) ?? output, column)),
        ],
        count,
      )
    },
  }
}

function outputColumn(name: string, cells: readonly OutputCell[]): ColumnOut {
  const { dtype, shape } = (cells[0] as OutputCell).tensor // of a chunk that has rows
  const rowShape = shape.slice(1)
  const isUniform = cells.every(({ tensor }) => rowShape.every((dim, i) => tensor.shape[i + 1] === dim))
  return { kind: 'output', name, dtype, rowShape: isUniform ? rowShape : undefined, rank: rowShape.length, cells }
}

function keptColumn(name: string, given: readonly unknown[], count: number): ColumnOut {
  const values = Array.from({ length: count }, (_, i) => valueOfKept(given[i]))
  let type: KeptType | undefined
  for (const value of values) {
    if (value === null) continue
    const own = typeOf(value)
    type = type === undefined || type === own ? own : (joined[`${type} ${own}`] ?? 'json')
  }
  const kind = type ?? 'string'
  return {
    kind: 'kept',
    name,
    type: kind,
    values: values.map((value) => (value === null ? null : convert[kind](value))),
  }
}

/** Types that two types of one column have in common. */
const joined: { readonly [types: string]: KeptType } = { 'int64 float64': 'float64', 'float64 int64': 'float64' }

const convert: { readonly [T in KeptType]: (value: unknown) => unknown } = {
  bool: (value) => value,
  int64: (value) => BigInt(value as number | bigint), // by its type
  float64: Number,
  string: (value) => value,
  time: (value) => value,
  json: (value) => (typeof value === 'bigint' ? String(value) : JSON.stringify(value, jsonSafe)),
}

const jsonSafe = (_: string, value: unknown) =>
  typeof value === 'bigint'
    ? String(value)
    : ArrayBuffer.isView(value)
      ? Array.from(value as unknown as ArrayLike<unknown>) // numbers
      : value

function typeOf(value: unknown): KeptType {
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'bigint') return 'int64'
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'int64' : 'float64'
  return value instanceof Date ? 'time' : 'json'
}

function valueOfKept(value: unknown): unknown {
  if (!(value instanceof JsonText)) return value ?? null
  const { text } = value
  // Integers of JSON that no double holds, such as most ids of 64 bits.
  if (/^-?\d{16,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text)) return BigInt(text)
  return JSON.parse(text)
}
