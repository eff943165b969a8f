import type { FeatureGenerator } from '@eas/fg'
import type { PBFeature, TorchrecRequest } from '@eas/protocol'

/** The items that a request's features read: those it asks about, and those its sequences are of. */
export function itemIds({ inputs }: FeatureGenerator, { item_ids, user_features }: TorchrecRequest): readonly string[] {
  const ids = new Set(item_ids)
  const read = new Set<string>()
  for (const { sequence, side, name } of inputs) {
    // What the request says of a step itself is not looked up.
    if (!sequence || side !== 'item' || user_features.has(name)) continue
    const { sequence_pk, sequence_delim, sequence_length } = sequence
    const key = `${sequence_pk} ${sequence_length}${sequence_delim}`
    if (read.has(key)) continue
    read.add(key)
    const steps = stepsOf(user_features.get(sequence_pk.replace(/^user:/, '')), sequence_delim)
    // Steps that features do not keep are not fetched either.
    for (const id of sequence_length > 0 ? steps.slice(0, sequence_length) : steps) if (id !== '') ids.add(id)
  }
  return [...ids]
}

function stepsOf(feature: PBFeature | undefined, delim: string): readonly string[] {
  const value = feature?.value
  if (typeof value === 'string') return value.split(delim)
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)]
  return value && !(value instanceof Map) && 'length' in value ? Array.from(value as ArrayLike<unknown>, String) : []
}
