import { type DType, dtypes, EasError, formatShape, limits, oneLine, type Tensor, toBfloat16, toHalf } from '@eas/base'

import { jsonTroubleOffset } from './json-trouble.ts'

/**
 * A JSON number whose text says more than a JavaScript number: an integer past 2^53, `1.0` which is no integer, and NaN
 * and Infinity, which Python writes though JSON has none.
 */
interface ExactNumber {
  readonly '\0': string
}

/** Strings, which are stepped over, and numbers as Python writes them. */
const tokens = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|NaN|-?Infinity/g
/** Numbers to keep as text: long integers, floats with nothing after the point, and what is not JSON. */
const inexact = /^-?(?:[1-9]\d{15,}|(?:0|[1-9]\d*)\.0+|NaN|Infinity)$/

/**
 * JSON of input values.
 * @param label Names its source in messages, as `rows.json` or `x`.
 * @throws {EasError} `invalid_request` with the line and column where it stops being JSON.
 */
export function parseJsonInput(text: string, label: string): unknown {
  const exact = text.replace(tokens, (token) => (inexact.test(token) ? `{"\\u0000":"${token}"}` : token))
  try {
    return JSON.parse(exact)
  } catch {
    throw new EasError('invalid_request', `Cannot read ${label} as JSON: ${jsonTrouble(text)}`)
  }
}

function jsonTrouble(text: string): string {
  const offset = jsonTroubleOffset(text)
  const before = text.slice(0, offset).split('\n')
  const place = `line ${before.length} column ${(before.at(-1)?.length ?? 0) + 1}`
  return `${place} has ${offset < text.length ? JSON.stringify(oneLine(text.slice(offset, offset + 20), 20)) : 'the end'}`
}

/** One element as JSON, or a .npy file, gives it. */
export type Scalar = number | bigint | boolean | string | Uint8Array

const isExact = (value: unknown): value is ExactNumber =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, '\0')

/** Whether a value is an object of inputs by name. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isExact(value)

/**
 * Nested lists as a tensor.
 *
 * @param name Of the input, for messages: `image[0][3] is "a", float32 takes numbers up to 3.4e38`.
 * @param dtype Default: by the values, `int64` for integers, `float32` for other numbers, `bool`, `string`.
 * @throws {EasError} `invalid_request` for lists of different lengths and values that the dtype does not hold.
 */
export function tensorOfJson(value: unknown, name: string, dtype?: DType): Tensor {
  const shape: number[] = []
  for (let at = value; Array.isArray(at); at = at[0]) {
    if (shape.length === limits.rank) throw cannot(name, `it is nested over ${limits.rank} lists deep`)
    shape.push(at.length)
  }
  const elements: Scalar[] = []
  let wroteFloats = false
  const path: number[] = []

  const walk = (node: unknown, depth: number): void => {
    const here = () => name + path.map((index) => `[${index}]`).join('')
    if (depth < shape.length) {
      if (!Array.isArray(node)) throw cannot(name, `${here()} is ${show(node)}, its neighbours are lists`)
      if (node.length !== shape[depth]) {
        throw cannot(name, `${here()} has ${node.length} values, its neighbours have ${shape[depth]}`)
      }
      for (const [i, child] of node.entries()) {
        path.push(i)
        walk(child, depth + 1)
        path.pop()
      }
      return
    }
    if (isExact(node)) {
      const text = node['\0']
      const isInteger = /^-?\d+$/.test(text)
      wroteFloats ||= !isInteger
      elements.push(isInteger ? BigInt(text) : Number(text))
    } else if (typeof node === 'number' || typeof node === 'boolean' || typeof node === 'string') {
      wroteFloats ||= typeof node === 'number' && !Number.isInteger(node)
      elements.push(node)
    } else {
      throw cannot(
        name,
        `${here()} is ${show(node)}, ${Array.isArray(node) ? 'its neighbours are not' : 'not a value'}`,
      )
    }
  }
  walk(value, 0)
  return tensorOf(dtype ?? inferred(elements, wroteFloats, name), shape, elements, name)
}

function inferred(elements: readonly Scalar[], wroteFloats: boolean, name: string): DType {
  const kinds = new Set(elements.map((element) => (typeof element === 'bigint' ? 'number' : typeof element)))
  if (kinds.size > 1) throw cannot(name, `it mixes ${[...kinds].join(' and ')} values`)
  const [kind] = kinds
  if (kind === 'string') return 'string'
  if (kind === 'boolean') return 'bool'
  return wroteFloats || kind === undefined ? 'float32' : 'int64'
}

