import { EasError, oneLine, type Tensor } from '@eas/base'
import type { FeatureLookup, SparseFolder } from './sparse-folder.ts'

type Tensors = ReadonlyMap<string, Tensor>

/**
 * The inputs of the dense graph that are embeddings: pooled ones side by side, as `dense_meta.json` lists them, and of
 * sequences a row per id.
 *
 * @param tensors What features made.
 * @returns `[rows, sum of dimensions]` by placeholder; `<feature>` and `<feature>__ec` `[n, dimension]`, and
 *   `<feature>__lengths`.
 */
export function embeddingInputs({ inputs, lookups }: SparseFolder, tensors: Tensors): Map<string, Tensor> {
  const made = new Map<string, Tensor>()
  for (const [name, parts] of inputs) {
    if (name !== sequences) {
      made.set(name, pooledInput(name, parts, lookups, tensors))
      continue
    }
    for (const part of parts) {
      const feature = part.replace(ending, '')
      if (part.endsWith('__lengths')) made.set(part, lengthsInput(feature, tensors))
      else {
        const rows = rowsInput(part, feature, lookups, tensors)
        made.set(part, rows)
        // What `tzrec.utils.export_util` makes the dense graph read: the list has `__ec` at its end, the graph has not.
        made.set(feature, rows)
      }
    }
  }
  return made
}

/** Names of what `embeddingInputs` makes. */
export const embeddingNames = ({ inputs }: SparseFolder): readonly string[] =>
  [...inputs].flatMap(([name, parts]) =>
    name === sequences ? parts.flatMap((part) => [part, part.replace(ending, '')]) : [name],
  )

/** The key of `dense_meta.json` that lists inputs rather than parts of one. */
const sequences = 'sequence__ec'
/** What follows a feature's name; `_user` where the user's embeddings have one row. */
const ending = /__(?:ebc|ec|lengths)(?:_user)?$/

function pooledInput(
  name: string,
  parts: readonly string[],
  lookups: ReadonlyMap<string, FeatureLookup>,
  tensors: Tensors,
): Tensor {
  const bags = parts.map((part) => ({ ...lookupOf(part, lookups), ...bagsOf(part.replace(ending, ''), tensors) }))
  const width = bags.reduce((sum, { table }) => sum + table.dimension, 0)
  const rows = bags[0]?.lengths.length ?? 0
  const data = new Float32Array(rows * width)
  let column = 0
  for (const [i, { table, pooling, ids, lengths, weights }] of bags.entries()) {
    if (lengths.length !== rows) throw broken(`${name} is of ${rows} rows, and ${parts[i]} of ${lengths.length}`)
    for (let row = 0, id = 0; row < rows; row++) {
      const length = Number(lengths[row])
      const share = pooling === 'MEAN' && length > 0 ? 1 / length : 1
      for (const end = id + length; id < end; id++) {
        table.addRow(ids[id] ?? 0n, share * (weights?.[id] ?? 1), data, row * width + column)
      }
    }
    column += table.dimension
  }
  return { dtype: 'float32', shape: [rows, width], data }
}

function rowsInput(
  part: string,
  feature: string,
  lookups: ReadonlyMap<string, FeatureLookup>,
  tensors: Tensors,
): Tensor {
  const { table } = lookupOf(part, lookups)
  const { ids } = bagsOf(feature, tensors)
  const data = new Float32Array(ids.length * table.dimension)
  for (const [i, id] of ids.entries()) table.addRow(id, 1, data, i * table.dimension)
  return { dtype: 'float32', shape: [ids.length, table.dimension], data }
}

/** Ids per row; of a sequence of several values those of all its steps. */
function lengthsInput(feature: string, tensors: Tensors): Tensor {
  const lengths = tensors.get(`${feature}.lengths`)
  if (!lengths) throw broken(`fg.json has no sequence ${feature}`)
  const keys = tensors.get(`${feature}.key_lengths`)
  if (!keys) return lengths
  let key = 0
  const counts = Array.from(lengths.data as ArrayLike<number | bigint>, (steps) => {
    // Lengths are whole numbers.
    let sum = 0
    for (const end = key + Number(steps); key < end; key++) sum += Number(keys.data[key] ?? 0)
    return sum
  })
  return { dtype: 'int64', shape: lengths.shape, data: BigInt64Array.from(counts, BigInt) }
}

function lookupOf(part: string, lookups: ReadonlyMap<string, FeatureLookup>): FeatureLookup {
  const lookup = lookups.get(part) ?? lookups.get(part.replace(/_user$/, ''))
  if (!lookup) throw broken(`sparse_features.json has no ${part}`)
  return lookup
}

function bagsOf(feature: string, tensors: Tensors) {
  const values = tensors.get(`${feature}.values`)
  const lengths = tensors.get(`${feature}.lengths`)
  if (!values || !lengths || !(values.data instanceof BigInt64Array)) throw broken(`fg.json has no ids of ${feature}`)
  const weights = tensors.get(`${feature}.weights`)?.data
  return {
    ids: values.data,
    lengths: lengths.data as ArrayLike<number | bigint>, // lengths are whole numbers
    weights: weights instanceof Float32Array ? weights : undefined,
  }
}

const broken = (facts: string) => new EasError('internal', `Prediction failed: ${oneLine(facts)}`)
