import { roundTo } from '../bytes.ts'
import { add, type Dim, floorDiv, max, min, mod, mul, neg, same, sub } from '../dim.ts'
import { type ElementType, elementTypes, isComplex, isFloat, isInteger } from '../element-type.ts'
import type { Attributes, GraphBuilder } from '../graph-builder.ts'
import { refuse } from '../importer.ts'
import { maxElements, type Value } from '../value.ts'
import { kernelType } from './kernels.ts'

/** The same numbers as another element type. Floats become integers by cutting off, anything becomes a bool by `!= 0`. */
export function cast(g: GraphBuilder, x: Value, dtype: ElementType): Value {
  if (x.dtype === dtype) return x
  if (isComplex(x.dtype) || isComplex(dtype)) throw refuse(`a cast from ${x.dtype} to ${dtype}`)
  if (x.elements) {
    const elements = castElements(x.elements, x.dtype, dtype)
    if (elements) return { dtype, shape: x.shape, elements }
  }
  return g.one('Cast', [x], dtype, x.shape, { to: elementTypes[dtype].code })
}

function castElements(elements: readonly Dim[], from: ElementType, to: ElementType): readonly Dim[] | undefined {
  if (from === 'string' || to === 'string') return undefined
  const cast: Dim[] = []
  for (const e of elements) {
    if (typeof e !== 'number') {
      // Sizes fit any wide integer; what a float or a byte would make of them is left to the run.
      if (to !== 'int64' && to !== 'int32') return undefined
      cast.push(e)
    } else if (isInteger(to) && !Number.isFinite(e)) return undefined
    else cast.push(roundTo(to, isInteger(to) && !isInteger(from) ? Math.trunc(e) : e))
  }
  return cast
}

/** Functions of one number that are worth knowing the result of. */
const foldUnary: Readonly<Record<string, (x: number) => number>> = {
  Neg: (x) => -x,
  Abs: Math.abs,
  Floor: Math.floor,
  Ceil: Math.ceil,
  Sqrt: Math.sqrt,
  Reciprocal: (x) => 1 / x,
  Exp: Math.exp,
  Log: Math.log,
  Relu: (x) => Math.max(x, 0),
  Sign: Math.sign,
}

/** An operator of one operand, element by element; the result has the operand's type. */
export function unary(g: GraphBuilder, op: string, x: Value, attributes: Attributes = {}): Value {
  const fold = foldUnary[op]
  if (x.elements && fold) {
    if (op === 'Neg' && isInteger(x.dtype)) {
      const elements = x.elements.map((e) => (typeof e === 'number' ? roundTo(x.dtype, 0 - e) : neg(e)))
      return { dtype: x.dtype, shape: x.shape, elements }
    }
    if (x.elements.every((e) => typeof e === 'number')) {
      return { dtype: x.dtype, shape: x.shape, elements: x.elements.map((e) => roundTo(x.dtype, fold(e as number))) } // just checked
    }
  }
  const kernel = kernelType(op, x.dtype)
  return cast(g, g.one(op, [cast(g, x, kernel)], kernel, x.shape, attributes), x.dtype)
}

/** Shape of operands broadcast against each other, as NumPy does. Sizes that may differ are taken to be equal. */
export function broadcastShapes(g: GraphBuilder, ...shapes: readonly (readonly Dim[])[]): readonly Dim[] {
  const rank = shapes.reduce((r, s) => Math.max(r, s.length), 0)
  const result: Dim[] = []
  for (let axis = 0; axis < rank; axis++) {
    let size: Dim = 1
    for (const shape of shapes) {
      const at = axis - rank + shape.length
      if (at >= 0) size = broadcastDim(g, size, shape[at] ?? 1)
    }
    result.push(size)
  }
  return result
}

function broadcastDim(g: GraphBuilder, a: Dim, b: Dim): Dim {
  if (a === 1) return b
  if (b === 1 || same(a, b)) return a
  const equal = g.guards.decide(a, '==', b)
  if (equal === true) return typeof a === 'number' ? a : b
  if (equal === undefined) {
    // One is 1 or they are equal: the model would fail otherwise, and a fixed size settles which.
    g.assumptions.add(`${a} and ${b} are equal where they meet`)
    return typeof b === 'number' ? b : a
  }
  if (g.guards.decide(a, '==', 1)) return b
  if (g.guards.decide(b, '==', 1)) return a
  throw refuse(`sizes ${a} and ${b} do not go together`)
}

type Fold = (a: Dim, b: Dim) => Dim | undefined
const onNumbers =
  (f: (a: number, b: number) => number): Fold =>
  (a, b) =>
    typeof a === 'number' && typeof b === 'number' ? f(a, b) : undefined

