import type { Tensor } from '@eas/base'
import type { ScoredBatch } from '../engine/score-rows.ts'

/** Writes the rows of one chunk, batch by batch. */
export interface RowWriter {
  write(batch: ScoredBatch): void
  /** The whole chunk; `undefined` when it has no rows. */
  end(): Promise<Uint8Array | undefined>
}

/** How results are written. */
export interface OutputFormat {
  readonly name: string
  readonly extension: string
  readonly contentType: string
  /** @param outputs Column of each output of the model, in order. */
  writer(outputs: ReadonlyMap<string, string>): RowWriter
}

/** An output's elements of one row, and how they lie. */
export interface OutputCell {
  readonly tensor: Tensor
  /** Index of the first element. */
  readonly from: number
  readonly size: number
}

/** Where the row's elements of an output are. */
export function cellOf(tensor: Tensor, index: number): OutputCell {
  let size = 1
  for (let i = 1; i < tensor.shape.length; i++) size *= tensor.shape[i] ?? 1
  return { tensor, from: index * size, size }
}
