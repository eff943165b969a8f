import { refuse } from '@eas/onnx'
import type { Call, Lower, OpTable } from '../call.ts'

/** Window functions of spectra. Torch: aten/src/ATen/native/TensorFactories.cpp (2.4). */

/** `sum of k · cos(2πi·n / N)`; periodic windows are one longer, without their last element. */
const cosineWindow =
  (coefficients: (c: Call) => readonly number[]): Lower =>
  (c) => {
    const n = c.int('window_length')
    if (n > 65_536) throw refuse(`aten::${c.name} of ${n} elements`)
    const isPeriodic = !c.has('periodic') || c.bool('periodic')
    const span = isPeriodic ? n : n - 1
    const values = Array.from({ length: n }, (_, i) =>
      n === 1 ? 1 : coefficients(c).reduce((sum, k, order) => sum + k * Math.cos((2 * Math.PI * order * i) / span), 0),
    )
    return c.g.numbers(c.dtype('dtype') ?? 'float32', [n], values)
  }

export const windowOps: OpTable = {
  hann_window: cosineWindow(() => [0.5, -0.5]),
  hamming_window: cosineWindow((c) => {
    const alpha = c.has('alpha') ? c.float('alpha') : 0.54
    return [alpha, -(c.has('beta') ? c.float('beta') : 0.46)]
  }),
  blackman_window: cosineWindow(() => [0.42, -0.5, 0.08]),
}
