import { type DType, dtypes, type Tensor } from '@eas/base'
import { type Dim, type ElementType, type GraphBuilder, type OutputType, toBytes, type Value } from '@eas/onnx'
import type { PlainAttr } from '../graph-def.ts'
import type { Op } from '../op.ts'
import { hostOps } from './index.ts'

/** An operator as the host computes it. */
export interface HostOp {
  /** Pure; gives one tensor per output. @throws {EasError} `invalid_request` for values it cannot take. */
  readonly run: (inputs: readonly Tensor[], attrs: HostAttrs) => readonly Tensor[]
  /** Types and shapes of the outputs, for those without a lowering. */
  readonly infer: (op: Op) => readonly OutputType[]
}
export type HostTable = Readonly<Record<string, HostOp>>
export type HostAttrs = Readonly<Record<string, PlainAttr>>

/** One operator to run: numbers of values it takes and gives. */
export interface PrologueStep {
  readonly op: string
  readonly attrs: HostAttrs
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
}

/**
 * What is computed from a request's tensors in front of the session, as plain data: strings, hashes, tables, `tf.Example`.
 * Values are numbered; a step's inputs are inputs, constants or outputs of earlier steps.
 */
export interface Prologue {
  readonly inputs: readonly { readonly name: string; readonly value: number }[]
  readonly constants: readonly { readonly value: number; readonly tensor: Tensor }[]
  readonly steps: readonly PrologueStep[]
  /** Inputs of the ONNX graph and the values they are fed. */
  readonly outputs: readonly { readonly name: string; readonly value: number; readonly dtype: DType }[]
  /** Inputs of the model that the ONNX graph is fed as they are. */
  readonly passed: readonly string[]
}

/** Constants with more elements are not computed with when the model is lowered. */
const maxFolded = 1_048_576

/** The prologue while it is put together. */
export class HostProgram {
  private readonly inputs = new Map<string, number>()
  private readonly constants = new Map<number, Tensor>()
  private readonly byValue = new WeakMap<Value, number>()
  private readonly steps: PrologueStep[] = []
  private readonly cuts: { readonly name: string; readonly value: number; readonly dtype: DType }[] = []
  private count = 0

  input(name: string): number {
    const known = this.inputs.get(name)
    if (known !== undefined) return known
    const value = this.count++
    this.inputs.set(name, value)
    return value
  }

  /** Number of a constant of the graph; undefined when its elements are not at hand. */
  constantOf(value: Value): number | undefined {
    const known = this.byValue.get(value)
    if (known !== undefined) return known
    const tensor = toTensor(value)
    if (!tensor) return undefined
    const id = this.keep(tensor)
    this.byValue.set(value, id)
    return id
  }

  /** A constant of the host as one of the graph. */
  constant(id: number): Value | undefined {
    const tensor = this.constants.get(id)
    return tensor && toGraphValue(tensor)
  }

  /** Elements of a constant of the graph, strings as text; undefined when they are not at hand. */
  listOf(value: Value): readonly (number | bigint | string)[] | undefined {
    const tensor = toTensor(value)
    if (!tensor) return undefined
    return tensor.dtype === 'string'
      ? tensor.data.map((s) => Buffer.from(s).toString('utf8'))
      : Array.from<number | bigint>(tensor.data)
  }

  private keep(tensor: Tensor): number {
    const id = this.count++
    this.constants.set(id, tensor)
    return id
  }

  /** Adds a step, or its results where all of its inputs are constants. */
  step(op: string, attrs: HostAttrs, inputs: readonly number[], outputs: number): readonly number[] {
    const known = inputs.map((i) => this.constants.get(i))
    const run = hostOps[op]?.run
    if (run && known.every((t): t is Tensor => t !== undefined && t.data.length <= maxFolded)) {
      return run(known, attrs).map((t) => this.keep(t))
    }
    const ids = Array.from({ length: outputs }, () => this.count++)
    this.steps.push({ op, attrs, inputs, outputs: ids })
    return ids
  }

  /** An input of the ONNX graph that the host computes. */
  cut(g: GraphBuilder, id: number, dtype: ElementType, shape: readonly Dim[]): Value {
    const name = `prologue/${this.cuts.length}`
    this.cuts.push({ name, value: id, dtype })
    return g.within(g.root, () => g.input(name, dtype, shape))
  }

  /**
   * The prologue as far as it is needed; undefined when nothing is.
   * @param isFed Whether the ONNX graph has an input of that name.
   * @param passed Inputs of the model that are inputs of the ONNX graph.
   */
  finish(isFed: (name: string) => boolean, passed: readonly string[]): Prologue | undefined {
    const outputs = this.cuts.filter(({ name }) => isFed(name))
    if (outputs.length === 0) return undefined
    const live = new Set(outputs.map(({ value }) => value))
    const steps = this.steps.toReversed().filter((s) => {
      if (!s.outputs.some((o) => live.has(o))) return false
      for (const i of s.inputs) live.add(i)
      return true
    })
    return {
      inputs: [...this.inputs].filter(([, value]) => live.has(value)).map(([name, value]) => ({ name, value })),
      constants: [...this.constants].filter(([value]) => live.has(value)).map(([value, tensor]) => ({ value, tensor })),
      steps: steps.reverse(),
      outputs,
      passed,
    }
  }
}

function toTensor({ dtype, shape, elements, content }: Value): Tensor | undefined {
  if (elements) {
    if (!elements.every((e): e is number => typeof e === 'number')) return undefined
    return numeric(dtype, shape as readonly number[], toBytes(dtype, elements)) // contents are known, so sizes are
  }
  if (!content || 'external' in content) return undefined
  if ('strings' in content) return { dtype: 'string', shape: shape as readonly number[], data: content.strings }
  return numeric(dtype, shape as readonly number[], content.bytes)
}

function numeric(dtype: ElementType, shape: readonly number[], bytes: Uint8Array): Tensor | undefined {
  if (dtype === 'string') return undefined
  const copy = bytes.slice() // aligned
  return { dtype, shape, data: new dtypes[dtype].array(copy.buffer) } as Tensor // the array of the dtype's own row
}

function toGraphValue(tensor: Tensor): Value {
  const { shape } = tensor
  const dtype = tensor.dtype as ElementType // host operators give the types of the graph
  if (tensor.dtype === 'string') return { dtype, shape, content: { strings: tensor.data } }
  const { data } = tensor
  const isSmall =
    data.length <= 64 &&
    !(data instanceof BigInt64Array || data instanceof BigUint64Array
      ? data.some((v) => !Number.isSafeInteger(Number(v)))
      : false)
  if (isSmall && dtype !== 'float16' && dtype !== 'bfloat16')
    return { dtype, shape, elements: Array.from(data, Number) }
  return { dtype, shape, content: { bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) } }
}
