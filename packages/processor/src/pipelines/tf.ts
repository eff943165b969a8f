import { EasError, oneLine, type Tensor } from '@eas/base'
import { tfPredict } from '@eas/protocol'
import type { ModelInfo } from '../session.ts'
import { tfCarriers, widen } from './carriers.ts'
import { namedFeeds, namesOf, refusedIndex } from './feeds.ts'
import type { Pipeline } from './pipeline.ts'

/**
 * The TensorFlow processor: named inputs and outputs of one signature. An empty `signature_name` asks for the default one;
 * `output_filter` names outputs, and none means all.
 *
 * @see proto/tf_predict.proto
 */
export const tfPipeline = (configured: string): Pipeline => ({
  isMessage: tfPredict.isRequest,
  tensorsOf: (body) => tfPredict.decodeRequest(body).inputs,
  asksFor: tfPredict.decodeRequest,
  decode(body, model) {
    const { signature_name, inputs, output_filter } = tfPredict.decodeRequest(body)
    checkSignature(signature_name, model, configured)
    const feeds = namedFeeds(model, inputs, tfCarriers)
    return {
      feeds,
      fetches: fetchesOf(model, output_filter),
      refusal: (thrown) => refusedIndex(thrown, feeds),
      encode(results) {
        const outputs = new Map<string, Tensor>()
        for (const [name, tensor] of results) outputs.set(name, widen(tensor, tfCarriers))
        return tfPredict.encodeResponse({ outputs })
      },
    }
  },
})

/**
 * An ONNX model has one signature and no name for it, so it has the one that is configured. A model with several is put to the
 * one asked for when this has thrown.
 */
function checkSignature(signature_name: string, model: ModelInfo, configured: string): void {
  const { signature = configured, defaultSignature = signature } = model
  const asked = signature_name || defaultSignature
  if (asked === signature) return
  throw new EasError('invalid_request', `Unknown signature_name ${oneLine(asked)}: the model has ${oneLine(signature)}`)
}

function fetchesOf(model: ModelInfo, output_filter: readonly string[]): readonly string[] {
  const names = model.outputs.map((output) => output.name)
  if (output_filter.length === 0) {
    if (!model.mustNameOutputs) return names
    throw new EasError(
      'invalid_request',
      'Missing output_filter: a frozen graph has no signature, so a request names the nodes that it asks for',
    )
  }
  for (const name of output_filter) {
    if (!names.includes(name)) {
      throw new EasError(
        'invalid_request',
        `Unknown output ${oneLine(name)} in output_filter: the model has ${namesOf(model.outputs)}`,
      )
    }
  }
  return [...new Set(output_filter)]
}
