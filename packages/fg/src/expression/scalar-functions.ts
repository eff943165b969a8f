/**
 * Writes `count` results for as many elements of each input. `out` may be one of the inputs, so an element is read in
 * full before it is written.
 */
export type Kernel = (out: Float64Array, inputs: readonly Float64Array[], count: number) => void

/** A function of numbers, applied to each element. */
export interface ScalarFunction {
  readonly name: string
  /** Least and most arguments. */
  readonly arity: readonly [number, number]
  readonly kernel: Kernel
}

// Inputs are as many as `arity` says and elements as many as `count`: the `as` below only say that an index is in range.
type Inputs1 = readonly [Float64Array]
type Inputs2 = readonly [Float64Array, Float64Array]
type Inputs3 = readonly [Float64Array, Float64Array, Float64Array]
type Inputs4 = readonly [Float64Array, Float64Array, Float64Array, Float64Array]

const unary =
  (f: (x: number) => number): Kernel =>
  (out, inputs, count) => {
    const [a] = inputs as Inputs1
    for (let i = 0; i < count; i++) out[i] = f(a[i] as number)
  }
const binary =
  (f: (x: number, y: number) => number): Kernel =>
  (out, inputs, count) => {
    const [a, b] = inputs as Inputs2
    for (let i = 0; i < count; i++) out[i] = f(a[i] as number, b[i] as number)
  }
const quaternary =
  (f: (a: number, b: number, c: number, d: number) => number): Kernel =>
  (out, inputs, count) => {
    const [a, b, c, d] = inputs as Inputs4
    for (let i = 0; i < count; i++) out[i] = f(a[i] as number, b[i] as number, c[i] as number, d[i] as number)
  }
/** A fold over any number of inputs, then `finish` of the result and their number. */
const variadic =
  (f: (folded: number, x: number) => number, finish = (folded: number, _arguments: number) => folded): Kernel =>
  (out, inputs, count) => {
    const [first, ...rest] = inputs as readonly [Float64Array, ...Float64Array[]]
    for (let i = 0; i < count; i++) {
      let folded = first[i] as number
      for (const input of rest) folded = f(folded, input[i] as number)
      out[i] = finish(folded, inputs.length)
    }
  }

export interface BinaryOperator {
  /** Binds tighter the higher. */
  readonly precedence: number
  readonly kernel: Kernel
}

const truth = (value: boolean): number => (value ? 1 : 0)

/**
 * All are left-associative; `^`, which is not, and `?:` are the parser's own. NaN is true, as any number but 0 is in C.
 * The four of arithmetic have loops of their own, which the compiler turns into plain additions and so on.
 * @see https://help.aliyun.com/zh/airec/what-is-pai-rec/user-guide/built-in-feature-operator (expr_feature)
 */
export const binaryOperators: ReadonlyMap<string, BinaryOperator> = new Map<string, BinaryOperator>([
  ['||', { precedence: 1, kernel: binary((x, y) => truth(x !== 0 || y !== 0)) }],
  ['&&', { precedence: 2, kernel: binary((x, y) => truth(x !== 0 && y !== 0)) }],
  [
    '|',
    {
      precedence: 3,
      kernel: binary((x, y) =>
        onIntegers(
          x,
          y,
          (a, b) => a | b,
          (a, b) => a | b,
        ),
      ),
    },
  ],
  [
    '&',
    {
      precedence: 4,
      kernel: binary((x, y) =>
        onIntegers(
          x,
          y,
          (a, b) => a & b,
          (a, b) => a & b,
        ),
      ),
    },
  ],
  ['<=', { precedence: 5, kernel: binary((x, y) => truth(x <= y)) }],
  ['>=', { precedence: 5, kernel: binary((x, y) => truth(x >= y)) }],
  ['!=', { precedence: 5, kernel: binary((x, y) => truth(x !== y)) }],
  ['==', { precedence: 5, kernel: binary((x, y) => truth(x === y)) }],
  ['>', { precedence: 5, kernel: binary((x, y) => truth(x > y)) }],
  ['<', { precedence: 5, kernel: binary((x, y) => truth(x < y)) }],
  [
    '+',
    {
      precedence: 6,
      kernel: (out, inputs, count) => {
        const [a, b] = inputs as Inputs2
        for (let i = 0; i < count; i++) out[i] = (a[i] as number) + (b[i] as number)
      },
    },
  ],
  [
    '-',
    {
      precedence: 6,
      kernel: (out, inputs, count) => {
        const [a, b] = inputs as Inputs2
        for (let i = 0; i < count; i++) out[i] = (a[i] as number) - (b[i] as number)
      },
    },
  ],
  [
    '*',
    {
      precedence: 7,
      kernel: (out, inputs, count) => {
        const [a, b] = inputs as Inputs2
        for (let i = 0; i < count; i++) out[i] = (a[i] as number) * (b[i] as number)
      },
    },
  ],
  [
    '/',
    {
      precedence: 7,
      kernel: (out, inputs, count) => {
        const [a, b] = inputs as Inputs2
        for (let i = 0; i < count; i++) out[i] = (a[i] as number) / (b[i] as number)
      },
    },
  ],
])

export const negate: Kernel = unary((x) => -x)
/** `pow` of C, which unlike JavaScript's gives 1 for 1 to the power of anything, and for -1 to an infinite one. */
export const power: Kernel = binary((x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y))
/** `condition ? a : b`, of which both are computed. */
export const select: Kernel = (out, inputs, count) => {
  const [condition, a, b] = inputs as Inputs3
  for (let i = 0; i < count; i++) out[i] = (condition[i] !== 0 ? a[i] : b[i]) as number
}

