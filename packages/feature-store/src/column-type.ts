import { FeatureStoreError } from './feature-store-error.ts'

/** What a number or text of a column is. Booleans are int32; times are int64, milliseconds since 1970. */
export const scalars = ['int32', 'int64', 'float', 'double', 'string'] as const
export type Scalar = (typeof scalars)[number]
export type MapKey = 'int32' | 'int64' | 'string'

/** The type of a column; written `int64`, `list<float>`, `lists<float>` (lists of lists) or `map<string,double>`. */
export type ColumnType =
  | { readonly form: 'scalar' | 'list' | 'lists'; readonly of: Scalar }
  | { readonly form: 'map'; readonly key: MapKey; readonly of: Scalar }

export interface ColumnSpec {
  readonly name: string
  readonly type: ColumnType
}

/** Columns of every item, and what its id is. The id is not among the columns unless the source lists it there too. */
export interface Schema {
  readonly key: 'string' | 'int64'
  /** What the id is called where features read it as a column of its own: `item:item_id`. */
  readonly keyName?: string
  readonly columns: readonly ColumnSpec[]
}

/** @throws {FeatureStoreError} `bad_config`. */
export function parseColumnType(text: string): ColumnType {
  const [, form = 'scalar', key, of] =
    /^(?:(list|lists|map)<(?:(\w+), ?)?)?(\w+)>?$/.exec(text.trim().toLowerCase()) ?? []
  const isSound = isScalar(of) && (form === 'map' ? isMapKey(key) : key === undefined)
  if (!isSound || formatColumnType(typeOf(form, key, of)) !== text.trim().toLowerCase().replace(', ', ',')) {
    throw new FeatureStoreError(
      'bad_config',
      `Cannot use column type ${text}: it is none of ${scalars.join(', ')}, list<…>, lists<…>, map<…,…>`,
    )
  }
  return typeOf(form, key, of)
}

export const formatColumnType = (type: ColumnType): string => {
  if (type.form === 'scalar') return type.of
  return type.form === 'map' ? `map<${type.key},${type.of}>` : `${type.form}<${type.of}>`
}

export const scalarType = (of: Scalar): ColumnType => ({ form: 'scalar', of })

const typeOf = (form: string, key: string | undefined, of: Scalar): ColumnType =>
  // `parseColumnType` has matched the form and checked the key.
  form === 'map' ? { form, key: key as MapKey, of } : { form: form as 'scalar' | 'list' | 'lists', of }

const isScalar = (text: string | undefined): text is Scalar => (scalars as readonly unknown[]).includes(text)
const isMapKey = (text: string | undefined): text is MapKey => text === 'int32' || text === 'int64' || text === 'string'

/**
 * The schema that a sample of rows suggests, for sources that do not tell theirs. Whole numbers are int64, others double.
 * A column that no row of the sample has a value of is left out.
 */
export function inferSchema(rows: readonly Readonly<Record<string, unknown>>[], keyName: string): Schema {
  const names = new Set(rows.flatMap((row) => Object.keys(row)))
  names.delete(keyName)
  const columns = [...names].flatMap((name): ColumnSpec[] => {
    const type = inferType(rows.map((row) => row[name]).filter((value) => value !== null && value !== undefined))
    return type ? [{ name, type }] : []
  })
  const key = rows.every((row) => isWhole(row[keyName])) ? 'int64' : 'string'
  return { key, keyName, columns }
}

function inferType(values: readonly unknown[]): ColumnType | undefined {
  if (values.length === 0) return undefined
  if (values.every(Array.isArray)) {
    const elements = (values as unknown[][]).flat().filter((element) => element !== null)
    const isNested = elements.length > 0 && elements.every(Array.isArray)
    const of = inferScalar(isNested ? (elements as unknown[][]).flat() : elements)
    return { form: isNested ? 'lists' : 'list', of }
  }
  if (values.every((value) => typeof value === 'object')) {
    return { form: 'map', key: 'string', of: inferScalar(values.flatMap((value) => Object.values(value as object))) }
  }
  return scalarType(inferScalar(values))
}

function inferScalar(values: readonly unknown[]): Scalar {
  if (values.length === 0) return 'string'
  if (values.every((value) => typeof value === 'boolean')) return 'int32'
  if (values.every(isWhole)) return 'int64'
  return values.every((value) => typeof value === 'number' || typeof value === 'bigint') ? 'double' : 'string'
}

const isWhole = (value: unknown): boolean => typeof value === 'bigint' || Number.isSafeInteger(value)
