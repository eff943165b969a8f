import { emit, isFloat, scalar, type Value } from '@eas/onnx'
import type { Call, Lower, OpTable } from '../call.ts'
import { extreme, promoted } from './helpers.ts'

/** Where values belong among sorted ones, and whether they are among others. Torch: aten/src/ATen/native/{Bucketization,TensorCompare}.cpp (2.4). */

const { binary, cast, compare, reduce, where } = emit

/** From so many on, such as the ids of a vocabulary, values are searched for instead of compared with each. */
const many = 128

/** Whether a boundary lies before a value that is found behind (`right`) its equals, or in front of them. NaN is behind all. */
function isBefore({ g }: Call, boundary: Value, value: Value, right: boolean): Value {
  if (!isFloat(value.dtype)) return compare(g, right ? 'LessOrEqual' : 'Less', boundary, value)
  return emit.not(g, compare(g, right ? 'Greater' : 'GreaterOrEqual', boundary, value))
}

/** The number of boundaries before each value. */
function placesOf(c: Call, boundaries: Value, values: Value, right: boolean): Value {
  const { g } = c
  const rank = values.shape.length
  const [count] = boundaries.shape
  if (boundaries.shape.length === 1 && typeof count === 'number' && count >= many)
    return halving(c, boundaries, count, values, right)
  const against =
    boundaries.shape.length === 1 ? boundaries : emit.unsqueeze(g, boundaries, [boundaries.shape.length - 1])
  const before = isBefore(c, against, emit.unsqueeze(g, values, [rank]), right)
  return reduce(g, 'ReduceSum', cast(g, before, 'int64'), [rank])
}

/** The same by halving, in `log2(count)` steps. */
function halving(c: Call, boundaries: Value, count: number, values: Value, right: boolean): Value {
  const { g } = c
  const zero = scalar('int64', 0)
  let places = emit.full(g, values.shape, zero)
  for (let step = 2 ** Math.floor(Math.log2(count)); step >= 1; step /= 2) {
    const further = binary(g, 'Add', places, scalar('int64', step))
    const isThere = compare(g, 'LessOrEqual', further, scalar('int64', count))
    const at = where(g, isThere, binary(g, 'Sub', further, scalar('int64', 1)), zero)
    const before = isBefore(c, emit.gather(g, boundaries, at, 0), values, right)
    places = where(g, compare(g, 'And', isThere, before), further, places)
  }
  return places
}

function search(c: Call, boundaries: Value, values: Value, right: boolean): Value {
  const dtype = boundaries.dtype === values.dtype ? values.dtype : 'float64'
  const places = placesOf(c, cast(c.g, boundaries, dtype), cast(c.g, values, dtype), right)
  return c.bool('out_int32') ? cast(c.g, places, 'int32') : places
}

const bucketize: Lower = (c) => search(c, c.tensor('boundaries'), c.operand('self').value, c.bool('right'))

const searchSorted: Lower = (c) => {
  const side = c.has('side') ? c.optionalString('side') : undefined
  const right = side === undefined ? c.bool('right') : side === 'right'
  return search(c, c.tensor('sorted_sequence'), c.operand('self').value, right)
}

const isIn: Lower = (c) => {
  const { g } = c
  const [x, given] = promoted(c, 'elements', 'test_elements') as [Value, Value] // two names were given
  const tests = emit.flat(g, given)
  const any = isAmong(c, x, tests)
  return c.bool('invert') ? emit.not(g, any) : any
}

function isAmong(c: Call, x: Value, tests: Value): Value {
  const { g } = c
  const [count] = tests.shape
  if (typeof count === 'number' && count >= many && x.dtype !== 'bool') {
    const [sorted] = emit.topK(g, tests, count, 0, { largest: false })
    const place = halving(c, sorted, count, x, false)
    const at = extreme(c, 'Min', place, scalar('int64', count - 1))
    return compare(g, 'Equal', emit.gather(g, sorted, at, 0), x)
  }
  const rank = x.shape.length
  const hit = compare(g, 'Equal', emit.unsqueeze(g, x, [rank]), tests)
  return cast(g, reduce(g, 'ReduceMax', cast(g, hit, 'uint8'), [rank]), 'bool')
}

export const searchingOps: OpTable = { bucketize, searchsorted: searchSorted, isin: isIn }
