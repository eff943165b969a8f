import type { BatchBuilder } from '../rows/batch-builder.ts'
import type { RowPlan } from '../rows/mapping.ts'
import type { ObjectSource } from './object-source.ts'
import type { ColumnType } from './table.ts'

/** Some rows of an object, read but not yet looked at. */
export interface RowBlock {
  readonly count: number
  /** @throws {RowError} when the row does not fit the model. */
  add(i: number, builder: BatchBuilder, position: number): void
  /**
   * Adds rows from the `i`-th on at once, `most` of them at most, as far as they can be told to fit without looking at each;
   * of a block whose rows all take as many bytes.
   * @returns how many; 0 says nothing of the row.
   */
  addMany?(i: number, most: number, builder: BatchBuilder, position: number): number
  /** Where the row behind this one starts, as the format counts. */
  endOf(i: number): number
  /** Bytes of the input that the row takes, for deciding where a chunk ends: from the object alone. */
  bytesOf(i: number): number
  /** Types of columns, as far as the object says: the same of all its blocks. */
  readonly types?: ReadonlyMap<string, ColumnType>
}

/** How the rows of a format are read. */
export interface RowFormat {
  readonly name: string
  /**
   * Rows from `offset` on, 0 or what `endOf` said.
   * @throws {BatchError} `bad_object` when the object is not of this format, or lacks a column that the model needs.
   */
  blocks(source: ReadableSource, offset: number, plan: RowPlan): AsyncGenerator<RowBlock, void, void>
}

/** An object, and its bytes with the compression around them taken off. */
export interface ReadableSource extends ObjectSource {
  /** Bytes of the content from `offset` on. */
  content(offset: number): AsyncIterable<Uint8Array>
  /** Whether `read` and `info.size` speak of the content: it is not compressed. */
  readonly isPlain: boolean
}
