import { type ElementType, ImportRefusal, refuse, type Value } from '@eas/onnx'
import type { Evaluator, Frame } from './evaluator.ts'
import type { NodeDef } from './graph-def.ts'
import { hostOps } from './host/index.ts'
import { type Item, poison, TensorItem } from './item.ts'
import { lowerComplex } from './lower/complex.ts'
import { lazyOps } from './lower/control-v1.ts'
import { lowerings } from './lower/index.ts'
import { textOps } from './lower/text.ts'
import { type Lowered, type Lowering, Op } from './op.ts'

/** Operators whose lowering takes strings, because ONNX Runtime has kernels of them for strings. */
const stringLowerings = new Set(
  `AsString BroadcastTo Concat ConcatV2 Equal ExpandDims Fill Gather GatherNd GatherV2 Identity LookupTableFind LookupTableFindV2 NotEqual Pack Reshape Select SelectV2 Shape Size Rank
   ShapeN Slice Split SplitV Squeeze StridedSlice Tile Transpose Unique UniqueV2 UniqueWithCounts Unpack ZerosLike`.split(
    /\s+/,
  ),
)

/** Operators on few numbers in front of what is computed: the host does them where it has the operands, the graph elsewhere. */
const hostFirst = new Set(
  'RaggedRange RaggedTensorToSparse RaggedTensorToTensor SparseConcat SparseReorder SparseSlice'.split(' '),
)

/**
 * Lowers one node whose inputs are evaluated, to the ONNX graph, to the host in front of it, or to both where both can
 * compute it: what nothing asks for falls away at the end.
 */
export function lowerNode(e: Evaluator, frame: Frame, node: NodeDef): readonly Item[] {
  const lazy = own(lazyOps, node.op)
  if (lazy) {
    e.ops.add(node.op)
    return lazy(e, frame, node)
  }
  const references = node.inputs.filter((i) => !i.startsWith('^'))
  e.want(frame, references)
  const inputs = references.map((r) => e.get(frame, r))
  e.ops.add(node.op)
  const f = e.graph.functions.get(node.op)
  if (f) return e.call(f, inputs, frame)
  const lowering = own(lowerings, node.op)
  const host = own(hostOps, node.op)
  if (!lowering && !host)
    return e.refuse(
      `the operator ${node.op} is not supported`,
      node.name,
      'Export the model without it, or compute its output before the request',
    )
  if (inputs.some((i) => i.kind === 'poison') && node.op !== 'NoOp') return [poison]
  const op = new Op(e, frame, node, inputs)
  const ofComplex = lowerComplex(op, lowering)
  if (ofComplex) return ofComplex
  const hasStrings = inputs.some((i) => i instanceof TensorItem && i.dtype === 'string')
  const isHosts = host && (hostFirst.has(node.op) || (hasStrings && !stringLowerings.has(node.op)))
  if (lowering && !isHosts) {
    const lowered = attempt(op, lowering, host !== undefined)
    if (!lowered) return lowerToHost(op)
    const list = Array.isArray(lowered) ? lowered : [lowered]
    const onHost = host && once(() => hostOutputs(op, list.length))
    return list.map((out: Value | Item, i) => {
      const toHost = onHost ? () => onHost()?.[i] : undefined
      if (!('kind' in out)) return new TensorItem(out, toHost ?? (() => e.host.constantOf(out)))
      if (toHost && out instanceof TensorItem && !op.inputs.includes(out)) out.offerHost(toHost)
      return out
    })
  }
  return lowerToHost(op, hostFirst.has(node.op) || own(textOps, node.op) ? lowering : undefined)
}

/** What a lowering gives; undefined when it refuses what the host can take. */
function attempt(op: Op, lowering: Lowering, canBeHost: boolean): Lowered | undefined {
  try {
    return lowering(op)
  } catch (error) {
    if (
      error instanceof ImportRefusal &&
      canBeHost &&
      own(hostOnlyTypes, op.node.op) &&
      op.inputs.every((i) => i instanceof TensorItem && i.host !== undefined)
    )
      return undefined
    throw error
  }
}

/** Operators of which the host takes more than the graph, and says itself what comes out. */
const hostOnlyTypes: Readonly<Record<string, true>> = {
  AsString: true,
  SparseReshape: true,
  SparseToDense: true,
  SparseFillEmptyRows: true,
}

/**
 * An operator of the host: its outputs become inputs of the ONNX graph, which are dropped where not used.
 * @param otherwise What the graph can do where the host cannot know the operands.
 */
function lowerToHost(op: Op, otherwise?: Lowering): readonly Item[] {
  const { e, node } = op
  if (otherwise && op.inputs.some((i) => !(i instanceof TensorItem) || i.host === undefined)) {
    const lowered = otherwise(op)
    const list = Array.isArray(lowered) ? lowered : [lowered]
    return list.map((out: Value | Item) => ('kind' in out ? out : new TensorItem(out)))
  }
  const types = own(hostOps, node.op)?.infer(op) ?? []
  const ids = hostOutputs(op, types.length)
  if (!ids) {
    throw refuse(
      'strings and sparse data that the graph itself computes cannot be worked on',
      node.name,
      'Compute them from the inputs alone',
    )
  }
  return types.map(({ dtype, shape }, i) => {
    const id = ids[i] ?? 0 // an id per type
    const known = e.host.constant(id)
    if (known) return new TensorItem(known, () => id)
    return new TensorItem(e.host.cut(e.g, id, dtype as ElementType, shape), () => id)
  })
}

function hostOutputs(op: Op, count: number): readonly number[] | undefined {
  const ids: number[] = []
  for (const item of op.inputs) {
    const id = item instanceof TensorItem ? item.host : undefined
    if (id === undefined) return undefined
    ids.push(id)
  }
  return op.e.host.step(op.node.op, op.attr.plain(), ids, count)
}

function once<T>(f: () => T): () => T {
  let result: { readonly value: T } | undefined
  return () => {
    result ??= { value: f() }
    return result.value
  }
}

/** A row of a table; names from a file must not find what every object inherits. */
const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined
