import { type EncodedFeature, readEncoded } from '@eas/fg'
import { describe, expect, it } from 'vitest'
import { columnOf, type FgVector, vectors } from './vectors.ts'

/** Training only: a mask that hides values from the model. */
const isTraining = (vector: FgVector): boolean => vector.is_training === true

/** The fields that these records' protobuf text uses, one per line. */
function field(proto: string, name: string): string | undefined {
  const value = new RegExp(`^\\s*${name}: (.*)$`, 'm').exec(proto)?.[1]
  return value?.replace(/^"|"$/g, '').replaceAll('\\003', '\u0003')
}

const discrete = /^(sequence_)?(id|combo|tokenize|bool_mask)_feature|(num_buckets|boundaries|hash_bucket_size):/m

function featureOf({ feature_config_proto: proto = '', params = {} }: FgVector, name: string): EncodedFeature {
  const multival_sep = String(params.fg_encoded_multival_sep)
  const tokens = field(proto, 'tokens_as_sequence') === 'true'
  const delim = tokens ? multival_sep : String(params.sequence_delim)
  const defaults = field(proto, 'fg_encoded_default_value') ?? ''
  return {
    name,
    kind: discrete.test(proto) ? 'ids' : 'dense',
    value_dim: Number(field(proto, 'value_dim') ?? 0),
    weighted: field(proto, 'weighted') === 'true',
    sequence_delim: params.is_sequence === true ? delim : undefined,
    multival_sep,
    defaults: defaults === '' ? [] : defaults.split(multival_sep).map(Number),
  }
}

const counts = (offsets: ArrayLike<number> | undefined): number[] =>
  Array.from(offsets ?? [])
    .slice(1)
    .map((end, i) => end - (offsets?.[i] ?? 0))

function check(feature: EncodedFeature, vector: FgVector): void {
  const [name, expected] = Object.entries(vector.expected)[0] ?? []
  const column = vector.inputs?.[name ?? '']
  if (!column || !expected) throw new Error('the record has no such column')
  const bags = readEncoded(feature, columnOf(column))
  if (bags.kind === 'numbers') {
    expect(Array.from(bags.numbers, Math.fround)).toEqual((expected.values ?? []).flat().map(Math.fround))
    if (expected.seq_lengths) expect(counts(bags.steps)).toEqual(expected.seq_lengths)
    return
  }
  if (bags.kind !== 'ids') throw new Error('texts are never encoded')
  expect(Array.from(bags.ids, Number)).toEqual(expected.values)
  if (expected.lengths) expect(counts(bags.offsets)).toEqual(expected.lengths)
  if (expected.key_lengths) expect(counts(bags.offsets)).toEqual(expected.key_lengths)
  if (expected.seq_lengths) expect(counts(bags.steps)).toEqual(expected.seq_lengths)
  if (expected.weights) expect(Array.from(bags.weights ?? [])).toEqual(expected.weights.map(Math.fround))
}

const ofKind = (kind: string) =>
  vectors
    .filter((vector) => vector.kind === kind && !isTraining(vector))
    .map((vector) => [vector.source.split('::').at(-1) ?? '', vector] as const)

describe('encoded columns', () => {
  it.each(ofKind('fg_encoded'))('%s', (_name, vector) => {
    check(featureOf(vector, Object.keys(vector.expected)[0] ?? ''), vector)
  })

  it.each(ofKind('fg_encoded_parser'))('%s', (_name, vector) => {
    const { params = {} } = vector
    const [name = ''] = Object.keys(vector.expected)
    const defaults = params.default_value as readonly number[] | null // as these records write it
    const dense = vector.expected[name]?.values?.[0]
    check(
      {
        name,
        kind: Array.isArray(dense) ? 'dense' : 'ids',
        value_dim: Array.isArray(dense) ? dense.length : 0,
        weighted: params.is_weighted === true,
        sequence_delim: undefined,
        multival_sep: String(params.multival_sep),
        defaults: defaults ?? [],
      },
      vector,
    )
  })
})
