import type { TextBags } from '../bags.ts'
import { defaultValue, expression, textKeys, valueDim } from '../common-keys.ts'
import { flag } from '../config-key.ts'
import { parseNumber } from '../number-text.ts'
import { defineOperator } from '../operator.ts'
import { float32s } from '../pool.ts'
import { prefixed } from './prefix.ts'

/** `id_feature`: texts, in id-like features of a sequence one per step unless `value_dim` says otherwise. */
export const idFeature = defineOperator({
  feature_type: 'id_feature',
  summary: 'Discrete values of one input.',
  keys: {
    expression,
    default_value: defaultValue(''),
    value_dim: valueDim(undefined),
    weighted: flag(false, 'The input is `id:weight` texts or a map; gives weights, 1 where there is none.'),
    ...textKeys,
  },
  compile(config, build) {
    const [ref] = build.refs([config.expression])
    if (!ref) return undefined
    const read = build.texts(ref, config.separator)
    const prefix = config.need_prefix ? `${build.entry.name}_` : ''
    const finish = build.textOutput({
      defaults: build.defaultTexts(config.default_value, config.separator),
      keep: config.value_dim ?? (build.isSequence ? 1 : 0),
      bucketizer: build.bucketizer(config, config.value_type),
      weighted: config.weighted,
    })
    if (!config.weighted) return (frame) => finish(frame, prefixed(read(frame), prefix))
    return (frame) => finish(frame, prefixed(splitWeights(read(frame)), prefix))
  },
})

/** `id:weight` texts, split at the last colon; what has no weight, or none that is a number, weighs 1. */
function splitWeights(bags: TextBags): TextBags {
  const weights = float32s(bags.texts.length)
  const texts = bags.texts.map((text, i) => {
    const colon = text.lastIndexOf(':')
    const weight = colon < 0 ? 1 : parseNumber(text.slice(colon + 1))
    weights[i] = Number.isNaN(weight) ? 1 : weight
    return colon < 0 ? text : text.slice(0, colon)
  })
  return { ...bags, texts, weights }
}
