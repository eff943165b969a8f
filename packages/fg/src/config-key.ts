import { oneLine } from '@eas/base'

/** One configuration key of an operator: how its value is read, what it is when absent, what it means. */
export interface Key<T> {
  /** The type in words: `integer from 1 up`. */
  readonly words: string
  readonly default: T
  /** The value, or `undefined` when it is not of the type. */
  parse(value: unknown): T | undefined
  /** Of a list or a table that is not of the type: the element that is not, as `["a"] is -1`. */
  blame?(value: unknown): string | undefined
  /** Other spellings of the key. */
  readonly aliases: readonly string[]
  readonly required: boolean
  readonly meaning: string
}

export type Keys = { readonly [name: string]: Key<unknown> }
/** What a table of keys reads. */
export type ConfigOf<K extends Keys> = { readonly [P in keyof K]: K[P] extends Key<infer T> ? T : never }

interface Options {
  readonly aliases?: readonly string[]
  readonly required?: boolean
}

function key<T>(
  words: string,
  initial: T,
  parse: (value: unknown) => T | undefined,
  meaning: string,
  { aliases = [], required = false }: Options = {},
): Key<T> {
  return { words, default: initial, parse, aliases, required, meaning }
}

/** Whole numbers, also written as text: `fg.json` of old tools quotes them. */
function toInteger(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined
  if (typeof value !== 'string' || !/^\s*[-+]?\d{1,20}\s*$/.test(value)) return undefined
  return BigInt(value.trim().replace(/^\+/, ''))
}

function toBoolean(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (value === 0 || value === 1) return value === 1
  if (typeof value !== 'string') return undefined
  const text = value.trim().toLowerCase()
  if (text === 'true' || text === '1') return true
  return text === 'false' || text === '0' ? false : undefined
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || value.trim() === '') return undefined
  const number = Number(value)
  return Number.isNaN(number) ? undefined : number
}

/** A text; numbers and booleans are taken as they are written. */
function toText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

function listOf<T>(parse: (value: unknown) => T | undefined, min: number) {
  return (value: unknown): readonly T[] | undefined => {
    const items = Array.isArray(value) ? value : [value]
    const list: T[] = []
    for (const item of items) {
      const parsed = parse(item)
      if (parsed === undefined) return undefined
      list.push(parsed)
    }
    return list.length >= min ? list : undefined
  }
}

function toTable<T>(parse: (value: unknown) => T | undefined) {
  return (value: unknown): ReadonlyMap<string, T> | undefined => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    const table = new Map<string, T>()
    for (const [name, item] of Object.entries(value)) {
      const parsed = parse(item)
      if (parsed === undefined) return undefined
      table.set(name, parsed)
    }
    return table
  }
}

/** The element that `isRight` is not true of. */
function blameOf(isRight: (item: unknown) => boolean) {
  return (value: unknown): string | undefined => {
    if (typeof value !== 'object' || value === null) return undefined
    // A list's are numbers.
    const wrong = Object.entries(value).find(([, item]) => !isRight(item))
    if (!wrong) return undefined
    const [name, item] = wrong
    return `[${Array.isArray(value) ? name : shown(name)}] is ${shown(item)}`
  }
}

export const text = (initial: string, meaning: string, options?: Options): Key<string> =>
  key('text', initial, toText, meaning, options)

/** A text, or `undefined` when the key is absent. */
export const optionalText = (meaning: string, options?: Options): Key<string | undefined> =>
  key<string | undefined>('text', undefined, toText, meaning, options)

export const character = (initial: string, meaning: string): Key<string> =>
  key(
    'one character',
    initial,
    (value) => (typeof value === 'string' && value.length === 1 ? value : undefined),
    meaning,
  )

export const flag = (initial: boolean, meaning: string, options?: Options): Key<boolean> =>
  key('true or false', initial, toBoolean, meaning, options)

export const optionalFlag = (meaning: string, options?: Options): Key<boolean | undefined> =>
  key<boolean | undefined>('true or false', undefined, toBoolean, meaning, options)

/** A whole number from `min` to `max`. */
export function integer<T extends number | undefined>(
  initial: T,
  min: number,
  max: number,
  meaning: string,
  options?: Options,
) {
  const parse = (value: unknown): number | undefined => {
    const parsed = toInteger(value)
    return parsed !== undefined && parsed >= min && parsed <= max ? Number(parsed) : undefined
  }
  const words = max === Number.MAX_SAFE_INTEGER ? `integer from ${min} up` : `integer from ${min} to ${max}`
  return key<number | T>(words, initial, parse, meaning, options)
}

/** As a number it is 2^63, which JSON writers that know doubles only write as 9223372036854776000. */
const maxBuckets = 2n ** 63n - 1n

/** A number of buckets: a bigint above 2^53. */
export const buckets = (meaning: string): Key<number | bigint | undefined> =>
  key<number | bigint | undefined>(
    'integer from 1 to 2^63 - 1',
    undefined,
    (value) => {
      const parsed = toInteger(value)
      if (parsed === undefined || parsed < 1n || Number(parsed) > 2 ** 63) return undefined
      const count = parsed > maxBuckets ? maxBuckets : parsed
      return count <= Number.MAX_SAFE_INTEGER ? Number(count) : count
    },
    meaning,
  )