const foldInteger: Readonly<Record<string, Fold>> = {
  Add: add,
  Sub: sub,
  Mul: mul,
  Max: max,
  Min: min,
  // ONNX divides integers towards zero; sizes are not negative, and then it is the floor.
  Div: (a, b) =>
    typeof a === 'number' && typeof b === 'number' ? (b === 0 ? undefined : Math.trunc(a / b)) : floorDivOfSizes(a, b),
  Mod: (a, b) => (b === 0 ? undefined : mod(a, b)),
}

const floorDivOfSizes = (a: Dim, b: Dim): Dim | undefined =>
  typeof b === 'number' && b > 0 ? floorDiv(a, b) : typeof b === 'number' ? undefined : floorDiv(a, b)

const foldFloat: Readonly<Record<string, Fold>> = {
  Add: onNumbers((a, b) => a + b),
  Sub: onNumbers((a, b) => a - b),
  Mul: onNumbers((a, b) => a * b),
  Div: onNumbers((a, b) => a / b),
  Pow: onNumbers((a, b) => a ** b),
  Max: onNumbers(Math.max),
  Min: onNumbers(Math.min),
}

const foldCompare: Readonly<Record<string, Fold>> = {
  Equal: onNumbers((a, b) => Number(a === b)),
  Less: onNumbers((a, b) => Number(a < b)),
  LessOrEqual: onNumbers((a, b) => Number(a <= b)),
  Greater: onNumbers((a, b) => Number(a > b)),
  GreaterOrEqual: onNumbers((a, b) => Number(a >= b)),
  And: onNumbers((a, b) => a && b),
  Or: onNumbers((a, b) => a || b),
  Xor: onNumbers((a, b) => a ^ b),
}

/** An operator of two operands of one element type, broadcast; the result has that type. */
export function binary(g: GraphBuilder, op: string, a: Value, b: Value, attributes: Attributes = {}): Value {
  const shape = broadcastShapes(g, a.shape, b.shape)
  const folded = foldBinary(isFloat(a.dtype) ? foldFloat[op] : foldInteger[op], a, b, shape, a.dtype)
  if (folded) return folded
  const kernel = kernelType(op, a.dtype)
  return cast(g, g.one(op, [cast(g, a, kernel), cast(g, b, kernel)], kernel, shape, attributes), a.dtype)
}

/** A comparison, or a logical operator of bools; gives bools. */
export function compare(g: GraphBuilder, op: string, a: Value, b: Value): Value {
  const shape = broadcastShapes(g, a.shape, b.shape)
  const folded = foldBinary(foldCompare[op], a, b, shape, 'bool')
  if (folded) return folded
  const kernel = kernelType(op, a.dtype)
  return g.one(op, [cast(g, a, kernel), cast(g, b, kernel)], 'bool', shape)
}

function foldBinary(
  fold: Fold | undefined,
  a: Value,
  b: Value,
  shape: readonly Dim[],
  dtype: ElementType,
): Value | undefined {
  if (!fold || !a.elements || !b.elements || shape.length > 1) return undefined
  const size = shape.length === 0 ? 1 : shape[0]
  if (typeof size !== 'number' || size > maxElements) return undefined
  const elements: Dim[] = []
  for (let i = 0; i < size; i++) {
    const x = a.elements[a.elements.length === 1 ? 0 : i]
    const y = b.elements[b.elements.length === 1 ? 0 : i]
    const result = x === undefined || y === undefined ? undefined : fold(x, y)
    if (result === undefined) return undefined
    // Beyond 2^53 doubles round, where integers wrap around.
    if (isInteger(dtype) && typeof result === 'number' && !Number.isSafeInteger(result)) return undefined
    elements.push(typeof result === 'number' && Number.isFinite(result) ? roundTo(dtype, result) : result)
  }
  return { dtype, shape, elements }
}

/** `not` of bools. */
export const not = (g: GraphBuilder, x: Value): Value =>
  x.elements?.every((e) => typeof e === 'number')
    ? { dtype: 'bool', shape: x.shape, elements: x.elements.map((e) => (e === 0 ? 1 : 0)) }
    : g.one('Not', [x], 'bool', x.shape)

/** `condition ? a : b`, element by element; `a` and `b` have one element type. */
export function where(g: GraphBuilder, condition: Value, a: Value, b: Value): Value {
  const shape = broadcastShapes(g, condition.shape, a.shape, b.shape)
  const kernel = kernelType('Where', a.dtype)
  return cast(g, g.one('Where', [condition, cast(g, a, kernel), cast(g, b, kernel)], kernel, shape), a.dtype)
}

/** Values held between bounds; a bound that is absent does not bind. Bounds are scalars of the operand's type. */
export function clip(g: GraphBuilder, x: Value, low: Value | undefined, high: Value | undefined): Value {
  const kernel = kernelType('Clip', x.dtype)
  const bound = (b: Value | undefined): Value | undefined => b && cast(g, b, kernel)
  return cast(g, g.one('Clip', [cast(g, x, kernel), bound(low), bound(high)], kernel, x.shape), x.dtype)
}
