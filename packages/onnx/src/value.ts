import type { Dim } from './dim.ts'
import type { ElementType } from './element-type.ts'
import type { Content } from './model.ts'

/**
 * A tensor of the graph being built, as far as it is known: element type and shape always, contents when they are a
 * constant or a few numbers computed from sizes. It has no node, and no name, until a node asks for it.
 */
export interface Value {
  readonly dtype: ElementType
  readonly shape: readonly Dim[]
  /**
   * Contents in row-major order, at most `maxElements`: integers, which may be sizes of inputs, floats, or bools as 0 and
   * 1. Nothing is emitted for arithmetic on them.
   */
  readonly elements?: readonly Dim[]
  /** Contents of a constant of any size. */
  readonly content?: Content
  /** How a quantised tensor's integers become numbers: `scale * (q - zeroPoint)`. */
  readonly quant?: Quant
}

/** Per tensor when `axis` is absent, else per index of that axis. */
export interface Quant {
  readonly scale: Value
  readonly zeroPoint: Value
  readonly axis?: number
}

/** Contents longer than this are left to the graph. */
export const maxElements = 64

export const rankOf = (x: Value): number => x.shape.length

/** A scalar of known value. */
export const scalar = (dtype: ElementType, value: Dim): Value => ({ dtype, shape: [], elements: [value] })

/** An int64 vector of sizes. */
export const vector = (values: readonly Dim[], dtype: ElementType = 'int64'): Value => ({
  dtype,
  shape: [values.length],
  elements: values,
})

/** The one number a value holds, when it is known. */
export const knownScalar = (x: Value): Dim | undefined => (x.elements?.length === 1 ? x.elements[0] : undefined)
