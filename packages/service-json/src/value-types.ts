import * as v from 'valibot'

/** A kind of value: how it is named to people, and what is made of what the file says. */
export interface ValueType<T> {
  /** Completes "must be …". */
  readonly words: string
  /** The value, or `undefined` when it is not of this type. */
  readonly parse: (value: unknown) => { readonly value: T } | undefined
  /** An object or list whose content has rows of its own. */
  readonly section?: 'object' | 'list'
  /** The empty string is a value like any other; for other types it means "not set", as in the published samples. */
  readonly keepsEmpty?: boolean
}

function valueType<T>(
  words: string,
  schema: v.GenericSchema<unknown, T>,
  more?: { keepsEmpty?: boolean },
): ValueType<T> {
  return {
    words,
    parse(value) {
      const result = v.safeParse(schema, value, { abortEarly: true })
      return result.success ? { value: result.output } : undefined
    },
    ...more,
  }
}

/** Published samples write numbers as strings too (`"capacity": "800"`). */
const numeric = v.union([
  v.number(),
  v.pipe(v.string(), v.trim(), v.regex(/^[+-]?\d{1,20}(\.\d{1,20})?$/), v.transform(Number)),
])
/** And strings as numbers (`"cuda": 11.2`). */
const textual = v.union([v.string(), v.pipe(v.number(), v.finite(), v.transform(String))])
const textList = v.array(textual)

const range = ({ min, max }: Bounds): string => (max === undefined ? `of at least ${min}` : `from ${min} to ${max}`)
interface Bounds {
  readonly min: number
  readonly max?: number
}

export const text = valueType('a string', textual)

export const textOrEmpty = valueType('a string', v.union([textual, v.pipe(v.boolean(), v.transform(String))]), {
  keepsEmpty: true,
})

/** Booleans, their names as strings (`"generate_token": "true"`), and 0 and 1 (`"enable_jemalloc": 1`). */
const boolean = v.union([
  v.boolean(),
  v.pipe(
    v.string(),
    v.trim(),
    v.toLowerCase(),
    v.picklist(['true', 'false', '1', '0']),
    v.transform((word) => word === 'true' || word === '1'),
  ),
  v.pipe(
    v.picklist([0, 1]),
    v.transform((bit) => bit === 1),
  ),
])
export const flag = valueType('true or false', boolean)

/** Newer pages count what older ones only switch on (`"rdma": 8`). */
export const flagOrCount: ValueType<boolean | number> = valueType(
  'true, false or a count',
  v.union([boolean, v.pipe(numeric, v.safeInteger(), v.minValue(0))]),
)

export const integer = (bounds: Bounds): ValueType<number> =>
  valueType(
    `an integer ${range(bounds)}`,
    v.pipe(numeric, v.safeInteger(), v.minValue(bounds.min), v.maxValue(bounds.max ?? Number.MAX_SAFE_INTEGER)),
  )

export const number = (bounds?: Bounds): ValueType<number> =>
  valueType(
    bounds ? `a number ${range(bounds)}` : 'a number',
    v.pipe(
      numeric,
      v.finite(),
      v.minValue(bounds?.min ?? -Number.MAX_VALUE),
      v.maxValue(bounds?.max ?? Number.MAX_VALUE),
    ),
  )

/** A count, or a share as `"20%"`. */
export const countOrPercent: ValueType<number | `${number}%`> = valueType(
  'an integer of at least 0 or a percentage such as "20%"',
  v.union([
    v.pipe(numeric, v.safeInteger(), v.minValue(0)),
    v.custom<`${number}%`>((value) => typeof value === 'string' && /^\d{1,6}(\.\d{1,6})?%$/.test(value)),
  ]),
)

/** One of `names`, in any case; given as the table spells it. */
export const oneOf = <const N extends string>(names: readonly N[]): ValueType<N> =>
  valueType(
    `one of ${names.join(', ')}`,
    v.pipe(
      v.string(),
      v.trim(),
      v.toLowerCase(),
      v.rawTransform(({ dataset, addIssue, NEVER }) => {
        const name = names.find((known) => known.toLowerCase() === dataset.value)
        if (name !== undefined) return name
        addIssue()
        return NEVER
      }),
    ),
  )

/** Names joined by commas, as `"probs_ctr,probs_cvr"`, or a list of them. */
export const commaList: ValueType<readonly string[]> = valueType(
  'a string of names joined by commas, or a list of strings',
  v.pipe(
    v.union([
      textList,
      v.pipe(
        textual,
        v.transform((joined) => joined.split(',')),
      ),
    ]),
    v.transform((names) => names.map((name) => name.trim()).filter((name) => name !== '')),
  ),
)

export const texts: ValueType<readonly string[]> = valueType('a list of strings', textList)

export const textLists: ValueType<readonly (readonly string[])[]> = valueType(
  'a list of lists of strings',
  v.array(textList),
)

/** An absolute path of the instance's file system. */
export const absolutePath = valueType(
  'an absolute path such as "/data"',
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  v.pipe(v.string(), v.regex(/^\/[^\u0000-\u001f]*$/), v.maxLength(4096)),
)

/** Name of an environment variable. `__proto__` would be one by the pattern and is refused. */
export const variableName = valueType(
  'the name of an environment variable',
  v.pipe(v.string(), v.regex(/^(?!__proto__$)[A-Za-z_][A-Za-z0-9_.-]*$/), v.maxLength(256)),
)

/**
 * A service name: anything that stands in a URL path as it is. EAS documents no pattern; its examples are all
 * `[a-z][a-z0-9_]*`, and other names only raise a warning.
 */
export const serviceName = valueType(
  'a letter followed by letters, digits, "_", "." and "-", 128 characters at most',
  v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_.-]*$/), v.maxLength(128)),
)

/** Any JSON, passed on as it is. */
export const anything = valueType('any JSON', v.unknown())

const sectionType = (section: 'object' | 'list', words: string): ValueType<never> => ({
  words,
  section,
  parse: () => undefined, // a section has no value; its rows have
})
/** An object whose keys have rows of their own. */
export const object = sectionType('object', 'an object')
/** A list of objects whose keys have rows of their own. */
export const list = sectionType('list', 'a list of objects')
