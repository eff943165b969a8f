import type { DType, Tensor } from '@eas/base'
import { type Dim, decodeMessage, type Message, type OutputType, ProtoError } from '@eas/onnx'
import type { Op } from '../op.ts'
import { elementType } from '../tensor-proto.ts'
import { fixed, keysOf, type Row, rowOf, sequenceExample, toTensor, types, valuesIn, variable } from './example.ts'
import type { HostAttrs, HostTable } from './program.ts'
import { allocate, fresh, invalid, listAttr, numbers, numericTensor, strings, typed } from './values.ts'

/**
 * `tf.SequenceExample`s taken apart: a context, which is an example, and lists of features, one per time step.
 * TF: core/ops/parsing_ops.cc ParseSequenceExampleV2 (2.16).
 */

/** One example: its context, and the steps of each feature list. */
interface Sequence {
  readonly context: Row
  readonly lists: ReadonlyMap<string, readonly Message[]>
}

function parse(serialized: Uint8Array, index: number): Sequence {
  try {
    const message: Message = decodeMessage(sequenceExample, serialized)
    const lists: readonly Message[] = message.feature_lists?.feature_list ?? []
    return {
      context: rowOf(message.context),
      lists: new Map(lists.map(({ key, value }) => [key ?? '', value?.feature ?? []])),
    }
  } catch (error) {
    if (error instanceof ProtoError) throw invalid(`Could not parse sequence example input ${index}: ${error.message}`)
    throw error
  }
}

interface Typed {
  readonly key: string
  readonly dtype: DType
}
interface Dense extends Typed {
  readonly shape: readonly number[]
  readonly mayBeMissing: boolean
}

/** Values of each step. */
const stepsOf = ({ lists }: Sequence, { key, dtype }: Typed): readonly (readonly unknown[])[] =>
  (lists.get(key) ?? []).map((step) => valuesIn(step, key, dtype) ?? [])

/** Steps of each example, padded with zeros to the longest: `[B, T, …]`, and how many there are: `[B]`. */
function denseList(sequences: readonly Sequence[], spec: Dense): [Tensor, Tensor] {
  const { key, dtype, shape } = spec
  const size = shape.reduce((a, b) => a * b, 1)
  const rows = sequences.map((s, i) => {
    if (!s.lists.has(key) && !spec.mayBeMissing)
      throw invalid(`Example ${i} is missing the required feature list ${JSON.stringify(key)}`)
    const steps = stepsOf(s, spec)
    for (const [t, step] of steps.entries())
      if (step.length !== size)
        throw invalid(
          `Key: ${key}, index: ${i}, step: ${t}. Number of values ${step.length} is not the expected ${size}`,
        )
    return steps
  })
  const most = rows.reduce((n, r) => Math.max(n, r.length), 0)
  allocate(rows.length * most * size)
  const nothing: unknown = dtype === 'string' ? new Uint8Array() : 0
  const all = rows.flatMap((steps) => [
    ...steps.flat(),
    ...new Array<unknown>((most - steps.length) * size).fill(nothing),
  ])
  return [
    toTensor(dtype, all, [rows.length, most, ...shape]),
    numericTensor(
      'int64',
      rows.map((r) => r.length),
    ),
  ]
}

/** Coordinates `[n, 3]` of example, step and value; values; sizes. */
function sparseList(sequences: readonly Sequence[], spec: Typed): [Tensor, Tensor, Tensor] {
  const [indices, values] = [[] as number[], [] as unknown[]]
  let [longest, widest] = [0, 0]
  for (const [b, s] of sequences.entries()) {
    const steps = stepsOf(s, spec)
    longest = Math.max(longest, steps.length)
    for (const [t, step] of steps.entries()) {
      widest = Math.max(widest, step.length)
      for (const [k, v] of step.entries()) {
        indices.push(b, t, k)
        values.push(v)
      }
    }
  }
  return [
    numericTensor('int64', indices, [values.length, 3]),
    toTensor(spec.dtype, values, [values.length]),
    numericTensor('int64', [sequences.length, longest, widest]),
  ]
}

/** Values, ends of the examples in steps, and ends of the steps in values. */
function raggedList(sequences: readonly Sequence[], spec: Typed, splits: DType): [Tensor, Tensor, Tensor] {
  const [values, outer, inner] = [[] as unknown[], [0], [0]]
  for (const s of sequences) {
    for (const step of stepsOf(s, spec)) {
      for (const v of step) values.push(v)
      inner.push(values.length)
    }
    outer.push(inner.length - 1)
  }
  return [toTensor(spec.dtype, values, [values.length]), numericTensor(splits, outer), numericTensor(splits, inner)]
}

const shapesOf = (attrs: HostAttrs, name: string): (readonly number[])[] =>
  listAttr(attrs, name).map((s) => s as readonly number[]) // a list of shapes

