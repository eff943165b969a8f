import type { DType } from '@eas/base'

/** An input or output of the model, as far as it declares itself. */
export interface ModelValue {
  readonly name: string
  readonly dtype: DType | undefined
  /** A free dimension is a text. `undefined`: nothing is known of the rank, or it is a scalar. */
  readonly shape: readonly (number | string)[] | undefined
}

/** What the model takes and gives. */
export interface ModelIo {
  readonly inputs: readonly ModelValue[]
  readonly outputs: readonly ModelValue[]
}
