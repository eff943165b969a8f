import { type DType, toBfloat16, toHalf } from '@eas/base'
import { RowError } from '../batch-error.ts'
import type { JsonScanner } from './json-scanner.ts'

/** How elements of a dtype are read out of text and values, into the array that holds them. */
export interface ElementType {
  /** A number of JSON. */
  json(scanner: JsonScanner, into: Record<number, number | bigint>, at: number): void
  value(value: unknown, into: Record<number, number | bigint>, at: number): void
  /** Whether an array of the same kind holds elements as they are. */
  readonly copies: boolean
}

/** A row per dtype; `string` is not kept in an array of numbers, and its row only refuses. */
export const elementTypes: { readonly [D in DType]: ElementType } = {
  float32: floats((x) => x),
  float64: {
    json: (scanner, into, at) => {
      into[at] = scanner.float64()
    },
    value: (value, into, at) => {
      into[at] = numberOf(value)
    },
    copies: true,
  },
  float16: { ...floats(toHalf), copies: false },
  bfloat16: { ...floats(toBfloat16), copies: false },
  int8: integers(-(2 ** 7), 2 ** 7 - 1),
  int16: integers(-(2 ** 15), 2 ** 15 - 1),
  int32: integers(-(2 ** 31), 2 ** 31 - 1),
  uint8: integers(0, 2 ** 8 - 1),
  uint16: integers(0, 2 ** 16 - 1),
  uint32: integers(0, 2 ** 32 - 1),
  int64: wideIntegers(-(2n ** 63n), 2n ** 63n - 1n),
  uint64: wideIntegers(0n, 2n ** 64n - 1n),
  bool: {
    json: (scanner, into, at) => {
      into[at] = boolOf(scanner.float64())
    },
    value: (value, into, at) => {
      into[at] = boolOf(value)
    },
    copies: false,
  },
  string: refused('string'),
  qint8: refused('qint8'),
  quint8: refused('quint8'),
  qint16: refused('qint16'),
  quint16: refused('quint16'),
  qint32: refused('qint32'),
  complex64: refused('complex64'),
  complex128: refused('complex128'),
}

function floats(store: (value: number) => number): ElementType {
  return {
    json: (scanner, into, at) => {
      into[at] = store(scanner.float32())
    },
    value: (value, into, at) => {
      into[at] = store(numberOf(value))
    },
    copies: true,
  }
}

function integers(min: number, max: number): ElementType {
  const checked = (value: number): number => {
    if (Number.isInteger(value) && value >= min && value <= max) return value
    throw new RowError(`${value} is no whole number from ${min} to ${max}`)
  }
  return {
    json: (scanner, into, at) => {
      into[at] = checked(scanner.float64())
    },
    value: (value, into, at) => {
      into[at] = checked(numberOf(value))
    },
    copies: true,
  }
}

function wideIntegers(min: bigint, max: bigint): ElementType {
  const checked = (value: bigint): bigint => {
    if (value >= min && value <= max) return value
    throw new RowError(`${value} is no whole number from ${min} to ${max}`)
  }
  return {
    json: (scanner, into, at) => {
      into[at] = checked(scanner.bigint())
    },
    value: (value, into, at) => {
      into[at] = checked(bigintOf(value))
    },
    copies: true,
  }
}

function refused(dtype: DType): ElementType {
  const refuse = () => {
    throw new RowError(`${dtype} cannot be read from a row`)
  }
  return { json: refuse, value: refuse, copies: false }
}

/** A number, the text of one, or a truth. CSV has nothing but texts; tables have NaN where Python had none. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'string') {
    const text = value.trim()
    if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return Number(text)
    const special = specials[text.toLowerCase()]
    if (special !== undefined) return special
    throw new RowError(text === '' ? 'it is empty' : `${JSON.stringify(text.slice(0, 40))} is no number`)
  }
  throw new RowError(`it takes numbers, got ${value instanceof Date ? 'a time' : typeof value}`)
}

/** As pandas, NumPy and PyArrow write them. */
const specials: { readonly [text: string]: number } = Object.assign(Object.create(null), {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  '+inf': Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  '-infinity': Number.NEGATIVE_INFINITY,
})

function bigintOf(value: unknown): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'string' && /^\s*-?\d+\s*$/.test(value)) return BigInt(value.trim())
  const number = numberOf(value)
  if (Number.isSafeInteger(number)) return BigInt(number)
  throw new RowError(`${number} is no whole number`)
}

function boolOf(value: unknown): 0 | 1 {
  const text = typeof value === 'string' ? value.trim().toLowerCase() : value
  if (text === true || text === 1 || text === 1n || text === 'true' || text === '1') return 1
  if (text === false || text === 0 || text === 0n || text === 'false' || text === '0') return 0
  throw new RowError(
    `${typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value)} is not true or false`,
  )
}
