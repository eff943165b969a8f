import { EasError, oneLine, type Tensor } from '@eas/base'
import { type ItemView, requestItems } from '@eas/feature-store'
import { type FgRequest, fgRequest, type Generated, type ItemTable } from '@eas/fg'
import type { PBLogData, TorchrecRequest, TorchrecResponse } from '@eas/protocol'
import { checkRequest } from './check-request.ts'
import { type DebugLevel, debugLevelOf } from './debug-level.ts'
import { embeddingInputs } from './embedding/lookup.ts'
import { feedsOf } from './feeds.ts'
import { unknownItems } from './item-rows.ts'
import { missingInputs } from './missing.ts'
import type { ModelIo } from './model-io.ts'
import { markUnknown, rowPerItem, scoresOf } from './outputs.ts'
import type { RecommenderParts } from './recommender.ts'

/** Of match models: the output that items are recalled by. `@see` tzrec/models/match_model.py */
const userEmbedding = 'user_tower_emb'

/** An output for the trainer's own use: how many candidates each user has. `@see` tzrec/constant.py */
const candidateCount = '__TARGET_REPEAT_INTERLEAVE_KEY__'

/** One request between its features and its answer. */
export class Recommendation {
  readonly level: DebugLevel
  /** Every tensor that was generated, by the name of the model's input. */
  readonly tensors: ReadonlyMap<string, Tensor>
  readonly feeds: ReadonlyMap<string, Tensor>
  /** Outputs to compute; none when the answer needs none. */
  readonly fetches: readonly string[]
  /** Milliseconds by stage; `rank` or `recall` once it is finished. */
  readonly stages: Readonly<Record<string, number>>
  private readonly parts: RecommenderParts
  private readonly request: TorchrecRequest
  private readonly model: ModelIo | undefined
  private readonly table: ItemTable | undefined
  private readonly columns: FgRequest
  private readonly generated: Generated
  private readonly times: Record<string, number> = {}

  /**
   * @param model `undefined` while nothing is known of it: there are tensors then, and no feeds and fetches.
   * @throws {EasError} `invalid_request` naming the feature that is wrong.
   */
  constructor(
    parts: RecommenderParts,
    request: TorchrecRequest,
    model: ModelIo | undefined,
    items: ItemView | undefined,
  ) {
    const { generator, recall, reads, isOfUser, candidateSequence, texts } = parts
    const start = performance.now()
    this.parts = parts
    this.request = request
    this.model = model
    this.stages = this.times
    this.level = debugLevelOf(request.debug_level)
    checkRequest(request, reads, parts.options.config.itemIdsMax)
    this.table = items && requestItems(items)
    const asked = isOfUser || recall ? { ...request, item_ids: [] } : request
    this.columns = fgRequest(asked, this.table, { candidateSequence })
    this.generated = generator.generate(this.columns)
    this.tensors = texts ? texts.tensors(this.generated) : this.generated.tensors()
    this.fetches = model && this.level.predicts && !this.hasNothingToScore ? this.outputNames(model) : []
    this.times.features = performance.now() - start
    this.feeds = model && this.fetches.length > 0 ? feedsOf(model, this.allInputs()) : new Map()
    this.times.lookup = performance.now() - start - this.times.features
  }

  /** @throws {EasError} `internal` when the model's outputs are not what they must be. */
  finish(results: ReadonlyMap<string, Tensor>): TorchrecResponse {
    const start = performance.now()
    const { level } = this
    const isRecall = this.parts.recall !== undefined
    const outputs = new Map<string, Tensor>(level.modelInputs ? this.tensors : [])
    let { item_ids } = this.request
    if (level.predicts) {
      if (isRecall) item_ids = this.recall(results, outputs)
      else this.rank(results, outputs)
    }
    this.times[isRecall ? 'recall' : 'rank'] = performance.now() - start
    return {
      map_outputs: outputs,
      raw_features: level.rawFeatures ? this.byId(this.generated.rawFeatures()) : nothing,
      generate_features: level.generateFeatures ? this.byId(this.generateFeatures()) : nothing,
      item_ids,
      pass_through_data: this.parts.options.passThrough,
    }
  }

  /** What is kept of it on disk. */
  logData(): PBLogData {
    return {
      request: this.request,
      raw_features: this.byId(this.generated.rawFeatures()),
      generate_features: this.byId(this.generated.generateFeatures()),
    }
  }

