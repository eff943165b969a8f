import type { Schema } from './column-type.ts'
import { type ColumnBuilder, columnBuilder } from './columns/builders.ts'
import type { NumberColumn, TextColumn } from './columns/column.ts'
import { badData, FeatureStoreError } from './feature-store-error.ts'
import { attachItems, type ItemView } from './item-view.ts'
import { type KeyTable, keysFit, keyTable, placeOf, putRow, rowOf } from './keys/key-table.ts'
import type { ItemBatch } from './source.ts'

/** Updates that a store of few items takes before it must be rewritten. */
const minUpdates = 65_536

/** Rows of a store that had so many at first, when it is full. */
const roomFor = (rows: number): number => rows + Math.max(minUpdates, rows >> 1)

/** Slots of a table that are moved in one go: a millisecond or two. */
const slotsPerStep = 1 << 15

/**
 * Items in columns, added to and never changed: an update is a new row that takes over its item's id. Once half as many
 * rows have been added as there were at first, the store is full and whoever owns it copies it without what is superseded.
 */
export class ItemStore {
  readonly schema: Schema
  private readonly keys: ColumnBuilder<NumberColumn> | ColumnBuilder<TextColumn>
  private readonly columns: readonly ColumnBuilder[]
  private table: KeyTable
  private items = 0
  /** Ids in the table, deleted ones included. */
  private ids = 0
  /** Set by `seal`: from then on older views exist that must not see what is added. */
  private base: { readonly rows: number; readonly previous: Int32Array; readonly deleted: Uint8Array } | undefined

  /** @param expectedRows Rows to make room for; a guess that is too low costs copies, one too high only addresses. */
  constructor(schema: Schema, expectedRows = 0) {
    const names = schema.columns.map(({ name }) => name)
    if (new Set(names).size < names.length) throw badData('two columns have the same name')
    this.schema = schema
    // A builder of a scalar is of its leaf.
    this.keys = columnBuilder({ form: 'scalar', of: schema.key }, expectedRows) as ItemStore['keys']
    this.columns = schema.columns.map(({ type }) => columnBuilder(type, expectedRows))
    this.table = keyTable(expectedRows, roomFor(expectedRows))
  }

  get rows(): number {
    return this.keys.count
  }

  /** Bytes of ids, columns and the table of ids; what is superseded included. */
  get bytes(): number {
    const columns = this.columns.reduce((sum, column) => sum + column.bytes, 0)
    return this.keys.bytes + columns + this.table.slots.byteLength
  }

  /** Whether `rows` more updates need the store to be rewritten first. */
  isFull(rows: number): boolean {
    return this.base !== undefined && this.rows - this.base.rows + rows > this.base.previous.length
  }

  /** Ends the first load. */
  seal(): void {
    const room = Math.max(minUpdates, this.rows >> 1)
    this.base = {
      rows: this.rows,
      previous: new Int32Array(new SharedArrayBuffer(room * 4)),
      deleted: new Uint8Array(new SharedArrayBuffer(room)),
    }
  }

  /**
   * Makes room for `more` ids, a slice of the work per step. A larger table is made aside; views keep the one they have.
   */
  prepare(more: number): Generator<void, void, void> {
    return this.grow(this.ids + more, this.rows + more)
  }

  /**
   * Adds rows `start` up to `end` of a batch: all, or none.
   * @throws {FeatureStoreError} `bad_data` with the column and the row, `too_large`.
   */
  add(batch: ItemBatch, start = 0, end = batch.keys.length): void {
    if (this.isFull(end - start)) throw new FeatureStoreError('too_large', 'Cannot add items: the store is full')
    const before = this.rows
    try {
      this.addColumns(batch, start, end)
    } catch (error) {
      for (const column of [this.keys, ...this.columns]) column.truncate(before)
      throw error
    }
    for (const _ of this.grow(this.ids + end - start, this.rows)); // a caller who minds a pause has prepared before
    const keys = this.keys.view()
    for (let row = before; row < this.rows; row++) this.publish(keys, row, batch.deleted?.[start + row - before] === 1)
  }

  /** The items as they are now. */
  view(): ItemView {
    const { schema, table, items, rows, base } = this
    const columns = new Map(schema.columns.map(({ name }, i) => [name, (this.columns[i] as ColumnBuilder).view()])) // one each
    return attachItems({
      ...{ schema, rows, items, table, columns },
      keys: this.keys.view(),
      baseRows: base?.rows ?? rows,
      previous: base?.previous ?? new Int32Array(0),
      deleted: base?.deleted ?? new Uint8Array(0),
    })
  }

  private *grow(ids: number, rows: number): Generator<void, void, void> {
    if (keysFit(this.table, ids, rows)) return
    const keys = this.keys.view()
    const larger = keyTable(2 * ids, roomFor(2 * rows))
    const { slots, rowBits } = this.table
    for (let slot = 0; slot < slots.length; slot++) {
      const row = rowOf(slots[slot] as number, rowBits) // slot < length
      if (row !== -1) putRow(larger, placeOf(larger, keys, row))
      if (slot % slotsPerStep === slotsPerStep - 1) yield
    }
    this.table = larger
  }

  private addColumns(batch: ItemBatch, start: number, end: number): void {
    if (batch.columns.length !== this.columns.length) {
      throw badData(`a batch has ${batch.columns.length} columns instead of ${this.columns.length}`)
    }
    this.addColumn(this.keys, batch.keys, start, end, 'the item id')
    this.columns.forEach((column, i) => {
      const values = batch.columns[i] as ArrayLike<unknown> // as many as columns
      if (values.length < end) throw badData(`column ${this.nameOf(i)} has ${values.length} of ${end} rows`)
      this.addColumn(column, values, start, end, this.nameOf(i))
    })
    const { deleted } = batch
    for (let row = start; row < end; row++) {
      const key = batch.keys[row]
      if (key === null || key === undefined || key === '') throw badData(`row ${row} has no item id`)
    }
    if (deleted && !this.base) throw badData('a snapshot has deleted items')
  }

  private addColumn(column: ColumnBuilder, values: ArrayLike<unknown>, start: number, end: number, name: string): void {
    const before = column.count
    try {
      column.addAll(values, start, end)
    } catch (error) {
      if (!(error instanceof FeatureStoreError) || error.code !== 'bad_data') throw error
      const facts = error.message.replace('Cannot load items: ', '')
      throw badData(`${name} of row ${start + column.count - before}: ${facts}`)
    }
  }

  private nameOf(column: number): string {
    return this.schema.columns[column]?.name ?? ''
  }

  private publish(keys: NumberColumn | TextColumn, row: number, isDeleted: boolean): void {
    const { base, table } = this
    const place = placeOf(table, keys, row)
    const before = place.row
    if (before === -1) this.ids++
    const wasThere = before !== -1 && !(base && before >= base.rows && base.deleted[before - base.rows] === 1)
    this.items += (isDeleted ? 0 : 1) - (wasThere ? 1 : 0)
    if (base) {
      base.previous[row - base.rows] = before
      base.deleted[row - base.rows] = isDeleted ? 1 : 0
    }
    // Last: another thread that finds the row here needs all of the above.
    putRow(table, place)
  }
}
