import type { DecodedArray } from 'hyparquet'
import type { NumberArray, NumberRows, TableColumn } from '../table.ts'
import type { RawPage } from './chunk-pages.ts'
import { decodeDictionary, decodePage, type Page, rowsOfPage } from './decode-page.ts'
import type { Leaf } from './leaf.ts'

/** The rows of a column chunk, one stretch after the other, as its pages come. Lists of numbers are views of them. */
export class ColumnReader {
  private readonly pages: AsyncGenerator<RawPage, void, void>
  private readonly leaf: Leaf
  private dictionary: DecodedArray | undefined
  /** Rows that are whole, in order; those before `taken` of the first are gone. */
  private ready: Rows[] = []
  private readyRows = 0
  private taken = 0
  /** The last page: what is behind it may go on with its last row. */
  private open: Rows | undefined
  /** Whether rows were passed over without being looked at. */
  private hasSkipped = false

  constructor(pages: AsyncGenerator<RawPage, void, void>, leaf: Leaf) {
    this.pages = pages
    this.leaf = leaf
  }

  /** The next `count` rows. @throws when there are not so many. */
  async take(count: number): Promise<TableColumn> {
    while (this.readyRows < count) await this.more(0)
    const parts: Part[] = []
    for (let left = count; left > 0; ) {
      const rows = this.ready[0] as Rows // as many as there are ready
      const part = { rows, from: this.taken, count: Math.min(left, rows.count - this.taken) }
      parts.push(part)
      this.drop(part.count)
      left -= part.count
    }
    return columnOf(parts)
  }

  /** Passes over `count` rows. */
  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      if (this.readyRows === 0) left -= await this.more(left)
      const here = Math.min(left, this.readyRows)
      for (let dropped = 0; dropped < here; ) {
        const step = Math.min(here - dropped, (this.ready[0] as Rows).count - this.taken) // as many as there are ready
        this.drop(step)
        dropped += step
      }
      left -= here
    }
  }

  private drop(count: number): void {
    this.taken += count
    this.readyRows -= count
    if (this.taken < (this.ready[0]?.count ?? 0)) return
    this.ready.shift()
    this.taken = 0
  }

  /** Reads a page. @returns the rows that it passed over, because all of them are among the next `skippable`. */
  private async more(skippable: number): Promise<number> {
    const { value: raw } = await this.pages.next()
    if (!raw) {
      if (!this.open) throw new Error(`column ${this.leaf.decoder.pathInSchema.join('.')} has too few rows`)
      this.finish()
      return 0
    }
    if (raw.header.type === 'DICTIONARY_PAGE') {
      this.dictionary = decodeDictionary(raw, this.leaf)
      return 0
    }
    const rows = rowsOfPage(raw.header, this.leaf)
    if (rows !== undefined && rows >= 0 && rows + (this.open?.count ?? 0) <= skippable) {
      // What is open is passed over as well, in a turn of its own.
      this.finish()
      this.hasSkipped = true
      return rows
    }
    this.add(decodePage(raw, this.leaf, this.dictionary))
    return 0
  }

  private finish(): void {
    if (!this.open) return
    this.ready.push(this.open)
    this.readyRows += this.open.count
    this.open = undefined
  }

  private add(page: Page): void {
    const { leaf } = this
    const values = entryValues(page, leaf)
    const { repetitions, definitions, starts: given } = page
    if (!repetitions && !given) {
      this.finish()
      if (page.entries > 0) this.open = new ValueRows(values)
      return
    }
    const { starts, nulls, entries } = given
      ? { starts: given, nulls: undefined, entries: page.entries }
      : rowsOf(page, leaf)
    const head = starts.length > 0 ? (starts[0] as number) : entries
    if (repetitions ? repetitions[0] === 1 : head > 0) {
      if (!this.open && !this.hasSkipped) throw new Error('a page begins in the middle of a row')
      this.open?.append(sliced(values, 0, head))
    }
    if (starts.length === 0) return
    this.finish()
    this.open = new ListRows(values, starts, entries, definitions && nulls)
  }
}

/** Rows of one page. */
interface Rows {
  readonly count: number
  cell(i: number): unknown
  /** As a column's. */
  numbers(i: number, size: number, most: number): NumberRows | undefined
  /** What the next page has of the last row. */
  append(values: DecodedArray): void
}

class ValueRows implements Rows {
  readonly count: number
  private readonly values: DecodedArray

  constructor(values: DecodedArray) {
    this.count = values.length
    this.values = values
  }

  cell(i: number): unknown {
    return this.values[i]
  }

  numbers(i: number, size: number, most: number): NumberRows | undefined {
    const { values } = this
    if (size !== 1 || Array.isArray(values)) return undefined
    const count = Math.min(most, this.count - i)
    return { count, numbers: numbersOf(values, i, i + count) }
  }

