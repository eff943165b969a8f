import { type Dim, type ElementType, refuse, type Value } from '@eas/onnx'
import { tick } from './values.ts'

/** How a view follows its base, and how what is written to the view reaches it. */
export interface ViewLink {
  readonly base: TensorRef
  /** The view of new contents of the base. @param own What the view held so far. */
  readonly replay: (base: Value, own: Value) => Value
  /** Contents of the base after the view became `written`; absent when it cannot be written through. */
  readonly scatter: ((base: Value, written: Value) => Value) | undefined
  /** Whether the view has contents of its own beside those of its base. */
  readonly hasOwn?: boolean
}

/** Whether all a tensor holds is its base's. */
export const isMereView = ({ state: { link } }: TensorRef): boolean => link !== undefined && !link.hasOwn

/**
 * A tensor as the code sees it: an identity whose contents change in place. Contents are values of the graph, which do not
 * change: writing puts another value in their place.
 */
export class TensorRef {
  readonly born = tick()
  state: TensorState
  /** Whether elements lie in memory in the order of their indices: decides whether `contiguous` copies. */
  readonly dense: boolean
  /** Refused when written to, with this reason. */
  readonly frozen: string | undefined

  constructor(value: Value, options: { link?: ViewLink; dense?: boolean; frozen?: string } = {}) {
    const { link } = options
    this.state = { value, link, version: 0, seen: link?.base.state.version ?? 0 }
    this.dense = options.dense ?? true
    this.frozen = options.frozen
  }

  /** Sizes never change: contents are replaced by contents of the same shape. */
  get shape(): readonly Dim[] {
    return this.state.value.shape
  }
  get dtype(): ElementType {
    return this.state.value.dtype
  }

  /** Whether writing to this writes to something that is older than `time`. */
  olderThan(time: number): boolean {
    return this.born <= time || this.frozen !== undefined || (this.state.link?.base.olderThan(time) ?? false)
  }
}

export interface TensorState {
  readonly value: Value
  readonly link: ViewLink | undefined
  readonly version: number
  /** Version of the base that `value` was taken from. */
  readonly seen: number
}

/** Told of each tensor before its state changes. */
export type Touch = (ref: TensorRef) => void

/** Contents as of now: of a view, what its base holds by now. */
export function readTensor(ref: TensorRef, touch: Touch): Value {
  const { link, seen } = ref.state
  if (link) {
    const base = readTensor(link.base, touch) // refreshes the base, and so its version
    const { version } = link.base.state
    if (version !== seen) {
      touch(ref)
      ref.state = {
        ...ref.state,
        value: link.replay(base, ref.state.value),
        seen: version,
        version: ref.state.version + 1,
      }
    }
  }
  return ref.state.value
}

/** Puts contents in place, through views down to what they show. */
export function writeTensor(ref: TensorRef, value: Value, touch: Touch): void {
  if (ref.frozen) throw refuse(`an in-place update of ${ref.frozen}`)
  const { link } = ref.state
  if (link) {
    if (!link.scatter) throw refuse('an in-place update through a view that cannot be written through')
    writeTensor(link.base, link.scatter(readTensor(link.base, touch), value), touch)
  }
  touch(ref)
  const { version } = ref.state
  ref.state = { value, link, version: version + 1, seen: link?.base.state.version ?? 0 }
}
