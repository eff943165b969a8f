/** One comparison: a row of the table in `benches.ts`. */
export interface Bench {
  readonly name: string
  /** One line, for `--list`. */
  readonly summary: string
  /** @throws When it could not be run; a missed goal is a figure like any other. */
  run(report: Report): Promise<void>
}

/** Where a benchmark's results go. */
export interface Report {
  figure(figure: Figure): void
  /** Says why a figure is not there while the others are, such as a comparison that cannot be installed here. */
  missing(figure: string, reason: string): void
}

export interface Figure {
  readonly figure: string
  readonly value: number
  readonly unit: 'x' | 'us' | 'ms' | 'MB'
  /** What was measured beside it, with its own number where the value is a ratio or a difference. */
  readonly against: string
  readonly goal: Goal
}

export type Goal = { readonly max: number } | { readonly min: number }

export const isMet = (value: number, goal: Goal): boolean => ('max' in goal ? value <= goal.max : value >= goal.min)

/** Rounds of an interleaved benchmark: more for a figure to publish, fewer for a try-out. */
export const roundsFromEnv = (fallback: number): number => Number(process.env.BENCH_ROUNDS || fallback)
