import type { DType, Tensor } from '@eas/base'
import { type Dim, decodeMessage, type Message, type MessageType, type OutputType, ProtoError } from '@eas/onnx'
import type { Op } from '../op.ts'
import { elementType } from '../tensor-proto.ts'
import type { HostAttrs, HostTable } from './program.ts'
import { concatFlat } from './sparse.ts'
import {
  bigints,
  fresh,
  invalid,
  listAttr,
  numberAttr,
  numericTensor,
  pick,
  strings,
  stringTensor,
  text,
  typed,
} from './values.ts'

/**
 * `tf.Example`s taken apart. TF: core/ops/parsing_ops.cc (2.16).
 * @see https://github.com/tensorflow/tensorflow/blob/v2.16.1/tensorflow/core/example/feature.proto
 */

const bytesList: MessageType = { value: [1, 'bytes', true] }
const floatList: MessageType = { value: [1, 'float', true] }
const int64List: MessageType = { value: [1, 'int64', true] }
const feature: MessageType = {
  bytes_list: [1, () => bytesList],
  float_list: [2, () => floatList],
  int64_list: [3, () => int64List],
}
const featureEntry: MessageType = { key: [1, 'string'], value: [2, () => feature] }
const features: MessageType = { feature: [1, () => featureEntry, true] }
const example: MessageType = { features: [1, () => features] }

const featureList: MessageType = { feature: [1, () => feature, true] }
const featureListEntry: MessageType = { key: [1, 'string'], value: [2, () => featureList] }
const featureLists: MessageType = { feature_list: [1, () => featureListEntry, true] }
export const sequenceExample: MessageType = { context: [1, () => features], feature_lists: [2, () => featureLists] }

const listOf: Readonly<Record<string, string>> = { string: 'bytes_list', float32: 'float_list', int64: 'int64_list' }

/** Features by key. */
export type Row = ReadonlyMap<string, Message>

export function rowOf(message: Message | undefined): Row {
  const entries: readonly Message[] = message?.feature ?? []
  return new Map(entries.map(({ key, value }) => [key ?? '', value ?? {}]))
}

function parse(serialized: Uint8Array, index: number): Row {
  try {
    return rowOf(decodeMessage(example, serialized).features)
  } catch (error) {
    if (error instanceof ProtoError) throw invalid(`Could not parse example input ${index}: ${error.message}`)
    throw error
  }
}

/** Values of a feature; undefined when the example does not have it. */
const valuesOf = (row: Row, key: string, dtype: DType): readonly unknown[] | undefined =>
  valuesIn(row.get(key), key, dtype)

/** Values of a `Feature`; undefined when it has none of any type. */
export function valuesIn(value: Message | undefined, key: string, dtype: DType): readonly unknown[] | undefined {
  const kind = ['bytes_list', 'float_list', 'int64_list'].find((k) => value?.[k] !== undefined)
  if (!value || !kind) return undefined
  if (kind !== listOf[dtype])
    throw invalid(`Key: ${key}. Data types don't match: the feature is a ${kind}, where ${dtype} is expected`)
  return value[kind].value
}

export const toTensor = (dtype: DType, values: readonly unknown[], shape: readonly number[]): Tensor =>
  dtype === 'string'
    ? stringTensor(values as readonly Uint8Array[], shape)
    : numericTensor(dtype, values as readonly number[], shape) // as the wire gives them

/** What is to be found in each example. */
interface Plan {
  readonly sparse: readonly { readonly key: string; readonly dtype: DType }[]
  readonly dense: readonly {
    readonly key: string
    readonly dtype: DType
    readonly shape: readonly number[]
    readonly fallback: Tensor | undefined
  }[]
  readonly ragged: readonly { readonly key: string; readonly dtype: DType; readonly splits: DType }[]
}

