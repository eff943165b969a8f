import type { DType } from '@eas/base'
import type { Dim, Value } from '@eas/onnx'

/** What an output of a TensorFlow node is while the graph is lowered. */
export type Item = TensorItem | ComplexItem | VariableItem | TableItem | ListItem | PoisonItem | OpaqueItem

/**
 * A tensor, in the ONNX graph, on the host in front of it, or both: it is put where something asks for it. Whoever asks
 * for neither costs nothing.
 */
export class TensorItem {
  readonly kind = 'tensor'
  private inGraph: Value | undefined
  private readonly toGraph: (() => Value) | undefined
  private onHost: number | undefined
  private readonly toHost: (() => number | undefined) | undefined
  private otherwise: (() => number | undefined) | undefined
  private hostTried = false
  /** The same tensor with channels first, where a node made it so; `value` then puts them last on demand. */
  channelsFirst: Value | undefined
  /** What is known beyond the value: see `Facts`. */
  facts: Facts | undefined

  constructor(graph: Value | (() => Value), toHost?: () => number | undefined) {
    if (typeof graph === 'function') this.toGraph = graph
    else this.inGraph = graph
    this.toHost = toHost
  }

  /** The tensor in the ONNX graph. */
  get value(): Value {
    this.inGraph ??= this.toGraph?.()
    if (!this.inGraph) throw new Error('a tensor is neither in the graph nor can be put there')
    return this.inGraph
  }

  /** Its element type, which costs nothing to ask for. */
  get dtype(): Value['dtype'] {
    return (this.channelsFirst ?? this.value).dtype
  }

  /** Its sizes, channels last. */
  get shape(): Value['shape'] {
    const first = this.channelsFirst?.shape
    return first ? [first[0] ?? 1, ...first.slice(2), first[1] ?? 1] : this.value.shape
  }

  /** Its number among the host's values; undefined when the host cannot compute it. */
  get host(): number | undefined {
    if (!this.hostTried) {
      this.hostTried = true
      this.onHost = this.toHost?.() ?? this.otherwise?.()
    }
    return this.onHost
  }

  /** Another way for the host to have it, where its own gives nothing. */
  offerHost(toHost: () => number | undefined): void {
    this.otherwise ??= toHost
  }
}

/** What loops want to know of their scalars, and layers of their first state. */
export interface Facts {
  /** It is this item and one more. */
  readonly successorOf?: TensorItem
  /** A bool that holds only where each first item is less than its second. */
  readonly less?: readonly (readonly [TensorItem, TensorItem])[]
  /** It is zero throughout. */
  readonly isZero?: boolean
  /** It is 0, 1, … below this. */
  readonly rangeTo?: Dim
}

/** Complex numbers, which ONNX has not: two tensors of one shape. */
export interface ComplexItem {
  readonly kind: 'complex'
  readonly real: Value
  readonly imag: Value
}

/** A variable's handle, or in TensorFlow 1 the reference that stands for handle and value alike. */
export interface VariableItem {
  readonly kind: 'variable'
  /** By which restoring and reading meet. */
  readonly key: string
}

export interface TableItem {
  readonly kind: 'table'
  readonly key: string
  readonly keyType: DType
  readonly valueType: DType
}

/** A list of tensors: `variant` lists of TensorFlow 2, TensorArrays of TensorFlow 1. */
export interface ListItem {
  readonly kind: 'list'
  readonly dtype: DType
  /** Sizes of the elements, -1 for unknown ones, as far as the graph says. */
  readonly elementShape: readonly number[] | undefined
  readonly state: ListState
  /** Whether writing behind its end makes it longer. */
  readonly grows?: boolean
}

export type ListState =
  /** Elements not written yet. */
  | { readonly is: 'reserved'; readonly length: TensorItem }
  /** Elements along axis 0. */
  | { readonly is: 'stacked'; readonly value: TensorItem }
  /** `base` with one element replaced. */
  | {
      readonly is: 'set'
      readonly base: ListItem
      readonly index: TensorItem
      readonly element: TensorItem
      readonly grows: boolean
    }
  | { readonly is: 'pushed'; readonly base: ListItem; readonly element: TensorItem }
  /** What a loop's body is given: see `LoopList`. */
  | { readonly is: 'carried'; readonly loop: LoopList }
  /** Elements of different first sizes, one after the other. */
  | { readonly is: 'pieces'; readonly value: TensorItem; readonly lengths: TensorItem }

/** A list within a loop. `read` gives its elements so far, and remembers that they were asked for. */
export interface LoopList {
  read(): TensorItem
  readonly length: TensorItem | undefined
}

/** What depends on something that could not be lowered; the reason is recorded where it arose. */
export interface PoisonItem {
  readonly kind: 'poison'
}
export const poison: PoisonItem = { kind: 'poison' }

/** Something that is only passed on: the handle of a TensorArray, an op without outputs. */
export interface OpaqueItem {
  readonly kind: 'opaque'
  readonly dtype?: DType
  readonly elementShape?: readonly number[] | undefined
}
export const opaque: OpaqueItem = { kind: 'opaque' }
