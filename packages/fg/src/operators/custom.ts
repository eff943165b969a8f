import { at, type Bags, NumbersBuilder, type TextBags } from '../bags.ts'
import { defaultValue, need_prefix, numberKeys, valueDim } from '../common-keys.ts'
import { flag, optionalText, text, texts } from '../config-key.ts'
import type { CustomFunction, CustomOperator } from '../custom-operator.ts'
import type { FeatureBuild } from '../feature-build.ts'
import { cellOf, type Layout, layOut } from '../layout.ts'
import { checkCount, fgLimits } from '../limits.ts'
import { defineOperator, type FeatureFunction } from '../operator.ts'
import { int32s } from '../pool.ts'
import { prefixed } from './prefix.ts'
import { compileSeqExpr } from './seq-expr.ts'

const keys = {
  operator_name: text('', 'The operator.', { required: true }),
  operator_lib_file: optionalText('Its shared library in the original; not read.'),
  is_op_thread_safe: flag(false, 'Not needed.'),
  expression: texts('The inputs.', 1, { required: true }),
  default_value: defaultValue('0'),
  value_dim: valueDim(1),
  need_prefix,
  ...numberKeys,
}

/** `custom_feature`: an operator by name; what it needs beside stands in the same object. */
export const customFeature = defineOperator({
  feature_type: 'custom_feature',
  summary: 'An operator by name: EditDistance, RegexReplace, SeqExpr, or one of the caller.',
  keys,
  compile(config, build): FeatureFunction | undefined {
    const refs = build.refs(config.expression ?? [], 0, true)
    const normalize = build.normalizer(config.normalizer)
    const value_dim = config.value_dim ?? 1
    const numberFinish = (bucketizer: ReturnType<FeatureBuild['bucketizer']>) =>
      build.numberOutput({
        defaults: build.defaultNumbers(config.default_value, config.separator, value_dim),
        value_dim,
        bucketizer,
        normalize,
      })
    const own = build.context.customOperators.get(config.operator_name)
    if (!own) {
      if (config.operator_name === 'SeqExpr') {
        const finish = numberFinish(build.bucketizer(config, ''))
        return compileSeqExpr(build, refs, config.separator, value_dim, finish)
      }
      const known = [...build.context.customOperators.keys(), 'SeqExpr'].join(', ')
      build.problem(
        `operator_name ${JSON.stringify(config.operator_name.slice(0, 60))} is not known; there are ${known}`,
      )
      return undefined
    }
    let compute: CustomFunction
    try {
      compute = own.compile(build.entry.raw)
    } catch (thrown) {
      build.problem(thrown instanceof Error ? thrown.message : String(thrown))
      return undefined
    }
    const steps = own.steps && boundedSteps(own.steps, build.entry.name)
    const split = 'separator' in own ? own.separator : config.separator
    const reads = refs.map((ref) => build.texts(ref, split))
    if (own.output === 'numbers') {
      const finish = numberFinish(build.bucketizer(config, ''))
      return (frame) => {
        const numbers = new NumbersBuilder(frame.rows)
        const bags = perCell(
          reads.map((read) => read(frame)),
          steps ? steps(compute) : compute,
          (values) => {
            for (const value of values) numbers.push(Number(value))
            return numbers.length
          },
        )
        return finish(frame, { ...bags, kind: 'numbers', numbers: numbers.finish() })
      }
    }
    const prefix = config.need_prefix ? `${build.entry.name}_` : ''
    const finish = build.textOutput({
      defaults: build.defaultTexts(config.default_value, config.separator),
      keep: value_dim,
      bucketizer: build.bucketizer(config, config.value_type),
    })
    return (frame) => {
      const out: string[] = []
      const bags = perCell(
        reads.map((read) => read(frame)),
        steps ? steps(compute) : compute,
        (values) => {
          for (const value of values) if (value !== '') out.push(String(value))
          return out.length
        },
      )
      return finish(frame, prefixed({ ...bags, kind: 'texts', texts: out, weights: undefined }, prefix))
    }
  },
})

/** Counts the steps of one request. */
function boundedSteps(stepsOf: NonNullable<CustomOperator['steps']>, name: string) {
  return (compute: CustomFunction): CustomFunction => {
    let steps = 0
    return (inputs) => {
      steps += stepsOf(inputs)
      checkCount(steps, fgLimits.customSteps, name, 'steps')
      return compute(inputs)
    }
  }
}

/** Computes every cell; `take` keeps what comes and says how many values there are then. */
function perCell(
  inputs: readonly TextBags[],
  compute: CustomFunction,
  take: (values: readonly (string | number)[]) => number,
): Bags {
  const layout: Layout = layOut(inputs)
  const { rows, steps, cells } = layout
  const offsets = int32s(cells + 1)
  for (let cell = 0; cell < cells; cell++) {
    const values = inputs.map((input, i) => {
      const aligned = layout.inputs[i]
      const own = aligned ? cellOf(aligned, cell) : -1
      return own < 0 ? [] : input.texts.slice(at(input.offsets, own), at(input.offsets, own + 1))
    })
    offsets[cell + 1] = take(compute(values))
  }
  return { rows, steps, offsets, malformed: 0 }
}
