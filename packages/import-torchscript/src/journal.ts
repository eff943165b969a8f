import { refuse } from '@eas/onnx'
import { TensorRef, type TensorState } from './tensor-ref.ts'
import { type ListState, now, type Py, PyDict, PyList, type PyObject } from './values.ts'

/** Something that changes in place. */
export type Mutable = TensorRef | PyList | PyDict | PyObject
/** What it holds at one moment; never changed once taken. */
export type Contents = TensorState | ListState | ReadonlyMap<string, readonly [Py, Py]> | ReadonlyMap<string, Py>

/** What a stretch of code changed that existed before it. */
export type Effects = ReadonlyMap<Mutable, Contents>

/**
 * Keeps book of what changes in place, so that a branch or loop body can be run for its effects and undone: what it changed
 * becomes a result of the region, or the model is refused.
 */
export class Journal {
  /** Tensors whose contents were copied into a list that only the data count: a later change would have to show there. */
  private readonly listed = new WeakSet<Mutable>()
  private readonly regions: { readonly since: number; readonly before: Map<Mutable, Contents> }[] = []

  /** To be called before `object` changes. */
  readonly touch = (object: Mutable): void => {
    const region = this.regions.at(-1)
    if (this.listed.has(object)) throw refuse('an update of a tensor that is in a list whose length only the data tell')
    if (object instanceof PyList && object.frozen)
      throw refuse('an update of a list that is one of two, depending on data')
    if (region && object.born <= region.since && !region.before.has(object))
      region.before.set(object, contentsOf(object))
  }

  /** From here on the tensor, or what it is a view of, must not change. */
  hold(ref: TensorRef): void {
    let root = ref
    while (root.state.link) root = root.state.link.base
    this.listed.add(root)
  }

  /** Runs `body` and undoes its changes. @returns What the changed things held at its end. */
  record<T>(body: () => T): { readonly result: T; readonly effects: Effects; readonly since: number } {
    const region = { since: now(), before: new Map<Mutable, Contents>() }
    this.regions.push(region)
    try {
      const result = body()
      const effects = new Map<Mutable, Contents>()
      for (const object of region.before.keys()) effects.set(object, contentsOf(object))
      return { result, effects, since: region.since }
    } finally {
      this.regions.pop()
      for (const [object, contents] of region.before) restore(object, contents)
    }
  }
}

export function contentsOf(object: Mutable): Contents {
  if (object instanceof TensorRef) return object.state
  if (object instanceof PyList) return copyOf(object.state)
  return object instanceof PyDict ? new Map(object.entries) : new Map(object.attributes)
}

// Contents are of the kind `contentsOf` gave for that object.
export function restore(object: Mutable, contents: Contents): void {
  if (object instanceof TensorRef) object.state = contents as TensorState
  else if (object instanceof PyList) object.state = copyOf(contents as ListState)
  else if (object instanceof PyDict) object.entries = new Map(contents as ReadonlyMap<string, readonly [Py, Py]>)
  else object.attributes = new Map(contents as ReadonlyMap<string, Py>)
}

/** A state of its own: items are put into lists in place. */
function copyOf({ items, grown }: ListState): ListState {
  if (!grown) return { items: [...items] }
  return { items: [...items], grown: 'appended' in grown ? { appended: [...grown.appended] } : grown }
}
