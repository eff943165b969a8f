import type { FeatureGenerator } from '@eas/fg'
import type { PBFeature, TorchrecRequest } from '@eas/protocol'

/** The items that a request's features read: those it asks about, and those its sequences are of. */
export function itemIds({ inputs }: FeatureGenerator, { item_ids, user_features }: TorchrecRequest): readonly string[] {
  const ids = new Set(item_ids)
  const read = new Set<string>()
  for (const { sequence, side, name } of inputs) {
    // What the request says of a step itself is not looked up.
    if (!sequence || side !== 'item' || user_features.has(name) || read.has(sequence.sequence_pk)) continue
    read.add(sequence.sequence_pk)
    const feature = user_features.get(sequence.sequence_pk.replace(/^user:/, ''))
    for (const id of stepsOf(feature, sequence.sequence_delim)) if (id !== '') ids.add(id)
  }
  return [...ids]
}

function stepsOf(feature: PBFeature | undefined, delim: string): readonly string[] {
  const value = feature?.value
  if (typeof value === 'string') return value.split(delim)
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)]
  return value && !(value instanceof Map) && 'length' in value ? Array.from(value as ArrayLike<unknown>, String) : []
}
