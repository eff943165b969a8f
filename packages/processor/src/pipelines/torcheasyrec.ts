import { attachItems, type ItemView } from '@eas/feature-store'
import { torchrecPredict } from '@eas/protocol'
import { openItemsById } from './items-by-id.ts'
import type { Pipeline, PipelineContext } from './pipeline.ts'
import { type RecommenderSpec, RequestNotes, recommenderOf } from './recommender.ts'

/**
 * The TorchEasyRec processor with `fg_mode` `normal`: a user, a context and item ids, answered with a score per item or
 * with the items recalled.
 *
 * @see proto/torchrec_predict.proto
 */
export async function torcheasyrecPipeline(spec: RecommenderSpec, context: PipelineContext): Promise<Pipeline> {
  const recommender = await recommenderOf(spec, context)
  const notes = new RequestNotes(spec)
  const byId = spec.itemsById && openItemsById(spec.itemsById)
  let items: ItemView | undefined
  return {
    isMessage: torchrecPredict.isRequest,
    // A model of which nothing is known takes every tensor there is.
    tensorsOf: (body) => recommender.begin(torchrecPredict.decodeRequest(body), undefined, items).allInputs(),
    prepare: (body) =>
      byId?.(recommender.itemIds(torchrecPredict.decodeRequest(body))).then((view) => {
        items = view
      }),
    useItems(data) {
      items = attachItems(data)
    },
    decode(body, model) {
      const request = torchrecPredict.decodeRequest(body)
      const recommendation = recommender.begin(request, model, items)
      const { feeds, fetches } = recommendation
      return {
        feeds,
        fetches,
        encode: (results) => torchrecPredict.encodeResponse(recommendation.finish(results)),
        notes: (work) => notes.of(recommendation, request.meta_data.get('request_id'), body, work),
      }
    },
  }
}
