import { type Dim, dims, emit, refuse, scalar, type Value } from '@eas/onnx'
import type { Lowering, Op, OpTable } from '../op.ts'
import { binary, compare, unary, where } from './elementwise.ts'
import { product } from './linalg.ts'
import { withRows } from './no-rows.ts'

/**
 * Images resized by weights: each row and each column of the result is a sum of those of the source, so a matrix per axis says
 * all. TF: core/ops/image_ops.cc (2.16).
 */

/** Rows of `[B, H, W, C]` mixed by `[h, H]`, columns by `[w, W]`. */
function mixed(op: Op, given: Value, rows: Value, columns: Value): Value {
  const { g } = op
  // The runtime does not multiply nothing by a matrix.
  const image = withRows(g, given, [0])
  const [batch = 1, height = 1, width = 1, channels = 1] = image.shape
  const flat = emit.reshape(g, image, [batch, height, dims.mul(width, channels)])
  const outHeight = rows.shape[0] ?? 1
  const mixedRows = emit.reshape(g, product(op, rows, flat), [batch, outHeight, width, channels])
  return emit.slice(g, product(op, columns, mixedRows), 0, 0, given.shape[0] ?? 1)
}

const f = (v: number): Value => scalar('float32', v)
const float = (op: Op, d: Dim): Value => emit.cast(op.g, scalar('int64', d), 'float32')

/**
 * Each pixel of the result covers a part of the source, and pixels of the source count as far as they are covered. Without
 * corners aligned nothing lies beyond the last one; with them, the last one stands for it.
 * @see core/kernels/image/resize_area_op.cc
 */
const resizeArea: Lowering = (op) => {
  const { g } = op
  const image = emit.cast(g, op.x(0), 'float32')
  const isAligned = op.attr.bool('align_corners')
  const bin = (o: string, a: Value, b: Value): Value => binary(op, o, a, b)
  const weights = (size: Dim, limit: Dim): Value => {
    const scale =
      isAligned && size !== 1
        ? bin('Div', float(op, dims.sub(limit, 1)), float(op, dims.sub(size, 1)))
        : bin('Div', float(op, limit), float(op, size))
    const place = emit.iota(g, size, 0, 2, 'float32')
    const [from, to] = [bin('Mul', place, scale), bin('Mul', bin('Add', place, f(1)), scale)]
    const pixel = emit.iota(g, limit, 1, 2, 'float32')
    const isLast = compare(op, 'Equal', pixel, float(op, dims.sub(limit, 1)))
    const end = where(op, isLast, bin('Max', to, bin('Add', pixel, f(1))), bin('Add', pixel, f(1)))
    const covered = bin('Sub', bin('Min', to, end), bin('Max', from, pixel))
    return bin('Div', bin('Max', covered, f(0)), scale)
  }
  const [height = 1, width = 1] = op.sizes(1)
  return mixed(op, image, weights(height, image.shape[1] ?? 1), weights(width, image.shape[2] ?? 1))
}

/** A kernel of interpolation: how far it reaches, and its value at a distance that is not negative. */
interface Kernel {
  readonly radius: number
  readonly at: (op: Op, x: Value) => Value
}

/** A polynomial by Horner's rule, the highest power first. */
const polynomial = (op: Op, x: Value, coefficients: readonly number[]): Value =>
  coefficients.slice(1).reduce((sum, c) => binary(op, 'Add', binary(op, 'Mul', sum, x), f(c)), f(coefficients[0] ?? 0))

/** Pieces between whole distances; beyond them nothing. */
const pieces = (op: Op, x: Value, near: readonly number[], far: readonly number[]): Value =>
  where(
    op,
    compare(op, 'Less', x, f(1)),
    polynomial(op, x, near),
    where(op, compare(op, 'Less', x, f(2)), polynomial(op, x, far), f(0)),
  )

const lanczos = (radius: number): Kernel => ({
  radius,
  at(op, x) {
    const t = binary(op, 'Mul', x, f(Math.PI))
    const waves = binary(op, 'Mul', unary(op, 'Sin', t), unary(op, 'Sin', binary(op, 'Div', t, f(radius))))
    const value = binary(op, 'Div', binary(op, 'Mul', waves, f(radius)), binary(op, 'Mul', t, t))
    const inside = where(op, compare(op, 'LessOrEqual', x, f(1e-3)), f(1), value)
    return where(op, compare(op, 'Greater', x, f(radius)), f(0), inside)
  },
})

