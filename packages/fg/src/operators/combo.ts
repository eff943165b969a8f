import { at, type TextBags } from '../bags.ts'
import { defaultValue, textKeys, valueDim } from '../common-keys.ts'
import { texts } from '../config-key.ts'
import { cellOf, layOut } from '../layout.ts'
import { checkCount, fgLimits } from '../limits.ts'
import { defineOperator } from '../operator.ts'
import { int32s } from '../pool.ts'
import { prefixed } from './prefix.ts'

/** `combo_feature`: every combination of its inputs' values, joined with `_`; the last input varies fastest. */
export const comboFeature = defineOperator({
  feature_type: 'combo_feature',
  summary: 'The Cartesian product of several inputs, joined with `_`; missing when one of them is.',
  keys: {
    expression: texts('The inputs, two or more.', 2, { required: true }),
    default_value: defaultValue(''),
    value_dim: valueDim(undefined),
    ...textKeys,
  },
  compile(config, build) {
    if (config.num_buckets !== undefined) build.problem('num_buckets is of integers, and combinations are texts')
    const refs = build.refs(config.expression ?? [])
    const reads = refs.map((ref) => build.texts(ref, config.separator))
    const keep = config.value_dim ?? (build.isSequence ? 1 : 0)
    const prefix = config.need_prefix ? `${build.entry.name}_` : ''
    const finish = build.textOutput({
      defaults: build.defaultTexts(config.default_value, config.separator),
      keep,
      bucketizer: build.bucketizer(config, config.value_type),
    })
    return (frame) =>
      finish(
        frame,
        prefixed(
          combine(
            reads.map((read) => read(frame)),
            keep,
            build.entry.name,
          ),
          prefix,
        ),
      )
  },
})

function combine(inputs: readonly TextBags[], keep: number, name: string): TextBags {
  const layout = layOut(inputs)
  const offsets = int32s(layout.cells + 1)
  const texts: string[] = []
  let chars = 0
  for (let cell = 0; cell < layout.cells; cell++) {
    let joined: string[] | undefined
    for (const [k, input] of inputs.entries()) {
      const own = cellOf(layout.inputs[k] ?? { index: undefined, stride: 0 }, cell)
      const start = own < 0 ? 0 : at(input.offsets, own)
      const end = own < 0 ? 0 : at(input.offsets, own + 1)
      joined = extend(joined, input.texts, start, end, keep)
      if (joined.length === 0) break
      checkCount(texts.length + joined.length, fgLimits.values, name)
    }
    for (const text of joined ?? []) {
      chars += text.length
      texts.push(text)
    }
    checkCount(chars, fgLimits.textChars, name, 'characters')
    offsets[cell + 1] = texts.length
  }
  const { rows, steps } = layout
  return { kind: 'texts', rows, steps, offsets, malformed: 0, texts, weights: undefined }
}

/** Each of `left` with each of `texts[start, end)`, no more than `keep` of them (0: all) and one more than the limit. */
function extend(
  left: readonly string[] | undefined,
  texts: readonly string[],
  start: number,
  end: number,
  keep: number,
): string[] {
  const most = keep > 0 ? keep : fgLimits.values + 1
  if (!left) return texts.slice(start, Math.min(end, start + most))
  const out: string[] = []
  for (const head of left) {
    for (let i = start; i < end; i++) {
      if (out.length === most) return out
      out.push(`${head}_${texts[i]}`)
    }
  }
  return out
}
