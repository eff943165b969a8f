import { at, cellsOf, type NumberBags, NumbersBuilder, type TextBags } from '../bags.ts'
import { combiners } from '../combiner.ts'
import { combiner, defaultValue, expression, numberKeys, valueDim } from '../common-keys.ts'
import { numberTable } from '../config-key.ts'
import { parseNumber } from '../number-text.ts'
import { defineOperator } from '../operator.ts'
import { int32s } from '../pool.ts'
import { combineCells } from './lookup.ts'

/**
 * `combine_feature`: values mapped to numbers and combined into one. Texts that `value_map` does not have, or without it
 * are no numbers, are skipped. The normalizer is applied to the combined value.
 */
export const combineFeature = defineOperator({
  feature_type: 'combine_feature',
  summary: 'Values mapped to numbers by `value_map`, or read as numbers, and combined.',
  keys: {
    expression,
    value_map: numberTable('Numbers by text.'),
    combiner,
    default_value: defaultValue('0'),
    value_dim: valueDim(1),
    ...numberKeys,
  },
  compile(config, build) {
    const [ref] = build.refs([config.expression])
    if (!ref) return undefined
    const { value_map } = config
    const combine = config.combiner === '' ? undefined : combiners[config.combiner]
    const value_dim = combine ? 1 : (config.value_dim ?? 1)
    const finish = build.numberOutput({
      defaults: build.defaultNumbers(config.default_value, config.separator, value_dim),
      value_dim,
      keep: combine ? 1 : 0,
      bucketizer: build.bucketizer(config, ''),
      normalize: build.normalizer(config.normalizer),
    })
    const read = build.texts(ref, config.separator)
    return (frame) => {
      const bags = toNumbers(read(frame), value_map)
      return finish(frame, combine ? combineCells(bags, combine) : bags)
    }
  },
})

function toNumbers(bags: TextBags, table: ReadonlyMap<string, number> | undefined): NumberBags {
  const numbers = new NumbersBuilder(bags.texts.length)
  const offsets = int32s(bags.offsets.length)
  let malformed = 0
  for (let cell = 0; cell < cellsOf(bags); cell++) {
    const end = at(bags.offsets, cell + 1)
    let garbage = false
    for (let i = at(bags.offsets, cell); i < end; i++) {
      const text = bags.texts[i] ?? ''
      const value = table ? table.get(text) : parseNumber(text)
      if (value === undefined || Number.isNaN(value)) garbage = true
      else numbers.push(value)
    }
    if (garbage) malformed++
    offsets[cell + 1] = numbers.length
  }
  const { rows, steps } = bags
  return { kind: 'numbers', rows, steps, offsets, malformed, numbers: numbers.finish() }
}