  /** What features read and neither the request nor the catalogue says. */
  missing(): readonly string[] {
    return missingInputs(this.parts.generator, this.columns)
  }

  /** Every tensor that the model may take: features, and embeddings that are looked up here. */
  allInputs(): ReadonlyMap<string, Tensor> {
    const { sparse } = this.parts
    return sparse ? new Map([...this.tensors, ...embeddingInputs(sparse, this.tensors)]) : this.tensors
  }

  /** A model of EasyRec is shown, where its features alone are asked for, as training reads them. */
  private generateFeatures(): readonly string[] {
    const { texts } = this.parts
    return texts && this.level.level === 3 ? texts.lineOfAll(this.generated) : this.generated.generateFeatures()
  }

  /** A ranking without items has no rows, though features have one. */
  private get hasNothingToScore(): boolean {
    return this.request.item_ids.length === 0 && !this.parts.isOfUser && !this.parts.recall
  }

  private outputNames(model: ModelIo): readonly string[] {
    const names = outputNames(model, this.parts.options.config.outputs)
    if (!this.parts.recall) return names
    const embedding = names.includes(userEmbedding) ? userEmbedding : names.length === 1 ? names[0] : undefined
    if (embedding !== undefined) return [embedding]
    throw new EasError('internal', `Prediction failed: the model has no output ${userEmbedding} to recall items by`)
  }

  private rank(results: ReadonlyMap<string, Tensor>, outputs: Map<string, Tensor>): void {
    const { request, table } = this
    const { reads, options } = this.parts
    const rows = request.item_ids.length
    if (this.hasNothingToScore) {
      for (const name of this.model ? this.outputNames(this.model) : [])
        outputs.set(name, { dtype: 'float32', shape: [0], data: new Float32Array() })
      return
    }
    const unknown = table && unknownItems(request, table, reads)
    for (const name of this.fetches) {
      const scores = scoresOf(name, outputOf(results, name))
      // A user's own output, such as an embedding, needs no item.
      const perItem = rows === 0 ? scores : rowPerItem(name, scores, rows)
      if (unknown) markUnknown(perItem, unknown, options.config.item_empty_score)
      outputs.set(name, perItem)
    }
  }

  /** @returns The recalled ids, best first. */
  private recall(results: ReadonlyMap<string, Tensor>, outputs: Map<string, Tensor>): readonly string[] {
    const { recall, options } = this.parts
    const [name] = this.fetches
    if (!recall || name === undefined) return []
    const { faiss_neigh_num } = this.request
    const neighbours = faiss_neigh_num > 0 ? faiss_neigh_num : options.config.faiss_neigh_num
    const embedding = scoresOf(name, outputOf(results, name))
    const { item_ids, match_item_scores: data } = recall.find(name, embedding, neighbours)
    outputs.set('match_item_scores', { dtype: 'float32', shape: [1, data.length], data })
    if (this.level.userEmbedding) outputs.set(name, embedding)
    return item_ids
  }

  /** Texts by item; those of a user under the user's id, where the request has one. */
  private byId(texts: readonly string[]): ReadonlyMap<string, string> {
    const { item_ids, user_features } = this.request
    if (item_ids.length > 0 && texts.length === item_ids.length) {
      return new Map(item_ids.map((id, i) => [id, texts[i] ?? '']))
    }
    const user = user_features.get('user_id')?.value
    const key = typeof user === 'string' || typeof user === 'number' || typeof user === 'bigint' ? String(user) : '0'
    const [text = ''] = texts
    return new Map([[key, text]])
  }
}

const nothing: ReadonlyMap<string, string> = new Map()

/**
 * The outputs that are asked for, by default all.
 * @throws {EasError} `not_ready` for one that the model does not have.
 */
export function outputNames({ outputs }: ModelIo, asked: readonly string[]): readonly string[] {
  const names = outputs.flatMap(({ name, dtype }) => (name === candidateCount || dtype === 'string' ? [] : [name]))
  const unknown = asked.find((name) => !names.includes(name))
  if (unknown === undefined) return asked.length > 0 ? asked : names
  const shown = names.slice(0, 20).join(', ')
  throw new EasError(
    'not_ready',
    `Cannot load the model: outputs names ${oneLine(unknown)}, and the model has ${shown}`,
  )
}

function outputOf(results: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const tensor = results.get(name)
  if (!tensor) throw new EasError('internal', `Prediction failed: the model gave no ${name}`)
  return tensor
}
