import type { Tensor } from '@eas/base'
import { at, type Bags, cellsOf, type IdBags, type NumberBags, type TextBags } from './bags.ts'
import type { Frame } from './frame.ts'
import type { FgFeature, FgOutput, GeneratorParts, TensorType } from './generator.ts'
import { IdWriter } from './ids.ts'
import { checkCount, fgLimits } from './limits.ts'
import { float32s, int32s } from './pool.ts'

type Types = Pick<GeneratorParts, 'tensorTypes' | 'int64Lengths' | 'inputTile'>

/**
 * Whether the ids of each step are counted: always when the model has such an input. A model may have it for a feature
 * that is no sequence (`tokens_as_sequence`): then each id is a step.
 */
const countsKeys = (feature: FgFeature, { tensorTypes }: Types): boolean =>
  feature.kind !== 'dense' &&
  ((feature.sequence && feature.value_dim !== 1) || tensorTypes.has(`${feature.name}.key_lengths`))

/** Names and types of what `tensorsOf` makes. */
export function outputNames(features: readonly FgFeature[], types: Types): FgOutput[] {
  const outputs: FgOutput[] = []
  const add = (feature: string, part: string, dtype: Tensor['dtype']): void => {
    const name = `${feature}.${part}`
    outputs.push({ name, dtype: types.tensorTypes.get(name) ?? dtype, feature })
  }
  for (const feature of features) {
    if (feature.stub) continue
    const { name, kind } = feature
    const lengths = types.int64Lengths ? 'int64' : 'int32'
    add(name, 'values', kind === 'dense' ? 'float32' : kind === 'ids' ? 'int64' : 'string')
    if (kind === 'dense' && feature.sequence) add(name, 'lengths', 'int32')
    if (kind !== 'dense') add(name, 'lengths', lengths)
    if (countsKeys(feature, types)) add(name, 'key_lengths', lengths)
    if (feature.weighted) add(name, 'weights', 'float32')
  }
  if (types.inputTile > 0) outputs.push({ name: 'batch_size', dtype: 'int64', feature: undefined })
  return outputs
}

/** @see Generated.tensors */
export function tensorsOf(
  features: readonly FgFeature[],
  values: readonly (TextBags | NumberBags | IdBags | undefined)[],
  { rows, isOfOneUser }: Pick<Frame, 'rows' | 'isOfOneUser'>,
  types: Types,
): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>()
  const keepsUserRow = isOfOneUser || types.inputTile > 0
  for (const [i, feature] of features.entries()) {
    const bags = values[i]
    if (feature.stub || !bags) continue
    const elements = bags.kind === 'numbers' ? bags.numbers : bags.kind === 'ids' ? bags.ids : bags.texts
    const repeats = rows !== 1 && bags.rows === 1 && !(keepsUserRow && feature.user)
    const times = repeats ? rows : 1
    checkCount(elements.length * times, fgLimits.tensorElements, feature.name)
    addTensors(tensors, feature, bags, times, types)
  }
  if (types.inputTile > 0) {
    tensors.set('batch_size', { dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(rows)) })
  }
  return tensors
}

