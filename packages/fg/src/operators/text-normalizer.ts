import { defaultValue, expression, stub_type, textKeys, valueDim } from '../common-keys.ts'
import { flag, integer, optionalText } from '../config-key.ts'
import { defineOperator } from '../operator.ts'
import { createTextNormalizer, type TextNormalizerOptions } from '../text/index.ts'
import { changed, prefixed } from './prefix.ts'

const { separator: _separator, stub_type: _stub, ...bucketizing } = textKeys

/** `text_normalizer`: a text in one form. TorchEasyRec puts it before `tokenize_feature`, as a stub. */
export const textNormalizer = defineOperator({
  feature_type: 'text_normalizer',
  summary: 'A text in one case, width and script, without special characters.',
  keys: {
    expression,
    parameter: integer(
      undefined,
      0,
      2 ** 31,
      'Sum of 2 upper case, 4 lower case, 8 half width, 16 simplified, 32 filter, 512 split; default 58.',
    ),
    remove_space: flag(false, 'Takes blanks out.'),
    max_length: integer(undefined, 0, Number.MAX_SAFE_INTEGER, 'Longer texts are left as they are.'),
    stop_char_file: optionalText('The characters that the filter takes out.'),
    is_gbk_input: flag(false, 'Refused when true: requests are UTF-8.'),
    is_gbk_output: flag(false, 'Refused when true.'),
    default_value: defaultValue(''),
    value_dim: valueDim(0),
    stub_type,
    ...bucketizing,
  },
  compile(config, build) {
    const [ref] = build.refs([config.expression])
    if (config.is_gbk_input || config.is_gbk_output) build.problem('is_gbk_input and is_gbk_output are not supported')
    if (!ref) return undefined
    const { parameter, remove_space, max_length, stop_char_file } = config
    const options: TextNormalizerOptions = {
      remove_space,
      ...(parameter !== undefined && { parameter }),
      ...(max_length !== undefined && { max_length }),
      ...(stop_char_file !== undefined && { stop_chars: new TextDecoder().decode(build.asset(stop_char_file)) }),
    }
    let normalize: (text: string) => string
    try {
      normalize = createTextNormalizer(options)
    } catch (thrown) {
      build.problem(thrown instanceof Error ? thrown.message : String(thrown))
      return undefined
    }
    const read = build.texts(ref, undefined)
    const prefix = config.need_prefix ? `${build.entry.name}_` : ''
    const finish = build.textOutput({
      defaults: build.defaultTexts(config.default_value, '\u001d'),
      keep: config.value_dim ?? 0,
      bucketizer: build.bucketizer(config, config.value_type),
    })
    return (frame) => finish(frame, prefixed(changed(read(frame), normalize), prefix))
  },
})