/** Range of each integer dtype that fits a number. */
const ranges: { readonly [D in DType]?: readonly [number, number] } = {
  int8: [-128, 127],
  uint8: [0, 255],
  qint8: [-128, 127],
  quint8: [0, 255],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  qint16: [-32_768, 32_767],
  quint16: [0, 65_535],
  int32: [-2_147_483_648, 2_147_483_647],
  uint32: [0, 4_294_967_295],
  qint32: [-2_147_483_648, 2_147_483_647],
}
const bigRanges: { readonly [D in DType]?: readonly [bigint, bigint] } = {
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
}

/** Floats that are narrower than JavaScript's: from `beyond` on a number would be rounded to infinity. */
const floats = {
  float32: { beyond: (2 - 2 ** -24) * 2 ** 127, largest: '3.4e38', toBits: (value: number) => value },
  float16: { beyond: (2 - 2 ** -11) * 2 ** 15, largest: '65504', toBits: toHalf },
  bfloat16: { beyond: (2 - 2 ** -8) * 2 ** 127, largest: '3.39e38', toBits: toBfloat16 },
} as const

const utf8 = new TextEncoder()

/**
 * Elements as a tensor of a dtype. Numbers go to any dtype that holds them; floats are rounded, integers never are.
 * @throws {EasError} `invalid_request` with the first element that does not fit.
 */
export function tensorOf(dtype: DType, shape: readonly number[], elements: ArrayLike<Scalar>, name: string): Tensor {
  const convert = converter(dtype)
  if (!convert) throw cannot(name, `${dtype} values come from a .npy file only`)
  const fit = (value: Scalar, i: number) => {
    const converted = convert.to(value)
    if (converted === undefined) {
      throw cannot(name, `${name}${placeOf(i, shape)} is ${show(value)}, ${dtype} takes ${convert.takes}`)
    }
    return converted
  }
  if (dtype === 'string') return { dtype, shape, data: Array.from(elements, fit) as Uint8Array[] } // the converter's
  const { array } = dtypes[dtype]
  const data = new array(elements.length)
  for (let i = 0; i < elements.length; i++) data[i] = fit(elements[i] as Scalar, i) as number // i is below length
  return { dtype, shape, data } as Tensor // the array of the dtype's row, filled by its converter
}

interface Converter {
  readonly takes: string
  readonly to: (value: Scalar) => number | bigint | Uint8Array | undefined
}

function converter(dtype: DType): Converter | undefined {
  switch (dtype) {
    case 'string':
      return {
        takes: 'texts',
        to: (value) =>
          typeof value === 'string' ? utf8.encode(value) : value instanceof Uint8Array ? value : undefined,
      }
    case 'bool':
      return {
        takes: 'true and false',
        to: (value) =>
          value === true || value === 1 || value === 1n
            ? 1
            : value === false || value === 0 || value === 0n
              ? 0
              : undefined,
      }
    case 'float64':
      return { takes: 'numbers', to: toNumber }
    case 'float32':
    case 'float16':
    case 'bfloat16': {
      const { beyond, largest, toBits } = floats[dtype]
      return {
        takes: `numbers up to ${largest}`,
        to(value) {
          const number = toNumber(value)
          const isTooLarge = number !== undefined && Number.isFinite(number) && Math.abs(number) >= beyond
          return number === undefined || isTooLarge ? undefined : toBits(number)
        },
      }
    }
  }
  const range = ranges[dtype]
  if (range) {
    const [min, max] = range
    return {
      takes: `integers from ${min} to ${max}`,
      to(value) {
        const number = toNumber(value)
        return number !== undefined && Number.isInteger(number) && number >= min && number <= max ? number : undefined
      },
    }
  }
  const big = bigRanges[dtype]
  if (!big) return undefined
  const [min, max] = big
  return {
    takes: `integers from ${min} to ${max}`,
    to(value) {
      if (typeof value === 'number' ? !Number.isInteger(value) : typeof value !== 'bigint') return undefined
      const integer = BigInt(value as number | bigint) // all that the line above lets pass
      return integer >= min && integer <= max ? integer : undefined
    },
  }
}

/** What JSON writers that have no NaN put in its place. */
const spelled: { readonly [text: string]: number } = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

function toNumber(value: Scalar): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'string' && Object.hasOwn(spelled, value) ? spelled[value] : undefined
}

/** `[0][3]`, where the `i`th element stands. */
function placeOf(i: number, shape: readonly number[]): string {
  let rest = i
  let place = ''
  for (const dim of shape.toReversed()) {
    place = `[${rest % dim}]${place}`
    rest = Math.floor(rest / dim)
  }
  return place
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) return JSON.stringify(oneLine(new TextDecoder().decode(value), 40))
  if (typeof value === 'string') return JSON.stringify(oneLine(value, 40))
  if (Array.isArray(value)) return `a list ${formatShape([value.length])}`
  return isRecord(value) ? 'an object' : isExact(value) ? value['\0'] : String(value)
}

const cannot = (name: string, facts: string) =>
  new EasError('invalid_request', `Cannot use input ${oneLine(name, 80)}: ${facts}`)
