import {
  type Bucketizer,
  boundaryBuckets,
  hashBuckets,
  integerBuckets,
  integerIds,
  vocabBuckets,
  vocabOfFile,
  vocabOfList,
} from './bucketize.ts'
import type { bucketizerKeys } from './common-keys.ts'
import type { ConfigOf } from './config-key.ts'
import type { FeatureBuild } from './feature-build.ts'

export type BucketizerConfig = ConfigOf<typeof bucketizerKeys>

/** The bucketizer that the keys ask for; without one an integer `value_type` gives the integers themselves. */
export function compileBucketizer(
  config: BucketizerConfig,
  value_type: string,
  build: FeatureBuild,
): Bucketizer | undefined {
  const { hash_bucket_size, num_buckets, vocab_list, vocab_dict, vocab_file, boundaries } = config
  const kinds = { hash_bucket_size, num_buckets, vocab_list, vocab_dict, vocab_file, boundaries }
  const given = Object.entries(kinds).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  if (given.length > 1) build.problem(`${given.join(' and ')} exclude each other`)
  const unknown = config.default_bucketize_value
  if (hash_bucket_size !== undefined) return hashBuckets(hash_bucket_size, build.context.hash)
  if (num_buckets !== undefined) return integerBuckets(num_buckets)
  if (vocab_list !== undefined) return vocabBuckets(vocabOfList(vocab_list), unknown)
  if (vocab_dict !== undefined) return vocabBuckets(vocab_dict, unknown)
  if (vocab_file !== undefined) return vocabBuckets(vocabulary(vocab_file, build), unknown)
  if (boundaries !== undefined) return boundaryBuckets(boundaries)
  return /^(u?int|long|bigint)/i.test(value_type) ? integerIds() : undefined
}

/** A file's words, read once for all features that use it. */
function vocabulary(file: string, build: FeatureBuild): ReadonlyMap<string, number> {
  const { vocabularies } = build.context
  const known = vocabularies.get(file) ?? vocabOfFile(build.asset(file))
  vocabularies.set(file, known)
  return known
}