const scalarFunctionList: readonly ScalarFunction[] = [
  { name: 'isnan', arity: [1, 1], kernel: unary((x) => truth(Number.isNaN(x))) },
  { name: 'sin', arity: [1, 1], kernel: unary(Math.sin) },
  { name: 'cos', arity: [1, 1], kernel: unary(Math.cos) },
  { name: 'tan', arity: [1, 1], kernel: unary(Math.tan) },
  { name: 'asin', arity: [1, 1], kernel: unary(Math.asin) },
  { name: 'acos', arity: [1, 1], kernel: unary(Math.acos) },
  { name: 'atan', arity: [1, 1], kernel: unary(Math.atan) },
  { name: 'sinh', arity: [1, 1], kernel: unary(Math.sinh) },
  { name: 'cosh', arity: [1, 1], kernel: unary(Math.cosh) },
  { name: 'tanh', arity: [1, 1], kernel: unary(Math.tanh) },
  { name: 'asinh', arity: [1, 1], kernel: unary(Math.asinh) },
  { name: 'acosh', arity: [1, 1], kernel: unary(Math.acosh) },
  { name: 'atanh', arity: [1, 1], kernel: unary(Math.atanh) },
  { name: 'log2', arity: [1, 1], kernel: unary(Math.log2) },
  { name: 'log10', arity: [1, 1], kernel: unary(Math.log10) },
  { name: 'log', arity: [1, 1], kernel: unary(Math.log) },
  { name: 'ln', arity: [1, 1], kernel: unary(Math.log) },
  { name: 'exp', arity: [1, 1], kernel: unary(Math.exp) },
  { name: 'sqrt', arity: [1, 1], kernel: unary(Math.sqrt) },
  { name: 'sign', arity: [1, 1], kernel: unary((x) => truth(x > 0) - truth(x < 0)) },
  { name: 'abs', arity: [1, 1], kernel: unary(Math.abs) },
  { name: 'rint', arity: [1, 1], kernel: unary(roundHalfEven) },
  { name: 'floor', arity: [1, 1], kernel: unary(Math.floor) },
  { name: 'ceil', arity: [1, 1], kernel: unary(Math.ceil) },
  { name: 'trunc', arity: [1, 1], kernel: unary(Math.trunc) },
  { name: 'round', arity: [1, 1], kernel: unary(roundHalfAway) },
  { name: 'roundp', arity: [2, 2], kernel: binary((x, digits) => roundHalfAway(x * 10 ** digits) / 10 ** digits) },
  /** `fmod`: the sign is the first's, as of JavaScript's `%`. */
  { name: 'mod', arity: [2, 2], kernel: binary((x, y) => x % y) },
  { name: 'sigmoid', arity: [1, 1], kernel: unary((x) => 1 / (1 + Math.exp(-x))) },
  { name: 'sphere_dist', arity: [4, 4], kernel: quaternary(kilometers) },
  { name: 'haversine', arity: [4, 4], kernel: quaternary(kilometers) },
  // As std::min and std::max: of two that do not compare, the first.
  { name: 'min', arity: [1, 255], kernel: variadic((least, x) => (x < least ? x : least)) },
  { name: 'max', arity: [1, 255], kernel: variadic((most, x) => (most < x ? x : most)) },
  { name: 'sum', arity: [1, 255], kernel: variadic((sum, x) => sum + x) },
  {
    name: 'avg',
    arity: [1, 255],
    kernel: variadic(
      (sum, x) => sum + x,
      (sum, count) => sum / count,
    ),
  },
]

/** By name; `rnd`, which gives another number each time, is the parser's own. */
export const scalarFunctions: ReadonlyMap<string, ScalarFunction> = new Map(
  scalarFunctionList.map((entry) => [entry.name, entry]),
)

/** Numbers in [0, 1). */
export const randomKernel =
  (random: () => number): Kernel =>
  (out, _, count) => {
    for (let i = 0; i < count; i++) out[i] = random()
  }

/** Bits of whole numbers, fractions cut off: 32 at once, or 64 where one is larger. What is no int64 gives NaN. */
function onIntegers(
  x: number,
  y: number,
  of32: (x: number, y: number) => number,
  of64: (x: bigint, y: bigint) => bigint,
): number {
  if (Math.abs(x) < 2 ** 31 && Math.abs(y) < 2 ** 31) return of32(x, y)
  if (!(Math.abs(x) < 2 ** 63 && Math.abs(y) < 2 ** 63)) return Number.NaN
  return Number(of64(BigInt(Math.trunc(x)), BigInt(Math.trunc(y))))
}

function roundHalfEven(x: number): number {
  const below = Math.floor(x)
  const over = x - below
  if (over < 0.5) return below
  if (over > 0.5) return below + 1
  return below % 2 === 0 ? below : below + 1
}

function roundHalfAway(x: number): number {
  const whole = Math.trunc(x)
  return Math.abs(x - whole) < 0.5 ? whole : whole + Math.sign(x)
}

/** Mean radius of the earth. The published examples, 80.4 and 1067 km, do not tell it from the equatorial radius. */
const earthKilometers = 6371
const radians = Math.PI / 180

/** Along a great circle, between two points given in degrees. */
function kilometers(longitude1: number, latitude1: number, longitude2: number, latitude2: number): number {
  const half = (degrees: number) => Math.sin((degrees * radians) / 2) ** 2
  const chord =
    half(latitude2 - latitude1) +
    Math.cos(latitude1 * radians) * Math.cos(latitude2 * radians) * half(longitude2 - longitude1)
  return 2 * earthKilometers * Math.asin(Math.min(1, Math.sqrt(chord)))
}
