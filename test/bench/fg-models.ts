import type { ItemTable, RequestFeatures, TextColumn } from '@eas/fg'
import { type PBFeature, torchrecPredict } from '@eas/protocol'

/** Two models of EasyRec's published serving benchmarks, as documents with a request and an item cache of that shape. */
export interface FgModel {
  readonly document: object
  /** A `PBRequest`; decoded anew for every run, as strings of a request are. */
  readonly request: Uint8Array
  readonly items: ItemTable
}

interface Shape {
  readonly ids: number
  readonly raws: number
  readonly lookups: number
  readonly matches: number
  /** Sequences of 50 steps. */
  readonly sequences: number
  /** Columns of each sequence. */
  readonly sideColumns: number
  readonly batch: number
  /** Entries of each user table. */
  readonly entries: number
}

/** 67 id, 170 raw, 756 lookup features, 4 sequences of 50 with 32 columns; batch 100. */
export const model1: Shape = {
  ids: 67,
  raws: 170,
  lookups: 756,
  matches: 0,
  sequences: 4,
  sideColumns: 32,
  batch: 100,
  entries: 6,
}

/** 306 id, 77 raw, 60 lookup, 1,000 match features; batch 150, a request of 500 KB. */
export const model2: Shape = {
  ids: 306,
  raws: 77,
  lookups: 60,
  matches: 1000,
  sequences: 0,
  sideColumns: 0,
  batch: 150,
  entries: 40,
}

const cacheSize = 2000
const fields = 40
const steps = 50

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))

export function makeModel(shape: Shape): FgModel {
  const features: object[] = [
    ...times(shape.ids, (i) => ({
      feature_type: 'id_feature',
      feature_name: `id_${i}`,
      expression: i % 2 === 0 ? `item:f${i % fields}` : `user:id_${i}`,
      value_dim: 0,
      hash_bucket_size: 100_000 + i,
    })),
    ...times(shape.raws, (i) => ({
      feature_type: 'raw_feature',
      feature_name: `raw_${i}`,
      expression: i % 2 === 0 ? `item:n${i % fields}` : `user:raw_${i}`,
      ...(i % 3 === 0
        ? { boundaries: [10, 20, 50, 100, 200] }
        : { normalizer: 'method=log10,threshold=1e-5,default=-5' }),
    })),
    ...times(shape.lookups, (i) => ({
      feature_type: 'lookup_feature',
      feature_name: `lookup_${i}`,
      map: `user:map_${i % 200}`,
      key: `item:f${i % fields}`,
      combiner: 'sum',
      ...(i % 2 === 0 ? { boundaries: [0, 1, 2, 3, 4] } : {}),
    })),
    ...times(shape.matches, (i) => ({
      feature_type: 'match_feature',
      feature_name: `match_${i}`,
      user: `user:nested_${i % 250}`,
      category: `item:f${i % 8}`,
      item: `item:f${8 + ((i % fields) % 32)}`,
      matchType: 'hit',
      ...(i % 2 === 0 ? { needDiscrete: true, hash_bucket_size: 10_000 } : {}),
    })),
    ...times(shape.sequences, (s) => ({
      sequence_name: `seq_${s}`,
      sequence_length: steps,
      sequence_delim: ';',
      features: times(shape.sideColumns, (i) => ({
        feature_type: i % 4 === 3 ? 'raw_feature' : 'id_feature',
        feature_name: `side_${i}`,
        expression: `item:${i % 4 === 3 ? 'n' : 'f'}${i}`,
        ...(i % 4 === 3 ? {} : { hash_bucket_size: 100_000, value_dim: 1 }),
      })),
    })),
  ]
  return { document: { features }, request: requestOf(shape), items: itemTable() }
}

const word = (i: number): string => `w${(i * 2_654_435_761) % 997}`
const text = (value: string): PBFeature => ({ kind: 'string_feature', value })

