import { isDeepStrictEqual } from 'node:util'
import { defaultHint, type Graph, GraphBuilder, Guards, ImportRefusal, type InputSpec } from '@eas/onnx'
import { type Callable, evaluate, prepare } from './evaluate.ts'
import { hintsOf } from './inputs.ts'
import { limits } from './limits.ts'
import { askedFor, type Changes, changesSince, hideState, stateOf } from './state.ts'
import { TensorRef } from './tensor-ref.ts'
import { type Py, PyDict, PyList, PyTuple } from './values.ts'

/** Whether answers to one request depend on those before it. */

/** Paths of changes that outputs of a later call would be computed from, as far as can be told. */
export function readOfState(model: Callable, specs: readonly InputSpec[], changes: Changes): ReadonlySet<string> {
  const call = prepare(model, specs)
  const hidden = hideState(call.vm, stateOf(call.vm, call.root), changes)
  try {
    const { values } = evaluate(call)
    return askedFor(call.vm, hidden, namesRead(call.vm.g.finish(values, { name: '', version: '' }).graph))
  } catch (error) {
    if (!(error instanceof ImportRefusal)) throw error
    return askedFor(call.vm, hidden, new Set())
  }
}

/** Names that nodes of a graph read, those of the graphs within it included. */
function namesRead({ node }: Graph, found = new Set<string>()): Set<string> {
  for (const { input, attribute } of node) {
    for (const name of input) found.add(name)
    for (const a of Object.values(attribute)) if ('graph' in a) namesRead(a.graph, found)
  }
  return found
}

/** Sizes of a second call by those of the first. */
const resizes: readonly ((size: number) => number)[] = [
  (size) => 2 * size,
  (size) => size + 1,
  (size) => Math.max(1, size - 1),
]

/**
 * Whether a second call computes what a first one would, of the same sizes and of others, and one of the same sizes changes
 * nothing any more: masks and tables that are computed once and kept. What is fixed here may be another size in a request that
 * the model is lowered again for, so it is varied as well.
 */
export function isSettled(model: Callable, specs: readonly InputSpec[]): boolean {
  const sizes = new Set(specs.flatMap(({ shape }) => shape))
  const labels = [...sizes].filter((d) => typeof d === 'string')
  const groups = [labels, ...[...sizes].filter((d) => typeof d === 'number' && d > 1).map((d) => [d])]
  if (groups.length > limits.settlingSizes) return false
  const others = groups.flatMap((group) => resizes.map((resize) => resized(specs, new Set(group), resize)))
  return isSettledBefore(model, specs, specs) && others.every((later) => isSettledBefore(model, specs, later))
}

/** @param later Of the second call. */
function isSettledBefore(model: Callable, specs: readonly InputSpec[], later: readonly InputSpec[]): boolean {
  const g = new GraphBuilder(new Guards(new Map([...hintsOf(specs), ...hintsOf(later)])))
  const first = prepare(model, specs, g, 'first:')
  const fresh = prepare(model, later, g, 'later:')
  const second = { ...first, args: fresh.args.map(copyOf), inputs: fresh.inputs }
  try {
    evaluate(first)
  } catch (error) {
    return refusedAs(false, error)
  }
  let expected: ReturnType<typeof evaluate>
  try {
    expected = evaluate(fresh)
  } catch (error) {
    return refusedAs(later !== specs, error) // the model takes no such sizes
  }
  try {
    const before = stateOf(first.vm, first.root)
    const { values, structure } = evaluate(second)
    // Nodes that compute the same are one node, and the graph's inputs are the same two times.
    const isSame = values.every(({ value }, i) => {
      const other = expected.values[i]
      return other !== undefined && g.nameOf(value) === g.nameOf(other.value)
    })
    const stays = later !== specs || changesSince(first.vm, before, first.root).size === 0
    return isSame && stays && isDeepStrictEqual(structure, expected.structure)
  } catch (error) {
    return refusedAs(false, error)
  }
}

function refusedAs(answer: boolean, error: unknown): boolean {
  if (error instanceof ImportRefusal) return answer
  throw error
}

/** The same inputs, with some of their sizes under labels of their own and other examples. */
function resized(
  specs: readonly InputSpec[],
  sizes: ReadonlySet<number | string>,
  resize: (size: number) => number,
): InputSpec[] {
  return specs.map((spec) => ({
    ...spec,
    shape: spec.shape.map((d) => (sizes.has(d) ? `later:${d}` : d)),
    example: spec.shape.map((d, axis) => {
      const size = typeof d === 'number' ? d : (spec.example?.[axis] ?? defaultHint)
      return sizes.has(d) ? resize(size) : size
    }),
  }))
}

/** Arguments that a call may change, for another. */
function copyOf(v: Py): Py {
  if (v instanceof TensorRef) return new TensorRef(v.state.value)
  if (v instanceof PyList) return new PyList(v.items.map(copyOf))
  if (v instanceof PyTuple) return new PyTuple(v.items.map(copyOf), v.names)
  if (v instanceof PyDict)
    return new PyDict(new Map([...v.entries].map(([name, [key, item]]) => [name, [key, copyOf(item)] as const])))
  return v
}
