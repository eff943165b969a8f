import { emit, type GraphBuilder, type Value } from '@eas/onnx'
import type { Lower, OpTable } from '../call.ts'
import { asFloat, like, promotedFloats } from './helpers.ts'

/** Functions around the gamma function and the normal distribution. Torch: aten/src/ATen/native/Math.h (2.4). */

const { binary, cast, compare, unary, where } = emit

/** Lanczos's coefficients for g = 7. @see P. Godfrey, A note on the computation of the convergent Lanczos gamma (2001) */
const lanczos = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

/** For `x` of at least 0.5, in float64. */
function logGammaAbove(g: GraphBuilder, x: Value): Value {
  const z = binary(g, 'Sub', x, like(x, 1))
  const sum = lanczos.reduce<Value>(
    (total, k, i) => binary(g, 'Add', total, binary(g, 'Div', like(x, k), binary(g, 'Add', z, like(x, i + 1)))),
    like(x, 0.9999999999998099),
  )
  const t = binary(g, 'Add', z, like(x, 7.5))
  const power = binary(g, 'Mul', binary(g, 'Add', z, like(x, 0.5)), unary(g, 'Log', t))
  const root = like(x, 0.5 * Math.log(2 * Math.PI))
  return binary(g, 'Add', binary(g, 'Sub', binary(g, 'Add', root, power), t), unary(g, 'Log', sum))
}

/** By reflection below 0.5: `Γ(x)·Γ(1 - x) = π / sin(πx)`. */
const logGamma: Lower = (c) => {
  const { g } = c
  const given = asFloat(c)
  const x = cast(g, given, 'float64')
  const isLow = compare(g, 'Less', x, like(x, 0.5))
  const above = logGammaAbove(g, where(g, isLow, binary(g, 'Sub', like(x, 1), x), x))
  // The sine of the distance from the nearest whole number keeps its digits.
  const part = binary(g, 'Sub', x, unary(g, 'Floor', x))
  const sine = unary(g, 'Sin', binary(g, 'Mul', part, like(x, Math.PI)))
  const reflected = binary(g, 'Sub', like(x, Math.log(Math.PI)), unary(g, 'Log', sine))
  const y = where(g, isLow, binary(g, 'Sub', reflected, above), above)
  const infinite = like(x, Number.POSITIVE_INFINITY)
  return cast(g, where(g, compare(g, 'Equal', unary(g, 'Abs', x), infinite), infinite, y), given.dtype)
}

/** Six steps of `ψ(x) = ψ(x + 1) - 1/x`, then the asymptotic series; below 0 by reflection. */
const digamma: Lower = (c) => {
  const { g } = c
  const given = asFloat(c)
  const x = cast(g, given, 'float64')
  const one = like(x, 1)
  const isLow = compare(g, 'Less', x, like(x, 0))
  const positive = where(g, isLow, binary(g, 'Sub', one, x), x)
  const steps = Array.from({ length: 6 }, (_, i) => unary(g, 'Reciprocal', binary(g, 'Add', positive, like(x, i))))
  const passed = steps.reduce((a, b) => binary(g, 'Add', a, b))
  const z = binary(g, 'Add', positive, like(x, 6))
  const inverse = unary(g, 'Reciprocal', binary(g, 'Mul', z, z))
  // Bernoulli numbers over 2n: 1/12, -1/120, 1/252, -1/240, 1/132.
  const series = [1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12].reduce<Value>(
    (total, k) => binary(g, 'Mul', binary(g, 'Add', total, like(x, k)), inverse),
    like(x, 0),
  )
  const tail = binary(g, 'Add', binary(g, 'Mul', unary(g, 'Reciprocal', z), like(x, 0.5)), series)
  const above = binary(g, 'Sub', binary(g, 'Sub', unary(g, 'Log', z), tail), passed)
  const part = binary(g, 'Mul', binary(g, 'Sub', x, unary(g, 'Floor', x)), like(x, Math.PI))
  const cotangent = binary(g, 'Div', unary(g, 'Cos', part), unary(g, 'Sin', part))
  const reflected = binary(g, 'Sub', above, binary(g, 'Mul', cotangent, like(x, Math.PI)))
  // At 0 it is infinite, at the other poles it is not a number.
  const isPole = compare(g, 'And', isLow, compare(g, 'Equal', part, like(x, 0)))
  const below = where(g, isPole, like(x, Number.NaN), reflected)
  const isZero = compare(g, 'Equal', x, like(x, 0))
  const atZero = unary(g, 'Neg', unary(g, 'Reciprocal', x))
  return cast(g, where(g, isZero, atZero, where(g, isLow, below, above)), given.dtype)
}

/** `-x·log(x)`, 0 at 0 and minus infinity below. */
const entropy: Lower = (c) => {
  const { g } = c
  const x = asFloat(c)
  const isPositive = compare(g, 'Greater', x, like(x, 0))
  const product = binary(g, 'Mul', unary(g, 'Neg', x), unary(g, 'Log', where(g, isPositive, x, like(x, 1))))
  const below = where(g, compare(g, 'Less', x, like(x, 0)), like(x, Number.NEGATIVE_INFINITY), x)
  return where(g, isPositive, product, below)
}

export const gammaOps: OpTable = {
  lgamma: logGamma,
  special_gammaln: logGamma,
  digamma,
  special_digamma: digamma,
  special_entr: entropy,
  special_ndtr: (c) => {
    const x = asFloat(c)
    const error = unary(c.g, 'Erf', binary(c.g, 'Mul', x, like(x, Math.SQRT1_2)))
    return binary(c.g, 'Mul', binary(c.g, 'Add', error, like(x, 1)), like(x, 0.5))
  },
  special_xlog1py: (c) => {
    const { g } = c
    const [x, y] = promotedFloats(c, 'self', 'other') as [Value, Value] // two names were given
    const product = binary(g, 'Mul', x, unary(g, 'Log', binary(g, 'Add', y, like(y, 1))))
    const isNothing = compare(g, 'And', compare(g, 'Equal', x, like(x, 0)), compare(g, 'Equal', y, y))
    return where(g, isNothing, like(x, 0), product)
  },
}
