import type { RawObject } from './document.ts'

/**
 * An operator of a `custom_feature`, by its `operator_name`: what a shared library of C++ is to the original.
 */
export interface CustomOperator {
  /** What `compute` gives. */
  readonly output: 'texts' | 'numbers'
  /** Separates the values of a text; default U+001D. `undefined` hands texts over whole. */
  readonly separator?: string | undefined
  /** Steps that a cell takes, where they are not in proportion to its inputs: a request's are bounded, see `limits.ts`. */
  steps?(inputs: readonly (readonly string[])[]): number
  /**
   * Reads the parameters, which are keys of the feature's own object in `fg.json`; called once.
   * @throws {Error} whose message says what is wrong with them.
   */
  compile(config: RawObject): CustomFunction
}

/**
 * The values of one cell (a row, or a step of a sequence) from those of its inputs, in the order of `expression`; an empty
 * list is a missing input, and an empty result takes `default_value`.
 */
export type CustomFunction = (inputs: readonly (readonly string[])[]) => readonly string[] | readonly number[]
