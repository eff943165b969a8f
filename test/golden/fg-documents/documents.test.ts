import { readFileSync } from 'node:fs'
import type { Tensor } from '@eas/base'
import { compileFg, fgRequest, type ItemTable } from '@eas/fg'
import type { PBFeature } from '@eas/protocol'
import { expect, it } from 'vitest'

/** A `PBFeature` as JSON; maps are pairs. */
interface JsonFeature {
  readonly kind: string | null
  readonly value?: unknown
}
type JsonFeatures = Readonly<Record<string, JsonFeature>>

interface Case {
  /** `fg.json`, as text. */
  readonly fg: string
  readonly request: {
    readonly user: JsonFeatures
    readonly context: Readonly<Record<string, readonly (JsonFeature | null)[]>>
    readonly item: Readonly<Record<string, readonly (JsonFeature | null)[]>>
    readonly item_ids: readonly string[]
  }
  /** The catalogue, by item and field. */
  readonly items: Readonly<Record<string, JsonFeatures>>
  /**
   * By name; ids beyond 2^53 are texts. `key_lengths?`, for every sequence, is compared where the feature has it: TorchEasyRec
   * has none with a `value_dim` of 1.
   */
  readonly tensors: Readonly<Record<string, readonly (number | string)[]>>
}

// What `as` says below is what generate.py writes for each kind: `value` has its form.
const lists: Readonly<Record<string, (value: never) => unknown>> = {
  int: (value: number[]) => Int32Array.from(value),
  long: (value: number[]) => BigInt64Array.from(value, BigInt),
  float: (value: number[]) => Float32Array.from(value),
  double: (value: number[]) => Float64Array.from(value),
  string: (value: string[]) => value,
}
const scalarOf = (type = '', value: unknown) =>
  type === 'long' ? BigInt(value as number) : type === 'float' ? Math.fround(value as number) : value
const keyOf = (type = '', key: string) => (type === 'string' ? key : type === 'long' ? BigInt(key) : Number(key))

function featureOf(json: JsonFeature | null): PBFeature {
  if (!json || json.kind === null) return { kind: undefined, value: undefined }
  const { kind, value } = json
  const [first = '', second = ''] = kind.split('_')
  const read = (): unknown => {
    if (kind.endsWith('_feature')) return scalarOf(first, value)
    if (kind.endsWith('_list')) return lists[first]?.(value as never)
    if (kind.endsWith('_lists')) return (value as unknown[]).map((list) => lists[first]?.(list as never))
    return new Map((value as [string, unknown][]).map(([key, each]) => [keyOf(first, key), scalarOf(second, each)]))
  }
  return { kind, value: read() } as PBFeature
}

const mapOf = <T, U>(object: Readonly<Record<string, T>>, read: (value: T) => U): Map<string, U> =>
  new Map(Object.entries(object).map(([name, value]) => [name, read(value)]))

function tableOf(items: Case['items']): ItemTable {
  const ids = Object.keys(items)
  const fields = new Set(ids.flatMap((id) => Object.keys(items[id] ?? {})))
  return {
    entriesOf: (wanted) => Int32Array.from(wanted, (id) => ids.indexOf(id)),
    column: (name) =>
      fields.has(name)
        ? { form: 'features', values: ids.map((id) => featureOf(items[id]?.[name] ?? null)) }
        : undefined,
  }
}

/** Float32 arithmetic of another order; ids and lengths are the same to the last bit. */
function isSame({ dtype, data }: Tensor, expected: readonly (number | string)[]): boolean {
  if (data.length !== expected.length) return false
  return expected.every((wanted, i) => {
    const got = data[i] as number | bigint // features for the model are numbers
    if (dtype !== 'float32') return String(got) === String(wanted)
    return Math.abs(Number(got) - Number(wanted)) <= 3e-6 * Math.max(1, Math.abs(Number(wanted)))
  })
}

const cases: readonly Case[] = readFileSync(new URL('cases.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line))

it.each(cases.map((each, i) => [i, each] as const))(
  'document %i gives the tensors of the reference',
  async (_i, each) => {
    const { user, context, item, item_ids } = each.request
    const features = {
      user_features: mapOf(user, featureOf),
      item_ids,
      context_features: mapOf(context, (list) => list.map(featureOf)),
      item_features: mapOf(item, (list) => list.map(featureOf)),
    }
    const tensors = (await compileFg(each.fg)).generate(fgRequest(features, tableOf(each.items))).tensors()
    const wrong = Object.entries(each.tensors).flatMap(([key, expected]) => {
      const tensor = tensors.get(key.replace('?', ''))
      if (tensor ? isSame(tensor, expected) : key.endsWith('?')) return []
      return [`${key}: ${tensor ? Array.from(tensor.data as ArrayLike<unknown>, String) : 'nothing'}, not ${expected}`]
    })
    expect(wrong).toEqual([])
    const names = new Set(Object.keys(each.tensors).map((key) => key.replace('?', '')))
    expect([...tensors.keys()].filter((name) => !names.has(name))).toEqual([])
  },
)
