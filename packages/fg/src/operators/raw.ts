import { defaultValue, expression, numberKeys, valueDim } from '../common-keys.ts'
import { defineOperator } from '../operator.ts'

/** `raw_feature`: numbers, normalized; dense `[value_dim]` rows, or an id per number with `boundaries`. */
export const rawFeature = defineOperator({
  feature_type: 'raw_feature',
  summary: 'Numbers of one input; dense unless bucketized.',
  keys: { expression, default_value: defaultValue('0'), value_dim: valueDim(1), ...numberKeys },
  compile(config, build) {
    const [ref] = build.refs([config.expression])
    if (!ref) return undefined
    const read = build.numbers(ref, config.separator)
    const finish = build.numberOutput({
      defaults: build.defaultNumbers(config.default_value, config.separator, config.value_dim ?? 1),
      value_dim: config.value_dim ?? 1,
      bucketizer: build.bucketizer(config, ''),
      normalize: build.normalizer(config.normalizer),
    })
    return (frame) => finish(frame, read(frame))
  },
})
