import { at, type TextBags } from '../bags.ts'
import { defaultValue, textKeys, valueDim } from '../common-keys.ts'
import { texts } from '../config-key.ts'
import { cellOf, layOut } from '../layout.ts'
import { defineOperator } from '../operator.ts'
import { int32s } from '../pool.ts'
import { prefixed } from './prefix.ts'

/** `bool_mask_feature`: the values whose mask is true. The shorter of the two inputs decides how many there are. */
export const boolMaskFeature = defineOperator({
  feature_type: 'bool_mask_feature',
  summary: 'The values of one input where the other is `true` or `1`.',
  keys: {
    expression: texts('Values and mask.', 2, { required: true }),
    default_value: defaultValue(''),
    value_dim: valueDim(undefined),
    ...textKeys,
  },
  compile(config, build) {
    const [valueRef, maskRef, ...others] = build.refs(config.expression ?? [])
    if (others.length > 0) build.problem(`expression has ${others.length + 2} inputs, expected values and mask`)
    if (!valueRef || !maskRef) return undefined
    const values = build.texts(valueRef, config.separator)
    const masks = build.texts(maskRef, config.separator)
    const prefix = config.need_prefix ? `${build.entry.name}_` : ''
    const finish = build.textOutput({
      defaults: build.defaultTexts(config.default_value, config.separator),
      keep: config.value_dim ?? (build.isSequence ? 1 : 0),
      bucketizer: build.bucketizer(config, config.value_type),
    })
    return (frame) => finish(frame, prefixed(mask(values(frame), masks(frame)), prefix))
  },
})

const isTrue = (text: string | undefined): boolean => text === '1' || text?.toLowerCase() === 'true'

function mask(values: TextBags, masks: TextBags): TextBags {
  const layout = layOut([values, masks])
  const { rows, steps, cells } = layout
  const [valueCells, maskCells] = layout.inputs
  const texts: string[] = []
  const offsets = int32s(cells + 1)
  for (let cell = 0; cell < cells; cell++) {
    const v = valueCells ? cellOf(valueCells, cell) : -1
    const m = maskCells ? cellOf(maskCells, cell) : -1
    if (v >= 0 && m >= 0) {
      const start = at(values.offsets, v)
      const maskStart = at(masks.offsets, m)
      const count = Math.min(at(values.offsets, v + 1) - start, at(masks.offsets, m + 1) - maskStart)
      for (let i = 0; i < count; i++) if (isTrue(masks.texts[maskStart + i])) texts.push(values.texts[start + i] ?? '')
    }
    offsets[cell + 1] = texts.length
  }
  return { kind: 'texts', rows, steps, offsets, malformed: 0, texts, weights: undefined }
}
