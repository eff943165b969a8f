/** A function that makes one number of a vector, or of two of the same length. */
export interface VectorFunction {
  readonly name: string
  readonly arity: 1 | 2
  /** Of elements `start` up to `end` of `a`, and of `b` where there are two. */
  readonly reduce: (a: Float64Array, b: Float64Array, start: number, end: number) => number
}

/** The sum of `f` over the elements. */
function sumOf(
  start: number,
  end: number,
  a: Float64Array,
  b: Float64Array,
  f: (x: number, y: number) => number,
): number {
  let sum = 0
  for (let i = start; i < end; i++) sum += f(a[i] as number, b[i] as number) // in range: the caller's promise
  return sum
}

const meanOf = (a: Float64Array, start: number, end: number) => sumOf(start, end, a, a, (x) => x) / (end - start)

function squaredDeviations(a: Float64Array, start: number, end: number): number {
  const mean = meanOf(a, start, end)
  return sumOf(start, end, a, a, (x) => (x - mean) ** 2)
}

/** NaN for a vector without elements; NaN among them is passed over unless it is first, as by std::min and std::max. */
function extreme(a: Float64Array, start: number, end: number, better: (x: number, than: number) => boolean): number {
  let best = start < end ? (a[start] as number) : Number.NaN
  for (let i = start + 1; i < end; i++) {
    const x = a[i] as number
    if (better(x, best)) best = x
  }
  return best
}

/** Pearson's; NaN where one of the two does not vary. */
function correlation(a: Float64Array, b: Float64Array, start: number, end: number): number {
  const meanA = meanOf(a, start, end)
  const meanB = meanOf(b, start, end)
  const together = sumOf(start, end, a, b, (x, y) => (x - meanA) * (y - meanB))
  return together / Math.sqrt(squaredDeviations(a, start, end) * squaredDeviations(b, start, end))
}

/**
 * The document calls `pop_` what divides by one less than the count, the reverse of common usage; the divisor it gives
 * is what counts here.
 */
const vectorFunctionList: readonly VectorFunction[] = [
  { name: 'len', arity: 1, reduce: (_a, _b, start, end) => end - start },
  { name: 'l2_norm', arity: 1, reduce: (a, _, start, end) => Math.sqrt(sumOf(start, end, a, a, (x) => x * x)) },
  { name: 'squared_norm', arity: 1, reduce: (a, _, start, end) => sumOf(start, end, a, a, (x) => x * x) },
  { name: 'dot', arity: 2, reduce: (a, b, start, end) => sumOf(start, end, a, b, (x, y) => x * y) },
  {
    name: 'euclid_dist',
    arity: 2,
    reduce: (a, b, start, end) => Math.sqrt(sumOf(start, end, a, b, (x, y) => (x - y) ** 2)),
  },
  { name: 'corr', arity: 2, reduce: correlation },
  {
    name: 'std_dev',
    arity: 1,
    reduce: (a, _, start, end) => Math.sqrt(squaredDeviations(a, start, end) / (end - start)),
  },
  {
    name: 'pop_std_dev',
    arity: 1,
    reduce: (a, _, start, end) => Math.sqrt(squaredDeviations(a, start, end) / (end - start - 1)),
  },
  { name: 'variance', arity: 1, reduce: (a, _, start, end) => squaredDeviations(a, start, end) / (end - start) },
  {
    name: 'pop_variance',
    arity: 1,
    reduce: (a, _, start, end) => squaredDeviations(a, start, end) / (end - start - 1),
  },
  { name: 'reduce_min', arity: 1, reduce: (a, _, start, end) => extreme(a, start, end, (x, than) => x < than) },
  { name: 'reduce_max', arity: 1, reduce: (a, _, start, end) => extreme(a, start, end, (x, than) => x > than) },
  { name: 'reduce_sum', arity: 1, reduce: (a, _, start, end) => sumOf(start, end, a, a, (x) => x) },
  { name: 'reduce_mean', arity: 1, reduce: (a, _, start, end) => meanOf(a, start, end) },
  {
    name: 'reduce_prod',
    arity: 1,
    reduce: (a, _, start, end) => {
      let product = 1
      for (let i = start; i < end; i++) product *= a[i] as number
      return product
    },
  },
]

export const vectorFunctions: ReadonlyMap<string, VectorFunction> = new Map(
  vectorFunctionList.map((entry) => [entry.name, entry]),
)
