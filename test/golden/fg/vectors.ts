import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { InputColumn } from '@eas/fg'
import type { FeatureKind, PBFeature } from '@eas/protocol'

/** One record of `fg-vectors.jsonl`; see README.md beside it. */
export interface FgVector {
  readonly source: string
  readonly kind: string
  readonly env?: { readonly [name: string]: string }
  readonly feature_config?: { readonly features: readonly unknown[] }
  readonly feature_config_proto?: string
  readonly params?: { readonly [name: string]: unknown }
  readonly bucketize_only?: boolean
  readonly unordered_within_row?: boolean
  readonly is_training?: boolean
  readonly inputs: { readonly [column: string]: ArrowColumn } | null
  readonly expected: { readonly [feature: string]: ExpectedFeature }
}

export interface ArrowColumn {
  readonly arrow_type: string
  readonly data: readonly unknown[]
}

export interface ExpectedFeature {
  readonly values?: readonly (number | readonly number[])[]
  readonly dense?: readonly (readonly number[])[]
  readonly lengths?: readonly number[]
  readonly key_lengths?: readonly number[]
  readonly seq_lengths?: readonly number[]
  readonly weights?: readonly number[]
  readonly fg_encoded_default?: number | readonly number[] | null
}

export const vectors: readonly FgVector[] = readFileSync(join(import.meta.dirname, 'fg-vectors.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))

type Cell = (value: unknown) => PBFeature['value']

const numbersOf = (value: unknown): number[] => (value as number[]).map(Number)
const longs = (value: unknown): BigInt64Array => BigInt64Array.from((value as number[]).map(BigInt))
const map =
  <K, V>(key: (value: unknown) => K, of: (value: unknown) => V) =>
  (value: unknown): Map<K, V> =>
    new Map((value as [unknown, unknown][]).map(([k, v]) => [key(k), of(v)]))

/** What each Arrow type of the records is as a `PBFeature`. */
const kinds: { readonly [arrow: string]: readonly [FeatureKind, Cell] } = {
  string: ['string_feature', (value) => String(value)],
  int32: ['int_feature', Number],
  int64: ['long_feature', (value) => BigInt(Number(value))],
  float: ['float_feature', (value) => Math.fround(Number(value))],
  double: ['double_feature', Number],
  'list<item: string>': ['string_list', (value) => value as string[]],
  'list<item: int64>': ['long_list', longs],
  'list<item: float>': ['float_list', (value) => Float32Array.from(numbersOf(value))],
  'list<item: double>': ['double_list', (value) => Float64Array.from(numbersOf(value))],
  'list<item: list<item: string>>': ['string_lists', (value) => value as string[][]],
  'list<item: list<item: int64>>': ['long_lists', (value) => (value as unknown[]).map(longs)],
  'list<item: list<item: double>>': [
    'double_lists',
    (value) => (value as unknown[]).map((list) => Float64Array.from(numbersOf(list))),
  ],
  'map<string, float>': ['string_float_map', map(String, (value) => Math.fround(Number(value)))],
  'map<int64, float>': [
    'long_float_map',
    map(
      (key) => BigInt(Number(key)),
      (value) => Math.fround(Number(value)),
    ),
  ],
  'map<string, int64>': ['string_long_map', map(String, (value) => BigInt(Number(value)))],
}

export function columnOf({ arrow_type, data }: ArrowColumn): InputColumn {
  const [kind, cell] = kinds[arrow_type] ?? []
  if (!kind || !cell) throw new Error(`no PBFeature for ${arrow_type}`)
  // The table pairs each kind with what makes its value.
  const values = data.map((value) => (value === null ? undefined : ({ kind, value: cell(value) } as PBFeature)))
  return { form: 'features', values }
}
