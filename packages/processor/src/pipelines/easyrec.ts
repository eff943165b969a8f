import type { EasError } from '@eas/base'
import { attachItems, type ItemView } from '@eas/feature-store'
import { DecodeError, type EasyrecResponse, easyrecPredict, easyrecStatus, type TorchrecResponse } from '@eas/protocol'
import { openItemsById } from './items-by-id.ts'
import type { Pipeline, PipelineContext } from './pipeline.ts'
import { type RecommenderSpec, RequestNotes, recommenderOf } from './recommender.ts'

/**
 * The EasyRec processor with `fg_mode` `normal`: TorchEasyRec's features and rows in the older message, which tells failures
 * in its own `status_code`, with HTTP's 200.
 *
 * @see proto/easyrec_predict.proto
 */
export async function easyrecPipeline(spec: RecommenderSpec, context: PipelineContext): Promise<Pipeline> {
  const recommender = await recommenderOf(spec, context)
  const notes = new RequestNotes(spec)
  const byId = spec.itemsById && openItemsById(spec.itemsById)
  let items: ItemView | undefined
  return {
    isMessage: easyrecPredict.isRequest,
    tensorsOf: (body) => recommender.begin(easyrecPredict.decodeRequest(body), undefined, items).allInputs(),
    prepare: (body) =>
      byId?.(recommender.itemIds(easyrecPredict.decodeRequest(body))).then((view) => {
        items = view
      }),
    useItems(data) {
      items = attachItems(data)
    },
    decode(body, model) {
      const request = easyrecPredict.decodeRequest(body)
      const isEmpty = request.item_ids.length === 0 && recommender.needsItems
      const recommendation = recommender.begin(request, model, items)
      const { feeds, fetches } = recommendation
      return {
        feeds,
        fetches,
        encode(results) {
          const answer = answerOf(recommendation.finish(results), fetches, recommender.isRecall)
          return easyrecPredict.encodeResponse(isEmpty ? { ...answer, ...inputEmpty } : answer)
        },
        notes: (work) => notes.of(recommendation, request.meta_data.get('request_id'), body, work),
      }
    },
    encodeFailure,
  }
}

const inputEmpty = { status_code: easyrecStatus.INPUT_EMPTY, error_msg: 'The request has no item_ids' }
const nothing: EasyrecResponse = {
  results: new Map(),
  item_features: new Map(),
  generate_features: new Map(),
  context_features: new Map(),
  error_msg: '',
  status_code: easyrecStatus.OK,
  item_ids: [],
  outputs: [],
  raw_features: new Map(),
  tf_outputs: new Map(),
}

/** What is wrong with the request or the model. That it came too late, or was no request at all, HTTP says. */
function encodeFailure(error: EasError): Uint8Array | undefined {
  const { code, message, cause } = error
  const isUnread = error instanceof DecodeError || cause instanceof DecodeError
  if (isUnread || (code !== 'invalid_request' && code !== 'internal')) return undefined
  return easyrecPredict.encodeResponse({ ...nothing, status_code: easyrecStatus.EXCEPTION, error_msg: message })
}

/**
 * Scores by item in the order of `outputs`, those of one number per item; the rest, such as class probabilities, are
 * `tf_outputs`, as PAI-Rec reads them.
 */
function answerOf(answer: TorchrecResponse, fetches: readonly string[], isRecall: boolean): EasyrecResponse {
  const { map_outputs, item_ids, generate_features, raw_features } = answer
  const names = isRecall ? ['match_item_scores'] : fetches
  const scores = names.flatMap((name) => {
    const data = map_outputs.get(name)?.data
    // What a recommender answers is of floats.
    return data && data.length === item_ids.length ? [{ name, data: data as Float32Array | Float64Array }] : []
  })
  const scored = new Set(scores.map(({ name }) => name))
  return {
    ...nothing,
    results: new Map(item_ids.map((id, i) => [id, Float64Array.from(scores, ({ data }) => data[i] ?? 0)])),
    outputs: scores.map(({ name }) => name),
    item_ids,
    generate_features,
    raw_features,
    tf_outputs: new Map([...map_outputs].filter(([name]) => !scored.has(name))),
  }
}
