import type { FeatureKind, PBFeature } from '@eas/protocol'

/**
 * The raw values of one input, a row per item, or one row that stands for all items. `index`, where given, picks rows of
 * a larger table (the item cache): row `i` is entry `index[i]`, and -1 is missing.
 */
export type InputColumn = FeatureColumn | TextColumn | NumberColumn | SequenceColumn

/** Values of any kind. A row is missing when it is `undefined`, has no kind, or holds `''` or nothing. */
export interface FeatureColumn {
  readonly form: 'features'
  readonly values: readonly (PBFeature | undefined)[]
  readonly index?: Int32Array | undefined
}

export interface TextColumn {
  readonly form: 'texts'
  readonly texts: readonly (string | null | undefined)[]
  readonly index?: Int32Array | undefined
}

export interface NumberColumn {
  readonly form: 'numbers'
  /** NaN is missing. */
  readonly data: Int32Array | BigInt64Array | Float32Array | Float64Array
  /** 0 where the row is missing. */
  readonly valid?: Uint8Array | undefined
  readonly index?: Int32Array | undefined
}

/** A sequence per row whose steps are the rows of another column: what a join with the item cache gives. */
export interface SequenceColumn {
  readonly form: 'sequence'
  /** The steps of row `r` are rows `steps[r]` up to `steps[r + 1]` of `cells`; `[rows + 1]`. */
  readonly steps: Int32Array
  readonly cells: FeatureColumn | TextColumn | NumberColumn
}

/** Rows of a column. */
export function rowsOf(column: InputColumn): number {
  if (column.form === 'sequence') return column.steps.length - 1
  if (column.index) return column.index.length
  if (column.form === 'texts') return column.texts.length
  return column.form === 'numbers' ? column.data.length : column.values.length
}

export type ScalarName = 'int' | 'long' | 'string' | 'float' | 'double'

/** How a kind of `PBFeature` is built. */
export interface KindForm {
  readonly form: 'scalar' | 'list' | 'lists' | 'map'
  readonly of: ScalarName
}

const scalarNames: readonly ScalarName[] = ['int', 'long', 'string', 'float', 'double']

/** Every kind of `PBFeature`; their names follow one scheme. */
export const kindForms: ReadonlyMap<FeatureKind, KindForm> = new Map(
  scalarNames.flatMap((of): [FeatureKind, KindForm][] => [
    [`${of}_feature`, { form: 'scalar', of }],
    [`${of}_list`, { form: 'list', of }],
    [`${of}_lists`, { form: 'lists', of }],
    [`long_${of}_map`, { form: 'map', of }],
    [`string_${of}_map`, { form: 'map', of }],
    [`int_${of}_map`, { form: 'map', of }],
  ]),
)
