/** What one contender measured, one number per round. */
export type Samples = readonly number[]

export interface InterleaveOptions {
  readonly rounds: number
  /** Rounds whose samples are dropped: compilers, caches and connections settle in them. */
  readonly warmUps: number
  /** Runs after every sample, outside of it. */
  readonly settle?: () => void
}

/**
 * Measures several contenders in turn, A B C, C B A, …, so that whatever else the machine does falls on all of them alike,
 * and none always runs in another's wake.
 */
export async function interleave<K extends string>(
  contenders: Readonly<Record<K, () => number | Promise<number>>>,
  { rounds, warmUps, settle }: InterleaveOptions,
): Promise<Readonly<Record<K, Samples>>> {
  const names = Object.keys(contenders) as K[] // a record's keys are its key type
  const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]> // one per name
  for (let round = -warmUps; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const at = (round + warmUps) % 2 === 0 ? turn : names.length - 1 - turn
      const name = names[at] as K // an index of it
      const sample = await contenders[name]()
      if (round >= 0) samples[name].push(sample)
      settle?.()
    }
  }
  return samples
}

/** The sample that `share` of the others, 0 to 1, do not exceed. `NaN` for none. */
export function quantile(samples: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(samples).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

/** The middle sample, or the mean of the two. `NaN` for none. */
export function median(samples: ArrayLike<number>): number {
  const sorted = Float64Array.from(samples).sort()
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/**
 * How many times `a` is `b`: the median over rounds of their ratio within a round. A load that comes and goes between
 * rounds cancels out, which it does not in a ratio of medians.
 */
export const medianRatio = (a: Samples, b: Samples): number =>
  median(a.map((sample, round) => sample / (b[round] ?? Number.NaN)))

/** As `medianRatio`, of differences. */
export const medianDifference = (a: Samples, b: Samples): number =>
  median(a.map((sample, round) => sample - (b[round] ?? Number.NaN)))
