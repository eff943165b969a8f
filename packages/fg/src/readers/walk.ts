import type { PBFeature } from '@eas/protocol'
import { at, type IdBags, type NumberBags, OffsetsBuilder, type TextBags, type Value } from '../bags.ts'
import {
  type FeatureColumn,
  type InputColumn,
  kindForms,
  type NumberColumn,
  rowsOf,
  type TextColumn,
} from '../input-column.ts'
import { float32Text } from '../number-text.ts'

/** How rows are cut into cells and cells into values. */
export interface Shape {
  /** Splits a text into values; `undefined` leaves texts whole. Elements of a list are split in a sequence only. */
  readonly separator: string | undefined
  /** Of a sequence: what splits a text into steps, and how many are kept (0: all). */
  readonly sequence: { readonly delim: string; readonly length: number } | undefined
}

/** Receives the values of a column, cell by cell. */
export interface Sink {
  /** A text that is not empty. */
  text(value: string): void
  /** `float32` when the number is a widened float32. */
  number(value: number, float32: boolean): void
  long(value: bigint): void
  map(value: ReadonlyMap<Value, Value>, float32: boolean): void
  endCell(): void
}

/** Feeds every value of a column into `sink`. Gives the offsets of rows into cells when `shape` is a sequence's. */
export function walkColumn(column: InputColumn, shape: Shape, sink: Sink): Int32Array | undefined {
  const walker = new Walker(shape, sink, rowsOf(column))
  if (column.form === 'sequence') walker.joined(column.steps, column.cells)
  else walker.rows(column)
  return walker.steps?.finish()
}

/** The same of another feature's values; ids are numbers. A row of a sequence is one cell when `shape` is not a sequence's. */
export function walkBags(bags: TextBags | NumberBags | IdBags, shape: Shape, sink: Sink): Int32Array | undefined {
  const walker = new Walker(shape, sink, bags.rows)
  for (let row = 0; row < bags.rows; row++) {
    const first = bags.steps ? at(bags.steps, row) : row
    const last = bags.steps ? at(bags.steps, row + 1) : row + 1
    for (let cell = first; cell < last; cell++) {
      const end = at(bags.offsets, cell + 1)
      for (let i = at(bags.offsets, cell); i < end; i++) {
        if (bags.kind === 'texts') walker.values(bags.texts[i] ?? '')
        // What one feature hands to another is float32, as what it hands to the model.
        else if (bags.kind === 'numbers') sink.number(Math.fround(at(bags.numbers, i)), true)
        else sink.long(bags.ids[i] ?? 0n)
        // Several values of a feature that is no sequence are its steps.
        if (shape.sequence && !bags.steps && !walker.step()) break
      }
      if (shape.sequence && bags.steps && !walker.step()) break
    }
    walker.endRow()
  }
  return walker.steps?.finish()
}

class Walker {
  readonly shape: Shape
  readonly sink: Sink
  /** Ends of rows among cells. */
  readonly steps: OffsetsBuilder | undefined
  private cells = 0
  private rowStart = 0
  private readonly maxSteps: number

  constructor(shape: Shape, sink: Sink, rows: number) {
    this.shape = shape
    this.sink = sink
    this.steps = shape.sequence ? new OffsetsBuilder(rows) : undefined
    this.maxSteps = shape.sequence?.length || Number.MAX_SAFE_INTEGER
  }

  /** Ends a step; false when the row is full. */
  step(): boolean {
    this.sink.endCell()
    return ++this.cells - this.rowStart < this.maxSteps
  }

  /** A sequence without steps has one, which is missing. */
  endRow(): void {
    if (!this.steps || this.cells === this.rowStart) this.step()
    this.rowStart = this.cells
    this.steps?.end(this.cells)
  }

  /** The values of a text. */
  values(text: string): void {
    if (text === '') return
    const { separator } = this.shape
    if (separator === undefined) {
      this.sink.text(text)
      return
    }
    let end = text.indexOf(separator)
    if (end < 0) {
      this.sink.text(text)
      return
    }
    let start = 0
    for (; end >= 0; end = text.indexOf(separator, start)) {
      if (end > start) this.sink.text(text.slice(start, end))
      start = end + separator.length
    }
    if (start < text.length) this.sink.text(text.slice(start))
  }

