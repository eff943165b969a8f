import { type DType, dtypes, EasError, type NumericDType, sizeOf, type Tensor } from '@eas/base'
import { hostOps } from './index.ts'
import type { HostAttrs, Prologue, PrologueStep } from './program.ts'

/** A prologue as text, to be stored beside the ONNX file it feeds. */

/** Of the format; another is not read. */
const version = 1

/** Levels of lists within an attribute: a list of shapes is two. */
const maxAttrDepth = 3

interface PackedTensor {
  readonly dtype: DType
  readonly shape: readonly number[]
  /** Base64 of the elements, little-endian. */
  readonly data?: string
  /** Base64 of each string. */
  readonly strings?: readonly string[]
}

export function prologueToJson({ inputs, constants, steps, outputs, passed }: Prologue): string {
  const packed = constants.map(({ value, tensor }) => ({ value, tensor: pack(tensor) }))
  return JSON.stringify({ version, inputs, constants: packed, steps, outputs, passed })
}

/** @throws {EasError} `not_ready` when the text is not what `prologueToJson` wrote. */
export function prologueFromJson(text: string): Prologue {
  try {
    const json: unknown = JSON.parse(text)
    const fields = record(json)
    if (fields.version !== version) throw new TypeError(`version ${String(fields.version)}`)
    return {
      inputs: list(fields.inputs, ({ name, value }) => ({ name: string(name), value: index(value) })),
      constants: list(fields.constants, ({ value, tensor }) => ({
        value: index(value),
        tensor: unpack(record(tensor)),
      })),
      steps: list(fields.steps, step),
      outputs: list(fields.outputs, ({ name, value, dtype }) => ({
        name: string(name),
        value: index(value),
        dtype: dtypeIn(dtype),
      })),
      passed: array(fields.passed).map(string),
    }
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause)
    throw new EasError('not_ready', `Cannot read the prologue: ${what}`, { cause })
  }
}

function step({ op, attrs, inputs, outputs }: Fields): PrologueStep {
  const name = string(op)
  if (!Object.hasOwn(hostOps, name)) throw new TypeError(`there is no operator ${name}`)
  return {
    op: name,
    attrs: attributes(record(attrs)),
    inputs: array(inputs).map(index),
    outputs: array(outputs).map(index),
  }
}

function attributes(fields: Fields): HostAttrs {
  for (const value of Object.values(fields)) attribute(value, 0)
  return fields as HostAttrs // checked just now
}

function attribute(value: unknown, depth: number): void {
  if (Array.isArray(value) && depth < maxAttrDepth) for (const item of value) attribute(item, depth + 1)
  else if (!['number', 'string', 'boolean'].includes(typeof value))
    throw new TypeError('an attribute is no plain value')
}

function pack(tensor: Tensor): PackedTensor {
  const { dtype, shape } = tensor
  if (tensor.dtype === 'string') return { dtype, shape, strings: tensor.data.map((s) => base64(s)) }
  const { buffer, byteOffset, byteLength } = tensor.data
  return { dtype, shape, data: base64(new Uint8Array(buffer, byteOffset, byteLength)) }
}

function unpack({ dtype: name, shape: sizes, data, strings }: Fields): Tensor {
  const dtype = dtypeIn(name)
  const shape = array(sizes).map(index)
  const count = sizeOf(shape) ?? Number.NaN
  if (dtype === 'string') {
    const words = array(strings).map((s) => new Uint8Array(Buffer.from(string(s), 'base64')))
    if (words.length !== count) throw new TypeError(`a constant of shape [${shape}] has ${words.length} strings`)
    return { dtype, shape, data: words }
  }
  const bytes = new Uint8Array(Buffer.from(string(data), 'base64')) // a copy, so that it is aligned
  const { array: Elements } = dtypes[dtype as NumericDType] // every dtype but string is one
  if (bytes.length !== count * Elements.BYTES_PER_ELEMENT && !isPaired(dtype))
    throw new TypeError(`a constant of shape [${shape}] has ${bytes.length} bytes`)
  return { dtype, shape, data: new Elements(bytes.buffer) } as Tensor // the array of the dtype's own row
}

const isPaired = (dtype: DType): boolean => dtype.startsWith('complex')
const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

type Fields = Readonly<Record<string, unknown>>

function record(value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields // looked at just now
  throw new TypeError('an object is missing')
}

function array(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new TypeError('a list is missing')
}

const list = <T>(value: unknown, read: (fields: Fields) => T): T[] => array(value).map((item) => read(record(item)))

function string(value: unknown): string {
  if (typeof value === 'string') return value
  throw new TypeError('a string is missing')
}

function index(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new TypeError('a number is missing')
}

function dtypeIn(value: unknown): DType {
  const name = string(value)
  if (name === 'string' || Object.hasOwn(dtypes, name)) return name as DType // looked at just now
  throw new TypeError(`there is no element type ${name}`)
}
