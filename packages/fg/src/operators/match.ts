import { at, type NumberBags, NumbersBuilder, type TextBags } from '../bags.ts'
import { cellIndex } from '../cell-index.ts'
import { combiners } from '../combiner.ts'
import { combiner, defaultValue, need_prefix, needDiscrete, numberKeys, reference, valueDim } from '../common-keys.ts'
import { flag, oneOf } from '../config-key.ts'
import type { FeatureBuild, Read } from '../feature-build.ts'
import type { Frame } from '../frame.ts'
import { cellOf, layOut } from '../layout.ts'
import { checkCount, fgLimits } from '../limits.ts'
import { parseNumber } from '../number-text.ts'
import { defineOperator } from '../operator.ts'
import { int32s } from '../pool.ts'
import type { NestedMap, NestedMapBags } from '../readers/nested-map.ts'
import { type Cut, combineCells } from './lookup.ts'

/** A key of the configuration that stands for every key (`multihit`), or for the key of this name (`hit`). */
const all = 'ALL'

/**
 * `match_feature`: the value under a first and a second key of a table of tables.
 *
 * With `hash_bucket_size` the hashed text is `<feature_name>_[<pkey>_][<skey>_]<value>`; the default, and the text that
 * other bucketizers see, has no feature name.
 */
export const matchFeature = defineOperator({
  feature_type: 'match_feature',
  summary: 'The value of two keys in a two-level table: a number, or with `needDiscrete` a text.',
  keys: {
    user: reference('The table: `pk^sk:v,sk:v|pk^…`, or a map from first keys to `sk:v,sk:v`.', ['nested_map']),
    category: reference('The first key, or `ALL`.', ['pkey']),
    item: reference('The second key, or `ALL`.', ['skey']),
    matchType: oneOf(['hit', 'multihit'], 'hit', 'With `multihit`, `ALL` is every key.', { aliases: ['match_type'] }),
    default_value: defaultValue('0'),
    value_dim: valueDim(1),
    needDiscrete,
    show_category: flag(false, 'Puts `<first key>_` before a text.', { aliases: ['show_pkey'] }),
    show_item: flag(false, 'Puts `<second key>_` before a text.', { aliases: ['show_skey'] }),
    combiner,
    need_prefix,
    ...numberKeys,
  },
  compile(config, build) {
    const { category, item, separator } = config
    const literals = [category === all, item === all]
    const keys = [category, item].filter((key) => key !== all)
    const refs = build.refs([...keys, config.user], 1)
    const tableRef = refs.pop()
    if (!tableRef) return undefined
    const tables = build.nestedMaps(tableRef)
    const everything = config.matchType === 'multihit'
    const readers = literals.map((isAll) => {
      const ref = isAll ? undefined : refs.shift()
      return ref ? build.texts(ref, separator) : everything ? undefined : constantAll(build, separator)
    })
    const match = (frame: Frame, visit: Visit, size: () => number): Cut =>
      matchCells(tables(frame), readers[0]?.(frame), readers[1]?.(frame), visit, () => {
        const count = size()
        checkCount(count, fgLimits.values, build.entry.name)
        return count
      })
    const bucketizer = build.bucketizer(config, '')
    const value_dim = config.value_dim ?? 1
    const { hash_bucket_size, num_buckets, vocab_list, vocab_dict, vocab_file, show_category, show_item } = config
    const ofTexts = hash_bucket_size ?? num_buckets ?? vocab_list ?? vocab_dict ?? vocab_file
    if (config.needDiscrete ?? (ofTexts !== undefined || show_category || show_item)) {
      const prefix = hash_bucket_size !== undefined || config.need_prefix ? `${build.entry.name}_` : ''
      const defaults = build.defaultTexts(config.default_value, '\u001d')
      const finish = build.textOutput({ defaults, keep: 0, value_dim, bucketizer })
      return (frame) => {
        const texts: string[] = []
        const cut = match(
          frame,
          (pkey, skey, value) => {
            texts.push(`${prefix}${show_category ? `${pkey}_` : ''}${show_item ? `${skey}_` : ''}${value}`)
          },
          () => texts.length,
        )
        return finish(frame, { kind: 'texts', ...cut, malformed: 0, texts, weights: undefined })
      }
    }
    const combine = config.combiner === '' ? undefined : combiners[config.combiner]
    const finish = build.numberOutput({
      defaults: build.defaultNumbers(config.default_value, '\u001d', 1),
      value_dim: combine ? 1 : value_dim,
      keep: combine ? 1 : 0,
      bucketizer,
    })
    const normalize = build.normalizer(config.normalizer)
    return (frame) => {
      const numbers = new NumbersBuilder(frame.rows)
      let malformed = 0
      const cut = match(
        frame,
        (_pkey, _skey, text) => {
          const value = parseNumber(text)
          if (Number.isNaN(value)) malformed++
          else numbers.push(value)
        },
        () => numbers.length,
      )
      const found = numbers.finish()
      const bags: NumberBags = {
        kind: 'numbers',
        ...cut,
        malformed,
        numbers: normalize && found.length > 0 ? normalize(found) : found,
      }
      return finish(frame, combine ? combineCells(bags, combine) : bags)
    }
  },
})