  rows(column: FeatureColumn | TextColumn | NumberColumn): void {
    const { index } = column
    const count = rowsOf(column)
    for (let row = 0; row < count; row++) {
      this.entry(column, index ? (index[row] ?? -1) : row, this.shape.sequence !== undefined)
      this.endRow()
    }
  }

  /** Its steps are counted already: of candidates all are kept. */
  joined(steps: Int32Array, cells: FeatureColumn | TextColumn | NumberColumn): void {
    for (let row = 0; row + 1 < steps.length; row++) {
      const end = at(steps, row + 1)
      for (let i = at(steps, row); i < end; i++) {
        this.entry(cells, cells.index ? (cells.index[i] ?? -1) : i, false)
        if (this.shape.sequence) this.step()
      }
      this.endRow()
    }
  }

  private entry(column: FeatureColumn | TextColumn | NumberColumn, entry: number, asSequence: boolean): void {
    if (entry < 0) return
    switch (column.form) {
      case 'texts': {
        const text = column.texts[entry]
        if (text) this.wholeText(text, asSequence)
        return
      }
      case 'numbers': {
        if (column.valid && column.valid[entry] === 0) return
        const value = column.data[entry]
        if (typeof value === 'bigint') this.sink.long(value)
        else if (value !== undefined) this.sink.number(value, column.data instanceof Float32Array)
        return
      }
      case 'features': {
        const feature = column.values[entry]
        if (feature?.kind !== undefined) this.feature(feature, asSequence)
      }
    }
  }

  private wholeText(text: string, asSequence: boolean): void {
    if (!asSequence || !this.shape.sequence) {
      this.values(text)
      return
    }
    if (text === '') return
    const { delim } = this.shape.sequence
    let start = 0
    for (let end = text.indexOf(delim); end >= 0; end = text.indexOf(delim, start)) {
      this.values(text.slice(start, end))
      if (!this.step()) return
      start = end + delim.length
    }
    this.values(text.slice(start))
    this.step()
  }

  private feature(feature: Exclude<PBFeature, { kind: undefined }>, asSequence: boolean): void {
    switch (feature.kind) {
      case 'string_feature':
        this.wholeText(feature.value, asSequence)
        return
      case 'int_feature':
      case 'double_feature':
        this.sink.number(feature.value, false)
        return
      case 'float_feature':
        this.sink.number(feature.value, true)
        return
      case 'long_feature':
        this.sink.long(feature.value)
        return
      default:
        this.container(feature, asSequence)
    }
  }

  private container(feature: Exclude<PBFeature, { kind: undefined }>, asSequence: boolean): void {
    const form = kindForms.get(feature.kind)
    // In each case: a kind's name says what its value is.
    if (form?.form === 'map') {
      const map = feature.value as ReadonlyMap<Value, Value>
      if (map.size > 0) this.sink.map(map, form.of === 'float')
    } else if (form?.form === 'list') this.list(feature.value as List, asSequence, asSequence)
    else if (asSequence) {
      for (const list of feature.value as readonly List[]) {
        this.list(list, false, false)
        if (!this.step()) return
      }
    } else for (const list of feature.value as readonly List[]) this.list(list, false, false)
  }

  /** The elements of a list, each a step of its own where `steps`. */
  private list(list: List, steps: boolean, split: boolean): void {
    const float32 = list instanceof Float32Array
    for (let i = 0; i < list.length; i++) {
      const value = list[i]
      if (typeof value === 'string') {
        if (split) this.values(value)
        else if (value !== '') this.sink.text(value)
      } else if (typeof value === 'bigint') this.sink.long(value)
      else if (value !== undefined) this.sink.number(value, float32)
      if (steps && !this.step()) return
    }
  }
}

type List = Int32Array | BigInt64Array | Float32Array | Float64Array | readonly string[]

/** A value as text: what is hashed and looked up. */
export function valueText(value: Value, float32: boolean): string {
  if (typeof value === 'string') return value
  return float32 && typeof value === 'number' ? float32Text(value) : String(value)
}
