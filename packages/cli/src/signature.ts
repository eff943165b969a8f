import { type DType, EasError, formatShape, oneLine, type Tensor } from '@eas/base'
import { tfDataTypes } from '@eas/protocol'
import { isRecord } from './json-input.ts'

/** One input or output of a service, as its GET describes it. */
export interface SignatureValue {
  readonly name: string
  /** `undefined` for a type that no document names. */
  readonly dtype: DType | undefined
  /** Free dimensions are -1. Empty for a scalar, and where the model does not say. */
  readonly shape: readonly number[]
}

export interface Signature {
  readonly inputs: readonly SignatureValue[]
  readonly outputs: readonly SignatureValue[]
  readonly signature_name: string
}

/** Types that `ArrayDataType` has no number for, though TensorFlow has a name. */
const unnumbered: { readonly [name: string]: DType } = { DT_UINT32: 'uint32', DT_UINT64: 'uint64' }

/**
 * What GET on a service answers.
 * @throws {EasError} `invalid_request` when that is something else.
 * @see Alibaba Cloud help, "TensorFlow processor", "Query the model structure"
 */
export function parseSignature(text: string, url: string): Signature {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  if (!isRecord(json) || !Array.isArray(json.inputs) || !Array.isArray(json.outputs)) {
    throw new EasError(
      'invalid_request',
      `Cannot read the signature that GET ${url} answers: got ${JSON.stringify(oneLine(text, 60))}; --no-signature goes without`,
    )
  }
  return {
    inputs: json.inputs.map(readValue),
    outputs: json.outputs.map(readValue),
    signature_name: typeof json.signature_name === 'string' ? json.signature_name : '',
  }
}

function readValue(json: unknown): SignatureValue {
  const { name, shape, type } = isRecord(json) ? json : {}
  const typeName = typeof type === 'string' ? type : ''
  return {
    name: typeof name === 'string' ? name : '',
    dtype:
      tfDataTypes.byName(typeName)?.dtype ?? (Object.hasOwn(unnumbered, typeName) ? unnumbered[typeName] : undefined),
    shape: Array.isArray(shape) ? shape.map(Number) : [],
  }
}

/** `image float32 [?,64]`. */
export function formatSignatureValue({ name, dtype, shape }: SignatureValue): string {
  const dims = shape.length > 0 ? ` ${formatShape(shape.map((dim) => (dim < 0 ? '?' : dim)))}` : ''
  return `${oneLine(name, 80)} ${dtype ?? 'of an unknown type'}${dims}`
}

/** @throws {EasError} `invalid_request` when the rank or a fixed dimension is another. */
export function checkShape(value: SignatureValue, { shape }: Tensor): void {
  const wanted = value.shape
  // A signature has the same empty shape for a scalar and for "unknown".
  if (wanted.length === 0) return
  const fits = wanted.length === shape.length && wanted.every((dim, i) => dim < 0 || dim === shape[i])
  if (fits) return
  const isOneRow = wanted.length === shape.length + 1 && wanted.slice(1).every((dim, i) => dim < 0 || dim === shape[i])
  const hint = isOneRow ? '; it lacks the first axis, of rows' : ''
  throw new EasError(
    'invalid_request',
    `Cannot use input ${oneLine(value.name, 80)}: the service takes ${formatSignatureValue(value)}, got ${formatShape(shape)}${hint}`,
  )
}
