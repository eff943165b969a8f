/** Several numbers of a cell into one. `gap_min` and `gap_max` are documented by name only and refused. */
export type Combiner = (numbers: Float64Array, start: number, end: number) => number

const fold =
  (initial: number, step: (a: number, b: number) => number): Combiner =>
  (numbers, start, end) => {
    let value = initial
    for (let i = start; i < end; i++) value = step(value, numbers[i] ?? 0)
    return value
  }

const sum = fold(0, (a, b) => a + b)
const mean: Combiner = (numbers, start, end) => sum(numbers, start, end) / (end - start)

export const combiners = {
  sum,
  mean,
  avg: mean,
  min: fold(Infinity, Math.min),
  max: fold(-Infinity, Math.max),
  count: (_numbers, start, end) => end - start,
} as const satisfies { readonly [name: string]: Combiner }

/** `combiner` of `fg.json`: `''` keeps every value. */
export const combinerNames = [...(Object.keys(combiners) as (keyof typeof combiners)[]), ''] as const // the table's own keys
