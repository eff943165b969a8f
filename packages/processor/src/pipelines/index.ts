import { EasError } from '@eas/base'
import { DecodeError, easyrecPredict, tfPredict, torchPredict, torchrecPredict } from '@eas/protocol'
import type { Pipeline } from './pipeline.ts'
import { tfPipeline } from './tf.ts'
import { torchPipeline } from './torch.ts'

/** How a service reads its requests, as plain data that can cross to another thread. */
export type PipelineSpec =
  | { readonly kind: 'torch'; readonly outputs: readonly string[] }
  | { readonly kind: 'tf'; readonly signature_name: string }

/** What clients may send to a service of another kind, by the SDK class that makes it. */
const messages = [
  { name: 'TorchRequest', isRequest: torchPredict.isRequest },
  { name: 'TFRequest', isRequest: tfPredict.isRequest },
  { name: 'TorchRecRequest', isRequest: torchrecPredict.isRequest },
  { name: 'EasyRecRequest', isRequest: easyrecPredict.isRequest },
] as const

const expected = { torch: 'TorchRequest', tf: 'TFRequest' } as const

export function createPipeline(spec: PipelineSpec): Pipeline {
  const pipeline = spec.kind === 'torch' ? torchPipeline(spec.outputs) : tfPipeline(spec.signature_name)
  return {
    isMessage: pipeline.isMessage,
    decode(body, model) {
      try {
        return pipeline.decode(body, model)
      } catch (thrown) {
        if (!(thrown instanceof DecodeError)) throw thrown
        const sent = messages.find((message) => message.isRequest(body))
        if (!sent || sent.name === expected[spec.kind]) throw thrown
        const hint = `it looks like a ${sent.name}, and this service takes a ${expected[spec.kind]}`
        throw new EasError('invalid_request', `${thrown.message}; ${hint}`, { cause: thrown })
      }
    },
  }
}

export type { Pipeline, PredictCall } from './pipeline.ts'
