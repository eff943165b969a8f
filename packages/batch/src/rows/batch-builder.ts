import { isUtf8 } from 'node:buffer'
import type { Tensor } from '@eas/base'
import { RowError } from '../batch-error.ts'
import type { NumberRows, TableColumn } from '../read/table.ts'
import { FeedBuilder } from './feed-builder.ts'
import { JsonScanner } from './json-scanner.ts'
import { clashOf, type RowPlan, type Target } from './mapping.ts'

/** A value that came as JSON and can go out as it is. */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Rows that one or more calls of the model will score. */
export interface RowBatch {
  readonly count: number
  /** Where each row stands in its object: 0-based. */
  readonly positions: readonly number[]
  /** Kept columns by name: a value per row, `undefined` where the row has none. */
  readonly kept: ReadonlyMap<string, readonly unknown[]>
  /** Rows that can be one tensor, most often all. */
  readonly groups: readonly RowGroup[]
}

export interface RowGroup {
  /** Indexes into the batch; `undefined`: all of it, in order. */
  readonly rows: readonly number[] | undefined
  readonly feeds: ReadonlyMap<string, Tensor>
}

interface Key {
  readonly bytes: Uint8Array
  readonly name: string
  readonly targets: readonly Target[]
  readonly isKept: boolean
  /** An output is called so too. */
  readonly isClash: boolean
}

/** Turns rows into tensors, one row at a time. A row that does not fit throws and leaves no trace. */
export class BatchBuilder {
  private readonly plan: RowPlan
  private readonly builders: readonly FeedBuilder[]
  private readonly scanner = new JsonScanner()
  private readonly keys: Key[] = []
  private readonly byName = new Map<string, Key>()
  private kept = new Map<string, unknown[]>()
  /** What is kept of the row under way: values, and the columns they go to once it is known to fit. */
  private readonly rowKept: unknown[] = []
  private readonly rowNames: string[] = []
  private positions: number[] = []
  /** The table that rows come from, and what becomes of its columns. */
  private tableNames: readonly string[] | undefined
  private tableKeys: readonly Key[] = []
  /** Of the table, when a column of its own feeds each input. */
  private fedByColumns: readonly { readonly builder: FeedBuilder; readonly column: number }[] | undefined

  constructor(plan: RowPlan) {
    this.plan = plan
    this.builders = plan.inputs.map(({ name, dtype, shape }) => new FeedBuilder(name, dtype, shape))
  }

  get count(): number {
    return this.positions.length
  }

  /** Of the feeds. */
  get bytes(): number {
    let bytes = 0
    for (const builder of this.builders) bytes += builder.bytes // asked for each row
    return bytes
  }

