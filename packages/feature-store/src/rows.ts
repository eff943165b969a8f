import type { Schema } from './column-type.ts'
import { badData } from './feature-store-error.ts'
import { parseJson } from './json.ts'
import type { ItemBatch } from './source.ts'

export type Row = Readonly<Record<string, unknown>>

/** Rows as a batch. Lists and maps may be JSON text, which is how stores of plain strings keep them. */
export function batchOfRows(rows: readonly Row[], schema: Schema, keyName: string): ItemBatch {
  return {
    keys: rows.map((row) => row[keyName]),
    columns: schema.columns.map(({ name, type }) => {
      const values = rows.map((row) => row[name])
      return type.form === 'scalar' ? values : values.map(parsed)
    }),
  }
}

function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (value === '') return undefined
  try {
    return parseJson(value)
  } catch {
    throw badData(`${JSON.stringify(value.slice(0, 60))} is no JSON list or object`)
  }
}
