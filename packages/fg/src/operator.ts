import type { ConfigOf, Keys } from './config-key.ts'
import type { FeatureBuild } from './feature-build.ts'
import type { FeatureValue, Frame } from './frame.ts'

/** Computes a feature for one request. Reads its inputs from the frame; keeps nothing. */
export type FeatureFunction = (frame: Frame) => FeatureValue

/** An operator: a row of the table in `operators/index.ts`. */
export interface Operator<K extends Keys = Keys> {
  readonly feature_type: string
  /** One sentence, for the documentation. */
  readonly summary: string
  readonly keys: K
  /** Turns the keys into a function. Problems go to `build.problem`; what is returned is then not used. */
  compile(config: ConfigOf<K>, build: FeatureBuild): FeatureFunction | undefined
}

/** Ties the type of `config` to the table of keys. */
export function defineOperator<const K extends Keys>(operator: Operator<K>): Operator {
  // `compile` is called with what `readKeys` made of this operator's own `keys`, and with nothing else.
  return operator as unknown as Operator
}
