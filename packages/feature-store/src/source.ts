import type { Schema } from './column-type.ts'

/** Rows as they come, column by column. Values are JavaScript's or a typed array's; the store checks each against its type. */
export interface ItemBatch {
  /** Item ids, `[rows]`. */
  readonly keys: ArrayLike<unknown>
  /** In the order of the schema's columns, `[columns][rows]`. */
  readonly columns: readonly ArrayLike<unknown>[]
  /** Of increments: 1 where the item is gone and its columns mean nothing. */
  readonly deleted?: ArrayLike<number>
  /** Of increments: where to go on once this batch is in. */
  readonly position?: string
}

/** A whole catalogue, on its way. */
export interface Snapshot {
  /** Names this state of the source: the same version is not loaded twice. */
  readonly version: string
  readonly schema: Schema
  /** Rows, if they are known before; room is made for as many. */
  readonly expectedRows?: number
  /** Where increments begin, for a source that has them. */
  readonly position?: string
  readonly batches: AsyncIterable<ItemBatch>
}

export interface SourceOptions {
  readonly signal?: AbortSignal
}

/**
 * Where items come from. A source opens what it needs when it is first asked and imports its driver then. What it throws
 * is a failure of that call only; it may be asked again.
 */
export interface ItemSource {
  /** For status and messages, without credentials: `postgres items_online`. */
  readonly name: string
  /** The catalogue as it is now, or `undefined` when it is still `known`. Missing where a source gives items by id alone. */
  snapshot?(known: string | undefined, options: SourceOptions): Promise<Snapshot | undefined>
  /** What has changed since `position`, in order, ending when there is no more for now. Missing where a source cannot tell. */
  changes?(position: string, schema: Schema, options: SourceOptions): AsyncIterable<ItemBatch>
  /** Some items by id, for catalogues that do not fit into memory. Ids that are not there are left out. */
  fetch?(
    ids: readonly string[],
    options: SourceOptions,
  ): Promise<{ readonly schema: Schema; readonly batch: ItemBatch }>
  close?(): Promise<void>
}
