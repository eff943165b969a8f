import { refuse, type Value } from '@eas/onnx'
import type { Call, Lower, OpTable } from '../call.ts'

/** Window functions of spectra. Torch: aten/src/ATen/native/TensorFactories.cpp (2.4). */

/** `sum of k · cos(2πi·n / N)`. */
const cosineWindow =
  (coefficients: (c: Call) => readonly number[]): Lower =>
  (c) => {
    return windowOf(c, (at) => coefficients(c).reduce((sum, k, order) => sum + k * Math.cos(Math.PI * order * at), 0))
  }

/** A function of places from 0 to 2; periodic windows are one longer, without their last element. */
function windowOf(c: Call, height: (at: number) => number): Value {
  const n = c.int('window_length')
  if (n > 65_536) throw refuse(`aten::${c.name} of ${n} elements`, '', 'Use a shorter window')
  const isPeriodic = !c.has('periodic') || c.bool('periodic')
  const span = isPeriodic ? n : n - 1
  const values = Array.from({ length: n }, (_, i) => (n === 1 ? 1 : height((2 * i) / span)))
  return c.g.numbers(c.dtype('dtype') ?? 'float32', [n], values)
}

/** Modified Bessel function of order 0, by its power series. */
function bessel(x: number): number {
  let [sum, term] = [1, 1]
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}

const kaiser: Lower = (c) => {
  const beta = c.has('beta') ? c.float('beta') : 12
  if (Math.abs(beta) > 500) throw refuse(`aten::kaiser_window of beta ${beta}`, '', 'Use a smaller beta')
  return windowOf(c, (at) => bessel(beta * Math.sqrt(Math.max(0, 1 - (at - 1) ** 2))) / bessel(beta))
}

export const windowOps: OpTable = {
  hann_window: cosineWindow(() => [0.5, -0.5]),
  hamming_window: cosineWindow((c) => {
    const alpha = c.has('alpha') ? c.float('alpha') : 0.54
    return [alpha, -(c.has('beta') ? c.float('beta') : 0.46)]
  }),
  bartlett_window: (c) => windowOf(c, (at) => 1 - Math.abs(at - 1)),
  kaiser_window: kaiser,
  blackman_window: cosineWindow(() => [0.42, -0.5, 0.08]),
}