function constantAll(build: FeatureBuild, separator: string): Read<TextBags> {
  const ref = { side: 'const', name: all, sequence: undefined, input: undefined, feature: undefined } as const
  return build.texts(ref, separator)
}

type Visit = (pkey: string, skey: string, value: string) => void

/** Calls `visit` for every value found; `size` says how many there are after each cell. Keys that are `undefined` stand for all. */
function matchCells(
  tables: NestedMapBags,
  pkeys: TextBags | undefined,
  skeys: TextBags | undefined,
  visit: Visit,
  size: () => number,
): Cut {
  const keys = [pkeys, skeys].filter((bags) => bags !== undefined)
  const layout = layOut([tables, ...keys])
  const ends = int32s(layout.cells + 1)
  const [tableCells, ...keyCells] = layout.inputs
  const pkeyCells = pkeys && keyCells.shift()
  const skeyCells = skeys && keyCells.shift()
  const only = tables.maps.length === 1 ? tables.maps[0] : undefined
  const index = only && pkeys && cellIndex(pkeys, pkeyCells, only.size)
  if (index) {
    const found = new Array<string | undefined>(layout.cells).fill(undefined)
    for (const pkey of only.pkeys()) for (const cell of index.get(pkey) ?? []) found[cell] = pkey
    for (let cell = 0; cell < layout.cells; cell++) {
      const pkey = found[cell]
      if (pkey !== undefined) visitInner(only, pkey, skeys, skeyCells ? cellOf(skeyCells, cell) : -1, visit)
      ends[cell + 1] = size()
    }
    return { rows: layout.rows, steps: layout.steps, offsets: ends }
  }
  for (let cell = 0; cell < layout.cells; cell++) {
    const table = tableCells && tables.maps[cellOf(tableCells, cell)]
    if (table) {
      const pkeyCell = pkeyCells ? cellOf(pkeyCells, cell) : -1
      const skeyCell = skeyCells ? cellOf(skeyCells, cell) : -1
      if (pkeys) {
        if (pkeyCell >= 0) {
          const last = at(pkeys.offsets, pkeyCell + 1)
          for (let i = at(pkeys.offsets, pkeyCell); i < last; i++) {
            visitInner(table, pkeys.texts[i] ?? '', skeys, skeyCell, visit)
          }
        }
      } else for (const pkey of table.pkeys()) visitInner(table, pkey, skeys, skeyCell, visit)
    }
    ends[cell + 1] = size()
  }
  return { rows: layout.rows, steps: layout.steps, offsets: ends }
}

function visitInner(table: NestedMap, pkey: string, skeys: TextBags | undefined, cell: number, visit: Visit): void {
  const inner = table.inner(pkey)
  if (!inner) return
  if (!skeys) {
    for (const [skey, value] of inner) visit(pkey, skey, value)
    return
  }
  if (cell < 0) return
  const last = at(skeys.offsets, cell + 1)
  for (let i = at(skeys.offsets, cell); i < last; i++) {
    const skey = skeys.texts[i] ?? ''
    const value = inner.get(skey)
    if (value !== undefined && value !== '') visit(pkey, skey, value)
  }
}
