import type { DType } from '@eas/base'
import type { Message } from '@eas/onnx'
import { dataTypeName, dtypeOf } from './dtype.ts'
import { toShape } from './graph-def.ts'

/** An input or output of a signature. */
export interface SignatureTensor {
  /** Reference to the tensor in the graph. */
  readonly tensor: string
  readonly dtype: DType
  /** `DT_FLOAT` and so on. */
  readonly type: string
  /** Sizes, -1 where they are free; absent when even the rank is unknown. */
  readonly shape: readonly number[] | undefined
}

export interface Signature {
  readonly name: string
  /** `tensorflow/serving/predict` and so on. */
  readonly method: string
  /** By alias, in order of name. */
  readonly inputs: ReadonlyMap<string, SignatureTensor>
  readonly outputs: ReadonlyMap<string, SignatureTensor>
}

/** Signatures that are not there to be called. */
const isInternal = (name: string): boolean => name.startsWith('__saved_model')

/** The signatures of a MetaGraph that have outputs, in order of name. */
export function toSignatures(entries: readonly Message[]): Map<string, Signature> {
  const signatures = entries
    .filter(({ key, value }) => !isInternal(key ?? '') && value?.outputs.length > 0)
    .map(
      ({ key: name = '', value }): Signature => ({
        name,
        method: value.method_name ?? '',
        inputs: toTensors(value.inputs),
        outputs: toTensors(value.outputs),
      }),
    )
  return new Map(signatures.sort((a, b) => (a.name < b.name ? -1 : 1)).map((s) => [s.name, s]))
}

function toTensors(entries: readonly Message[]): Map<string, SignatureTensor> {
  const tensors = entries.map(({ key = '', value = {} }: Message) => [key as string, toTensor(value)] as const) // keys are strings
  return new Map(tensors.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function toTensor(info: Message): SignatureTensor {
  const code: number = info.dtype ?? 0
  return {
    tensor: info.name ?? '',
    dtype: dtypeOf(code) ?? 'float32',
    type: dataTypeName(code),
    shape: info.tensor_shape ? toShape(info.tensor_shape) : [],
  }
}

/** `serving_default`, else the only one, else the first by name. */
export const defaultSignature = (signatures: ReadonlyMap<string, Signature>): string | undefined =>
  signatures.has('serving_default') ? 'serving_default' : signatures.keys().next().value

/** A signature as requests meet it: bfloat16 travels as floats, and ONNX Runtime takes it as nothing else. */
export function asRequested(signature: Signature): Signature {
  const floats = (tensors: ReadonlyMap<string, SignatureTensor>): Map<string, SignatureTensor> =>
    new Map([...tensors].map(([name, t]) => [name, t.dtype === 'bfloat16' ? { ...t, dtype: 'float32' } : t]))
  return { ...signature, inputs: floats(signature.inputs), outputs: floats(signature.outputs) }
}

/** What the TensorFlow processor answers an empty request with. @see EAS, "TensorFlow processor", step 2 */
export interface SignatureDescription {
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[]; readonly type: string }[]
  readonly outputs: readonly { readonly name: string; readonly shape: readonly number[]; readonly type: string }[]
  readonly signature_name: string
}

export function describeSignature({ name, inputs, outputs }: Signature): SignatureDescription {
  const describe = (tensors: ReadonlyMap<string, SignatureTensor>) =>
    [...tensors].map(([alias, { shape, type }]) => ({ name: alias, shape: shape ?? [], type }))
  return { inputs: describe(inputs), outputs: describe(outputs), signature_name: name }
}
