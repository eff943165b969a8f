/** Vectors of numbers, one per row: row `r` is `values[offsets[r]]` … `values[offsets[r + 1]]`; `[rows + 1]` offsets. */
export interface VectorColumn {
  readonly values: Float64Array
  readonly offsets: Int32Array
}

/**
 * A variable's values: a number per row, `[rows]`, or one for all rows, `[1]`; or a vector per row, of which there is
 * one for all rows when there are two offsets.
 */
export type ExpressionColumn = Float64Array | VectorColumn