/** A number or `NaN`. */
export const optionalNumber = (meaning: string): Key<number | undefined> =>
  key<number | undefined>('number', undefined, (value) => (value === 'NaN' ? Number.NaN : toNumber(value)), meaning)

export const numbers = (meaning: string, options?: Options): Key<readonly number[] | undefined> => ({
  ...key<readonly number[] | undefined>(
    'ascending numbers',
    undefined,
    (value) => {
      const list = Array.isArray(value) ? listOf(toNumber, 0)(value) : undefined
      return list?.every((item, i) => i === 0 || item >= (list[i - 1] ?? item)) ? list : undefined
    },
    meaning,
    options,
  ),
  blame(value) {
    const notNumber = Array.isArray(value) ? blameOf((item) => toNumber(item) !== undefined)(value) : undefined
    if (notNumber || !Array.isArray(value)) return notNumber
    const list = value.map(Number)
    const i = list.findIndex((item, at) => at > 0 && item < (list[at - 1] ?? item))
    return i < 0 ? undefined : `[${i}] is ${shown(value[i])} after ${shown(value[i - 1])}`
  },
})

export const texts = (meaning: string, min: number, options?: Options): Key<readonly string[] | undefined> => ({
  ...key<readonly string[] | undefined>(
    min > 1 ? `at least ${min} texts` : 'list of texts',
    undefined,
    listOf(toText, min),
    meaning,
    options,
  ),
  blame: (value) => (Array.isArray(value) ? blameOf((item) => toText(item) !== undefined)(value) : undefined),
})

const table = <T>(words: string, parse: (value: unknown) => T | undefined, meaning: string) => ({
  ...key<ReadonlyMap<string, T> | undefined>(words, undefined, toTable(parse), meaning),
  blame: (value: unknown) => (Array.isArray(value) ? undefined : blameOf((item) => parse(item) !== undefined)(value)),
})

export const numberTable = (meaning: string): Key<ReadonlyMap<string, number> | undefined> =>
  table('object of numbers', toNumber, meaning)

/** An id of a vocabulary. */
function toId(value: unknown): number | undefined {
  const id = toInteger(value)
  return id !== undefined && id >= 0n && id <= Number.MAX_SAFE_INTEGER ? Number(id) : undefined
}

export const idTable = (meaning: string): Key<ReadonlyMap<string, number> | undefined> =>
  table('object of integers from 0 up', toId, meaning)

/** One of `values`, in any case of letters. */
export const oneOf = <T extends string>(values: readonly T[], initial: T, meaning: string, options?: Options): Key<T> =>
  key(
    values.map((value) => (value === '' ? '`""`' : value)).join(', '),
    initial,
    (value) => values.find((known) => typeof value === 'string' && known.toLowerCase() === value.toLowerCase()),
    meaning,
    options,
  )

/** Reads the keys of `table` from an object; what is wrong is added to `problems`, other keys are left alone. */
export function readKeys<K extends Keys>(
  raw: { readonly [name: string]: unknown },
  table: K,
  where: string,
  problems: string[],
): ConfigOf<K> {
  const config: Record<string, unknown> = {} // by names of the table, none of which is an object's own
  for (const { name, spellings, spec } of rowsOf(table)) {
    const spelling = spellings.find((known) => Object.hasOwn(raw, known) && !isAbsent(raw[known], spec))
    let parsed: unknown
    if (spelling === undefined) {
      if (spec.required) problems.push(`${where} has no ${name}`)
    } else {
      parsed = spec.parse(raw[spelling])
      if (parsed === undefined)
        problems.push(
          `${where}: ${spelling}${spec.blame?.(raw[spelling]) ?? ` is ${shown(raw[spelling])}`}, expected ${spec.words}`,
        )
    }
    config[name] = parsed === undefined ? spec.default : parsed
  }
  // Each key's own parser made its value.
  return config as ConfigOf<K>
}

/** Whether a value says nothing: tools that write every key write `null`, or an empty list, for those that are not set. */
function isAbsent(value: unknown, { required, blame }: Key<unknown>): boolean {
  if (value === undefined || value === null) return true
  // Keys of lists and tables have elements to blame.
  return !required && blame !== undefined && typeof value === 'object' && Object.keys(value).length === 0
}

interface KeyRow {
  readonly name: string
  readonly spellings: readonly string[]
  readonly spec: Key<unknown>
}

const knownRows = new WeakMap<Keys, readonly KeyRow[]>()

/** The rows of a table, which a document of a thousand features asks for as often. */
function rowsOf(table: Keys): readonly KeyRow[] {
  const known = knownRows.get(table)
  if (known) return known
  const rows = Object.entries(table).map(([name, spec]) => ({ name, spellings: [name, ...spec.aliases], spec }))
  knownRows.set(table, rows)
  return rows
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  return oneLine(JSON.stringify(value), 60)
}
