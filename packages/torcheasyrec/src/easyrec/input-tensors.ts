import { EasError, oneLine, type Tensor } from '@eas/base'
import type { FeatureTexts } from './feature-texts.ts'

/** What a list is filled up with, by the types that fields have beside texts. */
const fillers = { int32: -1, int64: -1, float32: 0, float64: 0 } as const
export type NumberType = keyof typeof fillers
export const isNumberType = (dtype: string): dtype is NumberType => Object.hasOwn(fillers, dtype)

/** Elements of a list for all items; those of a published model of 150 items come to some thousands. */
const elementsMax = 16_777_216

/** `[rows]`; one text stands for all rows. */
export function textTensor(texts: readonly string[], rows: number): Tensor {
  const data = texts.map((text) => Buffer.from(text))
  return { dtype: 'string', shape: [rows], data: texts.length === rows ? data : repeated(data, rows) }
}

/**
 * `[rows]`; one text stands for all rows.
 * @throws {EasError} `invalid_request` for a text that is not one number.
 */
export function numberTensor(name: string, texts: readonly string[], dtype: NumberType, rows: number): Tensor {
  const numbers = texts.map((text) => numberOf(name, text))
  return tensors[dtype](name, [rows], texts.length === rows ? numbers : repeated(numbers, rows))
}

/**
 * `[rows, values]`, as wide as the longest list: EasyRec's placeholders of several values. Shorter ones are filled with
 * what TensorFlow's feature columns drop, `''` and -1.
 * @throws {EasError} `invalid_request` for a text that is not one number.
 */
export function listTensor(
  name: string,
  texts: FeatureTexts | undefined,
  dtype: NumberType | 'string',
  rows: number,
): Tensor {
  const lists = Array.from({ length: texts?.rows ?? 1 }, (_, row) => texts?.values(row) ?? [])
  const width = lists.reduce((longest, { length }) => Math.max(longest, length), 1)
  if (rows * width > elementsMax) {
    throw new EasError(
      'invalid_request',
      `Cannot use ${oneLine(name, 100)}: ${rows} items with up to ${width} values are too many`,
    )
  }
  const filled = <T>(own: readonly (readonly T[])[], filler: T): T[] =>
    (own.length === rows ? own : repeated(own, rows)).flatMap((list) => [
      ...list,
      ...repeated([filler], width - list.length),
    ])
  if (dtype === 'string') {
    const bytes = lists.map((list) => list.map((text) => Buffer.from(text)))
    return { dtype, shape: [rows, width], data: filled(bytes, Buffer.alloc(0)) }
  }
  const numbers = lists.map((list) => list.map((text) => numberOf(name, text)))
  return tensors[dtype](name, [rows, width], filled<number | bigint>(numbers, fillers[dtype]))
}

function numberOf(name: string, text: string): number | bigint {
  if (/^[+-]?\d+$/.test(text)) return BigInt(text)
  const number = Number(text)
  if (text.trim() !== '' && !Number.isNaN(number)) return number
  throw new EasError('invalid_request', `Cannot use ${oneLine(name, 100)}: ${quoted(text)} is no number`)
}

/** Fractions are cut off where the field is of whole numbers, as EasyRec's readers do. */
function wholeOf(name: string, value: number | bigint, bits: 32 | 64): bigint {
  const whole = typeof value === 'bigint' ? value : Number.isFinite(value) ? BigInt(Math.trunc(value)) : undefined
  if (whole !== undefined && BigInt.asIntN(bits, whole) === whole) return whole
  throw new EasError('invalid_request', `Cannot use ${oneLine(name, 100)}: ${value} is outside of int${bits}`)
}

const quoted = (text: string) => oneLine(JSON.stringify(text), 100)

const tensors: {
  readonly [T in NumberType]: (name: string, shape: readonly number[], values: readonly (number | bigint)[]) => Tensor
} = {
  int32: (name, shape, values) => ({
    dtype: 'int32',
    shape,
    data: Int32Array.from(values, (value) => Number(wholeOf(name, value, 32))),
  }),
  int64: (name, shape, values) => ({
    dtype: 'int64',
    shape,
    data: BigInt64Array.from(values, (value) => wholeOf(name, value, 64)),
  }),
  float32: (_, shape, values) => ({ dtype: 'float32', shape, data: Float32Array.from(values, Number) }),
  float64: (_, shape, values) => ({ dtype: 'float64', shape, data: Float64Array.from(values, Number) }),
}

const repeated = <T>(values: readonly T[], times: number): T[] =>
  Array.from({ length: times * values.length }, (_, i) => values[i % values.length] as T) // within the array