/** @see core/kernels/image/sampling_kernels.h */
const kernels: Readonly<Record<string, Kernel>> = {
  lanczos1: lanczos(1),
  lanczos3: lanczos(3),
  lanczos5: lanczos(5),
  gaussian: {
    radius: 1.5,
    at(op, x) {
      const scaled = binary(op, 'Div', x, f(0.5))
      const value = unary(op, 'Exp', binary(op, 'Mul', binary(op, 'Mul', scaled, scaled), f(-0.5)))
      return where(op, compare(op, 'GreaterOrEqual', x, f(1.5)), f(0), value)
    },
  },
  box: {
    radius: 1,
    at: (op, x) =>
      where(op, compare(op, 'Less', x, f(0.5)), f(1), where(op, compare(op, 'Equal', x, f(0.5)), f(0.5), f(0))),
  },
  triangle: { radius: 1, at: (op, x) => binary(op, 'Max', binary(op, 'Sub', f(1), x), f(0)) },
  keyscubic: { radius: 2, at: (op, x) => pieces(op, x, [1.5, -2.5, 0, 1], [-0.5, 2.5, -4, 2]) },
  mitchellcubic: {
    radius: 2,
    at: (op, x) => pieces(op, x, [7 / 6, -2, 0, 8 / 9], [-7 / 18, 2, -10 / 3, 16 / 9]),
  },
}

/**
 * Resized and moved with a kernel, which is widened where the image gets smaller and `antialias` is set.
 * @see core/kernels/image/scale_and_translate_op.cc ComputeSpansCore
 */
const scaleAndTranslate: Lowering = (op) => {
  const { g } = op
  const name = op.attr.string('kernel_type', 'lanczos3')
  const kernel = Object.hasOwn(kernels, name) ? kernels[name] : undefined
  if (!kernel) throw refuse(`the kernel ${JSON.stringify(name)} is not supported`, op.node.name)
  const image = emit.cast(g, op.x(0), 'float32')
  const antialias = op.attr.bool('antialias', true)
  const bin = (o: string, a: Value, b: Value): Value => binary(op, o, a, b)
  const sizes = op.sizes(1)
  const weights = (axis: 0 | 1): Value => {
    const [size, limit] = [sizes[axis] ?? 1, image.shape[axis + 1] ?? 1]
    const inverse = unary(op, 'Reciprocal', emit.select(g, op.x(2), 0, axis))
    const shift = bin('Mul', emit.select(g, op.x(3), 0, axis), inverse)
    const place = emit.iota(g, size, 0, 2, 'float32')
    const sample = bin('Sub', bin('Mul', bin('Add', place, f(0.5)), inverse), shift)
    const widened = antialias ? bin('Max', inverse, f(1)) : f(1)
    const pixel = emit.iota(g, limit, 1, 2, 'float32')
    const reach = bin('Mul', f(kernel.radius), widened)
    const last = float(op, dims.sub(limit, 1))
    const held = (v: Value): Value => bin('Min', bin('Max', v, f(0)), last)
    const first = held(unary(op, 'Ceil', bin('Sub', bin('Sub', sample, reach), f(0.5))))
    const end = held(unary(op, 'Floor', bin('Sub', bin('Add', sample, reach), f(0.5))))
    const inSpan = both(op, compare(op, 'GreaterOrEqual', pixel, first), compare(op, 'LessOrEqual', pixel, end))
    const isInside = both(
      op,
      compare(op, 'GreaterOrEqual', sample, f(0)),
      compare(op, 'LessOrEqual', sample, float(op, limit)),
    )
    const distance = unary(op, 'Abs', bin('Div', bin('Sub', bin('Add', pixel, f(0.5)), sample), widened))
    const raw = where(op, both(op, inSpan, isInside), kernel.at(op, distance), f(0))
    const total = emit.reduce(g, 'ReduceSum', raw, [1], true)
    const isNothing = compare(op, 'Less', unary(op, 'Abs', total), f(leastTotal))
    return bin('Div', raw, where(op, isNothing, f(1), total))
  }
  return mixed(op, image, weights(0), weights(1))
}

/** Sums of weights below this are not made 1: a thousand times the smallest normal float. */
const leastTotal = 1.1754943508222875e-35
const both = (op: Op, a: Value, b: Value): Value => compare(op, 'And', a, b)

export const resampleOps: OpTable = {
  ResizeArea: resizeArea,
  ScaleAndTranslate: scaleAndTranslate,
}
