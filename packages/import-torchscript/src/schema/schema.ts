import { schemaText } from './schema-text.ts'

/**
 * What a parameter takes: `T` Tensor, `n` number (int, float or bool), `i` int, `f` float, `b` bool, `c` complex,
 * `s` str, `d` Device, `g` Generator, `e` enum, `a` anything, `m` dict or tuple, `o` object of a bound class, `v` type
 * variable; then any of `[]` (a list of them) and `?` (or None), read outwards: `T?[]` is a list of optional tensors.
 */
export type ParameterType = string

/** A default as written in the schema: None is `null`, ints are bigints so that they cannot pass for floats. */
export type DefaultValue = null | boolean | bigint | number | string | readonly DefaultValue[]

export interface Parameter {
  readonly name: string
  readonly type: ParameterType
  /** Can only be given by name. */
  readonly keywordOnly: boolean
  /** Absent when the argument must be given. */
  readonly default?: DefaultValue
}

export interface Schema {
  /** As code calls it, without `aten::`: `conv2d`, `prim::device`, `quantized::linear`. */
  readonly name: string
  /** Torch's overload name, `''` for the first form. */
  readonly overload: string
  readonly parameters: readonly Parameter[]
}

const parsed = new Map<string, readonly Schema[]>()

/** Every known form of an operator, newest torch first, in torch's order; empty when the name is not in the table. */
export function schemasOf(name: string): readonly Schema[] {
  const known = parsed.get(name)
  if (known) return known
  const schemas = find(name)
  parsed.set(name, schemas)
  return schemas
}

/** Names of all operators in the table. */
export function schemaNames(): string[] {
  return schemaText
    .trim()
    .split('\n')
    .map((line) => line.slice(0, line.indexOf(' ')))
}

/** Searching the text for one line takes microseconds; parsing all of it would take a cold start milliseconds. */
function find(name: string): Schema[] {
  const start = schemaText.indexOf(`\n${name} `)
  if (start < 0) return []
  const end = schemaText.indexOf('\n', start + 1)
  const forms = schemaText.slice(start + name.length + 2, end)
  return forms.split(';').map((form) => parseForm(name, form))
}

function parseForm(name: string, form: string): Schema {
  const [overload = '-', ...words] = form.split(' ')
  const firstKeyword = words.indexOf('*')
  const parameters = words.flatMap((word, i) =>
    word === '*' ? [] : [parseParameter(word, firstKeyword >= 0 && i > firstKeyword)],
  )
  return { name, overload: overload === '-' ? '' : overload, parameters }
}

function parseParameter(word: string, keywordOnly: boolean): Parameter {
  const [, type = '', name = '', text] = /^([^:]+):([^=]+)(?:=(.*))?$/.exec(word) ?? []
  return text === undefined
    ? { name, type, keywordOnly }
    : { name, type, keywordOnly, default: parseDefault(text, type) }
}

function parseDefault(text: string, type: ParameterType): DefaultValue {
  if (text === 'None') return null
  if (text === 'True' || text === 'False') return text === 'True'
  if (text.startsWith('"')) return JSON.parse(text)
  if (text.startsWith('[')) {
    const items = text.slice(1, -1)
    return items ? items.split(',').map((item) => parseDefault(item, type.replace('[]', ''))) : []
  }
  // A float's default is always printed with a point or an exponent, or is inf; anything else is an int.
  if (type.startsWith('f') || /[.ein]/.test(text)) return Number(text.replace('inf', 'Infinity'))
  return BigInt(text)
}
