import { type Dim, emit, isFloat, refuse, scalar, type Value } from '@eas/onnx'
import type { Lowering, Op, OpTable } from '../op.ts'
import { binary, compare, num, unary, where } from './elementwise.ts'

/**
 * Text of what the graph computes, such as an embedding written with commas; text of a request's own is the host's.
 * TF: core/ops/string_ops.cc (2.16). ONNX: StringConcat, opset 20.
 */

const word = (text: string): Value => ({ dtype: 'string', shape: [], content: { strings: [Buffer.from(text)] } })

const joined = (op: Op, a: Value, b: Value): Value =>
  op.one('StringConcat', [a, b], 'string', op.e.broadcast(a.shape, b.shape))

const wholeText = (op: Op, x: Value): Value =>
  op.one('Cast', [emit.cast(op.g, x, 'int64')], 'string', x.shape, { to: stringType })
/** TensorProto.DataType.STRING. */
const stringType = 8

/** Digits behind the point that come out exactly: a float's 24 bits by this power of ten are within a double's 53. */
const maxExactDigits = 12

/**
 * `%.{digits}f` of floats: the whole part and the part behind the point as integers, in doubles, where both are exact. Digits
 * are read from a table three at a time, which keeps the zeros in front. Numbers from 2^63 on are not written right.
 */
function fixedText(op: Op, x: Value, digits: number): Value {
  const { g } = op
  const v = emit.cast(g, x, 'float64')
  const size = unary(op, 'Abs', v)
  const power = 10 ** digits
  const floor = unary(op, 'Floor', size)
  const shifted = unary(op, 'Round', binary(op, 'Mul', binary(op, 'Sub', size, floor), num(v, power)))
  // Rounding may carry; without digits behind the point the whole number itself is rounded, halves to even.
  const carry = compare(op, 'GreaterOrEqual', shifted, num(v, power))
  const whole = digits === 0 ? unary(op, 'Round', size) : where(op, carry, binary(op, 'Add', floor, num(v, 1)), floor)
  let text = wholeText(op, whole)
  if (digits > 0) {
    let rest = emit.cast(g, where(op, carry, num(v, 0), shifted), 'int64')
    const groups: Value[] = []
    for (let left = digits; left > 0; left -= 3) {
      const width = Math.min(3, left)
      const base = scalar('int64', 10 ** width)
      groups.unshift(emit.gather(g, digitTable(width), binary(op, 'Mod', rest, base), 0))
      rest = binary(op, 'Div', rest, base)
    }
    text = groups.reduce((all, group) => joined(op, all, group), joined(op, text, word('.')))
  }
  const zero = num(v, 0)
  const below = compare(op, 'Less', unary(op, 'Reciprocal', v), zero)
  const isNegative = compare(
    op,
    'Or',
    compare(op, 'Less', v, zero),
    compare(op, 'And', compare(op, 'Equal', v, zero), below),
  )
  const isNothing = op.one('IsNaN', [v], 'bool', v.shape)
  const isBounded = compare(op, 'Less', size, num(v, Number.POSITIVE_INFINITY))
  const signed = joined(op, where(op, isNegative, word('-'), word('')), where(op, isBounded, text, word('inf')))
  return where(op, isNothing, word('nan'), signed)
}

/** All numbers of `width` digits, with zeros in front. */
const digitTable = (width: number): Value => ({
  dtype: 'string',
  shape: [10 ** width],
  content: { strings: Array.from({ length: 10 ** width }, (_, i) => Buffer.from(String(i).padStart(width, '0'))) },
})

/** Whole numbers, bools and floats in fixed notation; other notations, and what the request itself says, are the host's to write. */
const asString: Lowering = (op) => {
  const x = op.x(0)
  if (x.dtype === 'string') return op.tensor(0)
  const cannot = (what: string) =>
    refuse(`${what} that the graph computes cannot be written as text`, op.node.name, 'Fetch the numbers instead')
  if (x.dtype === 'bool') return where(op, x, word('true'), word('false'))
  if (op.attr.int('width', -1) >= 0) throw cannot(`${x.dtype} padded to a width`)
  if (isFloat(x.dtype) && op.tensor(0).host !== undefined) throw cannot('a number of the request')
  if (x.dtype.startsWith('int') || (x.dtype.startsWith('uint') && x.dtype !== 'uint64')) return wholeText(op, x)
  const precision = op.attr.int('precision', -1)
  const digits = precision < 0 ? 6 : precision
  if (x.dtype === 'float64' || x.dtype === 'uint64') throw cannot(x.dtype)
  if (op.attr.bool('scientific') || op.attr.bool('shortest') || digits > maxExactDigits)
    throw cannot(`${x.dtype} in another notation than %f with up to ${maxExactDigits} digits`)
  return fixedText(op, x, digits)
}

const stringJoin: Lowering = (op) => {
  const separator = word(op.attr.string('separator'))
  return op.xs().reduce((a, b) => joined(op, joined(op, a, separator), b))
}

/** Neighbours are joined until one is left: the even and the odd ones at once, so that it takes few steps. */
function joinAlong(op: Op, x: Value, axis: number, separator: Value): Value {
  const length = x.shape[axis]
  if (typeof length !== 'number')
    throw refuse(
      'strings that the graph computes are joined along an axis of unknown length',
      op.node.name,
      'Give the axis a fixed size',
    )
  if (length === 0) return emit.full(op.g, removed(x.shape, axis), word(''))
  let [parts, n] = [x, length]
  while (n > 1) {
    const even = n - (n % 2)
    const left = emit.slice(op.g, parts, axis, 0, even, 2)
    const right = emit.slice(op.g, parts, axis, 1, even, 2)
    const pairs = joined(op, joined(op, left, separator), right)
    parts = n === even ? pairs : emit.concat(op.g, [pairs, emit.slice(op.g, parts, axis, even, n)], axis)
    n = Math.ceil(n / 2)
  }
  return emit.squeeze(op.g, parts, [axis])
}

const removed = (shape: readonly Dim[], axis: number): Dim[] => shape.filter((_, i) => i !== axis)

/** The axis that is named first is joined first: its strings stand next to each other. */
const reduceJoin: Lowering = (op) => {
  const x = op.x(0)
  const rank = x.shape.length
  const axes = op.ints(1).map((a) => op.axis(a, rank))
  if (axes.length === 0) return x
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i))
  const turned = emit.transpose(op.g, x, [...kept, ...axes.toReversed()])
  const separator = word(op.attr.string('separator'))
  const joinedRows = axes.reduceRight((rows, _, k) => joinAlong(op, rows, kept.length + k, separator), turned)
  if (!op.attr.bool('keep_dims')) return joinedRows
  return emit.unsqueeze(
    op.g,
    joinedRows,
    [...axes].sort((a, b) => a - b),
  )
}

export const textOps: OpTable = {
  AsString: asString,
  StringJoin: stringJoin,
  ReduceJoin: reduceJoin,
}