  append(): void {}
}

class ListRows implements Rows {
  readonly count: number
  private readonly values: DecodedArray
  private readonly starts: Int32Array
  private readonly end: number
  private readonly nulls: Uint8Array | undefined
  private readonly rest: DecodedArray[] = []

  constructor(values: DecodedArray, starts: Int32Array, end: number, nulls: Uint8Array | undefined) {
    this.count = starts.length
    this.values = values
    this.starts = starts
    this.end = end
    this.nulls = nulls
  }

  cell(i: number): unknown {
    if (this.nulls?.[i]) return null
    const own = sliced(this.values, this.starts[i] ?? 0, this.starts[i + 1] ?? this.end)
    return i === this.count - 1 && this.rest.length > 0 ? joined([own, ...this.rest]) : own
  }

  numbers(i: number, size: number, most: number): NumberRows | undefined {
    const { values, starts, nulls } = this
    if (Array.isArray(values)) return undefined
    // What the last row has on the next page is elsewhere.
    const whole = this.rest.length > 0 ? this.count - 1 : this.count
    const last = Math.min(whole, i + most)
    const from = starts[i] ?? 0
    let row = i
    for (let at = from; row < last && !nulls?.[row]; row++) {
      at += size
      if ((starts[row + 1] ?? this.end) !== at) break
    }
    const count = row - i
    return count > 0 ? { count, numbers: numbersOf(values, from, from + count * size) } : undefined
  }

  append(values: DecodedArray): void {
    this.rest.push(values)
  }
}

interface Part {
  readonly rows: Rows
  readonly from: number
  readonly count: number
}

/** Rows are asked for in order, most often. */
function columnOf(parts: readonly Part[]): TableColumn {
  let index = 0
  let first = 0
  function partWith(i: number): Part | undefined {
    if (i < first) {
      index = 0
      first = 0
    }
    let part = parts[index]
    while (part && i >= first + part.count) {
      first += part.count
      part = parts[++index]
    }
    return part
  }
  return {
    at(i) {
      const part = partWith(i)
      return part?.rows.cell(part.from + i - first)
    },
    numbers(i, size, most) {
      const part = partWith(i)
      return part?.rows.numbers(part.from + i - first, size, Math.min(most, first + part.count - i))
    },
  }
}

/** A value for each entry of a list, null where it is that; of a column without lists a value for each row. */
function entryValues({ entries, values, definitions }: Page, { isList, definition }: Leaf): DecodedArray {
  if (!definitions) return values
  const from = isList ? definition.entry : 0
  let count = 0
  for (let i = 0; i < entries; i++) if ((definitions[i] as number) >= from) count++ // a level for each entry
  // Only lists that are empty or null: their entries hold nothing.
  if (count === values.length) return values
  const all: unknown[] = new Array(count)
  let next = 0
  let at = 0
  for (let i = 0; i < entries; i++) {
    const level = definitions[i] as number // a level for each entry
    if (level >= from) all[at++] = level === definition.value ? values[next++] : null
  }
  return all
}

/** Where in a page's values each row's list begins, and which rows have none. */
function rowsOf({ entries, definitions, repetitions }: Page, { definition }: Leaf) {
  const levels = repetitions as Uint8Array // of a column of lists
  let count = 0
  for (let i = 0; i < entries; i++) if (levels[i] === 0) count++
  const starts = new Int32Array(count)
  const nulls = new Uint8Array(count)
  let row = 0
  let at = 0
  for (let i = 0; i < entries; i++) {
    const level = definitions ? (definitions[i] as number) : definition.value // a level for each entry
    if (levels[i] === 0) {
      starts[row] = at
      nulls[row++] = level < definition.list ? 1 : 0
    }
    if (level >= definition.entry) at++
  }
  return { starts, nulls, entries: at }
}

/** What is not a list of values is an array of numbers. */
const numbersOf = (values: Exclude<DecodedArray, unknown[]>, from: number, to: number) =>
  values.subarray(from, to) as NumberArray

const sliced = (values: DecodedArray, from: number, to: number): DecodedArray =>
  Array.isArray(values) ? values.slice(from, to) : values.subarray(from, to)

/** Pieces of one list, whose last page may have had nulls where the others had none. */
function joined(pieces: readonly DecodedArray[]): DecodedArray {
  const [first] = pieces
  const isOneKind = pieces.every((piece) => piece.constructor === first?.constructor)
  if (!first || !isOneKind || Array.isArray(first)) return pieces.flatMap((piece) => Array.from<unknown>(piece))
  const kind = first.constructor as new (length: number) => Float32Array // or another array of numbers, which is set alike
  const all = new kind(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece as Float32Array, at) // of the same kind
    at += piece.length
  }
  return all
}
