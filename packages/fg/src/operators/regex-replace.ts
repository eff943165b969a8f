import { defaultValue, expression, textKeys, valueDim } from '../common-keys.ts'
import { flag, text, texts } from '../config-key.ts'
import { defineOperator } from '../operator.ts'
import { compileReplace } from '../text/index.ts'
import { changed, prefixed } from './prefix.ts'

/** `regex_replace_feature`: texts with what a pattern matches replaced. The default is left as it is. */
export const regexReplaceFeature = defineOperator({
  feature_type: 'regex_replace_feature',
  summary: 'Texts in which what a regular expression matches is replaced.',
  keys: {
    expression,
    regex_pattern: texts('The pattern, or several, which are replaced in turn.', 1, { required: true }),
    replacement: text('', 'What stands in its place; `\\1` is the first group.'),
    replace_all: flag(true, 'Every match, or the first.'),
    icase: flag(false, 'Whether case of letters does not matter.'),
    default_value: defaultValue(''),
    value_dim: valueDim(undefined),
    ...textKeys,
  },
  compile(config, build) {
    const [ref] = build.refs([config.expression])
    if (!ref) return undefined
    let replace: (text: string) => string
    try {
      const { replacement, replace_all, icase } = config
      replace = compileReplace(config.regex_pattern ?? [], replacement, { replace_all, icase })
    } catch (thrown) {
      build.problem(`regex_pattern: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
      return undefined
    }
    const read = build.texts(ref, config.separator)
    const prefix = config.need_prefix ? `${build.entry.name}_` : ''
    const finish = build.textOutput({
      defaults: build.defaultTexts(config.default_value, config.separator),
      keep: config.value_dim ?? (build.isSequence ? 1 : 0),
      bucketizer: build.bucketizer(config, config.value_type),
    })
    return (frame) => finish(frame, prefixed(changed(read(frame), replace), prefix))
  },
})
