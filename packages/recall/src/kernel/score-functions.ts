import { type Code, f32, f32x4, get, i32, set, v128, type WasmFunction, whileLoop } from './assembler.ts'

/**
 * Scores of one query against many rows, higher is nearer: the inner product, or the squared distance negated.
 *
 * `score(query, rows, count, dimension, out)` takes rows that lie end to end; `scoreAt(query, base, count, dimension, out,
 * indices)` takes row numbers, u32, relative to `base`. All are byte addresses but `count` and `dimension`; nothing needs
 * alignment. Four rows at a time share each load of the query; the last `dimension % 4` floats are added one by one.
 */

/** What one element of the query and one of a row add to a score. */
interface Term {
  readonly wide: (query: Code, row: Code) => Code
  readonly narrow: (query: Code, row: Code) => Code
  readonly finish: (sum: Code) => Code
}

/** One row per metric. Squares are of a local that holds the difference: operands are emitted where they are used. */
const terms = (difference: { wide: number; narrow: number }): { readonly [metric in 'ip' | 'l2']: Term } => ({
  ip: { wide: f32x4.mul, narrow: f32.mul, finish: (sum) => sum },
  l2: {
    wide: (query, row) => square(f32x4, difference.wide, query, row),
    narrow: (query, row) => square(f32, difference.narrow, query, row),
    finish: (sum) => f32.neg(sum),
  },
})

const square = (type: typeof f32x4 | typeof f32, local: number, query: Code, row: Code): Code => [
  ...set(local, type.sub(query, row)),
  ...type.mul(get(local), get(local)),
]

// Locals: parameters first, in the order of the signature.
const [query, rows, count, dimension, out, indices] = [0, 1, 2, 3, 4, 5]
const [column, wideBytes, rowBytes, remaining] = [6, 7, 8, 9]
const row = [10, 11, 12, 13] as const
const sum = [14, 15, 16, 17] as const
const total = [18, 19, 20, 21] as const
const [wideQuery, wideDifference, narrowQuery, narrowDifference] = [22, 23, 24, 25]
const localTypes = [
  ...new Array<'i32'>(8).fill('i32'), // column … row[3]
  ...new Array<'v128'>(4).fill('v128'), // sum
  ...new Array<'f32'>(4).fill('f32'), // total
  ...(['v128', 'v128', 'f32', 'f32'] as const),
] as const

function scoreFunction(metric: 'ip' | 'l2', gathers: boolean): WasmFunction {
  const term = terms({ wide: wideDifference, narrow: narrowDifference })[metric]

  const addressOf = (lane: number): Code =>
    gathers
      ? i32.add(get(rows), i32.mul(i32.load(get(indices), 4 * lane), get(rowBytes)))
      : i32.add(get(rows), i32.mul(get(rowBytes), i32.const(lane)))

  /** Scores the next `lanes` rows and steps past them. */
  const block = (lanes: readonly (0 | 1 | 2 | 3)[]): Code => [
    ...lanes.flatMap((lane) => [...set(row[lane], addressOf(lane)), ...set(sum[lane], v128.zero())]),
    ...set(column, i32.const(0)),
    ...whileLoop(
      i32.ltU(get(column), get(wideBytes)),
      set(wideQuery, v128.load(i32.add(get(query), get(column)))),
      ...lanes.map((lane) => {
        const values = v128.load(i32.add(get(row[lane]), get(column)))
        return set(sum[lane], f32x4.add(get(sum[lane]), term.wide(get(wideQuery), values)))
      }),
      set(column, i32.add(get(column), i32.const(16))),
    ),
    ...lanes.flatMap((lane) => {
      const part = (i: number) => f32x4.lane(get(sum[lane]), i)
      return set(total[lane], f32.add(f32.add(part(0), part(1)), f32.add(part(2), part(3))))
    }),
    ...whileLoop(
      i32.ltU(get(column), get(rowBytes)),
      set(narrowQuery, f32.load(i32.add(get(query), get(column)))),
      ...lanes.map((lane) => {
        const value = f32.load(i32.add(get(row[lane]), get(column)))
        return set(total[lane], f32.add(get(total[lane]), term.narrow(get(narrowQuery), value)))
      }),
      set(column, i32.add(get(column), i32.const(4))),
    ),
    ...lanes.flatMap((lane) => f32.store(get(out), term.finish(get(total[lane])), 4 * lane)),
    ...set(out, i32.add(get(out), i32.const(4 * lanes.length))),
    ...(gathers
      ? set(indices, i32.add(get(indices), i32.const(4 * lanes.length)))
      : set(rows, i32.add(get(rows), i32.mul(get(rowBytes), i32.const(lanes.length))))),
    ...set(remaining, i32.sub(get(remaining), i32.const(lanes.length))),
  ]

  return {
    name: `${gathers ? 'scoreAt' : 'score'}_${metric}`,
    parameters: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
    locals: localTypes,
    code: [
      ...set(rowBytes, i32.shl(get(dimension), i32.const(2))),
      ...set(wideBytes, i32.and(get(rowBytes), i32.const(-16))),
      ...set(remaining, get(count)),
      ...whileLoop(i32.geU(get(remaining), i32.const(4)), block([0, 1, 2, 3])),
      ...whileLoop(get(remaining), block([0])),
    ],
  }
}

export const scoreFunctions: readonly WasmFunction[] = [
  scoreFunction('ip', false),
  scoreFunction('l2', false),
  scoreFunction('ip', true),
  scoreFunction('l2', true),
]
