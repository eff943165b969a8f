import { type DType, formatShape, oneLine, type Tensor } from '@eas/base'
import { BatchError } from '../batch-error.ts'
import type { ResultRun } from '../engine/score-rows.ts'
import { FineTime } from '../read/exact-values.ts'
import type { ColumnType } from '../read/table.ts'
import { JsonText } from '../rows/batch-builder.ts'
import type { ColumnTypes, OutputRows, RowWriter } from './row-writer.ts'

/** A column of a chunk that is written as a table. */
export type ColumnOut =
  | {
      readonly kind: 'kept'
      readonly name: string
      readonly type: ColumnType
      /** Of its type; `null` where a row has none. */
      readonly values: readonly unknown[]
    }
  | {
      readonly kind: 'output'
      readonly name: string
      readonly dtype: DType
      /** Dimensions of a row; `undefined` when rows differ. All of `rows` are of one rank. */
      readonly rowShape: readonly number[] | undefined
      readonly rank: number
      readonly rows: readonly OutputRows[]
    }

/** A file under way. The columns of each of its groups of rows are of the same names and types. */
export interface TableFile {
  add(columns: readonly ColumnOut[], count: number): void
  end(): Uint8Array
}

export interface TableFormat {
  /** @param columns Of the first group. */
  open(columns: readonly ColumnOut[]): Promise<TableFile>
  /** Rows of a group; all of a chunk by default. Groups are encoded while the model computes the rows behind them. */
  readonly groupRows?: number
}

/** As many rows as are encoded in a few milliseconds. */
export const groupRows = 4096

/** Rows that are collected by column. */
interface Group {
  count: number
  readonly kept: Map<string, unknown[]>
  readonly outputs: Map<string, OutputRows[]>
}

/** A kept column's values, and what they are; `undefined` where all are null. */
interface Kept {
  readonly type: ColumnType | undefined
  readonly values: readonly unknown[]
}

/** A group that is whole. */
interface WholeGroup {
  readonly count: number
  readonly kept: ReadonlyMap<string, Kept>
  readonly outputs: ReadonlyMap<string, readonly OutputRows[]>
}

/** Collects a chunk's rows by column, and has them encoded group by group. */
export function tableWriter(outputs: ReadonlyMap<string, string>, format: TableFormat): RowWriter {
  const rowsMax = format.groupRows ?? Number.POSITIVE_INFINITY
  const newGroup = (): Group => ({
    count: 0,
    kept: new Map(),
    outputs: new Map([...outputs.keys()].map((name) => [name, []])),
  })
  let group = newGroup()
  const groups: WholeGroup[] = []
  let file: Promise<TableFile> | undefined
  /** Taken from the first group. When another does not fit them, everything is encoded at the end. */
  let types: ColumnTypes = new Map()
  let declared: ColumnTypes = new Map()
  let before: ColumnTypes = new Map()
  let isEncoding = true

  function encodeGroup(): void {
    const whole = wholeGroup(group, (name) => before.get(name) ?? declared.get(name))
    group = newGroup()
    groups.push(whole)
    types = groups.length === 1 ? typesOf(groups, before) : types
    isEncoding &&= fits(whole, types, groups[0] as WholeGroup) // there is one now
    if (!isEncoding) return
    const columns = columnsOf(whole, types, outputs)
    file = (file ?? format.open(columns)).then((open) => {
      open.add(columns, whole.count)
      return open
    })
    file.catch(() => {}) // told at the end
  }

  return {
    goOn(columns) {
      before = columns
      types = columns
    },
    declare(given) {
      declared = given
    },
    write({ batch, runs }) {
      const kept = [...batch.kept]
      for (const run of runs) {
        for (let done = 0; done < run.count; ) {
          const count = Math.min(run.count - done, rowsMax - group.count)
          addRows(group, kept, { ...run, row: run.row + done, index: run.index + done, count })
          done += count
          if (group.count >= rowsMax) encodeGroup()
        }
      }
    },
    async end() {
      if (group.count > 0) encodeGroup()
      if (groups.length === 0) return undefined
      if (isEncoding && file) return (await file).end()
      types = typesOf(groups, before)
      const all = groups.map((whole) => columnsOf(whole, types, outputs))
      const again = await format.open(all[0] ?? [])
      for (const [i, columns] of all.entries()) again.add(columns, groups[i]?.count ?? 0)
      return again.end()
    },
    columns: () => types,
  }
}

function addRows(
  group: Group,
  kept: readonly (readonly [string, readonly unknown[]])[],
  { row, count, outputs, index }: ResultRun,
): void {
  for (const [name, values] of kept) {
    const column = group.kept.get(name) ?? []
    group.kept.set(name, column)
    for (let i = 0; i < count; i++) column[group.count + i] = values[row + i]
  }
  for (const [name, rows] of group.outputs) rows.push({ tensor: outputs.get(name) as Tensor, index, count }) // asked for
  group.count += count
}

function wholeGroup({ count, kept, outputs }: Group, declared: (name: string) => ColumnType | undefined): WholeGroup {
  const columns = [...kept].map(([name, values]) => [name, keptOf(values, count, declared(name))] as const)
  return { count, kept: new Map(columns), outputs }
}

/** @param declared Counts unless there is a value that it cannot hold. */
function keptOf(given: readonly unknown[], count: number, declared: ColumnType | undefined): Kept {
  const values = Array.from({ length: count }, (_, i) => valueOfKept(given[i]))
  if (declared && values.every((value) => value === null || holds[declared](value))) return { type: declared, values }
  let type: ColumnType | undefined
  for (const [i, value] of values.entries()) {
    if (value !== null) type = joinedType(type, isFraction(given[i]) ? 'float64' : typeOf(value))
  }
  return { type, values }
}

