import { type Dim, dims, type Value } from '@eas/onnx'
import type { TensorRef } from './tensor-ref.ts'

/**
 * What is known of tensors whose contents are not: enough to see that a mask is the causal one, which nn.Transformer asks
 * by comparing it with one made the same way.
 */
export class Facts {
  private readonly numbers = new WeakSet<Value>()
  private readonly trues = new WeakSet<Value>()
  private readonly scattered = new WeakSet<Value>()
  private readonly orders = new WeakMap<TensorRef, readonly number[]>()
  private readonly rows = new WeakMap<Value, Value>()
  private readonly steps = new WeakMap<Value, Dim>()

  /** The value holds no NaN, and so equals itself. */
  noteNumbers(v: Value): Value {
    this.numbers.add(v)
    return v
  }
  noteTrue(v: Value): Value {
    this.trues.add(v)
    return v
  }
  isNumbers(v: Value): boolean {
    return this.numbers.has(v)
  }
  isTrue(v: Value): boolean {
    return this.trues.has(v)
  }

  /** Torch may have made a view of this, whose elements lie in memory in another order than that of their indices. */
  noteScattered(v: Value): Value {
    this.scattered.add(v)
    return v
  }
  mayBeScattered(v: Value): boolean {
    return this.scattered.has(v)
  }

  /** The axes of the tensor lie in memory in this order, or in another one than their own that is not known. */
  notePermuted(t: TensorRef, order: readonly number[] | undefined): TensorRef {
    if (!order || order.some((axis, i) => axis !== i)) this.orders.set(t, order ?? [])
    return t
  }
  orderOf(t: TensorRef): readonly number[] | undefined {
    return this.orders.get(t)
  }
  /** Whether the axes of the tensor, or of what it is a view of, lie in memory in another order. */
  isPermuted(t: TensorRef): boolean {
    const { link } = t.state
    return this.orders.has(t) || (link !== undefined && this.isPermuted(link.base))
  }

  /** The value is 0, step, 2 × step, … */
  noteSteps(v: Value, step: Dim): Value {
    this.steps.set(v, step)
    return v
  }
  stepOf(v: Value): Dim | undefined {
    const { elements } = v
    if (!elements) return this.steps.get(v)
    const step = elements[1] ?? 1
    return elements.every((e, i) => dims.same(e, dims.mul(step, i))) ? step : undefined
  }

  /** The value stands for a nested tensor: the rows of it where `mask`, `[B, T]`, is true. */
  noteRows(v: Value, mask: Value): Value {
    this.rows.set(v, mask)
    return v
  }
  rowsOf(v: Value): Value | undefined {
    return this.rows.get(v)
  }
}