  /** Rows until the feeds take so many bytes, as far as rows are known to take as many each; one at least. */
  rowsWithin(bytesMax: number): number {
    const each = this.builders.reduce((sum, { rowBytes }) => sum + rowBytes, 0)
    return each === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.ceil((bytesMax - this.bytes) / each))
  }

  /**
   * A row that is a JSON object in these bytes.
   * @param isChecked Whether they are known to be UTF-8.
   * @throws {RowError}
   */
  addJson(bytes: Uint8Array, start: number, end: number, position: number, isChecked = false): void {
    if (!isChecked && !isUtf8(bytes.subarray(start, end))) throw new RowError('It is not UTF-8')
    this.begin()
    const { scanner } = this
    scanner.bytes = bytes
    scanner.at = start
    scanner.end = end
    const first = scanner.peek()
    if (first === openBracket) throw new RowError('It is a JSON list; each line takes an object of its own')
    if (first !== openBrace) throw new RowError('It is not a JSON object')
    scanner.at++
    if (!scanner.take(closeBrace)) {
      let i = 0
      do {
        const key = this.readKey(i++)
        scanner.expect(colon)
        this.readMember(key)
      } while (scanner.take(comma))
      scanner.expect(closeBrace)
    }
    const next = scanner.peek()
    if (next === openBrace)
      throw scanner.wrong('another object follows, which takes a line of its own that ends with a line feed')
    if (next !== -1) throw scanner.wrong('something follows the object')
    this.end(position)
  }

  /** A row of a table: a value for each of `names`, a text in CSV. @throws {RowError} */
  addValues(names: readonly string[], read: (column: number) => unknown, position: number, areTexts = false): void {
    this.begin()
    this.useTable(names)
    for (let column = 0; column < names.length; column++) {
      const key = this.tableKeys[column] as Key // as many as names
      if (key.targets.length === 0 && !key.isKept) continue
      const value = read(column)
      for (const { input, slot } of key.targets) {
        const builder = this.builders[input] as FeedBuilder // planned
        if (slot) builder.readSlotValue(value, slot.index, slot.count)
        else if (areTexts && typeof value === 'string') builder.readText(value)
        else builder.readValue(value)
      }
      if (key.isKept && value !== undefined) this.keep(key.name, value)
    }
    this.end(position)
  }

  /**
   * Rows of a table from the `i`-th on, `most` of them at most, as far as every input takes their numbers as they lie in the
   * columns' arrays.
   * @returns how many have been added.
   */
  addColumns(
    names: readonly string[],
    columns: readonly TableColumn[],
    i: number,
    most: number,
    position: number,
  ): number {
    this.useTable(names)
    const { fedByColumns } = this
    if (!fedByColumns || most < 1) return 0
    let count = most
    const found: { readonly builder: FeedBuilder; readonly rows: NumberRows }[] = []
    for (const { builder, column } of fedByColumns) {
      const size = builder.rowSize
      const rows = size === undefined ? undefined : columns[column]?.numbers?.(i, size, count)
      if (!rows || !builder.takesNumbers(rows.numbers)) return 0
      count = rows.count // at most as many as were asked for
      found.push({ builder, rows })
    }
    for (const { builder, rows } of found) builder.addRows(rows.numbers, count)
    const row = this.count
    for (const [column, { name, isKept }] of this.tableKeys.entries()) {
      if (!isKept) continue
      const kept = this.keptColumn(name)
      for (let k = 0; k < count; k++) {
        const value = columns[column]?.at(i + k)
        if (value !== undefined) kept[row + k] = value
      }
    }
    for (let k = 0; k < count; k++) this.positions.push(position + k)
    return count
  }

  /** The rows so far; the builder starts again. */
  take(): RowBatch {
    const count = this.count
    const groups = this.takeGroups()
    const batch = { count, positions: this.positions, kept: this.kept, groups }
    this.positions = []
    this.kept = new Map()
    return batch
  }

  private begin(): void {
    for (const builder of this.builders) builder.beginRow()
    // Setting the lengths of so short lists takes several times as long.
    while (this.rowKept.length > 0) this.rowKept.pop()
    while (this.rowNames.length > 0) this.rowNames.pop()
  }

  private keep(name: string, value: unknown): void {
    this.rowNames.push(name)
    this.rowKept.push(value)
  }

  private end(position: number): void {
    for (const builder of this.builders) builder.checkRow()
    for (const builder of this.builders) builder.endRow()
    const row = this.positions.length
    const { rowNames, rowKept } = this
    for (let i = 0; i < rowNames.length; i++) this.keptColumn(rowNames[i] as string)[row] = rowKept[i] // as many
    this.positions.push(position)
  }

  private keptColumn(name: string): unknown[] {
    let column = this.kept.get(name)
    if (!column) {
      column = []
      this.kept.set(name, column)
    }
    return column
  }

  private useTable(names: readonly string[]): void {
    if (names === this.tableNames) return
    this.tableNames = names
    this.tableKeys = names.map((name) => this.keyOf(name))
    const fed = this.tableKeys.flatMap(
      ({ targets }, column) =>
        targets.map(({ input, slot }) => ({ builder: this.builders[input] as FeedBuilder, column, isWhole: !slot })), // planned
    )
    const isOnceEach = new Set(fed.map(({ builder }) => builder)).size === this.builders.length
    const isBulk = isOnceEach && fed.length === this.builders.length && fed.every(({ isWhole }) => isWhole)
    this.fedByColumns = isBulk ? fed : undefined
  }

  /** The member's key: most often that which stood there in the row before. */
  private readKey(i: number): Key {
    const { scanner, keys } = this
    scanner.peek()
    const start = scanner.at
    const expected = keys[i]
    if (expected && startsWith(scanner, expected.bytes)) {
      scanner.at = start + expected.bytes.length
      return expected
    }
    const name = scanner.string()
    const key = this.keyOf(name, scanner.bytes.slice(start, scanner.at))
    if (i < keysMax) keys[i] = key.bytes.length > 0 ? key : { ...key, bytes: scanner.bytes.slice(start, scanner.at) }
    return key
  }

  private keyOf(name: string, bytes = nothing): Key {
    const known = this.byName.get(name)
    if (known) return known
    const targets = this.plan.targets.get(name) ?? []
    const isKept = this.plan.keep?.has(name) ?? targets.length === 0
    const key = { bytes, name, targets, isKept, isClash: isKept && this.plan.written.has(name) }
    // Rows may all have keys of their own; those that are met first are remembered.
    if (this.byName.size < keysMax) this.byName.set(name, key)
    return key
  }

  private readMember({ name, targets, isKept, isClash }: Key): void {
    const { scanner } = this
    if (isClash) throw new RowError(clashOf(name))
    scanner.peek()
    const start = scanner.at
    if (scanner.specials.length > 0) scanner.specials.length = 0
    for (let i = 0; i < targets.length; i++) {
      const { input, slot } = targets[i] as Target // inside
      if (i > 0) scanner.at = start
      const builder = this.builders[input] as FeedBuilder // planned
      if (slot) builder.readSlotJson(scanner, slot.index, slot.count)
      else builder.readJson(scanner)
    }
    if (targets.length === 0) scanner.skip()
    if (isKept) this.keep(name, new JsonText(scanner.json(start)))
  }

  private takeGroups(): RowGroup[] {
    const { builders, count } = this
    const rowsOf = new Map<string, number[]>()
    const differing = builders.filter((builder) => !builder.isUniform)
    for (let row = 0; differing.length > 0 && row < count; row++) {
      const key = differing.map((builder) => builder.shapeKey(row)).join(';')
      const rows = rowsOf.get(key)
      if (rows) rows.push(row)
      else rowsOf.set(key, [row])
    }
    if (rowsOf.size <= 1) {
      return [{ rows: undefined, feeds: new Map(builders.map((builder) => [builder.name, builder.takeAll()])) }]
    }
    const groups = [...rowsOf.values()].map((rows) => ({
      rows,
      feeds: new Map(builders.map((builder) => [builder.name, builder.takeRows(rows)])),
    }))
    for (const builder of builders) builder.reset()
    return groups
  }
}

function startsWith({ bytes, at, end }: JsonScanner, expected: Uint8Array): boolean {
  if (end - at < expected.length) return false
  for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false
  return true
}

const openBrace = 0x7b
const openBracket = 0x5b
const closeBrace = 0x7d
const colon = 0x3a
const comma = 0x2c
const keysMax = 10_000
const nothing = new Uint8Array()
