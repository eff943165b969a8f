import { EasError } from '@eas/base'
import { compileFg, FgConfigError, type InputColumn } from '@eas/fg'
import type { PBFeature } from '@eas/protocol'
import { expect, it } from 'vitest'
import { assets } from '../golden/fg/assets.ts'
import { columnOf, type FgVector, vectors } from '../golden/fg/vectors.ts'

/**
 * Documents and columns of the records, damaged at random: each gives features or one of two errors, in bounded time. A
 * failure names its seed; `EAS_FUZZ_SEED` repeats it.
 */

const rounds = process.env.EAS_FULL ? 100_000 : 2_000

/** What stands in for any value of a document or a column. */
const values: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1,
  2.5,
  1e308,
  '9223372036854775807',
  2 ** 53,
  '',
  '0',
  'ALL',
  '-inf',
  'a:1\u001db:2',
  'a^b:1,c:2|d^e:3',
  ';;;',
  '\u001d',
  '\ud800',
  '__proto__',
  'feature:f',
  'item:x',
  'const:5',
  'user:',
  'method=expression,expr=x^x^x',
  '(a|b)*c',
  '((((',
  [],
  {},
  ['user:x', 'item:y'],
  [1, 2, 3],
  [[1], ['a']],
  { a: 1, __proto__: 2 },
]
const keys = [
  ...['feature_type', 'feature_name', 'expression', 'default_value', 'separator', 'value_dim', 'value_type'],
  ...['hash_bucket_size', 'num_buckets', 'vocab_list', 'vocab_dict', 'vocab_file', 'boundaries', 'normalizer'],
  ...['combiner', 'map', 'key', 'user', 'category', 'item', 'matchType', 'needDiscrete', 'needKey', 'weighted'],
  ...['query', 'title', 'method', 'document', 'kv_delimiter', 'variables', 'fill_missing', 'value_map', 'formula'],
  ...['regex_pattern', 'replacement', 'operator_name', 'parameter', 'stub_type', 'is_sequence', 'sequence_fields'],
  ...['sequence_name', 'sequence_length', 'sequence_delim', 'sequence_pk', 'features', '__proto__'],
]

type Random = (below: number) => number

/** Whole numbers below a bound, the same for the same seed: mulberry32. */
function randomOf(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** A copy in which some parts are others. */
function damaged(value: unknown, random: Random, types: readonly string[]): unknown {
  if (random(24) === 0) return values[random(values.length)]
  if (Array.isArray(value)) {
    const items = value.map((item) => damaged(item, random, types))
    if (random(12) === 0) items.push(...items)
    return items
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).flatMap(([name, item]): [string, unknown][] => {
      if (random(20) === 0) return []
      if (name === 'feature_type' && random(6) === 0) return [[name, types[random(types.length)]]]
      return [[random(30) === 0 ? (keys[random(keys.length)] ?? name) : name, damaged(item, random, types)]]
    })
    if (random(4) === 0) entries.push([keys[random(keys.length)] ?? '', values[random(values.length)]])
    return Object.fromEntries(entries)
  }
  if (typeof value === 'string' && random(10) === 0) return value.slice(0, random(value.length + 1)) + value
  return value
}

function damagedColumn(column: InputColumn, random: Random): InputColumn {
  if (column.form !== 'features') return column
  const cells = column.values.map((cell): PBFeature | undefined => {
    if (random(6) > 0) return cell
    const value = values[random(values.length)]
    if (typeof value === 'string') return { kind: 'string_feature', value }
    if (typeof value === 'number') return { kind: 'double_feature', value }
    return random(2) === 0 ? { kind: 'string_list', value: ['', 'a', 'a\u001db', '\udfff'] } : undefined
  })
  return { form: 'features', values: random(20) === 0 ? cells.slice(1) : cells }
}

const usable = vectors.filter(({ feature_config, inputs }) => feature_config !== undefined && inputs !== undefined)
const types = [
  ...['id_feature', 'raw_feature', 'combo_feature', 'combine_feature', 'lookup_feature', 'match_feature'],
  ...['expr_feature', 'overlap_feature', 'text_normalizer', 'kv_dot_product', 'bool_mask_feature'],
  ...['regex_replace_feature', 'custom_feature', 'sequence_id_feature', 'sequence_combo_feature'],
]

async function tryOne(vector: FgVector, random: Random): Promise<'refused' | 'answered'> {
  const document = damaged(vector.feature_config, random, types)
  try {
    const generator = await compileFg(random(2) === 0 ? JSON.stringify(document) : document, {
      asset: assets,
      env: random(2) === 0 ? { INPUT_TILE: '3' } : {},
      bucketizeOnly: random(8) === 0,
    })
    const columns = Object.entries(vector.inputs ?? {}).map(([, column]) => damagedColumn(columnOf(column), random))
    const names = Object.keys(vector.inputs ?? {})
    const rows = Math.max(1, ...Object.values(vector.inputs ?? {}).map(({ data }) => data.length))
    const generated = generator.generate({
      rows,
      // A column that was not there before gets one that was.
      column: ({ name }) => columns[names.indexOf(name)] ?? columns[random(columns.length + 1)],
    })
    const tensors = generated.tensors()
    expect([...tensors.keys()]).toEqual(generator.outputs.map(({ name }) => name))
    for (const { shape, data } of tensors.values()) expect(data.length).toBe(shape.reduce((a, b) => a * b, 1))
    expect(generated.generateFeatures()).toHaveLength(rows)
    expect(generated.rawFeatures()).toHaveLength(rows)
    return 'answered'
  } catch (thrown) {
    if (thrown instanceof FgConfigError || thrown instanceof EasError) return 'refused'
    throw thrown
  }
}

it('damaged documents and requests give features or an error that says why', { timeout: 600_000 }, async () => {
  // A seed of its own each time: over many runs this is a long one.
  const given = process.env.EAS_FUZZ_SEED
  const first = Number(given ?? Date.now() % 2 ** 31)
  const counts = { refused: 0, answered: 0 }
  for (let seed = first; seed < first + (given ? 1 : rounds); seed++) {
    const random = randomOf(seed)
    const vector = usable[random(usable.length)]
    if (!vector) continue
    try {
      counts[await tryOne(vector, random)]++
    } catch (cause) {
      throw new Error(`EAS_FUZZ_SEED=${seed}: ${vector.source}`, { cause })
    }
  }
  if (given) return
  expect(counts.answered).toBeGreaterThan(rounds / 20)
  expect(counts.refused).toBeGreaterThan(rounds / 20)
})
