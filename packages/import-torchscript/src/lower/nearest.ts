import { type Dim, dims, emit, scalar, type Value } from '@eas/onnx'
import type { Call } from '../call.ts'
import { like } from './helpers.ts'

/**
 * Nearest neighbours. Torch multiplies places by a float, ONNX Runtime divides them by another: where the two round to different
 * neighbours, elements are gathered by torch's rule. Torch: HelperInterpNearest of aten/src/ATen/native/cpu/UpSampleKernel.cpp (2.4).
 */

const { fround } = Math

/** An axis that is resized. */
export interface Resized {
  readonly size: Dim
  readonly out: Dim
  /** Given by the caller. */
  readonly scale: number | undefined
  /** `nearest-exact`: by the middle of each element. */
  readonly isExact: boolean
}

/** Sizes up to which the two rules are compared where the size is not known. */
const commonSizes = 4096

/** Whether ONNX Runtime takes the neighbours that torch takes. */
export function agrees({ size, out, scale, isExact }: Resized): boolean {
  if (typeof size === 'number' && typeof out === 'number')
    return neighboursAgree(out, size, stepOf(size, out, scale), fround(scale ?? out / size), isExact)
  // What only a run knows has no size to gather by.
  if (scale === undefined && !(dims.fromInputs(size) && dims.fromInputs(out))) return true
  if (scale !== undefined)
    return neighboursAgree(commonSizes, Number.POSITIVE_INFINITY, fround(1 / scale), fround(scale), isExact)
  const times = [1, 2, 4, 8].find((n) => dims.same(out, dims.mul(size, n)))
  return times !== undefined // exact in both
}

const stepOf = (size: number, out: number, scale: number | undefined): number =>
  scale === undefined ? fround(fround(size) / fround(out)) : fround(1 / scale)

function neighboursAgree(count: number, size: number, step: number, scale: number, isExact: boolean): boolean {
  for (let i = 0; i < count; i++) {
    const theirs = isExact
      ? Math.floor(fround(fround(fround(i + 0.5) / scale) - 0.5) + 0.5)
      : Math.floor(fround(i / scale))
    if (Math.min(neighbour(i, step, isExact), size - 1) !== Math.min(theirs, size - 1)) return false
  }
  return true
}

const neighbour = (i: number, step: number, isExact: boolean): number =>
  isExact
    ? Math.floor(fround(Math.max(fround(fround(step * fround(i + 0.5)) - 0.5), 0) + 0.5))
    : Math.floor(fround(step * i))

/** Elements of an axis at torch's places. */
export function gathered(c: Call, x: Value, axis: number, { size, out, scale, isExact }: Resized): Value {
  const { g } = c
  if (typeof size === 'number' && typeof out === 'number') {
    const step = stepOf(size, out, scale)
    const places = Array.from({ length: out }, (_, i) => Math.min(neighbour(i, step, isExact), size - 1))
    return emit.gather(g, x, g.numbers('int64', [out], places), axis)
  }
  const float = (d: Dim): Value => emit.cast(g, scalar('int64', d), 'float32')
  const step =
    scale === undefined ? emit.binary(g, 'Div', float(size), float(out)) : scalar('float32', fround(1 / scale))
  const numbers = emit.cast(g, emit.iota(g, out, 0, 1), 'float32')
  const plus = (v: Value, n: number): Value => emit.binary(g, 'Add', v, like(v, n))
  const middle = isExact ? plus(numbers, 0.5) : numbers
  const real = emit.binary(g, 'Mul', middle, step)
  const place = isExact ? plus(emit.clip(g, plus(real, -0.5), like(real, 0), undefined), 0.5) : real
  const whole = emit.cast(g, emit.unary(g, 'Floor', place), 'int64')
  return emit.gather(g, x, emit.binary(g, 'Min', whole, scalar('int64', dims.sub(size, 1))), axis)
}
