import type { DataOf, DType } from './dtype.ts'

/**
 * An n-dimensional array, row-major. `shape` is `[]` for a scalar, which holds one element. `data` holds
 * `sizeOf(shape)` elements (twice as many numbers for complex dtypes) and may be a view of a request's bytes:
 * read it, never write it.
 */
export type Tensor = { [D in DType]: TensorOf<D> }[DType]

export interface TensorOf<D extends DType> {
  readonly dtype: D
  readonly shape: readonly number[]
  readonly data: DataOf<D>
}