function requestOf(shape: Shape): Uint8Array {
  const user = new Map<string, PBFeature>()
  for (let i = 1; i < shape.ids; i += 2)
    user.set(`id_${i}`, text(i % 6 === 1 ? `${word(i)}\u001d${word(i + 1)}` : word(i)))
  for (let i = 1; i < shape.raws; i += 2) user.set(`raw_${i}`, { kind: 'double_feature', value: i * 1.37 })
  if (shape.lookups > 0) {
    for (let i = 0; i < 200; i++) {
      user.set(`map_${i}`, text(times(shape.entries, (k) => `${word(i + k * 31)}:${(k % 7) + 0.5}`).join('\u001d')))
    }
  }
  if (shape.matches > 0) {
    for (let i = 0; i < 250; i++) {
      const outer = times(10, (k) => {
        const inner = times(16, (j) => `${word(i + k + j * 17)}:${(j % 9) + 0.25}`)
        return `${word(i + k * 7)}^${inner.join(',')}`
      })
      user.set(`nested_${i}`, text(outer.join('|')))
    }
  }
  for (let s = 0; s < shape.sequences; s++) {
    user.set(`seq_${s}`, text(times(steps, (i) => `item_${(i * 37 + s) % cacheSize}`).join(';')))
  }
  return torchrecPredict.encodeRequest({
    debug_level: 0,
    user_features: user,
    item_ids: times(shape.batch, (i) => `item_${(i * 7) % cacheSize}`),
    context_features: new Map(),
    faiss_neigh_num: 0,
    item_features: new Map(),
    meta_data: new Map(),
  })
}

function itemTable(): ItemTable {
  const entryOf = new Map(times(cacheSize, (i): [string, number] => [`item_${i}`, i]))
  const columns = new Map<string, ReturnType<ItemTable['column']>>()
  for (let f = 0; f < fields; f++) {
    const column: TextColumn = { form: 'texts', texts: times(cacheSize, (i) => word(i * (f + 1))) }
    columns.set(`f${f}`, column)
    columns.set(`n${f}`, {
      form: 'numbers',
      data: Float32Array.from({ length: cacheSize }, (_, i) => (i * (f + 3)) % 300),
    })
  }
  return {
    entriesOf: (ids) => Int32Array.from(ids, (id) => entryOf.get(id) ?? -1),
    column: (name) => columns.get(name),
  }
}

/** A document whose features read the user alone, and its request for `batch` items. */
export function userOnlyModel(batch: number): FgModel {
  const shape = { ...model1, ids: 400, raws: 400, lookups: 0, sequences: 4, batch }
  const { document, request, items } = makeModel(shape)
  const { features } = document as { features: { expression?: string }[] } // as makeModel wrote it
  return {
    document: { features: features.filter(({ expression }) => !expression?.startsWith('item:')) },
    request,
    items,
  }
}

/** `count` features of ten kinds, half of them of the item cache, and a request for `batch` items. */
export function mixedModel(count: number, batch: number): FgModel {
  const shape = { ...model1, ids: 60, raws: 60, lookups: 1, matches: 1, sequences: 1, batch, entries: 20 }
  const kinds: readonly ((i: number) => object)[] = [
    (i) => ({ feature_type: 'id_feature', expression: `item:f${i % fields}`, hash_bucket_size: 100_000 + i }),
    (i) => ({ feature_type: 'id_feature', expression: `user:id_${(i % 30) * 2 + 1}`, hash_bucket_size: 1000 }),
    (i) => ({ feature_type: 'raw_feature', expression: `item:n${i % fields}`, normalizer: 'method=log10' }),
    (i) => ({ feature_type: 'raw_feature', expression: `user:raw_${(i % 30) * 2 + 1}`, boundaries: [10, 20, 50] }),
    (i) => ({
      feature_type: 'combo_feature',
      expression: [`user:id_${(i % 30) * 2 + 1}`, `item:f${i % fields}`],
      hash_bucket_size: 10_000,
    }),
    (i) => ({ feature_type: 'lookup_feature', map: `user:map_${i % 200}`, key: `item:f${i % fields}` }),
    (i) => ({
      feature_type: 'match_feature',
      ...{ user: `user:nested_${i % 250}`, category: `item:f${i % 8}`, item: `item:f${8 + (i % 32)}` },
    }),
    (i) => ({
      feature_type: 'expr_feature',
      variables: [`user:raw_${(i % 30) * 2 + 1}`, `item:n${i % fields}`],
      expression: `raw_${(i % 30) * 2 + 1} / (1 + n${i % fields})`,
    }),
    (i) => ({
      feature_type: 'overlap_feature',
      ...{ query: `user:id_${(i % 30) * 2 + 1}`, title: `item:f${i % fields}`, method: 'query_common_ratio' },
    }),
    (i) => ({
      feature_type: 'sequence_id_feature',
      ...{ expression: 'user:seq_0', sequence_length: 50, hash_bucket_size: 1000 + i },
    }),
  ]
  const { request, items } = makeModel(shape)
  const features = times(count, (i) => ({ feature_name: `f_${i}`, ...kinds[i % kinds.length]?.(i) }))
  return { document: { features }, request, items }
}

/** What a run starts from. */
export const decode = (model: FgModel): RequestFeatures => torchrecPredict.decodeRequest(model.request)
