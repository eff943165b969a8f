import { dtypes, EasError, limits, oneLine, type Tensor } from '@eas/base'
import { isRecord, parseJsonInput, type Scalar, tensorOf, tensorOfJson } from './json-input.ts'
import { isNpy, readNpy } from './npy.ts'
import { readBounded, toText } from './read-file.ts'
import { checkShape, formatSignatureValue, type Signature, type SignatureValue } from './signature.ts'
import { elementOf } from './tensor-text.ts'

/** An input as it was given, before anything is known of what the service takes. */
export interface GivenInput {
  /** `undefined` for a value that came without: it is then the only input. */
  readonly name: string | undefined
  readonly value: { readonly tensor: Tensor } | { readonly json: unknown }
}

/**
 * The arguments `name=file.npy`, `name=file.json`, `name=[[1,2]]`, and files or JSON without a name, which hold all
 * inputs by name or are the only one.
 */
export async function readInputs(args: readonly string[]): Promise<readonly GivenInput[]> {
  const given = (await Promise.all(args.map(readArgument))).flat()
  const seen = new Set<string | undefined>()
  for (const { name } of given) {
    if (seen.has(name)) {
      throw new EasError(
        'invalid_request',
        name === undefined ? 'Two inputs have no name' : `Input ${name} is there twice`,
      )
    }
    seen.add(name)
  }
  return given
}

async function readArgument(argument: string): Promise<readonly GivenInput[]> {
  const equals = looksLikeJson(argument) ? -1 : argument.indexOf('=')
  const name = equals < 0 ? undefined : argument.slice(0, equals)
  if (name === '') throw new EasError('invalid_request', `Cannot use ${argument}: no name stands before the =`)
  const value = argument.slice(equals + 1)
  const label = name ?? 'the input'

  if (looksLikeJson(value)) return named(name, parseJsonInput(value, label))
  const bytes = await readBounded(value, limits.inflatedBytes).catch((error: unknown) => {
    const isMissing = error instanceof EasError && error.code === 'not_found'
    if (!isMissing || /[./\\]/.test(value)) throw error
    const text = name === undefined ? '' : `; a text is written ${name}='"${value}"'`
    throw new EasError('not_found', `${error.message}${text}`, { cause: error })
  })
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
    const facts = 'it is an archive, as .npz is; give each array as a .npy file of its own'
    throw new EasError('invalid_request', `Cannot read ${value}: ${facts}`)
  }
  if (isNpy(bytes)) return [{ name, value: { tensor: readNpy(bytes, value) } }]
  if (/\.npy$/i.test(value))
    throw new EasError('invalid_request', `Cannot read ${value}: it does not begin as a .npy file`)
  if (bytes.length > limits.inputJsonBytes) {
    throw new EasError('too_large', `Cannot read ${value}: a JSON file of this size is better kept as .npy`)
  }
  return named(name, parseJsonInput(toText(bytes, value), value))
}

/** Whether an argument is a value itself, not a file: a list, an object, a quoted text, a number or a word of JSON. */
const looksLikeJson = (text: string) =>
  /^\s*(?:[[{"]|(?:-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|NaN)\s*$)/.test(text)

function named(name: string | undefined, json: unknown): readonly GivenInput[] {
  if (name === undefined && isRecord(json)) {
    return Object.entries(json).map(([key, item]) => ({ name: key, value: { json: item } }))
  }
  return [{ name, value: { json } }]
}

/** Tensors by name, in the order of the signature, or as given where there is none. */
export function matchInputs(given: readonly GivenInput[], signature: Signature | undefined): Map<string, Tensor> {
  if (!signature) return new Map(given.map((input, i) => [input.name ?? `inputs[${i}]`, plainTensor(input)]))
  const { inputs } = signature
  const byName = new Map(given.map((input) => [nameOf(input, inputs), input]))
  const unknown = [...byName.keys()].find((name) => !inputs.some((input) => input.name === name))
  if (unknown !== undefined) {
    throw new EasError('invalid_request', `Unknown input ${oneLine(unknown, 80)}: the service takes ${listOf(inputs)}`)
  }
  const missing = inputs.filter(({ name }) => !byName.has(name))
  if (missing.length > 0) throw new EasError('invalid_request', `Missing input ${listOf(missing)}`)
  return new Map(inputs.map((input) => [input.name, fitted(byName.get(input.name) as GivenInput, input)])) // none is missing
}

function nameOf({ name }: GivenInput, inputs: readonly SignatureValue[]): string {
  const [only] = inputs
  if (name !== undefined) return name
  if (only && inputs.length === 1) return only.name
  throw new EasError('invalid_request', `An input has no name: the service takes ${listOf(inputs)}`)
}

export const listOf = (values: readonly SignatureValue[]) => {
  const shown = values.slice(0, 20).map(formatSignatureValue)
  return shown.join('; ') + (values.length > shown.length ? `; … (${values.length} in all)` : '')
}

const plainTensor = ({ name = 'the input', value }: GivenInput) =>
  'tensor' in value ? value.tensor : tensorOfJson(value.json, name)

/** The input in the dtype and shape that the service takes. */
function fitted({ value }: GivenInput, target: SignatureValue): Tensor {
  const { name, dtype } = target
  const tensor =
    'json' in value
      ? tensorOfJson(value.json, name, dtype)
      : dtype === undefined || dtype === value.tensor.dtype
        ? value.tensor
        : converted(value.tensor, dtype, name)
  checkShape(target, tensor)
  return tensor
}

/** NumPy makes float64 and int64 of what has no dtype; what the service's dtype holds is converted, what not is refused. */
function converted(tensor: Tensor, dtype: Tensor['dtype'], name: string): Tensor {
  const isText = tensor.dtype === 'string'
  if (isText !== (dtype === 'string') || (!isText && dtypes[tensor.dtype].perElement === 2)) {
    throw new EasError('invalid_request', `Cannot use input ${name}: the service takes ${dtype}, got ${tensor.dtype}`)
  }
  const elements: Scalar[] = []
  for (let i = 0; i < tensor.data.length; i++) {
    const element = elementOf(tensor, i)
    elements.push(typeof element === 'boolean' ? Number(element) : element)
  }
  return tensorOf(dtype, tensor.shape, elements, name)
}