export function fixed(rows: readonly Row[], { key, dtype, shape, fallback }: Plan['dense'][number]): Tensor {
  const isOpen = shape[0] === -1
  const inner = (isOpen ? shape.slice(1) : shape).reduce((a, b) => a * b, 1)
  const found = rows.map((row, i) => {
    const values = valuesOf(row, key, dtype)
    if (isOpen) return values ?? []
    if (values && values.length !== inner)
      throw invalid(`Key: ${key}, index: ${i}. Number of values ${values.length} is not the expected ${inner}`)
    if (!values && (!fallback || fallback.data.length === 0))
      throw invalid(`Example ${i} is missing the required feature ${JSON.stringify(key)}`)
    return values
  })
  const most = isOpen ? found.reduce((m, v) => Math.max(m, (v?.length ?? 0) / inner), 0) : 1
  const size = most * inner
  const filler: Tensor =
    fallback && fallback.data.length > 0 ? fallback : toTensor(dtype, [dtype === 'string' ? new Uint8Array() : 0], [1])
  const fill = pick(
    filler,
    Array.from({ length: isOpen ? 1 : inner }, (_, i) => (filler.data.length === 1 ? 0 : i)),
    [isOpen ? 1 : inner],
  )
  const fillValues = Array.from(fill.data as ArrayLike<unknown>)
  const all = found.flatMap((values) =>
    Array.from({ length: size }, (_, i) =>
      values && i < values.length ? values[i] : fillValues[fillValues.length === 1 ? 0 : i],
    ),
  )
  return toTensor(dtype, all, [rows.length, ...(isOpen ? [most, ...shape.slice(1)] : shape)])
}

export function variable(
  rows: readonly Row[],
  key: string,
  dtype: DType,
): { indices: Tensor; values: Tensor; shape: Tensor; ends: number[] } {
  const indices: number[] = []
  const parts: Tensor[] = []
  const ends = [0]
  let most = 0
  for (const [i, row] of rows.entries()) {
    const values = valuesOf(row, key, dtype) ?? []
    most = Math.max(most, values.length)
    for (const k of values.keys()) indices.push(i, k)
    parts.push(toTensor(dtype, values, [values.length]))
    ends.push((ends.at(-1) ?? 0) + values.length)
  }
  const values = parts.length > 0 ? concatFlat(parts) : toTensor(dtype, [], [0])
  return {
    indices: numericTensor('int64', indices, [indices.length / 2, 2]),
    values,
    shape: numericTensor('int64', [rows.length, most]),
    ends,
  }
}

function parseAll(serialized: Tensor | undefined, plan: Plan): Tensor[] {
  const rows = strings(serialized).map(parse)
  const sparse = plan.sparse.map(({ key, dtype }) => variable(rows, key, dtype))
  const ragged = plan.ragged.map(({ key, dtype, splits }) => ({ ...variable(rows, key, dtype), splits }))
  return [
    ...sparse.map((s) => s.indices),
    ...sparse.map((s) => s.values),
    ...sparse.map((s) => s.shape),
    ...plan.dense.map((d) => fixed(rows, d)),
    ...ragged.map((r) => r.values),
    ...ragged.map((r) => numericTensor(r.splits, r.ends)),
  ]
}

export const types = (attrs: HostAttrs, name: string): DType[] => listAttr(attrs, name).map((t) => t as DType) // Attrs.plain gives types by these names
export const keysOf = (tensor: Tensor | undefined): string[] => strings(tensor).map(text)

function planOf(
  keys: { sparse: readonly string[]; dense: readonly string[]; ragged: readonly string[] },
  defaults: readonly Tensor[],
  attrs: HostAttrs,
): Plan {
  const [sparseTypes, denseTypes, raggedTypes, splitTypes] = [
    types(attrs, 'sparse_types'),
    types(attrs, 'Tdense'),
    types(attrs, 'ragged_value_types'),
    types(attrs, 'ragged_split_types'),
  ]
  const shapes = listAttr(attrs, 'dense_shapes')
  return {
    sparse: keys.sparse.map((key, i) => ({ key, dtype: sparseTypes[i] ?? 'string' })),
    dense: keys.dense.map((key, i) => ({
      key,
      dtype: denseTypes[i] ?? 'float32',
      shape: (shapes[i] as readonly number[] | undefined) ?? [],
      fallback: defaults[i],
    })), // a list of shapes
    ragged: keys.ragged.map((key, i) => ({ key, dtype: raggedTypes[i] ?? 'string', splits: splitTypes[i] ?? 'int64' })),
  }
}

