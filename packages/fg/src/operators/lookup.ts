import { at, type Bags, type MapBags, type NumberBags, NumbersBuilder, type TextBags, type Value } from '../bags.ts'
import { cellIndex } from '../cell-index.ts'
import { type Combiner, combiners } from '../combiner.ts'
import { combiner, defaultValue, need_prefix, needDiscrete, numberKeys, reference, valueDim } from '../common-keys.ts'
import { flag } from '../config-key.ts'
import { cellOf, layOut } from '../layout.ts'
import { checkCount, fgLimits } from '../limits.ts'
import { parseNumber } from '../number-text.ts'
import { defineOperator } from '../operator.ts'
import { int32s } from '../pool.ts'
import { valueText } from '../readers/walk.ts'

/**
 * `lookup_feature`: the values that a table has for some keys. Keys it does not have are skipped; the default stands only
 * where none was found.
 */
export const lookupFeature = defineOperator({
  feature_type: 'lookup_feature',
  summary: 'Values of keys in a table: numbers, combined, or with `needDiscrete` texts, all of them.',
  keys: {
    map: reference('The table: a map, or `key:value` texts between U+001D.'),
    key: reference('The keys.'),
    default_value: defaultValue('0'),
    value_dim: valueDim(1),
    needDiscrete,
    needKey: flag(false, 'Puts `<key>_` before a text found.', { aliases: ['need_key'] }),
    needWeighting: flag(false, 'Gives the keys found, weighted with their values.', { aliases: ['need_weighting'] }),
    combiner,
    need_prefix,
    ...numberKeys,
  },
  compile(config, build) {
    const [keyRef, mapRef] = build.refs([config.key, config.map], 1)
    if (!keyRef || !mapRef) return undefined
    const keys = build.texts(keyRef, config.separator)
    const maps = build.maps(mapRef, { separator: '\u001d', delimiter: ':', bare: undefined, split: 'first' })
    const bucketizer = build.bucketizer(config, '')
    const value_dim = config.value_dim ?? 1
    const ofTexts =
      config.hash_bucket_size ?? config.num_buckets ?? config.vocab_list ?? config.vocab_dict ?? config.vocab_file
    if (config.needDiscrete ?? (ofTexts !== undefined || config.needKey || config.needWeighting)) {
      const prefix = config.need_prefix ? `${build.entry.name}_` : ''
      const finish = build.textOutput({
        defaults: build.defaultTexts(config.default_value, '\u001d'),
        keep: 0,
        value_dim,
        bucketizer,
        weighted: config.needWeighting,
      })
      const { needKey, needWeighting } = config
      const { name } = build.entry
      return (frame) => finish(frame, findTexts(keys(frame), maps(frame), { prefix, needKey, needWeighting, name }))
    }
    const combine = config.combiner === '' ? undefined : combiners[config.combiner]
    const finish = build.numberOutput({
      defaults: build.defaultNumbers(config.default_value, '\u001d', combine ? 1 : value_dim),
      value_dim: combine ? 1 : value_dim,
      // Every hit is kept, also with `value_dim` 1.
      keep: combine ? 1 : 0,
      bucketizer,
    })
    const normalize = build.normalizer(config.normalizer)
    return (frame) => {
      const { bags, found } = findNumbers(keys(frame), maps(frame), build.entry.name)
      const normalized = normalize ? { ...bags, numbers: normalize(bags.numbers) } : bags
      return finish(frame, combine && found ? combineCells(normalized, combine) : normalized)
    }
  },
})

