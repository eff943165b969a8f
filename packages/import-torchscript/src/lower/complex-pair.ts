import { type Dim, type ElementType, emit, type GraphBuilder, isComplex, refuse, type Value } from '@eas/onnx'

/**
 * Complex tensors, of which ONNX Runtime has none: a value of a complex type stands for a pair, a tensor of floats with a
 * last axis of two, the real part and the imaginary. Torch: aten/src/ATen/native/ComplexHelper.h (2.4).
 */

/** No node gives a complex value: this is what it stands for. */
const pairs = new WeakMap<Value, Value>()

/** The complex tensor that a pair, `[…, 2]`, stands for. */
export function complexOf(pair: Value): Value {
  const value: Value = {
    dtype: pair.dtype === 'float64' ? 'complex128' : 'complex64',
    shape: pair.shape.slice(0, -1),
  }
  pairs.set(value, pair)
  return value
}

/** The pair, `[…, 2]`, that a complex tensor stands for; a constant lies in memory as one. */
export function pairOf(x: Value): Value {
  const known = pairs.get(x)
  if (known) return known
  if (!x.content || !isComplex(x.dtype)) throw refuse('a complex tensor from outside', '', advice)
  const pair: Value = {
    dtype: x.dtype === 'complex128' ? 'float64' : 'float32',
    shape: [...x.shape, 2],
    content: x.content,
  }
  pairs.set(x, pair)
  return pair
}

export const advice = 'Give and take real and imaginary parts: view_as_real, view_as_complex'

/** Real and imaginary part. */
export function partsOf(g: GraphBuilder, pair: Value): [Value, Value] {
  const last = pair.shape.length - 1
  return [emit.select(g, pair, last, 0), emit.select(g, pair, last, 1)]
}

/** Two parts as a complex tensor, broadcast against each other. */
export function joined(g: GraphBuilder, real: Value, imaginary: Value): Value {
  const shape = emit.broadcastShapes(g, real.shape, imaginary.shape)
  const columns = [real, imaginary].map((x) => emit.unsqueeze(g, emit.expand(g, x, shape), [shape.length]))
  return complexOf(emit.concat(g, columns, shape.length))
}

/** A complex tensor of one real number. */
export function complexFull(g: GraphBuilder, shape: readonly Dim[], number: number, dtype: ElementType): Value {
  const one = g.numbers(dtype === 'complex128' ? 'float64' : 'float32', [2], [number, 0])
  return complexOf(emit.expand(g, emit.reshape(g, one, [...shape.map(() => 1), 2]), [...shape, 2]))
}

/** A real tensor as a complex one. */
export function complexFrom(g: GraphBuilder, x: Value, dtype: ElementType): Value {
  const real = emit.cast(g, x, dtype === 'complex128' ? 'float64' : 'float32')
  return joined(g, real, emit.full(g, real.shape, { dtype: real.dtype, shape: [], elements: [0] }))
}
