import type { Tensor } from '@eas/base'
import type { ScoredBatch } from '../engine/score-rows.ts'
import type { ColumnType } from '../read/table.ts'

/** Writes the rows of one chunk, batch by batch. */
export interface RowWriter {
  /** Columns of the part before, which this one has too, with their types as far as its values fit them. */
  goOn?(columns: ColumnTypes): void
  /** Types of kept columns. Of those that are not among them the values tell. */
  declare?(types: ColumnTypes): void
  write(batch: ScoredBatch): void
  /** The whole chunk; `undefined` when it has no rows. */
  end(): Promise<Uint8Array | undefined>
  /** Of kept columns, once it is at its end: those of the part before, and its own. */
  columns?(): ColumnTypes
}

/** Types of kept columns by name, in the order of the columns. */
export type ColumnTypes = ReadonlyMap<string, ColumnType>

/** How results are written. */
export interface OutputFormat {
  readonly name: string
  readonly extension: string
  readonly contentType: string
  /** @param outputs Column of each output of the model, in order. */
  writer(outputs: ReadonlyMap<string, string>): RowWriter
}

/** An output of rows that follow each other. */
export interface OutputRows {
  readonly tensor: Tensor
  /** The first of them in the tensor. */
  readonly index: number
  readonly count: number
}

/** Elements of one row of an output. */
export function rowSizeOf({ shape }: Tensor): number {
  let size = 1
  for (let i = 1; i < shape.length; i++) size *= shape[i] ?? 1
  return size
}

/** What becomes of each of these rows. */
export function mapRows<T>(rows: readonly OutputRows[], convert: (tensor: Tensor, index: number) => T): T[] {
  const converted: T[] = []
  for (const { tensor, index, count } of rows) {
    for (let i = 0; i < count; i++) converted.push(convert(tensor, index + i))
  }
  return converted
}
