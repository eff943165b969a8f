import type { ExpressionColumn, VectorColumn } from './column.ts'
import { Evaluator } from './evaluator.ts'
import { parseExpression } from './parser.ts'
import { randomKernel } from './scalar-functions.ts'

export type { ExpressionColumn, VectorColumn } from './column.ts'
export { ExpressionError } from './expression-error.ts'
export { renderExpressionLanguage } from './render-expression-language.ts'

export interface CompiledExpression {
  readonly source: string
  /**
   * One number per row, into `out` when it is given, which has room for `rows`. Numbers are spread over vectors, and so
   * are vectors of one element; of a result that is a vector this is the first element, NaN if it has none.
   *
   * @param columns `columns[i]` belongs to `variables[i]`; those that the expression does not name may be missing.
   * @throws {RangeError} for columns that have fewer rows.
   */
  evaluate(columns: readonly (ExpressionColumn | undefined)[], rows: number, out?: Float64Array): Float64Array
  /**
   * All elements of each row: as many as the longest vector named outside of vector functions has, `fill_missing`
   * standing for those that another lacks; one where there is no vector.
   *
   * @throws {RangeError} for columns that have fewer rows, and for more than 2^25 elements.
   */
  evaluateVectors(columns: readonly (ExpressionColumn | undefined)[], rows: number): VectorColumn
}

export interface ExpressionOptions {
  /** What stands for the elements that the shorter of two vectors lacks. Default NaN. */
  readonly fill_missing?: number
  /** Numbers in [0, 1), for `rnd()`. Default `Math.random`. */
  readonly random?: () => number
}

/**
 * The language of `expr_feature` and of `method=expression` normalizers, compiled to steps over columns; numbers are
 * doubles. Comparisons and logic give 1 and 0.
 *
 * @throws {ExpressionError} with the place, when it is not of the language, names an unknown variable or function, or
 *   is over its bounds: 16,384 characters, 200 levels, 1024 values at a time.
 */
export function compileExpression(
  source: string,
  variables: readonly string[],
  options: ExpressionOptions = {},
): CompiledExpression {
  const { fill_missing = Number.NaN, random = Math.random } = options
  const evaluator = new Evaluator(parseExpression(source, variables, randomKernel(random)), fill_missing)
  return {
    source,
    evaluate: (columns, rows, out = new Float64Array(rows)) => evaluator.numbers(columns, rows, out),
    evaluateVectors: (columns, rows) => evaluator.vectors(columns, rows),
  }
}
