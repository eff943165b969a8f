import { at, cellsOf, type NumberBags } from '../bags.ts'
import { defaultValue, numberKeys, valueDim } from '../common-keys.ts'
import { optionalNumber, text, texts } from '../config-key.ts'
import { type CompiledExpression, compileExpression, type ExpressionColumn } from '../expression/index.ts'
import { type Aligned, cellOf, layOut } from '../layout.ts'
import { defineOperator } from '../operator.ts'
import { float64s, int32s } from '../pool.ts'

/**
 * `expr_feature`: a formula over numbers and vectors. A variable is named as its input, without the side. A missing one
 * makes the feature missing, unless `fill_missing` stands for it; so does a result that is not a number.
 */
export const exprFeature = defineOperator({
  feature_type: 'expr_feature',
  summary: 'A formula over several inputs.',
  keys: {
    expression: text('', 'The formula.', { required: true }),
    variables: texts('The inputs.', 1, { required: true }),
    fill_missing: optionalNumber('Stands for a missing variable, and for the missing elements of a shorter vector.'),
    default_value: defaultValue('0'),
    value_dim: valueDim(0),
    ...numberKeys,
  },
  compile(config, build) {
    const refs = build.refs(config.variables ?? [])
    const names = refs.map((ref) => ref.name)
    let expression: CompiledExpression
    const { fill_missing } = config
    try {
      expression = compileExpression(config.expression, names, fill_missing === undefined ? {} : { fill_missing })
    } catch (thrown) {
      build.problem(`expression: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
      return undefined
    }
    const reads = refs.map((ref) => build.numbers(ref, config.separator))
    const value_dim = config.value_dim ?? 0
    const bucketizer = build.bucketizer(config, '')
    const vectors = value_dim > 1 || (value_dim === 0 && bucketizer !== undefined)
    const finish = build.numberOutput({
      defaults: build.defaultNumbers(config.default_value, config.separator, value_dim),
      value_dim,
      bucketizer,
      normalize: build.normalizer(config.normalizer),
    })
    return (frame) => {
      const inputs = reads.map((read) => read(frame))
      return finish(frame, evaluate(expression, inputs, vectors, fill_missing))
    }
  },
})

/** One number per cell, or with `vectors` as many as the formula gives. */
export function evaluate(
  expression: CompiledExpression,
  inputs: readonly NumberBags[],
  vectors: boolean,
  fill?: number,
): NumberBags {
  const layout = layOut(inputs)
  const { rows, steps, cells } = layout
  const missing = new Uint8Array(cells)
  const columns = inputs.map((input, i) =>
    columnOf(input, layout.inputs[i] ?? { index: undefined, stride: 0 }, cells, missing, fill),
  )
  const offsets = int32s(cells + 1)
  const results = vectors ? expression.evaluateVectors(columns, cells) : expression.evaluate(columns, cells)
  const values = 'offsets' in results ? results.values : results
  const numbers = float64s(values.length)
  let count = 0
  for (let cell = 0; cell < cells; cell++) {
    if (!missing[cell]) {
      const start = 'offsets' in results ? at(results.offsets, cell) : cell
      const end = 'offsets' in results ? at(results.offsets, cell + 1) : cell + 1
      for (let i = start; i < end; i++) numbers[count++] = at(values, i)
    }
    offsets[cell + 1] = count
  }
  const malformed = inputs.reduce((sum, input) => sum + input.malformed, 0)
  return { kind: 'numbers', rows, steps, offsets, malformed, numbers: numbers.subarray(0, count) }
}

/** One input as the evaluator takes it: numbers where every cell has one at most, else vectors. Marks missing cells. */
function columnOf(
  bags: NumberBags,
  aligned: Aligned,
  cells: number,
  missing: Uint8Array,
  fill: number | undefined,
): ExpressionColumn {
  const own = aligned.index || aligned.stride === 1 ? cells : 1
  let scalar = true
  for (let cell = 0; cell < cellsOf(bags) && scalar; cell++) {
    if (at(bags.offsets, cell + 1) - at(bags.offsets, cell) > 1) scalar = false
  }
  const isEmpty = (cell: number): boolean => cell < 0 || at(bags.offsets, cell) === at(bags.offsets, cell + 1)
  if (fill === undefined) for (let cell = 0; cell < cells; cell++) if (isEmpty(cellOf(aligned, cell))) missing[cell] = 1
  const absent = fill ?? Number.NaN
  if (scalar) {
    const numbers = float64s(own)
    for (let cell = 0; cell < own; cell++) {
      const source = cellOf(aligned, cell)
      numbers[cell] = isEmpty(source) ? absent : at(bags.numbers, at(bags.offsets, source))
    }
    return numbers
  }
  const values: number[] = []
  const offsets = int32s(own + 1)
  for (let cell = 0; cell < own; cell++) {
    const source = cellOf(aligned, cell)
    if (isEmpty(source)) values.push(absent)
    else for (let i = at(bags.offsets, source); i < at(bags.offsets, source + 1); i++) values.push(at(bags.numbers, i))
    offsets[cell + 1] = values.length
  }
  return { values: Float64Array.from(values), offsets }
}