/** @param times How often the only row is repeated. */
function addTensors(
  tensors: Map<string, Tensor>,
  feature: FgFeature,
  bags: TextBags | NumberBags | IdBags,
  times: number,
  types: Types,
): void {
  const { name } = feature
  const add = (part: string, tensor: Tensor): void => {
    const key = `${name}.${part}`
    const type = types.tensorTypes.get(key)
    tensors.set(key, type && type !== tensor.dtype ? cast(tensor, type) : tensor)
  }
  const int64 = types.int64Lengths && bags.kind !== 'numbers'
  const lengths = (offsets: Int32Array): Tensor => lengthsOf(offsets, int64, times)
  const rowOffsets = bags.steps ?? bags.offsets
  switch (bags.kind) {
    case 'numbers': {
      const data = repeat(toFloat32(bags.numbers), times)
      add('values', { dtype: 'float32', shape: [data.length / feature.value_dim, feature.value_dim], data })
      if (feature.sequence) add('lengths', lengths(rowOffsets))
      return
    }
    case 'ids': {
      const data = repeat(bags.ids, times)
      add('values', { dtype: 'int64', shape: [data.length], data })
      break
    }
    case 'texts': {
      const one = bags.texts.map((text) => Buffer.from(text))
      const data = Array.from({ length: times }, () => one).flat()
      add('values', { dtype: 'string', shape: [data.length], data })
    }
  }
  add('lengths', lengths(rowOffsets))
  if (countsKeys(feature, types)) add('key_lengths', lengths(bags.steps ? bags.offsets : oneEach(bags.offsets)))
  if (feature.weighted) {
    const weights = bags.weights ?? new Float32Array(bags.offsets.at(-1) ?? 0).fill(1)
    const data = repeat(weights, times)
    add('weights', { dtype: 'float32', shape: [data.length], data })
  }
}

/** Rounded to nearest, as float32 is. */
function toFloat32(numbers: Float64Array): Float32Array {
  const data = float32s(numbers.length)
  data.set(numbers)
  return data
}

type Repeatable = Float32Array | BigInt64Array | Int32Array

/** An array `times` over; the array itself when once. Zero times is a request without items. */
function repeat<T extends Repeatable>(array: T, times: number): T {
  if (times === 1) return array
  // The constructor of each of the three takes a length and makes its own kind.
  const out = new (array.constructor as new (length: number) => T)(array.length * times)
  if (out.length === 0) return out
  out.set(array as never)
  for (let done = array.length; done < out.length; done *= 2) out.copyWithin(done, 0, Math.min(done, out.length - done))
  return out
}

/** Offsets of cells of one value each. */
const oneEach = (offsets: Int32Array): Int32Array => int32s((offsets.at(-1) ?? 0) + 1).map((_, i) => i)

/** Counts from offsets, in either type. */
function lengthsOf(offsets: Int32Array, int64: boolean, times: number): Tensor {
  const count = offsets.length - 1
  if (!int64) {
    const data = int32s(count)
    for (let i = 0; i < count; i++) data[i] = at(offsets, i + 1) - at(offsets, i)
    return { dtype: 'int32', shape: [count * times], data: repeat(data, times) }
  }
  const writer = new IdWriter(count)
  for (let i = 0; i < count; i++) writer.set(i, at(offsets, i + 1) - at(offsets, i))
  return { dtype: 'int64', shape: [count * times], data: repeat(writer.ids, times) }
}

const arrays = { int32: Int32Array, int64: BigInt64Array, float32: Float32Array, float64: Float64Array } as const

/** The same numbers in another type; ids beyond int32 wrap, as TorchEasyRec's unsafe casts do. */
function cast(tensor: Tensor, dtype: TensorType): Tensor {
  const { shape } = tensor
  if (tensor.dtype === 'string') return tensor
  if (dtype === 'int64') {
    const writer = new IdWriter(tensor.data.length)
    for (let i = 0; i < tensor.data.length; i++) writer.set(i, Math.trunc(Number(tensor.data[i])))
    return { dtype, shape, data: writer.ids }
  }
  const data = new arrays[dtype](tensor.data.length)
  for (let i = 0; i < data.length; i++) data[i] = Number(tensor.data[i])
  // `dtype` chose the array.
  return { dtype, shape, data } as Tensor
}

/** Cells of a row, as a range. */
export function rowCells(bags: Bags, row: number): { readonly first: number; readonly last: number } {
  if (cellsOf(bags) === 0) return { first: 0, last: 0 }
  const own = bags.rows === 1 ? 0 : row
  return bags.steps ? { first: at(bags.steps, own), last: at(bags.steps, own + 1) } : { first: own, last: own + 1 }
}