/** Calls `hit` for every key that its table has; `size` says how many values there are after each cell. */
function find(
  keys: TextBags,
  maps: MapBags,
  hit: (key: string, value: Value, float32: boolean) => void,
  size: () => number,
  feature: string,
): Cut {
  const layout = layOut([keys, maps])
  const ends = int32s(layout.cells + 1)
  const [keyCells, mapCells] = layout.inputs
  const { offsets, texts } = keys
  const only = maps.maps.length === 1 ? maps.maps[0] : undefined
  const index = only && cellIndex(keys, keyCells, only.size)
  if (index) {
    const found = new Array<Value | undefined>(layout.cells).fill(undefined)
    for (const [key, value] of only) for (const cell of index.get(key) ?? []) found[cell] = value
    for (let cell = 0; cell < layout.cells; cell++) {
      const value = found[cell]
      if (value !== undefined) hit(texts[at(offsets, cell)] ?? '', value, maps.float32)
      ends[cell + 1] = size()
    }
    return { rows: layout.rows, steps: layout.steps, offsets: ends }
  }
  for (let cell = 0; cell < layout.cells; cell++) {
    const map = mapCells && maps.maps[cellOf(mapCells, cell)]
    const own = keyCells ? cellOf(keyCells, cell) : -1
    if (map && own >= 0) {
      const last = at(offsets, own + 1)
      for (let i = at(offsets, own); i < last; i++) {
        const key = texts[i] ?? ''
        const value = map.get(key)
        if (value !== undefined) hit(key, value, maps.float32)
      }
    }
    ends[cell + 1] = size()
    checkCount(at(ends, cell + 1), fgLimits.values, feature)
  }
  return { rows: layout.rows, steps: layout.steps, offsets: ends }
}

/** How the values found are cut into cells and rows. */
export type Cut = Pick<Bags, 'rows' | 'steps' | 'offsets'>

interface TextForm {
  readonly prefix: string
  readonly needKey: boolean
  readonly needWeighting: boolean
  /** The feature's. */
  readonly name: string
}

function findTexts(keys: TextBags, maps: MapBags, { prefix, needKey, needWeighting, name }: TextForm): TextBags {
  const texts: string[] = []
  const weights: number[] = []
  const cut = find(
    keys,
    maps,
    (key, value, float32) => {
      const found = valueText(value, float32)
      if (needWeighting) {
        const weight = parseNumber(found)
        if (Number.isNaN(weight)) return
        texts.push(prefix + key)
        weights.push(weight)
      } else if (found !== '') texts.push(needKey ? `${prefix}${key}_${found}` : prefix + found)
    },
    () => texts.length,
    name,
  )
  return { kind: 'texts', ...cut, malformed: 0, texts, weights: needWeighting ? Float32Array.from(weights) : undefined }
}

function findNumbers(keys: TextBags, maps: MapBags, name: string): { bags: NumberBags; found: boolean } {
  const numbers = new NumbersBuilder(16)
  let malformed = 0
  const cut = find(
    keys,
    maps,
    (_key, value) => {
      const number = typeof value === 'string' ? parseNumber(value) : Number(value)
      if (Number.isNaN(number)) malformed++
      else numbers.push(number)
    },
    () => numbers.length,
    name,
  )
  return { bags: { kind: 'numbers', ...cut, malformed, numbers: numbers.finish() }, found: numbers.length > 0 }
}

/** One number per cell that has any. */
export function combineCells(bags: NumberBags, combine: Combiner): NumberBags {
  const cells = bags.offsets.length - 1
  if (combine !== combiners.count && !hasSeveral(bags.offsets)) return bags
  const numbers = new NumbersBuilder(cells)
  const offsets = int32s(cells + 1)
  for (let cell = 0; cell < cells; cell++) {
    const start = at(bags.offsets, cell)
    const end = at(bags.offsets, cell + 1)
    if (end > start) numbers.push(combine(bags.numbers, start, end))
    offsets[cell + 1] = numbers.length
  }
  return { ...bags, offsets, numbers: numbers.finish() }
}

/** Whether a cell has more than one value: combined with nothing else, a number is itself. */
function hasSeveral(offsets: Int32Array): boolean {
  for (let cell = 0; cell + 1 < offsets.length; cell++) if (at(offsets, cell + 1) - at(offsets, cell) > 1) return true
  return false
}
