import { EasError, formatShape, type Tensor } from '@eas/base'
import {
  DecodeError,
  easyrecPredict,
  type TorchrecRequest,
  tfPredict,
  torchPredict,
  torchrecPredict,
} from '@eas/protocol'
import { castCarriers, torchCarriers } from './carriers.ts'
import type { Pipeline, PipelineContext } from './pipeline.ts'
import type { RecommenderSpec } from './recommender.ts'
import { tfPipeline } from './tf.ts'
import { torchPipeline, torchTensors } from './torch.ts'

/** How a service reads its requests, as plain data that can cross to another thread. */
export type PipelineSpec =
  /** `casts`: numbers are cast to what the model takes, as TorchEasyRec's models do for themselves. */
  | { readonly kind: 'torch'; readonly outputs: readonly string[]; readonly casts: boolean }
  | { readonly kind: 'tf'; readonly signature_name: string }
  | RecommenderSpec

/** What clients may send to a service of another kind, by the SDK class that makes it. */
const messages = [
  { name: 'TorchRequest', isRequest: torchPredict.isRequest },
  { name: 'TFRequest', isRequest: tfPredict.isRequest },
  { name: 'TorchRecRequest', isRequest: torchrecPredict.isRequest },
  { name: 'EasyRecRequest', isRequest: easyrecPredict.isRequest },
] as const

const expected = {
  torch: 'TorchRequest',
  tf: 'TFRequest',
  torcheasyrec: 'TorchRecRequest',
  easyrec: 'EasyRecRequest',
} as const

/** @throws {EasError} `not_ready` when what the family needs beside the model is not there. */
export async function createPipeline(spec: PipelineSpec, context: PipelineContext): Promise<Pipeline> {
  const pipeline = await pipelineOf(spec, context)
  return {
    ...pipeline,
    decode(body, model) {
      try {
        return pipeline.decode(body, model)
      } catch (thrown) {
        if (!(thrown instanceof DecodeError)) throw thrown
        // The same bytes may be a request of several families.
        const sent = messages.filter((message) => message.isRequest(body)).map(({ name }) => name)
        const [other] = sent
        if (!other || sent.includes(expected[spec.kind])) throw thrown
        const hint = `it looks like a ${other}, and this service takes a ${expected[spec.kind]}`
        throw new EasError('invalid_request', `${thrown.message}; ${hint}`, { cause: thrown })
      }
    },
  }
}

async function pipelineOf(spec: PipelineSpec, context: PipelineContext): Promise<Pipeline> {
  switch (spec.kind) {
    case 'torch':
      return torchPipeline(spec.outputs, spec.casts ? castCarriers : torchCarriers)
    case 'tf':
      return tfPipeline(spec.signature_name)
    case 'torcheasyrec': {
      const { torcheasyrecPipeline } = await import('./torcheasyrec.ts')
      return torcheasyrecPipeline(spec, context)
    }
    case 'easyrec': {
      const { easyrecPipeline } = await import('./easyrec.ts')
      return easyrecPipeline(spec, context)
    }
  }
}

/** What a model sees of a request before its values: equal for requests that warm the same. */
export function shapeOf(kind: PipelineSpec['kind'], body: Uint8Array): string {
  try {
    return shapes[kind](body)
  } catch {
    return `${body.length} bytes` // a compressed one
  }
}

const shapes: { readonly [K in PipelineSpec['kind']]: (body: Uint8Array) => string } = {
  torch: (body) => shapeOfTensors(torchTensors(body)),
  tf: (body) => shapeOfTensors(tfPredict.decodeRequest(body).inputs),
  torcheasyrec: (body) => shapeOfFeatures(torchrecPredict.decodeRequest(body)),
  easyrec: (body) => shapeOfFeatures(easyrecPredict.decodeRequest(body)),
}

const shapeOfTensors = (tensors: ReadonlyMap<string | number, Tensor>) =>
  [...tensors].map(([name, { dtype, shape }]) => `${name} ${dtype}${formatShape(shape)}`).join()

/** How many items there are, and which features. */
const shapeOfFeatures = (request: TorchrecRequest) =>
  [
    request.item_ids.length,
    ...[...request.user_features].map(([name, { kind }]) => `${name} ${kind}`).sort(),
    ...[...request.context_features.keys()].sort(),
  ].join()

export type { Pipeline, PipelineContext, PredictCall } from './pipeline.ts'
