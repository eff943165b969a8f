import type { DType, Tensor } from '@eas/base'
import { type ElementType, elementTypes, type InputSpec } from '@eas/onnx'

/** An input as requests have had it so far. */
interface Seen {
  readonly dtype: DType
  /** One per request, of one rank. */
  readonly shapes: readonly (readonly number[])[]
}

/**
 * What requests tell about a model's inputs, where the model does not say: a size that has always been the same as another
 * is taken for the same size, one that has always been 1 for a 1, and any other for one that may change.
 */
export class ExampleShapes {
  private readonly seen = new Map<string | number, Seen>()

  /** Takes the inputs of a request into account. One of another rank or dtype than before begins anew. */
  add(inputs: Iterable<readonly [input: string | number, tensor: Pick<Tensor, 'dtype' | 'shape'>]>): void {
    for (const [input, { dtype, shape }] of inputs) {
      const before = this.seen.get(input)
      const agrees = before?.dtype === dtype && before.shapes[0]?.length === shape.length
      // The last shapes are enough to tell sizes apart.
      this.seen.set(input, { dtype, shapes: [...(agrees ? before.shapes.slice(-7) : []), shape] })
    }
  }

  /** The inputs as an importer takes them, with the latest sizes as the example. */
  specs(): InputSpec[] {
    const specs: InputSpec[] = []
    for (const [input, { dtype, shapes }] of this.seen) {
      if (!Object.hasOwn(elementTypes, dtype)) continue
      const example = shapes.at(-1) ?? []
      const shape = example.map((size, axis) => {
        const sizes = shapes.map((seen) => seen[axis] ?? 0)
        const isOne = axis > 0 && sizes.every((seen) => seen === 1)
        return isOne || size === 0 ? size : `n${sizes.join('_')}`
      })
      specs.push({ input, dtype: dtype as ElementType, shape, example }) // it is a key of elementTypes
    }
    return specs
  }
}
