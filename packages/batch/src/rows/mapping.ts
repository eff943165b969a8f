import { type DType, oneLine } from '@eas/base'
import { BatchError } from '../batch-error.ts'
import { type CsvOptions, parseCsvOptions } from '../read/csv-options.ts'
import type { ModelFacts } from '../scorer.ts'

/** Which columns of a row become which inputs of the model, and what becomes of the others. */
export interface Mapping {
  /** Column of each input, or the columns that hold its elements one by one. Default: the column of the same name. */
  readonly inputs?: { readonly [input: string]: string | readonly string[] }
  /** Columns that go into the output as they are. Default: all that feed no input. */
  readonly keep?: readonly string[]
  /** Outputs to write, or the column that each is written to. Default: all, by their names. */
  readonly outputs?: readonly string[] | { readonly [output: string]: string }
  /** How tables of text are written that are not as RFC 4180 has them. */
  readonly csv?: CsvOptions
}

/** A mapping that fits a model. */
export interface RowPlan {
  readonly inputs: readonly { readonly name: string; readonly dtype: DType; readonly shape: readonly number[] }[]
  /** Where a column goes. */
  readonly targets: ReadonlyMap<string, readonly Target[]>
  /** `undefined`: all that feed no input. */
  readonly keep: ReadonlySet<string> | undefined
  /** Column of each output, in order. */
  readonly outputs: ReadonlyMap<string, string>
  readonly csv: CsvOptions
  /** The columns of all outputs, none of which is kept too. */
  readonly written: ReadonlySet<string>
  /** Rows of every call, for a model whose first dimension is fixed; `undefined` when it is free. */
  readonly fixedRows: number | undefined
}

export interface Target {
  readonly input: number
  /** Which element of the input's row the column is; `undefined` when it is the whole row. */
  readonly slot: { readonly index: number; readonly count: number } | undefined
}

/** @throws {BatchError} `bad_mapping` naming what does not fit the model. */
export function planRows(mapping: Mapping, facts: ModelFacts): RowPlan {
  const wrong = (what: string) => new BatchError('bad_mapping', `Cannot use the mapping: ${what}`)
  const namesOf = (values: readonly { readonly name: string }[]) =>
    oneLine(values.map(({ name }) => name).join(', '), 300)
  for (const name of Object.keys(mapping.inputs ?? {})) {
    if (!facts.inputs.some((input) => input.name === name)) {
      throw wrong(`the model has no input ${oneLine(name)}; it has ${namesOf(facts.inputs)}`)
    }
  }
  const targets = new Map<string, Target[]>()
  const inputs = facts.inputs.map(({ name, dtype, shape }, input) => {
    if (dtype === undefined) throw wrong(`the model does not say the type of ${name}; use one whose inputs are known`)
    const from = Object.hasOwn(mapping.inputs ?? {}, name) ? (mapping.inputs?.[name] ?? name) : name
    const columns = typeof from === 'string' ? [from] : from
    if (columns.length === 0) throw wrong(`${name} has no columns`)
    for (const [index, column] of columns.entries()) {
      const slot = typeof from === 'string' ? undefined : { index, count: columns.length }
      targets.set(column, [...(targets.get(column) ?? []), { input, slot }])
    }
    return { name, dtype, shape }
  })
  if (inputs.length === 0) throw wrong('the model has no inputs')

  const asked = mapping.outputs ?? facts.outputs.map(({ name }) => name)
  const outputs = new Map<string, string>(
    Array.isArray(asked) ? asked.map((name: string) => [name, name]) : Object.entries(asked as Record<string, string>), // not a list
  )
  for (const name of outputs.keys()) {
    if (!facts.outputs.some((output) => output.name === name)) {
      throw wrong(`the model has no output ${oneLine(name)}; it has ${namesOf(facts.outputs)}`)
    }
  }
  if (outputs.size === 0) throw wrong('it asks for no output')
  const written = new Set(outputs.values())
  if (written.size < outputs.size) throw wrong('two outputs would have one name')
  for (const name of mapping.keep ?? []) if (written.has(name)) throw wrong(clashOf(name))

  const fixed = new Set(facts.inputs.flatMap(({ shape }) => (shape[0] !== undefined && shape[0] > 0 ? [shape[0]] : [])))
  if (fixed.size > 1) throw wrong(`the model takes different numbers of rows: ${[...fixed].join(', ')}`)
  return {
    inputs,
    targets,
    keep: mapping.keep && new Set(mapping.keep),
    outputs,
    written,
    csv: mapping.csv ?? {},
    fixedRows: [...fixed][0],
  }
}

/** What is said of a column that is kept and has the name of an output, of which one would go lost. */
export const clashOf = (name: string): string =>
  `column ${oneLine(name)} is kept, and an output has its name; write the output to another column, as in ` +
  `"outputs": {${JSON.stringify(name)}: "new_${name}"}, or leave the column out of "keep"`

/**
 * A mapping as a person writes it down, checked.
 * @throws {BatchError} `bad_mapping`
 */
export function parseMapping(json: unknown): Mapping {
  const wrong = (what: string) => new BatchError('bad_mapping', `Cannot read the mapping: ${what}`)
  if (!isRecord(json))
    throw wrong('it must be an object with inputs, keep, outputs and csv, each of which may be left out')
  const known = new Set(['inputs', 'keep', 'outputs', 'csv'])
  for (const key of Object.keys(json)) if (!known.has(key)) throw wrong(`it has no ${oneLine(key)}`)
  const { inputs, keep, outputs } = json
  const isName = (value: unknown) => typeof value === 'string'
  const areNames = (value: unknown) => Array.isArray(value) && value.every(isName)
  if (
    inputs !== undefined &&
    !(isRecord(inputs) && Object.values(inputs).every((from) => isName(from) || areNames(from)))
  ) {
    throw wrong('inputs must be the column of each input, or a list of columns')
  }
  if (keep !== undefined && !areNames(keep)) throw wrong('keep must be a list of columns')
  if (outputs !== undefined && !areNames(outputs) && !(isRecord(outputs) && Object.values(outputs).every(isName))) {
    throw wrong('outputs must be a list of outputs, or the column of each')
  }
  if (json.csv !== undefined) parseCsvOptions(json.csv)
  return json as Mapping // each member has been looked at
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