/** Whether it is a number that is written as none of the integers, even if it is one: its column's others need not be. */
const isFraction = (given: unknown) => given instanceof JsonText && /^-?\d+(?:\.|[eE])/.test(given.text)

const isInteger = (value: unknown) => typeof value === 'bigint' || Number.isSafeInteger(value)

/** Whether a column of a type can hold a value. */
const holds: { readonly [T in ColumnType]: (value: unknown) => boolean } = {
  bool: (value) => typeof value === 'boolean',
  int64: (value) => isInteger(value) && isInt64(BigInt(value as number | bigint)), // an integer
  uint64: (value) => isInteger(value) && isUint64(BigInt(value as number | bigint)), // an integer
  float64: (value) => typeof value === 'number',
  string: (value) => typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint',
  time: (value) => value instanceof Date && !(value instanceof FineTime),
  fineTime: (value) => value instanceof Date,
  json: () => true,
}

/** The types that the columns of all groups have in common; those of the part before come first, whether they have values or not. */
function typesOf(groups: readonly WholeGroup[], before: ColumnTypes): ColumnTypes {
  const types = new Map<string, ColumnType | undefined>(before)
  for (const { kept } of groups) for (const [name, { type }] of kept) types.set(name, joinedType(types.get(name), type))
  return new Map([...types].map(([name, type]) => [name, type ?? 'string']))
}

/** Whether a group has no column, and none of a type, that its file has not. */
function fits({ kept, outputs }: WholeGroup, types: ColumnTypes, first: WholeGroup): boolean {
  const isKnown = [...kept].every(
    ([name, { type }]) => types.has(name) && (type ?? types.get(name)) === types.get(name),
  )
  const formOf = (group: WholeGroup['outputs'], name: string) => {
    const tensor = group.get(name)?.[0]?.tensor
    return `${tensor?.dtype} ${tensor?.shape.length}`
  }
  return isKnown && [...outputs.keys()].every((name) => formOf(outputs, name) === formOf(first.outputs, name))
}

function columnsOf(
  { kept, outputs, count }: WholeGroup,
  types: ColumnTypes,
  names: ReadonlyMap<string, string>,
): ColumnOut[] {
  const keptColumns = [...types].map(([name, type]): ColumnOut => {
    const values = kept.get(name)?.values ?? new Array(count).fill(null)
    return { kind: 'kept', name, type, values: values.map((value) => (value === null ? null : convert[type](value))) }
  })
  return [...keptColumns, ...[...outputs].map(([name, rows]) => outputColumn(names.get(name) ?? name, rows))]
}

function outputColumn(name: string, rows: readonly OutputRows[]): ColumnOut {
  const { dtype, shape } = (rows[0] as OutputRows).tensor // of a group that has rows
  const rowShape = shape.slice(1)
  const other = rows.find(({ tensor }) => tensor.dtype !== dtype || tensor.shape.length !== shape.length)
  if (other) {
    const forms = [shape, other.tensor.shape].map((form) => formatShape(form)).join(' and ')
    throw new BatchError(
      'unsupported',
      `Cannot write output ${oneLine(name)} to a column: it is ${forms}, of ${dtype} and ${other.tensor.dtype}; write ndjson`,
    )
  }
  const isUniform = rows.every(({ tensor }) => rowShape.every((dim, i) => tensor.shape[i + 1] === dim))
  return { kind: 'output', name, dtype, rowShape: isUniform ? rowShape : undefined, rank: rowShape.length, rows }
}

function joinedType(a: ColumnType | undefined, b: ColumnType | undefined): ColumnType | undefined {
  if (a === undefined || a === b) return b ?? a
  return b === undefined ? a : (joined[`${a} ${b}`] ?? 'json')
}

/** Types that two types of one column have in common. */
const joined: { readonly [types: string]: ColumnType } = {
  'int64 float64': 'float64',
  'float64 int64': 'float64',
  'time fineTime': 'fineTime',
  'fineTime time': 'fineTime',
}

const convert: { readonly [T in ColumnType]: (value: unknown) => unknown } = {
  bool: (value) => value,
  int64: (value) => BigInt(value as number | bigint), // by its type
  uint64: (value) => BigInt(value as number | bigint), // by its type
  float64: Number,
  string: (value) => (typeof value === 'string' ? value : String(value)),
  time: (value) => value,
  fineTime: (value) => value,
  json: (value) => (typeof value === 'bigint' ? String(value) : JSON.stringify(value, jsonSafe)),
}

const jsonSafe = (_: string, value: unknown) =>
  typeof value === 'bigint'
    ? numberOrText(value)
    : ArrayBuffer.isView(value)
      ? Array.from(value as unknown as ArrayLike<unknown>) // numbers
      : value

const numberOrText = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : String(value))

const isInt64 = (value: bigint) => BigInt.asIntN(64, value) === value
const isUint64 = (value: bigint) => BigInt.asUintN(64, value) === value

function typeOf(value: unknown): ColumnType {
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  // Unsigned ones may be larger.
  if (typeof value === 'bigint') return isInt64(value) ? 'int64' : 'json'
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'int64' : 'float64'
  if (value instanceof FineTime) return 'fineTime'
  return value instanceof Date ? 'time' : 'json'
}

function valueOfKept(value: unknown): unknown {
  // As rows of text have them.
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  }
  if (!(value instanceof JsonText)) return value ?? null
  const { text } = value
  // Integers of JSON that no double holds, such as most ids of 64 bits.
  if (/^-?\d{16,20}$/.test(text)) return BigInt(text)
  return JSON.parse(text)
}

/** A kept time as microseconds since 1970. */
export const microsOf = (value: unknown): bigint | null =>
  value instanceof FineTime ? value.micros : value instanceof Date ? BigInt(value.getTime()) * 1000n : null
