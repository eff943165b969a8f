import { EasError, oneLine } from '@eas/base'
import type { ItemView } from '@eas/feature-store'
import { type FeatureGenerator, isCandidates } from '@eas/fg'
import type { TorchrecRequest } from '@eas/protocol'
import { type ReadNames, readNames } from './check-request.ts'
import { compile } from './compile.ts'
import type { FgLibrary } from './easyrec/fg-document.ts'
import { openEasyrec, takesFields } from './easyrec/open.ts'
import type { TextInputs } from './easyrec/text-inputs.ts'
import { embeddingNames } from './embedding/lookup.ts'
import { openSparseFolder, type SparseFolder } from './embedding/sparse-folder.ts'
import { tensorTypesOf } from './feeds.ts'
import { itemIds } from './item-ids.ts'
import { type ModelFolder, openModelFolder } from './model-folder.ts'
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
  /** Of EasyRec's processors: which generator they have; `fg` where nothing is said. */
  readonly fgLibrary?: FgLibrary
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
  /** Of a model whose inputs are EasyRec's fields: what makes them. */
  readonly texts: TextInputs | undefined
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
  const opened: Opened = takesFields(model)
    ? await openEasyrec(options.folder, model, config.fgLibrary ?? 'fg', options.env)
    : await openTorchEasyrec(options)
  const { generator, recall: files, modelAcc, sparse, texts } = opened
  const recall = files && (await openRecall(files, config.faiss_nprobe))
  const candidateSequence = candidateSequenceOf(generator, modelAcc?.cand_seq_pk)
  const parts: RecommenderParts = {
    generator,
    recall,
    sparse,
    texts,
    options,
    reads: readNames(generator, candidateSequence),
    isOfUser: generator.inputs.every(
      // What the user has clicked on is the user's, though its fields are of side `item`.
      ({ side, sequence }) =>
        side === 'user' || (side === 'item' && sequence !== undefined && !isCandidates(sequence, candidateSequence)),
    ),
    candidateSequence,
  }
  return {
    generator,
    isRecall: recall !== undefined,
    needsItems: recall === undefined && !parts.isOfUser,
    itemIds: (request) => itemIds(generator, request),
    begin: (request, model, items) => new Recommendation(parts, request, model, items),
  }
}

/** An export of either kind. */
interface Opened {
  readonly generator: FeatureGenerator
  readonly recall: ModelFolder['recall']
  readonly modelAcc?: ModelFolder['modelAcc']
  readonly sparse?: SparseFolder | undefined
  readonly texts?: TextInputs | undefined
}

/** An export of TorchEasyRec: features are made in the tensors that the model's inputs are named after. */
async function openTorchEasyrec({ folder, model, env: all }: RecommenderOptions): Promise<Opened> {
  const { fgJson, modelAcc, asset, recall } = await openModelFolder(folder)
  const env = { ...all }
  // The environment may ask for it where the model was exported without; model_acc.json is the export's own word.
  if (model.inputs.length > 0 && !model.inputs.some(({ name }) => name === 'batch_size')) delete env.INPUT_TILE
  const generator = await compile(fgJson, { asset, modelAcc, env, tensorTypes: tensorTypesOf(model) })
  const sparse = await openSparseFolder(folder)
  checkInputs(model, generator, sparse)
  return { generator, recall, modelAcc, sparse }
}

/**
 * Checks that every input of the model is made of features. That of the number of items, `batch_size`, is told by requests.
 * @throws {EasError} `not_ready` naming those that are not.
 */
function checkInputs({ inputs }: ModelIo, { outputs }: FeatureGenerator, sparse: SparseFolder | undefined): void {
  const made = new Set([...outputs.map(({ name }) => name), ...(sparse ? embeddingNames(sparse) : []), 'batch_size'])
  const strange = inputs.flatMap(({ name }) => (made.has(name) ? [] : [name]))
  if (strange.length === 0) return
  throw new EasError(
    'not_ready',
    `Cannot load the model: it takes ${oneLine(strange.slice(0, 20).join(', '))}, and fg.json has no feature for that`,
  )
}

/** The sequence that `cand_seq_pk` names, if features read it. */
const candidateSequenceOf = ({ inputs }: FeatureGenerator, name: unknown): string | undefined =>
  typeof name === 'string' && inputs.some(({ sequence }) => sequence && isCandidates(sequence, name)) ? name : undefined
