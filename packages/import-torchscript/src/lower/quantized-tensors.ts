import {
  type Attributes,
  type Dim,
  type ElementType,
  emit,
  type GraphBuilder,
  type Quant,
  refuse,
  scalar,
  type Value,
} from '@eas/onnx'
import type { Call } from '../call.ts'
import { dequantise, quantise } from '../operator.ts'
import { plain } from './packed-params.ts'

/** The numbers that a quantised argument stands for. */
export const numbers = (c: Call, name: string): Value => dequantise(c.vm, c.tensor(name))

/** Quantised anew by the scale and zero point that the call names; the integers stay of the type of `like`. */
export function requantised(c: Call, y: Value, like: string, scale: string, zeroPoint: string): Value {
  return quantise(c.vm, y, namedQuant(c, like, scale, zeroPoint), c.tensor(like).dtype)
}

/**
 * Quantised as torch quantises tensors: multiplied by the inverse of the scale and added to the zero point in one, and rounded
 * once. ONNX Runtime's operator rounds twice before.
 * @see fbgemm/src/QuantUtilsAvx2.cc `QuantizeAvx2`
 */
export function quantisedOnce({ g }: Call, x: Value, quant: Quant, dtype: ElementType): Value {
  const inverse = emit.binary(g, 'Div', scalar('float32', 1), quant.scale)
  const wide = (v: Value) => emit.cast(g, v, 'float64')
  const product = emit.binary(g, 'Mul', wide(x), wide(inverse))
  const steps = emit.cast(g, emit.binary(g, 'Add', product, wide(quant.zeroPoint)), 'float32')
  return roundedSteps(g, steps, quant, dtype)
}

/** Steps counted from zero, whole but for what rounding takes off. */
export function roundedSteps(g: GraphBuilder, steps: Value, quant: Quant, dtype: ElementType): Value {
  const inputs = [steps, scalar('float32', 1), scalar(dtype, 0)]
  const [value] = g.node('QuantizeLinear', inputs, [{ dtype, shape: steps.shape, quant }])
  return value as Value // one type was given
}

/** How far integers that mean what those of `x` do are from its zero point, as floats. */
export function centred(c: Call, x: Value, integers = plain(x)): Value {
  const places = emit.cast(c.g, integers, 'float32')
  const zero = emit.cast(c.g, zeroPointOf(c, x), 'float32')
  if (zero.elements?.every((z) => z === 0)) return places
  const axis = x.quant?.axis
  const shape = x.shape.map((d, i) => (i === axis ? d : 1))
  return emit.binary(c.g, 'Sub', places, axis === undefined ? zero : emit.reshape(c.g, zero, shape))
}

export const scaleOf = (c: Call, x: Value): Value => emit.cast(c.g, quantOf(x).scale, 'float32')
export const zeroPointOf = (c: Call, x: Value): Value => emit.cast(c.g, quantOf(x).zeroPoint, x.dtype)

function quantOf({ quant }: Value): Quant {
  if (!quant) throw refuse('a quantised operator on a tensor that is not quantised')
  return quant
}

/** The scale and zero point that a call names. */
export const namedQuant = (c: Call, like: string, scale: string, zeroPoint: string): Quant => ({
  scale: scalar('float32', Math.fround(c.float(scale))),
  zeroPoint: scalar(c.tensor(like).dtype, c.int(zeroPoint)),
})

/**
 * The bias as qnnpack adds it: in whole steps of the product of the scales. ONNX Runtime wants it so too, to make one integer
 * kernel of the layer.
 */
export function wholeBias(c: Call, bias: Value | undefined, x: Value, w: Value): Value | undefined {
  if (!bias || !x.quant || !w.quant) return bias
  const step = emit.binary(
    c.g,
    'Mul',
    emit.cast(c.g, w.quant.scale, 'float32'),
    emit.cast(c.g, x.quant.scale, 'float32'),
  )
  const scale = w.quant.axis === undefined ? emit.reshape(c.g, step, []) : step
  const steps = emit.cast(
    c.g,
    emit.unary(c.g, 'Round', emit.binary(c.g, 'Div', emit.cast(c.g, bias, 'float32'), scale)),
    'int32',
  )
  return c.g.one(
    'DequantizeLinear',
    [steps, scale],
    'float32',
    bias.shape,
    w.quant.axis === undefined ? {} : { axis: 0 },
  )
}

/** An operator that moves integers and changes none. They mean what `quant` says, or what they did. */
export function moved(
  c: Call,
  op: string,
  [x, ...rest]: readonly [Value, ...Value[]],
  shape: readonly Dim[],
  attributes: Attributes = {},
  quant = x.quant,
): Value {
  const { dtype } = x
  const [value] = c.g.node(op, [x, ...rest], [quant ? { dtype, shape, quant } : { dtype, shape }], attributes)
  return value as Value // one type was given
}
