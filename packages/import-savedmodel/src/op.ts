import type { DType } from '@eas/base'
import { type Attributes, type Dim, type ElementType, emit, type GraphBuilder, refuse, type Value } from '@eas/onnx'
import type { Evaluator, Frame } from './evaluator.ts'
import type { Attrs, NodeDef } from './graph-def.ts'
import { type Item, TensorItem } from './item.ts'
import { elementType } from './tensor-proto.ts'

/** What a lowering gives: a value or an item per output; one when the node has one. */
export type Lowered = Value | Item | readonly (Value | Item)[]
export type Lowering = (op: Op) => Lowered
/** A row per TensorFlow operator. */
export type OpTable = Readonly<Record<string, Lowering>>

/** A node being lowered: its inputs, attributes, and the graph it goes to. */
export class Op {
  readonly e: Evaluator
  readonly g: GraphBuilder
  readonly frame: Frame
  readonly node: NodeDef
  readonly attr: Attrs
  readonly inputs: readonly Item[]

  constructor(e: Evaluator, frame: Frame, node: NodeDef, inputs: readonly Item[]) {
    this.e = e
    this.g = e.g
    this.frame = frame
    this.node = node
    this.attr = node.attrs
    this.inputs = inputs
  }

  get count(): number {
    return this.inputs.length
  }

  /** Input `i`, which has to be a tensor. */
  tensor(i: number): TensorItem {
    const item = this.inputs[i]
    if (item instanceof TensorItem) return item
    throw refuse(item ? `input ${i} is a ${item.kind}, not a tensor` : `input ${i} is missing`, this.node.name)
  }

  /** Input `i` in the ONNX graph. */
  x(i: number): Value {
    return this.tensor(i).value
  }

  /** All inputs from `start` on, up to `end`. */
  xs(start = 0, end = this.count): Value[] {
    const values: Value[] = []
    for (let i = start; i < end; i++) values.push(this.x(i))
    return values
  }

  /** Numbers of an input that are known now, sizes of inputs among them. @throws {ImportRefusal} When they are not. */
  dims(i: number): readonly Dim[] {
    const { elements, shape } = this.x(i)
    if (elements) return elements
    if (shape.includes(0)) return []
    throw refuse(`input ${i} has to be known when the model is lowered`, this.node.name, 'Make it a constant')
  }

  /** Like `dims`, without sizes of inputs. */
  ints(i: number): readonly number[] {
    return this.dims(i).map((d) => {
      if (typeof d === 'number') return d
      throw refuse(`input ${i} has to be a constant`, this.node.name, 'Make it a constant')
    })
  }

  /** The single number of an input. */
  int(i: number): number {
    return this.ints(i)[0] ?? 0
  }

  /** An attribute that is an element type. */
  dtype(name: string, otherwise?: DType): ElementType {
    return elementType(this.attr.dtype(name) ?? otherwise, this.node.name)
  }

  /** An axis input or attribute, counted from the front. */
  axis(value: number, rank: number): number {
    return emit.axisOf(value, rank)
  }

  /**
   * Values of a one-dimensional input as sizes, whether known or not: what the graph computes becomes a size that a run
   * tells. The length has to be known.
   */
  sizes(i: number): readonly Dim[] {
    const x = this.x(i)
    if (x.elements) return x.elements
    if (x.shape.includes(0)) return []
    const [length = 1] = x.shape
    if (typeof length !== 'number' || length > 64) throw refuse(`input ${i} has to have a known length`, this.node.name)
    if (x.shape.length === 0) return [this.g.scalarDim(x)]
    return Array.from({ length }, (_, k) => this.g.scalarDim(emit.select(this.g, x, 0, k)))
  }

  one(
    op: string,
    inputs: readonly (Value | undefined)[],
    dtype: ElementType,
    shape: readonly Dim[],
    attributes?: Attributes,
    domain?: string,
  ): Value {
    return this.g.one(op, inputs, dtype, shape, attributes, domain)
  }
}
