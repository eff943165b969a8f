import { parseColumnType } from './column-type.ts'
import { FeatureStoreError } from './feature-store-error.ts'
import { fsTypes } from './sources/featuredb-value.ts'

interface OptionRule {
  /** What a value is, to follow a name in messages: `pageRows is no whole number from 1 on`. */
  readonly is: string
  readonly accepts: (value: unknown) => boolean
}

const oneOf = (...values: readonly string[]): OptionRule => ({
  is: values.join(' or '),
  accepts: (value) => values.includes(value as string), // what is no string is not among them
})
const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What an option of a source may be. */
const rules = {
  text: { is: 'text', accepts: isText },
  texts: { is: 'a list of texts', accepts: (value) => Array.isArray(value) && value.every(isText) },
  count: { is: 'a whole number from 1 on', accepts: (value) => Number.isSafeInteger(value) && Number(value) >= 1 },
  types: {
    is: 'column types by name',
    accepts: (value) => isObject(value) && Object.values(value).every(isColumnType),
  },
  fields: {
    is: 'a list of { name, type } with types of FeatureDB',
    accepts: (value) =>
      Array.isArray(value) && value.every((field) => isObject(field) && isText(field.name) && isFsType(field.type)),
  },
  keyType: oneOf('string', 'int64'),
  paging: oneOf('cursor', 'key'),
  redisValue: oneOf('hash', 'json'),
} as const satisfies { readonly [kind: string]: OptionRule }
export type OptionKind = keyof typeof rules

const isFsType = (type: unknown): boolean => typeof type === 'string' && Object.hasOwn(fsTypes, type)

function isColumnType(type: unknown): boolean {
  if (!isText(type)) return false
  try {
    parseColumnType(type)
    return true
  } catch {
    return false
  }
}

/**
 * Options as JSON gave them; `null` is none.
 * @throws {FeatureStoreError} `bad_config` with everything that is wrong. Values are not shown: some are secrets.
 */
export function readOptions(
  type: string,
  kinds: { readonly [name: string]: OptionKind | `${OptionKind}!` },
  settings: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const given = Object.entries(settings).filter(([, value]) => value !== null && value !== undefined)
  const wrong = given.flatMap(([name, value]) => {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
    if (!kind) return [`${name} is none of its options, which are ${Object.keys(kinds).join(', ')}`]
    const rule: OptionRule = rules[kind.replace('!', '') as OptionKind] // a kind but for its mark
    return rule.accepts(value) ? [] : [`${name} is not ${rule.is}`]
  })
  const missing = Object.entries(kinds)
    .filter(([name, kind]) => kind.endsWith('!') && !given.some(([known]) => known === name))
    .map(([name]) => name)
  const verb = missing.length === 1 ? 'is' : 'are'
  const all = [...(missing.length > 0 ? [`${missing.join(', ')} ${verb} missing`] : []), ...wrong]
  if (all.length > 0) {
    throw new FeatureStoreError('bad_config', `Cannot open an item source of type ${type}: ${all.join('; ')}`)
  }
  return Object.fromEntries(given)
}