/**
 * serialized, debug_name, keys of the context (sparse, dense, ragged), keys of the lists (sparse, dense, ragged), which dense
 * lists may be missing, defaults of the context's dense features.
 */
function parseSequences(inputs: readonly Tensor[], attrs: HostAttrs): Tensor[] {
  const [serialized, , ...rest] = inputs
  const [sparseKeys = [], denseKeys = [], raggedKeys = [], sparse = [], dense = [], ragged = []] = rest
    .slice(0, 6)
    .map(keysOf)
  const mayBeMissing = numbers(rest[6])
  const defaults = rest.slice(7)
  const sequences = strings(serialized).map(parse)
  const contexts = sequences.map((s) => s.context)
  const of = (keys: readonly string[], name: string): Typed[] =>
    keys.map((key, i) => ({ key, dtype: types(attrs, name)[i] ?? 'string' }))
  const contextSparse = of(sparseKeys, 'context_sparse_types').map(({ key, dtype }) => variable(contexts, key, dtype))
  const contextRagged = of(raggedKeys, 'context_ragged_value_types').map(({ key, dtype }) =>
    variable(contexts, key, dtype),
  )
  const contextShapes = shapesOf(attrs, 'context_dense_shapes')
  const contextDense = of(denseKeys, 'Tcontext_dense').map((t, i) =>
    fixed(contexts, { ...t, shape: contextShapes[i] ?? [], fallback: defaults[i] }),
  )
  const contextSplits = types(attrs, 'context_ragged_split_types')
  const listShapes = shapesOf(attrs, 'feature_list_dense_shapes')
  const listSplits = types(attrs, 'feature_list_ragged_split_types')
  const sparseLists = of(sparse, 'feature_list_sparse_types').map((t) => sparseList(sequences, t))
  const denseLists = of(dense, 'feature_list_dense_types').map((t, i) =>
    denseList(sequences, { ...t, shape: listShapes[i] ?? [], mayBeMissing: Boolean(mayBeMissing[i]) }),
  )
  const raggedLists = of(ragged, 'feature_list_ragged_value_types').map((t, i) =>
    raggedList(sequences, t, listSplits[i] ?? 'int64'),
  )
  return [
    ...contextSparse.map((s) => s.indices),
    ...contextSparse.map((s) => s.values),
    ...contextSparse.map((s) => s.shape),
    ...contextDense,
    ...contextRagged.map((r) => r.values),
    ...contextRagged.map((r, i) => numericTensor(contextSplits[i] ?? 'int64', r.ends)),
    ...sparseLists.map(([indices]) => indices),
    ...sparseLists.map(([, values]) => values),
    ...sparseLists.map(([, , shape]) => shape),
    ...denseLists.map(([values]) => values),
    ...denseLists.map(([, lengths]) => lengths),
    ...raggedLists.map(([values]) => values),
    ...raggedLists.map(([, outer]) => outer),
    ...raggedLists.map(([, , inner]) => inner),
  ]
}

function outputTypes(op: Op): OutputType[] {
  const given = (name: string) => op.attr.dtypes(name)
  const sizes = (name: string, i: number): Dim[] => (op.attr.shapes(name)[i] ?? []).map((d) => (d < 0 ? fresh(op) : d))
  const batch = op.tensor(0).shape
  const many = (name: string) => given(name).map((t) => ({ t, n: fresh(op) }))
  const [contextSparse, listSparse] = [many('context_sparse_types'), many('feature_list_sparse_types')]
  return [
    ...contextSparse.map(({ n }) => typed('int64', [n, 2])),
    ...contextSparse.map(({ t, n }) => typed(t, [n])),
    ...contextSparse.map(() => typed('int64', [2])),
    ...given('Tcontext_dense').map((t, i) => ({
      dtype: elementType(t),
      shape: [...batch, ...sizes('context_dense_shapes', i)],
    })),
    ...given('context_ragged_value_types').map((t) => typed(t, [fresh(op)])),
    ...given('context_ragged_split_types').map((t) => typed(t, [fresh(op)])),
    ...listSparse.map(({ n }) => typed('int64', [n, 3])),
    ...listSparse.map(({ t, n }) => typed(t, [n])),
    ...listSparse.map(() => typed('int64', [3])),
    ...given('feature_list_dense_types').map((t, i) => ({
      dtype: elementType(t),
      shape: [...batch, fresh(op), ...sizes('feature_list_dense_shapes', i)],
    })),
    ...given('feature_list_dense_types').map(() => typed('int64', batch)),
    ...given('feature_list_ragged_value_types').map((t) => typed(t, [fresh(op)])),
    ...given('feature_list_ragged_split_types').map((t) => typed(t, [fresh(op)])),
    ...given('feature_list_ragged_split_types').map((t) => typed(t, [fresh(op)])),
  ]
}

export const sequenceExampleOps: HostTable = {
  ParseSequenceExampleV2: { run: parseSequences, infer: outputTypes },
}
