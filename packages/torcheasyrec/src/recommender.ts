import { EasError } from '@eas/base'
import type { ItemView } from '@eas/feature-store'
import { compileFg, type FeatureGenerator, FgConfigError } from '@eas/fg'
import type { TorchrecRequest } from '@eas/protocol'
import { type ReadNames, readNames } from './check-request.ts'
import { openSparseFolder, type SparseFolder } from './embedding/sparse-folder.ts'
import { tensorTypesOf } from './feeds.ts'
import { itemIds } from './item-ids.ts'
import { openModelFolder } from './model-folder.ts'
import type { ModelIo } from './model-io.ts'
import { openRecall, type Recall } from './recall.ts'
import { outputNames, Recommendation } from './recommendation.ts'

/** What `model_config` says of a recommender. */
export interface RecommenderConfig {
  /** Names of the outputs to return; all when empty. */
  readonly outputs: readonly string[]
  readonly item_empty_score: number
  readonly faiss_neigh_num: number
  readonly faiss_nprobe: number
  /** Items of one request. */
  readonly itemIdsMax: number
}

export interface RecommenderOptions {
  /** The folder of the model file. */
  readonly folder: string
  /** What the model takes; nothing of it is known before it has been lowered for a request. */
  readonly model: ModelIo
  readonly config: RecommenderConfig
  /** Of the processor: `INPUT_TILE` where there is no model_acc.json, `USE_FARM_HASH_TO_BUCKETIZE`. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** `pass_through_data` of every answer. */
  readonly passThrough: ReadonlyMap<string, string>
}

/** What is known of a model before its first request. */
export interface RecommenderParts {
  readonly generator: FeatureGenerator
  readonly recall: Recall | undefined
  /** Embeddings that are looked up here rather than in the graph. */
  readonly sparse: SparseFolder | undefined
  readonly options: RecommenderOptions
  readonly reads: ReadNames
  /** Whether features read nothing of items: one row then stands for all. */
  readonly isOfUser: boolean
  /** `cand_seq_pk`: the sequence whose steps are the items of the request. */
  readonly candidateSequence: string | undefined
}

/** A model with its features: a request becomes tensors, and what the model makes of them an answer. */
export interface Recommender {
  readonly generator: FeatureGenerator
  /** Whether items are recalled rather than scored. */
  readonly isRecall: boolean
  /** Whether a request without item ids has nothing to be answered with. */
  readonly needsItems: boolean
  /** The items that a request's features read: those it asks about, and those its sequences are of. */
  itemIds(request: TorchrecRequest): readonly string[]
  /**
   * Generates the features of a request.
   * @param model What the model takes and gives now; `undefined` while nothing is known of it, as of TorchScript before its
   *   first request, which only `allInputs` is asked of then.
   * @param items The catalogue, where there is one.
   * @throws {EasError} `invalid_request` naming the feature that is wrong.
   */
  begin(request: TorchrecRequest, model: ModelIo | undefined, items: ItemView | undefined): Recommendation
}

/** @throws {EasError} `not_ready` when the export is not complete, or not one that can be served. */
export async function openRecommender(options: RecommenderOptions): Promise<Recommender> {
  const { model, config } = options
  if (model.outputs.length > 0) outputNames(model, config.outputs)
  const { fgJson, modelAcc, asset, recall: files } = await openModelFolder(options.folder)
  const env = { ...options.env }
  // The environment may ask for it where the model was exported without; model_acc.json is the export's own word.
  if (model.inputs.length > 0 && !model.inputs.some(({ name }) => name === 'batch_size')) delete env.INPUT_TILE
  const generator = await compile(fgJson, { asset, modelAcc, env, tensorTypes: tensorTypesOf(model) })
  const recall = files && (await openRecall(files, config.faiss_nprobe))
  const parts: RecommenderParts = {
    generator,
    recall,
    sparse: await openSparseFolder(options.folder),
    options,
    reads: readNames(generator),
    isOfUser: generator.inputs.every(({ side }) => side === 'user'),
    candidateSequence: typeof modelAcc?.cand_seq_pk === 'string' ? modelAcc.cand_seq_pk : undefined,
  }
  return {
    generator,
    isRecall: recall !== undefined,
    needsItems: recall === undefined && !parts.isOfUser,
    itemIds: (request) => itemIds(generator, request),
    begin: (request, model, items) => new Recommendation(parts, request, model, items),
  }
}

async function compile(...[document, options]: Parameters<typeof compileFg>): Promise<FeatureGenerator> {
  try {
    return await compileFg(document, options)
  } catch (thrown) {
    if (!(thrown instanceof FgConfigError)) throw thrown
    throw new EasError('not_ready', `Cannot load the model: ${thrown.message}`, { cause: thrown })
  }
}