/** serialized, names, sparse_keys, dense_keys, ragged_keys, then defaults. */
const parseV2 = (inputs: readonly Tensor[], attrs: HostAttrs): Tensor[] => {
  const [serialized, , sparse, dense, ragged, ...defaults] = inputs
  const isOne = serialized?.shape.length === 0
  const out = parseAll(
    serialized,
    planOf({ sparse: keysOf(sparse), dense: keysOf(dense), ragged: keysOf(ragged) }, defaults, attrs),
  )
  return isOne ? single(out, keysOf(sparse).length) : out
}

/** serialized, names, a tensor per key, then defaults. */
const parseV1 = (inputs: readonly Tensor[], attrs: HostAttrs): Tensor[] => {
  const n = numberAttr(attrs, 'Nsparse', 0)
  const m = numberAttr(attrs, 'Ndense', 0)
  const keys = inputs.slice(2, 2 + n + m).map((t) => keysOf(t)[0] ?? '')
  return parseAll(
    inputs[0],
    planOf({ sparse: keys.slice(0, n), dense: keys.slice(n), ragged: [] }, inputs.slice(2 + n + m), attrs),
  )
}

/** One example: keys are attributes, and results have no batch. */
const parseSingle = ([serialized, ...defaults]: readonly Tensor[], attrs: HostAttrs): Tensor[] => {
  const names = (attr: string): string[] => listAttr(attrs, attr).map(String)
  const sparse = names('sparse_keys')
  return single(
    parseAll(serialized, planOf({ sparse, dense: names('dense_keys'), ragged: [] }, defaults, attrs)),
    sparse.length,
  )
}

function single(out: readonly Tensor[], sparse: number): Tensor[] {
  return out.map((t, i) => {
    if (i < sparse)
      return numericTensor(
        'int64',
        bigints(t).filter((_, k) => k % 2 === 1),
        [t.shape[0] ?? 0, 1],
      )
    if (i < 2 * sparse) return t
    if (i < 3 * sparse) return numericTensor('int64', bigints(t).slice(1))
    return { ...t, shape: t.shape.slice(1) } as Tensor // the same elements
  })
}

function outputTypes(op: Op, batch: readonly Dim[]): OutputType[] {
  const types = (name: string) => op.attr.dtypes(name)
  const sparse = types('sparse_types').map((t) => ({ type: t, n: fresh(op) }))
  const shapes = op.attr.shapes('dense_shapes')
  const coordinates = batch.length + 1
  return [
    ...sparse.map(({ n }) => typed('int64', [n, coordinates])),
    ...sparse.map(({ type, n }) => typed(type, [n])),
    ...sparse.map(() => typed('int64', [coordinates])),
    ...types('Tdense').map((t, i) => ({
      dtype: elementType(t),
      shape: [...batch, ...(shapes[i] ?? []).map((d) => (d < 0 ? fresh(op) : d))],
    })),
    ...types('ragged_value_types').map((t) => typed(t, [fresh(op)])),
    ...types('ragged_split_types').map((t) => typed(t, [fresh(op)])),
  ]
}

export const exampleOps: HostTable = {
  ParseExample: { run: parseV1, infer: (op) => outputTypes(op, op.tensor(0).shape) },
  ParseExampleV2: { run: parseV2, infer: (op) => outputTypes(op, op.tensor(0).shape) },
  ParseSingleExample: { run: parseSingle, infer: (op) => outputTypes(op, []) },
}
