import { EasError, oneLine, type Tensor } from '@eas/base'
import { tfPredict, torchPredict } from '@eas/protocol'
import type { Signature } from './signature.ts'

/** What a request asks for beside its inputs. */
interface PredictAsk {
  /** In the order of the signature. */
  readonly inputs: ReadonlyMap<string, Tensor>
  /** As given: names, or indexes. Empty for all. */
  readonly output_filter: readonly string[]
  readonly signature_name: string | undefined
  readonly debug_level: number
}

interface MessageKind {
  encode(ask: PredictAsk, signature: Signature | undefined): Uint8Array
  /** The outputs by name; by `outputs[0]` where the message has none and `signature` is not known. */
  decode(body: Uint8Array, output_filter: readonly string[], signature: Signature | undefined): Map<string, Tensor>
}

/** The messages of the processors whose inputs are tensors. */
export const messageKinds = {
  /** PyTorch, by position. */
  torch: {
    encode: ({ inputs, output_filter, debug_level }, signature) =>
      torchPredict.encodeRequest({
        inputs: [...inputs.values()].map(carried),
        output_filter: torchFilter(output_filter, inputs.size, signature),
        map_inputs: new Map(),
        debug_level,
      }),
    decode: decodeTorch,
  },
  /** PyTorch, by name. */
  'torch-map': {
    encode: ({ inputs, output_filter, debug_level }, signature) =>
      torchPredict.encodeRequest({
        inputs: [],
        output_filter: torchFilter(output_filter, inputs.size, signature),
        map_inputs: carriedMap(inputs),
        debug_level,
      }),
    decode: decodeTorch,
  },
  tf: {
    encode: ({ inputs, output_filter, signature_name }, signature) =>
      tfPredict.encodeRequest({
        signature_name: signature_name ?? signature?.signature_name ?? '',
        inputs: carriedMap(inputs),
        output_filter: output_filter.map((filter) => outputName(filter, signature)),
      }),
    decode: (body) => new Map(tfPredict.decodeResponse(body).outputs),
  },
} as const satisfies Record<string, MessageKind>

export type MessageName = keyof typeof messageKinds

/** Which message recorded bytes are; `undefined` when they are none of these to the letter. */
export function recogniseRequest(bytes: Uint8Array): MessageName | undefined {
  const isTf = tfPredict.isRequest(bytes)
  if (!torchPredict.isRequest(bytes)) return isTf ? 'tf' : undefined
  // Inputs of a TensorFlow request are often, to the letter, indexes in the output_filter of one that has no inputs.
  return isTf && !hasTorchInputs(bytes) ? 'tf' : 'torch'
}

function hasTorchInputs(bytes: Uint8Array): boolean {
  try {
    const { inputs, map_inputs } = torchPredict.decodeRequest(bytes)
    return inputs.length + map_inputs.size > 0
  } catch {
    return true // it is about a tensor that there is something to complain
  }
}

function decodeTorch(body: Uint8Array, filter: readonly string[], signature: Signature | undefined) {
  const { outputs, map_outputs } = torchPredict.decodeResponse(body)
  const indexes = filter.length > 0 ? outputIndexes(filter, signature) : [...outputs.keys()]
  const named = new Map<string, Tensor>()
  // Answered in the order of the filter, numbered from 0.
  for (const [i, tensor] of outputs.entries()) {
    const index = indexes[i] ?? i
    const name = signature?.outputs[index]?.name
    named.set(name === undefined || named.has(name) ? `outputs[${index}]` : name, tensor)
  }
  for (const [name, tensor] of map_outputs) named.set(name, tensor)
  return named
}

function outputIndexes(filter: readonly string[], signature: Signature | undefined): number[] {
  return filter.map((wanted) => {
    const index = signature?.outputs.findIndex(({ name }) => name === wanted) ?? -1
    if (index >= 0) return index
    if (/^\d{1,9}$/.test(wanted) && (!signature || Number(wanted) < signature.outputs.length)) return Number(wanted)
    throw unknownOutput(wanted, signature)
  })
}

/** All indexes to a model without inputs: a message with nothing in it would ask for the signature. */
function torchFilter(filter: readonly string[], inputCount: number, signature: Signature | undefined): number[] {
  if (filter.length > 0 || inputCount > 0) return outputIndexes(filter, signature)
  return [...(signature?.outputs.keys() ?? [])]
}

function outputName(wanted: string, signature: Signature | undefined): string {
  if (!signature || signature.outputs.some(({ name }) => name === wanted)) return wanted
  const byIndex = /^\d{1,9}$/.test(wanted) ? signature.outputs[Number(wanted)] : undefined
  if (byIndex) return byIndex.name
  throw unknownOutput(wanted, signature)
}

function unknownOutput(wanted: string, signature: Signature | undefined) {
  const known = signature?.outputs.map(({ name }, i) => `${i} ${oneLine(name, 80)}`).slice(0, 20)
  const facts = known ? `the service gives ${known.join(', ')}` : 'without the signature only indexes can be sent'
  return new EasError('invalid_request', `Unknown output ${oneLine(wanted, 80)}: ${facts}`)
}

/** uint32 and uint64 have no number in an EAS message: a service that takes them gets them as int64. */
function carried(tensor: Tensor): Tensor {
  const { shape } = tensor
  if (tensor.dtype === 'uint32') return { dtype: 'int64', shape, data: BigInt64Array.from(tensor.data, BigInt) }
  if (tensor.dtype === 'uint64') return { dtype: 'int64', shape, data: new BigInt64Array(tensor.data) }
  return tensor
}

const carriedMap = (inputs: ReadonlyMap<string, Tensor>) =>
  new Map([...inputs].map(([name, tensor]) => [name, carried(tensor)]))
