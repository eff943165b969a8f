import { emit, type Value } from '@eas/onnx'
import { TensorItem } from '../item.ts'
import type { Op } from '../op.ts'

/**
 * TensorFlow keeps channels last, ONNX first. A convolution's result stays channels first, and so does what is computed
 * from it element by element; it is put channels last where something looks at its axes.
 */

/** Where each axis of a channels-first tensor stands in the channels-last one. */
export const toFirst = (rank: number): number[] => [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)]
export const toLast = (rank: number): number[] => [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1]

/** Axis of the channels-first tensor for one of the channels-last. */
export const firstAxis = (axis: number, rank: number): number => (axis === 0 ? 0 : axis === rank - 1 ? 1 : axis + 1)

/** The tensor with channels first. */
export function channelsFirst(op: Op, item: TensorItem): Value {
  item.channelsFirst ??= emit.transpose(op.g, item.value, toFirst(item.value.shape.length))
  return item.channelsFirst
}

/** A result with channels first; channels last are made where the node stands, on demand. */
export function fromChannelsFirst(op: Op, x: Value): TensorItem {
  const { g } = op
  const { scope } = g
  const item = new TensorItem(() => g.within(scope, () => emit.transpose(g, x, toLast(x.shape.length))))
  item.channelsFirst = x
  return item
}

export interface Aligned {
  readonly values: Value[]
  readonly isChannelsFirst: boolean
}

/**
 * Operands of an element-wise operator in one layout: channels first when an operand already is, and every other one is
 * either too or a constant, which is turned instead.
 */
export function alignLayouts(op: Op, items: readonly TensorItem[]): Aligned {
  const rank = items.find((i) => i.channelsFirst)?.channelsFirst?.shape.length
  const canTurn = (i: TensorItem): boolean =>
    i.channelsFirst !== undefined || i.value.shape.length === 0 || isWeight(i.value)
  if (
    rank === undefined ||
    !items.every((i) =>
      i.channelsFirst ? i.channelsFirst.shape.length === rank : canTurn(i) && i.value.shape.length <= rank,
    )
  ) {
    return { values: items.map((i) => i.value), isChannelsFirst: false }
  }
  return { values: items.map((i) => i.channelsFirst ?? turned(op, i.value, rank)), isChannelsFirst: true }
}

/** Few enough elements per row to be a weight: no size depends on the request. */
const isWeight = (x: Value): boolean => x.shape.every((d) => typeof d === 'number')

/** An operand of any rank so that it broadcasts against a channels-first tensor of `rank`. */
function turned(op: Op, x: Value, rank: number): Value {
  if (x.shape.length === 0) return x
  if (x.shape.length === 1)
    return emit.unsqueeze(
      op.g,
      x,
      Array.from({ length: rank - 2 }, (_, i) => i + 1),
    )
  const whole = emit.unsqueeze(
    op.g,
    x,
    Array.from({ length: rank - x.shape.length }, (_, i) => i),
  )
  return emit.transpose(op.g, whole, toFirst(rank))
}

export const inLayout = (op: Op, x: Value, isChannelsFirst: boolean): Value | TensorItem =>
  isChannelsFirst ? fromChannelsFirst(op, x) : x
