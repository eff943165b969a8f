/** What happened while features were generated; each array counts by feature, in the order of `features`. */
export class FgCounters {
  /** Cells that had no value: nothing came, or what came gave none. */
  readonly missing: Uint32Array
  /** Cells that took `default_value`. */
  readonly defaults: Uint32Array
  /** Texts that no vocabulary knows. */
  readonly outOfVocabulary: Uint32Array
  /** Values outside `num_buckets`. */
  readonly outOfRange: Uint32Array
  /** Cells whose text should have been a number and was not, or that held fewer numbers than `value_dim`. */
  readonly malformed: Uint32Array

  constructor(features: number) {
    this.missing = new Uint32Array(features)
    this.defaults = new Uint32Array(features)
    this.outOfVocabulary = new Uint32Array(features)
    this.outOfRange = new Uint32Array(features)
    this.malformed = new Uint32Array(features)
  }
}

/** Adds to a counter of one feature. */
export function tally(counter: Uint32Array, feature: number, count: number): void {
  if (count > 0) counter[feature] = (counter[feature] ?? 0) + count
}
