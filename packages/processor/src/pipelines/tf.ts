import { EasError, oneLine, type Tensor } from '@eas/base'
import { tfPredict } from '@eas/protocol'
import type { ModelInfo } from '../session.ts'
import { tfCarriers, widen } from './carriers.ts'
import { namedFeeds, namesOf } from './feeds.ts'
import type { Pipeline } from './pipeline.ts'

/**
 * The TensorFlow processor: named inputs and outputs of one signature. An empty `signature_name` asks for the default one;
 * `output_filter` names outputs, and none means all.
 *
 * @see proto/tf_predict.proto
 */
export const tfPipeline = (signatureName: string): Pipeline => ({
  isMessage: tfPredict.isRequest,
  tensorsOf: (body) => tfPredict.decodeRequest(body).inputs,
  decode(body, model) {
    const { signature_name, inputs, output_filter } = tfPredict.decodeRequest(body)
    if (signature_name !== '' && signature_name !== signatureName) {
      throw new EasError(
        'invalid_request',
        `Unknown signature_name ${oneLine(signature_name)}: the model has ${signatureName}`,
      )
    }
    return {
      feeds: namedFeeds(model, inputs, tfCarriers),
      fetches: fetchesOf(model, output_filter),
      encode(results) {
        const outputs = new Map<string, Tensor>()
        for (const [name, tensor] of results) outputs.set(name, widen(tensor, tfCarriers))
        return tfPredict.encodeResponse({ outputs })
      },
    }
  },
})

function fetchesOf(model: ModelInfo, output_filter: readonly string[]): readonly string[] {
  const names = model.outputs.map((output) => output.name)
  if (output_filter.length === 0) return names
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
