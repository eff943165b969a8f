import type { FeatureEntry, RawObject } from './document.ts'

/** Types whose values are numbers before bucketizing; of the others, `value_type` or a bucketizer of texts decides. */
const numeric = new Set(['raw_feature', 'expr_feature', 'overlap_feature', 'kv_dot_product', 'combine_feature'])
const eitherWay = new Set(['lookup_feature', 'match_feature', 'custom_feature'])
const carried = [
  'default_value',
  'separator',
  'stub_type',
  'weighted',
  'hash_bucket_size',
  'num_buckets',
  'vocab_list',
  'vocab_dict',
  'vocab_file',
  'boundaries',
  'bucketize_boundaries',
  'default_bucketize_value',
]

/**
 * FG_BUCKETIZE: a feature that reads the column of its own name and does nothing but bucketize. Stubs are gone, and
 * normalizers have done their work. A tokenizer's ids are ids already.
 */
export function bucketizeOnly(entry: FeatureEntry): readonly FeatureEntry[] {
  const { raw, sequence } = entry
  if (raw.stub_type === true) return []
  const isNumeric = numeric.has(entry.feature_type) || (eitherWay.has(entry.feature_type) && !givesTexts(raw))
  const kept = Object.fromEntries(carried.flatMap((key) => (Object.hasOwn(raw, key) ? [[key, raw[key]]] : [])))
  const dim = raw.value_dim ?? raw.value_dimension
  // Combined or found values may be several per cell whatever `value_dim` says.
  const keep = isNumeric ? (dim ?? 1) : (dim ?? (sequence ? 1 : 0))
  return [
    {
      ...entry,
      // The whole name is the column's: no group's name comes in front of it.
      group: undefined,
      feature_type: isNumeric ? 'raw_feature' : 'id_feature',
      raw: {
        ...kept,
        ...(entry.feature_type === 'tokenize_feature' && { num_buckets: '9223372036854775807', vocab_file: null }),
        feature_name: entry.name,
        value_dim: keep,
        expression: `user:${entry.name}`,
      },
    },
  ]
}

function givesTexts(raw: RawObject): boolean {
  const discrete = raw.needDiscrete ?? raw.need_discrete
  if (discrete !== undefined) return discrete === true
  return ['hash_bucket_size', 'num_buckets', 'vocab_list', 'vocab_dict', 'vocab_file'].some((key) =>
    Object.hasOwn(raw, key),
  )
}
