import { shown } from './config-key.ts'
import { compileExpression } from './expression/index.ts'

/** Maps every value of an array; may write into it. */
export type Normalizer = (values: Float64Array) => Float64Array

type Parameters = ReadonlyMap<string, number>

interface Method {
  readonly parameters: readonly string[]
  /** Values of parameters that may be left out. */
  readonly defaults: { readonly [name: string]: number }
  /** What is wrong with the parameters, if anything. */
  check?(parameters: Parameters): string | undefined
  compile(parameters: Parameters): (x: number) => number
}

/** Methods of `normalizer`, one variable each. `expression` is apart: it is text, not numbers. */
const methods: { readonly [name: string]: Method } = {
  log10: {
    parameters: ['threshold', 'default'],
    // The documented example.
    defaults: { threshold: 1e-10, default: -10 },
    compile(parameters) {
      const threshold = parameters.get('threshold') ?? 0
      const low = parameters.get('default') ?? 0
      return (x) => (x > threshold ? Math.log10(x) : low)
    },
  },
  zscore: {
    parameters: ['mean', 'standard_deviation'],
    defaults: {},
    check: (parameters) => (parameters.get('standard_deviation') === 0 ? 'standard_deviation is 0' : undefined),
    compile(parameters) {
      const mean = parameters.get('mean') ?? 0
      const deviation = parameters.get('standard_deviation') ?? 1
      return (x) => (x - mean) / deviation
    },
  },
  minmax: {
    parameters: ['min', 'max'],
    defaults: {},
    check: (parameters) => (parameters.get('min') === parameters.get('max') ? 'min equals max' : undefined),
    compile(parameters) {
      const min = parameters.get('min') ?? 0
      const range = (parameters.get('max') ?? 1) - min
      return (x) => (x - min) / range
    },
  },
}

/** Names of the methods, for the documentation. */
export const normalizerMethods: readonly string[] = [...Object.keys(methods), 'expression']

/**
 * Compiles `method=log10,threshold=1e-10,default=-10`. Of `method=expression,expr=…` everything after `expr=` is the
 * expression, commas included; its variable is `x`.
 *
 * @returns A text says what is wrong.
 */
export function compileNormalizer(source: string): Normalizer | string {
  const fields = new Map<string, string>()
  for (let rest = source; rest !== ''; ) {
    const equals = rest.indexOf('=')
    const name = (equals < 0 ? rest : rest.slice(0, equals)).trim()
    if (equals < 0) return `${shown(name)} has no value`
    const comma = name === 'expr' ? -1 : rest.indexOf(',', equals)
    fields.set(name, rest.slice(equals + 1, comma < 0 ? undefined : comma).trim())
    rest = comma < 0 ? '' : rest.slice(comma + 1)
  }
  const name = fields.get('method') ?? ''
  fields.delete('method')
  if (name === 'expression') return compileFormula(fields.get('expr'))
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined
  if (!method) return `method is ${shown(name)}, expected ${normalizerMethods.join(', ')}`
  const parameters = new Map(Object.entries(method.defaults))
  for (const [key, text] of fields) {
    const value = Number(text)
    if (!method.parameters.includes(key)) continue
    if (text === '' || !Number.isFinite(value)) return `${key} is ${shown(text)}, expected a number`
    parameters.set(key, value)
  }
  for (const key of method.parameters) if (!parameters.has(key)) return `method=${name} has no ${key}`
  const trouble = method.check?.(parameters)
  if (trouble) return trouble
  const apply = method.compile(parameters)
  return (values) => values.map(apply)
}

function compileFormula(source: string | undefined): Normalizer | string {
  if (source === undefined) return 'method=expression has no expr'
  try {
    const expression = compileExpression(source, ['x'])
    return (values) => expression.evaluate([values], values.length)
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown)
  }
}
