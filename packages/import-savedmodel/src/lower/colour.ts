import { emit, type Value } from '@eas/onnx'
import type { Lowering, Op, OpTable } from '../op.ts'
import { binary, compare, num, unary, where } from './elementwise.ts'

/** Colours, three to a pixel along the last axis. TF: core/ops/image_ops.cc (2.16). */

type Three = readonly [Value, Value, Value]

const channels = (op: Op, x: Value): Three => {
  const of = (i: number): Value => emit.select(op.g, x, x.shape.length - 1, i)
  return [of(0), of(1), of(2)]
}

const joined = (op: Op, parts: Three): Value => {
  const axis = parts[0].shape.length
  return emit.concat(
    op.g,
    parts.map((p) => emit.unsqueeze(op.g, p, [axis])),
    axis,
  )
}

/** @see core/kernels/image/colorspace_op.h RGBToHSV */
function toHsv(op: Op, [r, g, b]: Three): Three {
  const bin = (o: string, x: Value, y: Value): Value => binary(op, o, x, y)
  const value = bin('Max', bin('Max', r, g), b)
  const span = bin('Sub', value, bin('Min', bin('Min', r, g), b))
  const isPositive = (x: Value): Value => compare(op, 'Greater', x, num(x, 0))
  const saturation = where(op, isPositive(value), bin('Div', span, value), num(r, 0))
  const part = (x: Value, y: Value, sixths: number): Value =>
    bin('Add', bin('Div', bin('Sub', x, y), bin('Mul', span, num(r, 6))), num(r, sixths / 6))
  const isGreatest = (x: Value): Value => compare(op, 'Equal', x, value)
  const hue = where(op, isGreatest(r), part(g, b, 0), where(op, isGreatest(g), part(b, r, 2), part(r, g, 4)))
  const coloured = where(op, isPositive(span), hue, num(r, 0))
  const isNegative = compare(op, 'Less', coloured, num(r, 0))
  return [where(op, isNegative, bin('Add', coloured, num(r, 1)), coloured), saturation, value]
}

/** @see core/kernels/image/colorspace_op.h HSVToRGB */
function toRgb(op: Op, [hue, saturation, value]: Three): Three {
  const bin = (o: string, x: Value, y: Value): Value => binary(op, o, x, y)
  const one = num(hue, 1)
  const sixths = bin('Mul', hue, num(hue, 6))
  const distance = (from: number): Value => unary(op, 'Abs', bin('Sub', sixths, num(hue, from)))
  const ramp = (x: Value): Value => bin('Min', bin('Max', x, num(hue, 0)), one)
  const channel = (x: Value): Value =>
    bin('Mul', bin('Add', bin('Sub', one, saturation), bin('Mul', saturation, ramp(x))), value)
  return [
    channel(bin('Sub', distance(3), one)),
    channel(bin('Sub', num(hue, 2), distance(2))),
    channel(bin('Sub', num(hue, 2), distance(4))),
  ]
}

const converted =
  (f: (op: Op, x: Three) => Three): Lowering =>
  (op) =>
    joined(op, f(op, channels(op, op.x(0))))

export const colourOps: OpTable = {
  RGBToHSV: converted(toHsv),
  HSVToRGB: converted(toRgb),
  AdjustSaturation: converted((op, x) => {
    const [hue, saturation, value] = toHsv(op, x)
    const more = binary(op, 'Mul', saturation, op.x(1))
    return toRgb(op, [hue, binary(op, 'Min', binary(op, 'Max', more, num(more, 0)), num(more, 1)), value])
  }),
  /** Hues lie on a circle of circumference 1. */
  AdjustHue: converted((op, x) => {
    const [hue, saturation, value] = toHsv(op, x)
    const turned = binary(op, 'Add', hue, op.x(1))
    return toRgb(op, [binary(op, 'Sub', turned, unary(op, 'Floor', turned)), saturation, value])
  }),
}
