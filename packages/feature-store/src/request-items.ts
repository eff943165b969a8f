import type { FeatureKind, PBFeature } from '@eas/protocol'
import { type ColumnType, type Scalar, type Schema, scalarType } from './column-type.ts'
import { type Column, type NumberColumn, textAt, valueAt } from './columns/column.ts'
import type { ItemView } from './item-view.ts'

/** A column as the feature generator reads it: numbers where they lie, and of texts and the rest the rows that are asked for. */
export type RequestColumn =
  | { readonly form: 'numbers'; readonly data: NumberColumn['data']; readonly valid?: Uint8Array }
  | { readonly form: 'texts'; readonly texts: readonly (string | undefined)[] }
  | { readonly form: 'features'; readonly values: readonly (PBFeature | undefined)[] }

/**
 * A view for one request, in the form of `ItemTable` of `@eas/fg`. Columns of numbers are the cache's own; those of texts,
 * lists and maps are arrays as long as the cache in which only the rows that `entriesOf` gave to this request exist.
 */
export function requestItems(view: ItemView) {
  const known = new Set<number>()
  const filled = new Map<string, { readonly column: RequestColumn; readonly fill: (row: number) => void }>()

  return {
    /** The row of each id; -1 where it is not known. */
    entriesOf(ids: readonly string[]): Int32Array {
      const entries = view.entriesOf(ids)
      for (const row of entries) {
        if (row === -1 || known.has(row)) continue
        known.add(row)
        for (const { fill } of filled.values()) fill(row)
      }
      return entries
    },
    /** A field of every entry; `undefined` when there is no such field. */
    column(name: string): RequestColumn | undefined {
      const column = view.column(name)
      const type = typeOf(view.schema, name)
      if (!column || !type) return undefined
      if (column.form === 'numbers') return column
      const before = filled.get(name)
      if (before) return before.column
      const made = fillable(column, type)
      for (const row of known) made.fill(row)
      filled.set(name, made)
      return made.column
    },
  }
}

/** The type of a column, the ids' among them. */
const typeOf = ({ columns, key, keyName }: Schema, name: string): ColumnType | undefined =>
  columns.find((spec) => spec.name === name)?.type ?? (name === keyName ? scalarType(key) : undefined)

function fillable(column: Column, type: ColumnType) {
  if (column.form === 'texts') {
    const texts: (string | undefined)[] = []
    return {
      column: { form: 'texts', texts } as const,
      fill: (row: number) => {
        texts[row] = textAt(column, row) || undefined
      },
    }
  }
  const values: (PBFeature | undefined)[] = []
  const kind = kindOf(type)
  return {
    column: { form: 'features', values } as const,
    fill: (row: number) => {
      const value = valueAt(column, row)
      // The kind is the one that values of the column's type belong to.
      values[row] = value === undefined ? undefined : ({ kind, value } as PBFeature)
    },
  }
}

const names: { readonly [type in Scalar]: 'int' | 'long' | 'float' | 'double' | 'string' } = {
  int32: 'int',
  int64: 'long',
  float: 'float',
  double: 'double',
  string: 'string',
}

function kindOf(type: ColumnType): FeatureKind {
  const of = names[type.of]
  if (type.form === 'map') return `${names[type.key] as 'int' | 'long' | 'string'}_${of}_map` // no other types of keys
  return type.form === 'scalar' ? `${of}_feature` : `${of}_${type.form}`
}
